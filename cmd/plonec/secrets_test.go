package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/schema"
)

// sentinel is what no output may hold.
const sentinel = "S3NT1NEL"

// TestNoSecretLeaves gives every secret of the schema in plain, each another
// sentinel, in stacks that compile and in one that does not, and looks for
// them in the tree and in everything that is printed. Every base has every secret, so
// each second one is written on one line.
func TestNoSecretLeaves(t *testing.T) {
	for i, base := range bases(t) {
		form := json.Marshal
		if i%2 == 0 {
			form = func(v any) ([]byte, error) { return json.MarshalIndent(v, "", " ") }
		}
		stack, planted := plant(t, base, func(n int) any { return fmt.Sprintf("%s-%d", sentinel, n) })
		if planted < 12 {
			t.Fatalf("only %d secrets were planted", planted)
		}
		t.Run(fmt.Sprintf("plain %d", i), func(t *testing.T) { buildAndSearch(t, stack, form, true) })

		refs, _ := plant(t, base, func(n int) any {
			name := fmt.Sprintf("PLONEC_TEST_%d", n)
			t.Setenv(name, sentinel)
			return map[string]any{"$secret": "env:" + name}
		})
		t.Run(fmt.Sprintf("references %d", i), func(t *testing.T) { buildAndSearch(t, refs, form, true) })

		broken := set(stack, []string{"haproxy", "fall"}, "many").(map[string]any)
		broken = set(broken, []string{"haproxy", "stats_pasword"}, sentinel+"-misspelt").(map[string]any)
		broken = set(broken, []string{"unknown"}, map[string]any{"password": sentinel}).(map[string]any)
		broken = set(broken, []string{"redis", "config", "password"}, []any{sentinel}).(map[string]any)
		t.Run(fmt.Sprintf("with mistakes %d", i), func(t *testing.T) { buildAndSearch(t, broken, form, false) })
	}
}

// A secret that a later file replaces stands in its own file all the same.
func TestNoSecretOfAReplacedFileIsPrinted(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")
	for name, text := range map[string]string{
		a: `{"haproxy": {"stats_password": "` + sentinel + `", "fall": 0}, "unknown": "` + sentinel + `", "plone_zeoserver": {"x": 1}}`,
		b: `{"haproxy": {"stats_password": {"$secret": "env:X"}}, "unknown": null}`,
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if status := run([]string{"check", a, b}, &out, &out); status != exitError {
		t.Errorf("exit status %d", status)
	}
	if !strings.Contains(out.String(), "out-of-range") || strings.Contains(out.String(), sentinel) {
		t.Errorf("got:\n%s", out.String())
	}
}

// A plain secret that stands a second time in a text that is written out stops
// the build, and so does one that an argument of Jsonnet brings.
func TestSecretThatStandsTwice(t *testing.T) {
	const stack = `{instances: {w: {layers: ['lb', 'plone_instances', 'zeoserver'], address: '10.0.0.1', cpus: 1}},
	  haproxy: {stats_password: %s}, plone_blobs: {blob_dir: '/srv/b'}, local app = {scm: {repository: 'r'}}, deploy: {zeoserver: app, plone_instances: app {buildout_flags: '-v %s'}}}`
	for _, test := range []struct {
		secret, flags, code string
		arguments           []string
	}{
		{"'" + sentinel + "-1'", "buildout:x=" + sentinel + "-1", "secret-in-tree", nil},
		{"std.extVar('pw')", "", "secret-argument", []string{"--ext-str", "pw=" + sentinel}},
		{"'dbname=x password=%s' % std.extVar('pw')", "", "secret-argument", []string{"--ext-str", "pw=" + sentinel}},
		{"std.extVar('pw')", "", "", []string{"--ext-str", "pw=unused"}},
	} {
		dir := t.TempDir()
		name := filepath.Join(dir, "stack.jsonnet")
		text := strings.Replace(strings.Replace(stack, "%s", test.secret, 1), "-v %s", "-v "+test.flags, 1)
		if test.code == "" {
			text = fmt.Sprintf(stack, "{'$secret': 'env:' + std.extVar('pw')}", "")
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		tree := filepath.Join(dir, "build")
		status := run(append([]string{"build", name, "-o", tree}, test.arguments...), &out, &out)
		if (status == exitDone) != (test.code == "") || !strings.Contains(out.String(), test.code) {
			t.Errorf("%s: exit status %d\n%s", test.code, status, out.String())
		}
		if found := search(t, tree, out.Bytes()); len(found) > 0 {
			t.Errorf("%s: a secret is in %v", test.code, found)
		}
	}
}

// plant sets every secret attribute.
func plant(t *testing.T, base map[string]any, value func(n int) any) (map[string]any, int) {
	t.Helper()
	n := 0
	stack := set(base, strings.Split("deploy.<app>.buildout_cache_archives[].url", "."), "https://example.org/eggs.tgz")
	stack = set(stack, strings.Split("deploy.<app>.buildout_cache_archives[].path", "."), "shared/eggs")
	eachLeaf(schema.Root(), func(a *schema.Attr) bool {
		return strings.HasPrefix(a.Path, "opsworks") || a.Into != ""
	}, func(a *schema.Attr) {
		path, ok := strings.CutSuffix(a.Path, ".$secret")
		if !ok || strings.Contains(path, "<variable>") || strings.HasSuffix(path, "[]") {
			return
		}
		// What pasted configuration holds in plain goes into the tree, with a warning
		// where it looks like a secret, and so does a certificate: only references do not.
		if _, plain := value(n).(string); !plain || schema.Lookup(path).Secret {
			stack = set(stack, strings.Split(path, "."), value(n))
			n++
		}
	})
	// A variable whose name says what it is.
	stack = set(stack, strings.Split("deploy.<app>.environment.API_TOKEN", "."), value(n))
	// The same in a layer's own JSON.
	stack = set(stack, strings.Split("layers.more.custom_json.haproxy.stats_password", "."), value(n+1))
	return stack.(map[string]any), n
}

// buildAndSearch runs the command in every format, and searches.
func buildAndSearch(t *testing.T, stack any, form func(any) ([]byte, error), good bool) {
	t.Helper()
	dir := t.TempDir()
	data, err := form(stack)
	if err != nil {
		t.Fatal(err)
	}
	name, tree := filepath.Join(dir, "stack.json"), filepath.Join(dir, "build")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, format := range []string{"text", "json", "github", "sarif"} {
		status := run([]string{"build", "--format", format, "-o", tree, name}, &out, &out)
		if good != (status == exitDone) {
			t.Fatalf("exit status %d:\n%s", status, out.String())
		}
	}
	if good {
		// All secrets are others, and something else is too.
		next := bytes.ReplaceAll(data, []byte(sentinel), []byte(sentinel+"-next"))
		next = bytes.ReplaceAll(next, []byte("env:PLONEC_TEST_"), []byte("env:PLONEC_NEXT_"))
		other := filepath.Join(dir, "next.json")
		if err := os.WriteFile(other, next, 0o644); err != nil {
			t.Fatal(err)
		}
		var told bytes.Buffer
		for _, format := range []string{"text", "json", "markdown"} {
			if status := run([]string{"diff", "--full", "--format", format, "--against", tree, "-o", filepath.Join(dir, "next"), other}, &told, &out); status != exitDone {
				t.Fatalf("diff: exit status %d:\n%s", status, out.String())
			}
		}
		if !strings.Contains(told.String(), "stats_password") {
			t.Errorf("diff does not name what changed:\n%s", told.String())
		}
		out.Write(told.Bytes())
	}
	if !strings.Contains(out.String(), "plain-secret") && bytes.Contains(data, []byte(sentinel)) {
		t.Errorf("nothing warns of secrets in plain:\n%s", out.String())
	}
	if found := search(t, tree, out.Bytes()); len(found) > 0 {
		t.Errorf("a secret is in %v", found)
	}
	// The search finds what is there.
	if good {
		if err := os.WriteFile(filepath.Join(tree, "hosts", "lost"), []byte("x"+sentinel), 0o644); err != nil {
			t.Fatal(err)
		}
		if found := search(t, tree, []byte(sentinel)); len(found) != 2 {
			t.Fatalf("the search found %v", found)
		}
	}
}

func search(t *testing.T, tree string, printed []byte) []string {
	t.Helper()
	var found []string
	if i := bytes.Index(printed, []byte(sentinel)); i >= 0 {
		found = append(found, fmt.Sprintf("the output: …%s…", printed[max(0, i-80):min(len(printed), i+40)]))
	}
	err := filepath.WalkDir(tree, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if os.IsNotExist(err) {
				return nil
			}
			return err
		}
		data, err := os.ReadFile(name)
		if bytes.Contains(data, []byte(sentinel)) {
			found = append(found, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A relative path, and the folder of a command, are those of the file that
// says the reference: one of several STACKs, or one that is imported. The tree
// is the same wherever the whole lies.
func TestSecretsOfSeveralFiles(t *testing.T) {
	const base = `{"instances": {"w": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}},
	  "plone_blobs": {"blob_dir": "/srv/b"}, "haproxy": {"stats_password": {"$secret": "file:s"}},
	  "deploy": {"zeoserver": {"scm": {"repository": "r"}}, "plone_instances": {"scm": {"repository": "r"}, "environment": {"ONE": {"$secret": "file:s"}, "TWO": {"$secret": "env:X"}}}}}`
	environment := func(text string) string { return `{"deploy": {"plone_instances": {"environment": {` + text + `}}}}` }
	files := map[string]string{
		"base/stack.json":       base,
		"own/more.json":         environment(`"TWO": {"$secret": "file:s"}, "COMMAND": {"$secret": "cmd:cat s"}`),
		"prog/main.jsonnet":     `local lib = import '../lib/env.libsonnet'; ` + environment("HERE: lib.secret('file:s'), COMPUTED: {'$secret': 'file:' + 's'}} + lib.env + {"),
		"lib/env.libsonnet":     `{secret(s):: (import '../deep/helper.libsonnet')(s), env: {THERE: {'$secret': 'file:s'}, CALLED: $.secret('file:s')}}`,
		"deep/helper.libsonnet": `function(s) {'$secret': s}`,
		"cue1/a.cue":            environment(`TYPED: "$secret": string, VALUE: {"$secret": "file:s"}`),
		"cue2/b.cue":            environment(`TYPED: "$secret": "file:s"`),
	}
	want := map[string]string{
		"ONE": "base", "TWO": "own", "COMMAND": "own", "HERE": "prog", "COMPUTED": "prog", "THERE": "lib", "CALLED": "lib",
		"TYPED": "cue2", "VALUE": "cue1",
	}
	var manifests [2]string
	for i := range manifests {
		dir := t.TempDir()
		command(t, dir, nil, "git", "init", "-q")
		for name, text := range files {
			place := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(place, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(filepath.Dir(place), "s"), []byte(filepath.Base(filepath.Dir(place))), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		// By absolute names, and by relative ones.
		built, name := filepath.Join(dir, "build"), func(s string) string { return filepath.Join(dir, s) }
		if i == 1 {
			t.Chdir(filepath.Join(dir, "own"))
			built, name = "../build", func(s string) string { return "../" + s }
		}
		var out bytes.Buffer
		args := []string{"build", "-o", built}
		for _, s := range []string{"base/stack.json", "own/more.json", "prog/main.jsonnet", "cue1/a.cue", "cue2/b.cue"} {
			args = append(args, name(s))
		}
		if status := run(args, &out, &out); status != exitDone {
			t.Fatalf("exit status %d\n%s", status, out.String())
		}
		disk, err := tree.Open(built, release)
		if err != nil {
			t.Fatal(err)
		}
		text, err := disk.Manifest.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if manifests[i] = string(text); strings.Contains(manifests[i], dir) {
			t.Errorf("the manifest names this machine's folder:\n%s", text)
		}
		resolved, _, err := (&fleetFlags{}).resolver(disk).Files(context.Background(), disk.Manifest.Secrets, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, f := range resolved {
			if f.Path != "/etc/plonec/plone_instances/secrets.env" {
				continue
			}
			data, err := f.Bytes(nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
				if key, value, ok := strings.Cut(line, "="); ok {
					got[key] = strings.Trim(value, `"`)
				}
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("got %v\nwant %v", got, want)
		}
	}
	if manifests[0] != manifests[1] {
		t.Errorf("two machines, two manifests:\n%s\n%s", manifests[0], manifests[1])
	}
}
