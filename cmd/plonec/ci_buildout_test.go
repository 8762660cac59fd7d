package main

import (
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	neturl "net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// withBuildouts gives jobs the virtualenvs that the tests have already.
func (f *forge) withBuildouts() {
	f.t.Helper()
	cache := os.Getenv("PLONEC_TEST_CACHE")
	if cache == "" {
		cache, _ = filepath.Abs("../../.cache") // there is a working directory
	}
	venvs := filepath.Join(cache, "plonec")
	for _, dir := range []string{venvs, filepath.Join(f.home, ".cache")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			f.t.Fatal(err)
		}
	}
	if err := os.Symlink(venvs, filepath.Join(f.home, ".cache/plonec")); err != nil {
		f.t.Fatal(err)
	}
}

// rename gives a section of the example's base another name.
func rename(t *testing.T, dir string) {
	t.Helper()
	name := filepath.Join(dir, "cfg/base.cfg")
	text, err := os.ReadFile(name)
	if err == nil {
		err = os.WriteFile(name, []byte(strings.ReplaceAll(string(text), "[zeoserver]", "[zeo]")), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

const missing = "deploy.cfg asks for the part zeoserver, which the project does not have"

// A buildout in the repository of its stack is read in pull requests.
func TestBuildoutBesideStack(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	f.withBuildouts()
	if err := os.CopyFS(f.dir, os.DirFS("../../examples/buildout")); err != nil {
		t.Fatal(err)
	}
	f.git("rm", "-q", ".github/workflows/plonec.yml", ".gitlab/plonec.yml")
	f.plonec(".", "init", "ops", "--ci", "github,gitlab")
	f.commit("a buildout")
	f.branch("good", func() { f.write(filepath.Join(f.dir, "README.md"), "a buildout\n") })
	f.branch("bad", func() { rename(t, f.dir) })
	jobs := newActions(f, f.merged("bad"), pull("us/site", "someone")).run()
	wantJobs(t, jobs, "check bad")
	wantText(t, jobs["check"].log, missing)
	jobs = (&gitlab{forge: f, ref: "refs/heads/good", variables: map[string]string{
		"CI_PIPELINE_SOURCE": "merge_request_event", "CI_DEFAULT_BRANCH": "main", "CI_MERGE_REQUEST_DIFF_BASE_SHA": strings.TrimSpace(f.git("rev-parse", "main")),
	}}).run()
	wantJobs(t, jobs, "plonec:check good", "plonec:buildout good")
	harmless(t, f, jobs)
}

// A buildout in a repository of its own is read there, with the stack of another one.
func TestBuildoutInItsRepository(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	f.withBuildouts()
	f.git("remote", "add", "origin", "git@git.example.com:us/site.git")
	stack := f.dir
	print := func(name string) string {
		return string(mustRun(t, stack, "plonec", "init", "ops", "--print", name))
	}
	files := map[string]string{
		".github/workflows/plonec-buildout.yml": print(".github/workflows/plonec-buildout.yml"),
		".gitlab/plonec-buildout.yml":           print(".gitlab/plonec-buildout.yml"),
		".gitlab-ci.yml":                        "include:\n  - local: /.gitlab/plonec-buildout.yml\n",
	}
	f.dir = t.TempDir()
	f.git("init", "-q", "-b", "main", ".")
	if err := os.CopyFS(f.dir, os.DirFS("../../examples/buildout")); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		f.write(filepath.Join(f.dir, name), text)
	}
	f.commit("a buildout")
	f.branch("bad", func() { rename(t, f.dir) })
	a := newActionsOf(f, ".github/workflows/plonec-buildout.yml", "refs/heads/main", pull("us/buildout", "someone"))
	a.secrets["PLONEC_STACK_TOKEN"], a.others = "t0ken-of-the-stack", map[string]string{"us/site": stack}
	jobs := a.run()
	wantJobs(t, jobs, "buildout good")
	wantText(t, jobs["buildout"].log, ": good")
	temp, server := t.TempDir(), f.gitServer("/gitlab/us/site.git", stack, "t0ken-of-the-job")
	url, err := neturl.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	jobs = (&gitlab{forge: f, file: ".gitlab/plonec-buildout.yml", ref: "refs/heads/bad", variables: map[string]string{
		"CI_PIPELINE_SOURCE": "merge_request_event", "CI_JOB_TOKEN": "t0ken-of-the-job",
		"CI_SERVER_URL": server + "/gitlab", "CI_SERVER_HOST": url.Hostname(), "CI_SERVER_PORT": url.Port(), "CI_SERVER_PROTOCOL": url.Scheme,
		"TMPDIR": temp, "GIT_TRACE": "1", "GIT_TRACE_REDACT": "0",
	}}).run()
	wantJobs(t, jobs, "plonec:buildout bad")
	log := jobs["plonec:buildout"].log
	wantText(t, log, missing, "git remote-http origin") // the trace has git's command lines
	if strings.Contains(log, "t0ken-of-the-job") {
		t.Errorf("the token is on a command line: %s", log)
	}
	left, err := filepath.Glob(filepath.Join(temp, "tmp.*"))
	if err != nil || len(left) > 0 {
		t.Errorf("the job leaves %v: %v", left, err)
	}
}

// gitServer has a repository at a path, for who comes with a job's token, at a port that is
// not https's.
func (f *forge) gitServer(path, dir, token string) string {
	f.t.Helper()
	git := &cgi.Handler{Path: filepath.Join(strings.TrimSpace(f.git("--exec-path")), "git-http-backend"), Root: path, Env: []string{
		"GIT_PROJECT_ROOT=" + filepath.Join(dir, ".git"), "GIT_HTTP_EXPORT_ALL=1",
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "gitlab-ci-token" || password != token {
			w.Header().Set("WWW-Authenticate", `Basic realm="GitLab"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		git.ServeHTTP(w, r)
	}))
	f.t.Cleanup(server.Close)
	return server.URL
}

// mustRun is what a program prints that has to succeed.
func mustRun(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir = dir
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}
