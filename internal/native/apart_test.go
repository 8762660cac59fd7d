package native

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// askEnv is set where the test's program is to ask as somebody else.
const askEnv = "PLONEC_TEST_ASK"

// TestMain lets this program be the child too, and the user of askers. A shell
// is among the programs here: it looks around where the others read.
func TestMain(m *testing.M) {
	checkers = append(checkers, checker{program: "sh", judges: under("/look"), run: func(ctx context.Context, s *stage) (string, error) {
		out, _ := command(ctx, nil, "sh", "-c", string(s.files["/look"]))
		return out, io.EOF // so that what it says is kept
	}})
	RunChild()
	if os.Getenv(askEnv) != "" {
		var q question
		if err := json.NewDecoder(os.Stdin).Decode(&q); err != nil {
			panic(err)
		}
		answers, err := answer([]question{q}, Apart)
		if err != nil {
			panic(err)
		}
		if err := json.NewEncoder(os.Stdout).Encode(answers[0]); err != nil {
			panic(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// An asker has a program judge, as one who runs plonec check.
type asker struct {
	name string
	ask  func(question) Result
}

// askers are root, where the test is run by root, and a user without any right,
// where this machine lets users make namespaces: what plonec needs of it is
// tried here by another program.
func askers(t *testing.T) []asker {
	t.Helper()
	list := []asker{{"here", func(q question) Result { return one(t)(answer([]question{q}, Here)) }}}
	if os.Geteuid() == 0 {
		list = append(list, asker{"as root", func(q question) Result { return one(t)(answer([]question{q}, Apart)) }})
	}
	user := asUser(t)
	try := exec.Command("unshare", "--user", "--map-root-user", "--mount", "--net", "--pid", "--fork", "mount", "-t", "tmpfs", "none", "/tmp")
	try.SysProcAttr = user
	if out, err := try.CombinedOutput(); err != nil {
		t.Logf("users make no namespaces here: %v %s", err, out)
		if r := asked(t, user)(question{"sh", map[string][]byte{"/look": []byte("id")}}); r.Outcome != NotAsked || r.Output == "" {
			t.Errorf("and yet it was asked, or it is not said why not: %+v", r)
		}
		return list
	}
	return append(list, asker{"as a user", asked(t, user)})
}

func one(t *testing.T) func([]Result, error) Result {
	return func(answers []Result, err error) Result {
		t.Helper()
		if err != nil || len(answers) != 1 {
			t.Fatal(answers, err)
		}
		return answers[0]
	}
}

// asUser makes a process one of a user's without any right.
func asUser(t *testing.T) *syscall.SysProcAttr {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 54321, Gid: 54321}}
}

// asked runs a copy of this program that everybody may read.
func asked(t *testing.T, who *syscall.SysProcAttr) func(question) Result {
	t.Helper()
	dir := open(t, "")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "program")
	if out, err := exec.Command("cp", self, program).CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	return func(q question) Result {
		t.Helper()
		text, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		var out, said bytes.Buffer
		cmd := exec.Command(program)
		cmd.Dir = "/"
		cmd.Env = append(os.Environ(), askEnv+"=1", "TMPDIR=/tmp")
		cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = bytes.NewReader(text), &out, &said, who
		if err := cmd.Run(); err != nil {
			t.Fatal(err, said.String())
		}
		var r Result
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
}

// open makes a folder that everybody may read.
func open(t *testing.T, in string) string {
	t.Helper()
	dir, err := os.MkdirTemp(in, "plonec-test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

const marker = "words_that_nobody_should_read"

// What a configuration names of this machine is not there: its lines are not
// printed, and the configuration is not taken. Asked here they are, so that this
// test sees what it looks for.
func TestNoFileOfTheMachineIsShown(t *testing.T) {
	places := []string{"/etc/hostname", "/etc/shadow", "/proc/self/environ"}
	read := map[string]bool{}
	all := askers(t)
	for _, in := range []string{"", "/var/tmp", "/root"} {
		if in == "/root" && os.Geteuid() != 0 {
			continue
		}
		file := filepath.Join(open(t, in), "marker")
		if err := os.WriteFile(file, []byte(marker+" on;\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		places, read[file] = append(places, file), true
	}
	for _, place := range places {
		for _, q := range []question{
			{"nginx", map[string][]byte{"/etc/nginx/nginx.conf": []byte("events {}\ninclude " + place + ";\nhttp {\n}\n")}},
			{"varnishd", map[string][]byte{"/etc/varnish/default.vcl": []byte("vcl 4.1;\nbackend default none;\ninclude \"" + place + "\";\n")}},
		} {
			for _, who := range all {
				r := who.ask(q)
				shows := strings.Contains(r.Output, marker)
				switch {
				case who.name == "here" && read[place] && !shows && q.Program == "nginx": // Varnish reads as a user of its own
					t.Errorf("%s does not show %s even here: %+v", q.Program, place, r)
				case who.name != "here" && (shows || r.Outcome != Refused || !strings.Contains(r.Output, "No such file") && !strings.Contains(r.Output, "Cannot read file")):
					t.Errorf("%s, asked %s, about %s: %+v", q.Program, who.name, place, r)
				}
			}
		}
	}
}

// Nor is anything made, or given to another owner.
func TestNothingOfTheMachineChanges(t *testing.T) {
	for _, who := range askers(t) {
		dir := open(t, "/var/tmp")
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		there := filepath.Join(dir, "there")
		if err := os.Mkdir(there, 0o755); err != nil {
			t.Fatal(err)
		}
		// worker processes get the folders that root makes
		who.ask(question{"nginx", map[string][]byte{"/etc/nginx/nginx.conf": fmt.Appendf(nil,
			"user www-data;\nerror_log %[1]s/error.log;\npid %[1]s/pid;\nevents {}\nhttp {\nserver {\nproxy_temp_path %[1]s/there;\naccess_log %[1]s/access.log;\nlisten 80;\n}\n}\n", dir)}})
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(there)
		if err != nil {
			t.Fatal(err)
		}
		same := len(entries) == 1 && int(info.Sys().(*syscall.Stat_t).Uid) == os.Geteuid()
		if same == (who.name == "here") {
			t.Errorf("asked %s: %v %+v", who.name, entries, info.Sys())
		}
	}
}

// The programs see their own folders, are nobody, and may nothing.
func TestWhatIsSeen(t *testing.T) {
	const look = `
		id -u; id -g
		echo in $(ls / | grep -vxE 'usr|bin|sbin|lib|lib32|lib64|libx32|plonec')
		echo etc $(ls /etc)
		echo of $(cut -d: -f1 /etc/passwd)
		echo dev $(ls /dev)
		for dir in /run /var /var/log /var/lib /home /root /proc /sys /srv /mnt /work; do ls -A "$dir" >/dev/null 2>&1 && echo $dir $(ls -A "$dir"); done
		for place in / /usr /etc /usr/bin /dev; do : 2>/dev/null >"$place/plonec-test" && [ "$place" != / ] && [ "$place" != /etc ] && [ "$place" != /dev ] && echo "$place can be changed"; done
		rm /usr/bin/env 2>/dev/null && echo rm
		mount -t tmpfs none /tmp 2>/dev/null && echo mount
		umount -l /usr 2>/dev/null && echo umount
		chroot /usr true 2>/dev/null && echo chroot
		unshare --user true 2>/dev/null && echo unshare
		exit 0`
	const want = `65534
65534
in dev etc run tmp var
of root nobody www-data haproxy vcache varnish varnishlog
dev full null random urandom zero
/run
/var lib log tmp
/var/log nginx
/var/lib haproxy nginx varnish
`
	for _, who := range askers(t) {
		if who.name == "here" {
			continue
		}
		var got strings.Builder
		for line := range strings.Lines(who.ask(question{"sh", map[string][]byte{"/look": []byte(look)}}).Output + "\n") {
			if rest, ok := strings.CutPrefix(line, "etc "); ok {
				for _, name := range strings.Fields(rest) {
					if !strings.Contains(" alternatives group hosts ld.so.cache nginx nsswitch.conf passwd ", " "+name+" ") {
						t.Errorf("asked %s: /etc/%s is seen", who.name, name)
					}
				}
				continue
			}
			got.WriteString(line)
		}
		if got.String() != want {
			t.Errorf("asked %s, it sees\n%s\nwant\n%s", who.name, &got, want)
		}
	}
}
