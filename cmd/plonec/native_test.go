package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/plonec/plonec/native"
)

// testSystem is what the hosts of the tests run where testdata/systems says:
// the system whose programs judge.
var testSystem = os.Getenv("PLONEC_TEST_SYSTEM")

// TestExamplesNative lets the daemons judge every example, compiled for the
// system that they are of. A program that is not installed is a failure.
func TestExamplesNative(t *testing.T) {
	for name, stack := range examples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if testSystem != "" {
				over := filepath.Join(dir, "system.json")
				if err := os.WriteFile(over, fmt.Appendf(nil, `{"plonec": {"os": %q}}`, testSystem), 0o644); err != nil {
					t.Fatal(err)
				}
				stack = append(stack[:len(stack):len(stack)], over)
			}
			c, diags, err := compile(stack, &stackFlags{tree: filepath.Join(dir, "build")})
			if err != nil {
				t.Fatal(err)
			}
			if c == nil {
				t.Fatalf("%+v", diags)
			}
			results, err := native.Check(c.tree)
			if err != nil {
				t.Fatal(err)
			}
			if len(results) < len(c.tree.Manifest.Hosts) {
				t.Errorf("only %d results", len(results))
			}
			for _, r := range results {
				if r.Outcome != native.Good {
					t.Errorf("%s on %s: %s\n%s", r.Program, r.Host, r.Outcome, r.Output)
				}
			}
		})
	}
}
