package hosts

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/remote"
	"github.com/plonec/plonec/internal/topology"
)

// prepare locks the hosts of a verb, those that balance its clients too.
func (f *Fleet) prepare(ctx context.Context) error {
	for _, m := range f.chosen() {
		if m.Seen.Generation == "" {
			return &HostError{m.Name, "look", diag.WithRemedy("nothing was applied there yet", "plonec apply")}
		}
	}
	return f.lockAll(ctx, f.members, "")
}

// Restart restarts the clients of apps one after the other, on one host after
// the other; with changed only what does not run what it should. What waits for
// a restart comes in with it.
func (f *Fleet) Restart(ctx context.Context, apps []string, changed bool) error {
	return f.rollServed(ctx, f.handBack(ctx, f.restart(ctx, apps, changed)))
}

func (f *Fleet) restart(ctx context.Context, apps []string, changed bool) error {
	apps, err := f.named(apps)
	if err == nil {
		err = f.prepare(ctx)
	}
	if err != nil {
		return err
	}
	for _, app := range apps {
		argv := append([]string{plan.ScriptDir + "/host", "restart"}, f.overwrite()...)
		if !changed {
			argv = append(argv, "--all")
		}
		if err := f.handOver(ctx, app); err != nil {
			f.report(err)
			return err
		}
		if err := f.oneByOne(ctx, f.with(app), app, "restart", func(*member) []string { return append(slices.Clone(argv), app) }, nothing); err != nil {
			return err
		}
	}
	return f.letGo(ctx)
}

// one runs a verb of a host and says how it went.
func (m *member) one(ctx context.Context, step string, words ...string) error {
	err := m.step(ctx, step, func(ctx context.Context) error {
		return m.verb(context.WithoutCancel(ctx), step, rollTime, append([]string{plan.ScriptDir + "/host"}, words...), false)
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
		for _, c := range m.Clients() {
			leaving[c] = true
		}
	}
	if len(leaving) == 0 {
		return diag.WithRemedy("nothing that serves visitors runs on the chosen hosts", "plonec status shows what runs where")
	}
	for _, front := range f.fronts() {
		total, stay := map[string]bool{}, map[string]bool{}
		ctx, cancel := context.WithTimeout(ctx, remote.QuickTimeout)
		err := front.conn.Run(ctx, remote.Command{Argv: []string{plan.ScriptDir + "/host", "backends"}, Line: func(line string) {
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
				return &HostError{front.Name, "backends", diag.WithRemedy("nothing would be left to serve "+backend, "drain fewer hosts, or give --force")}
			}
		}
	}
	return each(f.chosen(), f.options.Parallel, func(m *member) error {
		if len(m.Clients()) == 0 {
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
		if len(m.Clients()) == 0 {
			return nil
		}
		return m.one(ctx, "undrain", "undrain")
	})
}

// Run does a job on the chosen hosts that it is for.
func (f *Fleet) Run(ctx context.Context, name string) error {
	if topology.JobIsFor(name) == "" {
		return fmt.Errorf("the recipe %s does not exist: choose one of rebuild, develop-up, %s", name, strings.Join(topology.JobNames(), ", "))
	}
	if err := f.prepare(ctx); err != nil {
		return err
	}
	now := slices.DeleteFunc(f.chosen(), func(m *member) bool { return !slices.Contains(m.Helpers, name) })
	if len(now) == 0 {
		return diag.WithRemedy("none of the chosen hosts can run "+name, "it is for "+topology.JobIsFor(name))
	}
	for _, m := range now { // one after the other: a purge or a pack at once everywhere is a load of its own
		if err := m.one(ctx, name, "run", name); err != nil {
			return err
		}
	}
	return nil
}
