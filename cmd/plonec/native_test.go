package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
			results := judged(t, c)
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

// judged lets the daemons judge, apart from this machine where it can: that it
// can is what the tests of package native are for.
func judged(t *testing.T, c *compiled) []native.Result {
	t.Helper()
	for _, how := range []native.How{native.Apart, native.Here} {
		results, err := native.Check(c.tree, how)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(results, func(r native.Result) bool { return r.Outcome == native.NotAsked }) {
			return results
		}
	}
	t.Fatal("programs that were asked here were not asked")
	return nil
}
