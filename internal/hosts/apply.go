package hosts

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/tree"
)

const (
	scriptDir = "/usr/local/lib/plonec"
	stateDir  = "/var/lib/plonec"
)

// setupTime bounds what a bare host needs to install packages; activateTime
// what it takes to bring files in and reload daemons.
const (
	setupTime    = 30 * time.Minute
	activateTime = 10 * time.Minute
)

// live are the changes that apply itself makes; the others wait.
func (m *member) live() []Change {
	return slices.DeleteFunc(slices.Clone(m.changes), func(c Change) bool { return c.Waits != "" })
}

// due tells whether apply has anything to do on a host: for its files, or a
// daemon that should run does not.
func (m *member) due() bool {
	down, _ := m.dead()
	return m.filesDue() || len(down) > 0
}

// filesDue tells whether a file changes, or what waits there is not what should
// wait.
func (m *member) filesDue() bool {
	if m.seen.Generation == "" || len(m.live()) > 0 {
		return true
	}
	return m.heldOld() || len(m.renamed()) > 0 || !maps.Equal(m.waits(), m.seen.Waits)
}

// renamed lists secret files that come from other sources than when they were
// applied, and do not change for that: apply notes the new ones.
func (m *member) renamed() []string {
	var paths []string
	for _, w := range m.want {
		changes := func(c Change) bool { return c.Path == w.Path }
		if w.Local == "" && w.Sources != m.seen.Sources[w.Path] && !slices.ContainsFunc(m.changes, changes) {
			paths = append(paths, w.Path)
		}
	}
	return paths
}

// waits are the files that are to wait for an app, by path.
func (m *member) waits() map[string]waitState {
	waits := map[string]waitState{}
	for _, c := range m.changes {
		if c.Waits != "" && c.Waits != Front {
			waits[c.Path] = waitState{c.Waits, ""}
		}
	}
	for _, w := range m.want {
		if wait, ok := waits[w.Path]; ok {
			waits[w.Path] = waitState{wait.App, w.Sum}
		}
	}
	return waits
}

// heldOld tells whether a file is held back that the host's generation, from
// which it is brought in later, may not have.
func (m *member) heldOld() bool {
	held := slices.ContainsFunc(m.changes, func(c Change) bool { return c.Waits == Front })
	return held && m.seen.Tree != m.fleet.disk.Sum
}

// drift lists what somebody changed by hand and apply would overwrite.
func (m *member) drift() []string {
	var paths []string
	for _, c := range m.changes {
		if c.Drift {
			paths = append(paths, c.Path)
		}
	}
	return paths
}

// Due lists the hosts on which apply has something to do.
func (f *Fleet) Due() []string {
	var names []string
	for _, m := range f.members {
		if m.due() {
			names = append(names, m.Name)
		}
	}
	return names
}

var (
	// ErrRefused says that hosts were not touched since something is not as
	// expected.
	ErrRefused = errors.New("no host was touched")
	// ErrNotDeployed says that no host was switched to another release.
	ErrNotDeployed = errors.New("nothing was deployed")
	// ErrSplit says that hosts are left on different releases.
	ErrSplit = errors.New("hosts are left on different releases")
)

// drifted is the error of drift; nil where there is none.
func (m *member) drifted() error {
	var changed, gone []string
	for _, c := range m.changes {
		switch {
		case c.Drift && c.Kind == Added:
			gone = append(gone, c.Path)
		case c.Drift:
			changed = append(changed, c.Path)
		}
	}
	var parts []string
	if len(changed) > 0 {
		parts = append(parts, "changed by hand: "+strings.Join(changed, ", "))
	}
	if len(gone) > 0 {
		parts = append(parts, "removed by hand: "+strings.Join(gone, ", "))
	}
	if len(parts) == 0 {
		return nil
	}
	return &hinted{strings.Join(parts, "; "), "take the change over into the stack, or give --force to undo it"}
}

// rewind is the error where the host has a commit that the tree's does not come
// after.
func (m *member) rewind() error {
	o := m.fleet.options
	if o.Descends == nil || m.seen.Commit == "" || m.seen.Commit == o.Commit {
		return nil
	}
	return o.Descends(m.seen.Commit)
}

// allowed refuses, before any host is touched, what nobody wants by accident:
// to overwrite what was changed by hand, to go back behind a tree that was
// applied, or what was not foretold.
func (f *Fleet) allowed() error {
	errs := f.unforeseen()
	for _, m := range f.members {
		if err := m.drifted(); err != nil && !f.options.Force {
			errs = append(errs, &HostError{m.Name, "drift", err})
		}
		if err := m.rewind(); err != nil {
			errs = append(errs, &HostError{m.Name, "rewind", err})
		}
	}
	for _, err := range errs {
		f.report(err)
	}
	if len(errs) > 0 {
		return fmt.Errorf("%w: %w", ErrRefused, errors.Join(errs...))
	}
	return nil
}

// report shows an error of a host that belongs to no step.
func (f *Fleet) report(err error) {
	var he *HostError
	if errors.As(err, &he) {
		e := Event{Time: time.Now(), Host: he.Host, Kind: Failed, Step: he.Step}
		e.Text, e.Hint = f.words(he.Err)
		f.sink(e)
	}
}

// Apply makes every host as the tree has it, but for what waits for a deploy.
// Look came before. All hosts are staged and checked before the first one is
// changed; a host on which the change does not take effect, or that cannot be
// reached any more when it is to be confirmed, goes back to what it was, and
// those after it are not touched.
func (f *Fleet) Apply(ctx context.Context) error {
	if err := f.allowed(); err != nil {
		return err
	}
	var work []*member
	for _, m := range f.members {
		if m.due() {
			work = append(work, m)
		} else {
			m.outcome = Done
			f.sink(Event{Time: time.Now(), Host: m.Name, Kind: Result, Text: "nothing to apply" + m.waiting()})
		}
	}
	if len(work) == 0 {
		return nil
	}
	session := newID()
	if err := f.lockAll(ctx, work, session); err != nil {
		return err
	}
	err := each(work, f.options.Parallel, func(m *member) error {
		m.applied = true
		return m.stage(ctx, session)
	})
	if err != nil {
		f.unchanged(work, "not touched")
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	// From here on a host that is at work is not left in the middle.
	steady := context.WithoutCancel(ctx)
	for _, rank := range topology.Ranks {
		var now []*member
		for _, m := range work {
			if m.Rank == rank {
				now = append(now, m)
			}
		}
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			f.unchanged(now, "not touched")
			continue
		}
		err = each(now, f.options.Parallel, func(m *member) error { return m.activate(steady, session, false) })
	}
	for _, m := range work {
		m.lock.release()
		m.lock = nil
	}
	return err
}

// unchanged tells of hosts that are as they were.
func (f *Fleet) unchanged(members []*member, text string) {
	for _, m := range members {
		f.sink(Event{Time: time.Now(), Host: m.Name, Kind: Result, Text: text})
	}
}

// lockAll takes the locks of hosts: first that of the first one by name, so
// that of two pushers one gets all of them, then the others at once. A session
// makes room for its files.
func (f *Fleet) lockAll(ctx context.Context, members []*member, session string) error {
	take := func(m *member) error {
		return m.step(ctx, "lock", func(ctx context.Context) error {
			var err error
			m.lock, err = m.conn.hold(ctx, f.scripts["hold"], f.options.Who, session)
			return err
		})
	}
	same := func(m *member) error {
		before := m.seen.digest()
		err := m.look(ctx)
		if err == nil && m.seen.digest() != before {
			err = &hinted{"the host has changed since it was looked at", "run plonec plan again"}
		}
		if err == nil {
			return nil
		}
		err = &HostError{m.Name, "lock", err}
		f.report(err)
		return &told{err}
	}
	err := take(members[0])
	if err == nil {
		err = each(members[1:], len(members), take)
	}
	if err == nil {
		err = each(members, len(members), same)
	}
	if err != nil {
		for _, m := range members {
			m.lock.release()
			m.lock = nil
		}
	}
	return err
}

// stage brings the files to the host, where nothing reads them yet, and lets
// the programs that will read them judge.
func (m *member) stage(ctx context.Context, session string) error {
	f := m.fleet
	err := m.step(ctx, "stage", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, stageTimeout)
		defer cancel()
		var from []string
		for _, root := range []string{f.disk.Root("*"), f.disk.Root(m.Name)} {
			if _, err := os.Stat(root); err == nil {
				from = append(from, root)
			}
		}
		link := ""
		if m.seen.Generation != "" {
			link = stateDir + "/gen/" + m.seen.Generation + "/root"
		}
		if err := m.conn.rsync(ctx, from, stateDir+"/stage/"+session+"/root", link); err != nil {
			return err
		}
		return m.conn.run(ctx, command{script: f.scripts["receive"], argv: []string{session}, stdin: bytes.NewReader(m.manifest())})
	})
	if err != nil {
		return err
	}
	// What a bare host needs takes minutes. Where nothing is due it is not asked.
	changed := "nothing was changed there"
	if m.setupDue() {
		changed += " but for what setup installed"
		if err := m.staged(ctx, "setup", session, &hinted{"setup failed there", "its words stand above; mend it, and do it again: " + changed}); err != nil {
			return err
		}
	}
	return m.staged(ctx, "check", session, &hinted{"the host refuses what was staged", "its words stand above; " + changed})
}

// staged runs a verb of the transaction that was staged; failed is the error
// where the verb ends in one.
func (m *member) staged(ctx context.Context, verb, session string, failed error) error {
	return m.step(ctx, verb, func(ctx context.Context) error {
		script := stateDir + "/stage/" + session + "/root" + scriptDir + "/transaction"
		status, err := m.job(ctx, setupTime, []string{"/bin/bash", script, verb, session}, true, nil, m.output(verb), func(string) {})
		if err == nil && status != 0 {
			err = failed
		}
		return err
	})
}

// manifest is the list of a host's files as its scripts read it, with the
// content of the secret ones.
func (m *member) manifest() []byte {
	var b bytes.Buffer
	for _, w := range m.want {
		effects := strings.Join(w.Effects, ",")
		if effects == "" {
			effects = "-"
		}
		kind, is, more := "file", w.Sum, ""
		if w.Local == "" {
			kind, is = "secret", sum(w.content)
			more = "\t" + strings.Join([]string{w.Format, w.Sources, base64.StdEncoding.EncodeToString(w.content)}, "\t")
		}
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\t%s\t%s%s\n", kind, is, w.Mode, w.Owner, effects, w.Path, more)
	}
	return b.Bytes()
}

// activate brings the staged files in, or with held what was held back of those
// that are there, and confirms that the host can still be worked with.
func (m *member) activate(ctx context.Context, session string, held bool) error {
	f := m.fleet
	generation := ""
	err := m.step(ctx, "activate", func(ctx context.Context) error {
		script := stateDir + "/stage/" + session + "/root" + scriptDir + "/transaction"
		argv := []string{"/bin/bash", script, "activate", "--seconds", strconv.Itoa(int(f.options.Confirm.Seconds()))}
		if held {
			argv[1] = stateDir + "/gen/" + m.seen.Generation + "/root" + scriptDir + "/transaction"
			argv = append(argv, "--held")
		} else {
			for _, note := range []string{"tree=" + f.disk.Sum, "commit=" + f.options.Commit, "by=" + f.options.Who} {
				argv = append(argv, "--note", note)
			}
			for _, c := range m.changes {
				if c.Waits == Front {
					argv = append(argv, "--hold", c.Path)
				}
			}
		}
		if f.options.Force {
			argv = append(argv, "--force")
		}
		if !held {
			argv = append(argv, session)
		}
		status, err := m.job(ctx, activateTime, argv, false, nil, m.output("activate"), func(word string) {
			if n, ok := strings.CutPrefix(word, "generation "); ok {
				generation = n
			}
		})
		switch {
		case err != nil:
			return err
		case status == 4:
			m.outcome = Reverted
			return &hinted{"the change did not take effect, and was taken back", "the host is as it was; what failed stands above"}
		case status == 6:
			m.outcome = Unknown
			return &hinted{"the change did not take effect, and to take it back failed too", "the host tries again every few seconds; see: host status, journalctl -u plonec-guard"}
		case status != 0:
			return &hinted{"the host did not begin with it", "it is as it was; what failed stands above"}
		}
		return nil
	})
	if err == nil {
		err = m.step(ctx, "confirm", func(ctx context.Context) error { return m.confirm(ctx, generation, held) })
	}
	if errors.Is(err, errUnknown) {
		m.outcome = Unknown
	}
	switch {
	case err == nil:
		m.outcome = Done
		text := "generation " + generation
		if held {
			text += ", with what waited for the clients"
		} else {
			text += m.waiting()
		}
		m.note(Result, text, "")
	case m.outcome == Reverted:
		m.note(Result, "taken back: as it was before", "")
	case m.outcome == Unknown:
		m.note(Result, "its state is not known", "ask it again: plonec status --host "+m.Name)
	default:
		m.note(Result, "not changed", "")
	}
	return err
}

// waiting says what waits on a host, in a few words.
func (m *member) waiting() string {
	apps := map[string]int{}
	for _, c := range m.changes {
		if c.Waits != "" {
			apps[c.Waits]++
		}
	}
	var parts []string
	for app, n := range apps {
		what := "deploy " + app
		if app == Front {
			what = "the clients' deploy"
		}
		parts = append(parts, plural(n, "file")+" for "+what)
	}
	slices.Sort(parts)
	if len(parts) == 0 {
		return ""
	}
	return "; waiting: " + strings.Join(parts, ", ")
}

// confirm tells the host, over a login of its own, that all is well. Where that
// cannot be said in time the host takes the change back by itself, and this
// waits until it has.
func (m *member) confirm(ctx context.Context, generation string, held bool) error {
	script := `[[ -e $1 ]] || { echo "the host has taken it back already" >&2; exit 4; }; exec /bin/bash "$@"`
	argv := []string{stateDir + "/gen/" + generation + "/root" + scriptDir + "/transaction", "confirm", generation, m.seen.Boot}
	until := time.Now().Add(m.fleet.options.Confirm - 5*time.Second)
	var last error
	for {
		try, cancel := context.WithTimeout(ctx, 20*time.Second)
		last = m.conn.runFresh(try, command{script: script, argv: argv, line: m.output("confirm")})
		cancel()
		if last == nil {
			return nil
		}
		var exit *exitError
		if errors.As(last, &exit) || time.Now().After(until) {
			break
		}
		time.Sleep(time.Second)
	}
	m.note(Note, "not confirmed ("+last.Error()+"): waiting until the host has taken the change back", "")
	end := time.Now().Add(m.fleet.options.Confirm + reconnectTime)
	for time.Now().Before(end) {
		if o, err := m.ask(ctx); err == nil && o.Unconfirmed == "" {
			if o.Generation == generation && (!held || m.broughtIn(o)) {
				return nil // the answer was lost, not the question
			}
			m.outcome = Reverted
			return &hinted{"it was not confirmed in time, and is taken back: " + last.Error(), "see what of the change, or of the network, keeps people out"}
		}
		time.Sleep(2 * time.Second)
	}
	return fmt.Errorf("%w: %w", errUnknown, last)
}

// broughtIn tells whether what was held back is in its place.
func (m *member) broughtIn(o *observation) bool {
	for _, c := range m.changes {
		for _, w := range m.want {
			if c.Waits == Front && w.Path == c.Path && o.Live[c.Path].Sum != w.Sum {
				return false
			}
		}
	}
	return true
}

// ask observes the host over a new login, which stays in the place of the old one.
func (m *member) ask(ctx context.Context) (*observation, error) {
	old := m.conn
	m.conn = nil
	o, err := m.observe(ctx, questions{sums: []string{haproxy}}) // see broughtIn
	if m.conn == nil {
		m.conn = old
	} else {
		old.close()
	}
	return o, err
}

// Settled are the hosts that have what was asked for.
func (f *Fleet) Settled() []tree.Host {
	var list []tree.Host
	for _, m := range f.members {
		if m.outcome == Done {
			list = append(list, m.Host)
		}
	}
	return list
}

// Outcomes counts what became of the hosts.
func (f *Fleet) Outcomes() map[Outcome]int {
	count := map[Outcome]int{}
	for _, m := range f.members {
		count[m.outcome]++
	}
	return count
}
