package remote

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ReconnectTime is how long a host may be out of reach while it works for us.
const ReconnectTime = 90 * time.Second

// ErrUnknown says that a host could not be asked any more how its work ended.
var ErrUnknown = errors.New("its state is not known")

// NewID names a session or a job.
func NewID() string {
	b := make([]byte, 6)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// Answers are what a job is told while it runs. Over a new connection all of
// them go again: what became of them over the old one is not known.
type Answers struct {
	mu    sync.Mutex
	given strings.Builder
	to    *io.PipeWriter // nil: nobody follows the job
}

// Give sends a line to the job.
func (a *Answers) Give(line string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.given.WriteString(line + "\n")
	if a.to != nil {
		io.WriteString(a.to, line+"\n")
	}
}

// follow makes the input of a new connection, which lasts until end.
func (a *Answers) follow() (in io.Reader, end func()) {
	r, w := io.Pipe()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.to = w
	return io.MultiReader(strings.NewReader(a.given.String()), r), func() { r.Close() }
}

// A Job is a command that runs on the host apart from the connection.
type Job struct {
	Script string        // the text of the host's script "job"
	Limit  time.Duration // how long it may take
	Argv   []string
	Stop   bool     // it ends where ctx does; else the work goes on
	Asks   *Answers // what it is told where it asks; nil: it does not
	Lost   func()   // is called when the connection breaks: the host works on
	// Line gets what the command prints, which may be anybody's, and Told what the
	// host's own scripts tell plonec, which nobody else can.
	Line, Told func(string)
}

// RunJob runs a job and follows it, over new connections where the first breaks. It
// returns the command's exit status. The error is ErrUnknown where the host could not
// be asked any more how it ended.
func (h *Host) RunJob(ctx context.Context, j Job) (int, error) {
	id := NewID()
	ask := append([]string{"start", id, strconv.Itoa(int(j.Limit.Seconds()))}, j.Argv...)
	lines, words, status := 0, 0, ""
	deadline := time.Now().Add(j.Limit + time.Minute)
	var since time.Time // it was out of reach
	for status == "" {
		var in io.Reader
		unfollow := func() {}
		if j.Asks != nil {
			in, unfollow = j.Asks.follow()
		}
		err := h.Run(ctx, Command{Script: j.Script, Argv: ask, Stdin: in, whole: func(text string) {
			since = time.Time{}
			if !strings.HasSuffix(text, "\n") {
				return // it was cut, and comes again
			}
			if printed, ok := strings.CutPrefix(text, "|"); ok {
				lines++
				j.Line(lineEndLess(printed))
			} else if word, ok := strings.CutPrefix(lineEndLess(text), ":"); ok {
				words++
				if end, ok := strings.CutPrefix(word, "end "); ok {
					status = end
				} else {
					j.Told(word)
				}
			}
		}})
		unfollow()
		switch {
		case status != "":
		case ask[0] == "start" && err != nil && ctx.Err() == nil && !IsLost(err):
			return 0, err // it never began
		case ctx.Err() != nil:
			if j.Stop {
				quick, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*QuickTimeout)
				defer cancel()
				h.Run(quick, Command{Script: j.Script, Argv: []string{"stop", id}})
			}
			return 0, context.Cause(ctx)
		case time.Now().After(deadline):
			return 0, fmt.Errorf("no end within %s: %w", j.Limit, ErrUnknown)
		default:
			if since.IsZero() {
				since = time.Now()
				j.Lost()
			}
			if time.Since(since) > ReconnectTime {
				return 0, fmt.Errorf("%w: %w", ErrUnknown, err)
			}
			h.reconnect(ctx)
		}
		ask = []string{"follow", id, strconv.Itoa(lines), strconv.Itoa(words)}
	}
	n, err := strconv.Atoi(status)
	if err != nil {
		return 0, fmt.Errorf("its job ended without a result (%s): %w", status, ErrUnknown)
	}
	return n, nil
}

// reconnect makes a new master connection where the old one is gone.
func (h *Host) reconnect(ctx context.Context) {
	h.current().close()
	if c, err := h.dialer.dial(ctx, h.Host, nil); err == nil {
		h.replace(c)
	} else {
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}
