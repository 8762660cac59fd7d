package hosts

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// status is what "host status --porcelain" says, by key; nothing on a host
// where nothing was applied yet.
func (m *member) status(ctx context.Context) (map[string]string, error) { return m.statusWith(ctx) }

// statusWith is status with variables of the host's script.
func (m *member) statusWith(ctx context.Context, variables ...string) (map[string]string, error) {
	state := map[string]string{}
	if m.seen.Generation == "" {
		return state, nil
	}
	ctx, cancel := context.WithTimeout(ctx, quickTimeout)
	defer cancel()
	err := m.conn.run(ctx, command{argv: append(variables, scriptDir+"/host", "status", "--porcelain"), line: func(line string) {
		key, value, _ := strings.Cut(line, "=")
		state[key] = value
	}})
	return state, err
}

// A HostStatus is how a host is.
type HostStatus struct {
	Host        string      `json:"host"`
	Error       *Reason     `json:"error,omitempty"` // it could not be asked: nothing else is known
	Generation  string      `json:"generation"`      // the applied one; empty: none yet
	Unconfirmed string      `json:"unconfirmed,omitempty"`
	Commit      string      `json:"commit,omitempty"` // of the tree that was applied
	Applied     string      `json:"applied,omitempty"`
	Current     bool        `json:"current"` // it has the files of this tree
	Lock        string      `json:"lock,omitempty"`
	Unfit       *Reason     `json:"unfit,omitempty"` // why nothing could be applied
	Apps        []AppStatus `json:"apps,omitempty"`
	Services    []Service   `json:"services,omitempty"`
	Drift       []string    `json:"drift,omitempty"` // changed or removed by hand
	Pending     []Pending   `json:"pending,omitempty"`
	Last        string      `json:"last,omitempty"` // of the host's history
}

// Pending is what waits on a host, and the command that brings it in.
type Pending struct {
	Text    string `json:"text"`
	Command string `json:"command"`
}

// An AppStatus is how an app is on a host.
type AppStatus struct {
	App      string            `json:"app"`
	Release  string            `json:"release"`
	Commit   string            `json:"commit"`
	State    string            `json:"state"`
	Packages string            `json:"packages"` // stands for what is installed
	Kept     []string          `json:"kept"`
	Bad      []string          `json:"bad,omitempty"`       // marked bad, or failed
	Failed   []string          `json:"failed,omitempty"`    // that were not built
	Unfit    []string          `json:"unfit,omitempty"`     // that lack what a unit runs now
	Commits  map[string]string `json:"commits,omitempty"`   // by release that is kept; nil: scripts that do not tell
	Stopped  bool              `json:"stopped,omitempty"`   // by plonec stop
	HalfGone string            `json:"half_gone,omitempty"` // since when an undeploy that did not come to its end
	Foreign  []string          `json:"foreign,omitempty"`   // what lies among the releases and is not plonec's: names, with sizes where they were asked for
	Units    []Unit            `json:"units"`

	built []string // that never ran: nobody switched to them
	ran   []string // that led to the current one, itself last; nil: scripts that do not tell
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
	Start string `json:"start,omitempty"` // the command on the host that starts it, where somebody disabled or masked it
}

// Status says how each of the chosen hosts is. Look came before, of a survey.
// The error names those that did not answer; the list has all.
func (f *Fleet) Status(ctx context.Context) ([]HostStatus, error) {
	list := make([]HostStatus, len(f.members))
	err := each(f.members, len(f.members), func(m *member) error {
		var state map[string]string
		if m.failed == nil {
			var err error
			if state, err = m.statusWith(ctx, "/usr/bin/env", "PLONEC_SIZES=10"); err != nil {
				m.failed = &HostError{m.Name, "status", err}
			}
		}
		s := &list[slices.Index(f.members, m)]
		if m.failed != nil {
			*s = HostStatus{Host: m.Name, Error: reason(m.failed)}
		} else {
			*s = m.describe(state)
		}
		return m.failed
	})
	return list, err
}

func (m *member) describe(state map[string]string) HostStatus {
	s := HostStatus{
		Host: m.Name, Generation: m.seen.Generation, Unconfirmed: m.seen.Unconfirmed, Commit: m.seen.Commit, Applied: m.seen.Applied,
		Current: m.seen.Generation != "" && !m.filesDue(), Lock: m.seen.Lock, Drift: m.drift(), Last: state["host.last"],
	}
	if s.Lock == "" {
		s.Lock = state["host.lock"]
	}
	if m.unfit != nil {
		s.Unfit = reason(m.unfit)
	}
	for _, app := range m.apps() {
		s.Apps = append(s.Apps, appStatus(app, state))
	}
	_, stopped := m.dead()
	for key, value := range state {
		if name, ok := strings.CutPrefix(key, "service."); ok {
			service := Service{Name: name, State: value}
			if i := slices.IndexFunc(stopped, func(d Daemon) bool { return d.name() == name }); i >= 0 {
				service.State, service.Start = stopped[i].State, stopped[i].Start()
			}
			s.Services = append(s.Services, service)
		}
	}
	sort.Slice(s.Services, func(i, j int) bool { return s.Services[i].Name < s.Services[j].Name })
	s.Pending = m.pending(state)
	return s
}

func appStatus(app string, state map[string]string) AppStatus {
	get := func(key string) string { return state[app+"."+key] }
	a := AppStatus{
		App: app, Release: get("release"), Commit: get("commit"), State: get("state"), Packages: get("packages"),
		Kept: strings.Fields(get("kept")), Bad: strings.Fields(get("bad")), Unfit: strings.Fields(get("unfit")), Stopped: get("stopped") != "", Units: []Unit{},
	}
	a.ran, a.HalfGone = strings.Fields(get("ran")), get("unfinished-undeploy")
	if text := get("foreign"); text != "" {
		a.Foreign = strings.Split(text, ", ")
	}
	for _, word := range strings.Fields(get("releases")) {
		f := append(strings.Split(word, ":"), "", "")
		if a.Commits == nil {
			a.Commits = map[string]string{}
		}
		a.Commits[f[0]] = f[2]
		switch f[1] {
		case "failed":
			a.Failed = append(a.Failed, f[0])
		case "built":
			a.built = append(a.built, f[0])
		}
	}
	for key, value := range state {
		name, ok := strings.CutPrefix(key, app+".unit.")
		if name, isState := strings.CutSuffix(name, ".state"); ok && isState {
			unit := "unit." + name
			a.Units = append(a.Units, Unit{
				Name: name, State: value, Release: get(unit + ".release"), Pending: get(unit + ".pending"), Agent: get(unit + ".agent"),
			})
		}
	}
	sort.Slice(a.Units, func(i, j int) bool { return natural(a.Units[i].Name, a.Units[j].Name) })
	return a
}

// pendingApply is what an apply has to do. Where files were changed by hand it
// refuses, unless it may undo that.
func (m *member) pendingApply() Pending {
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
	if n := len(slices.DeleteFunc(m.live(), func(c Change) bool { return c.Drift || c.Kind == ModeOnly })); n > 0 {
		parts = append(parts, plural(n, "file")+" of the tree")
	}
	if modes := m.modes(); len(modes) > 0 {
		parts = append(parts, "the mode or owner alone of "+strings.Join(modes, " "))
	}
	if n := len(m.renamed()); n > 0 {
		parts = append(parts, "the names of the sources of "+plural(n, "secret file"))
	}
	if n := len(handmade); n > 0 {
		parts = append(parts, plural(n, "file")+" changed by hand")
	}
	switch {
	case m.seen.Generation == "":
		parts = []string{"nothing was applied yet"}
	case len(parts) == 0:
		parts = []string{"what waits is another than the tree's"}
	}
	return Pending{strings.Join(parts, ", "), command}
}

// modes lists files of which nothing but the mode or the owner is not the
// tree's, up to three.
func (m *member) modes() []string {
	var paths []string
	for _, c := range m.live() {
		if c.Kind == ModeOnly {
			paths = append(paths, c.Path)
		}
	}
	if n := len(paths) - 3; n > 0 {
		paths = append(paths[:3], fmt.Sprintf("and %d more", n))
	}
	return paths
}

// natural orders names with numbers in them: client2 before client10.
func natural(a, b string) bool {
	if len(a) != len(b) && strings.TrimRight(strings.TrimSuffix(a, ".service"), "0123456789") == strings.TrimRight(strings.TrimSuffix(b, ".service"), "0123456789") {
		return len(a) < len(b)
	}
	return a < b
}

// pending lists what is not yet as the tree has it.
func (m *member) pending(state map[string]string) []Pending {
	var list []Pending
	if m.due() {
		list = append(list, m.pendingApply())
	}
	for _, a := range m.foretell(state) {
		command := a.Command()
		if command != "start" && slices.ContainsFunc(m.changes, func(c Change) bool { return c.Drift && c.Waits == a.App }) {
			command += " --force"
		}
		list = append(list, Pending{a.App + ": " + a.String(), "plonec " + command + " " + a.App})
	}
	if slices.ContainsFunc(m.changes, func(c Change) bool { return c.Waits == Front }) {
		list = append(list, Pending{"haproxy.cfg, until the clients run", "plonec deploy"})
	}
	return list
}
