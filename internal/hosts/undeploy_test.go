package hosts

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/tree"
)

// served are a ZEO server of one app and the clients of another on two hosts.
func served(t *testing.T) *fakeHosts {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{"db1", "app1", "app2"} {
		files[name+":/etc/plonec/host.env"] = "HOST='" + name + "'\n"
	}
	return newFakeHosts(t, files, func(h *tree.Host) {
		if h.Name == "db1" {
			h.Apps = []tree.App{{Name: "database", DataFS: "/data"}}
			h.Services = []tree.Service{{Unit: "plone-database-zeo.service", Kind: "zeo", App: "database"}}
			return
		}
		h.Rank = topology.RankClients
		h.Apps = []tree.App{{Name: "site", ServedBy: tree.Server{Host: "db1", App: "database"}}}
		h.Services = []tree.Service{{Unit: "plone-site-client1.service", Kind: "client", App: "site", Server: h.Name + "-client1"}}
	})
}

// Whoever stops a ZEO server alone is told whose database that is, also where the
// others were not chosen.
func TestBereft(t *testing.T) {
	if got := strings.Join(served(t).fleet.HostsOf([]string{"site"}), " "); got != "app1 app2" {
		t.Errorf("site is on %s", got)
	}
	for _, test := range []struct {
		hosts, apps, want string
	}{
		{"", "", ""},
		{"", "site", ""},
		{"", "database", "database on db1 is the ZEO server of site on app1, app2, which needs it as its database"},
		{"db1", "", "database on db1 is the ZEO server of site on app1, app2, which needs it as its database"},
		{"db1 app1", "", "database on db1 is the ZEO server of site on app2, which needs it as its database"},
		{"app1", "", ""},
	} {
		f := served(t)
		f.fleet.options.Hosts = strings.Fields(test.hosts)
		f.fleet.members = nil
		if err := f.fleet.choose(); err != nil {
			t.Fatal(err)
		}
		if err := f.fleet.Look(context.Background()); err != nil {
			t.Fatal(err)
		}
		got, err := f.fleet.Bereft(strings.Fields(test.apps))
		if err != nil || strings.Join(got, "; ") != test.want {
			t.Errorf("%q of %q: %v, %v", test.apps, test.hosts, got, err)
		}
	}
}

// What is done on some hosts and not on others is called that.
func TestHalfDone(t *testing.T) {
	for verb, do := range map[string]func(*Fleet, context.Context, []string) error{"undeploy": (*Fleet).Undeploy, "stop": (*Fleet).Stop} {
		f := two(t)
		f.job = func(host string, argv []string) (string, int) {
			if host == "app2" {
				return "plonec: it does not go\n", 1
			}
			return "plonec: site is gone\n", 0
		}
		err := do(f.fleet, context.Background(), []string{"site"})
		if err == nil || errors.Is(err, ErrSplit) != (verb == "undeploy") || errors.Is(err, ErrHalfDone) != (verb == "stop") ||
			!strings.Contains(err.Error(), verb+" of site is half done: done on app1 and not on app2") {
			t.Errorf("%s: %v", verb, err)
		}
		f.job = func(string, []string) (string, int) { return "", 1 }
		if err := do(f.fleet, context.Background(), []string{"site"}); err == nil || errors.Is(err, ErrSplit) || errors.Is(err, ErrHalfDone) {
			t.Errorf("%s that is done nowhere: %v", verb, err)
		}
	}
}

// What a host says of what is not plonec's is read, and its removal is asked for
// by the app's name.
func TestForeign(t *testing.T) {
	f := two(t)
	f.foreign = map[string]string{"app1": "take 2048 20160101000000\nkeep ? data it holds data: data/Data.fs\nsomething else\n"}
	list, err := f.fleet.Foreign(context.Background(), "site")
	want := []Foreign{{"app1", "20160101000000", 2048, ""}, {"app1", "data", -1, "it holds data: data/Data.fs"}}
	if err != nil || !slices.Equal(list, want) {
		t.Errorf("%v: %v", list, err)
	}
	if err := f.fleet.UndeployForeign(context.Background(), "site"); err != nil {
		t.Fatal(err)
	}
	for _, argv := range f.jobs {
		if !strings.HasSuffix(strings.Join(argv, " "), "/host undeploy --foreign --confirm site site") {
			t.Errorf("%v", argv)
		}
	}
	if len(f.jobs) != 2 {
		t.Errorf("%d jobs", len(f.jobs))
	}
}
