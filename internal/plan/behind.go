package plan

import (
	"slices"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/tree"
)

// IsAge tells whether a key of "host status" has an age in seconds. Whoever reads it
// puts the moment in its place, in RFC 3339: the clocks of hosts may differ.
func IsAge(key string) bool {
	return strings.Contains(key, ".unit.") && (strings.HasSuffix(key, ".age") || strings.HasSuffix(key, ".up"))
}

func moment(text string) time.Time {
	t, _ := time.Parse(time.RFC3339, text) // zero where it is none
	return t
}

// clockStep is what two ages of different hosts may be apart for the same moment:
// each is in whole seconds, and one is read after the other.
const clockStep = 3 * time.Second

// Behind marks the processes of apps that were up before what serves their database
// restarted. It gives ids of new objects again that they have kept for theirs, and
// their writes fail until they restart. What is not in the list is not known.
func Behind(list []HostStatus, hosts []tree.Host) {
	for i := range list {
		at := slices.IndexFunc(hosts, func(h tree.Host) bool { return h.Name == list[i].Host })
		if at < 0 {
			continue
		}
		for j := range list[i].Apps {
			a := &list[i].Apps[j]
			k := slices.IndexFunc(hosts[at].Apps, func(app tree.App) bool { return app.Name == a.App })
			if k < 0 || hosts[at].Apps[k].ServedBy.Host == "" {
				continue
			}
			server := hosts[at].Apps[k].ServedBy
			began := serverBegan(list, hosts, server)
			for n := range a.Units {
				u := &a.Units[n]
				if !began.IsZero() && !u.Up.IsZero() && !Serves(hosts[at], u.Name) && u.Up.Add(clockStep).Before(began) {
					u.Behind = server.App + " on " + server.Host
				}
			}
		}
	}
}

// Serves tells whether a unit of a host serves the database of apps.
func Serves(h tree.Host, unit string) bool {
	return slices.ContainsFunc(h.Services, func(s tree.Service) bool { return s.Unit == unit && s.Kind == service.Store().Name })
}

// serverBegan is when a server's process began; zero: it is not known.
func serverBegan(list []HostStatus, hosts []tree.Host, server tree.Server) time.Time {
	i := slices.IndexFunc(list, func(s HostStatus) bool { return s.Host == server.Host })
	at := slices.IndexFunc(hosts, func(h tree.Host) bool { return h.Name == server.Host })
	if i < 0 || at < 0 {
		return time.Time{}
	}
	for _, a := range list[i].Apps {
		for _, u := range a.Units {
			if a.App == server.App && Serves(hosts[at], u.Name) {
				return u.Began
			}
		}
	}
	return time.Time{}
}

// Rolls adds to plans for hosts of a tree the restarts of processes whose server
// restarts: a deploy or a restart goes on to these.
func Rolls(disk *tree.Disk, plans []HostPlan) {
	servers := map[tree.Server]bool{}
	host := func(name string) *tree.Host {
		i := slices.IndexFunc(disk.Manifest.Hosts, func(h tree.Host) bool { return h.Name == name })
		if i < 0 {
			return nil
		}
		return &disk.Manifest.Hosts[i]
	}
	for _, p := range plans {
		h := host(p.Host)
		for _, a := range p.Deploy {
			if h != nil && slices.ContainsFunc(a.Restart, func(unit string) bool { return Serves(*h, unit) }) {
				servers[tree.Server{Host: p.Host, App: a.App}] = true
			}
		}
	}
	for i := range plans {
		p := &plans[i]
		h := host(p.Host)
		if h == nil || p.Error != nil || p.Unsure != nil {
			continue
		}
		for _, app := range h.Apps {
			if !servers[app.ServedBy] {
				continue
			}
			at := slices.IndexFunc(p.Deploy, func(a AppPlan) bool { return a.App == app.Name })
			if at < 0 { // nothing of it is due: all of it runs
				at = slices.IndexFunc(p.Deploy, func(a AppPlan) bool { return a.App > app.Name })
				if at < 0 {
					at = len(p.Deploy)
				}
				p.Deploy = slices.Insert(p.Deploy, at, AppPlan{App: app.Name, Builder: app.Builder})
			}
			a := &p.Deploy[at]
			var restart []string
			for _, s := range h.Services {
				if s.App == app.Name && (slices.Contains(a.Restart, s.Unit) || !Serves(*h, s.Unit) && !slices.Contains(a.Start, s.Unit)) {
					restart = append(restart, s.Unit)
				}
			}
			a.Restart = restart
			a.Maybe = slices.DeleteFunc(a.Maybe, func(unit string) bool { return slices.Contains(restart, unit) })
		}
	}
}
