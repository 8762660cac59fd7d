package plan

import (
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/service"
)

// Foresee says what would happen to the host as it was seen, with its apps in a
// state that status gave.
func (m *Host) Foresee(state map[string]string, diffs bool) HostPlan {
	h := HostPlan{
		Host: m.Name, Address: m.Address, Refused: []Reason{}, Due: m.Due(), Files: []FileChange{},
		Apply: m.effects(), Deploy: m.foretell(state),
	}
	for _, c := range m.Changes {
		h.Files = append(h.Files, m.shown(c, diffs))
	}
	for _, w := range m.Want {
		if w.Secret() && w.Content == nil && !m.tree.sources {
			h.Unasked = append(h.Unasked, w.Path)
		}
	}
	if h.Due {
		h.Renamed = m.renamed()
	}
	h.Crontabs = m.crontabs(state, h.Deploy)
	h.Down, h.Stopped = m.dead()
	h.Stages, h.Unstage = m.staging()
	if h.Due && m.SetupDue() {
		h.Setup, h.Install = true, m.newPackages()
	}
	if before, there := m.Seen.Texts[Balancing]; there {
		h.Added, h.Gone = moreServers(before, m.text(Balancing)), moreServers(m.text(Balancing), before)
	}
	return h
}

// staging counts the files that apply would bring and leave to wait, and those
// that would wait no longer.
func (m *Host) staging() (more, less int) {
	waits := m.waits()
	for p, w := range waits {
		if m.Seen.Waits[p] != w {
			more++
		}
	}
	for p := range m.Seen.Waits {
		if _, still := waits[p]; !still {
			less++
		}
	}
	if m.heldOld() {
		more++
	}
	return more, less
}

// moreServers lists the names of servers that after has more than before,
// sorted.
func moreServers(before, after []byte) []string {
	old := service.Balancer().Servers(before)
	var names []string
	for s := range service.Balancer().Servers(after) {
		name, _, _ := strings.Cut(s, " ")
		if !old[s] && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Always lists the apps of which every deploy makes a new release.
func Always(hosts []*Host) []string {
	list := []string{}
	for _, m := range hosts {
		for _, app := range m.Apps() {
			if m.app(app).Always && !slices.Contains(list, app) {
				list = append(list, app)
			}
		}
	}
	return list
}
