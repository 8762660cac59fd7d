package plan

import (
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/tree"
)

// seen makes an observation: PATH=SUM of what is there, and of what plonec put
// there, with an effect where one follows a blank.
func seen(files, live map[string]string) *Observation {
	o := &Observation{Files: map[string]FileState{}, Live: map[string]LiveState{}, Services: map[string]ServiceState{}}
	for p, s := range files {
		o.Files[p] = FileState{s, "0644", "root:root"}
	}
	for p, s := range live {
		sum, effect, _ := strings.Cut(s, " ")
		o.Live[p] = LiveState{sum, effects(effect)}
	}
	return o
}

func want(path, sum string, effects ...string) Wanted {
	return Wanted{Path: path, Sum: sum, Mode: "0644", Owner: "root:root", Effects: effects, Rel: path}
}

func TestChanges(t *testing.T) {
	const (
		nginx  = "/etc/nginx/nginx.conf"
		conf   = "/etc/plonec/site/app.conf"
		cfg    = "/etc/plonec/site/deploy.cfg"
		client = "/etc/systemd/system/plone-site-client1.service"
		run    = "restart:plone-site-client1.service"
	)
	for _, test := range []struct {
		name        string
		want        []Wanted
		files, live map[string]string
		hold        map[string]bool
		changes     []string // path kind waits drift
	}{
		{"nothing", []Wanted{want(nginx, "a")}, map[string]string{nginx: "a"}, map[string]string{nginx: "a"}, nil, nil},
		{"a bare host", []Wanted{want(conf, "c"), want(cfg, "d", "deploy:site"), want(nginx, "a")}, nil, nil, nil,
			[]string{nginx + " new  false", conf + " new site false", cfg + " new site false"}},
		{"live", []Wanted{want(nginx, "b", "reload:nginx.service")}, map[string]string{nginx: "a"}, map[string]string{nginx: "a"}, nil,
			[]string{nginx + " changed  false"}},
		{"by hand", []Wanted{want(nginx, "b")}, map[string]string{nginx: "x"}, map[string]string{nginx: "a"}, nil,
			[]string{nginx + " changed  true"}},
		{"by hand, as wanted", []Wanted{want(nginx, "b")}, map[string]string{nginx: "b"}, map[string]string{nginx: "a"}, nil, nil},
		{"not plonec's so far", []Wanted{want(nginx, "b")}, map[string]string{nginx: "debian"}, nil, nil,
			[]string{nginx + " changed  false"}},
		{"a unit takes app.conf and the agent along", []Wanted{want(conf, "2"), want(client, "2", run), want(agentUnit, "2")},
			map[string]string{conf: "1", client: "1", agentUnit: "1"}, map[string]string{conf: "1", client: "1 " + run, agentUnit: "1"}, nil,
			[]string{conf + " changed site false", client + " changed site false", agentUnit + " changed site false"}},
		{"app.conf alone is live", []Wanted{want(conf, "2"), want(client, "1", run)},
			map[string]string{conf: "1", client: "1"}, map[string]string{conf: "1", client: "1 " + run}, nil,
			[]string{conf + " changed  false"}},
		{"a client goes", []Wanted{want(conf, "2")}, map[string]string{conf: "1", client: "1"}, map[string]string{conf: "1", client: "1 " + run}, nil,
			[]string{conf + " changed site false", client + " removed site false"}},
		{"the app goes", nil, map[string]string{client: "1"}, map[string]string{client: "1 " + run}, nil,
			[]string{client + " removed  false"}},
		{"held for the clients", []Wanted{want(Balancing, "2", "reload:haproxy.service")}, map[string]string{Balancing: "1"}, map[string]string{Balancing: "1"},
			map[string]bool{Balancing: true}, []string{Balancing + " changed *clients false"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			m := &Host{Want: test.want, Seen: seen(test.files, test.live)}
			m.Seen.Services[path.Base(client)] = ServiceState{Kind: "client", App: "site"}
			if slices.ContainsFunc(test.want, func(w Wanted) bool { return w.Path == conf }) {
				m.Host.Apps = []tree.App{{Name: "site"}}
			}
			for _, c := range m.compare(test.hold) {
				got = append(got, fmt.Sprintf("%s %s %s %v", c.Path, c.Kind, c.Waits, c.Drift))
			}
			if !reflect.DeepEqual(got, test.changes) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.changes, "\n"))
			}
		})
	}
	// The generation that takes a client away does not know it: it goes on waiting.
	m := &Host{Want: []Wanted{want(conf, "2")}, Seen: seen(map[string]string{conf: "1", client: "1"}, map[string]string{conf: "1", client: "1 " + run})}
	m.Host.Apps = []tree.App{{Name: "site"}}
	m.Seen.Waits = map[string]WaitState{client: {App: "site"}}
	if got := m.compare(nil); len(got) != 2 || got[0].Waits != "site" || got[1].Waits != "site" {
		t.Errorf("a client that waits to go: %+v", got)
	}
	other := want(nginx, "a")
	other.Mode = "0600"
	m = &Host{Want: []Wanted{other}, Seen: seen(map[string]string{nginx: "a"}, map[string]string{nginx: "a"})}
	if got := m.compare(nil); len(got) != 1 || got[0].Kind != ModeOnly {
		t.Errorf("another mode: %+v", got)
	}
}

func TestSendsElsewhere(t *testing.T) {
	one := []byte("backend b\n    server app1-client1 10.0.0.1:8081 maxconn 3\n")
	two := []byte("backend b\n    server app1-client1 10.0.0.1:8081 maxconn 4\n    server app1-client2 10.0.0.1:8082\n")
	if !sendsElsewhere(one, two) || sendsElsewhere(two, one) {
		t.Error("a new server has to wait, one that goes does not")
	}
}

func TestLastGood(t *testing.T) {
	// Releases are called by a number and the commit that they are of.
	state := func(release, kept, bad, unfit string) AppStatus {
		s := AppStatus{Release: release, Kept: strings.Fields(kept), Bad: strings.Fields(bad), Unfit: strings.Fields(unfit), Commits: map[string]string{}}
		for _, r := range s.Kept {
			s.Commits[r] = r[1:]
		}
		return s
	}
	ran := func(s AppStatus, releases string) AppStatus {
		s.ran = strings.Fields(releases)
		return s
	}
	never := func(s AppStatus, built string) AppStatus {
		s.built = []string{built}
		return s
	}
	for _, test := range []struct {
		states []AppStatus
		want   string
	}{
		{[]AppStatus{state("3c", "1a 2b 3c", "", ""), state("3c", "1a 2b 3c", "", "")}, "2b 2b"},
		{[]AppStatus{state("3c", "1a 2b 3c", "2b", ""), state("3c", "1a 2b 3c", "", "")}, "1a 1a"},
		{[]AppStatus{state("3c", "2b 3c", "", ""), state("2b", "1a 2b", "", "")}, "2b 2b"},
		{[]AppStatus{state("3c", "3c", "", ""), state("3c", "1a 2b 3c", "", "")}, ""},
		// 2a was made where the configuration changed, alone.
		{[]AppStatus{state("3c", "1a 2a 3c", "", "1a"), state("3c", "1a 3c", "", "")}, "2a 1a"},
		{[]AppStatus{state("2a", "1a 2a", "", "1a"), state("1a", "1a", "", "")}, ""},
		// 2b was built and never switched to.
		{[]AppStatus{never(state("3c", "1a 2b 3c", "", ""), "2b"), state("3c", "1a 2b 3c", "", "")}, "1a 1a"},
		// One was away while the others went from 1a to 2b.
		{[]AppStatus{state("3c", "1a 2b 3c", "", ""), state("3c", "1a 3c", "", "")}, "1a 1a"},
		// A pusher's clock was ahead: 9b came before 3c.
		{[]AppStatus{ran(state("3c", "1a 9b 3c", "", ""), "1a 9b 3c"), ran(state("3c", "1a 9b 3c", "", ""), "1a 9b 3c")}, "9b 9b"},
		{[]AppStatus{ran(state("3c", "1a 9b 3c", "", ""), "1a 9b 3c"), ran(state("9b", "1a 9b", "", ""), "1a 9b")}, "9b 9b"},
		{[]AppStatus{ran(state("9b", "1a 9b", "", ""), "1a 9b"), ran(state("3c", "1a 9b 3c", "", ""), "1a 9b 3c")}, "9b 9b"},
		// A rollback to 1a, past 2b, and then 3c: 2b did not lead to it.
		{[]AppStatus{ran(state("3c", "1a 2b 3c", "", ""), "1a 3c"), ran(state("3c", "1a 2b 3c", "", ""), "1a 3c")}, "1a 1a"},
		// One went back already, the other is yet to.
		{[]AppStatus{ran(state("2b", "1a 2b 3c", "3c", ""), "1a 2b"), ran(state("3c", "1a 2b 3c", "", ""), "1a 2b 3c")}, "2b 2b"},
		// One has none at all.
		{[]AppStatus{ran(state("2b", "1a 2b", "", ""), "1a 2b"), state("none", "", "", "")}, ""},
	} {
		if got := strings.Join(LastGood(test.states), " "); got != test.want {
			t.Errorf("%v: %q, want %q", test.states, got, test.want)
		}
	}
}
