package hosts

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/remote/remotetest"
	"github.com/plonec/plonec/internal/tree"
)

// two are two hosts with clients of one app.
func two(t *testing.T) *fakeHosts {
	t.Helper()
	return newFakeHosts(t, map[string]string{"app1:/etc/plonec/host.env": "HOST='app1'\n", "app2:/etc/plonec/host.env": "HOST='app2'\n"}, func(h *tree.Host) {
		h.Apps = []tree.App{{Name: "site"}}
		h.Services = []tree.Service{{Unit: "plone-site-client1.service", Kind: "client", App: "site", Server: h.Name + "-client1"}}
	})
}

// Where a build fails, what is said of the app is so: on a first deploy there
// is nothing that runs on.
func TestAfterABuildThatFails(t *testing.T) {
	const running, stopped, none = "site.release=1\nsite.unit.plone-site-client1.service.state=active\n",
		"site.release=1\nsite.unit.plone-site-client1.service.state=inactive\n",
		"site.release=none\nsite.unit.plone-site-client1.service.state=inactive\n"
	for _, test := range []struct{ app1, app2, want1, want2 string }{
		{running, running, "site runs on as it did", "site runs on as it did"},
		{none, running, "site does not run: it has no release yet", "site runs on as it did"},
		{stopped, "", "site does not run, as before", "site is as it was"},
	} {
		f := two(t)
		f.status = map[string]string{"app1": test.app1, "app2": test.app2}
		f.job = func(host string, argv []string) (string, int) {
			if host == "app1" && slices.Contains(argv, "--no-restart") {
				return ":did release 2 of site failed\n", 1
			}
			return "", 0
		}
		if err := f.fleet.Deploy(context.Background(), nil, DeployOptions{}); err == nil {
			t.Error("it went on")
		}
		got := f.told(Result)
		slices.Sort(got)
		if want := []string{"app1 result : " + test.want1, "app2 result : " + test.want2}; !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}

	// The same of the hosts that a switch did not come to.
	f := two(t)
	f.status = map[string]string{"app2": none}
	f.job = func(host string, argv []string) (string, int) {
		if host == "app1" && !slices.Contains(argv, "--no-restart") {
			return "", 4
		}
		return "", 0
	}
	err := f.fleet.Deploy(context.Background(), nil, DeployOptions{})
	if err == nil || errors.Is(err, ErrSplit) {
		t.Error(err)
	}
	if got := f.told(Result); !slices.Equal(got, []string{"app2 result : site does not run: it has no release yet"}) {
		t.Error(got)
	}
}

// Hosts with other packages than the others' are named, with what differs.
func TestOtherPackagesAfterADeploy(t *testing.T) {
	const state = "site.release=20261101120000\nsite.unit.plone-site-client1.service.state=active\nsite.packages="
	path := ":/var/lib/plonec/site/releases/20261101120000.packages"
	for _, test := range []struct {
		app1, app2 string // the sum of each
		files      map[string]string
		want       string // of app2
	}{
		{"a", "a", nil, ""},
		{"a", "", nil, ""},
		{"a", "b", nil, "app2 warning : site: installed packages differ from those on app1"},
		{"a", "b", map[string]string{
			"app1" + path: "Products.CMFPlone-6.2.2.dist-info\nZope-5.13.dist-info\nold-1.0-py3.11-linux-x86_64.egg\n",
			"app2" + path: "Products.CMFPlone-6.2.3.dist-info\nZope-5.13.dist-info\nnew_one-2.0.dist-info\n",
		}, "app2 warning : site: installed packages differ from those on app1: Products.CMFPlone 6.2.3, there 6.2.2; new_one 2.0, which they do not have; no old, they have 1.0"},
	} {
		f := two(t)
		f.status = map[string]string{"app1": state + test.app1 + "\n", "app2": state + test.app2 + "\n"}
		f.files = test.files
		if err := f.fleet.Deploy(context.Background(), nil, DeployOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(f.told(Warning), "\n"); got != test.want {
			t.Errorf("got\n%s\nwant\n%s", got, test.want)
		}
	}
	if got := differences(map[string]string{"a": "1", "b": "1", "c": "1", "d": "1", "e": "1", "f": "1", "g": "1"}, map[string]string{"z": "1"}); !strings.HasSuffix(got, "; 3 more") {
		t.Error(got)
	}
}

// --force, which overwrites what was changed by hand, builds nothing, and
// --always overwrites nothing.
func TestForceIsNotAlways(t *testing.T) {
	for _, force := range []bool{false, true} {
		f := two(t)
		f.fleet.options.Force = force
		if err := f.fleet.Deploy(context.Background(), nil, DeployOptions{Always: !force}); err != nil {
			t.Fatal(err)
		}
		if err := f.fleet.Restart(context.Background(), nil, true); err != nil {
			t.Fatal(err)
		}
		for id, argv := range f.jobs {
			overwrite, always := slices.Contains(argv, "--overwrite"), slices.Contains(argv, "--force")
			if overwrite != force || always != (!force && slices.Contains(argv, "deploy")) {
				t.Errorf("%s: %v", id, argv)
			}
		}
		if len(f.jobs) != 6 {
			t.Errorf("%d jobs", len(f.jobs))
		}
	}
}

// A deploy that was cut short goes on with the name that it had.
func TestCommonRelease(t *testing.T) {
	for name, c := range map[string]struct {
		hosts []resolved
		want  string
	}{
		"nobody has one":                                         {[]resolved{{current: "1", taken: []string{"1"}}, {}}, "9"},
		"one runs it, the other has built it":                    {[]resolved{{current: "2", fit: []string{"2"}}, {current: "1", fit: []string{"2"}, taken: []string{"1"}}}, "2"},
		"one runs it, the other knows nothing":                   {[]resolved{{current: "2", fit: []string{"2"}}, {current: "1", taken: []string{"1"}}}, "2"},
		"where it was taken back it is tried again":              {[]resolved{{current: "2", fit: []string{"2"}}, {current: "1", bad: []string{"2"}}}, "2"},
		"nobody runs it: a new name":                             {[]resolved{{current: "1", failed: []string{"2"}}, {current: "1", bad: []string{"2"}}}, "9"},
		"where it is of another configuration a new name is due": {[]resolved{{current: "1", fit: []string{"2"}}, {current: "1", taken: []string{"1", "2"}}}, "9"},
		"one that goes back behind the current":                  {[]resolved{{current: "2", fit: []string{"2"}}, {current: "3", taken: []string{"3"}}}, "9"},
		"two of one commit: the newer":                           {[]resolved{{current: "2", fit: []string{"2", "4"}}, {current: "3", fit: []string{"3"}}}, "4"},
	} {
		if got := commonRelease(c.hosts, "9"); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// A new release is called by a later name than all that there are, whatever the
// clocks say.
func TestFreshRelease(t *testing.T) {
	const now = "20261129120000"
	for _, test := range []struct {
		hosts []resolved
		want  string
	}{
		{[]resolved{{}, {current: "20261101000000", taken: []string{"20261101000000"}}}, now},
		{[]resolved{{}, {current: "20261101000000", failed: []string{"20390101000059"}}}, "20390101000060"},
		{[]resolved{{taken: []string{"20261129120000"}}}, "20261129120001"},
		{[]resolved{{taken: []string{"99999999999999"}}}, ""},
	} {
		if got, err := freshRelease(test.hosts, now); got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%v: %q, %v, want %q", test.hosts, got, err, test.want)
		}
	}
	f := two(t)
	f.resolve = func(string, []string) remotetest.Reply {
		return remotetest.Reply{Out: "commit 0123456789abcdef0123456789abcdef01234567\ntaken 20990101000000\n"}
	}
	if err := f.fleet.Deploy(context.Background(), nil, DeployOptions{Always: true}); err != nil {
		t.Fatal(err)
	}
	for _, argv := range f.jobs {
		if slices.Contains(argv, "deploy") && !slices.Contains(argv, "20990101000001") {
			t.Errorf("%v", argv)
		}
	}
}

// The result of a host says whether anything had to be done.
func TestWhatADeployDid(t *testing.T) {
	f := two(t)
	f.job = func(host string, argv []string) (string, int) {
		// What a program prints changes nothing of that.
		const printed = "plonec: x.service: restarting it\nrestarting x.service\nplonec: all is well\n"
		out := ":did site runs release 2, commit 0123456789ab\n"
		if host == "app1" && !slices.Contains(argv, "--no-restart") {
			out = ":restarting plone-site-client1.service\n" + out
		}
		return out + printed, 0
	}
	if err := f.fleet.Deploy(context.Background(), nil, DeployOptions{}); err != nil {
		t.Fatal(err)
	}
	got := f.told(Result)
	want := []string{
		"app1 result : site runs release 2, commit 0123456789ab; 1 process restarted",
		"app2 result : site runs release 2, commit 0123456789ab; nothing had to restart",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A restart of one host asks the front ends too, and no other host.
func TestFrontsTakePart(t *testing.T) {
	front := []tree.Service{{Unit: "haproxy.service", Kind: "haproxy"}}
	disk := &tree.Disk{Manifest: &tree.Manifest{
		Hosts: []tree.Host{{Name: "app1", Status: "online"}, {Name: "app2", Status: "online"}, {Name: "lb1", Status: "online", Services: front}, {Name: "lb2", Status: "stopped", Services: front}},
	}}
	for _, test := range []struct {
		options Options
		want    string
	}{
		{Options{Hosts: []string{"app1"}}, "app1"},
		{Options{Hosts: []string{"app1"}, Fronts: true}, "app1 lb1"},
		{Options{Hosts: []string{"app1"}, Others: true}, "app1 app2 lb1"},
	} {
		f := &Fleet{tree: &plan.Tree{Disk: disk}, options: test.options}
		if err := f.choose(); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(f.Names(), " "); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

// What all hosts build is what a host's root was told by the git server. Where it
// is the word of the app's user, it counts for the hosts that all say the same;
// what is no commit in full counts nowhere.
func TestOneCommit(t *testing.T) {
	one, other := strings.Repeat("1", 40), strings.Repeat("2", 40)
	for name, test := range map[string]struct {
		app1, app2, asked string // what each says, and --commit
		want              string // the commit, or what the error holds
		asks              int    // of the second host, without a commit
	}{
		"the git server's word":           {"commit " + one, "commit " + other, "", one, 0},
		"a user's word, the same on both": {"word of deploy\ncommit " + one, "word of deploy\ncommit " + one, "", one, 1},
		"a user's word, another on one": {"word of deploy\ncommit " + one, "word of deploy\ncommit " + other, "",
			"the user deploy says 111111111111 on app1, and 222222222222 on app2", 1},
		"part of a commit":         {"commit " + one[:12], "commit " + one, "", "it gave no commit", 0},
		"more than a commit":       {"commit " + one + "; x", "commit " + one, "", "it gave no commit", 0},
		"asked for":                {"word of deploy\ncommit " + other, "commit " + other, one, one, 0},
		"asked for by part":        {"commit " + one, "commit " + one, one[:12], "it gave no commit", 0},
		"a release that is none":   {"current ../../x\nfit 2026; id\ncommit " + one, "commit " + one, "", one, 0},
		"a line that says nothing": {"\n\x1b[2J\ncommit " + one, "commit " + one, "", one, 0},
	} {
		f := two(t)
		asks, built := 0, ""
		f.resolve = func(host string, argv []string) remotetest.Reply {
			if len(argv) > 1 {
				return remotetest.Reply{Out: "commit " + argv[1] + "\n"}
			}
			if host == "app2" {
				asks++
				return remotetest.Reply{Out: test.app2 + "\n"}
			}
			return remotetest.Reply{Out: test.app1 + "\n"}
		}
		f.job = func(host string, argv []string) (string, int) {
			built = strings.Join(argv, " ")
			return "", 0
		}
		err := f.fleet.Deploy(context.Background(), []string{"site"}, DeployOptions{Commit: test.asked})
		if asks != test.asks {
			t.Errorf("%s: app2 was asked %d times where the revision leads, want %d", name, asks, test.asks)
		}
		if err != nil && (built != "" || !strings.Contains(err.Error(), test.want)) || err == nil && !strings.Contains(built, "--commit "+test.want) {
			t.Errorf("%s: %v, and %q was run; want %s", name, err, built, test.want)
		}
		if strings.Contains(built, "..") || strings.Contains(built, ";") {
			t.Errorf("%s: a name that is no release's was passed on: %s", name, built)
		}
	}
}

// Where a project may name branches of other repositories, one host says where they lead,
// and all build that: one that has the release already, if there is one.
func TestOneOfSources(t *testing.T) {
	const one, two, commit = "1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222", "0123456789abcdef0123456789abcdef01234567"
	for name, test := range map[string]struct {
		builder, had string // had: the host with the release that is fit
		asked, want  string
	}{
		"the first host is asked":         {"uv", "", "app1", "--source a.b=" + one},
		"one that has it is asked":        {"uv", "app2", "app2", "--source a.b=" + two},
		"a buildout fetches its own":      {"buildout", "", "", ""},
		"a name that is none is not told": {"uv", "bad", "app1", "--source a.b=" + one},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeHosts(t, map[string]string{"app1:/etc/a": "", "app2:/etc/a": ""}, func(h *tree.Host) {
				h.Apps = []tree.App{{Name: "site", Builder: test.builder}}
			})
			asked := ""
			f.resolve = func(host string, argv []string) remotetest.Reply {
				if !slices.Contains(argv, "--sources") {
					fit := map[bool]string{true: "current 20260101000000\nfit 20260101000000\n"}[host == test.had]
					return remotetest.Reply{Out: fit + "commit " + commit + "\n"}
				}
				asked += host
				if !slices.Contains(argv, commit) {
					t.Errorf("%s was asked of another commit: %q", host, argv)
				}
				at := map[string]string{"app1": one, "app2": two}[host]
				return remotetest.Reply{Out: "commit " + commit + "\nsource a.b=" + at + "\nsource x;id=" + at + "\nsource --force=" + at + "\nsource y=" + at[:12] + "\n"}
			}
			var told []string
			f.job = func(host string, argv []string) (string, int) {
				if argv[1] == "deploy" {
					told = append(told, strings.Join(argv, " "))
				}
				return "", 0
			}
			if err := f.fleet.Deploy(context.Background(), []string{"site"}, DeployOptions{}); err != nil {
				t.Fatal(err)
			}
			if asked != test.asked {
				t.Errorf("asked: %q, want %q", asked, test.asked)
			}
			for _, argv := range told {
				if strings.Count(argv, "--source") != strings.Count(test.want, "--source") || !strings.Contains(argv, test.want) {
					t.Errorf("a host was told %q, want %q", argv, test.want)
				}
			}
			if len(told) != 4 {
				t.Errorf("%d builds and switches, want 4", len(told))
			}
		})
	}
}
