package hosts

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/plan"
)

// Rollback takes an app back to an earlier release on all of its hosts: to the
// one that is named, or to where each was before the newest release; see backTo.
func (f *Fleet) Rollback(ctx context.Context, app, to string, allowOutage bool) error {
	if _, err := f.named([]string{app}); err != nil {
		return err
	}
	if err := f.prepare(ctx); err != nil {
		return err
	}
	members := f.with(app)
	slices.Reverse(members) // the other way round than a deploy
	targets, _, err := f.backTo(ctx, app, to, members)
	if err != nil {
		return err
	}
	release := map[*member]string{}
	for i, m := range members {
		release[m] = targets[i]
		f.sink(Event{Time: time.Now(), Host: m.Name, Kind: Note, Text: app + ": back to release " + targets[i]})
	}
	argv := []string{plan.ScriptDir + "/host", "rollback"}
	if allowOutage {
		argv = append(argv, "--allow-outage")
		if err := f.stopForOutage(ctx, app, members); err != nil {
			return err
		}
	}
	err = f.oneByOne(ctx, members, app, "rollback", func(m *member) []string { return append(slices.Clone(argv), "--to", release[m], app) }, nothing)
	return f.rollServed(ctx, err)
}

// backTo says to which release each host goes back, and how each is: all to the
// one that is named; else each to the last good one that it ran before the newest,
// where these are of one commit, since a change of some hosts makes a release on
// these alone; else to the last good one that all of them keep.
func (f *Fleet) backTo(ctx context.Context, app, to string, members []*member) ([]string, []plan.AppStatus, error) {
	states := make([]plan.AppStatus, len(members))
	err := each(members, len(members), func(m *member) error {
		state, err := m.status(ctx)
		if err != nil {
			return &HostError{m.Name, "status", err}
		}
		states[slices.Index(members, m)] = plan.AppStatusOf(app, state)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if to == "" {
		targets := plan.LastGood(states)
		if targets == nil {
			hint := "plonec status shows what is kept; --to RELEASE takes one of them"
			if slices.ContainsFunc(states, func(a plan.AppStatus) bool { return len(a.Unfit) > 0 }) {
				hint = plan.Unfitting
			}
			return nil, nil, diag.WithRemedy("no earlier good release of "+app+" is kept on all of "+hostNames(members), hint)
		}
		return targets, states, nil
	}
	for i, m := range members {
		a := states[i]
		switch {
		case !slices.Contains(a.Kept, to):
			return nil, nil, &HostError{m.Name, "rollback", diag.WithRemedy("it has no release "+to+" of "+app, "kept are "+strings.Join(a.Kept, " "))}
		case slices.Contains(a.Unfit, to):
			return nil, nil, &HostError{m.Name, "rollback", diag.WithRemedy("release "+to+" of "+app+" lacks a client or another process that runs there now", plan.Unfitting)}
		}
	}
	return slices.Repeat([]string{to}, len(members)), states, nil
}

// A Target is a release that a rollback goes to, or comes from.
type Target struct{ Release, Commit string }

// RollbackTarget says from which release Rollback would take an app to which,
// the newest where they differ, and on which hosts. The error is the one that
// Rollback would give.
func (f *Fleet) RollbackTarget(ctx context.Context, app, to string) (from, target Target, names []string, err error) {
	if _, err := f.named([]string{app}); err != nil {
		return from, target, nil, err
	}
	members := f.with(app)
	targets, states, err := f.backTo(ctx, app, to, members)
	if err != nil {
		return from, target, nil, err
	}
	at := max(slices.IndexFunc(states, func(a plan.AppStatus) bool { return a.Release == plan.Newest(states) }), 0)
	from = Target{states[at].Release, states[at].Commit}
	target = Target{targets[at], states[at].Commits[targets[at]]}
	for _, m := range members {
		names = append(names, m.Name)
	}
	return from, target, names, nil
}
