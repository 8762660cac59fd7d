package hosts

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/remote/remotetest"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/tree"
)

// Before a scheduler starts on a host it is stopped on the others; where one of them
// cannot be asked nothing starts, unless that is allowed.
func TestHandOver(t *testing.T) {
	const unit = "plone-site-celerybeat.service"
	for _, test := range []struct {
		name      string
		lost      bool
		allow     bool
		live      bool // it runs on the new host already
		left      bool // the new host has it, and left it to another one once
		reverted  bool // the new host's switch is taken back
		want      string
		said, not string
	}{
		{name: "it moves", said: "app1 note : " + unit + " is stopped here"},
		{name: "the other host is away", lost: true, want: "give --allow-two"},
		{name: "the other host is away, as allowed", lost: true, allow: true, said: "app3 warning : this host does not say whether"},
		{name: "it runs there already", lost: true, live: true, not: "stop_unit"},
		{name: "it comes back", live: true, left: true, said: "app1 note : " + unit + " is stopped here"},
		{name: "the new host takes it back", reverted: true, said: "app1 note : " + unit + " is here again as it was"},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := map[string]string{}
			for _, h := range []string{"app1", "app2", "app3"} {
				files[h+":/etc/plonec/host.env"] = "HOST='" + h + "'\n"
			}
			f := newFakeHosts(t, files, func(h *tree.Host) {
				h.Apps = []tree.App{{Name: "site"}}
				switch h.Name {
				case "app2":
					h.Apps[0].Duties = []topology.Role{topology.Celerybeat, topology.Pack}
				case "app3":
					h.Status = "connection_lost"
				}
			})
			f.fleet.options.AllowTwo = test.allow
			hand := func() error { return f.fleet.Deploy(context.Background(), nil, DeployOptions{}) }
			if test.live {
				hand = func() error { return f.fleet.handOver(context.Background(), "site") }
				if !test.left {
					f.status["app2"] = "site.unit." + unit + ".state=active\n"
				}
				f.fleet.members[1].Seen.Live["/etc/systemd/system/"+unit] = f.fleet.members[1].Seen.Live[""]
			}
			f.other = func(host string, words []string) remotetest.Reply {
				switch {
				case host == "app3" && test.lost:
					return remotetest.Reply{Err: "Connection timed out", Status: remotetest.Lost}
				case host == "app1" && words[0] == "stop_unit":
					return remotetest.Reply{Out: "marked\nactive\nenabled\n"}
				}
				return remotetest.Reply{}
			}
			f.job = func(host string, argv []string) (string, int) {
				if test.reverted && host == "app2" && slices.Contains(argv, "deploy") && !slices.Contains(argv, "--no-restart") {
					return "", 4
				}
				return "", 0
			}
			err := hand()
			if test.reverted {
				if err == nil || f.count("app2 stop_unit site "+unit) != 1 || f.count("app1 take_unit site "+unit+" marked active enabled") != 1 {
					t.Errorf("%v, asked: %q", err, f.asked)
				}
				err = nil
			} else if f.count("app1 take_unit") > 0 {
				t.Errorf("it is given back: %q", f.asked)
			}
			if takes := test.not == "" && test.want == ""; takes != (f.count("app2 take_unit site "+unit) == 1) {
				t.Errorf("asked: %q", f.asked)
			}
			if test.want == "" && err != nil || test.want != "" && (err == nil || !errors.Is(err, ErrNotDeployed)) {
				t.Fatal(err)
			}
			told := strings.Join(f.told(Note, Warning, Failed), "\n")
			if test.want != "" && (!strings.Contains(told+hints(f), test.want) || f.switched()) {
				t.Errorf("switched %v, told:\n%s\n%s", f.switched(), told, hints(f))
			}
			if !strings.Contains(told, test.said) {
				t.Errorf("told:\n%s", told)
			}
			if test.not != "" && slices.ContainsFunc(f.asked, func(a string) bool { return strings.Contains(a, test.not) }) {
				t.Errorf("asked: %q", f.asked)
			}
			stop := slices.IndexFunc(f.asked, func(a string) bool { return a == "app1 stop_unit site "+unit })
			if stops := test.not == "" && test.want == ""; stops != (stop >= 0) {
				t.Errorf("asked: %q", f.asked)
			}
		})
	}
}

// A unit that a host leaves to another one does not start there at a boot, and is what it
// was where it is given back. systemctl itself enables and disables, below a root.
func TestStopUnit(t *testing.T) {
	const unit = "plone-site-celerybeat.service"
	for _, test := range []struct {
		name, state    string
		there, enabled bool
		was, asked     string
	}{
		{"it runs", "active", true, true, "marked active enabled", "stop start"},
		{"it runs until the next boot", "active", true, false, "marked active", "stop start"},
		{"it does not run and would at a boot", "failed", true, true, "marked enabled", ""},
		{"it was stopped", "inactive", true, false, "marked", ""},
		{"it is not there", "inactive", false, false, "", ""},
		{"its file is gone", "active", false, false, "active", "stop start"},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			file, wants := root+"/etc/systemd/system/"+unit, root+"/etc/systemd/system/multi-user.target.wants/"+unit
			if err := os.MkdirAll(filepath.Dir(wants), 0o755); err != nil {
				t.Fatal(err)
			}
			if test.there {
				if err := os.WriteFile(file, []byte("[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if test.enabled {
				if err := os.Symlink("/etc/systemd/system/"+unit, wants); err != nil {
					t.Fatal(err)
				}
			}
			run := func(script string, words ...string) string {
				t.Helper()
				cmd := exec.Command("bash", append([]string{"-c", `systemctl() {
	case $1 in
	show) echo "$STATE" ;;
	start | stop) echo "$1" >>"$PLONEC_ROOT/asked" ;;
	*) command systemctl --root="$PLONEC_ROOT" "$@" ;;
	esac
}
` + script, "bash", "site", unit}, words...)...)
				cmd.Env = append(os.Environ(), "PLONEC_ROOT="+root, "STATE="+test.state)
				out, err := cmd.Output()
				if err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				return strings.Join(strings.Fields(string(out)), " ")
			}
			boots := func() bool { _, err := os.Lstat(wants); return err == nil }
			marked := func() bool { _, err := os.Stat(root + "/var/lib/plonec/site/handed-over/" + unit); return err == nil }
			was := run(stopUnit)
			if was != test.was || boots() || marked() != test.there {
				t.Errorf("it was %q, want %q; starts at a boot: %v, marked: %v", was, test.was, boots(), marked())
			}
			run(takeUnit, strings.Fields(was)...)
			asked, _ := os.ReadFile(root + "/asked")
			if got := strings.Join(strings.Fields(string(asked)), " "); got != test.asked || boots() != test.enabled || marked() {
				t.Errorf("given back: asked %q, want %q; starts at a boot: %v, marked: %v", got, test.asked, boots(), marked())
			}
		})
	}
}

func hints(f *fakeHosts) string {
	var all []string
	for _, e := range f.events {
		all = append(all, e.Hint)
	}
	return strings.Join(all, "\n")
}

// switched tells whether a host was switched to a release.
func (f *fakeHosts) switched() bool {
	for _, argv := range f.jobs {
		if slices.Contains(argv, "deploy") && !slices.Contains(argv, "--no-restart") {
			return true
		}
	}
	return false
}
