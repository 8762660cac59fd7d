package secret

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestEnv(t *testing.T) {
	r := &Resolver{Getenv: environment("SET= blanks stay ", "EMPTY=", "NUL=a\x00b")}
	if got := resolved(t, r, "env:SET"); got != " blanks stay " {
		t.Errorf("%q", got)
	}
	refused(t, r, "env:UNSET", "env:UNSET is not set", "app1:/etc/plonec/key", "export UNSET")
	refused(t, r, "env:EMPTY", "env:EMPTY is empty")
	refused(t, r, "env:NUL", "NUL")
	t.Setenv("PLONEC_SECRET_TEST", "of the process")
	if got := resolved(t, &Resolver{}, "env:PLONEC_SECRET_TEST"); got != "of the process" {
		t.Errorf("%q", got)
	}
}

func TestUnknownSources(t *testing.T) {
	for _, source := range []string{"", "env", "vault:x", "ENV:X", ":X"} {
		refused(t, &Resolver{Getenv: environment("X=1")}, source, "kind", "plonec build")
	}
	refused(t, &Resolver{Getenv: environment("X=1")}, "env:X\x1b[2J", "none that this plonec writes")
}

func TestFile(t *testing.T) {
	r := &Resolver{Dir: t.TempDir()}
	for name, c := range map[string]struct{ text, want string }{
		"none":   {"secret", "secret"},
		"lf":     {"secret\n", "secret"},
		"crlf":   {"secret\r\n", "secret"},
		"two":    {"secret\n\n", "secret\n"},
		"cr":     {"secret\r", "secret\r"},
		"inner":  {"-----BEGIN X-----\nabc\n-----END X-----\n", "-----BEGIN X-----\nabc\n-----END X-----"},
		"blanks": {"  a b \t\n", "  a b \t"},
		"a b#c":  {"name", "name"},
	} {
		write(t, filepath.Join(r.Dir, "sub", name), c.text, 0o600)
		if got := resolved(t, r, "file:sub/"+name); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
	absolute := write(t, filepath.Join(t.TempDir(), "key"), "absolute", 0o400)
	if err := os.Symlink(absolute, filepath.Join(r.Dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{"file:" + absolute, "file:link"} {
		if got := resolved(t, r, source); got != "absolute" {
			t.Errorf("%s: %q", source, got)
		}
	}

	write(t, filepath.Join(r.Dir, "newline"), "\n", 0o600)
	refused(t, r, "file:newline", "file:newline is empty")
	write(t, filepath.Join(r.Dir, "nul"), sentinel+"\x00", 0o600)
	refused(t, r, "file:nul", "NUL")
	refused(t, r, "file:none/here", filepath.Join(r.Dir, "none/here"), "is not there")
	refused(t, r, "file:sub", "is not a regular file")
	refused(t, r, "file:sub/lf/x", "cannot be read (not a directory)")
	write(t, filepath.Join(r.Dir, "large"), strings.Repeat("x", maxSize), 0o600)
	if got := resolved(t, r, "file:large"); len(got) != maxSize {
		t.Error(len(got))
	}
	write(t, filepath.Join(r.Dir, "larger"), strings.Repeat("x", maxSize+1), 0o600)
	refused(t, r, "file:larger", "larger than 1 MiB")

	// Nobody writes into it: reading would wait for ever.
	if err := syscall.Mkfifo(filepath.Join(r.Dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, r, "file:pipe", "is not a regular file")
}

func TestModes(t *testing.T) {
	for mode, open := range map[os.FileMode]bool{
		0o600: false, 0o400: false, 0o700: false, 0o711: false, 0o640: true, 0o604: true, 0o620: true, 0o602: true, 0o644: true,
	} {
		path := write(t, filepath.Join(t.TempDir(), "x"), "x", mode)
		_, warnings, err := readSecret(path)
		if err != nil || len(warnings) > 0 != open {
			t.Errorf("%04o: %v, %v", mode, warnings, err)
		}
	}
}

func TestStack(t *testing.T) {
	r := &Resolver{Stack: func(pointer string) (string, error) {
		if pointer == "/haproxy/stats_password" {
			return "sesame\n", nil
		}
		return "", errors.New("the stack holds no such secret")
	}}
	if got := resolved(t, r, "stack:/haproxy/stats_password"); got != "sesame\n" {
		t.Errorf("%q", got)
	}
	refused(t, r, "stack:/x", "stack:/x: the stack holds no such secret", "plonec build")
	refused(t, &Resolver{}, "stack:/x", "without the stack")
}

func TestCommand(t *testing.T) {
	r := &Resolver{Dir: t.TempDir()}
	write(t, filepath.Join(r.Dir, "here"), "in the folder", 0o600)
	for line, want := range map[string]string{
		"cat here":                   "in the folder",
		"echo a; echo; echo b; echo": "a\n\nb\n",
		`printf 'crlf\r\n'`:          "crlf",
		"echo out; echo err >&2":     "out",
		"cat; echo no input":         "no input",
		"cat </dev/tty; echo then":   "then", // there is no terminal to wait at
		"echo `echo \"$PWD\"` | cat": r.Dir,
		"set -- $(cat /proc/$$/stat); [ $6 = $$ ] && echo a session": "a session",
		"setsid -w echo another leads":                               "another leads",
	} {
		if got := resolved(t, r, "cmd:"+line); got != want {
			t.Errorf("%s: %q", line, got)
		}
	}
	t.Setenv("PLONEC_SECRET_TEST", "inherited")
	if got := resolved(t, r, `cmd:echo "$PLONEC_SECRET_TEST"`); got != "inherited" {
		t.Errorf("%q", got)
	}

	refused(t, r, "cmd:true", "cmd:true is empty")
	refused(t, r, `cmd:printf 'a\0b'`, "NUL")
	p := refused(t, r, "cmd:cat secret-store 2>/dev/null; echo vault is sealed >&2; exit 3", "exit status 3: vault is sealed")
	if p.Places[0].Source == "" {
		t.Error("no source")
	}
	refused(t, r, "cmd:kill -9 $$", "signal: killed")
	refused(t, r, "cmd:no-such-program", "exit status 127", "not found")
	refused(t, &Resolver{Dir: filepath.Join(r.Dir, "nowhere")}, "cmd:echo x", "cannot be run in "+filepath.Join(r.Dir, "nowhere"))
}

// What a command printed as the secret does not come back by way of stderr.
func TestCommandsErrorsHoldNoValue(t *testing.T) {
	r := &Resolver{Dir: t.TempDir()}
	write(t, filepath.Join(r.Dir, "s"), sentinel, 0o600)
	refused(t, r, "cmd:cat s; exit 1", "exit status 1")
	refused(t, r, "cmd:set -x; v=$(cat s); echo $v; exit 1", "exit status 1", "v=***")
	refused(t, r, `cmd:printf '\033[31mred\n\nlines\r\n' >&2; exit 1`, "exit status 1: ?[31mred; lines (for")
	p := refused(t, r, "cmd:seq 1000 >&2; exit 1", "; 999; 1000")
	if len(p.Message) > 600 {
		t.Errorf("%d bytes of message", len(p.Message))
	}
}

func TestCommandsDeadline(t *testing.T) {
	r := &Resolver{Dir: t.TempDir(), timeout: 300 * time.Millisecond}
	begin := time.Now()
	refused(t, r, "cmd:sleep 60 & echo $! >child; echo waits >&2; wait", "does not end within 300ms: waits", "ask nobody")
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if pid := pidIn(t, filepath.Join(r.Dir, "child")); alive(pid) {
		t.Error("its child lives on")
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

func TestCommandsOutputHasABound(t *testing.T) {
	r := &Resolver{Dir: t.TempDir(), timeout: 30 * time.Second}
	begin := time.Now()
	refused(t, r, "cmd:yes", "more than 1 MiB")
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if got := resolved(t, r, fmt.Sprintf("cmd:head -c %d /dev/zero | tr '\\0' x", maxSize)); len(got) != maxSize {
		t.Error(len(got))
	}
	refused(t, r, "cmd:yes >&2 & sleep 0.2; kill $!; exit 4", "exit status 4")
}

func TestCommandThatLeavesAProcessBehind(t *testing.T) {
	r := &Resolver{Dir: t.TempDir(), timeout: 30 * time.Second}
	begin := time.Now()
	refused(t, r, "cmd:sleep 60 & echo $! >child; echo value", "leaves a process behind")
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if pid := pidIn(t, filepath.Join(r.Dir, "child")); alive(pid) {
		t.Error("it lives on")
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

func pidIn(t *testing.T, path string) int {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// alive gives a killed process a moment to end. One that nobody has waited for
// yet has ended too.
func alive(pid int) bool {
	for range 50 {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return false
		}
		time.Sleep(20 * time.Millisecond)
	}
	return true
}
