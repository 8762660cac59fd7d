package plan

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/tree"
)

// Questions are what observe is asked of paths, beside what it says in any case.
type Questions struct {
	Sums    []string // of files of the tree
	Texts   []string // of which the content is wanted, too
	secrets []string // whose sums leave the host hidden
	salts   []string // lists of users among these
	dsns    []string // environment files, whose DSN is compared
	units   []string // whose state is wanted
}

// hiddenMark begins a sum that tells nothing without the nonce of the run. What
// has it may be compared with others of the same run, and with nothing else.
const hiddenMark = "~"

// hide is how a sum of a secret leaves a host.
func (t *Tree) hide(sum256 string) string { return hiddenMark + tree.Sum([]byte(t.Nonce+" "+sum256)) }

// Questions are what the host is asked, for what the manifest says of it alone: no
// value of a secret is needed. The content of the files at show is wanted, too.
func (m *Host) Questions(show ...string) Questions {
	q := Questions{Texts: show}
	values := m.tree.Values
	for _, s := range m.secretFiles() {
		if values && s.Format == "userlist" {
			q.salts = append(q.salts, s.Path)
		} else {
			q.secrets = append(q.secrets, s.Path)
		}
		if app, ok := strings.CutSuffix(s.Path, "/secrets.env"); ok && values {
			q.dsns = append(q.dsns, s.Path, pendingPath(path.Base(app), s.Path))
		}
	}
	for _, file := range m.tree.Disk.Manifest.Files {
		if (file.Host == "*" || file.Host == m.Name) && !slices.Contains(show, file.Path) {
			q.Sums = append(q.Sums, file.Path)
		}
	}
	q.units = m.ownUnits()
	return q
}

// Ask is what the host's script "observe" reads.
func (t *Tree) Ask(q Questions) string {
	var ask strings.Builder
	if t.Nonce != "" {
		fmt.Fprintf(&ask, "nonce %s\n", t.Nonce)
	}
	for _, kind := range []struct {
		word  string
		names []string
	}{{"sum", q.Sums}, {"text", q.Texts}, {"secret", q.secrets}, {"salts", q.salts}, {"dsn", q.dsns}, {"unit", q.units}} {
		for _, name := range kind.names {
			fmt.Fprintf(&ask, "%s %s\n", kind.word, name)
		}
	}
	ask.WriteString("end\n")
	return ask.String()
}
