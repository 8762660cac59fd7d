package project

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/apart"
	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/topology"
)

var update = flag.Bool("update", false, "rewrite the reports of testdata/projects")

// TestMain lets this program be the child too, and keeps virtualenvs where the tests have
// theirs.
func TestMain(m *testing.M) {
	input.RunChild()
	apart.RunChild()
	cache := os.Getenv("PLONEC_TEST_CACHE")
	if cache == "" {
		cache, _ = filepath.Abs("../../.cache") // there is a working directory
	}
	os.Setenv("XDG_CACHE_HOME", cache)
	os.Exit(m.Run())
}

// stackOf compiles stacks, and gives the deploy.cfg of each app on each host.
func stackOf(t testing.TB, files ...string) (*topology.Topology, func(host, app string) string) {
	t.Helper()
	built, list, err := compile.Stack(files, &compile.Options{Tree: t.TempDir()})
	if built == nil || err != nil {
		t.Fatal(list, err)
	}
	deployCfg, err := DeployCfgs(built.Topology)
	if err != nil {
		t.Fatal(err)
	}
	return built.Topology, deployCfg
}

// TestProjects holds what is said of each structure of a project against its report.
func TestProjects(t *testing.T) {
	entries, err := os.ReadDir("../../testdata/projects")
	if err != nil {
		t.Fatal(err)
	}
	top, err := filepath.Abs("../../testdata/projects")
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]bool{}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		t.Run(e.Name(), func(t *testing.T) {
			t.Chdir(filepath.Join(top, e.Name()))
			files := []string{"../stack.json"}
			if _, err := os.Stat("stack.json"); err == nil {
				files = append(files, "stack.json")
			}
			topo, deployCfg := stackOf(t, files...)
			list, err := Check(topo, map[string]string{"site": "project"}, deployCfg, e.Name() == "many")
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := (diag.Text{}).Format(&got, list); err != nil {
				t.Fatal(err)
			}
			for _, d := range list {
				codes[d.Code] = true
			}
			if *update {
				if err := os.WriteFile("report", got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile("report")
			if err != nil || got.String() != string(want) {
				t.Errorf("%v: got\n%s", err, &got)
			}
		})
	}
	if _, err := os.Stat("/tmp/plonec-was-here"); err == nil {
		t.Error("an expression was run")
	}
	for _, r := range rules {
		if r.code != "project-unread" && !codes[r.code] {
			t.Errorf("no project has %s", r.code)
		}
	}
	for _, r := range uvRules {
		if !codes[r.code] {
			t.Errorf("no project has %s", r.code)
		}
	}
}

// The documentation has every code.
func TestCodesInTheDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../docs/buildout.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if _, ok := diag.Codes[r.code]; !ok || !strings.Contains(string(text), "`"+r.code+"`") {
			t.Errorf("%s is not explained", r.code)
		}
	}
}

// TestExampleIsGood: the example buildout is what the cookbook agreed on.
func TestExampleIsGood(t *testing.T) {
	topo, deployCfg := stackOf(t, "../../examples/zeo/stack.json")
	folder := map[string]string{"site": "../../examples/buildout", "database": "../../examples/buildout"}
	if list, err := Check(topo, folder, deployCfg, false); err != nil || len(list) > 0 {
		t.Error(list, err)
	}
}

// TestNothingRuns: not what a project brings, nor what a user has, even where the guard
// has let it through.
func TestNothingRuns(t *testing.T) {
	dir := t.TempDir()
	mark := filepath.Join(dir, "mark")
	evil := "open(" + `"` + mark + `", "w")`
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("home/.buildout/default.cfg", "[buildout]\nparts = of-the-user\n")
	write("setup.py", evil)
	write("evil.py", evil)
	t.Setenv("HOME", filepath.Join(dir, "home"))
	t.Setenv("PYTHONPATH", dir)
	t.Setenv("BUILDOUT_HOME", filepath.Join(dir, "home/.buildout"))
	files := map[string]string{
		"good.cfg": "[buildout]\nextensions = evil\ndevelop = " + dir + "\nparts = a\n[a]\nrecipe = evil\nx = 1\n",
		"evil.cfg": "[buildout]\nparts =\n[a: " + evil + "]\nx = 1\n",
		"mark.cfg": "[buildout]\nparts =\n[a: python_version > '3']\nx = 1\n",
		"http.cfg": "[buildout]\nextends = http://192.0.2.1/x.cfg\n",
	}
	reads, err := readAll("5.2.0", files, []string{"good.cfg", "evil.cfg", "mark.cfg", "http.cfg"}, false)
	if err != nil {
		t.Fatal(err)
	}
	if r := reads[0]; r.Error != "" || r.Effective["a"]["x"] != "1" || r.Effective["buildout"]["parts"] != "a" {
		t.Errorf("%+v", r)
	}
	for i, r := range reads[1:] {
		if !strings.Contains(r.Error, "plonec does not run this") {
			t.Errorf("%d: %q", i, r.Error)
		}
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("something was run")
	}
	// The same by buildout itself, so that this test sees what it looks for.
	venv, err := buildoutVenv("5.2.0")
	if err != nil {
		t.Fatal(err)
	}
	write("evil.cfg", files["evil.cfg"])
	c := exec.Command(venv+"/bin/python", "-c", `from zc.buildout.buildout import main; main(["-c", "evil.cfg", "query", "buildout:parts"])`)
	c.Dir = dir
	out, _ := c.CombinedOutput()
	if _, err := os.Stat(mark); err != nil {
		t.Errorf("buildout itself runs nothing: %s", out)
	}
}

// TestBounds: a project whose options refer to each other until nothing holds their text is
// told so, with the section, and what is printed is bounded.
func TestBounds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		times int // by ten each
		want  []string
	}{
		"more than can be told":    {6, []string{"MemoryError"}},
		"as much as a project has": {4, nil},
	} {
		text := "[buildout]\nparts = client1\n[client1]\nrecipe = x\neggs = ${long:x" + strconv.Itoa(test.times) + "}\n[long]\nx0 = " + strings.Repeat("a", 64) + "\n"
		for i := range test.times {
			text += fmt.Sprintf("x%d = %s\n", i+1, strings.Repeat(fmt.Sprintf("${long:x%d}", i), 10))
		}
		reads, err := readAll("5.2.0", map[string]string{"x.cfg": text, "y.cfg": "[buildout]\nparts =\n"}, []string{"x.cfg", "y.cfg"}, false)
		if err != nil || len(reads) != 2 || reads[0].Error != "" || !slices.Equal(reads[0].Errors["client1"], test.want) || reads[1].Error != "" {
			t.Errorf("%s: %v", name, err)
			continue
		}
		v := &view{group: &group{closure: &closure{}, app: &topology.App{}}, read: &reads[0]}
		v.Effective["buildout"]["parts"] = "client1"
		said := ""
		v.missingSections(func(_ diag.Span, message, remedy string) { said += message + ": " + remedy })
		if want := "[client1] has more than 16 MiB"; test.want != nil && !strings.Contains(said, want) || test.want == nil && said != "" {
			t.Errorf("%s: %q", name, said)
		}
	}
}

// TestGroups: hosts that differ in their addresses alone are read once.
func TestGroups(t *testing.T) {
	topo, deployCfg := stackOf(t, "../../testdata/projects/stack.json")
	groups := grouped(topo, map[string]string{"site": "x"}, deployCfg)
	if len(groups) != 2 || strings.Join(groups[0].hosts, " ") != "app1 app2" || strings.Join(groups[1].hosts, " ") != "db1" {
		for _, g := range groups {
			t.Error(g.hosts)
		}
	}
}

func TestIsPrivate(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1": true, "10.1.2.3": true, "172.16.0.1": true, "192.168.1.1": true, "169.254.169.254": true, "100.64.0.1": true, "0.0.0.0": true, "224.0.0.1": true, "255.255.255.255": true,
		"::1": true, "::": true, "fe80::1": true, "fd00::1": true, "ff02::1": true, "::ffff:10.0.0.1": true, "64:ff9b::a00:1": true, "2002:a00:1::1": true,
		"151.101.0.223": false, "2a04:4e42::223": false, "::ffff:151.101.0.223": false,
	} {
		if got := isPrivate(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

// What is no text, and a link out of the project, is not read.
func TestUvUnreadable(t *testing.T) {
	topo, deployCfg := stackOf(t, "../../testdata/projects/stack.json", "../../testdata/projects/uv/stack.json")
	for name, make := range map[string]func(path string) error{
		"it is not UTF-8":                         func(path string) error { return os.WriteFile(path, []byte("\xff"), 0o644) },
		"leads to /etc/passwd by a symbolic link": func(path string) error { return os.Symlink("/etc/passwd", path) },
	} {
		dir := t.TempDir()
		if err := errors.Join(os.Mkdir(dir+"/backend", 0o755), make(dir+"/backend/pyproject.toml")); err != nil {
			t.Fatal(err)
		}
		if _, err := Check(topo, map[string]string{"site": dir}, deployCfg, false); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %s", err, name)
		}
	}
}
