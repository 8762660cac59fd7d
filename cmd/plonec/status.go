package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/report"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/words"
)

func statusCommand(v *verb, c *cobra.Command) {
	f := fleetFlags{verb: v}
	var exitCode, repositories bool
	c.Short = "show the state of the hosts"
	c.Long = `Status asks every host for its state: what was applied to it and when, the release
of each app and the processes that run, what is pending and the command for it, and
what was changed by hand. It changes nothing. If a host cannot be asked, it exits
with status 6.

As JSON it is one object: hosts has those that were asked, skipped those that are
not online in the stack.

It names a certificate of the sites that has expired or expires within 30 days (within
the last third of its life, if that is less), or that is not for a name of its sites;
as JSON it lists all of them. With --repositories one host of each app asks the app's
repository, as a deploy would and with what was applied there, whether it answers and
has the revision.

It needs no secrets, and so does not see where the value of one differs from that on
a host; plonec plan --secrets does.`
	c.Example = `  plonec status
  plonec status --format json --host app1
  plonec status --repositories --exit-code`
	f.add(c.Flags())
	c.Flags().BoolVar(&exitCode, "exit-code", false, "exit with status 2 where something is pending, changed by hand, not running, or failed the last time, or where a certificate expires or a repository does not answer")
	c.Flags().BoolVar(&repositories, "repositories", false, "ask each app's repository too, which may take half a minute")
	c.RunE = f.fleetCommand(func(ctx context.Context, s *session, _ []string) error {
		list, failed := s.Status(ctx)
		var asked []plan.Repository
		if repositories {
			asked = s.Repositories(ctx)
		}
		text := report.Status(list, s.Skipped, asked, terminal.UseColor(s.out))
		if v.format == "json" {
			text = words.JSON(report.NewStatusJSON(list, s.Skipped, asked))
		}
		if _, err := fmt.Fprint(s.out, text); err != nil {
			return err
		}
		unwell := slices.ContainsFunc(list, report.Unwell) || slices.ContainsFunc(asked, func(r plan.Repository) bool { return r.Error != nil })
		if failed == nil && exitCode && unwell {
			return &status{exitChanges, ""}
		}
		return failed
	})
}
