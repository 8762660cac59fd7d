package render

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// inOwnMounts runs a bash script as root, with a file system of its own at /mnt:
// nothing above that is anybody else's.
func inOwnMounts(t *testing.T, script string, args ...string) (string, error) {
	t.Helper()
	argv := []string{"--mount"}
	if os.Geteuid() != 0 {
		argv = append(argv, "--user", "--map-root-user")
	}
	argv = append(argv, "--", "/bin/bash", "-euc", "mount -t tmpfs -o mode=755 tmpfs /mnt\n"+script, "bash")
	out, err := exec.Command("unshare", append(argv, args...)...).CombinedOutput()
	return string(out), err
}

// TestRootsOwn: receive, before anything of the scripts is there, and the scripts
// judge by one rule where root may work by path.
func TestRootsOwn(t *testing.T) {
	t.Parallel()
	scripts := hostScripts(t)
	received, err := os.ReadFile("../templates/host/receive")
	if err != nil {
		t.Fatal(err)
	}
	judge := map[string]string{
		"roots_own": "LIB=" + scripts + "\n. $LIB/lib.sh\nroots_own \"$1\"\n",
		"receive": "declare -A judged=()\n" + strings.Join(regexp.MustCompile(`(?ms)^(fail|safe)\(\) \{\n.*?^\}\n`).FindAllString(string(received), -1), "") +
			"safe \"$1/file\"\n",
	}
	// others is a directory that is not root's: in a user namespace, where root
	// cannot give one away, one of the machine's.
	const others = `others() { mkdir -p "$1"; chown 1 "$1" 2>/dev/null || mount --bind /usr "$1"; }
`
	for _, test := range []struct {
		name, make, dir string
		refused         string // the directory that is named; empty: root may
	}{
		{"root's", "mkdir -p /mnt/a/b", "/mnt/a/b", ""},
		{"root's alone", "mkdir -p -m 700 /mnt/a/b", "/mnt/a/b", ""},
		{"of a group that keeps it", "mkdir -p /mnt/a/b; chmod 2755 /mnt/a", "/mnt/a/b", ""},
		{"not there yet", "mkdir /mnt/a", "/mnt/a/b/c", ""},
		{"for a group to write", "mkdir -p /mnt/a/b; chmod 775 /mnt/a", "/mnt/a/b", "/mnt/a"},
		{"for others to write", "mkdir -p /mnt/a/b; chmod 757 /mnt/a/b", "/mnt/a/b", "/mnt/a/b"},
		{"for all, as /tmp", "mkdir -p /mnt/a/b; chmod 1777 /mnt/a", "/mnt/a/b", "/mnt/a"},
		{"another's", "others /mnt/a", "/mnt/a", "/mnt/a"},
		{"below another's", "others /mnt/a/b", "/mnt/a/b/bin", "/mnt/a/b"},
		{"not there yet, below another's", "others /mnt/a", "/mnt/a/none/c", "/mnt/a"},
		{"a link", "mkdir -p /mnt/to; ln -s to /mnt/a", "/mnt/a", "/mnt/a"},
		{"below a link", "mkdir -p /mnt/to/b; ln -s to /mnt/a", "/mnt/a/b", "/mnt/a"},
		{"a link to nothing", "ln -s nowhere /mnt/a", "/mnt/a", "/mnt/a"},
		{"a file", "touch /mnt/a", "/mnt/a", "/mnt/a"},
	} {
		for name, script := range judge {
			out, err := inOwnMounts(t, others+test.make+"\n"+script, test.dir)
			if test.refused == "" && err != nil {
				t.Errorf("%s: %s refuses %s: %v\n%s", test.name, name, test.dir, err, out)
			}
			if test.refused != "" && (err == nil || !strings.Contains(out, test.refused+" is ")) {
				t.Errorf("%s: %s does not refuse %s for %s: %v\n%s", test.name, name, test.dir, test.refused, err, out)
			}
		}
	}
}

// TestLocksAreRoots: whoever holds every file under /run/plonec that others than
// root may open keeps no verb and no guard from its work; and the guard waits for
// a verb that is at work.
func TestLocksAreRoots(t *testing.T) {
	t.Parallel()
	root, scripts := t.TempDir(), hostScripts(t)
	if err := os.MkdirAll(root+"/etc/plonec", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(root+"/etc/plonec/host.env", []byte("HOST='app1'\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (string, error) {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "PLONEC_ROOT="+root)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	locked := func() string {
		t.Helper()
		out, err := run("/bin/bash", "-c", `LIB=$1; . "$LIB/lib.sh"; lock "test $2"; find "$RUN" -type f -name work`, "bash", scripts, "of locks")
		if err != nil {
			t.Fatalf("no verb works: %v\n%s", err, out)
		}
		return out
	}
	lock := locked() // where it is
	// As the kernel lets others: through directories that they may search.
	err := filepath.WalkDir(root+"/run/plonec", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		switch {
		case err != nil:
			return err
		case d.IsDir() && info.Mode()&0o001 == 0:
			return filepath.SkipDir
		case !d.IsDir() && info.Mode()&0o006 == 0:
			return nil
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		t.Cleanup(func() { file.Close() })
		return syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
	})
	if err != nil {
		t.Fatal(err)
	}
	locked()
	guard := func() (string, time.Duration, error) {
		began := time.Now()
		out, err := run("/bin/bash", scripts+"/transaction", "guard")
		return out, time.Since(began), err
	}
	if out, took, err := guard(); err != nil || took > 20*time.Second {
		t.Errorf("the guard does not work: %v after %s\n%s", err, took, out)
	}
	verb, err := os.OpenFile(strings.TrimSpace(lock), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(verb.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(3*time.Second, func() { verb.Close() })
	if out, took, err := guard(); err != nil || took < 3*time.Second {
		t.Errorf("the guard does not wait for a verb: %v after %s\n%s", err, took, out)
	}
}

// TestReleasesOfProcesses: where a process runs is what its user says, and a
// release's name is 14 digits before it is believed or printed.
func TestReleasesOfProcesses(t *testing.T) {
	t.Parallel()
	root, scripts := t.TempDir(), hostScripts(t)
	deployTo := root + "/srv/www/site"
	bash := func(script string, args ...string) string {
		t.Helper()
		setup := `LIB=$1; . "$LIB/lib.sh"; . "$1/release.sh"; APP=site DEPLOY_TO=$ROOT/srv/www/site APP_STATE=$STATE/site; shift; `
		cmd := exec.Command("/bin/bash", append([]string{"-c", setup + script, "bash", scripts}, args...)...)
		cmd.Env = append(os.Environ(), "PLONEC_ROOT="+root)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		return string(out)
	}
	for path, want := range map[string]string{
		"/releases/20260101000000":                               "20260101000000\n",
		"/releases/20260101000000/parts/zeo":                     "20260101000000\n",
		"/releases/20260101000000/x\nsite.release=2":             "20260101000000\n",
		"/releases/20260101000000 (deleted)":                     "",
		"/releases/20260101000000\nsite.release=20990101000000":  "",
		"/releases/20260101000000\t../../../etc":                 "",
		"/releases/by-hand":                                      "",
		"/releases/":                                             "",
		"/shared/20260101000000":                                 "",
		"/shared/x\nsite.state=bad":                              "",
		"/releases/../20260101000000":                            "",
		"/releases/202601010000001":                              "",
		"/elsewhere/srv/www/site/releases/20260101000000/nested": "",
	} {
		if got := bash(`release_in "$DEPLOY_TO$1"`, path); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
	// Real processes, and real directories beside those of releases.
	var names []string
	for _, name := range []string{"20260101000000", "20260101000001\n20260101000002", "20260101000003 20260101000004", "mine", "shared\n20260101000005"} {
		dir := deployTo + "/releases/" + name
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		process := exec.Command("sleep", "60")
		process.Dir = dir
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			process.Process.Kill()
			process.Wait()
		})
		names = append(names, name)
	}
	// A record of each, as if somebody had managed to make one.
	records := root + "/var/lib/plonec/site/releases"
	if err := os.MkdirAll(records, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(records+"/"+name, []byte("state=good\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := bash("releases"); got != "20260101000000\n" {
		t.Errorf("releases of %q: %q", names, got)
	}
	for link, want := range map[string]string{"releases/20260101000000": "20260101000000", "/srv/mine": "", "releases/20260101000000\nsite.state=bad": "", "releases/..": ""} {
		os.Remove(deployTo + "/current")
		if err := os.Symlink(link, deployTo+"/current"); err != nil {
			t.Fatal(err)
		}
		if got := bash("current_release"); got != want {
			t.Errorf("current leads to %q: %q, want %q", link, got, want)
		}
	}
	status, err := os.ReadFile(scripts + "/verbs/status")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?ms)^line\(\) \{\n.*?^\}\n`).FindString(string(status))
	for _, porcelain := range []string{"", "1"} {
		if got := bash(line+"porcelain=$1; line site.last \"$2\"", porcelain, "a\nsite.release=2\r\x1b[2J"); strings.Count(got, "\n") != 1 || strings.ContainsAny(got, "\r\x1b") {
			t.Errorf("a value makes lines of its own: %q", got)
		}
	}
}
