package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/internal/terminal"
)

func startCommand(v *verb, c *cobra.Command) {
	f := fleetFlags{verb: v}
	c.Short = "start apps"
	c.Long = `Start starts the processes of apps that do not run, databases first. Clients whose
database server does not answer are not started.`
	c.Example = "  plonec start site"
	f.add(c.Flags())
	f.addYes(c.Flags())
	c.RunE = f.fleetCommand(func(ctx context.Context, s *session, args []string) error { return s.Start(ctx, args) })
}

func stopCommand(v *verb, c *cobra.Command) {
	f := fleetFlags{verb: v}
	c.Short = "stop apps"
	c.Long = `Stop drains and stops apps, databases last. They stay down across reboots, until
start or deploy. On a terminal it asks first. Elsewhere it goes ahead, but stops a
database server whose clients keep running only with --yes.`
	c.Example = "  plonec stop site"
	f.add(c.Flags())
	f.addYes(c.Flags())
	c.RunE = f.fleetCommand(func(ctx context.Context, s *session, args []string) error {
		if err := mayStop(s, args); err != nil {
			return err
		}
		return s.Stop(ctx, args)
	})
}

func undeployCommand(v *verb, c *cobra.Command) {
	f := fleetFlags{verb: v}
	var foreign bool
	var confirm string
	c.Short = "remove apps from their hosts"
	c.Long = `Undeploy stops apps and removes their releases. Their data stays, and so does what
plonec did not make. On a terminal it asks first; elsewhere it needs --yes. If it
is done on some hosts and not on others, it exits with status 5.

With --foreign it leaves the app as it is, and removes what is among its releases
and is not plonec's, such as the releases of OpsWorks. It lists all of that and asks
for the app's name: to be typed, or given by --confirm where there is no terminal.
It keeps mounts, and what current or a link in shared points to, what a process
runs from or has open, and what holds a database or blobs.`
	c.Example = `  plonec undeploy site
  plonec undeploy --foreign site`
	f.add(c.Flags())
	f.addYes(c.Flags())
	c.Flags().BoolVar(&foreign, "foreign", false, "remove what is among the releases and is not plonec's")
	c.Flags().StringVar(&confirm, "confirm", "", "with --foreign: the `app`'s name, in place of the question")
	c.Args = func(c *cobra.Command, args []string) error {
		all, _ := c.Flags().GetBool("all")
		switch {
		case confirm != "" && !foreign:
			return errors.New("--confirm is for --foreign")
		case foreign && (all || len(args) != 1):
			return fmt.Errorf("%s --foreign needs one app, as in: plonec undeploy --foreign site", c.CommandPath())
		}
		return v.arguments.judge(v, c, args)
	}
	c.RunE = f.fleetCommand(func(ctx context.Context, s *session, args []string) error {
		if foreign {
			return s.undeployForeign(ctx, args[0], confirm)
		}
		if err := mayUndeploy(s, args); err != nil {
			return err
		}
		return s.Undeploy(ctx, args)
	})
}

// bereave says who loses the database, and whether anybody does.
func (s *session) bereave(args []string) (bool, error) {
	lines, err := s.Bereft(args)
	for _, line := range lines {
		s.note("", line)
	}
	return len(lines) > 0, err
}

func mayStop(s *session, args []string) error {
	apps := strings.Join(s.named(args), ", ")
	hurts, err := s.bereave(args)
	switch {
	case err != nil:
		return err
	case hurts && !s.flags.yes && !s.asks():
		return &status{exitError, "nothing done: without a terminal, stopping what others need takes --yes"}
	}
	return s.agreed("stop " + apps + "?")
}

func mayUndeploy(s *session, args []string) error {
	apps := strings.Join(s.named(args), ", ")
	s.note("", fmt.Sprintf("undeploy stops %s and removes plonec's releases of it on %s; what it wrote stays, and what is not plonec's", apps, strings.Join(s.HostsOf(args), ", ")))
	if _, err := s.bereave(args); err != nil {
		return err
	}
	if !s.flags.yes && !s.asks() {
		return &status{exitError, "nothing done: without a terminal, undeploy takes --yes"}
	}
	return s.agreed("undeploy " + apps + "?")
}

// undeployForeign removes what plonec did not make, after the app's name.
func (s *session) undeployForeign(ctx context.Context, app, confirm string) error {
	list, err := s.Foreign(ctx, app)
	if err != nil {
		return err
	}
	removable := 0
	for _, f := range list {
		size := "of unknown size"
		if f.Size >= 0 {
			size = humanSize(f.Size)
		}
		text := fmt.Sprintf("%s: remove %s (%s)", app, f.Name, size)
		if f.Kept != "" {
			text = fmt.Sprintf("%s: %s (%s) stays: %s", app, f.Name, size, terminal.Printable(f.Kept))
		} else {
			removable++
		}
		s.note(f.Host, text)
	}
	if removable == 0 {
		s.note("", "nothing to remove among the releases of "+app)
		return nil
	}
	switch {
	case confirm == "" && !s.attended():
		return &status{exitError, fmt.Sprintf("nothing done: without a terminal, undeploy --foreign takes --confirm %s, and --yes is not enough", app)}
	case confirm == "":
		confirm = s.answer("to remove these for good, type the app's name: ")
	}
	if confirm != app {
		return &status{exitError, "that is not the app's name, " + app + ": nothing done"}
	}
	return s.UndeployForeign(ctx, app)
}

// humanSize is a number of bytes as people say it.
func humanSize(n int64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	size, unit := float64(n)/1024, 0
	for size >= 1024 && unit < len(units)-1 {
		size, unit = size/1024, unit+1
	}
	return fmt.Sprintf("%.1f %ciB", size, units[unit])
}
