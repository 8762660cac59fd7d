package render

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plonec/plonec/schema"
)

// TestResolve asks a git server, and a directory, where revisions lead. Nothing
// that the app's user keeps here, and nothing of its environment but the proxies,
// has a say in what the server answers.
func TestResolve(t *testing.T) {
	t.Parallel()
	root, scripts := t.TempDir(), hostScripts(t)
	repo := filepath.Join(root, "srv/repo")
	if err := os.MkdirAll(repo, 0o755); err != nil {
		t.Fatal(err)
	}
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", repo, "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	commit := func(name string) string {
		git("commit", "-q", "--allow-empty", "-m", name)
		return git("rev-parse", "HEAD")
	}
	git("init", "-q", "-b", "main")
	first := commit("one")
	git("tag", "-a", "-m", "a tag with a text of its own", "v1")
	git("tag", "both")
	second := commit("two")
	git("branch", "both")
	git("update-ref", "refs/x/refs/heads/only", first) // looks like a branch at its end
	third := commit("three")

	port := loopbackPort(t)
	daemon := exec.Command("git", "daemon", "--listen=127.0.0.1", "--port="+strconv.Itoa(port), "--base-path="+root+"/srv", "--export-all", "--reuseaddr")
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		daemon.Process.Signal(syscall.SIGTERM) // SIGINT is ignored in a job of a script
		daemon.Wait()
	})
	server := "git://127.0.0.1:" + strconv.Itoa(port) + "/repo"
	answers := func() bool {
		ask := exec.Command("git", "ls-remote", "-q", server)
		ask.Dir = repo // in a work tree that is whole, whatever this one is
		return ask.Run() == nil
	}
	for i := 0; !answers(); i++ {
		if i == 100 {
			t.Fatal("git daemon does not answer")
		}
		time.Sleep(100 * time.Millisecond)
	}

	me, group := tester(t)
	h := processHost()
	c := h.Apps[0].Config
	c.DeployTo, c.Home, c.User, c.Group = root+"/srv/www/site", root+"/home", me.Username, group.Name
	traced := root + "/traced"
	resolve := func(repository, revision string, args ...string) string {
		t.Helper()
		c.SCM = schema.SCM{Type: "git", Repository: repository, Revision: revision}
		c.Environment = map[string]schema.EnvValue{"GIT_TRACE": {Text: traced}}
		for _, name := range []string{"host.env", "site/app.conf", "site/build.conf", "site/app.env"} {
			path := root + "/etc/plonec/" + name
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content(t, h, "/etc/plonec/"+name)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command(scripts+"/host", append(append([]string{"resolve"}, args...), "site")...)
		cmd.Env = append(os.Environ(), "PLONEC_ROOT="+root)
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	// What the app's user has here: a copy that says otherwise, and settings.
	copied := root + "/srv/www/site/shared/cached-copy"
	git("clone", "-q", "--bare", repo, copied)
	git("--git-dir", copied, "update-ref", "refs/heads/main", first)
	if err := os.MkdirAll(root+"/home", 0o755); err != nil {
		t.Fatal(err)
	}
	settings := "[url \"file://" + copied + "\"]\n\tinsteadOf = " + server + "\n"
	if err := os.WriteFile(root+"/home/.gitconfig", []byte(settings), 0o644); err != nil {
		t.Fatal(err)
	}

	for revision, want := range map[string]string{
		"main": third, "": third, "v1": first, "both": second, "refs/tags/both": first,
		first: first, strings.Repeat("ab", 20): strings.Repeat("ab", 20),
		"only": "has no branch or tag only", "none": "has no branch or tag none", first[:12]: "has no branch or tag " + first[:12],
	} {
		if out := resolve(server, revision); !strings.Contains(out, want) || strings.Contains(out, "word of") {
			t.Errorf("%q leads to\n%swant %s", revision, out, want)
		}
	}
	if _, err := os.Stat(traced); err == nil {
		t.Error("the app's environment reaches root's git")
	}
	if out := resolve("git://127.0.0.1:1/repo", "main"); !strings.Contains(out, "cannot ask git://127.0.0.1:1/repo") {
		t.Error(out)
	}
	// Whether the repository answers is asked of a commit in full too, and beside other work.
	if out := resolve("git://127.0.0.1:1/repo", first); !strings.Contains(out, "commit "+first) {
		t.Error(out)
	}
	lock, err := os.OpenFile(root+"/run/plonec/lock/work", os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		t.Fatal(err)
	}
	if out := resolve(server, "main"); !strings.Contains(out, "another verb is at work here") {
		t.Error(out)
	}
	for revision, want := range map[string]string{
		"main": "revision main\ncommit " + third + "\n", "": "revision \ncommit " + third + "\n", first: "revision " + first + "\ncommit " + first + "\n",
		"none": "has no branch or tag none", "a\x1bb": "revision a?b\n",
	} {
		if out := resolve(server, revision, "--source"); !strings.Contains(out, want) || strings.Contains(out, "at work") {
			t.Errorf("%q: %s", revision, out)
		}
	}
	lock.Close()
	for _, revision := range []string{"main", first} {
		if out := resolve("git://127.0.0.1:1/repo", revision, "--source"); !strings.Contains(out, "cannot ask git://127.0.0.1:1/repo") || strings.Contains(out, "commit "+first) {
			t.Error(out)
		}
	}
	if out := resolve(server, "main", "--commit", first[:12]); !strings.Contains(out, "in full") {
		t.Error(out)
	}

	// Its owner decides what is in a directory: so it is asked as the app's user,
	// and plonec is told whose word that is.
	for _, directory := range []string{repo, "file://" + repo} {
		if out := resolve(directory, "main"); !strings.Contains(out, "word of "+me.Username+"\ncommit "+third+"\n") {
			t.Errorf("%s: %s", directory, out)
		}
	}
	if _, err := os.Stat(traced); err != nil {
		t.Error("nothing says where the app's environment goes: the test above cannot fail")
	}
}

// TestAskedBy: root asks only where it has what the git server wants, and never
// a path that is the app's user's.
func TestAskedBy(t *testing.T) {
	t.Parallel()
	root, scripts := t.TempDir(), hostScripts(t)
	for _, test := range []struct{ repository, keyless, keyed string }{
		{"https://git.example.com/site.git", "root", "root"},
		{"git://git.example.com/site.git", "root", "root"},
		{"ssh://git@git.example.com/site.git", "app", "root"},
		{"git@git.example.com:site.git", "app", "root"},
		{"git.example.com:site.git", "app", "root"},
		{"/srv/git/site.git", "app", "app"},
		{"/srv/git@host:site.git", "app", "app"},
		{"./a:b", "app", "app"},
		{"file:///srv/git/site.git", "app", "app"},
	} {
		for _, keyed := range []bool{false, true} {
			want := test.keyless
			os.RemoveAll(root + "/etc")
			if err := os.MkdirAll(root+"/etc/plonec/site", 0o755); err != nil {
				t.Fatal(err)
			}
			if keyed {
				want = test.keyed
				if err := os.WriteFile(root+"/etc/plonec/site/deploy_key", nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command("/bin/bash", "-c", `LIB=$1; . "$LIB/lib.sh"; . "$1/source.sh"; APP=site SCM_REPOSITORY=$2; asked_by`, "bash", scripts, test.repository)
			cmd.Env = append(os.Environ(), "PLONEC_ROOT="+root)
			if out, err := cmd.CombinedOutput(); err != nil || string(out) != want {
				t.Errorf("%s, with a key: %v: %v: %s, want %s", test.repository, keyed, err, out, want)
			}
		}
	}
}

// TestSystemSettings: a program of an app's user gets what the system says of proxies and of
// whose certificates it believes, and nothing else of it; what the app's environment says
// of them wins over that, and over defaults.
func TestSystemSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	system := "# of the host\nhttps_proxy=http://system\nexport NO_PROXY=\"a, b\"\nSSL_CERT_FILE='/srv/ca.pem'\nPIP_CERT=/srv/ca.pem\n" +
		"GIT_SSL_CAINFO=/srv/git.pem\nPATH=/x\nLD_PRELOAD=/x\nPIP_INDEX_URL=x\nmy_https_proxy=x\nno assignment\n = x\n"
	app := "https_proxy=\"http://app\"\nB=\"app\"\n"
	for name, text := range map[string]string{"environment": system, "app.env": app} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	env := func(args ...string) map[string]string {
		t.Helper()
		cmd := exec.Command("/usr/bin/python3", append([]string{"-I", hostScripts(t) + "/as-user"}, append(args, "--", "root", "root", "/home", "env")...)...)
		cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		got := map[string]string{}
		for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
			name, value, _ := strings.Cut(line, "=")
			got[name] = value
		}
		for _, name := range []string{"HOME", "USER", "LOGNAME", "PATH", "LC_ALL"} {
			if name == "PATH" && got[name] != "/usr/local/bin:/usr/bin:/bin" {
				t.Errorf("PATH is %s", got[name])
			}
			delete(got, name)
		}
		return got
	}
	want := map[string]string{
		"https_proxy": "http://app", "NO_PROXY": "a, b", "SSL_CERT_FILE": "/srv/ca.pem", "PIP_CERT": "/srv/ca.pem", "GIT_SSL_CAINFO": "/srv/git.pem",
		"A": "default", "B": "app", "C": "set",
	}
	const store = "/etc/ssl/certs/ca-certificates.crt"
	if _, err := os.Stat(store); err == nil {
		want["REQUESTS_CA_BUNDLE"] = store
	}
	got := env("--set", "C=set", "--env", dir+"/app.env", "--system", dir+"/environment", "--default", "A=default", "--default", "B=default", "--default", "C=default")
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	// No file there is a system that says nothing.
	want = map[string]string{}
	if _, err := os.Stat(store); err == nil {
		want = map[string]string{"SSL_CERT_FILE": store, "REQUESTS_CA_BUNDLE": store}
	}
	if got := env("--system", dir+"/none"); !maps.Equal(got, want) {
		t.Errorf("without a file: got %v, want %v", got, want)
	}
}

// TestProxies: of a file after --proxies only the variables of a proxy are taken.
func TestProxies(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "app.env")
	text := "http_proxy=\"http://a\"\nHTTPS_PROXY=\"http://b\"\nno_proxy=\"c\"\nALL_PROXY=\"d\"\n" +
		"LD_LIBRARY_PATH=\"/x\"\nGIT_SSH_COMMAND=\"x\"\nPATH=\"/x\"\nHOME=\"/x\"\nnot_http_proxy=\"x\"\nhttp_proxy_not=\"x\"\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/usr/bin/python3", "-I", hostScripts(t)+"/as-user", "--proxies", file, "--", "root", "root", "/home", "env")
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	want := "HOME=/home\nUSER=root\nLOGNAME=root\nPATH=/usr/local/bin:/usr/bin:/bin\nLC_ALL=C\n" +
		"http_proxy=http://a\nHTTPS_PROXY=http://b\nno_proxy=c\nALL_PROXY=d\n"
	if err != nil || string(out) != want {
		t.Errorf("%v\ngot\n%swant\n%s", err, out, want)
	}
}
