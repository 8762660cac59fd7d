package hosts

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/topology"
)

// A helper recipe runs on the hosts that the manifest names it for.
func TestRunWhereItBelongs(t *testing.T) {
	f := two(t)
	for _, m := range f.fleet.members {
		m.Helpers = map[string][]string{"app2": {"pack"}}[m.Name]
		m.Seen.Generation = "1"
	}
	if err := f.fleet.Run(context.Background(), "pack"); err != nil {
		t.Fatal(err)
	}
	if len(f.jobs) != 1 {
		t.Errorf("%d jobs", len(f.jobs))
	}
	for _, argv := range f.jobs {
		if !strings.HasSuffix(strings.Join(argv, " "), "/host run pack") {
			t.Errorf("%v", argv)
		}
	}
	err := f.fleet.Run(context.Background(), "backup")
	if err == nil || err.Error() != "none of the chosen hosts can run backup" || f.fleet.Hint(err) != "it is for a host that runs a ZEO server" {
		t.Errorf("%v: %s", err, f.fleet.Hint(err))
	}
	if err := f.fleet.Run(context.Background(), "packs"); err == nil || !strings.Contains(err.Error(), "the recipe packs does not exist: choose one of rebuild, develop-up, backup, pack, ") {
		t.Error(err)
	}
}

// Apps are deployed in the order of their hosts' ranks, whatever their names are.
func TestRanksOrderTheApps(t *testing.T) {
	f := served(t)
	for _, test := range []struct {
		db   topology.Rank
		want string
	}{{topology.RankStorage, "database site"}, {topology.RankFronts, "site database"}} {
		for _, m := range f.fleet.members {
			m.Rank = topology.RankClients
			if m.Name == "db1" {
				m.Rank = test.db
			}
		}
		if got := f.fleet.Apps(); strings.Join(got, " ") != test.want {
			t.Errorf("rank %d: %v", test.db, got)
		}
	}
	if !slices.IsSorted(topology.Ranks) {
		t.Error("the ranks are not in their order")
	}
}

// Whoever restarts the server of a database restarts the processes that were up before,
// and no other; one that is not at work here is told of.
func TestServersRestartTheirClients(t *testing.T) {
	const unit = "plone-site-client1.service"
	for name, do := range map[string]func(*Fleet) error{
		"restart":  func(f *Fleet) error { return f.Restart(context.Background(), []string{"database"}, false) },
		"start":    func(f *Fleet) error { return f.Start(context.Background(), []string{"database"}) },
		"deploy":   func(f *Fleet) error { return f.Deploy(context.Background(), nil, DeployOptions{}) },
		"rollback": func(f *Fleet) error { return f.Rollback(context.Background(), "database", "20260101000000", false) },
	} {
		for _, restarts := range []bool{true, false} {
			f := served(t)
			f.status = map[string]string{
				"db1":  "database.kept=20260101000000\ndatabase.unit.plone-database-zeo.service.state=active\ndatabase.unit.plone-database-zeo.service.age=2\n",
				"app1": "site.unit." + unit + ".state=active\nsite.unit." + unit + ".up=100\n",
				"app2": "site.unit." + unit + ".state=active\nsite.unit." + unit + ".up=1\n",
			}
			for _, m := range f.fleet.members {
				m.Seen.Generation = "1"
			}
			var after []string
			f.job = func(host string, argv []string) (string, int) {
				if host != "db1" && slices.Contains(argv, "restart") {
					after = append(after, host+" "+strings.Join(argv[1:], " "))
				}
				if host == "db1" && restarts {
					return ":restarting plone-database-zeo.service\n", 0
				}
				return "", 0
			}
			if err := do(f.fleet); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			want := ""
			if restarts {
				want = "app1 restart --all site " + unit
			}
			if got := strings.Join(after, "; "); got != want {
				t.Errorf("%s, the server restarts %v: then %q, want %q", name, restarts, got, want)
			}
		}
	}

	// Where the rest failed, and of a host that is not there, it is said.
	f := served(t)
	f.status = map[string]string{
		"db1":  "database.unit.plone-database-zeo.service.state=active\ndatabase.unit.plone-database-zeo.service.age=2\n",
		"app1": "site.unit." + unit + ".state=active\nsite.unit." + unit + ".up=100\n",
	}
	f.fleet.members = slices.DeleteFunc(f.fleet.members, func(m *member) bool { return m.Name == "app2" })
	for _, m := range f.fleet.members {
		m.Seen.Generation = "1"
	}
	f.job = func(string, []string) (string, int) { return ":restarting plone-database-zeo.service\n", 1 }
	if err := f.fleet.Restart(context.Background(), []string{"database"}, false); err == nil {
		t.Error("it went on")
	}
	var told []string
	for _, host := range []string{"app1", "app2"} {
		told = append(told, host+" warning : the server of its database was restarted, and the processes of site were not: writes may fail until plonec restart site --host "+host)
	}
	got := f.told(Warning)
	if slices.Sort(got); !slices.Equal(got, told) {
		t.Errorf("told %q, want %q", got, told)
	}
}

// The hosts that the chosen ones serve take part, where a verb asks for them.
func TestServedHostsTakePart(t *testing.T) {
	for _, test := range []struct{ hosts, want string }{{"db1", "app1 app2 db1"}, {"app1", "app1"}} {
		f := served(t).fleet
		f.options.Hosts, f.options.Served, f.members = []string{test.hosts}, true, nil
		if err := f.choose(); err != nil || strings.Join(f.Names(), " ") != test.want {
			t.Errorf("with %s: %v, %v; want %s", test.hosts, f.Names(), err, test.want)
		}
		if len(f.chosen()) != 1 {
			t.Errorf("with %s %d hosts are chosen", test.hosts, len(f.chosen()))
		}
	}
}
