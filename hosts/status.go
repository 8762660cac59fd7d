package hosts

import (
	"context"
	"sort"
	"strings"
)

// status is what "host status --porcelain" says, by key; nothing on a host
// where nothing was applied yet.
func (m *member) status(ctx context.Context) (map[string]string, error) {
	state := map[string]string{}
	if m.seen.Generation == "" {
		return state, nil
	}
	ctx, cancel := context.WithTimeout(ctx, quickTimeout)
	defer cancel()
	err := m.conn.run(ctx, command{argv: []string{scriptDir + "/host", "status", "--porcelain"}, line: func(line string) {
		key, value, _ := strings.Cut(line, "=")
		state[key] = value
	}})
	return state, err
}

// A HostStatus is how a host is.
type HostStatus struct {
	Host       string      `json:"host"`
	Generation string      `json:"generation"` // the applied one; empty: none yet
	Commit     string      `json:"commit,omitempty"`
	Applied    string      `json:"applied,omitempty"`
	Current    bool        `json:"current"` // it has the files of this tree
	Lock       string      `json:"lock,omitempty"`
	Apps       []AppStatus `json:"apps,omitempty"`
	Services   []Service   `json:"services,omitempty"`
	Drift      []string    `json:"drift,omitempty"`   // changed by hand
	Pending    []string    `json:"pending,omitempty"` // what waits, and the command for it
	Last       string      `json:"last,omitempty"`    // of the host's history
}

// An AppStatus is how an app is on a host.
type AppStatus struct {
	App      string   `json:"app"`
	Release  string   `json:"release"`
	Commit   string   `json:"commit"`
	State    string   `json:"state"`
	Packages string   `json:"packages"` // stands for what is installed
	Kept     []string `json:"kept"`
	Bad      []string `json:"bad,omitempty"`
	Units    []Unit   `json:"units"`
}

// A Unit is a process of an app.
type Unit struct {
	Name    string `json:"name"`
	State   string `json:"state"`
	Release string `json:"release,omitempty"` // that it runs from
	Pending string `json:"pending,omitempty"` // why a restart is due
	Agent   string `json:"agent,omitempty"`   // what balancers are told
}

// A Service is a daemon of the host.
type Service struct {
	Name  string `json:"name"`
	State string `json:"state"`
}

// Status says how each of the chosen hosts is.
func (f *Fleet) Status(ctx context.Context) ([]HostStatus, error) {
	list := make([]HostStatus, len(f.members))
	err := each(f.members, len(f.members), func(m *member) error {
		state, err := m.status(ctx)
		if err != nil {
			return &HostError{m.Name, "status", err}
		}
		for i := range f.members {
			if f.members[i] == m {
				list[i] = m.describe(state)
			}
		}
		return nil
	})
	return list, err
}

func (m *member) describe(state map[string]string) HostStatus {
	s := HostStatus{
		Host: m.Name, Generation: m.seen.Generation, Commit: m.seen.Commit, Applied: m.seen.Applied,
		Lock: m.seen.Lock, Drift: m.drift(), Last: state["host.last"],
	}
	live, waits, front := 0, map[string]int{}, 0
	for _, c := range m.changes {
		switch c.Waits {
		case "":
			live++
		case Front:
			front++
		default:
			waits[c.Waits]++
		}
	}
	s.Current = s.Generation != "" && !m.due()
	if !s.Current {
		s.Pending = append(s.Pending, plural(max(live, 1), "file")+" of the tree: plonec apply")
	}
	if front > 0 {
		s.Pending = append(s.Pending, "haproxy.cfg, until the clients run: plonec deploy")
	}
	for _, app := range m.apps() {
		a := AppStatus{
			App: app, Release: state[app+".release"], Commit: state[app+".commit"], State: state[app+".state"],
			Packages: state[app+".packages"], Kept: strings.Fields(state[app+".kept"]), Bad: strings.Fields(state[app+".bad"]), Units: []Unit{},
		}
		restart := 0
		for key, value := range state {
			name, ok := strings.CutPrefix(key, app+".unit.")
			if name, ok2 := strings.CutSuffix(name, ".state"); ok && ok2 {
				u := Unit{
					Name: name, State: value, Release: state[app+".unit."+name+".release"],
					Pending: state[app+".unit."+name+".pending"], Agent: state[app+".unit."+name+".agent"],
				}
				if u.Pending != "" {
					restart++
				}
				a.Units = append(a.Units, u)
			}
		}
		sort.Slice(a.Units, func(i, j int) bool { return a.Units[i].Name < a.Units[j].Name })
		s.Apps = append(s.Apps, a)
		switch {
		case state[app+".storage-moves"] != "":
			s.Pending = append(s.Pending, "the database of "+app+" moves: plonec deploy --allow-outage "+app)
		case state[app+".deploy-pending"] != "" || waits[app] > 0 && a.Release == "none":
			s.Pending = append(s.Pending, "a release of "+app+": plonec deploy "+app)
		case waits[app] > 0:
			s.Pending = append(s.Pending, plural(waits[app], "file")+" of "+app+": plonec restart "+app)
		case restart > 0:
			s.Pending = append(s.Pending, plural(restart, "process")+" of "+app+" to restart: plonec restart --changed "+app)
		}
		if state[app+".unfinished-switch"] != "" {
			s.Pending = append(s.Pending, "a switch of "+app+" that was cut short: plonec deploy "+app)
		}
	}
	for key, value := range state {
		if name, ok := strings.CutPrefix(key, "service."); ok {
			s.Services = append(s.Services, Service{name, value})
		}
	}
	sort.Slice(s.Services, func(i, j int) bool { return s.Services[i].Name < s.Services[j].Name })
	return s
}
