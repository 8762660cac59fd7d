package draft

import (
	"testing"

	"github.com/plonec/plonec/schema"
)

// Every section of a stack has its place, and every place a section.
func TestGroupsAreComplete(t *testing.T) {
	seen := map[string]int{}
	for _, g := range groups {
		for _, k := range g.keys {
			seen[k]++
			if a := schema.Lookup(k); a == nil || a.Name != k {
				t.Errorf("there is no section %s", k)
			}
		}
	}
	for _, a := range schema.Root().Fields {
		if !a.Sent && seen[a.Name] != 1 {
			t.Errorf("%s is in %d groups", a.Name, seen[a.Name])
		}
	}
}
