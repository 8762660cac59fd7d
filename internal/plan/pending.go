package plan

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/words"
)

// pendingApply is what an apply has to do. Where files were changed by hand it
// refuses, unless it may undo that.
func (m *Host) pendingApply() Pending {
	command := "plonec apply"
	handmade := m.drift()
	if len(handmade) > 0 {
		command += " --force"
	}
	var parts []string
	down, _ := m.dead()
	for _, d := range down {
		parts = append(parts, "start of "+d.String())
	}
	if n := len(slices.DeleteFunc(m.Live(), func(c Change) bool { return c.Drift || c.Kind == ModeOnly })); n > 0 {
		parts = append(parts, words.Count(n, "file")+" of the tree")
	}
	if modes := m.modes(); len(modes) > 0 {
		parts = append(parts, "only the mode or owner of "+strings.Join(modes, " "))
	}
	if n := len(m.renamed()); n > 0 {
		parts = append(parts, "the names of the sources of "+words.Count(n, "secret file"))
	}
	if n := len(handmade); n > 0 {
		parts = append(parts, words.Count(n, "file")+" changed by hand")
	}
	switch {
	case m.Seen.Generation == "":
		parts = []string{"nothing was applied yet"}
	case len(parts) == 0:
		parts = []string{"the files that wait differ from the tree"}
	}
	return Pending{strings.Join(parts, ", "), command}
}

// modes lists files of which nothing but the mode or the owner is not the
// tree's, up to three.
func (m *Host) modes() []string {
	var paths []string
	for _, c := range m.Live() {
		if c.Kind == ModeOnly {
			paths = append(paths, c.Path)
		}
	}
	if n := len(paths) - 3; n > 0 {
		paths = append(paths[:3], fmt.Sprintf("and %d more", n))
	}
	return paths
}

// pending lists what is not yet as the tree has it.
func (m *Host) pending(state map[string]string) []Pending {
	var list []Pending
	if m.Due() {
		list = append(list, m.pendingApply())
	}
	for _, a := range m.foretell(state) {
		command := a.Command()
		if command != "start" && slices.ContainsFunc(m.Changes, func(c Change) bool { return c.Drift && c.Waits == a.App }) {
			command += " --force"
		}
		list = append(list, Pending{a.App + ": " + a.String(), "plonec " + command + " " + a.App})
	}
	if slices.ContainsFunc(m.Changes, func(c Change) bool { return c.Waits == Front }) {
		list = append(list, Pending{path.Base(Balancing) + ", until the clients run", "plonec deploy"})
	}
	return list
}

// Pending is what waits on a host, and the command that brings it in.
type Pending struct {
	Text    string `json:"text"`
	Command string `json:"command"`
}
