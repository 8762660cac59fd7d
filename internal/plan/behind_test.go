package plan

import (
	"fmt"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/tree"
)

// A process is behind where it was up before the server of its database began, and
// nowhere else.
func TestBehind(t *testing.T) {
	now := time.Date(2026, 11, 7, 10, 15, 0, 0, time.UTC)
	server := tree.Server{Host: "db1", App: "database"}
	hosts := []tree.Host{
		{Name: "db1", Apps: []tree.App{{Name: "database"}}, Services: []tree.Service{{Unit: "z", Kind: "zeo", App: "database"}}},
		{Name: "app1", Apps: []tree.App{{Name: "site", ServedBy: server}, {Name: "other"}}},
		// Both in one app.
		{Name: "one", Apps: []tree.App{{Name: "all", ServedBy: tree.Server{Host: "one", App: "all"}}}, Services: []tree.Service{{Unit: "z", Kind: "zeo", App: "all"}}},
	}
	status := func(host, app string, units ...Unit) HostStatus {
		return HostStatus{Host: host, Apps: []AppStatus{{App: app, Units: units}}}
	}
	db := status("db1", "database", Unit{Name: "z", Began: now, Up: now.Add(time.Second)})
	for _, test := range []struct {
		name string
		list []HostStatus
		want string // of the last unit of the last host
	}{
		{"long before", []HostStatus{db, status("app1", "site", Unit{Name: "c", Up: now.Add(-time.Hour)})}, "database on db1"},
		{"after", []HostStatus{db, status("app1", "site", Unit{Name: "c", Up: now.Add(time.Minute)})}, ""},
		{"at one time, as far as clocks tell", []HostStatus{db, status("app1", "site", Unit{Name: "c", Up: now.Add(-2 * time.Second)})}, ""},
		{"it does not run", []HostStatus{db, status("app1", "site", Unit{Name: "c"})}, ""},
		{"another app", []HostStatus{db, status("app1", "other", Unit{Name: "c", Up: now.Add(-time.Hour)})}, ""},
		{"the server was not asked", []HostStatus{status("app1", "site", Unit{Name: "c", Up: now.Add(-time.Hour)})}, ""},
		{"the server does not run", []HostStatus{status("db1", "database", Unit{Name: "z"}), status("app1", "site", Unit{Name: "c", Up: now.Add(-time.Hour)})}, ""},
		{"in one app", []HostStatus{status("one", "all", Unit{Name: "z", Began: now, Up: now}, Unit{Name: "c", Up: now.Add(-time.Hour)})}, "all on one"},
		{"the server itself", []HostStatus{status("one", "all", Unit{Name: "z", Began: now, Up: now.Add(-time.Hour)})}, ""},
		{"a host that the tree does not have", []HostStatus{db, status("app9", "site", Unit{Name: "c", Up: now.Add(-time.Hour)})}, ""},
	} {
		Behind(test.list, hosts)
		units := test.list[len(test.list)-1].Apps[0].Units
		if got := units[len(units)-1].Behind; got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	for key, want := range map[string]bool{"site.unit.plone-site-client1.service.up": true, "site.unit.x.age": true, "site.unit.x.state": false, "site.up": false} {
		if IsAge(key) != want {
			t.Errorf("%s: %v", key, !want)
		}
	}
}

// Where a server restarts, what runs of the apps that it serves does, once, and in the
// order in which it starts.
func TestRolls(t *testing.T) {
	server := tree.Server{Host: "db1", App: "database"}
	services := []tree.Service{{Unit: "c1", Kind: "client", App: "site"}, {Unit: "c2", Kind: "client", App: "site"}, {Unit: "w", Kind: "command", App: "site"}, {Unit: "o", Kind: "client", App: "other"}}
	disk := &tree.Disk{Manifest: &tree.Manifest{Hosts: []tree.Host{
		{Name: "db1", Apps: []tree.App{{Name: "database"}}, Services: []tree.Service{{Unit: "z", Kind: "zeo", App: "database"}}},
		{Name: "app1", Apps: []tree.App{{Name: "other"}, {Name: "site", ServedBy: server}}, Services: services},
	}}}
	for _, test := range []struct {
		db, app1 []AppPlan
		want     string
	}{
		{[]AppPlan{{App: "database", Restart: []string{"z"}}}, nil, "[site restart [c1 c2 w] start []]"},
		{[]AppPlan{{App: "database", Restart: []string{"z"}}}, []AppPlan{{App: "site", Restart: []string{"c2"}, Start: []string{"w"}}}, "[site restart [c1 c2] start [w]]"},
		{[]AppPlan{{App: "database", Restart: []string{"z"}}}, []AppPlan{{App: "zzz"}}, "[site restart [c1 c2 w] start [] zzz restart [] start []]"},
		{[]AppPlan{{App: "database", Maybe: []string{"z"}}}, nil, "[]"},
		{[]AppPlan{{App: "database", Start: []string{"z"}}}, nil, "[]"},
		{nil, []AppPlan{{App: "other", Restart: []string{"o"}}}, "[other restart [o] start []]"},
	} {
		plans := []HostPlan{{Host: "db1", Deploy: test.db}, {Host: "app1", Deploy: test.app1}, {Host: "app9", Error: &Reason{}}}
		Rolls(disk, plans)
		got := []string{}
		for _, a := range plans[1].Deploy {
			got = append(got, fmt.Sprintf("%s restart %v start %v", a.App, a.Restart, a.Start))
		}
		if fmt.Sprint(got) != test.want {
			t.Errorf("db1 %v, app1 %v: %v, want %s", test.db, test.app1, got, test.want)
		}
	}
}
