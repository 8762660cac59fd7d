package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/plonec/plonec/internal/plan"
	"github.com/spf13/cobra"
)

func statusCommand() *cobra.Command {
	var f fleetFlags
	var exitCode bool
	c := &cobra.Command{
		Use:   "status",
		Short: "show how the hosts are",
		Long: `Status asks every host how it is: what was applied to it and when, the release
of each app and the processes that run, what is pending and the command for it,
what was changed by hand. It changes nothing. Where a host could not be asked it
ends with status 6.

It needs no secrets, and so does not see where the value of one is another than on
a host: plonec plan --secrets does.`,
		Example: `  plonec status
  plonec status --format json --host app1`,
		Args: noArgs,
	}
	f.report = true
	f.add(c.Flags())
	c.Flags().BoolVar(&exitCode, "exit-code", false, "exit with status 2 where something is pending, changed by hand or not running")
	c.RunE = f.fleetCommand("status", false, func(ctx context.Context, s *session, _ []string) error {
		list, failed := s.Status(ctx)
		text := statusText(list, s.Skipped, useColor(s.out))
		if f.format == "json" {
			text = asJSON(list)
		}
		if _, err := fmt.Fprint(s.out, text); err != nil {
			return err
		}
		if failed == nil && exitCode && slices.ContainsFunc(list, unwell) {
			return &status{exitChanges, ""}
		}
		return failed
	})
	return c
}

// unwell tells whether something of a host is not as the tree has it.
func unwell(h plan.HostStatus) bool {
	return len(h.Pending)+len(h.Drift) > 0 || h.Unfit != nil ||
		slices.ContainsFunc(h.Services, func(s plan.Service) bool { return s.State != "active" }) ||
		slices.ContainsFunc(h.Apps, func(a plan.AppStatus) bool {
			return slices.ContainsFunc(a.Units, func(u plan.Unit) bool { return u.State != "active" })
		})
}
