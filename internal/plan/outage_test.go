package plan

import (
	"slices"
	"testing"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/tree"
)

// What one host alone runs and another one is to run is said to move.
func TestOutageNamesWhatMoves(t *testing.T) {
	const unit = "plone-site-celerybeat.service"
	host := func(name, status string, duties ...topology.Role) tree.Host {
		return tree.Host{Name: name, Status: status, Apps: []tree.App{{Name: "site", Duties: duties}}}
	}
	takes := HostPlan{Host: "app2", Deploy: []AppPlan{{App: "site", Start: []string{unit}, Takes: []string{unit}}}}
	const moves = "plone-site-celerybeat moves to app2, and app1 may still run it: deploy stops it there first, and is refused without --allow-two if app1 cannot be reached"
	for _, test := range []struct {
		name  string
		app1  string // its status
		plans []HostPlan
		want  []string
	}{
		{"both are asked", "online", []HostPlan{{Host: "app1", Deploy: []AppPlan{{App: "site", Stop: []string{unit}}}}, takes},
			[]string{"plone-site-celerybeat moves from app1 to app2: it stops on the one before it starts on the other"}},
		{"the other one never ran it", "online", []HostPlan{{Host: "app1"}, takes}, nil},
		{"the other one is not online", "stopped", []HostPlan{takes}, []string{moves}},
		{"the other one was not chosen", "online", []HostPlan{takes}, []string{moves}},
		{"the other one does not answer", "online", []HostPlan{{Host: "app1", Error: &Reason{}}, takes}, []string{moves}},
		{"it was here before", "stopped", []HostPlan{{Host: "app2", Deploy: []AppPlan{{App: "site", Start: []string{unit}}}}}, nil},
	} {
		disk := &tree.Disk{Manifest: &tree.Manifest{Hosts: []tree.Host{host("app1", test.app1), host("app2", "online", topology.Celerybeat), {Name: "db1", Status: "stopped"}}}}
		if got := Outage(disk, test.plans); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// The designated host is stopped in the later tree: diff says that its work moves.
func TestDiffNamesWhatMoves(t *testing.T) {
	const unit = "plone-site-celerybeat.service"
	disk := func(designated, status string) *tree.Disk {
		d := &tree.Disk{Manifest: &tree.Manifest{Format: tree.Format}}
		for _, name := range []string{"app1", "app2"} {
			h := tree.Host{Name: name, Status: "online", Apps: []tree.App{{Name: "site"}}}
			if name == "app1" {
				h.Status = status
			}
			if name == designated {
				h.Apps[0].Duties = []topology.Role{topology.Celerybeat}
				h.Services = []tree.Service{{Unit: unit, Kind: "celerybeat", App: "site"}}
				d.Manifest.Files = append(d.Manifest.Files, tree.File{Host: name, Path: "/etc/systemd/system/" + unit, Sum: "1", Effect: []string{"restart:" + unit}})
			}
			d.Manifest.Hosts = append(d.Manifest.Hosts, h)
		}
		return d
	}
	for _, test := range []struct{ status, want string }{
		{"stopped", "plone-site-celerybeat moves to app2, and app1 may still run it: deploy stops it there first, and is refused without --allow-two if app1 cannot be reached"},
		{"online", "plone-site-celerybeat moves from app1 to app2: it stops on the one before it starts on the other"},
	} {
		c, err := Compare(disk("app1", "online"), disk("app2", test.status))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(c.Outage, []string{test.want}) {
			t.Errorf("%s: %q", test.status, c.Outage)
		}
	}
}

// Many processes are counted by what they are called.
func TestUnitsOfAnAppPlan(t *testing.T) {
	a := AppPlan{App: "site"}
	var many []string
	for _, kind := range []string{"volto", "client"} {
		for i := range 5 {
			many = append(many, "plone-site-"+kind+string(rune('1'+i))+".service")
		}
	}
	for want, list := range map[string][]string{
		"zeo 5 Volto processes 5 clients": append([]string{"plone-site-zeo.service"}, many...),
		"celery1 volto5 client1 client2":  {"plone-site-volto5.service", "plone-site-celery1.service", "plone-site-client1.service", "plone-site-client2.service"},
		"clientele":                       {"plone-site-clientele.service"},
	} {
		if got := a.units(list); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// What comes back from another host is one that it takes, though its file never left; a
// start alone would leave it to that host.
func TestTakes(t *testing.T) {
	const unit = "plone-site-celerybeat.service"
	for _, test := range []struct {
		live, shown string // the unit's file is there, and status shows it so
		want        bool
	}{{"", "", true}, {"", "inactive", true}, {"1", "", true}, {"1", "failed", false}, {"1", "active", false}} {
		m := &Host{Host: tree.Host{Apps: []tree.App{{Name: "site", Duties: []topology.Role{topology.Celerybeat, topology.Pack}}}}, Seen: seen(nil, nil)}
		if test.live != "" {
			m.Seen.Live["/etc/systemd/system/"+unit] = LiveState{Sum: test.live}
		}
		got := m.Takes("site", map[string]string{"site.unit." + unit + ".state": test.shown})
		if (len(got) == 1) != test.want {
			t.Errorf("%+v: %q", test, got)
		}
		if a := (AppPlan{App: "site", Start: []string{unit}, Takes: got}); (a.Command() == "start") == test.want {
			t.Errorf("%+v: %s", test, a.Command())
		}
	}
}

// Processes of another kind are none to spare for a client, nor it for them.
func TestOutageOfTheOnlyOne(t *testing.T) {
	service := func(unit, kind string) tree.Service { return tree.Service{Unit: unit, Kind: kind, App: "site"} }
	disk := &tree.Disk{Manifest: &tree.Manifest{Hosts: []tree.Host{
		{Name: "app1", Status: "online", Services: []tree.Service{service("client1.service", "client")}},
		{Name: "page1", Status: "online", Services: []tree.Service{service("volto1.service", "volto"), service("volto2.service", "volto")}},
	}}}
	plans := []HostPlan{
		{Host: "app1", Deploy: []AppPlan{{App: "site", Restart: []string{"client1.service"}}}},
		{Host: "page1", Deploy: []AppPlan{{App: "site", Restart: []string{"volto1.service", "volto2.service"}}}},
	}
	if got, want := Outage(disk, plans), []string{"app1: site has one client, which restarts"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
