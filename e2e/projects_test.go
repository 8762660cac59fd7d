package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A project that uv builds takes the place of the buildout, over the same database and
// under load: a release of its own, switched to client by client; a lock that does not
// fit leaves it alone; and back again. The lock is what the host's own uv writes of the
// wheels that hosts have.
var _ = onCluster("TestRelStorage", scenario{"from buildout to uv and back", projects, long, func(s *trial) {
	constraints, err := os.ReadFile(filepath.Join(s.buildout, "constraints.txt"))
	if err != nil {
		s.t.Fatal(err)
	}
	var pins []string
	for line := range strings.Lines(string(constraints)) {
		if line, _, _ = strings.Cut(line, "#"); strings.TrimSpace(line) != "" {
			pins = append(pins, fmt.Sprintf("%q", strings.TrimSpace(line)))
		}
	}
	project := `[project]
name = "e2e-site"
version = "1.0"
requires-python = "==3.11.*"
dependencies = ["Plone", "Paste", "plonec_testsite"]

[dependency-groups]
container = ["RelStorage", "psycopg2-binary"]

[tool.uv]
package = false
environments = ["sys_platform == 'linux'"]
constraint-dependencies = [` + strings.Join(pins, ", ") + `]

[tool.uv.sources]
plonec_testsite = { path = "src/plonec_testsite" }
`
	write := func(dir, name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	lock := s.exec("app1", `rm -rf /tmp/project && mkdir /tmp/project && cd /tmp/project && cp -r /srv/www/site/current/src . && cat >pyproject.toml <<'END'
`+project+`END
/opt/plonec/uv/bin/uv lock -q --no-index --find-links /var/cache/plonec/wheels && cat uv.lock`)
	before := s.release("app1")
	s.push(func(dir string) {
		write(dir, "pyproject.toml", project)
		write(dir, "uv.lock", lock+"\n")
		write(dir, "instance.yaml", "default_context:\n    zcml_package_includes: plonec_testsite\n    db_storage: direct\n")
	})
	s.change(func(st map[string]any) {
		site := at(st, "deploy", "site")
		site["builder"], site["index"] = "uv", map[string]any{"offline": true}
		delete(site, "buildout_extends")
	})
	s.must(0, "deploy")
	made := s.release("app1")
	if made == before {
		s.t.Error("no new release")
	}
	if conf := s.exec("app1", "cat /srv/www/site/current/parts/client1/etc/zope.conf; ls /srv/www/site/current/.venv/bin"); !strings.Contains(conf, "<relstorage>") || strings.Contains(conf, "\nbuildout\n") {
		s.t.Errorf("what runs is not what uv built:\n%s", conf)
	}
	if out := s.must(0, "exec", "site", "--host", "app1", "--", "bin/admin", "run", "/dev/null"); strings.Contains(out, "Traceback") {
		s.t.Errorf("bin/admin: %s", out)
	}
	s.must(0, "restart", "site")

	s.push(edit("pyproject.toml", func(text string) string { return strings.Replace(text, `"Paste",`, `"Paste", "no-such-package",`, 1) }))
	if out := s.must(1, "deploy"); !strings.Contains(out, "uv.lock does not fit pyproject.toml") {
		s.t.Errorf("a lock that does not fit: %s", out)
	}
	if now := s.release("app1"); now != made {
		s.t.Errorf("release %s runs after that, not %s", now, made)
	}

	s.push(func(dir string) {
		for _, name := range []string{"pyproject.toml", "uv.lock", "instance.yaml"} {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				s.t.Fatal(err)
			}
		}
	})
	s.change(func(st map[string]any) {
		site := at(st, "deploy", "site")
		delete(site, "builder")
		delete(site, "index")
		site["buildout_extends"] = []string{"cfg/e2e.cfg"}
	})
	s.must(0, "deploy")
	if s.release("app1") == made {
		s.t.Error("the buildout made no release")
	}
}})
