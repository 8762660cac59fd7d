package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/plonec/plonec/internal/secret"
	"github.com/plonec/plonec/internal/tree"
)

// A Comparison foretells what Apply and Deploy would do to hosts that are as
// one tree has them, every process running what that tree says, when they get
// another tree. No host is asked: only a Plan knows how they really are.
type Comparison struct {
	Hosts  []HostPlan `json:"hosts"`  // those of the later tree that are online
	New    []string   `json:"new"`    // of Hosts, those that are not online in the earlier tree
	Gone   []Leaver   `json:"gone"`   // hosts of the earlier tree that are not online in the later one
	Absent []Leaver   `json:"absent"` // hosts that are not online in either
	Apps   []string   `json:"apps"`   // in the order in which they are deployed
	Always []string   `json:"always"` // apps of which every deploy makes a new release
	Outage []string   `json:"outage"` // what does not go by unnoticed
}

// A Leaver is a host that plonec does not reach with the later tree.
type Leaver struct {
	Host   string `json:"host"`
	Status string `json:"status,omitempty"` // in the later tree; empty: it is not in there
	Files  int    `json:"files,omitempty"`  // of it that change in the tree
}

// Compare makes the Comparison of two trees; before is nil where there was none.
func Compare(before, after *tree.Disk) (*Comparison, error) {
	c := &Comparison{Hosts: []HostPlan{}, New: []string{}, Gone: []Leaver{}, Absent: []Leaver{}, Always: []string{}}
	if before == nil {
		before = &tree.Disk{Manifest: &tree.Manifest{}}
	}
	was, err := imagined(before)
	if err != nil {
		return nil, err
	}
	will, err := imagined(after)
	if err != nil {
		return nil, err
	}
	find := func(hosts []*Host, name string) *Host {
		if i := slices.IndexFunc(hosts, func(m *Host) bool { return m.Name == name }); i >= 0 {
			return hosts[i]
		}
		return nil
	}
	for _, m := range will {
		earlier := find(was, m.Name)
		online := earlier != nil && earlier.Status == "online"
		if m.Status != "online" {
			l := Leaver{m.Name, m.Status, len(m.against(earlier))}
			if online {
				c.Gone = append(c.Gone, l)
			} else {
				c.Absent = append(c.Absent, l)
			}
			continue
		}
		o, state := &Observation{}, map[string]string{}
		if online {
			o, state = earlier.imagine(m.against(earlier))
			if before.Manifest.Format == 1 {
				o.Packages = m.Packages // it does not name them
			}
		} else {
			c.New = append(c.New, m.Name)
		}
		if err := m.See(o); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		h := m.Foresee(state, true)
		for i := range h.Files {
			if f := &h.Files[i]; f.Secret && f.Kind == Changed {
				f.Diff, f.Unshown = hunks(f.Path, earlier.sources(f.Path), m.sources(f.Path)), ""
			}
		}
		c.Hosts = append(c.Hosts, h)
	}
	for _, m := range was {
		if m.Status == "online" && find(will, m.Name) == nil {
			c.Gone = append(c.Gone, Leaver{Host: m.Name})
		}
	}
	will = slices.DeleteFunc(will, func(m *Host) bool { return m.Status != "online" })
	c.Apps, c.Always = Apps(will), Always(will)
	Rolls(after, c.Hosts)
	c.Outage = Outage(after, c.Hosts)
	return c, nil
}

// imagined are the hosts of a tree, with the files that they should have.
func imagined(disk *tree.Disk) ([]*Host, error) {
	t := &Tree{Disk: disk, Redactor: secret.NewRedactor(), sources: true}
	hosts := make([]*Host, len(disk.Manifest.Hosts))
	for i, h := range disk.Manifest.Hosts {
		var err error
		if hosts[i], err = NewHost(t, h); err != nil {
			return nil, err
		}
	}
	return hosts, nil
}

// against lists the paths of files that are not the same on an earlier host, or
// that only one of the two has; all of them where there is none.
func (m *Host) against(earlier *Host) []string {
	var paths []string
	same := map[string]Wanted{}
	if earlier != nil {
		for _, w := range earlier.Want {
			same[w.Path] = w
		}
	}
	for _, w := range m.Want {
		if e, there := same[w.Path]; !there || e.Sum != w.Sum || e.Mode != w.Mode || e.Owner != w.Owner {
			paths = append(paths, w.Path)
		}
		delete(same, w.Path)
	}
	return append(paths, slices.Sorted(maps.Keys(same))...)
}

// imagine is how the host is when its tree was applied and deployed, and
// nothing else ever happened: as its observation and its status would say. show
// are the files whose content is wanted.
func (m *Host) imagine(show []string) (*Observation, map[string]string) {
	o := &Observation{
		Generation: "1", Tree: m.tree.Disk.Sum, Setup: m.Setup, Packages: m.Packages,
		Files: map[string]FileState{}, Live: map[string]LiveState{}, Waits: map[string]WaitState{}, Texts: map[string][]byte{},
		Sources: map[string]string{}, Services: map[string]ServiceState{},
	}
	for i, s := range m.Services {
		o.Services[s.Unit] = ServiceState{s.Kind, s.App, i}
	}
	show = append(slices.Clone(show), Balancing)
	for _, w := range m.Want {
		o.Files[w.Path] = FileState{w.Sum, w.Mode, w.Owner}
		o.Live[w.Path] = LiveState{w.Sum, w.Effects}
		if w.Secret() {
			o.Sources[w.Path] = w.Sources
		}
		if !w.Secret() && slices.Contains(show, w.Path) {
			o.Texts[w.Path] = m.content(w)
		}
	}
	state := map[string]string{}
	for _, app := range m.Apps() {
		state[app+".release"], state[app+".state"] = "the current one", "good"
		state[app+".config"], state[app+".storage"] = m.app(app).Config, m.app(app).Storage
		for _, s := range m.servicesOf(app) {
			state[app+".unit."+s.Unit+".state"] = "active"
		}
	}
	return o, state
}
