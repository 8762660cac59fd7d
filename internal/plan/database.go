package plan

import (
	"cmp"
	"strings"

	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/words"
)

// moves says from where to where a release with the tree's files moves the
// database, or one that is built by what it opens itself; empty where it stays.
func (m *Host) moves(app string, state map[string]string) string {
	return cmp.Or(m.movesByStack(app, state), state[app+".storage-switch"])
}

// movesByStack is moves as the stack says. As storage of release.sh, but that a DSN, a
// secret, does not show by its sum.
func (m *Host) movesByStack(app string, state map[string]string) string {
	before, after := state[app+".storage"], m.app(app).Storage
	if before == "" {
		if state[app+".storage-moves"] != "" { // scripts that do not tell
			return "to " + after
		}
		return ""
	}
	from, _, hadDSN := strings.Cut(before, " (")
	if !strings.Contains(after, "DSN") || !hadDSN {
		if from != after {
			return from + " → " + after
		}
		return ""
	}
	switch {
	case from != after:
		return from + " → " + after
	case !m.anotherDSN(app, state[app+".storage-moves"] != ""):
		return ""
	}
	return after + ", to another one"
}

// anotherDSN tells whether an app's next release gets another DSN than the current
// one has. The host says so of the files that wait there, or are in place; where
// the value is known here, it is compared with these.
func (m *Host) anotherDSN(app string, byHost bool) bool {
	path := "/etc/plonec/" + app + "/secrets.env"
	text := m.text(path)
	if text == nil {
		return byHost
	}
	want := m.tree.hide(tree.Sum(words.Beginning(text, "PLONEC_DSN=")))
	live, next := m.Seen.DSNs[path], m.Seen.DSNs[pendingPath(app, path)]
	switch want {
	case cmp.Or(next, live):
		return byHost
	case live:
		return false // the tree takes back what waits
	}
	return true
}
