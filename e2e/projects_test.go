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

// ownNames is a production buildout as projects have it: a client and a ZEO server with
// names of their own, made from a macro, which find each other by addresses of this file;
// a supervisor and a web server beside them, for whose recipes no host has a wheel; a file
// that is expected in the release, and one beside it.
const ownNames = `[buildout]
newest = false
eggs =
    Zope
    plonec_testsite
parts =
    instance1
    instance2
    zeo
    supervisor
    nginx
    welcome
    goodbye

[hosts]
zeo = 127.0.0.1:9999

[instance-base]
recipe = plone.recipe.zope2instance
eggs = ${buildout:eggs}
zcml = plonec_testsite
user = admin:
zodb-temporary-storage = off
zeo-client = on
zeo-address = ${hosts:zeo}
shared-blob = off
blob-storage = ${buildout:directory}/var/blobcache
environment-vars =
    WORD_OF_THE_PROJECT kept
zope-conf-additional =
    <dos_protection>
      form-memory-limit 3MB
    </dos_protection>

[instance1]
<= instance-base
http-address = 127.0.0.1:9081

[instance2]
<= instance-base
http-address = 127.0.0.1:9082

[admin]
<= instance-base
http-address = 127.0.0.1:9079

[zeo]
recipe = plone.recipe.zeoserver
eggs = ${buildout:eggs}
zeo-address = ${hosts:zeo}
file-storage = ${buildout:directory}/var/filestorage/Data.fs
blob-storage = ${buildout:directory}/var/blobstorage

[supervisor]
recipe = collective.recipe.supervisor
programs = 10 zeo ${zeo:location}/bin/runzeo

[nginx]
recipe = collective.recipe.template
input = templates/nginx.conf.in
output = ${buildout:directory}/nginx.conf

[welcome]
recipe = collective.recipe.template
input = etc/word.txt
output = ${buildout:directory}/welcome.txt

[goodbye]
recipe = collective.recipe.template
input = goodbye.in
output = ${buildout:directory}/goodbye.txt
`

// A project with names of its own takes the place of the example's, under load: nothing of
// it is edited, and its clients and its ZEO server go where the stack says. Where they do
// not, the release is not switched to.
var _ = onCluster("TestZope", scenario{"a project with names of its own", projects, long, func(s *trial) {
	s.exec("app1", "echo from shared >/srv/www/site/shared/goodbye.in")
	s.exec("app2", "echo from shared >/srv/www/site/shared/goodbye.in")
	s.push(func(dir string) {
		if err := os.WriteFile(filepath.Join(dir, "production.cfg"), []byte(ownNames), 0o644); err != nil {
			s.t.Fatal(err)
		}
	})
	s.change(func(st map[string]any) {
		at(st, "plone_instances")["base_config"], at(st, "plone_zeoserver")["base_config"] = "production.cfg", "production.cfg"
		for _, name := range []string{"site", "database"} {
			app := at(st, "deploy", name)
			delete(app, "buildout_extends")
			app["buildout_parts_to_include"] = []string{"admin"}
			app["parts"] = map[string]any{
				"client": "instance1", "zeoserver": "zeo", "zeo_address": "hosts:zeo",
				"backup": "", "backupcronjob": "", "packcronjob": "", "memcached": "",
			}
			app["files"] = map[string]any{"etc/word.txt": "the stack's word for ${buildout:parts}\n"}
			app["buildout_additional_config"] = "[buildout]\nparts -=\n    instance2\n"
		}
		at(st, "deploy", "site")["symlink_before_migrate"] = map[string]any{"goodbye.in": "goodbye.in"}
		at(st, "deploy", "database")["files"] = map[string]any{"etc/word.txt": "word\n", "goodbye.in": "word\n"}
	})
	s.must(0, "deploy")
	made := s.release("app1")
	conf := s.exec("app1", "cd /srv/www/site/current && cat parts/client1/etc/zope.conf && ls parts && cat welcome.txt goodbye.txt")
	for _, want := range []string{"server " + addresses["db1"] + ":8001", "WORD_OF_THE_PROJECT kept", "form-memory-limit 3MB", "the stack's word for", "from shared"} {
		if !strings.Contains(conf, want) {
			s.t.Errorf("%q is missing on app1:\n%s", want, conf)
		}
	}
	for _, never := range []string{"9999", "\ninstance1\n", "\ninstance2\n", "\nzeo\n", "\nzeoserver\n", "\nsupervisor\n", "\nnginx\n"} {
		if strings.Contains(conf, never) {
			s.t.Errorf("%q is on app1:\n%s", never, conf)
		}
	}
	s.sound()

	// What the project says at the very end beats what deploy.cfg says.
	s.change(func(st map[string]any) {
		at(st, "deploy", "site")["buildout_additional_config"] = "[buildout]\nparts -=\n    instance2\n\n[client1]\nzeo-address = 127.0.0.1:9999\n"
	})
	out := s.must(1, "deploy")
	if !strings.Contains(out, "the stack says "+addresses["db1"]+":8001 for client1") || !strings.Contains(out, "127.0.0.1:9999") {
		s.t.Errorf("clients that go elsewhere: %s", out)
	}
	if now := s.release("app1"); now != made {
		s.t.Errorf("release %s runs after that, not %s", now, made)
	}

	s.push(func(dir string) {
		if err := os.Remove(filepath.Join(dir, "production.cfg")); err != nil {
			s.t.Fatal(err)
		}
	})
	s.change(func(st map[string]any) {
		delete(at(st, "plone_instances"), "base_config")
		delete(at(st, "plone_zeoserver"), "base_config")
		for _, name := range []string{"site", "database"} {
			app := at(st, "deploy", name)
			for _, key := range []string{"buildout_parts_to_include", "parts", "files", "buildout_additional_config", "symlink_before_migrate"} {
				delete(app, key)
			}
			app["buildout_extends"] = []string{"cfg/e2e.cfg"}
		}
	})
	s.must(0, "deploy")
	if s.release("app1") == made {
		s.t.Error("the example's buildout made no release")
	}
}})
