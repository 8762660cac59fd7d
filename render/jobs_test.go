package render

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// program puts one into the current release.
func (r *releasesHost) program(name, script string) {
	r.t.Helper()
	path := r.deployTo + "/current/bin/" + name
	r.write(path, "#!/bin/sh\n"+script+"\n")
	if err := os.Chmod(path, 0o755); err != nil {
		r.t.Fatal(err)
	}
}

// packed is what status says of the pack, without times: as KEY=VALUE, with a blank
// between them. A time that is there is T.
func (r *releasesHost) packed() string {
	r.t.Helper()
	var list []string
	for line := range strings.Lines(r.host(0, "status", "--porcelain")) {
		if said, ok := strings.CutPrefix(strings.TrimSpace(line), "site.job.pack."); ok && !strings.HasSuffix(said, "=") {
			list = append(list, regexp.MustCompile(`=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`).ReplaceAllString(said, "=T"))
		}
	}
	return strings.Join(list, " ")
}

// What became of a pack is told, whoever asked for it, until the next one.
func TestJobsAreTold(t *testing.T) {
	t.Parallel()
	r := newReleasesHost(t, nil)
	state := r.root + "/var/lib/plonec/site/"
	told := func(want string) {
		t.Helper()
		if got := r.packed(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	told("")
	contains(t, r.host(0, "run", "--timer", "pack", "site"), "site has no release: no pack\n")
	told("result=skipped unit=plone-site-pack began=T ended=T by=timer why=site has no release")
	r.release("20260101000000", "good", 1)
	r.link(r.deployTo+"/current", "releases/20260101000000")
	const lacks = "release 20260101000000 of site has no bin/zeopack or bin/zodbpack or bin/zodbpack-prepack"
	contains(t, r.host(1, "run", "--timer", "pack", "site"), lacks+"\n")
	told("result=failed unit=plone-site-pack began=T ended=T by=timer why=" + lacks)
	r.program("zeopack", "echo its words; exit 3")
	contains(t, r.host(1, "run", "--timer", "pack", "site"), "its words\n")
	told("result=failed unit=plone-site-pack began=T ended=T by=timer why=bin/zeopack of site ended with status 3")
	r.program("zeopack", "echo $0 ran")
	if out := r.host(0, "run", "pack"); out != "plonec: running bin/zeopack of site\nbin/zeopack ran\n" {
		t.Error(out)
	}
	told("result=done unit=plone-site-pack began=T ended=T by=hand")
	contains(t, r.host(0, "status"), "  pack                               done at 20")
	r.write(state+"stopped", "")
	contains(t, r.host(0, "run", "--timer", "pack", "site"), "site is stopped: no pack\n")
	told("result=skipped unit=plone-site-pack began=T ended=T by=timer why=site is stopped")
	r.host(0, "run", "pack", "site") // whoever asks for it by hand gets it
	told("result=done unit=plone-site-pack began=T ended=T by=hand")
	if err := os.Remove(state + "stopped"); err != nil {
		t.Fatal(err)
	}
	// A host that goes down in the middle leaves the record of one that runs.
	r.program("zeopack", "kill -KILL $PPID; sleep 1")
	r.host(-1, "run", "pack")
	told("result=cut short unit=plone-site-pack began=T by=hand")
	r.program("zeopack", "kill -TERM $PPID; sleep 5")
	contains(t, r.host(130, "run", "pack"), "interrupted\n")
	told("result=failed unit=plone-site-pack began=T ended=T by=hand why=interrupted")
	contains(t, r.host(2, "run", "--timer", "pack"), "usage: host run NAME [APP]")
	contains(t, r.host(1, "run", "--timer", "pack", "other"), "no app other on this host\n")
}

// What makes a program is called as the project calls it; a part that is left out makes none.
func TestJobsByNamesOfParts(t *testing.T) {
	t.Parallel()
	r := newReleasesHost(t, func(a *topology.App, _ string) {
		a.Config.Parts = schema.PartNames{Backup: "zeobackup", Zodbpack: "packer", ZodbpackPack: "zodbpack-pack"}
	})
	r.release("20260101000000", "good", 1)
	r.link(r.deployTo+"/current", "releases/20260101000000")
	contains(t, r.host(1, "run", "backup"), "no app here has a bin/zeobackup or bin/backup\n")
	contains(t, r.host(1, "run", "pack"), "no app here has a bin/zeopack or bin/packer or bin/zodbpack or bin/zodbpack-prepack\n")
	for _, name := range []string{"zeobackup", "packer"} {
		r.program(name, "echo $0 ran")
	}
	contains(t, r.host(0, "run", "backup"), "bin/zeobackup ran\n")
	contains(t, r.host(0, "run", "pack"), "bin/packer ran\n")
}

// A timer's pack waits for another verb, and for a change that is not confirmed; one
// by hand does not.
func TestTimersWait(t *testing.T) {
	t.Parallel()
	r := newReleasesHost(t, nil)
	r.release("20260101000000", "good", 1)
	r.link(r.deployTo+"/current", "releases/20260101000000")
	r.program("zeopack", "echo ran")
	r.host(0, "run", "pack")
	lock := exec.Command("flock", r.root+"/run/plonec/lock/work", "sleep", "4")
	if err := lock.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	contains(t, r.host(3, "run", "pack"), "another verb is at work here")
	if got := r.packed(); !strings.HasPrefix(got, "result=done ") {
		t.Errorf("one that did not begin is told: %s", got)
	}
	contains(t, r.host(0, "run", "--timer", "pack", "site"), "ran\n")
	if err := lock.Wait(); err != nil {
		t.Fatal(err)
	}
	unconfirmed := r.root + "/var/lib/plonec/unconfirmed"
	r.write(unconfirmed, "generation=1\n")
	contains(t, r.host(3, "run", "pack"), "a change of this host is waiting to be confirmed or reverted")
	began := time.Now()
	time.AfterFunc(3*time.Second, func() { os.Remove(unconfirmed) })
	contains(t, r.host(0, "run", "--timer", "pack", "site"), "ran\n")
	if waited := time.Since(began); waited < 3*time.Second {
		t.Errorf("it waited for %s", waited)
	}
	// Not for ever: that it waited in vain is told.
	r.scripts = hostScripts(t)
	text, err := os.ReadFile(r.scripts + "/jobs.sh")
	if err != nil {
		t.Fatal(err)
	}
	r.write(r.scripts+"/jobs.sh", strings.Replace(string(text), "JOB_LOCK_SECONDS=21600", "JOB_LOCK_SECONDS=1", 1))
	r.write(unconfirmed, "generation=1\n")
	r.host(3, "run", "--timer", "pack", "site")
	if got, want := r.packed(), "result=failed unit=plone-site-pack began=T ended=T by=timer why=a change of this host is waiting to be confirmed or reverted"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What host run knows is the table, and of each job for apps a builder knows programs.
func TestJobNames(t *testing.T) {
	t.Parallel()
	r := newReleasesHost(t, nil)
	apps := strings.Fields(r.bash(`. "$LIB/jobs.sh"; echo "$JOB_NAMES"`))
	services, err := filepath.Glob("../templates/*/*.sh")
	if err != nil {
		t.Fatal(err)
	}
	known := slices.Clone(apps)
	for _, name := range services {
		if strings.HasPrefix(name, "../templates/host/") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^run_([a-z-]+)\(\)`).FindAllSubmatch(text, -1) {
			known = append(known, string(m[1]))
		}
	}
	slices.Sort(known)
	if want := slices.Sorted(slices.Values(topology.JobNames())); !slices.Equal(known, want) {
		t.Errorf("the scripts know %v, the table %v", known, want)
	}
	for _, name := range apps {
		if r.bash(`echo "${BUILDER_HELPERS[`+name+`]-}"`) == "" {
			t.Errorf("nobody knows a program for %s", name)
		}
	}
}

// A timer that changes is stopped before its calendar is another, and counts from
// then on; one that is new ends with a change that is taken back.
func TestTimersOfAChange(t *testing.T) {
	t.Parallel()
	r := newReleasesHost(t, nil)
	const timer = "/etc/systemd/system/plone-site-pack.timer"
	gen := r.root + "/var/lib/plonec/gen/7"
	r.write(gen+"/manifest", "1\t0644\troot:root\trestart:plone-site-pack.timer\t-\t"+timer+"\n2\t0644\troot:root\t-\t-\t/etc/systemd/system/plonec-guard.timer\n")
	for _, list := range []string{"gone", "services", "leaves"} {
		r.write(gen+"/"+list, "")
	}
	r.write(r.root+"/txn/paths", timer+"\n/etc/systemd/system/plonec-guard.timer\n")
	script := `. "$LIB/generation.sh"; systemctl() { echo "systemctl $*"; }; mkdir() { :; }; touch() { echo "touch $*"; }; gen=7 txn=` + r.root + `/txn;`
	want := "systemctl -q disable -- plone-site-pack.timer\nsystemctl is-active -q -- plone-site-pack.timer\nsystemctl stop -- plone-site-pack.timer"
	if got := r.bash(script + "stop_new_timers"); got != want {
		t.Errorf("taken back: %q", got)
	}
	r.write(r.root+"/txn/before"+timer, "")
	if got := r.bash(script + "stop_new_timers"); got != "" {
		t.Errorf("one that was there before: %q", got)
	}
	got := r.bash(script + `read_manifest "$STATE/gen/7"; WRITE=(` + timer + `); let_finish() { :; }; stop_units_of() { :; }
		sed -n '/^take_effect()/,/^}/p' "$LIB/generation.sh" | sed 's,/usr/local/lib/plonec/verbs/configure,true,' >` + r.root + `/take; . ` + r.root + `/take; take_effect`)
	if at := strings.Index(got, "touch -- /var/lib/systemd/timers/stamp-plone-site-pack.timer"); at < 0 || at > strings.Index(got, "systemctl restart -- plone-site-pack.timer") {
		t.Errorf("it takes effect by %q", got)
	}
}
