package hosts

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/tree"
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

// Deploy runs the ladder: for each app one commit and one name for all hosts, a
// release built on each of them where one is due, and only when all apps are
// built one host after the other switched to it. Apply came before.
func (f *Fleet) Deploy(ctx context.Context, apps []string, o DeployOptions) error {
	return f.rollServed(context.WithoutCancel(ctx), f.handBack(ctx, f.deploy(ctx, apps, o)))
}

func (f *Fleet) deploy(ctx context.Context, apps []string, o DeployOptions) error {
	apps, err := f.named(apps)
	if err != nil {
		return err
	}
	if f.frontends == nil {
		if err := f.BuildFrontends(ctx, apps, o); err != nil {
			return err
		}
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
	for _, app := range apps {
		if err := f.handOver(ctx, app); err != nil {
			f.report(err)
			return fmt.Errorf("%w: %w", ErrNotDeployed, err)
		}
	}
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
	// these before another one goes, so that clients can move to other hosts. Hosts of
	// its frontend alone come last in any case, since the frontend asks the clients.
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
	asked := o.Commit
	if here := f.frontends[app]; here != nil {
		asked = here.Commit
	}
	err := members[0].step(ctx, "resolve", func(ctx context.Context) (err error) {
		commit, found, err = oneCommit(ctx, members, app, asked)
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
	argv := append([]string{plan.ScriptDir + "/host", "deploy", "--release", release, "--commit", commit}, o.flags()...)
	argv = append(argv, f.overwrite()...)
	if slices.ContainsFunc(members[0].Host.Host.Apps, func(a tree.App) bool { return a.Name == app && a.MadeBy().Sources }) {
		sources, err := oneOfSources(ctx, members, found, app, commit, release)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotDeployed, err)
		}
		argv = append(argv, sources...)
	}

	brought, err := f.bringFrontend(ctx, app, members, found, release)
	if err == nil {
		argv = append(argv, brought...)
		err = each(members, f.options.Parallel, func(m *member) error {
			return m.step(ctx, "build", func(ctx context.Context) error {
				return m.verb(ctx, "build", buildTime, append(slices.Clone(argv), "--no-restart", app), true)
			})
		})
	}
	if err != nil {
		f.asBefore(ctx, members, app)
		return nil, fmt.Errorf("%w: %w", ErrNotDeployed, err)
	}
	if err := f.sameFrontend(ctx, app, members, found, release); err != nil {
		f.asBefore(ctx, members, app)
		return nil, err
	}
	b := &built{argv: append(argv, app)}
	for i, m := range members {
		if found[i].current == "" && m.halves(app) != frontendHalf {
			b.members = append(b.members, m)
		}
	}
	b.fresh = len(b.members)
	for _, m := range members {
		if !slices.Contains(b.members, m) {
			b.members = append(b.members, m)
		}
	}
	return b, nil
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

// stopForOutage stops an app everywhere before its database moves: no two
// databases take writes. What uses the database goes first.
func (f *Fleet) stopForOutage(ctx context.Context, app string, members []*member) error {
	moves := false
	for _, m := range members {
		state, err := m.status(ctx)
		if err != nil {
			return err
		}
		moves = moves || state[app+".storage-moves"] != "" || state[app+".storage-switch"] != ""
	}
	if !moves {
		return nil
	}
	f.sink(Event{Time: time.Now(), Kind: Note, Text: "the database of " + app + " moves: stopping it on all hosts"})
	return each(members, len(members), func(m *member) error {
		return m.step(ctx, "stop", func(ctx context.Context) error {
			return m.verb(context.WithoutCancel(ctx), "stop", rollTime, []string{plan.ScriptDir + "/host", "stop", app}, false)
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
		return !slices.ContainsFunc(m.Changes, func(c plan.Change) bool { return c.Waits == plan.Front })
	})
}
