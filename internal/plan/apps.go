package plan

import (
	"cmp"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/tree"
)

// Apps gives every app of hosts, in the order in which they are deployed: databases
// first.
func Apps(hosts []*Host) []string {
	first := map[string]topology.Rank{}
	for _, m := range hosts {
		for _, app := range m.Apps() {
			if r, ok := first[app]; !ok || m.Rank < r {
				first[app] = m.Rank
			}
		}
	}
	var apps []string
	for app := range first {
		apps = append(apps, app)
	}
	sort.Slice(apps, func(i, j int) bool {
		if first[apps[i]] != first[apps[j]] {
			return first[apps[i]] < first[apps[j]]
		}
		return apps[i] < apps[j]
	})
	return apps
}

// Apps lists the apps of a host, sorted.
func (m *Host) Apps() []string {
	var names []string
	for _, a := range m.Host.Apps {
		names = append(names, a.Name)
	}
	return names
}

// app is what the tree says of an app of the host.
func (m *Host) app(name string) tree.App {
	for _, a := range m.Host.Apps {
		if a.Name == name {
			return a
		}
	}
	return tree.App{}
}

// servicesOf are the processes of an app on the host, in the order in which they
// start.
func (m *Host) servicesOf(app string) []tree.Service {
	return slices.DeleteFunc(slices.Clone(m.Services), func(s tree.Service) bool { return s.App != app })
}

// appOf is the app for whose next deploy or restart a file waits; empty for
// one that goes live at once.
func (m *Host) appOf(effects []string) string {
	for _, e := range effects {
		verb, name, _ := strings.Cut(e, ":")
		if verb == "restart" {
			name = m.unitApp(name)
		}
		if (verb == "deploy" || verb == "restart") && slices.Contains(m.Apps(), name) {
			return name
		}
	}
	return ""
}

// unitApp is the app that a unit belongs to, in the tree or by what the host says;
// empty for other units.
func (m *Host) unitApp(unit string) string {
	if app := m.Service(unit).App; app != "" || m.Seen == nil {
		return app
	}
	return m.Seen.Services[unit].App
}

// Leaving are the host's own services that the tree does not have there any more:
// apply stops them, the one that started last first.
func (m *Host) Leaving() []string {
	var list []string
	for unit, s := range m.Seen.Services {
		if s.App == "" && m.Service(unit).Unit == "" {
			list = append(list, unit)
		}
	}
	slices.SortFunc(list, func(a, b string) int {
		return cmp.Or(m.Seen.Services[b].order-m.Seen.Services[a].order, strings.Compare(a, b))
	})
	return list
}

// WaitsFor is the app for whose deploy or restart a file of the host would wait, if it
// changed; empty for one that goes live at once.
func (m *Host) WaitsFor(w Wanted) string {
	return cmp.Or(confOf(w.Path), m.appOf(w.Effects))
}

// confOf is the app whose app.conf a file is; empty for other files.
func confOf(file string) string {
	if app := path.Base(path.Dir(file)); file == "/etc/plonec/"+app+"/app.conf" {
		return app
	}
	return ""
}

// Clients lists the clients of a host as balancers call them.
func (m *Host) Clients() []string {
	var names []string
	for _, s := range m.Services {
		if s.Server != "" {
			names = append(names, s.Server)
		}
	}
	return names
}

// Server is what balancers call the client of a unit; empty for other units.
func (m *Host) Server(unit string) string { return m.Service(unit).Server }

// IsFront tells whether a balancer runs on the host.
func (m *Host) IsFront() bool { return m.Runs(service.Balancer().Name) }

// Turn is when the host is applied to: in its place in the order of things, or last
// where something leaves it that others may need until then.
func (m *Host) Turn() topology.Rank {
	if m.Seen != nil && len(m.Leaving()) > 0 {
		return slices.Max(topology.Ranks)
	}
	return m.Rank
}
