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
