// Package plan foretells what apply and deploy would do to hosts. It is pure: it
// compares what a tree has for a host with what the host said of itself, or with an
// earlier tree, and knows neither how a host is asked nor what is done there.
package plan

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/plonec/plonec/internal/diag"
)

// Format is the version of a written plan's layout.
const Format = 1

// A Plan foretells what Apply and Deploy would do to hosts as they are now. It
// holds no secret.
type Plan struct {
	Format  int        `json:"format"`
	Tree    string     `json:"tree"`             // the sum of its manifest
	Commit  string     `json:"commit,omitempty"` // of the tree, where it is in a git repository
	Hosts   []HostPlan `json:"hosts"`
	Apps    []string   `json:"apps"`    // of the hosts, in the order in which they are deployed
	Outage  []string   `json:"outage"`  // what does not go by unnoticed
	Absent  []string   `json:"absent"`  // hosts that were left out: not online in the stack
	Always  []string   `json:"always"`  // apps of which every deploy makes a new release
	Refused []Reason   `json:"refused"` // why apply would begin with no host at all
}

// A HostPlan is what would happen on one host. Apply is what apply does, Deploy
// what is left to a deploy or a restart.
type HostPlan struct {
	Host     string       `json:"host"`
	Address  string       `json:"address"`
	Digest   string       `json:"digest,omitempty"`  // stands for the host as it was
	Error    *Reason      `json:"error,omitempty"`   // it could not be asked: nothing else is known
	Unsure   *Reason      `json:"unsure,omitempty"`  // why it is not known what runs there; Deploy is empty then
	Lock     string       `json:"lock,omitempty"`    // who else is at work there
	Refused  []Reason     `json:"refused"`           // why apply would not begin with it
	Due      bool         `json:"due"`               // apply has something to do
	Unasked  []string     `json:"unasked,omitempty"` // secret files whose values are not known here: they may change too
	Renamed  []string     `json:"renamed,omitempty"` // secret files that stay as they are, and come from other sources
	Setup    bool         `json:"setup,omitempty"`
	Install  []string     `json:"packages,omitempty"` // that setup installs where they are not there
	Files    []FileChange `json:"files"`
	Apply    []string     `json:"apply"`              // effects, as in the manifest
	Stages   int          `json:"stages,omitempty"`   // files that apply brings, and that wait
	Unstage  int          `json:"unstages,omitempty"` // files that waited and do no longer
	Down     []Daemon     `json:"down,omitempty"`     // daemons that do not run; apply starts them
	Stopped  []Daemon     `json:"stopped,omitempty"`  // daemons that somebody disabled or masked; they stay so
	Deploy   []AppPlan    `json:"deploy"`
	Crontabs []Crontab    `json:"crontabs,omitempty"`      // of the apps' users, with entries of releases
	Added    []string     `json:"servers_added,omitempty"` // of its balancer
	Gone     []string     `json:"servers_removed,omitempty"`
}

// A Reason is what is wrong, and what to do about it.
type Reason struct {
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
}

// ReasonOf takes an error apart.
func ReasonOf(err error) *Reason {
	text, hint := diag.Remedy(err)
	return &Reason{text, hint}
}

// Held tells whether a front end's configuration waits for the clients.
func (h *HostPlan) Held() bool {
	return slices.ContainsFunc(h.Files, func(c FileChange) bool { return c.Waits == Front })
}

// DeployDue tells whether something of the host is left to a deploy or a
// restart.
func (h *HostPlan) DeployDue() bool { return len(h.Deploy) > 0 || h.Held() }

// Due tells whether apply, or what follows it, has anything to do.
func (p *Plan) Due() bool {
	return slices.ContainsFunc(p.Hosts, func(h HostPlan) bool { return h.Due || h.DeployDue() })
}

// ReadPlan reads what plonec plan --out wrote.
func ReadPlan(data []byte) (*Plan, error) {
	var p Plan
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, err
	}
	if p.Format != Format {
		return nil, fmt.Errorf("its format is %d, but this plonec reads format %d", p.Format, Format)
	}
	return &p, nil
}

// changes are those of its files.
func (h *HostPlan) changes() []Change {
	var list []Change
	for _, f := range h.Files {
		list = append(list, f.Change)
	}
	return list
}

// foreseen is what has to be as it was foretold of changes: less the secret files
// of which a plan without values could not tell.
func (h *HostPlan) foreseen(changes []Change) []string {
	var list []string
	for _, c := range changes {
		if !slices.Contains(h.Unasked, c.Path) {
			list = append(list, fmt.Sprintf("%s %s %s", c.Path, c.Kind, c.Waits))
		}
	}
	return list
}

// A Surprise is what is not as the plan has it.
type Surprise struct{ Host, Text string }

// Unforeseen says what is not as the plan has it: the hosts, or what would happen
// on one.
func (p *Plan) Unforeseen(hosts []*Host) []Surprise {
	var list []Surprise
	add := func(host, text string) { list = append(list, Surprise{host, text}) }
	planned := map[string]HostPlan{}
	for _, h := range p.Hosts {
		planned[h.Host] = h
		if !slices.ContainsFunc(hosts, func(m *Host) bool { return m.Name == h.Host }) {
			add(h.Host, "the plan has this host, but it is not one of the hosts now")
		}
	}
	for _, m := range hosts {
		h, ok := planned[m.Name]
		switch {
		case !ok:
			add(m.Name, "the plan does not have this host")
		case h.Digest != m.Seen.Digest():
			add(m.Name, "the host changed after the plan was made")
		case !slices.Equal(h.foreseen(h.changes()), h.foreseen(m.Changes)):
			add(m.Name, "the files that change differ from the plan: check that the secrets are the same")
		}
	}
	return list
}
