package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/internal/report"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/words"
)

func statusCommand(v *verb, c *cobra.Command) {
	f := fleetFlags{verb: v}
	var exitCode bool
	c.Short = "show how the hosts are"
	c.Long = `Status asks every host how it is: what was applied to it and when, the release
of each app and the processes that run, what is pending and the command for it,
what was changed by hand. It changes nothing. Where a host could not be asked it
ends with status 6.

As JSON it is one object: hosts has those that were asked, skipped those that the
stack does not have online.

It needs no secrets, and so does not see where the value of one differs from that on
a host: plonec plan --secrets does.`
	c.Example = `  plonec status
  plonec status --format json --host app1`
	f.add(c.Flags())
	c.Flags().BoolVar(&exitCode, "exit-code", false, "exit with status 2 where something is pending, changed by hand, not running, or failed the last time")
	c.RunE = f.fleetCommand(func(ctx context.Context, s *session, _ []string) error {
		list, failed := s.Status(ctx)
		text := report.Status(list, s.Skipped, terminal.UseColor(s.out))
		if v.format == "json" {
			text = words.JSON(report.NewStatusJSON(list, s.Skipped))
		}
		if _, err := fmt.Fprint(s.out, text); err != nil {
			return err
		}
		if failed == nil && exitCode && slices.ContainsFunc(list, report.Unwell) {
			return &status{exitChanges, ""}
		}
		return failed
	})
}
