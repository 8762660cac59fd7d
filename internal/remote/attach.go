package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/diag"
)

// Streams are what a command of a person's is connected with.
type Streams struct {
	In       io.Reader // a file is given to ssh itself, anything else is copied
	Out, Err io.Writer
	Terminal bool // In is one: the command gets a terminal on the host
}

// Attach runs a command over the connection as if it ran here: byte for byte, with a
// terminal where there is one. It returns the command's exit status, 0 to 255.
func (h *Host) Attach(ctx context.Context, argv []string, s Streams) (int, error) {
	c := h.current()
	args := append([]string{"-o", "ControlMaster=no", "-o", "ControlPath=" + c.socket}, c.options...)
	if s.Terminal {
		args = append(args, "-t") // the last of -T and -t counts
	}
	cmd := exec.CommandContext(ctx, "ssh", append(args, "--", c.host.SSHAddress, c.asRoot(Command{Argv: argv}))...)
	said := &tail{}
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = s.In, s.Out, io.MultiWriter(s.Err, said), c.env
	if !s.Terminal {
		apart(cmd) // on a terminal ssh reads what is typed, Ctrl-C too
	}
	cmd.WaitDelay = 2 * time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		return 0, fmt.Errorf("%s: %w", h.Name, context.Cause(ctx))
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		if errors.Is(err, exec.ErrWaitDelay) {
			err = nil // an input that nobody wants any more
		}
		return 0, err
	}
	if exit.ExitCode() == lost && c.broken() || exit.ExitCode() < 0 {
		text := said.String()
		last := text[strings.LastIndexByte(text, '\n')+1:]
		return 0, diag.WithRemedy(strings.TrimSpace(errLost.Error()+": "+last), remedy(last))
	}
	return exit.ExitCode(), nil
}

// broken tells whether the connection has ended, or ends just now.
func (c *conn) broken() bool {
	select {
	case <-c.dead:
		return true
	case <-time.After(time.Second):
		return false
	}
}
