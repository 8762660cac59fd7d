package hosts

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/render/escape"
)

// The test binary is the ssh and the rsync of the tests, too: what plonec asks
// of a host goes to the test, which answers for it.
func TestMain(m *testing.M) {
	switch name := filepath.Base(os.Args[0]); name {
	case "ssh", "rsync":
		if dir := os.Getenv("HOME"); strings.HasPrefix(filepath.Base(dir), "environment") {
			os.WriteFile(filepath.Join(dir, name), []byte(strings.Join(os.Environ(), "\n")), 0o600)
		}
		if name == "ssh" {
			os.Exit(fakeSSH(os.Args[1:]))
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A reply is what a host answers to one command.
type reply struct {
	Out    string
	Err    string // to standard error
	Status int
	Stays  bool // until its input ends
}

func fakeSSH(args []string) int {
	end := slices.Index(args, "--")
	host, command := args[end+1], args[end+2]
	if slices.Contains(args, "ControlMaster=yes") {
		for _, a := range args {
			if socket, ok := strings.CutPrefix(a, "ControlPath="); ok {
				if _, err := net.Listen("unix", socket); err != nil {
					fmt.Fprintln(os.Stderr, err)
					return lost
				}
			}
		}
		// The login itself runs the first command.
		if first, end, ok := strings.Cut(command, "); echo \""); ok {
			end, _, _ = strings.Cut(end, "$?")
			fmt.Println(firstEnd + "0\n" + firstEnd + "x 0") // which a login's startup file may say
			fmt.Println(end + strconv.Itoa(fakeCommand(host, strings.TrimPrefix(first, "("))))
		}
		io.Copy(io.Discard, os.Stdin)
		return 0
	}
	return fakeCommand(host, command)
}

func fakeCommand(host, command string) int {
	conn, err := net.Dial("unix", os.Getenv("HOSTS_OF_THE_TEST"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return lost
	}
	defer conn.Close()
	json.NewEncoder(conn).Encode([]string{host, command})
	var r reply
	if err := json.NewDecoder(conn).Decode(&r); err != nil {
		return lost
	}
	io.WriteString(os.Stdout, r.Out)
	io.WriteString(os.Stderr, r.Err)
	if r.Stays {
		for in := bufio.NewScanner(os.Stdin); in.Scan() && in.Text() != "done"; {
		}
	}
	return r.Status
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
	resolve func(host string, argv []string) reply // to "host resolve"; nil: a commit
	// follow, where it is there, answers whoever starts or follows a job.
	follow func(argv []string) reply
	begin  *reply // to the start of a job; nil: it begins

	mu     sync.Mutex
	jobs   map[string][]string
	asked  []string // HOST WORD…
	events []Event
}

var usage = regexp.MustCompile(`(?m)^# usage: (\w+)`)

// newFakeHosts makes a run over the hosts of a tree with these files: HOST:PATH
// and what is in them.
func newFakeHosts(t *testing.T, files map[string]string) *fakeHosts {
	t.Helper()
	f := &fakeHosts{t: t, jobs: map[string][]string{}, status: map[string]string{}, held: "held\n"}
	f.job = func(string, []string) (string, int) { return "", 0 }
	dir := t.TempDir()
	disk := &tree.Disk{Dir: filepath.Join(dir, "build"), Sum: "tree", Manifest: &tree.Manifest{}}
	for _, name := range append([]string{"verbs/setup"}, sent...) {
		text, err := os.ReadFile("../../templates/host/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files["*:"+scriptDir+"/"+name] = string(text)
	}
	for key, text := range files {
		host, path, _ := strings.Cut(key, ":")
		file := tree.File{Host: host, Path: path, Sum: sum([]byte(text)), Mode: "0644", Owner: "root:root"}
		if err := os.MkdirAll(filepath.Dir(disk.Path(file)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(disk.Path(file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		disk.Manifest.Files = append(disk.Manifest.Files, file)
		if host != "*" && !slices.ContainsFunc(disk.Manifest.Hosts, func(h tree.Host) bool { return h.Name == host }) {
			disk.Manifest.Hosts = append(disk.Manifest.Hosts, tree.Host{Name: host, SSHAddress: host, Status: "online"})
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ssh", "rsync"} {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	l, err := net.Listen("unix", filepath.Join(dir, "hosts"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	t.Setenv("HOSTS_OF_THE_TEST", l.Addr().String())
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				var asked []string
				if err := json.NewDecoder(conn).Decode(&asked); err == nil {
					json.NewEncoder(conn).Encode(f.answer(asked[0], asked[1]))
				}
			}()
		}
	}()
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

// answer is what a host says to a command line.
func (f *fakeHosts) answer(host, command string) reply {
	words, err := escape.Words(strings.TrimPrefix(command, "exec "+sudo))
	if err != nil {
		f.t.Error(err)
	}
	if len(words) > 3 && words[1] == "-c" {
		name := "a script"
		if m := usage.FindStringSubmatch(words[2]); m != nil {
			name = m[1]
		}
		words = append([]string{name}, words[4:]...)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, host+" "+strings.Join(words, " "))
	switch {
	case words[0] == "observe":
		return reply{Out: "boot\tb\nfree\t9999999\ngeneration\t1\nsetup\t" + f.setup + "\nend\t\n"}
	case words[0] == "hold":
		return reply{Out: f.held, Stays: f.held != "", Status: map[bool]int{true: 1}[f.held == ""]}
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
		return reply{Out: regexp.MustCompile("(?m)^[^:]").ReplaceAllString(out, "|$0") + ":end " + strconv.Itoa(status) + "\n"}
	case words[0] == "/bin/cat":
		text, there := f.files[host+":"+words[2]]
		return reply{Out: text, Status: map[bool]int{false: 1}[there]}
	case len(words) > 1 && words[0] == scriptDir+"/host" && words[1] == "status":
		return reply{Out: f.status[host]}
	case len(words) > 2 && words[0] == scriptDir+"/host" && words[1] == "undeploy":
		return reply{Out: f.foreign[host]}
	case len(words) > 1 && words[0] == scriptDir+"/host" && words[1] == "resolve":
		if f.resolve != nil {
			return f.resolve(host, words[2:])
		}
		return reply{Out: "commit 0123456789abcdef0123456789abcdef01234567\n"}
	}
	return reply{}
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
