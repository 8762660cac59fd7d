package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/tree"
)

// The command for what is pending is one that the hosts do not refuse, and
// what is only counted has a name.
func TestPending(t *testing.T) {
	const zeo = "plone-site-zeo.service"
	hand := Change{Path: "/etc/nginx/nginx.conf", Kind: Changed, Drift: true}
	mode := Change{Path: "/etc/plonec/site/secrets.env", Kind: ModeOnly, Secret: true}
	cfg := waits("deploy.cfg", Changed, "deploy:site")
	cfg.Drift = true
	for _, test := range []struct {
		changes []Change
		state   map[string]string
		want    string
	}{
		{[]Change{{Path: "/etc/a", Kind: Changed}}, state(), "1 file of the tree: plonec apply"},
		{[]Change{{Path: "/etc/a", Kind: Changed}, hand}, state(), "1 file of the tree, 1 file changed by hand: plonec apply --force"},
		{[]Change{hand}, state(), "1 file changed by hand: plonec apply --force"},
		{[]Change{mode}, state(), "only the mode or owner of /etc/plonec/site/secrets.env: plonec apply"},
		{[]Change{cfg}, state("config", "other"), "1 file changed by hand: plonec apply --force; " +
			"site: buildout (deploy.cfg changed), rolling restart of client1 client2, perhaps restart of zeo: plonec deploy --force site"},
		{nil, state("release", "none"), "site: buildout (there is no release yet), rolling restart of client1 client2, perhaps restart of zeo: plonec deploy --new-database site"},
		{nil, state("unit."+zeo+".state", "failed"), "site: start of zeo: plonec start site"},
	} {
		m := host(test.changes...)
		m.Seen.Generation = "1"
		var got []string
		for _, p := range m.pending(test.state) {
			got = append(got, p.Text+": "+p.Command)
		}
		if text := strings.Join(got, "; "); text != test.want {
			t.Errorf("got  %s\nwant %s", text, test.want)
		}
	}
}

// A process has its kind, as the tree has it: what counts them names it by that.
func TestKindsInStatus(t *testing.T) {
	m := host()
	m.Services = append(m.Services, tree.Service{Unit: "plone-site-volto1.service", Kind: "volto", App: "site"})
	got := m.Describe(state("unit.plone-site-volto1.service.state", "active", "unit.plone-site-old1.service.state", "active"), time.Time{})
	kinds := map[string]string{}
	for _, u := range got.Apps[0].Units {
		kinds[u.Name] = u.Kind
	}
	for unit, want := range map[string]string{"plone-site-client1.service": "client", "plone-site-volto1.service": "volto", "plone-site-old1.service": ""} {
		if kind, there := kinds[unit]; !there || kind != want {
			t.Errorf("%s is of kind %q, not %q", unit, kind, want)
		}
	}
}

// What is not plonec's among the releases is in the report, with what hosts say of
// its size.
func TestForeignInStatus(t *testing.T) {
	got := AppStatusOf("site", map[string]string{"site.foreign": "20160101000000 (1.2G), by-hand (of unknown size)", "site.ran": "1 2"})
	if strings.Join(got.Foreign, "|") != "20160101000000 (1.2G)|by-hand (of unknown size)" || strings.Join(got.way(), " ") != "1 2" {
		t.Errorf("%+v", got)
	}
}

// What is done now and then is in the report, with what hosts say of the last time.
func TestJobsInStatus(t *testing.T) {
	got := AppStatusOf("site", map[string]string{
		"site.job.pack.result": "failed", "site.job.pack.unit": "plone-site-pack", "site.job.pack.began": "2026-11-29T01:00:00Z", "site.job.pack.ended": "2026-11-29T01:00:02Z",
		"site.job.pack.by": "timer", "site.job.pack.why": "so", "site.job.pack.timer": "active", "site.job.pack.next": "2026-12-06T01:00:00Z",
		"site.job.backup.result": "", "site.job.backup.unit": "plone-site-backup", "site.job.backup.timer": "inactive",
		"other.job.pack.result": "done",
	})
	want := []Job{
		{Name: "backup", Unit: "plone-site-backup", Timer: "inactive"},
		{Name: "pack", Unit: "plone-site-pack", Result: "failed", Began: "2026-11-29T01:00:00Z", Ended: "2026-11-29T01:00:02Z", By: "timer", Why: "so", Timer: "active", Next: "2026-12-06T01:00:00Z"},
	}
	if !slices.Equal(got.Jobs, want) {
		t.Errorf("%+v", got.Jobs)
	}
}
