package hosts

import (
	"context"
	"slices"
	"strings"
	"time"
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
	argv := []string{scriptDir + "/host", "rollback"}
	if allowOutage {
		argv = append(argv, "--allow-outage")
		if err := f.stopForOutage(ctx, app, members); err != nil {
			return err
		}
	}
	return f.oneByOne(ctx, members, app, "rollback", func(m *member) []string { return append(slices.Clone(argv), "--to", release[m], app) }, nothing)
}

// unfit is what to do where a release is of a stack with fewer processes.
const unfit = "those of a stack with fewer clients do not fit; take the stack back: git revert, plonec build, plonec deploy"

// backTo says to which release each host goes back, and how each is: all to the
// one that is named; else each to the last good one that it ran before the newest,
// where these are of one commit, since a change of some hosts makes a release on
// these alone; else to the last good one that all of them keep.
func (f *Fleet) backTo(ctx context.Context, app, to string, members []*member) ([]string, []AppStatus, error) {
	states := make([]AppStatus, len(members))
	err := each(members, len(members), func(m *member) error {
		state, err := m.status(ctx)
		if err != nil {
			return &HostError{m.Name, "status", err}
		}
		states[slices.Index(members, m)] = appStatus(app, state)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if to == "" {
		targets := lastGood(states)
		if targets == nil {
			hint := "plonec status shows what is kept; --to RELEASE takes one of them"
			if slices.ContainsFunc(states, func(a AppStatus) bool { return len(a.Unfit) > 0 }) {
				hint = unfit
			}
			return nil, nil, &hinted{"no earlier good release of " + app + " is kept on all of " + hostNames(members), hint}
		}
		return targets, states, nil
	}
	for i, m := range members {
		a := states[i]
		switch {
		case !slices.Contains(a.Kept, to):
			return nil, nil, &HostError{m.Name, "rollback", &hinted{"it has no release " + to + " of " + app, "kept are " + strings.Join(a.Kept, " ")}}
		case slices.Contains(a.Unfit, to):
			return nil, nil, &HostError{m.Name, "rollback", &hinted{"release " + to + " of " + app + " lacks a client or another process that runs there now", unfit}}
		}
	}
	return slices.Repeat([]string{to}, len(members)), states, nil
}

// lastGood is where hosts go back to, from the newest release that is current
// somewhere; nil: nowhere.
func lastGood(states []AppStatus) []string {
	last := newest(states)
	everywhere := func(r string) bool {
		return !slices.ContainsFunc(states, func(s AppStatus) bool { return !slices.Contains(s.Kept, r) || !s.fits(r) })
	}
	own, common, alike := make([]string, len(states)), "", true
	for i, s := range states {
		for _, r := range s.before(last) {
			own[i] = r
			if i == 0 && everywhere(r) {
				common = r
			}
		}
		// Scripts of before may not tell of which commit a release is.
		commit := s.Commits[own[i]]
		alike = alike && own[i] != "" && (commit != "" || own[i] == own[0]) && commit == states[0].Commits[own[0]]
	}
	switch {
	case alike:
		return own
	case common == "":
		return nil
	}
	return slices.Repeat([]string{common}, len(states))
}

// newest is of the releases that are current somewhere the one that no host has
// left for another of them; of two that no host ran both of, the later name.
func newest(states []AppStatus) string {
	var current []string
	for _, s := range states {
		if slices.Contains(s.Kept, s.Release) && !slices.Contains(current, s.Release) {
			current = append(current, s.Release)
		}
	}
	slices.Sort(current)
	for _, r := range slices.Backward(current) {
		left := slices.ContainsFunc(states, func(s AppStatus) bool {
			ran := s.way()
			at := slices.Index(ran, r)
			return at >= 0 && slices.ContainsFunc(ran[at+1:], func(later string) bool { return slices.Contains(current, later) })
		})
		if !left {
			return r
		}
	}
	return ""
}

// way lists the releases that led to the host's current one, itself last. Scripts
// of before do not tell: there the names do, as far as they can.
func (a *AppStatus) way() []string {
	if len(a.ran) > 0 {
		return a.ran
	}
	var way []string
	for _, r := range slices.Sorted(slices.Values(a.Kept)) {
		if r <= a.Release {
			way = append(way, r)
		}
	}
	return way
}

// before lists the releases of a host's way that a rollback from a release may
// go to, the last one last. One that the host did not run is yet to come there.
func (a *AppStatus) before(release string) []string {
	way := a.way()
	if at := slices.Index(way, release); at >= 0 {
		way = way[:at]
	}
	return slices.DeleteFunc(slices.Clone(way), func(r string) bool { return !slices.Contains(a.Kept, r) || !a.fits(r) })
}

// fits tells whether a release that the host keeps ran well there, and can now.
func (a *AppStatus) fits(release string) bool {
	return !slices.Contains(slices.Concat(a.Bad, a.built, a.Unfit), release)
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
	at := max(slices.IndexFunc(states, func(a AppStatus) bool { return a.Release == newest(states) }), 0)
	from = Target{states[at].Release, states[at].Commit}
	target = Target{targets[at], states[at].Commits[targets[at]]}
	for _, m := range members {
		names = append(names, m.Name)
	}
	return from, target, names, nil
}
