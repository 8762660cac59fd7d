package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func statusCommand() *cobra.Command {
	var f fleetFlags
	c := &cobra.Command{
		Use:   "status",
		Short: "show how the hosts are",
		Long: `Status asks every host how it is: what was applied to it and when, the release
of each app and the processes that run, what is pending and the command for it,
what was changed by hand. It changes nothing.

It needs no secrets, and so does not see where the value of one is another than on
a host: plonec plan does.`,
		Example: `  plonec status
  plonec status --format json --host app1`,
		Args: noArgs,
	}
	f.report = true
	f.noSecrets = true
	f.add(c.Flags())
	c.RunE = f.fleetCommand("status", false, func(ctx context.Context, s *session, _ []string) error {
		list, failed := s.Status(ctx)
		text := statusText(list, s.Skipped, useColor(s.out))
		if f.format == "json" {
			text = asJSON(list)
		}
		if _, err := fmt.Fprint(s.out, text); err != nil {
			return err
		}
		return failed
	})
	return c
}
