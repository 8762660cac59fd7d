package plan

import (
	"cmp"
	"slices"
	"strings"
)

// A Daemon is one that does not run on a host that should run it.
type Daemon struct {
	Unit  string `json:"unit"`
	State string `json:"state"` // failed, failing (and started again by systemd), inactive, disabled, masked, not installed
}

// name is the unit's as people say it.
func (d Daemon) name() string { return strings.TrimSuffix(d.Unit, ".service") }

// String says it in a few words.
func (d Daemon) String() string { return d.name() + " (" + d.State + ")" }

// Start is the command that starts what somebody stopped on purpose.
func (d Daemon) Start() string {
	start := "systemctl enable --now " + d.name()
	if d.State == "masked" {
		start = "systemctl unmask " + d.name() + " && " + start
	}
	return start
}

// A UnitState is what systemd says of a unit: LoadState, ActiveState, SubState
// and UnitFileState.
type UnitState struct{ Load, Active, Sub, File string }

// autoRestart begins the SubState of a unit that died and will be started.
const autoRestart = "auto-restart"

// runs tells whether a unit runs, or is about to for the first time. One that
// systemd will start again is dead until then.
func (u UnitState) runs() bool {
	switch u.Active {
	case "inactive", "failed", "deactivating":
		return false
	}
	return !strings.HasPrefix(u.Sub, autoRestart)
}

// ownUnits are the host's own services: what it should run but for apps.
func (m *Host) ownUnits() []string {
	var units []string
	for _, s := range m.servicesOf("") {
		units = append(units, s.Unit)
	}
	return units
}

// dead sorts the daemons that do not run: those that apply starts, and those
// that somebody disabled or masked, which stay as they are. What was only
// stopped may have died as well: it is started. On a host where nothing was
// applied all of them are to come.
func (m *Host) dead() (down, stopped []Daemon) {
	if m.Seen.Generation == "" {
		return nil, nil
	}
	known := m.known()
	for unit, u := range m.Seen.Units {
		if u.runs() || !known[unit] {
			continue
		}
		switch {
		case u.File == "masked" || u.File == "masked-runtime":
			stopped = append(stopped, Daemon{unit, "masked"})
		case u.Load == "not-found":
			down = append(down, Daemon{unit, "not installed"})
		case u.File == "disabled":
			stopped = append(stopped, Daemon{unit, "disabled"})
		case strings.HasPrefix(u.Sub, autoRestart):
			down = append(down, Daemon{unit, "failing"})
		default:
			down = append(down, Daemon{unit, u.Active})
		}
	}
	byUnit := func(a, b Daemon) int { return cmp.Compare(a.Unit, b.Unit) }
	slices.SortFunc(down, byUnit)
	slices.SortFunc(stopped, byUnit)
	return down, stopped
}

// known are the units of which plonec has put something there.
func (m *Host) known() map[string]bool {
	known := map[string]bool{}
	for _, l := range m.Seen.Live {
		for _, e := range l.Effects {
			_, unit, _ := strings.Cut(e, ":")
			known[unit] = true
		}
	}
	return known
}
