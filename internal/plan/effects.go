package plan

import (
	"slices"
	"sort"
	"strings"
)

// effects lists what apply itself does to units, as in the manifest: stops
// first, then by unit.
func (m *Host) effects() []string {
	known := m.known()
	verbs := map[string]string{} // by unit
	arrives := map[string]bool{} // units that are new here
	for _, c := range m.Live() {
		// One without effects runs when another unit, such as a timer, starts it.
		if unit := unitOf(c.Path); unit != "" && c.Kind == Removed && len(c.Effects) > 0 {
			verbs[unit] = "stop"
		}
		arrives[unitOf(c.Path)] = c.Kind == Added
		for _, e := range c.Effects {
			verb, unit, _ := strings.Cut(e, ":")
			// The host's own services: configure compares what they were loaded with.
			own := m.Service(unit)
			ours := own.Unit != "" && own.App == ""
			switch {
			case verb == "deploy", m.unitApp(unit) != "", verbs[unit] == "stop":
			case c.Kind == Removed && !ours:
			case c.Kind == ModeOnly && ours: // it reads the same bytes
			case ours && !known[unit] && m.Seen.Units[unit].Active == "active": // somebody else's so far
				verbs[unit] = "restart"
			case ours && !known[unit], !ours && arrives[unit]:
				verbs[unit] = "start"
			case verbs[unit] != "restart":
				verbs[unit] = verb
			}
		}
	}
	// Every host has the agent's script; where the agent runs, it runs that one.
	// As agent_up of processes.sh.
	agent := unitOf(agentUnit)
	_, there := m.Seen.Files[agentUnit]
	if there && verbs[agent] == "" && slices.ContainsFunc(m.Live(), func(c Change) bool { return c.Path == agentScript && (c.Kind == Changed || c.Kind == Added) }) {
		verbs[agent] = "restart"
	}
	for _, unit := range m.Leaving() {
		verbs[unit] = "stop"
	}
	down, stopped := m.dead()
	for _, d := range down {
		verbs[d.Unit] = "start"
	}
	for _, d := range stopped {
		delete(verbs, d.Unit)
	}
	list := []string{}
	for unit, verb := range verbs {
		list = append(list, verb+":"+unit)
	}
	sort.Slice(list, func(i, j int) bool {
		a, b := strings.HasPrefix(list[i], "stop:"), strings.HasPrefix(list[j], "stop:")
		if a != b {
			return a
		}
		return list[i] < list[j]
	})
	return list
}

// unitOf is the unit that a file is, which is stopped where the file goes.
func unitOf(path string) string {
	name, ok := strings.CutPrefix(path, "/etc/systemd/system/")
	if ok && !strings.Contains(name, "/") {
		for _, kind := range []string{".service", ".timer", ".socket", ".mount", ".automount"} {
			if strings.HasSuffix(name, kind) {
				return name
			}
		}
	}
	return ""
}
