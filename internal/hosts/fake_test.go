package hosts

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/plonec/plonec/internal/apart"
	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/remote/remotetest"
	"github.com/plonec/plonec/internal/tree"
)

func TestMain(m *testing.M) {
	apart.RunChild()
	remotetest.Main(m)
}

// fakeHosts stand for the hosts of a tree.
type fakeHosts struct {
	t      *testing.T
	fleet  *Fleet
	setup  string            // what observe says that the last setup was made from
	status map[string]string // what "host status" says, by host
	held   string            // what a host says when it gives its lock; empty: it ends with 1
	files  map[string]string // that /bin/cat shows, HOST:PATH
	// foreign is what "host undeploy --foreign --list" says, by host.
	foreign map[string]string
	// job is what a job of a host says, and its exit status: a line that begins with
	// a colon is a word of the host's scripts, another one is printed.
	job     func(host string, argv []string) (string, int)
	resolve func(host string, argv []string) remotetest.Reply // to "host resolve"; nil: a commit
	// follow, where it is there, answers whoever starts or follows a job.
	follow     func(argv []string) remotetest.Reply
	exec, logs func(host string, words []string) remotetest.Reply
	other      func(host string, words []string) remotetest.Reply // to anything else; nil: nothing
	begin      *remotetest.Reply                                  // to the start of a job; nil: it begins

	mu     sync.Mutex
	jobs   map[string][]string
	asked  []string // HOST WORD…
	events []Event
}

// newFakeHosts makes a run over the hosts of a tree with these files: HOST:PATH
// and what is in them. describe completes what the manifest says of a host.
func newFakeHosts(t *testing.T, files map[string]string, describe func(*tree.Host)) *fakeHosts {
	t.Helper()
	f := &fakeHosts{t: t, jobs: map[string][]string{}, status: map[string]string{}, held: "held\n"}
	f.job = func(string, []string) (string, int) { return "", 0 }
	dir := t.TempDir()
	disk := &tree.Disk{Dir: filepath.Join(dir, "build"), Sum: "tree", Manifest: &tree.Manifest{}}
	for _, name := range sent {
		text, err := os.ReadFile("../../templates/host/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files["*:"+plan.ScriptDir+"/"+name] = string(text)
	}
	for key, text := range files {
		host, path, _ := strings.Cut(key, ":")
		file := tree.File{Host: host, Path: path, Sum: fmt.Sprintf("%x", sha256.Sum256([]byte(text))), Mode: "0644", Owner: "root:root"}
		if err := os.MkdirAll(filepath.Dir(disk.Path(file)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(disk.Path(file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		disk.Manifest.Files = append(disk.Manifest.Files, file)
		if host != "*" && !slices.ContainsFunc(disk.Manifest.Hosts, func(h tree.Host) bool { return h.Name == host }) {
			h := tree.Host{Name: host, SSHAddress: host, Status: "online"}
			if describe != nil {
				describe(&h)
			}
			disk.Manifest.Hosts = append(disk.Manifest.Hosts, h)
		}
	}
	remotetest.Answer(t, f.answer)
	var err error
	if f.fleet, err = New(disk, Options{Who: "test"}, nil, func(e Event) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.events = append(f.events, e)
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.fleet.Close)
	if err := f.fleet.Look(context.Background()); err != nil {
		t.Fatal(err)
	}
	return f
}

// answer is what a host says to a command.
func (f *fakeHosts) answer(host string, words []string) remotetest.Reply {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, host+" "+strings.Join(words, " "))
	switch {
	case words[0] == "observe":
		return remotetest.Reply{Out: "boot\tb\nfree\t9999999\ngeneration\t1\nsetup\t" + f.setup + "\nend\t\n"}
	case words[0] == "hold":
		return remotetest.Reply{Out: f.held, Stays: f.held != "", Status: map[bool]int{true: 1}[f.held == ""]}
	case words[0] == "job" && words[1] != "stop":
		if words[1] == "start" {
			if f.begin != nil {
				return *f.begin
			}
			f.jobs[words[2]] = words[4:]
		}
		if f.follow != nil {
			return f.follow(words[1:])
		}
		out, status := f.job(host, f.jobs[words[2]])
		return remotetest.Reply{Out: regexp.MustCompile("(?m)^[^:]").ReplaceAllString(out, "|$0") + ":end " + strconv.Itoa(status) + "\n"}
	case words[0] == "/bin/cat":
		text, there := f.files[host+":"+words[2]]
		return remotetest.Reply{Out: text, Status: map[bool]int{false: 1}[there]}
	case len(words) > 1 && words[0] == plan.ScriptDir+"/host" && words[1] == "status":
		return remotetest.Reply{Out: f.status[host]}
	case len(words) > 1 && words[1] == "exec":
		return f.exec(host, words)
	case len(words) > 1 && words[1] == "logs":
		return f.logs(host, words)
	case len(words) > 2 && words[0] == plan.ScriptDir+"/host" && words[1] == "undeploy":
		return remotetest.Reply{Out: f.foreign[host]}
	case len(words) > 1 && words[0] == plan.ScriptDir+"/host" && words[1] == "resolve":
		if f.resolve != nil {
			return f.resolve(host, words[2:])
		}
		return remotetest.Reply{Out: "commit 0123456789abcdef0123456789abcdef01234567\n"}
	case f.other != nil:
		return f.other(host, words)
	}
	return remotetest.Reply{}
}

// told lists the events of some kinds: HOST KIND STEP: TEXT.
func (f *fakeHosts) told(kinds ...Kind) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []string
	for _, e := range f.events {
		if slices.Contains(kinds, e.Kind) {
			list = append(list, strings.TrimRight(strings.TrimSpace(fmt.Sprintf("%s %s %s: %s", e.Host, e.Kind, e.Step, e.Text)), ": "))
		}
	}
	return list
}

// count is how often something was asked that begins with the words.
func (f *fakeHosts) count(words string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, a := range f.asked {
		if strings.HasPrefix(a, words) {
			n++
		}
	}
	return n
}
