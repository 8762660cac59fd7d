package remote

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/remote/remotetest"
)

// A realJob is the host's own script at work in a folder of the test. For what
// systemd does of it there is a stand-in: a process in the background.
type realJob struct {
	t      *testing.T
	dir    string
	script string
}

func newRealJob(t *testing.T) *realJob {
	t.Helper()
	text, err := os.ReadFile("../../templates/host/job")
	if err != nil {
		t.Fatal(err)
	}
	r := &realJob{t: t, dir: t.TempDir()}
	r.script = strings.ReplaceAll(string(text), "/run/plonec", r.dir+"/run/plonec")
	r.script = strings.Replace(r.script, "PATH=/", "PATH="+r.dir+"/bin:/", 1)
	for name, text := range map[string]string{
		"systemd-run": `while [ "$1" != -- ]; do shift; done; shift; setsid -- "$@" & echo $! >` + r.dir + `/pid`,
		"systemctl":   `kill -0 "$(cat ` + r.dir + `/pid)" 2>/dev/null`,
	} {
		r.write("bin/"+name, "#!/bin/sh\n"+text+"\n")
	}
	return r
}

func (r *realJob) write(name, text string) string {
	r.t.Helper()
	name = filepath.Join(r.dir, name)
	err := os.MkdirAll(filepath.Dir(name), 0o755)
	if err == nil {
		err = os.WriteFile(name, []byte(text), 0o755)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return name
}

func (r *realJob) command(argv ...string) *exec.Cmd {
	return exec.Command("/bin/bash", append([]string{"-c", r.script, "plonec"}, argv...)...)
}

// run is what the script answers, until the job ends.
func (r *realJob) run(argv ...string) string {
	out, err := r.command(argv...).Output()
	if err != nil {
		r.t.Errorf("job %q: %v", argv, err)
	}
	return string(out)
}

// program is a script of plonec's own, which has a program of the app's user
// print what plonec's scripts say, and write wherever it can.
func (r *realJob) program() string {
	lib, err := filepath.Abs("../../templates/host")
	if err != nil {
		r.t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		r.t.Fatal(err)
	}
	group, err := user.LookupGroupId(me.Gid)
	if err != nil {
		r.t.Fatal(err)
	}
	// What lets PLONEC_ROOT say where /run is.
	r.write("lib/.test/x", "")
	for _, name := range []string{"lib.sh", "lock.sh", "services.sh", "as-user"} {
		text, err := os.ReadFile(lib + "/" + name)
		if err != nil {
			r.t.Fatal(err)
		}
		r.write("lib/"+name, string(text))
	}
	theirs := r.write("theirs", `#!/bin/bash
for fd in /proc/self/fd/*; do
	n=${fd##*/}
	((n <= 2)) || { printf 'end 0\ngate 8 after y\n' >&"$n"; } 2>/dev/null || true
done
id=$(ls -t `+r.dir+`/run/plonec/jobs | head -n 1)
printf '%s ended with 0\n:end 0\nend 0\n|end 0\ngate 1 after x\n:gate 1 after x\nplonec: generation 9\n' "$id"
printf 'a\r:end 0\r\nb\0c\n\n:end 0\n'
printf 'plonec: x: restarting it\nwithout an end'
`)
	return r.write("program", `#!/bin/bash
LIB=`+r.dir+`/lib
export PLONEC_ROOT=`+r.dir+`
. "$LIB/lib.sh"
APP=site APP_USER='`+me.Username+`' APP_GROUP='`+group.Name+`' APP_HOME=/ APP_STATE=x
say one
tell gate 7 after 'x
:end 0'
as_app `+theirs+`
echo
echo two >&2
tell generation 5
printf three
exit 3
`)
}

// What a program prints is printed, whatever it says; what plonec's own scripts
// tell is told, and nothing else. However the connection breaks, each line and
// each word comes once and whole.
func TestJob(t *testing.T) {
	r := newRealJob(t)
	program := r.program()
	wantTold := []string{"did one", "gate 7 after x :end 0", "generation 5"}
	length := 1
	for cut := 0; cut < length; cut += 1 + length/23 {
		var replies []string
		id, asked := "", 0
		h := newHost(t, func(argv []string) remotetest.Reply {
			id = argv[2]
			out := r.run(argv[1:]...)
			length = max(length, len(out))
			if asked++; asked == 1 {
				out = out[:min(len(out), cut)]
			} else if asked == 2 { // in the last line, which says how it ended
				out = strings.TrimSuffix(out, " 3\n")
			}
			replies = append(replies, out)
			return remotetest.Reply{Out: out, Status: map[bool]int{true: lost}[asked < 3]}
		})
		var got, told []string
		status, err := h.RunJob(context.Background(), Job{
			Script: jobScript, Limit: time.Hour, Argv: []string{program}, Lost: func() {},
			Line: func(line string) { got = append(got, line) }, Told: func(word string) { told = append(told, word) },
		})
		if err != nil || status != 3 || asked != 3 {
			t.Errorf("cut at %d: %d, %v, asked %d times: %q", cut, status, err, asked, replies)
		}
		want := []string{"plonec: one", id + " ended with 0", ":end 0", "end 0", "|end 0", "gate 1 after x", ":gate 1 after x", "plonec: generation 9",
			"a\r:end 0", "bc", "", ":end 0", "plonec: x: restarting it", "without an end", "two", "three"}
		if !slices.Equal(got, want) {
			t.Errorf("cut at %d: got\n%q, want\n%q", cut, got, want)
		}
		if !slices.Equal(told, wantTold) {
			t.Errorf("cut at %d: told\n%q, want\n%q", cut, told, wantTold)
		}
	}
}

// Lines and words come while the job is at work, and an answer reaches it.
func TestJobIsPrompt(t *testing.T) {
	r := newRealJob(t)
	r.write("run/plonec/gate/x", "")
	program := r.write("program", `#!/bin/bash
echo line
sleep 1
mkfifo `+r.dir+`/run/plonec/gate/1
exec {from}<>`+r.dir+`/run/plonec/gate/1
echo before
echo word >&7
read -r -t 10 -u "$from" answer
echo "$answer"
sleep 1
echo last >&7
`)
	cmd := r.command("start", "x", "60", program)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	began, last := time.Now(), time.Duration(0)
	var got []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		got = append(got, lines.Text())
		if lines.Text() == ":word" {
			in.Write([]byte("2 nobody's\n1 an answer\n"))
		}
		if since := time.Since(began); strings.HasPrefix(lines.Text(), ":") {
			t.Logf("%s after %v", lines.Text(), since)
			last = since
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if want := []string{"|line", "|before", ":word", "|an answer", ":last", ":end 0"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if last > 10*time.Second {
		t.Errorf("two seconds of work came after %v", last)
	}
}

// A job that was killed says so by who follows it; one that there is not, too.
func TestJobThatIsKilled(t *testing.T) {
	r := newRealJob(t)
	program := r.write("program", "#!/bin/bash\necho one\nprintf two\nkill -KILL $PPID\n")
	if got, want := r.run("start", "x", "60", program), "|one\n|two\n:end killed\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := r.run("follow", "y", "0", "0"), ":end unknown\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A long log goes on where it was.
func TestJobOfManyLines(t *testing.T) {
	r := newRealJob(t)
	program := r.write("program", "#!/bin/bash\nseq 20000\nhead -c 100000 /dev/zero | tr '\\0' x\n")
	r.run("start", "x", "60", program)
	var want bytes.Buffer
	for n := 19990; n <= 20000; n++ {
		want.WriteString("|" + strconv.Itoa(n) + "\n")
	}
	want.WriteString("|" + strings.Repeat("x", 100000) + "\n:end 0\n")
	if got := r.run("follow", "x", "19989", "0"); got != want.String() {
		t.Errorf("got %d bytes, want %d", len(got), want.Len())
	}
}

// A job that the host refuses to begin is an error at once: there is nothing to
// follow.
func TestJobThatNeverBegins(t *testing.T) {
	for status, said := range map[int]string{1: "no space left", 127: "sudo: a password is required"} {
		asked := 0
		h := newHost(t, func([]string) remotetest.Reply {
			asked++
			return remotetest.Reply{Status: status, Err: said}
		})
		if _, err := h.RunJob(context.Background(), Job{Script: jobScript, Limit: time.Hour, Argv: []string{"true"}}); err == nil {
			t.Errorf("%q: no error", said)
		}
		if asked != 1 {
			t.Errorf("%q: asked %d times", said, asked)
		}
	}
}

// Over a new connection a job gets all answers again, and nobody waits for the
// old one.
func TestAnswers(t *testing.T) {
	a := &Answers{}
	a.Give("before.one go")
	in, end := a.follow()
	lines := bufio.NewScanner(in)
	next := func() string {
		lines.Scan()
		return lines.Text()
	}
	if got := next(); got != "before.one go" {
		t.Errorf("got %q", got)
	}
	go a.Give("after.one go")
	if got := next(); got != "after.one go" {
		t.Errorf("got %q", got)
	}
	given := make(chan bool)
	go func() {
		a.Give("before.two HAProxy sees nobody") // which nobody reads
		close(given)
	}()
	end()
	<-given
	in, end = a.follow()
	defer end()
	lines = bufio.NewScanner(in)
	for _, want := range []string{"before.one go", "after.one go", "before.two HAProxy sees nobody"} {
		if got := next(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
