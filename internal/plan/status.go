package plan

import (
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/words"
)

// A HostStatus is how a host is.
type HostStatus struct {
	Host         string        `json:"host"`
	Error        *Reason       `json:"error,omitempty"` // it could not be asked: nothing else is known but what the tree says
	Generation   string        `json:"generation"`      // the applied one; empty: none yet
	Unconfirmed  string        `json:"unconfirmed,omitempty"`
	Commit       string        `json:"commit,omitempty"` // of the tree that was applied
	Applied      string        `json:"applied,omitempty"`
	Current      bool          `json:"current"` // it has the files of this tree
	Lock         string        `json:"lock,omitempty"`
	Front        bool          `json:"front,omitempty"`       // visitors come to it
	Maintenance  string        `json:"maintenance,omitempty"` // since when they are shown a page in place of the sites, in UTC; empty: they are not
	Unfit        *Reason       `json:"unfit,omitempty"`       // why nothing could be applied
	Apps         []AppStatus   `json:"apps,omitempty"`
	Services     []Service     `json:"services,omitempty"`
	Certificates []Certificate `json:"certificates,omitempty"` // that visitors are shown
	Drift        []string      `json:"drift,omitempty"`        // changed or removed by hand
	Pending      []Pending     `json:"pending,omitempty"`
	Last         string        `json:"last,omitempty"` // of the host's history
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
	Jobs     []Job             `json:"jobs,omitempty"` // that were done, or that a timer starts

	built []string // that never ran: nobody switched to them
	ran   []string // that led to the current one, itself last; nil: scripts that do not tell
}

// A Repository is what an app's answers when a host asks it as a deploy would.
type Repository struct {
	App      string  `json:"app"`
	Host     string  `json:"host,omitempty"`   // that asked; empty: none of the app's hosts could
	Revision string  `json:"revision"`         // as applied there; empty: the repository's own branch
	Commit   string  `json:"commit,omitempty"` // that it leads to
	Error    *Reason `json:"error,omitempty"`  // it does not answer, or does not have the revision
}

// A Unit is a process of an app.
type Unit struct {
	Name    string `json:"name"`
	Kind    string `json:"kind,omitempty"` // as the manifest has it; empty: the tree has no such unit
	State   string `json:"state"`
	Release string `json:"release,omitempty"` // that it runs from
	Pending string `json:"pending,omitempty"` // why a restart is due
	Agent   string `json:"agent,omitempty"`   // what balancers are told
	// Began is when its process began, Up when it was ready, by the clock of whoever
	// asked; zero: it does not run, or its host does not tell.
	Began  time.Time `json:"began,omitzero"`
	Up     time.Time `json:"up,omitzero"`
	Behind string    `json:"behind,omitempty"` // what serves its database and has restarted since it was up: database on db1
}

// A Job is work that is done now and then, by hand or by a timer. Times are in UTC.
type Job struct {
	Name   string `json:"name"`
	Unit   string `json:"unit"`             // what its timer and its service are called, less the ending
	Result string `json:"result,omitempty"` // of the last time: done, failed, skipped, cut short, or running; empty: there was none
	Began  string `json:"began,omitempty"`
	Ended  string `json:"ended,omitempty"`
	By     string `json:"by,omitempty"`    // timer or hand
	Why    string `json:"why,omitempty"`   // it failed, or was skipped
	Timer  string `json:"timer,omitempty"` // the state of its timer: active, or it is not started; empty: it has none
	Next   string `json:"next,omitempty"`  // when its timer starts it again
}

// Failed tells whether it was begun the last time, and not done.
func (j Job) Failed() bool { return j.Result == "failed" || j.Result == "cut short" }

// Idle tells whether it has a timer that does not run.
func (j Job) Idle() bool { return j.Timer != "" && j.Timer != "active" }

// A Service is a daemon of the host.
type Service struct {
	Name  string `json:"name"`
	State string `json:"state"`
	Start string `json:"start,omitempty"` // the command on the host that starts it, where somebody disabled or masked it
}

// Describe says how the host is, of which "host status" says state.
func (m *Host) Describe(state map[string]string, now time.Time) HostStatus {
	s := HostStatus{
		Host: m.Name, Generation: m.Seen.Generation, Unconfirmed: m.Seen.Unconfirmed, Commit: m.Seen.Commit, Applied: m.Seen.Applied,
		Current: m.Seen.Generation != "" && !m.FilesDue(), Lock: m.Seen.Lock, Drift: m.drift(), Last: state["host.last"],
	}
	s.Front, s.Maintenance = m.IsFront(), state["host.maintenance"]
	if s.Lock == "" {
		s.Lock = state["host.lock"]
	}
	if err := m.Fit(); err != nil {
		s.Unfit = ReasonOf(err)
	}
	for _, app := range m.Apps() {
		a := AppStatusOf(app, state)
		for i := range a.Units {
			a.Units[i].Kind = m.Service(a.Units[i].Name).Kind
		}
		s.Apps = append(s.Apps, a)
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
	s.Certificates = m.certificates(state, now)
	s.Pending = m.pending(state)
	return s
}

func AppStatusOf(app string, state map[string]string) AppStatus {
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
				Began: moment(get(unit + ".age")), Up: moment(get(unit + ".up")),
			})
		}
		if name, isJob := strings.CutPrefix(key, app+".job."); isJob {
			if name, isResult := strings.CutSuffix(name, ".result"); isResult {
				job := "job." + name
				a.Jobs = append(a.Jobs, Job{
					Name: name, Unit: get(job + ".unit"), Result: value, Began: get(job + ".began"), Ended: get(job + ".ended"), By: get(job + ".by"),
					Why: get(job + ".why"), Timer: get(job + ".timer"), Next: get(job + ".next"),
				})
			}
		}
	}
	slices.SortFunc(a.Jobs, func(x, y Job) int { return words.Compare(x.Name, y.Name) })
	slices.SortFunc(a.Units, func(x, y Unit) int { return words.Compare(x.Name, y.Name) })
	return a
}
