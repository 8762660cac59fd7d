package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plonec/plonec/schema"
)

// TestSchemaInACUEModule imports the published schema from a stack.cue of a
// user's own module. CUE's own command and plonec judge the same.
func TestSchemaInACUEModule(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	good := docsBlock(t, "stack.md", "import \"example.org/site/schema\"")
	write(".git/HEAD", "")
	write("cue.mod/module.cue", docsBlock(t, "stack.md", "module: \"example.org/site@v0\""))
	write("schema/schema.cue", string(schema.CUE()))
	write("stack.cue", good)

	version, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "cuelang.org/go").Output()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	install := exec.Command("go", "install", "cuelang.org/go/cmd/cue@"+strings.TrimSpace(string(version)))
	install.Env = append(os.Environ(), "GOBIN="+bin)
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("CUE's command does not build: %v\n%s", err, out)
	}
	vet := func() (string, bool) {
		c := exec.Command(filepath.Join(bin, "cue"), "vet", "-c", ".")
		c.Dir = dir
		c.Env = append(os.Environ(), "CUE_REGISTRY=none")
		out, err := c.CombinedOutput()
		return string(out), err == nil
	}
	check := func() (string, bool) {
		var out strings.Builder
		code := run([]string{"check", filepath.Join(dir, "stack.cue")}, &out, &out)
		return out.String(), code == exitDone
	}
	for _, c := range []struct {
		name, from, to string
		good           bool
	}{
		{"as documented", "", "", true},
		{"a misspelt key", "app_name:", "app_nam:", false},
		{"another type", "cpus: 2", `cpus: "2"`, false},
		{"out of range", "cpus: 2", "cpus: 0", false},
		{"no source of a secret", "env:", "vault:", false},
	} {
		text := strings.Replace(good, c.from, c.to, 1)
		if text == good && !c.good {
			t.Fatalf("%s: the example has no %s", c.name, c.from)
		}
		write("stack.cue", text)
		if out, ok := vet(); ok != c.good {
			t.Errorf("%s: cue vet accepts it: %v\n%s", c.name, ok, out)
		}
		if out, ok := check(); ok != c.good {
			t.Errorf("%s: plonec accepts it: %v\n%s", c.name, ok, out)
		}
	}
}

// docsBlock is the code block of a document that holds a text.
func docsBlock(t *testing.T, name, text string) string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	for i, block := range strings.Split(string(doc), "```") {
		if i%2 == 1 && strings.Contains(block, text) {
			_, block, _ = strings.Cut(block, "\n")
			return block
		}
	}
	t.Fatalf("docs/%s has no block with %s", name, text)
	return ""
}
