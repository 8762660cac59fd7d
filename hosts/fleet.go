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
	pathpkg "path"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/plonec/plonec/secret"
	"github.com/plonec/plonec/tree"
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

// Look logs in to every host and asks how it is: the preflight of every
// command. It changes nothing. The error names each host that cannot be worked
// with; in a survey that is one that does not answer, and the others can be
// asked on. Where the tree is not to be believed that alone is the error.
func (f *Fleet) Look(ctx context.Context) error {
	believed := make(chan error, 1)
	if f.options.Judge != nil {
		go func() { believed <- f.options.Judge() }()
	} else if err := f.resolve(ctx); err != nil {
		return err
	}
	parallel := max(f.options.Parallel, 20)
	asked := each(f.members, parallel, func(m *member) error {
		ask := func(ctx context.Context) (err error) {
			m.seen, err = m.inspect(ctx)
			return err
		}
		if !m.asked {
			return m.tried(ask(ctx))
		}
		return m.tried(m.step(ctx, "connect", ask))
	})
	if f.options.Judge != nil {
		if err := <-believed; err != nil {
			return err
		}
		if err := f.resolve(ctx); err != nil {
			return err
		}
		if asked != nil && !f.options.Survey {
			return asked
		}
	}
	weighed := each(f.members, parallel, func(m *member) error {
		if m.conn == nil || m.failed != nil {
			return nil
		}
		err := m.weigh(ctx, m.seen)
		if err != nil && m.asked {
			err = m.wrong("connect", err)
		}
		return m.tried(err)
	})
	f.members = slices.DeleteFunc(f.members, func(m *member) bool { return !m.asked && m.conn == nil })
	return errors.Join(asked, weighed)
}

// tried keeps why a host cannot be worked with. One that nobody asked for is left
// out: the work goes on without it.
func (m *member) tried(err error) error {
	if err == nil {
		return nil
	}
	if m.asked {
		m.failed = err
		return err
	}
	m.note(Warning, "left out: "+err.Error(), "")
	if m.conn != nil {
		m.conn.close()
		m.conn = nil
	}
	return nil
}

// look asks the host how it is, and works out what apply would change. It gets
// the content of the files at show too.
func (m *member) look(ctx context.Context, show ...string) error {
	o, err := m.inspect(ctx, show...)
	if err != nil {
		return err
	}
	return m.weigh(ctx, o)
}

// inspect asks the host how it is, for what the manifest says of it alone: no value
// of a secret is needed. It gets the content of the files at show too.
func (m *member) inspect(ctx context.Context, show ...string) (*observation, error) {
	q := questions{texts: show}
	values := m.fleet.secrets != nil // which the host's are compared with
	for _, s := range m.secretFiles() {
		if values && s.Format == "userlist" {
			q.salts = append(q.salts, s.Path)
		} else {
			q.secrets = append(q.secrets, s.Path)
		}
		if app, ok := strings.CutSuffix(s.Path, "/secrets.env"); ok && values {
			q.dsns = append(q.dsns, s.Path, pendingPath(pathpkg.Base(app), s.Path))
		}
	}
	var own []wanted
	for _, file := range m.fleet.disk.Manifest.Files {
		if file.Host != "*" && file.Host != m.Name {
			continue
		}
		own = append(own, wanted{Path: file.Path, Local: m.fleet.disk.Path(file)})
		if !slices.Contains(show, file.Path) {
			q.sums = append(q.sums, file.Path)
		}
	}
	q.units = m.unitsOf(own)
	return m.observe(ctx, q)
}

// weigh works out what apply would change of a host that is so, and whether it can
// be worked with.
func (m *member) weigh(ctx context.Context, o *observation) error {
	if err := m.saw(ctx, o); err != nil {
		return err
	}
	if m.unfit = m.fit(); m.fleet.options.Survey {
		return nil
	}
	return m.unfit
}

// saw works out what apply would change of a host that is so.
func (m *member) saw(ctx context.Context, o *observation) error {
	m.seen = o
	var err error
	if m.want, err = m.files(o); err != nil {
		return err
	}
	hold, err := m.holds(ctx)
	if err != nil {
		return err
	}
	m.changes = changes(m.want, o, hold)
	return nil
}

// fit tells whether the host can be worked with.
func (m *member) fit() error {
	o := m.seen
	const least = 200 << 10
	switch {
	case o.Missing != "":
		return &hinted{"the host has no " + strings.ReplaceAll(o.Missing, " ", ", "), "apt-get install rsync, and a systemd of this decade"}
	case o.Unconfirmed != "":
		return &hinted{"an earlier change, generation " + o.Unconfirmed + ", waits to be confirmed or taken back", "wait a minute, then try again"}
	case o.FreeKiB < least:
		return &hinted{fmt.Sprintf("the host has %d MiB free below /var/lib/plonec", o.FreeKiB>>10), "make room: 200 MiB at least"}
	}
	for _, w := range m.want {
		if o.Odd[w.Path] {
			return &hinted{w.Path + " is there, and is no plain file", "remove it by hand, if it is not needed"}
		}
	}
	return nil
}

// holds are the files that have to wait until clients of other hosts run: a
// balancer's configuration with servers that are not there yet.
func (m *member) holds(ctx context.Context) (map[string]bool, error) {
	at := slices.IndexFunc(m.want, func(w wanted) bool { return w.Path == haproxy })
	if at < 0 {
		return nil, nil
	}
	live, ours := m.seen.Live[haproxy]
	if !ours || m.seen.Files[haproxy].Sum == m.want[at].Sum || m.seen.Files[haproxy].Sum != live.Sum {
		return nil, nil
	}
	before, there := m.seen.Texts[haproxy]
	if !there {
		o, err := m.observe(ctx, questions{texts: []string{haproxy}})
		if err != nil {
			return nil, err
		}
		before = o.Texts[haproxy]
	}
	text, err := os.ReadFile(m.want[at].Local)
	if err != nil {
		return nil, err
	}
	if sendsElsewhere(before, text) {
		return map[string]bool{haproxy: true}, nil
	}
	return nil, nil
}

// pendingPath is where a file waits for an app.
func pendingPath(app, path string) string { return stateDir + "/pending/" + app + path }

// resolve gets the values of the chosen hosts' secrets.
func (f *Fleet) resolve(ctx context.Context) error {
	if f.secrets == nil {
		return nil
	}
	chosen := map[string]bool{}
	for _, m := range f.members {
		chosen[m.Name] = true
	}
	files, warnings, err := f.secrets.Files(ctx, f.disk.Manifest.Secrets, chosen)
	if err != nil {
		return err
	}
	f.redact = f.secrets.Redactor()
	for _, w := range warnings {
		f.sink(Event{Time: time.Now(), Kind: Warning, Text: w.String()})
	}
	for _, m := range f.members {
		for _, s := range files {
			if s.Host == m.Name {
				m.secrets = append(m.secrets, s)
			}
		}
	}
	return nil
}

// files lists what the host should have. o is how it is, nil where that is not
// known yet: the content of some files depends on it.
func (m *member) files(o *observation) ([]wanted, error) {
	if o == nil {
		o = &observation{}
	}
	var list []wanted
	for _, file := range m.fleet.disk.Manifest.Files {
		if file.Host == "*" || file.Host == m.Name {
			list = append(list, wanted{Path: file.Path, Sum: file.Sum, Mode: file.Mode, Owner: file.Owner, Effects: file.Effect, Local: m.fleet.disk.Path(file)})
		}
	}
	for _, s := range m.secretFiles() {
		w := wanted{Path: s.Path, Mode: s.Mode, Owner: s.Owner, Effects: s.Effect, Format: s.Format, Sources: sourcesSum(s)}
		at := slices.IndexFunc(m.secrets, func(f secret.File) bool { return f.Path == s.Path })
		switch from := o.Sources[s.Path]; {
		case at >= 0:
			data, err := m.secrets[at].Bytes(o.Texts[s.Path])
			if err != nil {
				return nil, err
			}
			w.content, w.Sum = data, m.fleet.hide(sum(data))
		case m.fleet.sources:
			w.Sum = w.Sources
		case from != "" && from != w.Sources:
			w.Sum = "of other sources" // as no file is
		default:
			w.Sum = o.recorded(s.Path)
		}
		list = append(list, w)
	}
	return list, nil
}

// secretFiles are those that the tree has for the host.
func (m *member) secretFiles() []tree.Secret {
	var list []tree.Secret
	if m.fleet.disk != nil {
		for _, s := range m.fleet.disk.Manifest.Secrets {
			if s.Host == m.Name {
				list = append(list, s)
			}
		}
	}
	return list
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
