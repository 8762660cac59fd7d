package remote

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

// A Lock of a host is held until it is released, or this process is gone.
type Lock struct {
	stdin *io.PipeWriter
	ended chan error
	once  sync.Once
}

// A LockedError says that another plonec is at work on a host.
type LockedError struct{ Host, Who string }

func (e *LockedError) Error() string {
	return fmt.Sprintf("another plonec is at work on %s: %s", e.Host, e.Who)
}

// Hold takes the lock of the host, and makes room there for a session's files;
// without a session it only locks.
func (h *Host) Hold(ctx context.Context, script, who, session string) (*Lock, error) {
	in, out := io.Pipe()
	l := &Lock{stdin: out, ended: make(chan error, 1)}
	first, conn := make(chan string, 1), h.current()
	go func() {
		err := conn.run(context.WithoutCancel(ctx), Command{Script: script, Argv: []string{who, session}, Stdin: in, Line: func(line string) {
			select {
			case first <- line:
			default:
			}
		}})
		in.CloseWithError(io.EOF)
		l.ended <- err
	}()
	select {
	case line := <-first:
		if who, busy := strings.CutPrefix(line, "busy "); busy {
			out.Close()
			return nil, &LockedError{h.Name, who}
		}
	case err := <-l.ended:
		out.Close()
		if err == nil {
			err = errors.New("the process that holds the lock ended at once")
		}
		return nil, err
	case <-time.After(QuickTimeout):
		out.Close()
		return nil, fmt.Errorf("%s did not give its lock within %s", h.Name, QuickTimeout)
	}
	go func() {
		for {
			if _, err := io.WriteString(out, "\n"); err != nil {
				return
			}
			time.Sleep(heartbeat)
		}
	}()
	return l, nil
}

// Release gives the lock back, and waits until it is.
func (l *Lock) Release() {
	if l == nil {
		return
	}
	l.once.Do(func() {
		go func() {
			io.WriteString(l.stdin, "done\n")
			l.stdin.Close()
		}()
		select {
		case <-l.ended:
		case <-time.After(5 * time.Second):
		}
	})
}
