package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unicode"
)

const (
	// maxSize bounds files and what commands print, in bytes.
	maxSize = 1 << 20
	// commandTimeout bounds each command.
	commandTimeout = 60 * time.Second
)

// resolve gives what a source stands for.
func (r *Resolver) resolve(ctx context.Context, ref reference) (found, *fault) {
	return slot(r, &r.sources, ref).get(func() (found, *fault) {
		source := ref.source
		var text string
		var warnings []*fault
		var f *fault
		kind, rest, ok := strings.Cut(source, ":")
		if !ok {
			kind = ""
		}
		switch kind {
		case "env":
			text, f = r.fromEnv(rest)
		case "file":
			text, warnings, f = ref.fromFile(rest)
		case "age":
			text, warnings, f = r.fromAge(ref, rest)
		case "cmd":
			text, f = r.fromCommand(ctx, ref, rest)
		case "stack":
			text, f = r.fromStack(source, rest)
		default:
			f = &fault{"the manifest has a source of a kind that this plonec does not know", "run plonec build with this release"}
		}
		switch {
		case f != nil:
		case text == "":
			f = &fault{source + " is empty", "put the secret there, or take the reference out of the stack"}
		case strings.ContainsRune(text, 0):
			f = &fault{source + " holds a NUL byte", "no secret file may hold one: encode the secret as text"}
		}
		if f != nil {
			return found{warnings: warnings}, f
		}
		return found{NewValue(text), warnings}, nil
	})
}

func (r *Resolver) fromEnv(name string) (string, *fault) {
	text, ok := r.getenv(name)
	if !ok {
		return "", &fault{"env:" + name + " is not set", "export " + name + " before you run plonec"}
	}
	return text, nil
}

func (r *Resolver) fromStack(source, pointer string) (string, *fault) {
	if r.Stack == nil {
		return "", &fault{source + " cannot be read without the stack", "name the STACK"}
	}
	text, err := r.Stack(pointer)
	if err != nil {
		return "", &fault{source + ": " + err.Error(), "run plonec build, so that manifest and stack agree"}
	}
	return text, nil
}

// path is a path of the stack.
func (ref reference) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(ref.dir, name)
}

func (ref reference) fromFile(name string) (string, []*fault, *fault) {
	path := ref.path(name)
	data, warnings, err := readSecret(path)
	if err != nil {
		return "", nil, &fault{ref.source + ": " + path + " " + err.Error(), "put the secret there, or fix the reference"}
	}
	return oneLineEndLess(string(data)), warnings, nil
}

// oneLineEndLess drops one line end, as every editor and command adds one.
func oneLineEndLess(s string) string {
	if less, ok := strings.CutSuffix(s, "\n"); ok {
		return strings.TrimSuffix(less, "\r")
	}
	return s
}

// readSecret reads a regular file of at most maxSize, and warns where others
// than its owner may read or change it. An error is what follows the file's
// name in a sentence.
func readSecret(path string) (data []byte, warnings []*fault, err error) {
	// Without waiting for somebody to write into a pipe.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, errors.New("is not there")
	}
	unreadable := func(err error) error {
		var inner *fs.PathError
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return fmt.Errorf("cannot be read (%w)", err)
	}
	if err != nil {
		return nil, nil, unreadable(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, unreadable(err)
	}
	if !info.Mode().IsRegular() {
		return nil, nil, errors.New("is not a regular file")
	}
	data, err = io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, nil, unreadable(err)
	}
	if len(data) > maxSize {
		return nil, nil, errors.New("is larger than 1 MiB")
	}
	if mode := info.Mode().Perm(); mode&0o066 != 0 {
		warnings = append(warnings, &fault{fmt.Sprintf("%s is open to others than its owner: its mode is %04o", path, mode), "chmod go-rwx " + path})
	}
	return data, warnings, nil
}

// fromCommand runs a shell's command without a terminal and without input, in
// a session of its own: what asks for a password fails at once.
func (r *Resolver) fromCommand(ctx context.Context, ref reference, line string) (string, *fault) {
	source := ref.source
	timeout := r.timeout
	if timeout == 0 {
		timeout = commandTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	stdout := &limited{stop: cancel}
	stderr := &limited{}
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", line)
	cmd.Dir = ref.dir
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	kill := func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Cancel = kill
	cmd.WaitDelay = 2 * time.Second
	err := cmd.Run()

	said := ""
	if text := lastWords(stdout.buf.String(), stderr.buf.String()); text != "" {
		said = ": " + text
	}
	var exit *exec.ExitError
	switch {
	case stdout.full:
		return "", &fault{source + " prints more than 1 MiB", "let it print the secret alone"}
	case ctx.Err() != nil:
		return "", &fault{fmt.Sprintf("%s does not end within %v%s", source, timeout, said), "it gets no input and no terminal: let it ask nobody"}
	case errors.Is(err, exec.ErrWaitDelay):
		kill()
		return "", &fault{source + " leaves a process behind that holds its output", "let it wait for what it starts, or send that one's output elsewhere"}
	case errors.As(err, &exit):
		return "", &fault{fmt.Sprintf("%s: %v%s", source, exit.ProcessState, said), "run the command in " + ref.dir + " to see why"}
	case err != nil:
		return "", &fault{source + " cannot be run in " + ref.dir + " (" + err.Error() + ")", "commands run by /bin/sh in the folder of the file that names them"}
	}
	return oneLineEndLess(stdout.buf.String()), nil
}

// lastWords is the end of what a command said on stderr, without what it
// printed as the secret.
func lastWords(stdout, stderr string) string {
	text := NewRedactor(NewValue(oneLineEndLess(stdout))).Redact(stderr)
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.TrimSpace(text))
	const end = 500
	if runes := []rune(text); len(runes) > end {
		return "…" + string(runes[len(runes)-end:])
	}
	return text
}

// limited keeps what is written to it, up to maxSize. More is dropped, after
// stop was called, where there is one.
type limited struct {
	buf  bytes.Buffer
	full bool
	stop func()
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	keep := min(len(p), maxSize-l.buf.Len())
	l.buf.Write(p[:keep])
	if keep < len(p) && !l.full {
		l.full = true
		if l.stop != nil {
			l.stop()
		}
	}
	return len(p), nil
}
