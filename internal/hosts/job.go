package hosts

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

// reconnectTime is how long a host may be out of reach while it works for us.
const reconnectTime = 90 * time.Second

// errUnknown says that a host could not be asked any more how its work ended.
var errUnknown = errors.New("its state is not known")

// newID names a session or a job.
func newID() string {
	b := make([]byte, 6)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// answers are what a job is told while it runs. Over a new connection all of
// them go again: what became of them over the old one is not known.
type answers struct {
	mu    sync.Mutex
	given strings.Builder
	to    *io.PipeWriter // nil: nobody follows the job
}

// give sends a line to the job.
func (a *answers) give(line string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.given.WriteString(line + "\n")
	if a.to != nil {
		io.WriteString(a.to, line+"\n")
	}
}

// follow makes the input of a new connection, which lasts until end.
func (a *answers) follow() (in io.Reader, end func()) {
	r, w := io.Pipe()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.to = w
	return io.MultiReader(strings.NewReader(a.given.String()), r), func() { r.Close() }
}

// job runs a command on the host apart from the connection, and follows it, over
// new connections where the first breaks. It returns the command's exit status.
// The work goes on on the host where ctx ends, unless stop says to end it too.
// Where it asks for answers it gets them; nil: it does not. line gets what it
// prints, which may be anybody's, and told what the host's own scripts tell
// plonec, which nobody else can.
func (m *member) job(ctx context.Context, limit time.Duration, argv []string, stop bool, answers *answers, line, told func(string)) (int, error) {
	id := newID()
	script := m.fleet.scripts["job"]
	ask := append([]string{"start", id, strconv.Itoa(int(limit.Seconds()))}, argv...)
	lines, words, status := 0, 0, ""
	deadline := time.Now().Add(limit + time.Minute)
	var since time.Time // it was out of reach
	for status == "" {
		var in io.Reader
		unfollow := func() {}
		if answers != nil {
			in, unfollow = answers.follow()
		}
		err := m.conn.run(ctx, command{script: script, argv: ask, stdin: in, whole: func(text string) {
			since = time.Time{}
			if !strings.HasSuffix(text, "\n") {
				return // it was cut, and comes again
			}
			if printed, ok := strings.CutPrefix(text, "|"); ok {
				lines++
				line(lineEndLess(printed))
			} else if word, ok := strings.CutPrefix(lineEndLess(text), ":"); ok {
				words++
				if end, ok := strings.CutPrefix(word, "end "); ok {
					status = end
				} else {
					told(word)
				}
			}
		}})
		unfollow()
		switch {
		case status != "":
		case ask[0] == "start" && err != nil && ctx.Err() == nil && !isLost(err):
			return 0, err // it never began
		case ctx.Err() != nil:
			if stop {
				quick, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*quickTimeout)
				defer cancel()
				m.conn.run(quick, command{script: script, argv: []string{"stop", id}})
			}
			return 0, context.Cause(ctx)
		case time.Now().After(deadline):
			return 0, fmt.Errorf("no end within %s: %w", limit, errUnknown)
		default:
			if since.IsZero() {
				since = time.Now()
				m.note(Warning, "the connection was lost; the host works on", "")
			}
			if time.Since(since) > reconnectTime {
				return 0, fmt.Errorf("%w: %w", errUnknown, err)
			}
			m.reconnect(ctx)
		}
		ask = []string{"follow", id, strconv.Itoa(lines), strconv.Itoa(words)}
	}
	n, err := strconv.Atoi(status)
	if err != nil {
		return 0, fmt.Errorf("what it did ended without a word (%s): %w", status, errUnknown)
	}
	return n, nil
}

// reconnect makes a new master connection where the old one is gone.
func (m *member) reconnect(ctx context.Context) {
	m.conn.close()
	if c, err := m.fleet.dialer.dial(ctx, m.Host, nil); err == nil {
		m.conn = c
	} else {
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}
