package hosts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// heartbeat is how often a lock's holder on the host hears that plonec is
// there; after 10 s of silence it lets go.
const heartbeat = 2 * time.Second

// A holder keeps a host's lock until it is released, or this process is gone.
type holder struct {
	stdin *io.PipeWriter
	ended chan error
	once  sync.Once
}

// A lockedError says that another plonec is at work on a host.
type lockedError struct{ host, who string }

func (e *lockedError) Error() string {
	return fmt.Sprintf("another plonec is at work on %s: %s", e.host, e.who)
}

// hold takes the lock of a host, and makes room there for a session's files;
// without a session it only locks.
func (c *conn) hold(ctx context.Context, script, who, session string) (*holder, error) {
	in, out := io.Pipe()
	h := &holder{stdin: out, ended: make(chan error, 1)}
	first := make(chan string, 1)
	go func() {
		err := c.run(context.WithoutCancel(ctx), command{script: script, argv: []string{who, session}, stdin: in, line: func(line string) {
			select {
			case first <- line:
			default:
			}
		}})
		in.CloseWithError(io.EOF)
		h.ended <- err
	}()
	select {
	case line := <-first:
		if who, busy := strings.CutPrefix(line, "busy "); busy {
			out.Close()
			return nil, &lockedError{c.host.Name, who}
		}
	case err := <-h.ended:
		out.Close()
		if err == nil {
			err = errors.New("the lock's holder ended at once")
		}
		return nil, err
	case <-time.After(quickTimeout):
		out.Close()
		return nil, fmt.Errorf("%s did not give its lock within %s", c.host.Name, quickTimeout)
	}
	go func() {
		for {
			if _, err := io.WriteString(out, "\n"); err != nil {
				return
			}
			time.Sleep(heartbeat)
		}
	}()
	return h, nil
}

// release gives the lock back, and waits until it is.
func (h *holder) release() {
	if h == nil {
		return
	}
	h.once.Do(func() {
		go func() {
			io.WriteString(h.stdin, "done\n")
			h.stdin.Close()
		}()
		select {
		case <-h.ended:
		case <-time.After(5 * time.Second):
		}
	})
}
