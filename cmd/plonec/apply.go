package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func applyCommand(v *verb, c *cobra.Command) {
	f := fleetFlags{verb: v}
	c.Short = "bring the tree's files to the hosts"
	c.Long = `Apply makes the hosts as the tree has them: it brings the files, lets the
daemons' own checkers read them there, puts them in place, reloads what changed
and only that, and confirms over a new login that the host can still be reached.
Where any of this fails the host goes back to what it was, over a reboot too.

What needs a buildout or a restart of clients waits on the host for plonec
deploy. A bare host is set up first: packages, users, directories. The tree has
to be committed.`
	c.Example = `  plonec apply
  plonec apply --host lb1,lb2 --yes`
	f.addPush(c.Flags())
	c.RunE = f.fleetCommand(func(ctx context.Context, s *session, _ []string) error {
		if due := s.Due(); len(due) > 0 {
			if err := s.agreed(s.preview(ctx) + fmt.Sprintf("apply to %s?", strings.Join(due, ", "))); err != nil {
				return err
			}
		}
		return s.apply(ctx)
	})
}
