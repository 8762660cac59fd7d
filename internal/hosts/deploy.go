package hosts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/topology"
)

// Limits of what a host does on its own.
const (
	buildTime = 2 * time.Hour
	rollTime  = 2 * time.Hour // a host with many clients and a long restart_delay
)

// DeployOptions say what a deploy may do.
type DeployOptions struct {
	Commit      string // in full, in place of the one that the app's revision leads to
	Always      bool   // a new release even where nothing changed
	NewDatabase bool   // make a Data.fs where there is none
	AllowOutage bool   // stop all, switch, start, where the database moves
}

func (o DeployOptions) flags() []string {
	var flags []string
	for _, f := range []struct {
		set  bool
		flag string
	}{{o.Always, "--force"}, {o.NewDatabase, "--new-database"}, {o.AllowOutage, "--allow-outage"}} {
		if f.set {
			flags = append(flags, f.flag)
		}
	}
	return flags
}

// overwrite is what a host is told where files that were changed by hand may be
// overwritten by those that wait.
func (f *Fleet) overwrite() []string {
	if f.options.Force {
		return []string{"--overwrite"}
	}
	return nil
}

// apps lists the apps of a host.
func (m *member) apps() []string { return appsOf(m.want) }

// clients lists the clients of a host as balancers call them.
func (m *member) clients() []string {
	var names []string
	for _, w := range m.want {
		if name, ok := strings.CutPrefix(w.Path, "/etc/systemd/system/"); ok {
			if server := m.server(name); server != "" {
				names = append(names, server)
			}
		}
	}
	return names
}

// server is what balancers call the client of a unit; empty for other units.
func (m *member) server(unit string) string {
	app := unitApp(unit, m.apps())
	name := strings.TrimSuffix(strings.TrimPrefix(unit, "plone-"+app+"-"), ".service")
	if app == "" || !strings.HasPrefix(name, "client") {
		return ""
	}
	return m.Name + "-" + name
}

// isFront tells whether a balancer runs on the host.
func (m *member) isFront() bool {
	return slices.ContainsFunc(m.want, func(w wanted) bool { return w.Path == haproxy })
}

// Apps gives every app of the chosen hosts, in the order in which they are
// deployed: databases first.
func (f *Fleet) Apps() []string {
	first := map[string]topology.Rank{}
	for _, m := range f.chosen() {
		for _, app := range m.apps() {
			if r, ok := first[app]; !ok || m.Rank < r {
				first[app] = m.Rank
			}
		}
	}
	var apps []string
	for app := range first {
		apps = append(apps, app)
	}
	sort.Slice(apps, func(i, j int) bool {
		if first[apps[i]] != first[apps[j]] {
			return first[apps[i]] < first[apps[j]]
		}
		return apps[i] < apps[j]
	})
	return apps
}

// named makes sure that every app is one of the chosen hosts', and puts them in
// order; all of them where none is named.
func (f *Fleet) named(apps []string) ([]string, error) {
	all := f.Apps()
	if err := among(all, apps); err != nil {
		return nil, err
	}
	if len(apps) == 0 {
		return all, nil
	}
	return slices.DeleteFunc(all, func(app string) bool { return !slices.Contains(apps, app) }), nil
}

// with lists the chosen hosts that have an app, what others need first.
func (f *Fleet) with(app string) []*member {
	list := slices.DeleteFunc(f.chosen(), func(m *member) bool { return !slices.Contains(m.apps(), app) })
	sort.SliceStable(list, func(i, j int) bool { return list[i].Rank < list[j].Rank })
	return list
}

// Deploy runs the ladder: for each app one commit and one name for all hosts, a
// release built on each of them where one is due, and only when all apps are
// built one host after the other switched to it. Apply came before.
func (f *Fleet) Deploy(ctx context.Context, apps []string, o DeployOptions) error {
	apps, err := f.named(apps)
	if err != nil {
		return err
	}
	if err := f.again(ctx); err != nil {
		return err
	}
	if err := f.lockAll(ctx, f.members, ""); err != nil {
		return err
	}
	release := time.Now().UTC().Format("20060102150405")
	ready := make([]*built, len(apps))
	for i, app := range apps {
		if ready[i], err = f.build(ctx, app, release, o); err != nil {
			return err
		}
	}
	// What is done is brought to its end, whoever interrupts the rest.
	steady := context.WithoutCancel(ctx)
	if o.AllowOutage {
		// What uses a database goes before it does.
		for _, app := range slices.Backward(apps) {
			if err := f.stopForOutage(ctx, app, f.with(app)); err != nil {
				return err
			}
		}
	}
	for i, app := range apps {
		b := ready[i]
		after := func(done int) error {
			if done == b.fresh && done < len(b.members) {
				return f.letGo(steady)
			}
			return nil
		}
		if err := f.oneByOne(ctx, b.members, app, "switch", func(*member) []string { return slices.Clone(b.argv) }, after); err != nil {
			return err
		}
		f.comparePackages(steady, b.members, app)
	}
	return f.letGo(steady)
}

// A built is an app that is ready to be switched on all of its hosts.
type built struct {
	argv    []string  // of the command that switches
	members []*member // in the order in which it goes
	// fresh of them, the first ones, have never run it: the balancers get to know
	// these before another one goes, so that clients can move to other hosts.
	fresh int
}

// again looks once more at the hosts that apply has changed.
func (f *Fleet) again(ctx context.Context) error {
	changed := slices.DeleteFunc(slices.Clone(f.members), func(m *member) bool { return !m.applied })
	return each(changed, len(changed), func(m *member) error { return m.look(ctx) })
}

// build makes a release of an app on all of its hosts where one is due.
func (f *Fleet) build(ctx context.Context, app, release string, o DeployOptions) (*built, error) {
	members := f.with(app)
	var commit string
	var found []resolved
	err := members[0].step(ctx, "resolve", func(ctx context.Context) (err error) {
		commit, found, err = oneCommit(ctx, members, app, o.Commit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotDeployed, err)
	}
	for i, m := range members {
		if bad := found[i].bad; len(bad) > 0 {
			m.note(Warning, fmt.Sprintf("commit %.12s of %s was here as release %s, which was rolled back or did not come up", commit, app, strings.Join(bad, ", ")), "")
		}
	}
	if release, err = freshRelease(found, release); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotDeployed, err)
	}
	if !o.Always {
		release = commonRelease(found, release)
	}
	f.sink(Event{Time: time.Now(), Kind: Note, Text: fmt.Sprintf("%s: commit %.12s, as release %s where one is due", app, commit, release)})
	argv := append([]string{scriptDir + "/host", "deploy", "--release", release, "--commit", commit}, o.flags()...)
	argv = append(argv, f.overwrite()...)

	err = each(members, f.options.Parallel, func(m *member) error {
		return m.step(ctx, "build", func(ctx context.Context) error {
			return m.verb(ctx, "build", buildTime, append(slices.Clone(argv), "--no-restart", app), true)
		})
	})
	if err != nil {
		f.asBefore(ctx, members, app)
		return nil, fmt.Errorf("%w: %w", ErrNotDeployed, err)
	}
	b := &built{argv: append(argv, app)}
	for _, never := range []bool{true, false} {
		for i, m := range members {
			if (found[i].current == "") == never {
				b.members = append(b.members, m)
			}
		}
		if never {
			b.fresh = len(b.members)
		}
	}
	return b, nil
}

// verb runs a verb of the host's scripts as a job.
func (m *member) verb(ctx context.Context, step string, limit time.Duration, argv []string, stop bool) error {
	clients, done := m.clients(), 0
	last := ""
	m.did, m.restarts = "", 0
	answers := &answers{}
	line := func(line string) {
		last = m.fleet.redact.Redact(line)
		m.output(step)(line)
	}
	status, err := m.job(ctx, limit, argv, stop, answers, line, func(word string) {
		what, text, _ := strings.Cut(word, " ")
		switch what {
		case "gate":
			number, question, _ := strings.Cut(text, " ")
			when, unit, _ := strings.Cut(question, " ")
			if when == "after" {
				done++
			}
			m.fleet.sink(Event{Time: time.Now(), Host: m.Name, Kind: Progress, Step: step, Text: unit, Done: done, Total: len(clients)})
			go func() { answers.give(number + " " + m.fleet.gate(when, m.server(unit))) }()
		case "restarting":
			m.restarts++
		case "did":
			m.did = m.fleet.redact.Redact(text)
		}
	})
	switch {
	case err != nil:
		if errors.Is(err, errUnknown) {
			m.outcome = Unknown
		}
		return err
	case status == 4:
		m.outcome = Reverted
		return &hinted{"it was taken back there: the host runs what it ran before", "what failed stands above; on the host: journalctl -u UNIT"}
	case status == 6:
		m.outcome = Unknown
		return &hinted{"it failed there, and so did the way back", "on the host: host status"}
	case status == 3:
		return &lockedError{m.Name, "another verb runs on the host"}
	case status != 0:
		// The remedy is in the last lines of its output, which are shown.
		return &hinted{cmp.Or(m.did, strings.TrimSpace(last), "it failed there"), ""}
	}
	return nil
}

// oneByOne runs a verb on one host after the other, and stops at the first
// where it fails: what had worked goes on serving. After is called behind each.
func (f *Fleet) oneByOne(ctx context.Context, members []*member, app, step string, argv func(*member) []string, after func(done int) error) error {
	for i, m := range members {
		done, rest := i, members[i:]
		err := context.Cause(ctx)
		if err == nil {
			rest = members[i+1:] // this one says itself how it is
			err = m.step(ctx, step, func(ctx context.Context) error {
				return m.verb(context.WithoutCancel(ctx), step, rollTime, argv(m), false)
			})
			if err == nil {
				m.outcome = Done
				m.note(Result, m.ran(app), "")
				done++
				if err = after(done); err == nil {
					continue
				}
			}
		}
		f.asBefore(ctx, rest, app)
		if done > 0 {
			err = fmt.Errorf("%w: %s of %s is done on %s and not on %s; mend it and do it again, or plonec rollback %s: %w", ErrSplit, step, app,
				hostNames(members[:done]), hostNames(members[done:]), app, err)
		}
		return err
	}
	return nil
}

// asBefore says of hosts that were not changed how an app is there.
func (f *Fleet) asBefore(ctx context.Context, members []*member, app string) {
	each(members, len(members), func(m *member) error {
		state, err := m.status(context.WithoutCancel(ctx))
		units := 0
		for key, value := range state {
			if strings.HasPrefix(key, app+".unit.") && strings.HasSuffix(key, ".state") && value == "active" {
				units++
			}
		}
		switch release := state[app+".release"]; {
		case err != nil || release == "":
			m.note(Result, app+" is as it was", "")
		case units > 0:
			m.note(Result, app+" runs on as it did", "")
		case release == "none":
			m.note(Result, app+" does not run: it has no release yet", "")
		default:
			m.note(Result, app+" does not run, as before", "")
		}
		return nil
	})
}

// ran says in a few words what the last verb came to.
func (m *member) ran(app string) string {
	text := cmp.Or(m.did, app+" runs")
	switch m.restarts {
	case 0:
		return text + "; nothing had to restart"
	case 1:
		return text + "; 1 process restarted"
	}
	return fmt.Sprintf("%s; %d processes restarted", text, m.restarts)
}

// nothing is what there is to do between two hosts that restart.
func nothing(int) error { return nil }

func hostNames(members []*member) string {
	var names []string
	for _, m := range members {
		names = append(names, m.Name)
	}
	return strings.Join(names, ", ")
}

// stopForOutage stops an app everywhere before its database moves: no two
// databases take writes. What uses the database goes first.
func (f *Fleet) stopForOutage(ctx context.Context, app string, members []*member) error {
	moves := false
	for _, m := range members {
		state, err := m.status(ctx)
		if err != nil {
			return err
		}
		moves = moves || state[app+".storage-moves"] != ""
	}
	if !moves {
		return nil
	}
	f.sink(Event{Time: time.Now(), Kind: Note, Text: "the database of " + app + " moves: stopping it on all hosts"})
	return each(members, len(members), func(m *member) error {
		return m.step(ctx, "stop", func(ctx context.Context) error {
			return m.verb(context.WithoutCancel(ctx), "stop", rollTime, []string{scriptDir + "/host", "stop", app}, false)
		})
	})
}

// letGo brings in what was held back for the clients, now that they run.
func (f *Fleet) letGo(ctx context.Context) error {
	waits := f.held(f.members)
	if err := each(waits, len(waits), func(m *member) error { return m.look(ctx) }); err != nil {
		return err
	}
	return each(f.held(waits), f.options.Parallel, func(m *member) error { return m.activate(context.WithoutCancel(ctx), "", true) })
}

// held are those of the hosts where something is held back.
func (f *Fleet) held(members []*member) []*member {
	return slices.DeleteFunc(slices.Clone(members), func(m *member) bool {
		return !slices.ContainsFunc(m.changes, func(c Change) bool { return c.Waits == Front })
	})
}
