package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Data flows to the right only: no package imports one that stands after it.
func TestImportsFollowThePipeline(t *testing.T) {
	const module = "github.com/plonec/plonec/"
	order := []string{
		"internal/child", "internal/git", "internal/regular", "internal/words", "internal/certificate", "internal/builder", "internal/diag", "internal/input", "schema", "internal/draft", "internal/service", "internal/topology", "internal/graph",
		"render/engine", "render/escape", "templates", "render", "internal/tree", "internal/compile", "internal/secret", "internal/plan", "internal/remote", "internal/apart", "internal/frontend", "internal/hosts", "internal/native", "internal/project", "internal/opsworks", "internal/trust", "internal/terminal", "internal/report", "internal/diff", "cmd/plonec",
	}
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "../../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		name := strings.TrimPrefix(fields[0], module)
		at := slices.Index(order, name)
		if at < 0 {
			continue // tests and tools
		}
		seen++
		for _, imported := range fields[1:] {
			rel, ours := strings.CutPrefix(imported, module)
			if i := slices.Index(order, rel); ours && (i < 0 || i >= at) {
				t.Errorf("%s imports %s", name, rel)
			}
		}
		if slices.Contains([]string{"render", "render/engine", "internal/builder", "internal/service", "internal/topology", "internal/graph", "templates", "internal/plan"}, name) {
			for _, impure := range []string{"os", "os/exec", "context", "math/rand", "math/rand/v2", "net/http"} {
				if slices.Contains(fields[1:], impure) {
					t.Errorf("%s imports %s: what renders or foretells is pure", name, impure)
				}
			}
		}
	}
	if seen != len(order) {
		t.Errorf("saw %d of %d packages", seen, len(order))
	}
}

// time is imported for its Duration; nobody who renders or foretells looks at the clock.
func TestNoClockInRendering(t *testing.T) {
	clock := regexp.MustCompile(`time\.(Now|Since|Until|After|Tick)\(`)
	read := 0
	for _, folder := range []string{"internal/certificate", "schema", "internal/draft", "internal/service", "internal/topology", "internal/graph", "render", "render/engine", "render/escape", "templates", "internal/plan"} {
		files, err := filepath.Glob("../../" + folder + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			read++
			if found := clock.Find(text); found != nil {
				t.Errorf("%s reads the clock: %s", name, found)
			}
		}
	}
	if read < 20 {
		t.Errorf("only %d files were read", read)
	}
}
