package render

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plonec/plonec/schema"
)

// TestJobMasksSecrets runs the real script of jobs, with stand-ins for systemd
// alone: what a job prints is written down, and leaves the host, without secrets.
func TestJobMasksSecrets(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	text, err := os.ReadFile("../templates/host/job")
	if err != nil {
		t.Fatal(err)
	}
	scripts := hostScripts(t)
	script := strings.NewReplacer("/run/plonec", root+"/run/plonec", "/usr/local/lib/plonec", scripts).Replace(string(text))
	// The mask reads the files of this root.
	wrapper := strings.Replace(script, `-I "$mask"`, `-I "$mask" "`+root+`"`, 1)
	if wrapper == script {
		t.Fatal("the script does not call the mask")
	}
	secrets := root + "/etc/plonec/site/secrets.env"
	if err := os.MkdirAll(filepath.Dir(secrets), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(secrets, []byte("DB=\"hunter22\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	systemd := `systemd-run() { while [[ $1 != -- ]]; do shift; done; shift; "$@" & }
systemctl() { [[ $1 != is-active ]] || kill -0 %1 2>/dev/null; }
`
	job := func(argv ...string) string {
		t.Helper()
		id := "job" + strings.ReplaceAll(filepath.Base(t.TempDir()), "_", "-")
		cmd := exec.Command("/bin/bash", append([]string{"-c", systemd + wrapper, "plonec", "start", id, "60"}, argv...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		written, err := os.ReadFile(root + "/run/plonec/jobs/" + id + "/output")
		if err != nil || strings.Contains(string(written), "hunter22") {
			t.Errorf("%v: it is written down as\n%s", err, written)
		}
		return strings.ReplaceAll(string(out), id, "ID")
	}
	const talk = `echo "to standard output: hunter22"; echo "to the other: hunter22" >&2; printf 'no end hunter22'; exit 3`
	const want = "|to standard output: ***\n|to the other: ***\n"
	if got := job("/bin/bash", "-c", talk); got != want+"|no end ***\n:end 3\n" {
		t.Errorf("got %q", got)
	}
	// Where it leaves somebody behind who may go on printing, a line without an end
	// is not waited for.
	if got := job("/bin/bash", "-c", "sleep 60 >&2 & echo $! >'"+root+"/child'; "+talk); got != want+":end 3\n" {
		t.Errorf("with somebody left behind: got %q", got)
	}
	if pid, err := os.ReadFile(root + "/child"); err == nil {
		exec.Command("kill", strings.TrimSpace(string(pid))).Run()
	}
	// One word is no place of a script, and where there is no mask the job runs.
	if got := job("true"); got != ":end 0\n" {
		t.Errorf("got %q", got)
	}
	// What the job brings in may take the place of what it began with.
	if got := job("/bin/bash", "-c", "mv '"+scripts+"/mask' '"+root+"/moved'; echo hunter22"); got != "|***\n:end 0\n" {
		t.Errorf("with a mask that is moved: got %q", got)
	}
	// A mask that fails shows nothing, and does not stop the job.
	if err := os.WriteFile(scripts+"/mask", []byte("raise SystemExit(1)\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := job("/bin/bash", "-c", "sleep 0.5; for i in {1..20000}; do echo hunter22 || exit 9; done"); got != "|plonec: what it prints from here on cannot be masked, and is not shown\n:end 0\n" {
		t.Errorf("with a mask that fails: got %q", got)
	}
	if err := os.Remove(scripts + "/mask"); err != nil {
		t.Fatal(err)
	}
	if got := job("/bin/echo", "plain"); got != "|plain\n:end 0\n" {
		t.Errorf("got %q", got)
	}
}

// What git says where a host is asked for a commit is masked too: it is no job.
func TestResolveMasksSecrets(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	me, group := tester(t)
	h := processHost()
	c := h.Apps[0].Config
	c.DeployTo, c.Home, c.User, c.Group = root+"/srv/www/site", root, me.Username, group.Name
	c.SCM = schema.SCM{Type: "git", Repository: root + "/hunter22", Revision: "main"}
	put := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(root+path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(root+path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"host.env", "site/app.conf", "site/build.conf", "site/app.env"} {
		put("/etc/plonec/"+name, content(t, h, "/etc/plonec/"+name))
	}
	put("/etc/plonec/site/secrets.env", "A=\"hunter22\"\n")
	cmd := exec.Command(hostScripts(t)+"/host", "resolve", "site")
	cmd.Env = append(os.Environ(), "PLONEC_ROOT="+root)
	out, err := cmd.CombinedOutput()
	if err == nil || strings.Contains(string(out), "hunter22") || !strings.Contains(string(out), root+"/***") {
		t.Errorf("%v: it says\n%s", err, out)
	}
}
