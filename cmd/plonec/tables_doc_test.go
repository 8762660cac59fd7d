package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/topology"
)

// between holds what stands between the comments "NAME" and "end of NAME" of a
// file against text; -update writes it there.
func between(t *testing.T, file, name, text string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := bytes.Cut(content, []byte("<!-- "+name+" -->\n"))
	now, after, closed := bytes.Cut(rest, []byte("<!-- end of "+name+" -->\n"))
	if !found || !closed {
		t.Fatalf("%s does not have the comments %q and %q", file, name, "end of "+name)
	}
	if *update {
		whole := fmt.Sprintf("%s<!-- %s -->\n%s<!-- end of %s -->\n%s", before, name, text, name, after)
		if err := os.WriteFile(file, []byte(whole), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(now) != text {
		t.Errorf("%s: %s is stale, make update rewrites it. Got:\n%s\nwant:\n%s", file, name, now, text)
	}
}

// The documentation's table of roles is the program's.
func TestRolesInTheDocumentation(t *testing.T) {
	code := func(list []string, end string) []string {
		var all []string
		for _, s := range list {
			all = append(all, "`"+s+end+"`")
		}
		return all
	}
	var b strings.Builder
	b.WriteString("| role | by name | by recipe | does |\n|---|---|---|---|\n")
	for _, d := range topology.Roles() {
		names := code(d.Layers, "")
		if d.Names.Path != "" {
			names = append(names, "what `"+d.Names.Path+"` names")
		}
		does := d.Does
		if d.ByHand {
			does += " (set up by hand so far)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", d.Role, strings.Join(names, ", "), strings.Join(code(d.Recipes, "*"), ", "), does)
	}
	between(t, "../../docs/stack.md", "roles", b.String())
}
