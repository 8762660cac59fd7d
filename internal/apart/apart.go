// Package apart runs a program as nobody, in namespaces in which it sees nothing of
// this machine: no file but the system's programs and what it is shown, no process, no
// network unless it needs one, no variable.
package apart

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Self is this very program, as a room has it.
const Self = "/plonec"

// A child of this program that is to make a room has it in roomEnv, and the
// program's own file in selfEnv.
const (
	roomEnv = "PLONEC_ROOM"
	selfEnv = "PLONEC_ROOM_SELF"
)

// A Room is what a program sees, and the program. /usr and the libraries are in every
// one. It travels in one variable, so that all its texts together have at most 100 KB.
type Room struct {
	Program []string          // its path in the room, and its arguments
	Env     []string          // its variables, beside PATH and TMPDIR
	Shown   map[string]string // folders of this machine, by where they are seen; they cannot be changed
	Texts   map[string]string // files, by where they are

	Given   map[string]string // folders of this machine that the program changes, which become nobody's
	Network bool              // this machine's, with the names that it resolves
	Proc    bool              // /proc, of the room's own processes

	// Files and folders of links of /etc, which packages brought, by their names there;
	// folders of the program's own; users that it becomes.
	Files, Links, Own []string
	Users             []User

	Memory uint64 // bytes of address space; 0: as much as there is
	CPU    uint64 // seconds of the processor; 0: as long as it takes
}

// A User is one of a package's, and its group.
type User struct{ Name, Group string }

// RunChild makes a room and goes there for good where the process was started for
// that; it returns at once elsewhere. It must be among the first calls of main and
// of TestMain.
func RunChild() {
	text := os.Getenv(roomEnv)
	if text == "" {
		return
	}
	var r Room
	err := json.Unmarshal([]byte(text), &r)
	if err == nil {
		err = enter(&r, os.Getenv(selfEnv))
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// ErrTooMuch is why a program was ended that prints more than it may.
var ErrTooMuch = errors.New("it prints too much")

// A NoRoomError is why there cannot be a room here, or what a program said that failed
// in one.
type NoRoomError struct{ Said string }

func (e *NoRoomError) Error() string { return "no namespaces here: " + e.Said }

// Run runs the program of a room to its end, and gives what it printed. A program that
// prints more than that many bytes is ended.
func Run(ctx context.Context, r *Room, stdin []byte, most int) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd, err := enterCommand(ctx, r)
	if err != nil {
		return nil, err
	}
	return run(ctx, cancel, cmd, stdin, most)
}

// Follow runs the program of a room to its end, and gives what it prints and complains of
// to out as it does.
func Follow(ctx context.Context, r *Room, out io.Writer) error {
	cmd, err := enterCommand(ctx, r)
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, out, time.Second
	if err = cmd.Run(); ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

// enterCommand is this program as a child that makes a room and goes there.
func enterCommand(ctx context.Context, r *Room) (*exec.Cmd, error) {
	attributes, err := attributes(r)
	if err != nil {
		return nil, err
	}
	if os.Getenv(roomEnv) != "" {
		return nil, errors.New("a child of plonec asked for a child")
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	room, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Args = os.Args[:1]
	cmd.Dir = "/"
	cmd.Env = []string{roomEnv + "=" + string(room), selfEnv + "=" + self}
	cmd.SysProcAttr = attributes
	return cmd, nil
}

// Here runs the program of a room on this machine, as whoever asks and in a folder that is
// there for it: in sight of all, but without a variable, and with the room's limits. A path
// that a room has is that of this machine.
func Here(ctx context.Context, r *Room, folder string, stdin []byte, most int) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var args []string
	for _, arg := range r.Program {
		for in, here := range r.Shown {
			if rest, below := strings.CutPrefix(arg, in+"/"); below {
				arg = filepath.Join(here, rest)
			}
		}
		if text, is := r.Texts[arg]; is {
			arg = filepath.Join(folder, filepath.Base(arg))
			if err := os.WriteFile(arg, []byte(text), 0o600); err != nil {
				return nil, err
			}
		}
		args = append(args, arg)
	}
	limits := fmt.Sprintf(`ulimit -v %d && ulimit -t %d && exec "$@"`, r.Memory>>10, r.CPU)
	cmd := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", limits, "sh"}, args...)...)
	cmd.Dir = folder
	cmd.Env = append([]string{"PATH=/usr/bin:/bin", "TMPDIR=" + folder}, r.Env...)
	return run(ctx, cancel, cmd, stdin, most)
}

// run is a program's output, or what it said as it failed.
func run(ctx context.Context, cancel func(), cmd *exec.Cmd, stdin []byte, most int) ([]byte, error) {
	stdout, stderr := &bounded{most: most, stop: cancel}, &bounded{most: 64 << 10}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), stdout, stderr
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	switch {
	case stdout.full:
		return nil, ErrTooMuch
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		said := strings.TrimSpace(stderr.buffer.String())
		if said == "" {
			said = err.Error()
		}
		return nil, &NoRoomError{said}
	}
	return stdout.buffer.Bytes(), nil
}

// A bounded buffer keeps so many bytes, and calls stop where there are more.
type bounded struct {
	buffer bytes.Buffer // not embedded: io.Copy would fill it past Write
	most   int
	stop   func()
	full   bool
}

func (b *bounded) Write(p []byte) (int, error) {
	kept := p[:min(len(p), b.most-b.buffer.Len())]
	if len(kept) < len(p) {
		b.full = true
		if b.stop != nil {
			b.stop()
		}
	}
	b.buffer.Write(kept)
	return len(p), nil
}
