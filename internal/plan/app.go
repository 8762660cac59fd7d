package plan

import (
	"strings"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/words"
)

// An AppPlan is what a deploy, a restart or a start has to do for an app on a
// host, beside what a new commit would ask for.
type AppPlan struct {
	App         string   `json:"app"`
	Builder     string   `json:"builder,omitempty"`      // what makes its releases, as tree.App has it
	Files       int      `json:"files,omitempty"`        // that wait for it
	Build       string   `json:"build,omitempty"`        // why there will be a new release; empty: there will not
	Source      string   `json:"source,omitempty"`       // the revision that a deploy looks at, where the tree says another one or another repository
	Restart     []string `json:"restart,omitempty"`      // units, one by one
	Maybe       []string `json:"maybe,omitempty"`        // units that restart where the new release has something else for them
	Start       []string `json:"start,omitempty"`        // units
	Stop        []string `json:"stop,omitempty"`         // units that go
	Takes       []string `json:"takes,omitempty"`        // of Start, units that one host alone runs, and that come here from another host
	Agent       string   `json:"agent,omitempty"`        // start, restart or stop: what happens to plonec-agent.service, which speaks for the clients
	Moves       string   `json:"moves,omitempty"`        // the database, from where to where
	NewDatabase string   `json:"new_database,omitempty"` // where a first start has to find a Data.fs
	Unfinished  bool     `json:"unfinished,omitempty"`   // a switch was cut short
	Stopped     bool     `json:"stopped,omitempty"`      // by plonec stop
	HalfGone    bool     `json:"half_gone,omitempty"`    // an undeploy did not come to its end
}

// Command is what brings it about, less the name of the program and the app.
func (a *AppPlan) Command() string {
	switch {
	case a.Moves != "":
		return "deploy --allow-outage"
	case a.NewDatabase != "":
		return "deploy --new-database"
	case a.Build != "" || a.Source != "" || a.Unfinished:
		return "deploy"
	case a.Files > 0 || len(a.Restart)+len(a.Stop)+len(a.Takes) > 0: // start leaves alone what another host runs
		return "restart --changed"
	}
	return "start"
}

// String says it in a few words, without the app's name.
func (a *AppPlan) String() string {
	var parts []string
	builds := ""
	if by, ok := builder.Named(a.Builder); ok {
		builds = by.Title
	}
	if a.Build != "" {
		parts = append(parts, builds+" ("+a.Build+")")
	} else if a.Source != "" {
		parts = append(parts, builds+" if "+a.Source+" leads to another commit")
	}
	if a.Unfinished {
		parts = append(parts, "the end of a switch that was cut short")
	}
	if a.Moves != "" {
		parts = append(parts, "stop of all, switch, start")
	} else {
		for _, what := range []struct {
			does  string
			units []string
		}{{"rolling restart of ", a.Restart}, {"perhaps restart of ", a.Maybe}, {"start of ", a.Start}} {
			if len(what.units) > 0 {
				parts = append(parts, what.does+a.units(what.units))
			}
		}
	}
	if len(a.Stop) > 0 {
		parts = append(parts, "stop of "+a.units(a.Stop))
	}
	if a.Agent != "" {
		parts = append(parts, a.Agent+" of the agent")
	}
	if a.Stopped {
		parts = append(parts, "it was stopped on purpose")
	}
	if a.HalfGone {
		parts = append(parts, "an undeploy of it is half done")
	}
	if len(parts) == 0 {
		parts = append(parts, words.Count(a.Files, "file"))
	}
	return strings.Join(parts, ", ")
}

// units names units as short as one can: up to four by name, more by number where
// balancers call them.
func (a *AppPlan) units(list []string) string {
	var names []string
	var kinds []*service.Service
	called := map[*service.Service][]string{}
	for _, unit := range list {
		name := strings.TrimSuffix(strings.TrimPrefix(unit, "plone-"+a.App+"-"), ".service")
		kind := service.Named(strings.TrimRight(name, "0123456789"))
		if kind == nil || !kind.Balanced {
			names = append(names, name)
			continue
		}
		if called[kind] == nil {
			kinds = append(kinds, kind)
		}
		called[kind] = append(called[kind], name)
	}
	for _, kind := range kinds {
		if n := len(called[kind]); n > 4 {
			names = append(names, words.Count(n, kind.Counted()))
		} else {
			names = append(names, called[kind]...)
		}
	}
	return strings.Join(names, " ")
}
