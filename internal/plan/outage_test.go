package plan

import (
	"slices"
	"testing"

	"github.com/plonec/plonec/internal/tree"
)

// What one host alone runs and another one is to run is said to move.
func TestOutageNamesWhatMoves(t *testing.T) {
	const unit = "plone-site-celerybeat.service"
	disk := &tree.Disk{Manifest: &tree.Manifest{}}
	for _, test := range []struct {
		plans []HostPlan
		want  []string
	}{
		{[]HostPlan{{Host: "app1", Deploy: []AppPlan{{App: "site", Stop: []string{unit}}}}, {Host: "app2", Deploy: []AppPlan{{App: "site", Start: []string{unit}}}}},
			[]string{"plone-site-celerybeat moves from app1 to app2: it stops on the one before it starts on the other"}},
		{[]HostPlan{{Host: "app2", Deploy: []AppPlan{{App: "site", Start: []string{unit}}}}}, nil},
	} {
		if got := Outage(disk, test.plans); !slices.Equal(got, test.want) {
			t.Errorf("got %q, want %q", got, test.want)
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
