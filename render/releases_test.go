package render

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// A releasesHost has an app without processes, so that all of the scripts run
// without systemd, and releases that a test puts there.
type releasesHost struct {
	t                       *testing.T
	root, deployTo, scripts string
	commit, config          string
}

func newReleasesHost(t *testing.T, change func(*topology.App, string)) *releasesHost {
	t.Helper()
	r := &releasesHost{t: t, root: t.TempDir(), scripts: hostScripts(t), commit: strings.Repeat("a", 40)}
	r.deployTo = r.root + "/srv/www/site"
	me, group := tester(t)
	h := processHost()
	a := h.Apps[0]
	a.Clients, a.Zeo, a.Commands, a.Storage = nil, nil, nil, topology.Storage{}
	h.Stack.PloneBlobs.BlobDir = ""
	a.Config.DeployTo, a.Config.Home, a.Config.KeepReleases = r.deployTo, r.root, 5
	a.Config.User, a.Config.Group = me.Username, group.Name
	a.Config.SCM = schema.SCM{Type: "git", Repository: r.root + "/repo", Revision: "main"}
	if change != nil {
		change(a, r.deployTo)
	}
	for _, name := range []string{"host.env", "site/app.conf", "site/build.conf", "site/app.env"} {
		r.write(r.root+"/etc/plonec/"+name, content(t, h, "/etc/plonec/"+name))
	}
	r.config = r.bash("config_sum")
	return r
}

func (r *releasesHost) write(path, text string) {
	r.t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o644)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// bash runs functions of the real scripts.
func (r *releasesHost) bash(script string) string {
	r.t.Helper()
	cmd := exec.Command("bash", "-c", `LIB=$1; for f in lib source release processes foreign; do . "$LIB/$f.sh"; done; load_host; load_app site; `+script, "bash", r.scripts)
	cmd.Env = append(os.Environ(), "PLONEC_ROOT="+r.root)
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// host runs a verb, which has to end with the status.
func (r *releasesHost) host(status int, args ...string) string {
	r.t.Helper()
	cmd := exec.Command(r.scripts+"/host", args...)
	cmd.Env = append(os.Environ(), "PLONEC_ROOT="+r.root)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != status {
		r.t.Fatalf("host %s: %v, want exit status %d\n%s", args, err, status, out)
	}
	return string(out)
}

// TestConfigSum: what plonec sent counts as long as the files are those that it
// sent with it; one that somebody changed makes another release.
func TestConfigSum(t *testing.T) {
	t.Parallel()
	r := newReleasesHost(t, nil)
	gen := r.root + "/var/lib/plonec/gen/7"
	build, err := os.ReadFile(r.root + "/etc/plonec/site/build.conf")
	if err != nil {
		t.Fatal(err)
	}
	r.write(r.root+"/var/lib/plonec/confirmed", "generation=7\n")
	r.write(gen+"/facts", "setup=00\nconfig:site.x=11\nconfig:site=22\n")
	r.write(gen+"/manifest", sumOf(string(build))+"\t0644\troot:root\tdeploy:site\t-\t/etc/plonec/site/build.conf\n")
	if got := r.bash("config_sum"); got != "22" {
		t.Errorf("with the files that were sent: %q", got)
	}
	r.write(r.root+"/etc/plonec/site/build.conf", string(build)+"# by hand\n")
	first := r.bash("config_sum")
	r.write(r.root+"/etc/plonec/site/build.conf", string(build)+"# by another hand\n")
	if second := r.bash("config_sum"); len(first) != 64 || len(second) != 64 || first == second {
		t.Errorf("changed by hand: %q, then %q", first, second)
	}
	// What waits counts for the next deploy, and nothing else.
	r.write(r.root+"/var/lib/plonec/pending/site/etc/plonec/site/build.conf", string(build))
	if now, next := r.bash("config_sum"), r.bash("NEXT=1; config_sum"); now == "22" || next != "22" {
		t.Errorf("now %q, next %q", now, next)
	}
}

// release puts one of plonec's there, made that many hours ago.
func (r *releasesHost) release(name, state string, hours int) {
	r.t.Helper()
	r.write(r.deployTo+"/releases/"+name+"/bin/x", "x")
	began := time.Now().Add(-time.Duration(hours) * time.Hour).UTC().Format(time.RFC3339)
	r.write(r.root+"/var/lib/plonec/site/releases/"+name, fmt.Sprintf("state=%s\ncommit=%s\nconfig=%s\nstorage=\nbegan=%s\n", state, r.commit, r.config, began))
}

func (r *releasesHost) link(path, target string) {
	r.t.Helper()
	os.MkdirAll(filepath.Dir(path), 0o755)
	os.Remove(path)
	if err := os.Symlink(target, path); err != nil {
		r.t.Fatal(err)
	}
}

func (r *releasesHost) current(want string) {
	r.t.Helper()
	if got, _ := os.Readlink(r.deployTo + "/current"); got != want {
		r.t.Errorf("current leads to %q, want %q", got, want)
	}
}

// there is what lies among the releases.
func (r *releasesHost) there() string {
	r.t.Helper()
	list, err := os.ReadDir(r.deployTo + "/releases")
	if err != nil {
		r.t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func contains(t *testing.T, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) {
		t.Errorf("no %q in\n%s", want, text)
	}
}

// What plonec did not make outlives deploys and undeploy, and a first release
// that does not come up leaves current as it was.
func TestForeignReleasesStay(t *testing.T) {
	t.Parallel()
	r := newReleasesHost(t, func(a *topology.App, _ string) { a.Config.KeepReleases = 2 })
	theirs := []string{"20160101000000", "20160202000000", "by-hand", ".hidden"}
	for _, name := range theirs {
		r.write(r.deployTo+"/releases/"+name+"/file", name)
	}
	r.link(r.deployTo+"/current", r.deployTo+"/releases/20160202000000")
	if got := r.bash("current_release"); got != "" {
		t.Errorf("the current release is said to be %s", got)
	}
	// One that does not come up.
	r.release("20260101000000", "built", 9)
	r.bash(`. "$LIB/switch.sh"; switch_to 20260101000000; readlink "$DEPLOY_TO/current"; back '' 20260101000000 ''`)
	r.current(r.deployTo + "/releases/20160202000000")
	for i, name := range []string{"20260102000000", "20260103000000", "20260104000000", "20260105000000"} {
		r.release(name, "built", 8-i)
		r.host(0, "deploy", "--release", name, "--commit", r.commit, "--force", "site")
		r.current("releases/" + name)
	}
	// keep_releases is 2, and the last bad one stays for a look.
	if got, want := r.there(), ".hidden 20160101000000 20160202000000 20260101000000 20260104000000 20260105000000 by-hand"; got != want {
		t.Errorf("after deploys there are\n%s, want\n%s", got, want)
	}
	status := r.bash(`name_foreign 10`)
	for _, name := range theirs {
		contains(t, status, name+" (")
	}
	contains(t, r.host(1, "undeploy", "site"), "takes --yes")
	out := r.host(0, "undeploy", "--yes", "site")
	contains(t, out, "removes the releases 20260101000000 20260104000000 20260105000000 of site")
	contains(t, out, "left in "+r.deployTo+"/releases, not made by plonec: 20160101000000 (")
	if got, want := r.there(), ".hidden 20160101000000 20160202000000 by-hand"; got != want {
		t.Errorf("after undeploy there are\n%s, want\n%s", got, want)
	}
	r.host(0, "undeploy", "--yes", "site")
	if left, _ := os.ReadDir(r.root + "/var/lib/plonec/site/releases"); len(left) > 0 {
		t.Errorf("records are left: %v", left)
	}
}

// A database among the releases stays, whatever plonec removes.
func TestDatabaseAmongReleasesStays(t *testing.T) {
	t.Parallel()
	r := newReleasesHost(t, func(a *topology.App, deployTo string) {
		a.Zeo = &topology.ZeoServer{App: a, Unit: "plone-site-zeo.service", FilestorageDir: deployTo + "/releases/data"}
		a.Config.KeepReleases = 2
	})
	// Its processes need systemd: none of them is asked for here.
	conf := r.root + "/etc/plonec/site/app.conf"
	text, _ := os.ReadFile(conf)
	r.write(conf, string(text)+"UNITS_OF_APP=() ZEO_UNIT=''\n")
	build := r.root + "/etc/plonec/site/build.conf"
	text, _ = os.ReadFile(build)
	r.write(build, string(text)+"STORAGE='' PROCESSES=()\n")
	r.config = r.bash("config_sum")
	r.write(r.deployTo+"/releases/data/Data.fs", "FS21")
	r.release("20260101000000", "good", 9)
	r.write(r.deployTo+"/releases/20260101000000/var/filestorage/Data.fs", "FS21")
	for i, name := range []string{"20260102000000", "20260103000000", "20260104000000"} {
		r.release(name, "built", 8-i)
		out := r.host(0, "deploy", "--release", name, "--commit", r.commit, "--force", "site")
		if i == 2 {
			contains(t, out, "release 20260101000000 of site stays: "+r.deployTo+"/releases/20260101000000/var/filestorage/Data.fs is in it")
		}
	}
	// By other ways than var: put there by hand, or led to by a link; a blob cache and
	// what packages bring are no data.
	for name, put := range map[string]string{
		"20260105000001": "backup/Data.fs", "20260105000002": "blobs/.layout", "20260105000003": "var/blobstorage/0x00/0x03.blob",
		"20260105000004": ".venv/lib/python3.11/site-packages/ZODB/scripts/test-checker.fs", "20260105000005": "var/blobcache/.layout",
	} {
		r.release(name, "bad", 3)
		text := "x"
		if name == "20260105000005" {
			text = "zeocache"
		}
		r.write(r.deployTo+"/releases/"+name+"/"+put, text)
	}
	r.release("20260105000006", "bad", 3)
	r.write(r.deployTo+"/releases/20260105000006/fs/x", "x")
	r.link(r.root+"/led", r.deployTo+"/releases/20260105000006/fs")
	text, _ = os.ReadFile(conf)
	r.write(conf, string(text)+"BLOB_DIR='"+r.root+"/led'\n")
	contains(t, r.host(0, "undeploy", "--yes", "site"), "release 20260105000006 of site stays: "+r.root+"/led is in it")
	if got, want := r.there(), "20260101000000 20260105000001 20260105000002 20260105000003 20260105000006 data"; got != want {
		t.Errorf("there are %s, want %s", got, want)
	}
	contains(t, r.host(0, "undeploy", "--foreign", "--confirm", "site", "site"), "data stays: the stack has ")
	if _, err := os.Stat(r.deployTo + "/releases/data/Data.fs"); err != nil {
		t.Error(err)
	}
}

// undeploy --foreign takes what nothing needs, and names the rest.
func TestUndeployForeign(t *testing.T) {
	t.Parallel()
	r := newReleasesHost(t, nil)
	dir := r.deployTo + "/releases/"
	r.release("20260101000000", "good", 1)
	for _, name := range []string{
		"20160101000000", "two words", "packages/.venv/lib/python3.11/site-packages/ZODB", "eggs/eggs/ZODB3.egg/ZODB",
		"data/var/filestorage", "backup", "blobs/var", "layout/var/blobs", "linked", "linked2/deep", "copied", "runs", "open", "mapped", "of-current/x", "outside",
	} {
		r.write(dir+name+"/file", name)
	}
	r.write(dir+"packages/.venv/lib/python3.11/site-packages/ZODB/test-checker.fs", "FS21")
	r.write(dir+"eggs/eggs/ZODB3.egg/ZODB/test-checker.fs", "FS21")
	r.write(dir+"data/var/filestorage/Data.fs", "FS21")
	r.write(dir+"backup/2020-01-01-00-00-00.fsz", "x")
	r.write(dir+"blobs/var/blobstorage/0x00/0x03.blob", "x")
	r.write(dir+"layout/var/blobs/.layout", "bushy")
	r.write(dir+"a-file", "x")
	r.link(r.deployTo+"/shared/old", dir+"linked")
	r.link(r.deployTo+"/shared/var/deep/down", "../../../releases/linked2/deep")
	// A link of a foreign one is removed itself, and not what it leads to.
	r.write(r.root+"/precious/file", "x")
	r.link(dir+"outside/link", r.root+"/precious")
	r.link(dir+"a-link", r.root+"/precious")
	r.link(r.deployTo+"/current", "releases/of-current")

	start := func(cmd *exec.Cmd) {
		t.Helper()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			cmd.Process.Kill()
			cmd.Wait()
		})
	}
	runs := exec.Command("sleep", "600")
	runs.Dir = dir + "runs"
	start(runs)
	open := exec.Command("sleep", "600")
	file, err := os.Open(dir + "open/file")
	if err != nil {
		t.Fatal(err)
	}
	open.Stdin = file
	start(open)
	file.Close()
	file, err = os.Open(dir + "mapped/file")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := syscall.Mmap(int(file.Fd()), 0, 6, syscall.PROT_READ, syscall.MAP_PRIVATE)
	file.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(pages)

	want := map[string]string{
		"data": "it holds data: data/var/filestorage/Data.fs", "backup": "it holds data: backup/2020-01-01-00-00-00.fsz",
		"a-link": "it is a link: remove it by hand", "blobs": "it holds data: blobs/var/blobstorage", "layout": "it holds data: layout/var/blobs/.layout",
		"linked": "a link in ", "linked2": "a link in ", "of-current": "current leads to it",
		"runs": fmt.Sprintf("the process %d (sleep) ", runs.Process.Pid), "open": fmt.Sprintf("the process %d (sleep) ", open.Process.Pid),
		"mapped": fmt.Sprintf("the process %d (", os.Getpid()),
	}
	mount := exec.Command("mount", "-t", "tmpfs", "plonec-test", dir+"mounts/there")
	if os.Geteuid() == 0 {
		os.MkdirAll(dir+"mounts/there", 0o755)
		bound := r.root + "/bound"
		os.MkdirAll(bound, 0o755)
		for _, m := range []*exec.Cmd{mount, exec.Command("mount", "--bind", dir+"copied", bound)} {
			if out, err := m.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			t.Cleanup(func() { exec.Command("umount", m.Args[len(m.Args)-1]).Run() })
		}
		want["mounts"], want["copied"] = "something is mounted there", "something is mounted there"
	}

	for _, args := range [][]string{{}, {"--yes"}, {"--confirm", "other"}} {
		contains(t, r.host(1, append(append([]string{"undeploy", "--foreign"}, args...), "site")...), map[bool]string{
			true: "that is not the app's name, site", false: "give --confirm site"}[len(args) > 1])
	}
	listed := r.host(0, "undeploy", "--foreign", "--list", "site")
	for name, why := range want {
		if !slices.ContainsFunc(strings.Split(listed, "\n"), func(line string) bool {
			f := strings.SplitN(line, " ", 4)
			return len(f) == 4 && f[0] == "keep" && f[2] == name && strings.HasPrefix(f[3], why)
		}) {
			t.Errorf("%s is not kept because %s:\n%s", name, why, listed)
		}
	}
	out := r.host(0, "undeploy", "--foreign", "--confirm", "site", "site")
	for name := range want {
		contains(t, out, name+" stays: ")
	}
	names := []string{"20260101000000"}
	for name := range want {
		names = append(names, name)
	}
	if os.Geteuid() != 0 {
		names = append(names, "copied")
	}
	slices.Sort(names)
	if got := r.there(); got != strings.Join(names, " ") {
		t.Errorf("left are\n%s, want\n%s", got, strings.Join(names, " "))
	}
	if _, err := os.Stat(r.root + "/precious/file"); err != nil {
		t.Error("what a link led to is gone")
	}
}

// A clock of the future in a name makes no difference: what follows has a later
// name, and a rollback goes where the host came from.
func TestRollbackFollowsSwitches(t *testing.T) {
	t.Parallel()
	r := newReleasesHost(t, nil)
	deploy := func(name string, hours int) {
		t.Helper()
		r.release(name, "built", hours)
		r.host(0, "deploy", "--release", name, "--commit", r.commit, "--force", "site")
	}
	deploy("20260101000000", 9)
	deploy("20390101000000", 8) // a pusher's clock was ahead
	deploy("20260103000000", 7) // an earlier plonec took the time, whatever is there
	deploy("20260104000000", 6)
	if got := r.bash("ran | paste -sd ' '"); got != "20260101000000 20390101000000 20260103000000 20260104000000" {
		t.Errorf("it ran %s", got)
	}
	r.host(0, "rollback", "site")
	r.current("releases/20260103000000")
	r.host(0, "rollback", "site")
	r.current("releases/20390101000000")
	// What comes next goes on from there, and back to there.
	if got := r.bash("new_name"); got != "20390101000001" {
		t.Errorf("a new release is called %s", got)
	}
	deploy("20390101000005", 0)
	r.host(0, "rollback", "site")
	r.current("releases/20390101000000")
	// A name that would come before others is refused.
	repo := r.root + "/repo"
	if out, err := exec.Command("sh", "-c", `git init -q -b main "$1" && git -C "$1" -c user.name=t -c user.email=t@example.com commit -q --allow-empty -m one`, "sh", repo).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	contains(t, r.host(1, "deploy", "--release", "20260201000000", "site"), "would sort before 20390101000005, which is already here")
	// So is a name behind one that somebody else gave.
	os.MkdirAll(r.deployTo+"/releases/99999999999999", 0o755)
	contains(t, r.host(1, "deploy", "site"), "no name of a release comes after 99999999999999")
}

// Hosts that an earlier plonec deployed have no record of switches: their
// releases say when they were made.
func TestRollbackWithoutSwitches(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, current, want string
		releases            map[string]string // state and age in hours, by name
	}{
		{"by age", "20260103000000", "20390101000000", map[string]string{"20260101000000": "good 9", "20390101000000": "good 8", "20260103000000": "good 7"}},
		{"one that is bad is passed over", "20260103000000", "20260101000000", map[string]string{"20260101000000": "good 9", "20260102000000": "bad 8", "20260103000000": "good 7"}},
		{"after a rollback", "20260102000000", "20260101000000", map[string]string{"20260101000000": "good 9", "20260102000000": "good 8", "20260103000000": "bad 7"}},
		{"records without times", "20260102000000", "20260101000000", map[string]string{"20260101000000": "good", "20260102000000": "good"}},
		{"nothing before", "20260101000000", "", map[string]string{"20260101000000": "good 9", "20260102000000": "good 8"}},
	} {
		r := newReleasesHost(t, nil)
		for name, text := range test.releases {
			var state string
			var hours int
			if n, _ := fmt.Sscanf(text, "%s %d", &state, &hours); n < 2 {
				r.release(name, state, 0)
				file := r.root + "/var/lib/plonec/site/releases/" + name
				r.write(file, "state="+state+"\n")
				continue
			}
			r.release(name, state, hours)
		}
		r.link(r.deployTo+"/current", "releases/"+test.current)
		if got := r.bash(`previous_release "$(current_release)"`); got != test.want {
			t.Errorf("%s: back to %q, want %q", test.name, got, test.want)
		}
		if test.want == "" {
			contains(t, r.host(1, "rollback", "site"), "no good release of site is kept from before")
			continue
		}
		r.host(0, "rollback", "site")
		r.current("releases/" + test.want)
		if got := r.bash(`ran | tail -n 1`); got != test.want {
			t.Errorf("%s: afterwards it runs %s", test.name, got)
		}
	}
}

// A unit that plonec had the host leave to another one is none that it starts or enables,
// and a change that takes the unit away does not bring it back where it is taken back.
func TestHandedOver(t *testing.T) {
	t.Parallel()
	const beat, client = "plone-site-celerybeat.service", "plone-site-client1.service"
	r := newReleasesHost(t, nil)
	conf := r.root + "/etc/plonec/site/app.conf"
	text, _ := os.ReadFile(conf)
	r.write(conf, string(text)+"UNITS_OF_APP=("+client+" "+beat+")\n")
	systemctl := `systemctl() { [[ "$*" == *is-enabled* ]] || echo "systemctl $*"; [[ "$*" != *is-enabled* ]]; }; `
	mark := r.root + "/var/lib/plonec/site/handed-over/" + beat
	r.write(r.root+"/var/lib/plonec/pending/site/etc/plonec/site/app.conf", string(text)+"UNITS_OF_APP=("+client+")\n")
	for _, test := range []struct {
		handed          bool
		enables, leaves string
	}{
		{false, "systemctl -q enable -- " + client + " " + beat, "plonec: " + beat + " is no longer wanted: stopping it\nsystemctl -q disable --now -- " + beat},
		{true, "systemctl -q enable -- " + client, ""},
	} {
		if test.handed {
			r.write(mark, "")
		}
		if got := r.bash(`. "$LIB/switch.sh"; ` + systemctl + `enable_units`); got != test.enables {
			t.Errorf("handed over: %v: %s", test.handed, got)
		}
		if got := r.bash(`elsewhere`); strings.Contains(got, beat) != test.handed || test.handed != strings.Contains(got, "plonec restart --changed site") {
			t.Errorf("handed over: %v: start says %q", test.handed, got)
		}
		// Less the files, whose places are the machine's.
		got := r.bash(`. "$LIB/switch.sh"; ` + systemctl + `NEXT=1; load_app site; find() { :; }; agent_up() { :; }; record_live() { :; }; activate; cat -- "$APP_STATE/undo/retired" 2>/dev/null || true`)
		got = strings.TrimSpace(strings.ReplaceAll(got, "systemctl daemon-reload", ""))
		if want := strings.TrimSpace(test.leaves + map[bool]string{false: "\n\n" + beat}[test.handed]); got != want {
			t.Errorf("handed over: %v: got\n%s\nwant\n%s", test.handed, got, want)
		}
		r.write(r.root+"/var/lib/plonec/pending/site/etc/plonec/site/app.conf", string(text)+"UNITS_OF_APP=("+client+")\n")
		os.RemoveAll(r.root + "/var/lib/plonec/site/undo")
	}
}

// Clients whose ZEO server does not answer are not started.
func TestStartWithoutZeo(t *testing.T) {
	t.Parallel()
	r := newReleasesHost(t, func(a *topology.App, _ string) {
		server := &topology.App{Name: "database", Host: &topology.Host{Name: "db1"}}
		a.Storage.ZeoAddress = fmt.Sprintf("127.0.0.1:%d", loopbackPort(t))
		a.Storage.Zeo = &topology.ZeoServer{App: server}
	})
	conf, _ := os.ReadFile(r.root + "/etc/plonec/site/app.conf")
	_, address, _ := strings.Cut(string(conf), "ZEO_ADDRESS='")
	address, _, _ = strings.Cut(address, "'")
	out := r.bash("ask_services answers || echo refused")
	contains(t, out, "the ZEO server of site does not answer at "+address+"\n        start it first: plonec start database --host db1, or on db1: host start database\nrefused")
	l := listen(t, address)
	defer l.Close()
	if out := r.bash("ask_services answers || echo refused"); out != "" {
		t.Error(out)
	}
}

// With what status a program of the app ends is its user's word, and means none of
// plonec's own: 3 is a lock that is held.
func TestStatusOfAnAppsProgram(t *testing.T) {
	t.Parallel()
	r := newReleasesHost(t, nil)
	r.release("20260101000000", "good", 1)
	r.link(r.deployTo+"/current", "releases/20260101000000")
	program := r.deployTo + "/current/bin/backup"
	r.write(program, "#!/bin/sh\necho its words\nexit 3\n")
	if err := os.Chmod(program, 0o755); err != nil {
		t.Fatal(err)
	}
	contains(t, r.host(1, "run", "backup"), "its words\nplonec: bin/backup of site ended with status 3\n")
}

// A pack is a ZEO server's, or RelStorage's, in one stage or in two.
func TestRunPack(t *testing.T) {
	t.Parallel()
	r := newReleasesHost(t, nil)
	r.release("20260101000000", "good", 1)
	r.link(r.deployTo+"/current", "releases/20260101000000")
	contains(t, r.host(1, "run", "pack"), "no app here has a bin/zeopack or bin/zodbpack or bin/zodbpack-prepack\n")
	// Each program is preferred to those that came before it.
	for _, test := range []struct {
		programs []string
		want     string
	}{
		{[]string{"zodbpack-prepack", "zodbpack-pack"}, "plonec: running bin/zodbpack-prepack of site\nzodbpack-prepack ran\nplonec: running bin/zodbpack-pack of site\nzodbpack-pack ran\n"},
		{[]string{"zodbpack"}, "plonec: running bin/zodbpack of site\nzodbpack ran\n"},
		{[]string{"zeopack"}, "plonec: running bin/zeopack of site\nzeopack ran\n"},
	} {
		for _, name := range test.programs {
			program := r.deployTo + "/current/bin/" + name
			r.write(program, "#!/bin/sh\necho "+name+" ran\n")
			if err := os.Chmod(program, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if out := r.host(0, "run", "pack"); out != test.want {
			t.Errorf("got %q, want %q", out, test.want)
		}
	}
}

// A release that went in part when its removal was killed is none to go back to, and
// goes at the next prune; an undeploy that was killed is called half done.
func TestHalfRemoved(t *testing.T) {
	t.Parallel()
	r := newReleasesHost(t, nil)
	r.release("20260101000000", "good", 3)
	r.release("20260102000000", "good", 2)
	r.link(r.deployTo+"/current", "releases/20260102000000")
	if out := r.bash(`rm() { [[ "$*" != *releases/2026* ]] || exit 0; command rm "$@"; }; remove_release 20260101000000 old`); !strings.Contains(out, "removing the old release") {
		t.Error(out)
	}
	contains(t, r.host(1, "rollback", "site"), "no good release of site is kept")
	if out := r.host(0, "status", "--porcelain"); !strings.Contains(out, "site.kept=20260102000000\n") {
		t.Error(out)
	}
	r.bash("prune")
	if got := r.there(); got != "20260102000000" {
		t.Errorf("there are %s", got)
	}
	r.write(r.root+"/var/lib/plonec/site/undeploying", "2026-11-29T00:00:00Z\n")
	contains(t, r.host(0, "status", "--porcelain"), "site.unfinished-undeploy=2026-11-29T00:00:00Z\n")
	r.host(0, "undeploy", "--yes", "site")
	contains(t, r.host(0, "status", "--porcelain"), "site.unfinished-undeploy=\n")
}

// What an earlier plonec recorded of the database is the same database: a rollback
// goes over the upgrade.
func TestRollbackOverAnUpgrade(t *testing.T) {
	t.Parallel()
	r := newReleasesHost(t, nil)
	for i, name := range []string{"20260101000000", "20260102000000"} {
		r.release(name, "good", 3-i)
	}
	const old, plain = "20260101000000", `$({ grep -a '^PLONEC_DSN=' -- /dev/null || true; } | sha256sum | cut -c 1-12)`
	if got := r.bash(`record_set ` + old + ` "dsn=` + plain + `"; record_set 20260102000000 "dsn=$(dsn_sum)"
		[[ $(record_get ` + old + ` dsn) == "$(record_get 20260102000000 dsn)" ]] || echo differ`); got != "" {
		t.Error(got)
	}
}

// A folder's name makes no lines of its own where what is foreign is listed.
func TestForeignNamesAreOneLine(t *testing.T) {
	t.Parallel()
	r := newReleasesHost(t, nil)
	r.write(r.deployTo+"/releases/evil\nkeep 5 forged the stack has it\ntake 9 x/file", "x")
	out := r.host(0, "undeploy", "--foreign", "--list", "site")
	if strings.Count(out, "\n") != 1 || strings.Contains(out, "\nkeep 5 forged") {
		t.Errorf("got\n%s", out)
	}
}
