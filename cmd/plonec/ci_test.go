package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rhysd/actionlint"
	"golang.org/x/crypto/ssh"
)

// What plonec init writes is tested by doing what the forges do with it: real
// repositories, the real commands, a real ssh with an agent. The forges
// themselves cannot be had, so their API is a server that keeps comments as
// theirs do, and what of their rules matters is in ci_github_test.go and
// ci_gitlab_test.go. The archive of the release holds the plonec under test, and
// "go install" puts it in its place, too.
type forge struct {
	t    *testing.T
	dir  string // the repository
	home string
	path string // PATH
	api  string // URL

	variables map[string]string // of the repository's settings

	mu       sync.Mutex
	comments []comment
	writes   []string // requests that change something
	refused  []string // requests with another token than there should be

	key     string // that the host takes, as a secret holds it
	host    string // address and port of the host
	hostKey ssh.PublicKey
	asked   []string // what was asked of the host
}

type comment struct {
	ID   int    `json:"id"`
	Body string `json:"body"`
	User struct {
		Login string `json:"login"`
	} `json:"user"`
	Author struct {
		ID int `json:"id"`
	} `json:"author"`
}

const marker = "<!-- plonec diff -->"

// newForge makes a repository with a stack in ops, its tree, and what plonec
// init writes, committed on main.
func newForge(t *testing.T) *forge {
	t.Helper()
	for _, program := range []string{"git", "bash", "curl", "jq", "ssh", "ssh-agent", "rsync"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v: run make tools", err)
		}
	}
	f := &forge{t: t, dir: t.TempDir(), home: t.TempDir()}
	f.serveHost()
	server := httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(server.Close)
	f.api = server.URL
	f.variables = map[string]string{"PLONEC_URL": f.api + releasesPath}
	for i := range 130 { // more than a page, with one of a liar and one of other jobs
		c := comment{ID: 1000 + i, Body: "looks good"}
		c.User.Login, c.Author.ID = "someone", 7
		switch i {
		case 60:
			c.Body = marker + " mine, mine"
		case 61:
			c.Body, c.User.Login, c.Author.ID = "coverage", "github-actions[bot]", 99
		}
		f.comments = append(f.comments, c)
	}
	plonec, err := exec.LookPath("plonec")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	f.path = bin + ":/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
	gopath := filepath.Join(f.home, "go")
	agent, err := exec.LookPath("ssh-agent")
	if err != nil {
		t.Fatal(err)
	}
	f.program(filepath.Join(bin, "ssh-agent"), fmt.Sprintf("#!/bin/sh\n%s \"$@\" | tee -a %s/agents\n", agent, f.home))
	// The runner's sudo; root, as whom this may run, needs none.
	f.program(filepath.Join(bin, "sudo"), "#!/bin/sh\n[ \"$(id -u)\" != 0 ] || exec \"$@\"\nexec /usr/bin/sudo -n \"$@\"\n")
	f.program(filepath.Join(bin, "go"), fmt.Sprintf(`#!/bin/sh
set -eu
case "$*" in
"env GOPATH") echo %[1]s ;;
"install github.com/plonec/plonec/cmd/plonec@v%[2]s") mkdir -p %[1]s/bin && cp %[3]s %[1]s/bin/plonec ;;
*) echo "go $*: not known here" >&2; exit 1 ;;
esac
`, gopath, release, plonec))
	f.write(filepath.Join(f.home, ".gitconfig"), "[user]\nname = t\nemail = t@example.com\n[init]\ndefaultBranch = main\n")

	f.git("init", "-q", "-b", "main", ".")
	f.stack(1, "env:HAPROXY_STATS_PASSWORD")
	host, port, _ := strings.Cut(f.host, ":")
	f.write(filepath.Join(f.dir, "ops/known_hosts"), "["+host+"]:"+port+" "+string(ssh.MarshalAuthorizedKey(f.hostKey)))
	f.plonec("ops", "build", "stack.json")
	f.plonec(".", "init", "ops", "--ci", "github,gitlab")
	f.commit("a stack")
	return f
}

// releasesPath is where the forge's server has releases.
const releasesPath = "/releases"

// archiveName is that of this release for this machine.
const archiveName = "plonec-" + release + "-" + runtime.GOOS + "-" + runtime.GOARCH

// testArchive is a release of the plonec under test: its files, by name.
var testArchive = sync.OnceValue(func() map[string][]byte {
	plonec, err := exec.LookPath("plonec")
	if err != nil {
		panic(err)
	}
	program, err := os.ReadFile(plonec)
	if err != nil {
		panic(err)
	}
	return archiveOf(program)
})

// archiveOf is a release with a program: its files, by name.
func archiveOf(program []byte) map[string][]byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	t := tar.NewWriter(z)
	err := t.WriteHeader(&tar.Header{Name: archiveName + "/plonec", Mode: 0o755, Size: int64(len(program))})
	if err == nil {
		_, err = t.Write(program)
	}
	if err = errors.Join(err, t.Close(), z.Close()); err != nil {
		panic(err)
	}
	return map[string][]byte{
		archiveName + ".tar.gz": b.Bytes(),
		"SHA256SUMS":            fmt.Appendf(nil, "%x  %s.tar.gz\n", sha256.Sum256(b.Bytes()), archiveName),
	}
}

// stack writes the stack with so many clients a CPU.
func (f *forge) stack(perCPU int, secret string) {
	f.t.Helper()
	host, port, _ := strings.Cut(f.host, ":")
	f.write(filepath.Join(f.dir, "ops/stack.json"), fmt.Sprintf(`{
  "plonec": {"ssh": {"user": "deployer", "port": %s, "known_hosts": "known_hosts"}},
  "instances": {"web1": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.11", "ssh_address": %q, "cpus": 2}},
  "plone_instances": {"app_name": "site", "per_cpu": %d},
  "plone_zeoserver": {"app_name": "site", "filestorage_dir": "/srv/data/filestorage"},
  "plone_blobs": {"blob_dir": "/srv/data/blobstorage"},
  "haproxy": {"stats_password": {"$secret": %q}},
  "deploy": {"site": {"domains": ["www.example.com"], "scm": {"repository": "https://git.example.com/buildout.git"}}}
}
`, port, host, perCPU, secret))
}

func (f *forge) write(name, text string) {
	f.t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

func (f *forge) program(name, text string) {
	f.t.Helper()
	f.write(name, text)
	if err := os.Chmod(name, 0o755); err != nil {
		f.t.Fatal(err)
	}
}

func (f *forge) git(args ...string) string {
	f.t.Helper()
	c := exec.Command("git", append([]string{"-C", f.dir}, args...)...)
	c.Env = append(os.Environ(), "HOME="+f.home)
	out, err := c.CombinedOutput()
	if err != nil {
		f.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (f *forge) plonec(folder string, args ...string) {
	f.t.Helper()
	c := exec.Command("plonec", args...)
	c.Dir = filepath.Join(f.dir, folder)
	if out, err := c.CombinedOutput(); err != nil {
		f.t.Fatalf("plonec %v: %v\n%s", args, err, out)
	}
}

func (f *forge) commit(message string) string {
	f.t.Helper()
	f.git("add", "-A")
	f.git("commit", "-q", "-m", message)
	return strings.TrimSpace(f.git("rev-parse", "HEAD"))
}

// branch makes a branch from main, and changes it.
func (f *forge) branch(name string, change func()) {
	f.t.Helper()
	f.git("checkout", "-q", "-B", name, "main")
	change()
	f.commit(name)
	f.git("checkout", "-q", "main")
}

// merged is what the forges make for a pull request: its merge into main.
func (f *forge) merged(branch string) string {
	f.t.Helper()
	f.git("checkout", "-q", "--detach", "main")
	f.git("merge", "-q", "--no-ff", "-m", "merge", branch)
	f.git("update-ref", "refs/pull/7/merge", "HEAD")
	f.git("checkout", "-q", "main")
	return "refs/pull/7/merge"
}

// bash runs commands as both forges do where there is a bash.
func (f *forge) bash(folder, script string, env map[string]string) (log string, good bool) {
	f.t.Helper()
	name := filepath.Join(f.t.TempDir(), "script")
	f.write(name, script+"\n")
	c := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", name)
	c.Dir, c.Env = folder, environ(env)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.String(), err == nil
}

func environ(env map[string]string) []string {
	var list []string
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	return list
}

// serve is the part of both APIs that has to do with comments.
func (f *forge) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if name, of := strings.CutPrefix(r.URL.Path, releasesPath+"/v"+release+"/"); of {
		_, _ = w.Write(testArchive()[name])
		return
	}
	body, _ := io.ReadAll(r.Body)
	if r.Header.Get("Authorization") != "Bearer t0ken-of-the-run" && r.Header.Get("PRIVATE-TOKEN") != "t0ken-of-the-project" {
		f.refused = append(f.refused, r.URL.Path)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	const github, notes = "/repos/us/site/issues", "/projects/12/merge_requests/7/notes"
	text := ""
	if r.Method != http.MethodGet {
		f.writes = append(f.writes, r.Method+" "+r.URL.Path)
		if strings.HasPrefix(r.URL.Path, github) {
			var sent struct{ Body string }
			if err := json.Unmarshal(body, &sent); err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			text = sent.Body
		} else if values, err := url.ParseQuery(string(body)); err == nil {
			text = values.Get("body")
		}
		if text == "" || len(text) > 65536 {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
	}
	switch {
	case r.URL.Path == "/user":
		fmt.Fprint(w, `{"id": 99}`)
	case r.Method == http.MethodGet && (r.URL.Path == github+"/7/comments" || r.URL.Path == notes):
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
		from := min((page-1)*size, len(f.comments))
		json.NewEncoder(w).Encode(f.comments[from:min(from+size, len(f.comments))])
	case r.Method == http.MethodPost && (r.URL.Path == github+"/7/comments" || r.URL.Path == notes):
		c := comment{ID: 5000 + len(f.comments), Body: text}
		c.User.Login, c.Author.ID = "github-actions[bot]", 99
		f.comments = append(f.comments, c)
		w.WriteHeader(http.StatusCreated)
		json.NewEncoder(w).Encode(c)
	case r.Method == http.MethodPatch && strings.HasPrefix(r.URL.Path, github+"/comments/"),
		r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, notes+"/"):
		id, _ := strconv.Atoi(filepath.Base(r.URL.Path))
		i := slices.IndexFunc(f.comments, func(c comment) bool { return c.ID == id && c.Author.ID == 99 })
		if i < 0 {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		f.comments[i].Body = text
		json.NewEncoder(w).Encode(f.comments[i])
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// ours are the comments that CI made.
func (f *forge) ours() []string {
	var list []string
	for _, c := range f.comments {
		if c.Author.ID == 99 && c.Body != "coverage" {
			list = append(list, c.Body)
		}
	}
	return list
}

// serveHost is a host: an ssh server that takes one key, notes what it is asked
// and does nothing of it.
func (f *forge) serveHost() {
	f.t.Helper()
	newKey := func() (ssh.Signer, ed25519.PrivateKey) {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			f.t.Fatal(err)
		}
		signer, err := ssh.NewSignerFromKey(private)
		if err != nil {
			f.t.Fatal(err)
		}
		return signer, private
	}
	own, _ := newKey()
	login, private := newKey()
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		f.t.Fatal(err)
	}
	f.key, f.hostKey = string(pem.EncodeToMemory(block)), own.PublicKey()
	config := &ssh.ServerConfig{PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if meta.User() != "deployer" || !bytes.Equal(key.Marshal(), login.PublicKey().Marshal()) {
			return nil, fmt.Errorf("not %s", meta.User())
		}
		return nil, nil
	}}
	config.AddHostKey(own)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { listener.Close() })
	f.host = listener.Addr().String()
	go func() {
		for {
			raw, err := listener.Accept()
			if err != nil {
				return
			}
			go f.serveLogin(raw, config)
		}
	}()
}

func (f *forge) serveLogin(raw net.Conn, config *ssh.ServerConfig) {
	defer raw.Close()
	_, channels, requests, err := ssh.NewServerConn(raw, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for asked := range channels {
		channel, requests, err := asked.Accept()
		if err != nil {
			return
		}
		go func() {
			defer channel.Close()
			for r := range requests {
				r.Reply(r.Type == "exec", nil)
				if r.Type != "exec" {
					continue
				}
				var command struct{ Text string }
				if err := ssh.Unmarshal(r.Payload, &command); err != nil {
					return
				}
				if strings.HasPrefix(command.Text, "exec cat") { // the connection itself
					io.Copy(io.Discard, channel)
				} else {
					f.mu.Lock()
					f.asked = append(f.asked, command.Text)
					f.mu.Unlock()
				}
				channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{1}))
				return
			}
		}()
	}
}

// pull is what Actions says of a pull request of a repository.
func pull(from, author string) map[string]any {
	return map[string]any{
		"event_name": "pull_request", "ref_name": "7/merge",
		"event": map[string]any{
			"repository": map[string]any{"default_branch": "main"},
			"pull_request": map[string]any{
				"number": 7, "user": map[string]any{"login": author},
				"head": map[string]any{"repo": map[string]any{"full_name": from}},
			},
		},
	}
}

func push(branch string) map[string]any {
	return map[string]any{
		"event_name": "push", "ref_name": branch,
		"event": map[string]any{"repository": map[string]any{"default_branch": "main"}},
	}
}

func TestGitHubPullRequest(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	f.branch("more", func() { f.stack(2, "env:HAPROXY_STATS_PASSWORD"); f.plonec("ops", "build") })
	ref := f.merged("more")
	jobs := newActions(f, ref, pull("us/site", "someone")).run()
	wantJobs(t, jobs, "check good", "comment good", "tests good", "deploy not run")
	harmless(t, f, jobs)
	if !strings.Contains(jobs["check"].summary, marker) {
		t.Errorf("the summary is %q", jobs["check"].summary)
	}
	if got := f.ours(); len(got) != 1 || strings.TrimSpace(got[0]) != strings.TrimSpace(jobs["check"].summary) {
		t.Errorf("the comments are %q", got)
	}

	// The next commit updates the comment, which is on the second page by now.
	f.git("checkout", "-q", "more")
	f.stack(3, "env:HAPROXY_STATS_PASSWORD")
	f.plonec("ops", "build")
	f.commit("still more")
	f.git("checkout", "-q", "main")
	jobs = newActions(f, f.merged("more"), pull("us/site", "someone")).run()
	wantJobs(t, jobs, "check good", "comment good")
	if got := f.ours(); len(got) != 1 || strings.TrimSpace(got[0]) != strings.TrimSpace(jobs["check"].summary) {
		t.Errorf("the comments are %q", got)
	}
	if want := []string{"POST /repos/us/site/issues/7/comments", "PATCH /repos/us/site/issues/comments/5130"}; !slices.Equal(f.writes, want) {
		t.Errorf("written %v, want %v", f.writes, want)
	}

	// A fork, and dependabot, have the summary alone.
	for _, from := range []map[string]any{pull("stranger/site", "stranger"), pull("us/site", "dependabot[bot]")} {
		f.writes = nil
		jobs = newActions(f, ref, from).run()
		wantJobs(t, jobs, "check good", "comment not run", "tests good", "deploy not run")
		harmless(t, f, jobs)
		if !strings.Contains(jobs["check"].summary, marker) || len(f.writes) > 0 {
			t.Errorf("summary %q, written %v", jobs["check"].summary, f.writes)
		}
	}
}

func TestGitHubRefuses(t *testing.T) {
	t.Parallel()
	f := newForge(t)

	// A tree that was not built.
	f.branch("stale", func() { f.stack(2, "env:HAPROXY_STATS_PASSWORD") })
	jobs := newActions(f, f.merged("stale"), pull("us/site", "someone")).run()
	wantJobs(t, jobs, "check bad", "comment not run", "deploy not run")
	wantText(t, jobs["check"].log, "::error title=plonec::build is stale: run plonec build and commit it")

	// A stack that reads what is not in the repository, and one with a mistake.
	secret := filepath.Join(t.TempDir(), "secret.libsonnet")
	f.write(secret, `{"deploy": "leaked"}`)
	f.branch("outside", func() {
		f.write(filepath.Join(f.dir, "ops/stack.jsonnet"), "import '"+secret+"'\n")
		f.write(filepath.Join(f.dir, "ops/build/manifest.json"), strings.ReplaceAll(string(f.read("ops/build/manifest.json")), `"stack":["../stack.json"]`, `"stack":["../stack.jsonnet"]`))
	})
	jobs = newActions(f, f.merged("outside"), pull("stranger/site", "stranger")).run()
	wantJobs(t, jobs, "check bad", "comment not run")
	wantText(t, jobs["check"].log, "::error file=ops/stack.jsonnet,line=1,", "title=plonec outside::the file lies outside the repository")
	if strings.Contains(jobs["check"].log, "leaked") {
		t.Error(jobs["check"].log)
	}

	// No reference to a secret is resolved, not even one that would run a command.
	mark := filepath.Join(t.TempDir(), "ran")
	f.branch("command", func() { f.stack(2, "cmd:touch "+mark); f.plonec("ops", "build") })
	jobs = newActions(f, f.merged("command"), pull("us/site", "someone")).run()
	wantJobs(t, jobs, "check good", "comment good", "deploy not run")
	harmless(t, f, jobs)
	if _, err := os.Stat(mark); err == nil {
		t.Error("the command of a reference ran")
	}

	// Pushes to other branches, and what a merge queue asks.
	if jobs = newActions(f, "refs/heads/stale", push("stale")).run(); len(jobs) > 0 {
		t.Error("a push to a branch runs the workflow")
	}
	queue := push("gh-readonly-queue/main/pr-7")
	queue["event_name"] = "merge_group"
	wantJobs(t, newActions(f, "refs/heads/main", queue).run(), "check good", "comment not run", "tests good", "deploy not run")
}

func TestGitHubDeploy(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	main := newActions(f, "refs/heads/main", push("main"))
	jobs := main.run()
	wantJobs(t, jobs, "check good", "tests good", "comment not run", "deploy bad") // this host does nothing
	f.reached(jobs["deploy"])
	wantText(t, jobs["tests"].log, "nothing is tested before a deploy")
	slices.Sort(jobs["deploy"].secrets)
	if want := []string{"HAPROXY_STATS_PASSWORD", "PLONEC_SSH_KEY"}; !slices.Equal(jobs["deploy"].secrets, want) {
		t.Errorf("deploy has the secrets %v, want %v", jobs["deploy"].secrets, want)
	}
	if env := main.workflow.Jobs["deploy"].Environment; env == nil || env.Name.Value != "production" {
		t.Error("deploy has not the environment production")
	}
	if group := main.workflow.Jobs["deploy"].Concurrency; group == nil || group.CancelInProgress.Value {
		t.Error("two deploys at once, or one that is cut short")
	}

	// Without a key it says which; a host that is not in known_hosts is refused.
	f.asked = nil
	none := newActions(f, "refs/heads/main", push("main"))
	delete(none.secrets, "PLONEC_SSH_KEY")
	wantText(t, none.run()["deploy"].log, "::error title=plonec::the environment production has no secret PLONEC_SSH_KEY")
	f.write(filepath.Join(f.dir, "ops/known_hosts"), "")
	f.commit("another known_hosts")
	jobs = newActions(f, "refs/heads/main", push("main")).run()
	wantJobs(t, jobs, "check good", "deploy bad")
	wantText(t, jobs["deploy"].log, "host key unknown")

	// Tests that fail stop it, and so does a tree that no stack gives.
	workflow := ".github/workflows/plonec.yml"
	text := string(f.read(workflow))
	at := strings.Index(text, "      - run: echo \"::warning")
	f.write(filepath.Join(f.dir, workflow), text[:at]+"      - run: exit 1\n"+text[at:])
	f.commit("tests")
	wantJobs(t, newActions(f, "refs/heads/main", push("main")).run(), "check good", "tests bad", "deploy not run")
	f.write(filepath.Join(f.dir, workflow), text)
	f.stack(2, "env:HAPROXY_STATS_PASSWORD")
	f.commit("not built")
	wantJobs(t, newActions(f, "refs/heads/main", push("main")).run(), "check bad", "tests good", "deploy not run")
	if len(f.asked) > 0 {
		t.Errorf("the host was asked %q", f.asked)
	}
}

func TestGitLab(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	f.branch("more", func() { f.stack(2, "env:HAPROXY_STATS_PASSWORD"); f.plonec("ops", "build") })
	base := strings.TrimSpace(f.git("rev-parse", "main"))
	request := func(source, token string) *gitlab {
		return &gitlab{forge: f, ref: "refs/heads/more", variables: map[string]string{
			"CI_PIPELINE_SOURCE": "merge_request_event", "CI_DEFAULT_BRANCH": "main", "CI_PROJECT_ID": source,
			"CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_PROJECT_ID": "12", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": source,
			"CI_MERGE_REQUEST_DIFF_BASE_SHA": base, "PLONEC_COMMENT_TOKEN": token,
		}}
	}
	for range 2 { // a comment, then the same once more
		jobs := request("12", "t0ken-of-the-project").run()
		wantJobs(t, jobs, "plonec:check good", "plonec:diff good", "plonec:comment good", "tests good", "plonec:deploy not run")
		harmless(t, f, jobs)
		if got := f.ours(); len(got) != 1 || strings.TrimSpace(got[0]) != strings.TrimSpace(jobs["plonec:diff"].summary) || !strings.HasPrefix(got[0], marker) {
			t.Errorf("the comments are %q", got)
		}
	}
	if want := []string{"POST /projects/12/merge_requests/7/notes", "PUT /projects/12/merge_requests/7/notes/5130"}; !slices.Equal(f.writes, want) {
		t.Errorf("written %v, want %v", f.writes, want)
	}

	// A fork, and a project without a token, have the artifact alone.
	f.writes = nil
	for _, g := range []*gitlab{request("34", "t0ken-of-the-project"), request("12", "")} {
		jobs := g.run()
		wantJobs(t, jobs, "plonec:check good", "plonec:diff good", "plonec:comment not run", "plonec:deploy not run")
		harmless(t, f, jobs)
		if !strings.HasPrefix(jobs["plonec:diff"].summary, marker) || len(f.writes) > 0 {
			t.Errorf("artifact %q, written %v", jobs["plonec:diff"].summary, f.writes)
		}
	}

	// main is deployed, after all of the stage test.
	main := &gitlab{forge: f, ref: "refs/heads/main",
		variables: map[string]string{"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"},
		protected: map[string]string{"PLONEC_SSH_KEY": "file:" + strings.ReplaceAll(f.key, "\n", "\r\n"), "HAPROXY_STATS_PASSWORD": "hunter2hunter2"},
	}
	jobs := main.run()
	wantJobs(t, jobs, "plonec:check good", "tests good", "plonec:diff not run", "plonec:comment not run", "plonec:deploy bad")
	f.reached(jobs["plonec:deploy"])
	f.asked = nil
	key := main.protected["PLONEC_SSH_KEY"]
	delete(main.protected, "PLONEC_SSH_KEY")
	wantText(t, main.run()["plonec:deploy"].log, "there is no variable PLONEC_SSH_KEY of type File")
	main.protected["PLONEC_SSH_KEY"] = key
	f.stack(2, "env:HAPROXY_STATS_PASSWORD")
	f.commit("not built")
	jobs = main.run()
	wantJobs(t, jobs, "plonec:check bad", "plonec:deploy not run")
	wantText(t, jobs["plonec:check"].log, "build is stale: run plonec build and commit it")
	main.variables["CI_COMMIT_BRANCH"] = "more"
	wantJobs(t, main.run(), "plonec:check not run", "plonec:deploy not run")
	if len(f.asked) > 0 {
		t.Errorf("the host was asked %q", f.asked)
	}
}

// reached makes sure that a deploy came as far as a host that does nothing
// lets it, and left no key behind.
func (f *forge) reached(deploy *jobResult) {
	f.t.Helper()
	if len(f.asked) == 0 || strings.Contains(deploy.log, "host key unknown") {
		f.t.Errorf("the host was asked nothing:\n%s", deploy.log)
	}
	if strings.Contains(deploy.log, "PRIVATE KEY") || strings.Contains(deploy.log, "hunter2") {
		f.t.Errorf("a secret is in the log:\n%s", deploy.log)
	}
	agents, err := os.ReadFile(filepath.Join(f.home, "agents"))
	if err != nil {
		f.t.Fatal(err)
	}
	started := regexp.MustCompile(`SSH_AGENT_PID=(\d+)`).FindAllSubmatch(agents, -1)
	for _, m := range started {
		pid, _ := strconv.Atoi(string(m[1]))
		for until := time.Now().Add(10 * time.Second); syscall.Kill(pid, 0) == nil; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(until) {
				f.t.Errorf("the agent %d is left behind", pid)
				syscall.Kill(pid, syscall.SIGTERM)
				break
			}
		}
	}
	if len(started) == 0 {
		f.t.Error("there was no agent")
	}
}

func (f *forge) read(name string) []byte {
	f.t.Helper()
	data, err := os.ReadFile(filepath.Join(f.dir, name))
	if err != nil {
		f.t.Fatal(err)
	}
	return data
}

// harmless makes sure that the jobs of a pull request had no secret, and that no
// host was asked for anything.
func harmless(t *testing.T, f *forge, jobs map[string]*jobResult) {
	t.Helper()
	for id, r := range jobs {
		if len(r.secrets) > 0 {
			t.Errorf("%s asks for the secrets %v", id, r.secrets)
		}
		for _, v := range r.environ {
			if strings.Contains(v, "PRIVATE KEY") || strings.Contains(v, "hunter2") {
				t.Errorf("%s has %.40s", id, v)
			}
			if strings.Contains(v, "t0ken") && !strings.HasSuffix(id, "comment") && !strings.HasPrefix(v, "PLONEC_COMMENT_TOKEN=") {
				t.Errorf("%s has %s", id, v)
			}
		}
		if strings.Contains(r.log+r.summary, "t0ken") {
			t.Errorf("%s prints a token:\n%s", id, r.log)
		}
	}
	if len(f.asked) > 0 || len(f.refused) > 0 {
		t.Errorf("the host was asked %q, the API refused %q", f.asked, f.refused)
	}
}

// wantJobs compares what became of jobs: "NAME good", "NAME bad", "NAME not run".
func wantJobs(t *testing.T, jobs map[string]*jobResult, want ...string) {
	t.Helper()
	for _, w := range want {
		id, state, _ := strings.Cut(w, " ")
		r := jobs[id]
		if r == nil {
			t.Fatalf("there is no job %s", id)
		}
		got := map[bool]string{true: "good", false: "bad"}[r.good]
		if !r.ran {
			got = "not run"
		}
		if got != state {
			t.Fatalf("%s: want %s, got %s:\n%s", id, state, got, r.log)
		}
	}
}

func wantText(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("no %q in\n%s", w, text)
		}
	}
}

// ssh reads one known_hosts, also where its name has what ssh takes for two names, or
// for something to put in.
func TestKnownHostsOfAnyName(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	const folder, name = "ops/our keys", "100%h known"
	stack := strings.Replace(string(f.read("ops/stack.json")), `"known_hosts": "known_hosts"`, `"known_hosts": "our keys/`+name+`"`, 1)
	f.write(filepath.Join(f.dir, "ops/stack.json"), stack)
	if err := os.MkdirAll(filepath.Join(f.dir, folder), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(f.dir, "ops/known_hosts"), filepath.Join(f.dir, folder, name)); err != nil {
		t.Fatal(err)
	}
	f.plonec("ops", "build")
	f.commit("our keys")
	key := filepath.Join(f.home, "key")
	if err := os.WriteFile(key, []byte(f.key), 0o600); err != nil {
		t.Fatal(err)
	}
	f.write(filepath.Join(f.home, "ssh_config"), "IdentityFile "+key+"\nIdentitiesOnly yes\n")
	log, _ := f.bash(filepath.Join(f.dir, "ops"), "plonec apply --allow-new-hosts --ssh-config "+f.home+"/ssh_config",
		map[string]string{"HOME": f.home, "PATH": os.Getenv("PATH"), "HAPROXY_STATS_PASSWORD": "hunter2hunter2"})
	if len(f.asked) == 0 {
		t.Errorf("the host was asked nothing:\n%s", log)
	}
}

// actionlint finds nothing in the workflow, shellcheck nothing in its commands.
func TestWorkflowLint(t *testing.T) {
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]scaffoldData{
		"plain":  {Folder: ".", Tree: "build", Branch: "main", Release: release, URL: releasesURL, Checkout: pinnedCheckout},
		"folder": {Folder: "ops", Tree: "ops/tree", TreeFlag: " --tree tree", Branch: "release/1", Release: release, URL: releasesURL, Checkout: pinnedCheckout, Secrets: []string{"A", "B"}},
	} {
		data.Buildout, data.Stack = "..", "us/site"
		var content []byte
		for _, s := range []scaffold{scaffolds["github"][0], ofBuildouts[0]} {
			text, err := s.content(data)
			if err != nil {
				t.Fatal(err)
			}
			content = text
			var out bytes.Buffer
			linter, err := actionlint.NewLinter(&out, &actionlint.LinterOptions{Shellcheck: shellcheck})
			if err != nil {
				t.Fatal(err)
			}
			if found, err := linter.Lint(name+".yml", content, nil); err != nil || len(found) > 0 {
				t.Errorf("%v\n%s", err, out.String())
			}
			if bytes.Contains(content, []byte("pull_request_target")) {
				t.Error("pull_request_target gives a fork's code the rights of the repository")
			}
		}
	}
}
