package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The blocks of docs/extending.md, put where it says, make a plonec that takes the
// attribute and writes the artifact.
func TestExtending(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/extending.md")
	if err != nil {
		t.Fatal(err)
	}
	top, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, m := range fenced.FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, m[1]+":"+m[2])
	}
	next := func(kind string) string {
		t.Helper()
		if len(blocks) == 0 || !strings.HasPrefix(blocks[0], kind+":") {
			t.Fatalf("the next block should be of %q", kind)
		}
		block := strings.TrimPrefix(blocks[0], kind+":")
		blocks = blocks[1:]
		return block
	}

	dir := t.TempDir()
	changed := map[string]string{}
	// change puts what make gives in the place of a line that the file has once, which
	// begins with old.
	change := func(name, old string, make func(line string) string) {
		t.Helper()
		file := filepath.Join(top, name)
		if changed[file] != "" {
			file = changed[file]
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		line := regexp.MustCompile(`(?m)^[ \t]*` + regexp.QuoteMeta(old) + `.*\n`)
		if n := len(line.FindAll(content, -1)); n != 1 {
			t.Fatalf("%s has %d lines of %q", name, n, old)
		}
		at := line.FindIndex(content)
		put(t, dir, changed, filepath.Join(top, name), string(content[:at[0]])+make(string(content[at[0]:at[1]]))+string(content[at[1]:]))
	}
	edit := func(name, old, text string) {
		t.Helper()
		change(name, old, func(string) string { return text })
	}
	below := func(name, old, text string) {
		t.Helper()
		change(name, old, func(line string) string { return line + text })
	}
	above := func(name, old, text string) {
		t.Helper()
		change(name, old, func(line string) string { return text + line })
	}
	field := strings.TrimSuffix(strings.TrimPrefix(next("cue"), "#NginxPlone: {\n"), "}\n")
	below("schema/nginx.cue", "#NginxPlone: {", field)
	below("schema/stack.go", "type NginxPlone struct {", next("go"))
	edit("templates/nginx/nginx.conf.tmpl", "keepalive_timeout 30s;", next("tmpl"))
	put(t, dir, changed, filepath.Join(top, "templates/journald.conf.tmpl"), next("tmpl"))
	below("render/hosts.go", "var hostArtifacts = []Artifact{", next("go"))
	above("render/hosts.go", "func needrestarts(", next("go")+"\n")
	put(t, dir, changed, filepath.Join(top, "internal/service/earlyoom.go"), next("go"))
	put(t, dir, changed, filepath.Join(top, "schema/earlyoom.cue"), next("cue"))
	below("schema/stack.cue", "#Stack: {", next("cue"))
	below("schema/stack.go", "type Stack struct {", next("go"))
	above("schema/stack.go", "type NginxPlone struct {", next("go")+"\n")
	put(t, dir, changed, filepath.Join(top, "templates/earlyoom/earlyoom.default.tmpl"), next("tmpl"))
	put(t, dir, changed, filepath.Join(top, "render/earlyoom.go"), next("go"))
	below("internal/topology/systems.go", `{"debian13", `, next("go"))
	edit("schema/types.cue", "#OS: ", next("cue"))
	put(t, dir, changed, filepath.Join(top, "cmd/plonec/flows.go"), next("go"))
	above("cmd/plonec/verbs.go", `{name: "graph", `, next("go"))
	put(t, dir, changed, filepath.Join(top, "internal/builder/script.go"), next("go"))
	edit("internal/builder/builder.go", "var builders = ", next("go"))
	put(t, dir, changed, filepath.Join(top, "templates/builders/script.sh"), next("sh"))
	edit("schema/apps.cue", "builder?: ", next("cue"))
	field = strings.TrimSuffix(strings.TrimPrefix(next("cue"), "#PloneZeoserver: {\n"), "}\n")
	below("schema/zeo.cue", "#PloneZeoserver: {", field)
	below("schema/stack.go", "type PloneZeoserver struct {", next("go"))
	below("internal/topology/jobs.go", "var jobs = []Job{", next("go"))
	edit("templates/host/jobs.sh", "readonly JOB_NAMES=", next("sh"))
	below("internal/builder/buildout.go", "Helpers: []Helper{", next("go"))
	if len(blocks) > 0 {
		t.Errorf("nothing tries %s", blocks)
	}

	overlay, err := json.Marshal(map[string]any{"Replace": changed})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "plonec")
	run := func(name string, args ...string) string {
		t.Helper()
		c := exec.Command(name, args...)
		c.Dir = top
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", args, err, out)
		}
		return string(out)
	}
	run("go", "build", "-ldflags=-s -w", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, "./cmd/plonec")
	more := filepath.Join(dir, "more.json")
	if err := os.WriteFile(more, []byte(`{"nginx_plone": {"keepalive_timeout": "75s"}, "earlyoom": {"min_free": 7}, "plonec": {"os": "debian14"},
	    "plone_zeoserver": {"verify_at": "Sat 02:00"}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	tree := filepath.Join(dir, "build")
	run(program, "build", "examples/zeo/stack.json", more, "-o", tree)
	for name, want := range map[string]string{
		"hosts/lb1/root/etc/nginx/nginx.conf":                     "keepalive_timeout 75s;\n",
		"hosts/app1/root/etc/systemd/journald.conf.d/plonec.conf": "\n[Journal]\nSystemMaxUse=1G\n",
		"hosts/db1/root/etc/systemd/journald.conf.d/plonec.conf":  "Generated by plonec",
		"manifest.json":                                 "restart:systemd-journald.service",
		"hosts/app1/root/etc/default/earlyoom":          "# Of the memory this much stays free, in percent.\nEARLYOOM_ARGS=\"-r 3600 -m 7\"\n",
		"hosts/app1/root/etc/plonec/host.env":           "\nSERVICES='earlyoom'\n",
		"common/root/usr/local/lib/plonec/daemons.conf": "RESTARTS[earlyoom]=",
		"README.md": "2 clients of site, earlyoom",
		"hosts/db1/root/etc/systemd/system/plone-database-verify.timer":   "\nOnCalendar=Sat 02:00 UTC\n",
		"hosts/db1/root/etc/systemd/system/plone-database-verify.service": "/host run --timer verify \"database\"\n",
		"common/root/usr/local/lib/plonec/builders/buildout.conf":         "\nBUILDER_HELPERS['verify']='bin/verify'\n",
		"common/root/usr/local/lib/plonec/jobs.sh":                        "\nreadonly JOB_NAMES='backup pack verify'\n",
	} {
		if content, err := os.ReadFile(filepath.Join(tree, name)); err != nil || !bytes.Contains(content, []byte(want)) {
			t.Errorf("%s: %v: no %q", name, err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(tree, "hosts/lb1/root/etc/systemd/journald.conf.d")); err == nil {
		t.Error("a front end has the artifact")
	}
	if _, err := os.Stat(filepath.Join(tree, "hosts/db1/root/etc/default/earlyoom")); err == nil {
		t.Error("a host without clients has the service")
	}
	for _, want := range []string{
		`{"unit":"earlyoom.service","kind":"earlyoom","rank":1},{"unit":"plone-site-client1.service"`,
		`"path":"/etc/default/earlyoom","sha256":"`, `"effect":["restart:earlyoom.service"]`, `"curl","earlyoom","git"`,
	} {
		if text, err := os.ReadFile(filepath.Join(tree, "manifest.json")); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("manifest.json: %v: no %s", err, want)
		}
	}
	if out := run(program, "flows", "examples/zeo/stack.json"); !strings.Contains(out, "lb1 app1 8081 client\n") {
		t.Errorf("flows: %s", out)
	}
	if out := run(program, "--help"); !strings.Contains(out, "list which host connects to which") {
		t.Errorf("help: %s", out)
	}
	followBuilder(t, func(args ...string) string { return run(program, args...) })
	if content, err := os.ReadFile(filepath.Join(tree, "manifest.json")); err != nil || !bytes.Contains(content, []byte(`"helpers":["verify","backup","pack"]`)) {
		t.Errorf("%v: plonec run verify is for no host", err)
	}
	if out := run(program, "explain", "nginx_plone.keepalive_timeout"); !strings.Contains(out, "How long nginx keeps") || !strings.Contains(out, "30") {
		t.Errorf("explain: %s", out)
	}
}

// put writes a file that stands for another one in a build.
func put(t *testing.T, dir string, changed map[string]string, name, text string) {
	t.Helper()
	file := filepath.Join(dir, strings.ReplaceAll(filepath.Base(filepath.Dir(name))+"-"+filepath.Base(name), "/", "-"))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	changed[name] = file
}

// The files and folders of the repository that the guides name are there.
func TestPathsInTheGuides(t *testing.T) {
	name := regexp.MustCompile("`((?:cmd|e2e|examples|internal|render|schema|templates|testdata)/[A-Za-z0-9_./-]*)`")
	for guide, new := range map[string][]string{
		"extending.md": {"templates/journald.conf.tmpl", "internal/builder/script.go", "templates/builders/script.sh",
			"internal/service/earlyoom.go", "schema/earlyoom.cue", "templates/earlyoom/earlyoom.default.tmpl", "templates/earlyoom/earlyoom.sh", "render/earlyoom.go",
			"internal/native/NAME.go", "cmd/plonec/flows.go", "e2e/earlyoom_test.go", "e2e/memcached_test.go"}, // that it adds
		"design.md": nil,
	} {
		text, err := os.ReadFile("../../docs/" + guide)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, m := range name.FindAllStringSubmatch(string(text), -1) {
			found++
			_, err := os.Stat(filepath.Join("../..", m[1]))
			for _, n := range new {
				if m[1] == n && os.IsNotExist(err) {
					err = nil
				}
			}
			if err != nil {
				t.Errorf("%s: %v", guide, err)
			}
		}
		if found < 5 {
			t.Errorf("%s: only %d paths were found", guide, found)
		}
	}
}
