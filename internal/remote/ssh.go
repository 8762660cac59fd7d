package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/tree"
)

// Deadlines of what is done over ssh.
const (
	connectTimeout = 10 * time.Second // until the connection is there
	loginTimeout   = 30 * time.Second // and the login is done
)

// QuickTimeout is how long a command may take that only looks or switches.
const QuickTimeout = time.Minute

// A conn is one master connection to a host, over which every command runs.
// OpenSSH does the work: the user's own configuration, keys and agent count.
type conn struct {
	host    tree.Host
	env     []string // of ssh and rsync
	options []string // of ssh, less those of the master connection
	socket  string
	master  *exec.Cmd
	stdin   io.Closer // the master lives as long as this is open
	dead    chan struct{}
	jump    jump
	said    *tail
	begin   string // the line with which the login is done: see words

	knownHosts string // the file with hosts' keys that the stack names; empty: the user's
}

// close ends the connection and all that runs over it.
func (c *conn) close() {
	c.stdin.Close()
	select {
	case <-c.dead:
	case <-time.After(2 * time.Second):
		c.master.Process.Kill()
		<-c.dead
	}
}

// A Command is a program for the host's root: a script of the tree that is sent
// along, or one that lies on the host.
type Command struct {
	Script string // its text; empty: Argv[0] is on the host
	Argv   []string
	Stdin  io.Reader
	Line   func(string) // gets each line of its output, less the line break
	whole  func(string) // the same with the line break, if there is one: every byte
}

// An ExitError is a command that ended with another status than 0.
type ExitError struct {
	Status int
	said   string // the end of what it wrote to standard error
}

func (e *ExitError) Error() string {
	if e.said != "" {
		return e.said
	}
	return fmt.Sprintf("it ended with status %d", e.Status)
}

// lost is the status of ssh itself when its connection fails.
const lost = 255

// errLost says that the connection broke: what became of the command is not
// known.
var errLost = errors.New("the connection was lost")

// IsLost tells whether an error says so.
func IsLost(err error) bool { return strings.HasPrefix(err.Error(), errLost.Error()) }

// run runs a command over the master connection.
func (c *conn) run(ctx context.Context, what Command) error {
	args := append([]string{"-o", "ControlMaster=no", "-o", "ControlPath=" + c.socket}, c.options...)
	return c.ssh(ctx, args, what)
}

// runFresh runs a command over a login of its own: the master would go on
// working where nobody can log in any more.
func (c *conn) runFresh(ctx context.Context, what Command) error {
	defer c.jump.login()()
	args := append([]string{"-o", "ControlMaster=no", "-o", "ControlPath=none"}, c.options...)
	return c.ssh(ctx, args, what)
}

func (c *conn) ssh(ctx context.Context, args []string, what Command) error {
	cmd := exec.CommandContext(ctx, "ssh", append(args, "--", c.host.SSHAddress, c.asRoot(what))...)
	said := &tail{}
	cmd.Stderr, cmd.Env = said, c.env
	apart(cmd)
	cmd.WaitDelay = 2 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	// Given as cmd.Stdin, an input that has not ended would outlast a command
	// that has.
	var in io.WriteCloser
	if what.Stdin != nil {
		if in, err = cmd.StdinPipe(); err != nil {
			return err
		}
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if in != nil {
		go func() {
			io.Copy(in, what.Stdin)
			in.Close()
		}()
	}
	readLines(out, what)
	err = cmd.Wait()
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", c.host.Name, context.Cause(ctx))
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if exit.ExitCode() == lost || exit.ExitCode() < 0 {
			text := said.String()
			last := text[strings.LastIndexByte(text, '\n')+1:] // what comes before may be the program's
			return diag.WithRemedy(strings.TrimSpace(errLost.Error()+": "+text), remedy(last))
		}
		return failed(exit.ExitCode(), said.String())
	}
	return err
}

// failed is the error of a command that ended with a status; said is the end of
// what it wrote to standard error.
func failed(status int, said string) error {
	if h := remoteRemedy(said); h != "" {
		return diag.WithRemedy(said, h)
	}
	return &ExitError{status, said}
}

// sudo is what a word of the remote shell becomes: nothing for who is root.
// What sudo says is in English.
const sudo = "$(test \"$(id -u)\" = 0 || echo env LC_ALL=C sudo -n)"

// asRoot is the command line for the remote shell.
func (c *conn) asRoot(what Command) string {
	words := what.Argv
	if what.Script != "" {
		words = append([]string{"/bin/bash", "-c", what.Script, "plonec"}, what.Argv...)
	}
	var b strings.Builder
	b.WriteString("exec " + sudo)
	for _, w := range words {
		b.WriteString(" '" + strings.ReplaceAll(w, "'", `'\''`) + "'")
	}
	return b.String()
}

// apart keeps a program out of the terminal's process group, so that Ctrl-C
// reaches plonec alone, which then ends things in order.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
