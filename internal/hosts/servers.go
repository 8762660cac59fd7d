package hosts

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/tree"
)

// serverRestarted notes what the host says of a unit, where it serves a database.
func (m *member) serverRestarted(unit string) {
	if !plan.Serves(m.Host.Host, unit) {
		return
	}
	f := m.fleet
	f.servers.Lock()
	defer f.servers.Unlock()
	for _, s := range m.Services {
		if server := (tree.Server{Host: m.Name, App: s.App}); s.Unit == unit && !slices.Contains(f.servers.list, server) {
			f.servers.list = append(f.servers.list, server)
		}
	}
}

// rollServed restarts, one after the other, the processes that were up before this
// run restarted what serves their database: see plan.Behind. failed is how the run
// went until now; where it failed nothing more is done, and who is behind is told.
func (f *Fleet) rollServed(ctx context.Context, failed error) error {
	f.servers.Lock()
	servers := f.servers.list
	f.servers.list = nil
	f.servers.Unlock()
	if len(servers) == 0 {
		return failed
	}
	isServed := func(a tree.App) bool { return slices.Contains(servers, a.ServedBy) }
	manifest := f.tree.Disk.Manifest.Hosts
	for _, h := range manifest {
		if h.Status != "online" || slices.ContainsFunc(f.members, func(m *member) bool { return m.Name == h.Name }) {
			continue
		}
		for _, a := range h.Apps {
			if isServed(a) {
				f.behind(h.Name, a.Name)
			}
		}
	}
	members := slices.DeleteFunc(slices.Clone(f.members), func(m *member) bool {
		serves := slices.ContainsFunc(servers, func(s tree.Server) bool { return s.Host == m.Name })
		return m.Seen == nil || !serves && !slices.ContainsFunc(m.Host.Host.Apps, isServed)
	})
	list := make([]plan.HostStatus, len(members))
	err := each(members, len(members), func(m *member) error {
		state, err := m.status(context.WithoutCancel(ctx))
		if err != nil {
			return &HostError{m.Name, "status", err}
		}
		s := &list[slices.Index(members, m)]
		s.Host = m.Name
		for _, app := range m.Apps() {
			s.Apps = append(s.Apps, plan.AppStatusOf(app, state))
		}
		return nil
	})
	if err != nil {
		return cmp.Or(failed, err)
	}
	plan.Behind(list, manifest)
	for _, app := range plan.Apps(planned(members)) {
		units := map[*member][]string{}
		var behind []*member
		for i, m := range members {
			for _, a := range list[i].Apps {
				for _, u := range a.Units {
					if a.App == app && u.Behind != "" {
						units[m] = append(units[m], u.Name)
					}
				}
			}
			if len(units[m]) > 0 {
				behind = append(behind, m)
			}
		}
		if failed != nil {
			for _, m := range behind {
				f.behind(m.Name, app)
			}
			continue
		}
		if len(behind) == 0 {
			continue
		}
		f.sink(Event{Time: time.Now(), Kind: Note, Text: app + ": restarting its processes, since the server of its database was restarted"})
		argv := func(m *member) []string {
			return slices.Concat([]string{plan.ScriptDir + "/host", "restart"}, f.overwrite(), []string{"--all", app}, units[m])
		}
		if err := f.oneByOne(ctx, behind, app, "restart", argv, nothing); err != nil {
			return err
		}
	}
	return failed
}

// behind tells of processes that this run leaves as they were.
func (f *Fleet) behind(host, app string) {
	f.sink(Event{Time: time.Now(), Host: host, Kind: Warning,
		Text: fmt.Sprintf("the server of its database was restarted, and the processes of %s were not: writes may fail until plonec restart %s --host %s", app, app, host)})
}
