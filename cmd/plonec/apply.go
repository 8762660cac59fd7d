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
	c.Long = `Apply brings the hosts into the state of the tree: it copies the files, has the
daemons' own checkers read them there, puts them in place, reloads what changed
and nothing else, and confirms over a new login that the host can still be reached.
If any of this fails, the host reverts to its previous state, even across a reboot.

Changes that need a buildout or a restart of clients wait on the host for plonec
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
