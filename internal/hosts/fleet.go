// Package hosts pushes a tree to its hosts and deploys there, with nothing on a host
// but the scripts of the tree. What the scripts do is in templates/host, how one host
// is reached in package remote, what would change there in package plan; here is what
// goes across hosts: who is asked, in which order (order.go, by the ranks of package
// topology), and what is done when one fails.
package hosts

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/plonec/plonec/internal/frontend"
	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/remote"
	"github.com/plonec/plonec/internal/secret"
	"github.com/plonec/plonec/internal/tree"
)

// Options of a command over hosts.
type Options struct {
	Hosts, Layers []string // the hosts chosen, by name or layer; none: all that are online
	Others        bool     // the hosts that were not chosen are looked at too
	Fronts        bool     // of these the front ends are
	Served        bool     // and those whose databases the chosen ones serve
	Parallel      int      // hosts at work at once; 0: 10
	SSH           remote.Options
	Force         bool          // overwrite what was changed by hand
	AllowTwo      bool          // start what one host alone runs of an app, though another one cannot be asked whether it runs it
	Who           string        // for locks and histories: user@machine
	Confirm       time.Duration // the window of a change to be confirmed in; 0: a minute
	Survey        bool          // only look: a host that cannot be reached or worked with is a part of the answer
	Plan          *plan.Plan    // what was foretold: hosts that are not as they were then are not touched
	Commit        string        // of the tree; empty: it is in no git repository
	// Descends tells whether Commit comes after an earlier one; nil: do not ask.
	Descends func(earlier string) error
	// Judge tells whether the tree may be believed. It is asked while the hosts are
	// looked at for the first time; before it agrees no secret is resolved and
	// nothing is brought anywhere. Nil: nobody has to be asked.
	Judge func() error
}

// A Fleet is the hosts of one run of a command.
type Fleet struct {
	tree    *plan.Tree
	options Options
	secrets *secret.Resolver
	sink    Sink
	dialer  *remote.Dialer
	scripts map[string]string // those that are sent along, by name
	members []*member
	// frontends are those that are built where plonec runs, by app; nil: nobody looked.
	frontends map[string]*frontend.Built
	closing   context.Context // ends with Close
	close     context.CancelFunc
	servers   struct { // of databases, which the run has restarted
		sync.Mutex
		list []tree.Server
	}
	handovers []*handover // of this run
	// Skipped are hosts that the stack does not have online.
	Skipped []tree.Host
}

// A member is one host of the run.
type member struct {
	*plan.Host
	fleet    *Fleet
	conn     *remote.Host
	lock     *remote.Lock
	balancer balancer
	outcome  Outcome
	applied  bool  // apply brought something there
	asked    bool  // it was chosen; others are there since the chosen ones need them
	failed   error // why it could not be asked
	unfit    error // why it cannot be worked with

	did      string // the last words of the last verb there
	restarts int    // of processes, by it
}

// An Outcome is what became of a host.
type Outcome int

// Outcomes, from good to bad.
const (
	Untouched Outcome = iota // nothing was changed there
	Done                     // what was asked is so
	Reverted                 // it was tried and taken back
	Unknown                  // it could not be asked any more
)

// sent are the scripts that plonec sends to a host that may have none.
var sent = []string{"observe", "hold", "receive", "job"}

// New makes a run over the chosen hosts of a tree. sink gets all that happens.
// A secret file whose values the resolver does not have, or that has none to ask,
// counts as it is on its host as long as it comes from the same sources.
func New(disk *tree.Disk, options Options, secrets *secret.Resolver, sink Sink) (*Fleet, error) {
	if options.Parallel <= 0 {
		options.Parallel = 10
	}
	if options.Confirm <= 0 {
		options.Confirm = time.Minute
	}
	if p := options.Plan; p != nil && p.Tree != disk.Sum {
		return nil, fmt.Errorf("the plan is for the tree %.12s, not for that of %s (%.12s): run plonec plan again", p.Tree, disk.Dir, disk.Sum)
	}
	f := &Fleet{
		tree:    &plan.Tree{Disk: disk, Values: secrets != nil, Redactor: secret.NewRedactor()},
		options: options, secrets: secrets, sink: sink, scripts: map[string]string{},
	}
	if secrets != nil { // else there is nothing to compare them with
		f.tree.Nonce = rand.Text()
	}
	f.closing, f.close = context.WithCancel(context.Background())
	for _, name := range sent {
		text, err := os.ReadFile(filepath.Join(disk.Root("*"), "usr/local/lib/plonec", name))
		if err != nil {
			return nil, err
		}
		f.scripts[name] = string(text)
	}
	var err error
	options.SSH.Tell = func(host, text string) {
		sink(Event{Time: time.Now(), Host: host, Kind: Warning, Step: "connect", Text: text})
	}
	if f.dialer, err = remote.NewDialer(disk, options.SSH); err != nil {
		return nil, err
	}
	if err := f.choose(); err != nil {
		f.dialer.Close()
		return nil, err
	}
	return f, nil
}

// Close gives locks back and ends connections.
func (f *Fleet) Close() {
	f.close()
	each(f.members, len(f.members), func(m *member) error {
		m.balancer.mu.Lock() // whoever asks ends now
		m.balancer.stop()
		m.balancer.mu.Unlock()
		m.lock.Release()
		m.conn.Close()
		return nil
	})
	f.dialer.Close()
}

// each runs do for every member, at most n at once, and joins the errors in
// the order of the members.
func each(members []*member, n int, do func(*member) error) error {
	errs := make([]error, len(members))
	var wg sync.WaitGroup
	slots := make(chan struct{}, max(n, 1))
	for i, m := range members {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			errs[i] = do(m)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// step runs one step of the work on a host, and tells of it.
func (m *member) step(ctx context.Context, name string, do func(context.Context) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	began := time.Now()
	m.fleet.sink(Event{Time: began, Host: m.Name, Kind: Started, Step: name})
	err := do(ctx)
	if err != nil {
		return m.wrong(name, err)
	}
	m.fleet.sink(Event{Time: time.Now(), Host: m.Name, Kind: Finished, Step: name, Seconds: time.Since(began).Seconds()})
	return nil
}

// wrong tells that a step failed on the host.
func (m *member) wrong(step string, err error) error {
	e := Event{Time: time.Now(), Host: m.Name, Kind: Failed, Step: step}
	e.Text, e.Hint = m.fleet.words(err)
	m.fleet.sink(e)
	return &told{&HostError{m.Name, step, err}}
}

// Redact masks the secrets of the run in a text.
func (f *Fleet) Redact(text string) string { return f.tree.Redactor.Redact(text) }

// Idle tells of the hosts that a command had nothing to do on.
func (f *Fleet) Idle() {
	for _, m := range f.members {
		if m.outcome == Untouched {
			m.note(Result, "nothing to do", "")
		}
	}
}

func (m *member) note(kind Kind, text, hint string) {
	m.fleet.sink(Event{Time: time.Now(), Host: m.Name, Kind: kind, Text: text, Hint: hint})
}

// output passes on a line that a program on the host printed, less the secrets
// in it.
func (m *member) output(step string) func(string) {
	return func(line string) {
		m.fleet.sink(Event{Time: time.Now(), Host: m.Name, Kind: Output, Step: step, Text: m.fleet.Redact(line)})
	}
}
