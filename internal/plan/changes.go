package plan

import (
	"slices"
	"sort"

	"github.com/plonec/plonec/internal/service"
)

// A Change is what apply, or what follows it, does to one file of a host.
type Change struct {
	Path    string     `json:"path"`
	Kind    ChangeKind `json:"kind"`
	Waits   string     `json:"waits,omitempty"` // the app whose deploy or restart brings it in; Front: the clients'; empty: apply itself
	Effects []string   `json:"effects,omitempty"`
	Drift   bool       `json:"drift,omitempty"` // somebody changed it by hand
	Secret  bool       `json:"secret,omitempty"`
	Foreign bool       `json:"foreign,omitempty"` // what was there before plonec is saved, or comes back
}

// A ChangeKind is what happens to a file.
type ChangeKind string

// The kinds of changes.
const (
	Added    ChangeKind = "new"
	Changed  ChangeKind = "changed"
	ModeOnly ChangeKind = "mode" // its mode or owner alone
	Removed  ChangeKind = "removed"
)

// Front in Change.Waits: a balancer's configuration that waits until the
// clients that it names run.
const Front = "*clients"

// Where things are on a host.
const (
	ScriptDir = "/usr/local/lib/plonec"
	StateDir  = "/var/lib/plonec"

	agentScript = ScriptDir + "/agent"
)

var agentUnit = "/etc/systemd/system/" + service.Teller().Unit

// Balancing is the file that names the clients that a front end sends requests to.
var Balancing = service.Balancer().Config

// compare says how what a host should have differs from what it has, and what of
// it waits for what. hold are paths that have to wait for other hosts. The host is
// told, and decides nothing of it again.
func (m *Host) compare(hold map[string]bool) []Change {
	var list, late []Change
	o := m.Seen
	waiting := map[string]bool{}
	wantPaths := map[string]bool{}
	for _, w := range m.Want {
		wantPaths[w.Path] = true
		now, there := o.Files[w.Path]
		if there && now.Sum == w.Sum && now.Mode == w.Mode && now.Owner == w.Owner {
			continue
		}
		c := Change{Path: w.Path, Kind: Changed, Effects: w.Effects, Secret: w.Secret()}
		switch {
		case !there:
			c.Kind = Added
		case now.Sum == w.Sum:
			c.Kind = ModeOnly
		}
		live, ours := o.Live[w.Path]
		c.Drift = ours && now.Sum != live.Sum && now.Sum != w.Sum
		c.Foreign = !ours && c.Kind == Changed
		switch app := m.appOf(w.Effects); {
		case hold[w.Path]:
			c.Waits = Front
		case c.Kind == ModeOnly:
		case app != "":
			c.Waits = app
			waiting[app] = true
		case confOf(w.Path) != "", w.Path == agentUnit:
			late = append(late, c)
			continue
		}
		list = append(list, c)
	}
	for p, live := range o.Live {
		if wantPaths[p] {
			continue
		}
		now, there := o.Files[p]
		c := Change{Path: p, Kind: Removed, Effects: live.Effects, Drift: there && now.Sum != live.Sum, Foreign: o.Originals[p]}
		c.Waits = m.appOf(live.Effects)
		if w := o.Waits[p]; w.Sum == "" && slices.Contains(m.Apps(), w.App) {
			c.Waits = w.App // for which it waits already: nothing else knows the unit any more
		}
		if c.Waits != "" {
			waiting[c.Waits] = true
		}
		list = append(list, c)
	}
	// What names an app's processes goes with them.
	for _, c := range late {
		app := confOf(c.Path)
		if c.Path == agentUnit {
			for name := range waiting {
				if app == "" || name < app {
					app = name
				}
			}
		}
		if waiting[app] {
			c.Waits = app
		}
		list = append(list, c)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Path < list[j].Path })
	return list
}

// sendsElsewhere tells whether the new configuration has a server that the old
// one has not.
func sendsElsewhere(old, new []byte) bool {
	before := service.Balancer().Servers(old)
	for s := range service.Balancer().Servers(new) {
		if !before[s] {
			return true
		}
	}
	return false
}
