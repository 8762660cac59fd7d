package hosts

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// prepare locks the hosts of a verb, those that balance its clients too.
func (f *Fleet) prepare(ctx context.Context) error {
	for _, m := range f.chosen() {
		if m.seen.Generation == "" {
			return &HostError{m.Name, "look", &hinted{"nothing was applied there yet", "plonec apply"}}
		}
	}
	return f.lockAll(ctx, f.members, "")
}

// Restart restarts the clients of apps one after the other, on one host after
// the other; with changed only what does not run what it should. What waits for
// a restart comes in with it.
func (f *Fleet) Restart(ctx context.Context, apps []string, changed bool) error {
	apps, err := f.named(apps)
	if err == nil {
		err = f.prepare(ctx)
	}
	if err != nil {
		return err
	}
	for _, app := range apps {
		argv := append([]string{scriptDir + "/host", "restart"}, f.overwrite()...)
		if !changed {
			argv = append(argv, "--all")
		}
		if err := f.oneByOne(ctx, f.with(app), app, "restart", func(*member) []string { return append(slices.Clone(argv), app) }, nothing); err != nil {
			return err
		}
	}
	return f.letGo(ctx)
}

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
// one that is named; else each to its last good one from before the newest, where
// these are of one commit, since a change of some hosts makes a release on these
// alone; else to the last good one that all of them keep.
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
	newest := ""
	for _, s := range states {
		newest = max(newest, s.Release)
	}
	own, common, alike := make([]string, len(states)), "", true
	for i, s := range states {
		for _, r := range s.Kept {
			if r < newest && s.fits(r) {
				own[i] = max(own[i], r)
				if !slices.ContainsFunc(states, func(other AppStatus) bool { return !slices.Contains(other.Kept, r) || !other.fits(r) }) {
					common = max(common, r)
				}
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

// fits tells whether a release that the host keeps ran well there, and can now.
func (a *AppStatus) fits(release string) bool {
	return !slices.Contains(slices.Concat(a.Bad, a.built, a.Unfit), release)
}

// Start starts apps, what others need first.
func (f *Fleet) Start(ctx context.Context, apps []string) error {
	return f.ranked(ctx, apps, "start", false)
}

// Stop stops apps, what others need last. They stay down over a reboot.
func (f *Fleet) Stop(ctx context.Context, apps []string) error {
	return f.ranked(ctx, apps, "stop", true)
}

// Undeploy stops apps and takes their releases away; data stays.
func (f *Fleet) Undeploy(ctx context.Context, apps []string) error {
	return f.ranked(ctx, apps, "undeploy", true)
}

// ranked runs a verb for apps on all of their hosts, rank by rank.
func (f *Fleet) ranked(ctx context.Context, apps []string, verb string, backwards bool) error {
	apps, err := f.named(apps)
	if err == nil {
		err = f.prepare(ctx)
	}
	if err != nil {
		return err
	}
	if backwards {
		slices.Reverse(apps)
	}
	for _, app := range apps {
		ranks := []int{0, 1, 2}
		if backwards {
			slices.Reverse(ranks)
		}
		for _, rank := range ranks {
			now := slices.DeleteFunc(f.with(app), func(m *member) bool { return m.rank() != rank })
			err := each(now, f.options.Parallel, func(m *member) error {
				return m.one(ctx, verb, verb, app)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// one runs a verb of a host and says how it went.
func (m *member) one(ctx context.Context, step string, words ...string) error {
	err := m.step(ctx, step, func(ctx context.Context) error {
		return m.verb(context.WithoutCancel(ctx), step, rollTime, append([]string{scriptDir + "/host"}, words...), false)
	})
	if err == nil {
		m.outcome = Done
	}
	return err
}

// Drain takes the clients of the chosen hosts out of every balancer. Unless
// forced, never the last ones.
func (f *Fleet) Drain(ctx context.Context, force bool) error {
	if err := f.prepare(ctx); err != nil {
		return err
	}
	leaving := map[string]bool{}
	for _, m := range f.chosen() {
		for _, c := range m.clients() {
			leaving[c] = true
		}
	}
	if len(leaving) == 0 {
		return &hinted{"no clients run on the chosen hosts", "plonec status shows what runs where"}
	}
	for _, front := range f.fronts() {
		total, stay := map[string]bool{}, map[string]bool{}
		ctx, cancel := context.WithTimeout(ctx, quickTimeout)
		err := front.conn.run(ctx, command{argv: []string{scriptDir + "/host", "backends"}, line: func(line string) {
			if w := strings.Fields(line); len(w) >= 3 {
				total[w[0]] = total[w[0]] || leaving[w[1]]
				stay[w[0]] = stay[w[0]] || !leaving[w[1]] && strings.HasPrefix(w[2], "UP")
			}
		}})
		cancel()
		if err != nil {
			return &HostError{front.Name, "backends", err}
		}
		for _, backend := range slices.Sorted(maps.Keys(total)) {
			if total[backend] && !stay[backend] && !force {
				return &HostError{front.Name, "backends", &hinted{"no client would be left to serve " + backend, "drain fewer hosts, or give --force"}}
			}
		}
	}
	return each(f.chosen(), f.options.Parallel, func(m *member) error {
		if len(m.clients()) == 0 {
			return nil
		}
		return m.one(ctx, "drain", "drain")
	})
}

// Undrain brings the clients of the chosen hosts back.
func (f *Fleet) Undrain(ctx context.Context) error {
	if err := f.prepare(ctx); err != nil {
		return err
	}
	return each(f.chosen(), f.options.Parallel, func(m *member) error {
		if len(m.clients()) == 0 {
			return nil
		}
		return m.one(ctx, "undrain", "undrain")
	})
}

// recipes says where each of the helper recipes runs; rebuild and develop-up
// are deploys.
var recipes = map[string]func(*member) bool{
	"varnish-purge":   (*member).isFront,
	"varnish-restart": (*member).isFront,
	"pack":            func(m *member) bool { return m.rank() == 0 },
	"backup":          func(m *member) bool { return m.rank() == 0 },
}

// Recipes lists the names that Run knows, beside rebuild and develop-up.
func Recipes() []string {
	var names []string
	for name := range recipes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Run runs one of the cookbook's helper recipes on the chosen hosts that it is
// for.
func (f *Fleet) Run(ctx context.Context, name string) error {
	fits := recipes[name]
	if fits == nil {
		return fmt.Errorf("there is no recipe %s: rebuild, develop-up, %s", name, strings.Join(Recipes(), ", "))
	}
	if err := f.prepare(ctx); err != nil {
		return err
	}
	now := slices.DeleteFunc(f.chosen(), func(m *member) bool { return !fits(m) })
	if len(now) == 0 {
		return fmt.Errorf("%s is for none of the chosen hosts", name)
	}
	for _, m := range now { // one after the other: a purge or a pack at once everywhere is a load of its own
		if err := m.one(ctx, name, "run", name); err != nil {
			return err
		}
	}
	return nil
}
