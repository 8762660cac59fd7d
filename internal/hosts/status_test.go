package hosts

import (
	"context"
	"strings"
	"testing"
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
		{[]Change{mode}, state(), "the mode or owner alone of /etc/plonec/site/secrets.env: plonec apply"},
		{[]Change{cfg}, state("config", "other"), "1 file changed by hand: plonec apply --force; " +
			"site: buildout (deploy.cfg changed), rolling restart of client1 client2, perhaps restart of zeo: plonec deploy --force site"},
		{nil, state("release", "none"), "site: buildout (there is no release yet), rolling restart of client1 client2, perhaps restart of zeo: plonec deploy --new-database site"},
		{nil, state("unit."+zeo+".state", "failed"), "site: start of zeo: plonec start site"},
	} {
		m := host(test.changes...)
		m.seen.Generation = "1"
		var got []string
		for _, p := range m.pending(test.state) {
			got = append(got, p.Text+": "+p.Command)
		}
		if text := strings.Join(got, "; "); text != test.want {
			t.Errorf("got  %s\nwant %s", text, test.want)
		}
	}
}

// Before anybody is asked it is known where a rollback goes.
func TestRollbackTarget(t *testing.T) {
	f := two(t)
	f.status = map[string]string{
		"app1": "site.release=3\nsite.commit=cc\nsite.kept=1 2 3\nsite.releases=1:good:aa 2:good:bb 3:good:cc\n",
		"app2": "site.release=3\nsite.commit=cc\nsite.kept=1 3\nsite.releases=1:good:aa 3:good:cc\n",
	}
	ctx := context.Background()
	from, to, names, err := f.fleet.RollbackTarget(ctx, "site", "")
	if err != nil || from != (Target{"3", "cc"}) || to != (Target{"1", "aa"}) || strings.Join(names, " ") != "app1 app2" {
		t.Errorf("from %v to %v on %v: %v", from, to, names, err)
	}
	_, _, _, err = f.fleet.RollbackTarget(ctx, "site", "2")
	if err == nil || err.Error() != "app2: rollback: it has no release 2 of site" || f.fleet.Hint(err) != "kept are 1 3" || Told(err) {
		t.Errorf("a release that is not on all: %v; %s", err, f.fleet.Hint(err))
	}
	if err := f.fleet.Rollback(ctx, "site", "2", false); err == nil || f.fleet.Hint(err) != "kept are 1 3" || Told(err) {
		t.Errorf("the rollback itself: %v", err)
	}
	f.status["app1"], f.status["app2"] = "site.release=3\nsite.kept=3\n", "site.release=3\nsite.kept=3\n"
	if _, _, _, err = f.fleet.RollbackTarget(ctx, "site", ""); err == nil || !strings.Contains(err.Error(), "no earlier good release") {
		t.Errorf("nothing to go back to: %v", err)
	}
}

// What is not plonec's among the releases is in the report, with what hosts say of
// its size.
func TestForeignInStatus(t *testing.T) {
	got := appStatus("site", map[string]string{"site.foreign": "20160101000000 (1.2G), by-hand (of unknown size)", "site.ran": "1 2"})
	if strings.Join(got.Foreign, "|") != "20160101000000 (1.2G)|by-hand (of unknown size)" || strings.Join(got.way(), " ") != "1 2" {
		t.Errorf("%+v", got)
	}
}

// An error that a step has told of need not be told again.
func TestTold(t *testing.T) {
	f := two(t)
	err := each(f.fleet.members, 2, func(m *member) error {
		return m.step(context.Background(), "look", func(context.Context) error { return &hinted{"no", "do"} })
	})
	if list := HostErrors(err); !Told(err) || len(list) != 2 || list[1].Host != "app2" || list[1].Error() != "app2: look: no" {
		t.Errorf("%v: %v", err, list)
	}
}
