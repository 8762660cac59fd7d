package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/internal/hosts"
	"github.com/plonec/plonec/internal/report"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/topology"
)

func deployCommand(v *verb, c *cobra.Command) {
	f := fleetFlags{verb: v}
	var o hosts.DeployOptions
	c.Short = "apply, then make a new release of apps where one is due"
	c.Long = `Deploy applies the tree to all hosts and then brings apps up to date, all of
them or those that are named, on the hosts that run them. It makes a new release
where the revision leads to another commit, where deploy.cfg changed, or where the
stack says always. The release is built on every host before the first host is
switched to it; then the clients restart one after the other, each drained, idle,
started, warm and seen up by every balancer before the next. The deploy stops at
the first one that does not come up, and that host returns to the release that
worked.

A frontend that is to be built where plonec runs is built before all that, so that
a build that fails changes no host.

--host and --layer choose where apps are deployed; the other hosts are only
configured.`
	c.Example = `  plonec deploy
  plonec deploy site --host app1      # one host first`
	f.addPush(c.Flags())
	c.Flags().StringVar(&o.Commit, "commit", "", "deploy this `commit`, its id in full, in place of the revision's")
	c.Flags().BoolVar(&o.Always, "always", false, "make a new release even where nothing changed")
	c.Flags().BoolVar(&o.NewDatabase, "new-database", false, "there is no Data.fs yet: make one")
	c.Flags().BoolVar(&o.AllowOutage, "allow-outage", false, "the database moves: stop all, switch, start all")
	f.addAllowTwo(c.Flags())
	c.PreRunE = func(*cobra.Command, []string) error {
		if o.Commit != "" && !hosts.IsCommit(o.Commit) {
			return fmt.Errorf("--commit %q is not a full commit id: write the output of git rev-parse", o.Commit)
		}
		return nil
	}
	c.RunE = f.fleetCommand(func(ctx context.Context, s *session, args []string) error {
		if err := s.agreed(s.preview(ctx) + "deploy " + strings.Join(s.named(args), ", ") + "?"); err != nil {
			return err
		}
		if err := s.BuildFrontends(ctx, args, o); err != nil {
			return err
		}
		if err := s.apply(ctx); err != nil {
			return err
		}
		return s.Deploy(ctx, args, o)
	})
}

// named are the apps that a command is about, for a question.
func (s *session) named(args []string) []string {
	if len(args) == 0 {
		return s.Apps()
	}
	return args
}

func rollbackCommand(v *verb, c *cobra.Command) {
	f := fleetFlags{verb: v}
	var to string
	var allowOutage bool
	c.Short = "return an app to an earlier release"
	c.Long = `Rollback returns an app to an earlier release on all of its hosts: to the one that
--to names, or to the last good one before the newest, of the same commit on all
of them. The clients restart as in a deploy, and the release that they leave is
marked bad. The stack stays as it is: if it asks for a client that the release does
not have, use git revert and a deploy instead.`
	c.Example = "  plonec rollback site\n  plonec rollback site --to 20261107101500"
	f.add(c.Flags())
	f.addYes(c.Flags())
	c.Flags().StringVar(&to, "to", "", "return to this `release`")
	c.Flags().BoolVar(&allowOutage, "allow-outage", false, "the release has its data elsewhere: stop all, switch, start all")
	c.RunE = f.fleetCommand(func(ctx context.Context, s *session, args []string) error {
		if s.asks() {
			question, err := s.rollbackQuestion(ctx, args[0], to)
			if err == nil {
				err = s.agreed(question)
			}
			if err != nil {
				return err
			}
		}
		return s.Rollback(ctx, args[0], to, allowOutage)
	})
}

// rollbackQuestion says from which release an app goes back to which.
func (s *session) rollbackQuestion(ctx context.Context, app, to string) (string, error) {
	from, target, names, err := s.RollbackTarget(ctx, app, to)
	if err != nil {
		return "", err
	}
	text := func(t hosts.Target) string {
		if t.Commit == "" {
			return terminal.Printable(t.Release)
		}
		return terminal.Printable(t.Release + " (commit " + report.ShortCommit(t.Commit) + ")")
	}
	return fmt.Sprintf("roll %s back from release %s to %s on %s?", app, text(from), text(target), strings.Join(names, ", ")), nil
}

func restartCommand(v *verb, c *cobra.Command) {
	f := fleetFlags{verb: v}
	var changed bool
	c.Short = "restart apps, one client after the other"
	c.Long = `Restart restarts the processes of apps as a deploy does: one client after the
other, on one host after the other, never the last that serves. Changes that wait
on the hosts for a restart are put in place with it, but never over a file that was
changed by hand.`
	c.Example = "  plonec restart site\n  plonec restart --all --changed"
	f.add(c.Flags())
	f.addYes(c.Flags())
	c.Flags().BoolVar(&f.force, "force", false, "overwrite what was changed by hand on a host")
	c.Flags().BoolVar(&changed, "changed", false, "only processes that do not run what they should")
	f.addAllowTwo(c.Flags())
	c.RunE = f.fleetCommand(func(ctx context.Context, s *session, args []string) error {
		return s.Restart(ctx, args, changed)
	})
}

func drainCommand(v *verb, c *cobra.Command) {
	f := fleetFlags{verb: v}
	var force bool
	c.Short = "take a host's clients out of every balancer"
	c.Long = `Drain takes the clients of hosts out of every balancer: they finish the requests
that they have and get no new ones. They stay out across restarts and reboots,
until undrain. The last clients that serve are not drained.`
	c.Example = "  plonec drain app1"
	f.add(c.Flags())
	c.Flags().BoolVar(&force, "force", false, "even the last clients that serve")
	c.RunE = f.fleetCommand(func(ctx context.Context, s *session, _ []string) error { return s.Drain(ctx, force) })
}

func undrainCommand(v *verb, c *cobra.Command) {
	f := fleetFlags{verb: v}
	c.Short = "bring a host's clients back into every balancer"
	c.Long = "Undrain brings the clients of hosts back into every balancer."
	c.Example = "  plonec undrain app1"
	f.add(c.Flags())
	c.RunE = f.fleetCommand(func(ctx context.Context, s *session, _ []string) error { return s.Undrain(ctx) })
}

// deploys are the recipes that make a new release.
var deploys = []string{"rebuild", "develop-up"}

func recipeNames() []string { return slices.Concat(deploys, topology.JobNames()) }

func runCommand(v *verb, c *cobra.Command) {
	f := fleetFlags{verb: v}
	names := recipeNames()
	c.Short = "run one of the cookbook's helper recipes"
	c.Long = `Run runs one of the cookbook's helper recipes: ` + strings.Join(names, ", ") + `.
rebuild and develop-up make a new release of the same commit, whose sources are
fetched afresh, and restart the clients as a deploy does.`
	c.Example = "  " + v.example()
	c.Args = func(c *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return fmt.Errorf("%s needs the name of a recipe, one of %s, as in: %s", c.CommandPath(), strings.Join(names, ", "), v.example())
		case !slices.Contains(names, args[0]):
			return fmt.Errorf("the recipe %s does not exist: choose one of %s", args[0], strings.Join(names, ", "))
		case len(args) > 1 && !slices.Contains(deploys, args[0]):
			return fmt.Errorf("%s %s takes no app, but was given %s: it is for hosts, which --host chooses", c.CommandPath(), args[0], strings.Join(args[1:], " "))
		}
		return nil
	}
	f.add(c.Flags())
	c.RunE = f.fleetCommand(func(ctx context.Context, s *session, args []string) error {
		if slices.Contains(deploys, args[0]) {
			return s.Deploy(ctx, args[1:], hosts.DeployOptions{Always: true})
		}
		return s.Run(ctx, args[0])
	})
}
