package hosts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/remote"
)

// gates are what a host that rolls its clients asks of each, and what of it the
// balancers have to say: that another one is to spare, that this one is out, that
// it is up.
var gates = map[string]string{"before": "spare", "drained": "out", "after": "up"}

// gate answers such a question: "go" where it is so for every balancer, else why
// not.
func (f *Fleet) gate(when, server string) string {
	question := fmt.Sprintf("%s %s %d", gates[when], server, gateTime)
	ctx, cancel := context.WithTimeout(f.closing, (gateTime+20)*time.Second)
	defer cancel()
	fronts := f.fronts()
	if err := each(fronts, len(fronts), func(front *member) error { return front.askBalancer(ctx, question) }); err != nil {
		return strings.ReplaceAll(f.Redact(err.Error()), "\n", " ")
	}
	return "go"
}

// fronts are the balancers that can be asked: those that run what plonec
// brought them.
func (f *Fleet) fronts() []*member {
	return slices.DeleteFunc(slices.Clone(f.members), func(m *member) bool {
		return !m.conn.Connected() || !m.IsFront() || m.Seen == nil || m.Seen.Live[plan.Balancing].Sum == ""
	})
}

// A balancer is a program on a front end that answers questions about the
// clients there, a line each. A new one for each question would take longer than
// the answer.
type balancer struct {
	mu      sync.Mutex // one question at a time
	ask     *io.PipeWriter
	answers chan string
	ended   chan error // why it ended
}

// askBalancer puts a question to the balancer of a host, over a new connection
// where the last one is gone, as long as ctx lasts.
func (m *member) askBalancer(ctx context.Context, question string) error {
	b := &m.balancer
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		fresh := b.ask == nil
		if fresh {
			b.start(m)
		}
		go io.WriteString(b.ask, question+"\n")
		select {
		case answer := <-b.answers:
			if answer != "go" {
				return errors.New(answer)
			}
			return nil
		case err := <-b.ended:
			b.ask = nil
			if fresh && !remote.IsLost(err) {
				return err
			}
		case <-ctx.Done():
			b.stop() // its answer is not for the next question
			return fmt.Errorf("the balancer of %s does not answer: %w", m.Name, context.Cause(ctx))
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return fmt.Errorf("the balancer of %s cannot be reached: %w", m.Name, context.Cause(ctx))
		}
	}
}

// start begins a conversation with the balancer of a host.
func (b *balancer) start(m *member) {
	in, ask := io.Pipe()
	answers, ended, conn := make(chan string), make(chan error, 1), m.conn
	b.ask, b.answers, b.ended = ask, answers, ended
	go func() {
		err := conn.Run(context.Background(), remote.Command{Argv: []string{plan.ScriptDir + "/host", "backends", "--attend"}, Stdin: in, Line: func(line string) {
			select {
			case answers <- line:
			case <-time.After(time.Second): // nobody asked
			}
		}})
		in.CloseWithError(io.EOF)
		if err == nil {
			err = errors.New("the balancer of " + m.Name + " closed the connection")
		}
		ended <- err
	}()
}

// stop ends the conversation, if there is one.
func (b *balancer) stop() {
	if b.ask != nil {
		b.ask.Close()
		b.ask = nil
	}
}
