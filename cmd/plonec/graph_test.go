package main

import (
	"os"
	"testing"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/graph"
)

// The README's picture is what plonec graph draws of the example; -update
// draws it anew.
func TestPictureOfTheReadme(t *testing.T) {
	const name = "../../docs/zeo.svg"
	c, diags, err := compile.Stack(examples["zeo"], &compile.Options{Tree: "build", Release: release})
	if err != nil || c == nil {
		t.Fatal(err, diags)
	}
	want := graph.New(c.Topology).SVG()
	if *update {
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(name); string(got) != string(want) {
		t.Errorf("%s is stale, make update draws it anew: %v", name, err)
	}
}
