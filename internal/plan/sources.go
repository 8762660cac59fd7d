package plan

import (
	"fmt"
	"strings"

	"github.com/plonec/plonec/internal/tree"
)

// sources says where the values of a secret file come from, a line for each.
func (m *Host) sources(path string) []byte {
	for _, s := range m.secretFiles() {
		if s.Path == path {
			return sources(s)
		}
	}
	return nil
}

// sourcesSum stands for where the values of a secret file come from, and for its
// format: names only, which the tree shows.
func sourcesSum(s tree.Secret) string { return tree.Sum(append(sources(s), s.Format...)) }

func sources(s tree.Secret) []byte {
	var b strings.Builder
	for _, e := range s.Entries {
		fmt.Fprintf(&b, "%s\n", strings.TrimSpace(e.Key+" from "+e.From()))
	}
	return []byte(b.String())
}
