package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/tree"
)

func maintenanceCommand(v *verb, c *cobra.Command) {
	f := fleetFlags{verb: v}
	c.Short = "show visitors a page in place of the sites"
	c.Long = `Maintenance on shows visitors of every front end a page, with status 503, in place
of the sites, until maintenance off, across applies and reboots. The page is that of
the stack, or one of a few words. The networks that the stack lets reach the management
interface still see the sites; if it names none, nobody does. Balancers in front,
certificate authorities and the statistics are answered as before.

If one front end cannot be reached, none is switched; if one fails, the others are
switched back. With --host only those front ends are switched. The first line of plonec
status says where it is on.`
	c.Example = "  plonec maintenance on\n  plonec maintenance off"
	f.add(c.Flags())
	f.choose = func(m *tree.Manifest, _ []string) ([]string, error) {
		if len(f.hosts)+len(f.layers) > 0 {
			return f.hosts, nil
		}
		var fronts []string
		for _, h := range m.Hosts {
			if h.Runs(service.Balancer().Name) && h.Status == "online" {
				fronts = append(fronts, h.Name)
			}
		}
		if len(fronts) == 0 {
			return nil, errors.New("no front end of the tree is online")
		}
		return fronts, nil
	}
	f.unasked = func(s *session, args []string) string { return s.Unasked(args[0]) }
	c.RunE = f.fleetCommand(func(ctx context.Context, s *session, args []string) error { return s.Maintenance(ctx, args[0] == "on") })
}
