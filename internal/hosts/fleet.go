// Package hosts pushes a tree to its hosts and deploys there: over OpenSSH and
// rsync, with nothing on a host but the scripts of the tree. What the scripts
// do is in templates/host; here is what goes across hosts: who is asked, in
// which order, and what is done when one of them fails.
package hosts

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/plonec/plonec/internal/secret"
	"github.com/plonec/plonec/internal/tree"
)

// Options of a command over hosts.
type Options struct {
	Hosts, Layers []string      // the hosts chosen, by name or layer; none: all that are online
	Others        bool          // the hosts that were not chosen are looked at too
	Fronts        bool          // of these the front ends are
	Parallel      int           // hosts at work at once; 0: 10
	AcceptNew     bool          // trust the key of a host that is not known yet
	SSHConfig     string        // a file in place of the user's ~/.ssh/config; empty: that
	Force         bool          // overwrite what was changed by hand
	Who           string        // for locks and histories: user@machine
	Confirm       time.Duration // the window of a change to be confirmed in; 0: a minute
	Survey        bool          // only look: a host that cannot be reached or worked with is a part of the answer
	Plan          *Plan         // what was foretold: hosts that are not as they were then are not touched
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
	disk    *tree.Disk
	options Options
	secrets *secret.Resolver
	redact  *secret.Redactor
	sink    Sink
	dialer  *dialer
	scripts map[string]string // those that are sent along, by name
	members []*member
	sources bool            // secret files are what their sources are: no value and no host is asked
	nonce   string          // hides sums of secrets on their way here; empty: each host has its own
	closing context.Context // ends with Close
	close   context.CancelFunc
	// Skipped are hosts that the stack does not have online.
	Skipped []tree.Host
}

// A member is one host of the run.
type member struct {
	tree.Host
	fleet    *Fleet
	conn     *conn
	lock     *holder
	balancer balancer
	want     []wanted
	secrets  []secret.File
	seen     *observation
	changes  []Change
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
		return nil, fmt.Errorf("the plan is of another tree (%.12s) than %s (%.12s): run plonec plan again", p.Tree, disk.Dir, disk.Sum)
	}
	f := &Fleet{disk: disk, options: options, secrets: secrets, redact: secret.NewRedactor(), sink: sink, scripts: map[string]string{}}
	if secrets != nil { // else there is nothing to compare them with
		f.nonce = rand.Text()
	}
	f.closing, f.close = context.WithCancel(context.Background())
	for _, name := range sent {
		text, err := os.ReadFile(filepath.Join(disk.Root("*"), "usr/local/lib/plonec", name))
		if err != nil {
			return nil, err
		}
		f.scripts[name] = string(text)
	}
	if err := f.choose(); err != nil {
		return nil, err
	}
	var err error
	f.dialer, err = newDialer(disk, options)
	return f, err
}

// choose picks the hosts.
func (f *Fleet) choose() error {
	o := f.options
	var names, layers []string
	for _, h := range f.disk.Manifest.Hosts {
		names, layers = append(names, h.Name), append(layers, h.Layers...)
		chosen := len(o.Hosts)+len(o.Layers) == 0 || slices.Contains(o.Hosts, h.Name) ||
			slices.ContainsFunc(h.Layers, func(l string) bool { return slices.Contains(o.Layers, l) })
		switch {
		case h.Status == "online" && (chosen || o.Others || o.Fronts && f.disk.Has(h.Name, haproxy)):
			f.members = append(f.members, &member{Host: h, fleet: f, asked: chosen})
		case chosen:
			f.Skipped = append(f.Skipped, h)
		}
	}
	slices.Sort(layers)
	layers = slices.Compact(layers)
	for _, option := range []struct {
		words, known []string
		noun         string
		others       []string
		other        string
	}{{o.Hosts, names, "host", layers, "layer"}, {o.Layers, layers, "layer", names, "host"}} {
		for _, word := range option.words {
			if slices.Contains(option.known, word) {
				continue
			}
			text := fmt.Sprintf("the tree has no %s %s; its %ss are %s", option.noun, word, option.noun, strings.Join(option.known, ", "))
			if slices.Contains(option.others, word) {
				text += fmt.Sprintf("; the %s of that name is --%s %s", option.other, option.other, word)
			}
			return errors.New(text)
		}
	}
	if len(f.chosen()) == 0 {
		return errors.New("none of the chosen hosts is online")
	}
	sort.Slice(f.members, func(i, j int) bool { return f.members[i].Name < f.members[j].Name })
	return nil
}

// Have makes sure that every app is one of the chosen hosts', by the tree: no
// host needs to have been asked.
func (f *Fleet) Have(apps []string) error {
	var all []string
	for _, m := range f.chosen() {
		want, err := m.files(nil)
		if err != nil {
			return err
		}
		all = append(all, appsOf(want)...)
	}
	slices.Sort(all)
	return among(slices.Compact(all), apps)
}

// among makes sure that apps are of those that the chosen hosts have.
func among(all, apps []string) error {
	if len(all) == 0 {
		return errors.New("no app runs on the chosen hosts")
	}
	for _, app := range apps {
		if !slices.Contains(all, app) {
			return fmt.Errorf("there is no app %s on the chosen hosts; there are %s", app, strings.Join(all, ", "))
		}
	}
	return nil
}

// chosen are the hosts that were asked for.
func (f *Fleet) chosen() []*member {
	return slices.DeleteFunc(slices.Clone(f.members), func(m *member) bool { return !m.asked })
}

// Names lists the hosts of the run, sorted: the chosen ones that are online, and
// those beside them.
func (f *Fleet) Names() []string {
	var names []string
	for _, m := range f.members {
		names = append(names, m.Name)
	}
	return names
}

// Hosts are those of the run: the ones that it connects to.
func (f *Fleet) Hosts() []tree.Host {
	var list []tree.Host
	for _, m := range f.members {
		list = append(list, m.Host)
	}
	return list
}

// Close gives locks back and ends connections.
func (f *Fleet) Close() {
	f.close()
	each(f.members, len(f.members), func(m *member) error {
		m.balancer.mu.Lock() // whoever asks ends now
		m.balancer.stop()
		m.balancer.mu.Unlock()
		m.lock.release()
		if m.conn != nil {
			m.conn.close()
		}
		return nil
	})
	f.dialer.close()
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

// words are an error's text and its remedy, less the secrets that a program on
// a host may have put into them.
func (f *Fleet) words(err error) (text, hint string) {
	text = err.Error()
	var h *hinted
	if errors.As(err, &h) {
		text, hint = h.text, h.hint
	}
	return f.redact.Redact(text), f.redact.Redact(hint)
}

// Redact masks the secrets of the run in a text.
func (f *Fleet) Redact(text string) string { return f.redact.Redact(text) }

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
		m.fleet.sink(Event{Time: time.Now(), Host: m.Name, Kind: Output, Step: step, Text: m.fleet.redact.Redact(line)})
	}
}

// A HostError is what went wrong on one host.
type HostError struct {
	Host, Step string
	Err        error
}

func (e *HostError) Error() string { return fmt.Sprintf("%s: %s: %v", e.Host, e.Step, e.Err) }

// Unwrap gives the cause.
func (e *HostError) Unwrap() error { return e.Err }

// A told error is one that an event has told of, with its remedy.
type told struct{ error }

// Unwrap gives the error itself.
func (t *told) Unwrap() error { return t.error }

// Told tells whether an event has told of an error, or of one in it.
func Told(err error) bool {
	var t *told
	return errors.As(err, &t)
}

// Hint is what to do about an error, less the secrets in it; empty where it does
// not know.
func (f *Fleet) Hint(err error) string {
	_, hint := f.words(err)
	return hint
}

// HostErrors are the errors of hosts in an error, in their order.
func HostErrors(err error) []*HostError {
	switch e := err.(type) {
	case *HostError:
		return []*HostError{e}
	case interface{ Unwrap() []error }:
		var list []*HostError
		for _, err := range e.Unwrap() {
			list = append(list, HostErrors(err)...)
		}
		return list
	case interface{ Unwrap() error }:
		return HostErrors(e.Unwrap())
	}
	return nil
}

// Locked tells whether an error says that another plonec is at work.
func Locked(err error) bool {
	var l *lockedError
	return errors.As(err, &l)
}
