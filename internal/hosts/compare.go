package hosts

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

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
	find := func(f *Fleet, name string) *member {
		if i := slices.IndexFunc(f.members, func(m *member) bool { return m.Name == name }); i >= 0 {
			return f.members[i]
		}
		return nil
	}
	for _, m := range will.members {
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
		o, state := &observation{}, map[string]string{}
		if online {
			o, state = earlier.imagine(m.against(earlier))
		} else {
			c.New = append(c.New, m.Name)
		}
		if err := m.saw(context.Background(), o); err != nil {
			return nil, &HostError{m.Name, "diff", err}
		}
		h := m.foresee(state, true)
		for i := range h.Files {
			if f := &h.Files[i]; f.Secret && f.Kind == Changed {
				f.Diff, f.Unshown = hunks(f.Path, earlier.sources(f.Path), m.sources(f.Path)), ""
			}
		}
		c.Hosts = append(c.Hosts, h)
	}
	for _, m := range was.members {
		if m.Status == "online" && find(will, m.Name) == nil {
			c.Gone = append(c.Gone, Leaver{Host: m.Name})
		}
	}
	will.members = slices.DeleteFunc(will.members, func(m *member) bool { return m.Status != "online" })
	c.Apps, c.Always = will.Apps(), will.always()
	c.Outage = will.outage(c.Hosts)
	return c, nil
}

// imagined are the hosts of a tree, with the files that they should have.
func imagined(disk *tree.Disk) (*Fleet, error) {
	f := &Fleet{disk: disk, redact: secret.NewRedactor(), sink: func(Event) {}, sources: true}
	for _, h := range disk.Manifest.Hosts {
		m := &member{Host: h, fleet: f, asked: true}
		var err error
		if m.want, err = m.files(nil); err != nil {
			return nil, err
		}
		f.members = append(f.members, m)
	}
	return f, nil
}

// against lists the paths of files that are not the same on an earlier host, or
// that only one of the two has; all of them where there is none.
func (m *member) against(earlier *member) []string {
	var paths []string
	same := map[string]wanted{}
	if earlier != nil {
		for _, w := range earlier.want {
			same[w.Path] = w
		}
	}
	for _, w := range m.want {
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
func (m *member) imagine(show []string) (*observation, map[string]string) {
	o := &observation{
		Generation: "1", Tree: m.fleet.disk.Sum, Setup: m.setupSum(),
		Files: map[string]fileState{}, Live: map[string]liveState{}, Waits: map[string]waitState{}, Texts: map[string][]byte{},
		Sources: map[string]string{},
	}
	show = append(slices.Clone(show), "/etc/plonec/host.env", haproxy)
	for _, w := range m.want {
		o.Files[w.Path] = fileState{w.Sum, w.Mode, w.Owner}
		o.Live[w.Path] = liveState{w.Sum, w.Effects}
		if w.Local == "" {
			o.Sources[w.Path] = w.Sources
		}
		if w.Local != "" && slices.Contains(show, w.Path) {
			// The tree may be a stranger's, of which nothing but the manifest was judged:
			// its files are read as the tree's, never through a link to another's.
			if rel, err := filepath.Rel(m.fleet.disk.Dir, w.Local); err == nil {
				if text, err := m.fleet.disk.Read(filepath.ToSlash(rel)); err == nil {
					o.Texts[w.Path] = text
				}
			}
		}
	}
	state := map[string]string{}
	for _, app := range m.apps() {
		state[app+".release"], state[app+".state"] = "the current one", "good"
		state[app+".config"] = m.configSum(app)
		state[app+".storage"] = m.value(app, "build.conf", "STORAGE")
		for _, unit := range m.values(app, "app.conf", "UNITS_OF_APP") {
			state[app+".unit."+unit+".state"] = "active"
		}
	}
	return o, state
}

// sources says where the values of a secret file come from, a line for each.
func (m *member) sources(path string) []byte {
	for _, s := range m.secretFiles() {
		if s.Path == path {
			return sources(s)
		}
	}
	return nil
}

// sourcesSum stands for where the values of a secret file come from, and for its
// format: names only, which the tree shows.
func sourcesSum(s tree.Secret) string { return sum(append(sources(s), s.Format...)) }

func sources(s tree.Secret) []byte {
	var b strings.Builder
	for _, e := range s.Entries {
		fmt.Fprintf(&b, "%s\n", strings.TrimSpace(e.Key+" from "+e.From()))
	}
	return []byte(b.String())
}
