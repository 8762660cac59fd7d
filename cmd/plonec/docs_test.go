package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/schema"
)

var block = regexp.MustCompile("(?ms)^```json\n(.*?)^```")

// guides are the files of docs/.
func guides(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(files) == 0 {
		t.Fatal("no documentation: ", err)
	}
	return files
}

// Every stack in the documentation is one that the schema takes, and the
// README's and those of uv.md, volto.md and ansible.md compile.
func TestStacksInTheDocumentation(t *testing.T) {
	found := 0
	for _, name := range append(guides(t), "../../README.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range block.FindAllSubmatch(text, -1) {
			found++
			tree, diags := input.ReadJSON(&diag.File{Name: name, Content: m[1]})
			if diags.Errors() > 0 {
				t.Errorf("%s: %+v\n%s", name, diags, m[1])
				continue
			}
			if _, diags := schema.Load(tree); diags.Errors() > 0 {
				t.Errorf("%s: %s\n%s", name, first(diags), m[1])
			}
			if strings.HasSuffix(name, "README.md") || strings.HasSuffix(name, "/uv.md") || strings.HasSuffix(name, "/volto.md") || strings.HasSuffix(name, "/ansible.md") {
				stack := filepath.Join(t.TempDir(), "stack.json")
				if err := os.WriteFile(stack, m[1], 0o644); err != nil {
					t.Fatal(err)
				}
				c, diags, err := compile.Stack([]string{stack}, &compile.Options{Tree: "build", Release: release})
				if err != nil || c == nil || len(diags) > 0 {
					t.Errorf("%s: %v %+v", name, err, diags)
				}
			}
		}
	}
	if found < 3 {
		t.Errorf("only %d stacks were found", found)
	}
}

// CONTRIBUTING names every package that make test installs as root.
func TestPackagesOfMakeTest(t *testing.T) {
	tools, err := os.ReadFile("../../testdata/tools")
	if err != nil {
		t.Fatal(err)
	}
	contributing, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^[a-z-]+ +([a-z][a-z0-9-]*)$`)
	var packages []string
	for i, part := range strings.Split(string(tools), "${1:-}\" = ") {
		if kind, _, _ := strings.Cut(part, " "); i == 0 || kind == "browser" || kind == "shells" {
			for _, m := range row.FindAllStringSubmatch(part, -1) {
				packages = append(packages, m[1])
			}
		}
	}
	for _, m := range regexp.MustCompile(`packages="\$packages ([a-z0-9-]+)"`).FindAllSubmatch(tools, -1) {
		if name := string(m[1]); name != "debian-archive-keyring" { // of other tests
			packages = append(packages, name)
		}
	}
	if len(packages) < 20 {
		t.Fatalf("only %v were found", packages)
	}
	for _, name := range packages {
		if !regexp.MustCompile(`\b` + name + `[,;.]`).Match(contributing) {
			t.Errorf("%s is not named", name)
		}
	}
}

// What the documentation names is there.
func TestFilesInTheDocumentation(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, name := range append(guides(t), "../../README.md", "../../CONTRIBUTING.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
