package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/words"
)

// Live are the changes that apply itself makes; the others wait.
func (m *Host) Live() []Change {
	return slices.DeleteFunc(slices.Clone(m.Changes), func(c Change) bool { return c.Waits != "" })
}

// Due tells whether apply has anything to do on a host: for its files, or a
// daemon that should run does not.
func (m *Host) Due() bool {
	down, _ := m.dead()
	return m.FilesDue() || len(down) > 0
}

// FilesDue tells whether a file changes, or what waits there is not what should
// wait.
func (m *Host) FilesDue() bool {
	if m.Seen.Generation == "" || len(m.Live()) > 0 {
		return true
	}
	return m.heldOld() || len(m.renamed()) > 0 || !maps.Equal(m.waits(), m.Seen.Waits)
}

// renamed lists secret files that come from other sources than when they were
// applied, and do not change for that: apply notes the new ones.
func (m *Host) renamed() []string {
	var paths []string
	for _, w := range m.Want {
		changes := func(c Change) bool { return c.Path == w.Path }
		if w.Secret() && w.Sources != m.Seen.Sources[w.Path] && !slices.ContainsFunc(m.Changes, changes) {
			paths = append(paths, w.Path)
		}
	}
	return paths
}

// waits are the files that are to wait for an app, by path.
func (m *Host) waits() map[string]WaitState {
	waits := map[string]WaitState{}
	for _, c := range m.Changes {
		if c.Waits != "" && c.Waits != Front {
			waits[c.Path] = WaitState{c.Waits, ""}
		}
	}
	for _, w := range m.Want {
		if wait, ok := waits[w.Path]; ok {
			waits[w.Path] = WaitState{wait.App, w.Sum}
		}
	}
	return waits
}

// heldOld tells whether a file is held back that the host's generation, from
// which it is brought in later, may not have.
func (m *Host) heldOld() bool {
	held := slices.ContainsFunc(m.Changes, func(c Change) bool { return c.Waits == Front })
	return held && m.Seen.Tree != m.tree.Disk.Sum
}

// drift lists what somebody changed by hand and apply would overwrite.
func (m *Host) drift() []string {
	var paths []string
	for _, c := range m.Changes {
		if c.Drift {
			paths = append(paths, c.Path)
		}
	}
	return paths
}

// Drifted is the error of drift; nil where there is none.
func (m *Host) Drifted() error {
	var changed, gone []string
	for _, c := range m.Changes {
		switch {
		case c.Drift && c.Kind == Added:
			gone = append(gone, c.Path)
		case c.Drift:
			changed = append(changed, c.Path)
		}
	}
	var parts []string
	if len(changed) > 0 {
		parts = append(parts, "changed by hand: "+strings.Join(changed, ", "))
	}
	if len(gone) > 0 {
		parts = append(parts, "removed by hand: "+strings.Join(gone, ", "))
	}
	if len(parts) == 0 {
		return nil
	}
	return diag.WithRemedy(strings.Join(parts, "; "), "put the change into the stack, or give --force to undo it")
}

// Waiting says what waits on a host, in a few words.
func (m *Host) Waiting() string {
	apps := map[string]int{}
	for _, c := range m.Changes {
		if c.Waits != "" {
			apps[c.Waits]++
		}
	}
	var parts []string
	for app, n := range apps {
		what := "deploy " + app
		if app == Front {
			what = "the clients' deploy"
		}
		parts = append(parts, words.Count(n, "file")+" for "+what)
	}
	slices.Sort(parts)
	if len(parts) == 0 {
		return ""
	}
	return "; waiting: " + strings.Join(parts, ", ")
}

// BroughtIn tells whether what was held back is in its place.
func (m *Host) BroughtIn(o *Observation) bool {
	for _, c := range m.Changes {
		for _, w := range m.Want {
			if c.Waits == Front && w.Path == c.Path && o.Live[c.Path].Sum != w.Sum {
				return false
			}
		}
	}
	return true
}
