package hosts

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/frontend"
	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/remote/remotetest"
	"github.com/plonec/plonec/internal/tree"
)

const ofFrontend = "fedcba9876543210fedcba9876543210fedcba98"

// makesFrontend stands for the script that builds one, which package render tests.
const makesFrontend = `case $1 in
resolve) echo ` + ofFrontend + ` ;;
fetch) mkdir -- "$PLONEC_ROOT/work" && echo core=` + ofFrontend + ` >"$PLONEC_ROOT/sources" ;;
make) echo "== building" && echo built >"$3/x" && tar -czf "$3/frontend.tar.gz" -C "$3" x ;;
esac
`

// withFrontend are a host of clients and one of Volto, whose frontend is built here.
func withFrontend(t *testing.T, files map[string]string) *fakeHosts {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	all := map[string]string{
		"app1:/etc/plonec/host.env":                       "HOST='app1'\n",
		"*:" + plan.ScriptDir + "/builders/frontend-here": makesFrontend,
		"page1:/etc/plonec/site/app.conf":                 "APP='site'\n",
		"page1:/etc/plonec/site/app.env":                  "",
		"page1:/etc/plonec/site/build.conf":               "SCM_REPOSITORY='x'\n",
	}
	for name, text := range files {
		all[name] = text
	}
	f := newFakeHosts(t, all, func(h *tree.Host) {
		h.Apps = []tree.App{{Name: "site", Config: "of the tree", FrontendHere: h.Name != "app1"}}
		h.Services = []tree.Service{{Unit: "plone-site-client1.service", Kind: "client", App: "site"}}
		if h.Name != "app1" {
			h.Services = []tree.Service{{Unit: "plone-site-volto1.service", Kind: "volto", App: "site"}}
		}
	})
	f.resolve = func(string, []string) remotetest.Reply { return remotetest.Reply{Out: "commit " + ofFrontend + "\n"} }
	here, err := frontend.Here()
	if err != nil {
		t.Fatal(err)
	}
	f.other = func(_ string, words []string) remotetest.Reply {
		if slices.Equal(words, []string{"a script", "machine"}) {
			return remotetest.Reply{Out: here.Type + "\nglibc " + here.Glibc + "\n"}
		}
		return remotetest.Reply{}
	}
	return f
}

// What is built here is built before a host is locked or changed, and named to all hosts
// by its sum with the commit that it is of.
func TestFrontendBuiltHere(t *testing.T) {
	f := withFrontend(t, nil)
	if err := f.fleet.BuildFrontends(context.Background(), nil, DeployOptions{}); err != nil {
		t.Fatal(err)
	}
	if n := f.count("app1 hold") + f.count("page1 hold") + len(f.jobs); n > 0 {
		t.Errorf("hosts were asked for locks and jobs: %v", f.asked)
	}
	if err := f.fleet.Deploy(context.Background(), nil, DeployOptions{}); err != nil {
		t.Fatal(err)
	}
	b := f.fleet.frontends["site"]
	for _, host := range []string{"app1", "page1"} {
		if n := f.count(host + " " + plan.ScriptDir + "/host resolve --commit " + ofFrontend); n != 1 {
			t.Errorf("%s was told the commit %d times: %v", host, n, f.asked)
		}
	}
	for id, argv := range f.jobs {
		if !strings.Contains(strings.Join(argv, " "), "--commit "+ofFrontend+" --frontend "+b.Sum) {
			t.Errorf("%s: %v", id, argv)
		}
	}
	if len(f.jobs) != 4 {
		t.Errorf("%d jobs", len(f.jobs))
	}
	if got := strings.Join(f.told(Started, Finished), "\n"); !strings.Contains(got, "page1 finished frontend") || strings.Contains(got, "app1 finished frontend") {
		t.Errorf("it was brought to others than the host of Volto:\n%s", got)
	}
	if got := f.told(Note); !slices.Contains(got, "note : site: the frontend of commit fedcba987654 is built here") {
		t.Error(got)
	}
}

// Where it cannot be built, or is not what the hosts could run, nothing is changed there.
func TestFrontendNotBuiltHere(t *testing.T) {
	for name, test := range map[string]struct {
		files   map[string]string
		machine string
		want    string
	}{
		"a build that fails": {
			map[string]string{"*:" + plan.ScriptDir + "/builders/frontend-here": strings.Replace(makesFrontend, `echo "== building"`, `{ printf 'plonec: %s\n        %s\n' 'it could not be built' 'see above'; exit 1; }`, 1)},
			"", "it could not be built",
		},
		"another machine": {nil, "sparc64\nglibc 2.41\n", "and the host is sparc64"},
		"an older host":   {nil, "TYPE\nglibc 2.17\n", "and the host has 2.17"},
		"another libc":    {nil, "TYPE\nother\n", "the machine type and the C library of the host are not known"},
		"two hosts that differ": {map[string]string{
			"page2:/etc/plonec/site/app.conf": "", "page2:/etc/plonec/site/app.env": "A=\"b\"\n", "page2:/etc/plonec/site/build.conf": "SCM_REPOSITORY='x'\n",
		}, "", "page1 and page2 would have different frontends of site"},
	} {
		f := withFrontend(t, test.files)
		if test.machine != "" {
			here, err := frontend.Here()
			if err != nil {
				t.Fatal(err)
			}
			f.other = func(string, []string) remotetest.Reply {
				return remotetest.Reply{Out: strings.ReplaceAll(test.machine, "TYPE", here.Type)}
			}
		}
		err := f.fleet.Deploy(context.Background(), nil, DeployOptions{})
		if !errors.Is(err, ErrNotDeployed) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
		if got := f.told(Failed); len(got) != 1 || !strings.Contains(got[0], test.want) {
			t.Errorf("%s: told is %q", name, got)
		}
		if n := f.count("app1 hold") + f.count("page1 hold") + len(f.jobs); n > 0 {
			t.Errorf("%s: hosts were asked for locks and jobs: %v", name, f.asked)
		}
	}
}

// Where all hosts have the release already nothing is built, unless it is asked for.
func TestFrontendNotDue(t *testing.T) {
	for _, test := range []struct {
		commit, state, config string
		always, builds        bool
	}{
		{"", "", "", false, false},
		{"", "", "", true, true},
		{"another", "", "", false, true},
		{"", "bad", "", false, true},
		{"", "", "another", false, true},
	} {
		f := withFrontend(t, nil)
		f.status = map[string]string{"page1": "site.commit=" + cmp.Or(test.commit, ofFrontend) + "\nsite.state=" + cmp.Or(test.state, "good") + "\nsite.config=" + cmp.Or(test.config, "of the tree") + "\n"}
		if err := f.fleet.BuildFrontends(context.Background(), nil, DeployOptions{Always: test.always}); err != nil {
			t.Fatal(err)
		}
		if b := f.fleet.frontends["site"]; b.Commit != ofFrontend || (b.Sum != "") != test.builds {
			t.Errorf("%+v: %+v", test, b)
		}
	}
}

// Hosts that built one release of different things do not switch to it.
func TestFrontendsDiffer(t *testing.T) {
	const one, two = "frontend=core=11 node=v24.19.0 pnpm-lock.yaml=aa\n", "frontend=core=22 node=v24.19.0 pnpm-lock.yaml=aa\n"
	for name, test := range map[string]struct {
		page1, page2, current string
		want                  string
	}{
		"the same":                     {one, one, "", ""},
		"a branch that moved":          {one, two, "", "page1 and page2 built different frontends of site: core=11, and core=22"},
		"one that says more":           {one, "frontend=node=v24.19.0 pnpm-lock.yaml=aa\n", "", "page1 and page2 built different frontends of site: core=11, and nothing else"},
		"it runs everywhere":           {one, two, "current 20260101000000\nfit 20260101000000\n", ""},
		"what is no word is not shown": {one, one[:len(one)-1] + " \x1b[2J=1\n", "", ""},
	} {
		files := map[string]string{"app1:/etc/a": "", "page1:/etc/a": "", "page2:/etc/a": ""}
		f := newFakeHosts(t, files, func(h *tree.Host) {
			h.Apps = []tree.App{{Name: "site"}}
			kind := map[bool]string{true: "client", false: "volto"}[h.Name == "app1"]
			h.Services = []tree.Service{{Unit: "plone-site-" + kind + "1.service", Kind: kind, App: "site"}}
		})
		f.resolve = func(string, []string) remotetest.Reply {
			return remotetest.Reply{Out: test.current + "commit " + ofFrontend + "\n"}
		}
		f.other = func(host string, words []string) remotetest.Reply {
			if words[0] != "/bin/grep" {
				return remotetest.Reply{}
			}
			if host == "app1" {
				t.Errorf("%s: %s is asked", name, host)
			}
			return remotetest.Reply{Out: map[string]string{"page1": test.page1, "page2": test.page2}[host]}
		}
		err := f.fleet.Deploy(context.Background(), nil, DeployOptions{})
		switches := 0
		for _, argv := range f.jobs {
			if !slices.Contains(argv, "--no-restart") {
				switches++
			}
		}
		switch {
		case test.want == "" && (err != nil || switches != 3):
			t.Errorf("%s: %v, %d switches", name, err, switches)
		case test.want != "" && (!errors.Is(err, ErrNotDeployed) || !strings.Contains(err.Error(), test.want) || switches > 0):
			t.Errorf("%s: %v, %d switches", name, err, switches)
		}
	}
}
