package render

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// TestLadder runs the real scripts with git, a virtualenv and zc.buildout, as
// far as they go without systemd: to the release that deploy would switch to.
// The rest of the way is the real hosts' (make e2e).
func TestLadder(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	me, group := tester(t)
	repo := filepath.Join(root, "repo")
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", repo, "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	os.MkdirAll(repo, 0o755)
	git("init", "-q", "-b", "main")
	write(repo+"/requirements.txt", "zc.buildout==5.2.0\nzc.recipe.egg==4.0.0\nsetuptools<82\n")
	write(repo+"/buildout.cfg", "[buildout]\nparts = hello\n\n[hello]\nrecipe = zc.recipe.egg\neggs = zc.buildout\nscripts = buildout=hello\n")
	write(repo+"/var/stray", "of the repository")
	git("add", "-A")
	git("commit", "-q", "-m", "one")
	first := git("rev-parse", "HEAD")

	h := processHost()
	a := h.Apps[0]
	a.Clients, a.Zeo, a.Storage = nil, nil, topology.Storage{}
	a.Commands = []*topology.Command{{App: a, Name: "hello", Unit: "plone-site-hello.service", Cmd: "bin/hello"}}
	deployTo := root + "/srv/www/site"
	a.Config.DeployTo, a.Config.Home = deployTo, root
	a.Config.User, a.Config.Group = me.Username, group.Name
	a.Config.SCM = schema.SCM{Type: "git", Repository: repo, Revision: "main"}
	a.Config.SymlinkBeforeMigrate = maps.Clone(a.Config.SymlinkBeforeMigrate)
	a.Config.SymlinkBeforeMigrate["local/site.ini"] = "etc/site.ini"
	write(deployTo+"/shared/local/site.ini", "a file")
	for _, name := range []string{"host.env", "site/app.conf", "site/build.conf", "site/app.env"} {
		write(root+"/etc/plonec/"+name, content(t, h, "/etc/plonec/"+name))
	}
	config := root + "/etc/plonec/site/deploy.cfg"
	write(config, "[buildout]\nextends = buildout.cfg\n")

	scripts := hostScripts(t)
	write(scripts+"/services/toy.sh", "toy_made() { printf '%s\\n' 'a toy' && grep ^zc_buildout- <<<\"$1\"; }\n")
	deploy := func(status int, args ...string) string {
		t.Helper()
		cmd := exec.Command(scripts+"/host", append(append([]string{"deploy", "--no-restart"}, args...), "site")...)
		cmd.Env = append(os.Environ(), "PLONEC_ROOT="+root)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != status {
			t.Fatalf("deploy %s: %v, want exit status %d\n%s", args, err, status, out)
		}
		return string(out)
	}
	record := func(release string) string {
		t.Helper()
		text, err := os.ReadFile(root + "/var/lib/plonec/site/releases/" + release)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	contains := func(text, want string) {
		t.Helper()
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}

	// There is none yet.
	contains(deploy(0, "--release", "20260101000000"), "there is none yet")
	release := deployTo + "/releases/20260101000000"
	if out, err := exec.Command(release+"/bin/hello", "--version").CombinedOutput(); err != nil {
		t.Errorf("what the buildout made does not run: %v\n%s", err, out)
	}
	if target, _ := os.Readlink(release + "/var"); target != deployTo+"/shared/var" {
		t.Errorf("var leads to %q", target)
	}
	if text, _ := os.ReadFile(release + "/etc/site.ini"); string(text) != "a file" {
		t.Errorf("a file of shared is linked as %q", text)
	}
	if _, err := os.Lstat(deployTo + "/current"); err == nil {
		t.Error("--no-restart switched current")
	}
	contains(record("20260101000000"), "commit="+first+"\n")
	contains(record("20260101000000"), "state=built\n")
	contains(record("20260101000000.packages"), "zc_buildout-5.2.0.dist-info\n")
	// What each service is made of there; ZEO needs a Python at least.
	python, err := filepath.EvalSymlinks(release + "/.venv/bin/python")
	if err != nil {
		t.Fatal(err)
	}
	contains(record("20260101000000"), "zeo="+sumOf(python+"\n")+"\n")
	contains(record("20260101000000"), "toy="+sumOf("a toy\nzc_buildout-5.2.0.dist-info\n")+"\n")

	// The same commit and the same deploy.cfg: nothing.
	if err := os.Symlink("releases/20260101000000", deployTo+"/current"); err != nil {
		t.Fatal(err)
	}
	contains(deploy(0, "--release", "20260101000001"), "nothing to build")

	// Another deploy.cfg: a new release of the same commit. The first was filled by pip,
	// this one and those after it by uv, which is faster.
	lendUv(t, root)
	write(config, "[buildout]\nextends = buildout.cfg\n# changed\n")
	contains(deploy(0, "--release", "20260101000002"), "deploy.cfg, or what the buildout is run with, changed")
	contains(record("20260101000002"), "commit="+first+"\n")

	// A commit whose packages cannot be had: the release is marked, the log's
	// end is shown, and current is what it was.
	write(repo+"/requirements.txt", "-r nowhere.txt\n")
	git("commit", "-q", "-a", "-m", "two")
	out := deploy(1, "--release", "20260101000003")
	contains(out, "the commit changed: ")
	contains(out, "nowhere.txt")
	contains(out, "20260101000000 stays the current one")
	contains(record("20260101000003"), "state=failed\n")
	if target, _ := os.Readlink(deployTo + "/current"); target != "releases/20260101000000" {
		t.Errorf("current is %q", target)
	}
	if _, err := os.Stat(root + "/var/lib/plonec/site/releases/20260101000003.packages"); err == nil {
		t.Error("what a release has is recorded, though it was not built")
	}
	// A commit of one's own choice, one that there is not, and a lock.
	contains(deploy(0, "--commit", first, "--release", "20260101000004", "--force"), "release 20260101000004 is built")
	contains(deploy(1, "--commit", strings.Repeat("0123", 10)), "has no commit 01230123")
	contains(deploy(2, "--commit", first[:10]), "in full: not "+first[:10])

	// What status tells programs of the releases; without a systemd it gets no
	// further.
	cmd := exec.Command(scripts+"/host", "status", "--porcelain")
	cmd.Env = append(os.Environ(), "PLONEC_ROOT="+root)
	status, _ := cmd.CombinedOutput()
	contains(string(status), "\nsite.releases=20260101000000:built:"+first+" 20260101000002:built:"+first+" 20260101000003:failed:"+git("rev-parse", "HEAD")+" 20260101000004:built:"+first+"\n")

	// Secret parts of the stack's own text: one that is there makes a new release,
	// so does another value of it, and each release has its own.
	a.Config.BuildoutAdditionalConfig = schema.Pasted{{Secret: schema.Secret{Ref: "env:A", Source: "env:A"}}, {Text: "[hello]\ninterpreter = py"}}
	// So do files: one in the place of the commit's, one that is a secret.
	a.Config.Files = map[string]schema.EnvValue{
		"buildout.cfg": {Text: "# the stack's\n[buildout]\nparts = hello\n\n[hello]\nrecipe = zc.recipe.egg\neggs = zc.buildout\nscripts = buildout=hello\n"},
		"etc/app/key":  {Secret: schema.Secret{Ref: "env:B", Source: "env:B"}},
	}
	write(root+"/etc/plonec/site/build.conf", content(t, h, "/etc/plonec/site/build.conf"))
	write(root+"/etc/plonec/site/files/buildout.cfg", content(t, h, "/etc/plonec/site/files/buildout.cfg"))
	contains(deploy(1, "--commit", first, "--release", "20260101000009"), "files/etc/app/key is missing, which belongs into etc/app/key of the release")
	write(root+"/etc/plonec/site/files/etc/app/key", "key of first")
	write(config, "[buildout]\nextends =\n    buildout.cfg\n    plonec-secret-1.cfg\n[hello]\ninterpreter = py\n")
	contains(deploy(1, "--commit", first, "--release", "20260101000010"), "plonec-secret-1.cfg is missing")
	sums := map[string]bool{}
	for i, word := range []string{"first", "second", "second", "key"} {
		// It begins in [buildout], and wins over the base.
		write(root+"/etc/plonec/site/plonec-secret-1.cfg", "word = "+word+"\n\n[hello]\ninitialization = word = '${buildout:word}'\n")
		name := fmt.Sprintf("2026010100002%d", i)
		if i == 2 {
			contains(deploy(0, "--commit", first), "release 20260101000021 of site is built already")
			continue
		}
		if i == 3 { // another value of the file alone
			write(root+"/etc/plonec/site/plonec-secret-1.cfg", "word = second\n\n[hello]\ninitialization = word = '${buildout:word}'\n")
			write(root+"/etc/plonec/site/files/etc/app/key", "key of key")
		}
		contains(deploy(0, "--commit", first, "--release", name), "deploy.cfg, or what the buildout is run with, changed")
		made, err := os.ReadFile(deployTo + "/releases/" + name + "/bin/hello")
		if err != nil || i < 2 && !strings.Contains(string(made), "word = '"+word+"'") {
			t.Errorf("%v\n%s", err, made)
		}
		for path, want := range map[string]struct {
			mode os.FileMode
			text string
		}{"buildout.cfg": {0o644, a.Config.Files["buildout.cfg"].Text}, "etc/app/key": {0o600, map[bool]string{false: "key of first", true: "key of key"}[i == 3]}} {
			text, err1 := os.ReadFile(deployTo + "/releases/" + name + "/" + path)
			if info, err := os.Stat(deployTo + "/releases/" + name + "/" + path); err != nil || err1 != nil || info.Mode() != want.mode || string(text) != want.text {
				t.Errorf("%s: %v %v %q, want %v %q", path, info, err, text, want.mode, want.text)
			}
		}
		if info, err := os.Stat(deployTo + "/releases/" + name + "/plonec-secret-1.cfg"); err != nil || info.Mode() != 0o600 {
			t.Errorf("the secret in the release: %v %v", info, err)
		}
		kept := record(name)
		sums[regexp.MustCompile(`(?m)^config=.*$`).FindString(kept)] = true
		if strings.Contains(kept, word) {
			t.Errorf("the record of a release holds the secret:\n%s", kept)
		}
	}
	cmd = exec.Command(scripts+"/host", "status", "--porcelain")
	cmd.Env = append(os.Environ(), "PLONEC_ROOT="+root)
	status, _ = cmd.CombinedOutput()
	// Current is the first release, which had none of them.
	contains(string(status), "\nsite.other-secrets=1\n")
	if !regexp.MustCompile(`(?m)^site\.config=[0-9a-f]{64}$`).Match(status) {
		t.Errorf("status says more of the configuration than its sum without secrets:\n%s", status)
	}
	if len(sums) != 3 {
		t.Errorf("%d sums of three states: %v", len(sums), sums)
	}

	lock, err := os.OpenFile(root+"/run/plonec/lock/work", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	contains(deploy(3), "another verb is at work here")
}
