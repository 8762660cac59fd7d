package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/hosts"
	"github.com/plonec/plonec/internal/remote"
	"github.com/plonec/plonec/internal/report"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/words"
)

func execCommand(v *verb, c *cobra.Command) {
	f := fleetFlags{verb: v}
	c.Short = "run a command in the current release of an app"
	c.Long = `Exec runs a command on a host of an app as the app's processes run there: in the
current release, as the app's user, with its environment and secrets, and in the
sandbox of its first client, or of another process where there is no client. The
command has exec's standard input, and a terminal where there is one; its exit
status is that of exec.

Without --host it runs on the first host by name that is online and has clients of
the app, and says which that is. It holds no lock: a deploy can run beside it.`
	c.Example = `  plonec exec site -- bin/client1 run fix.py
  plonec exec site --host app2 -- bin/client1 debug`
	f.addReach(c.Flags())
	c.Flags().StringSliceVar(&f.hosts, "host", nil, "run on this `host`")
	c.Args = func(c *cobra.Command, args []string) error {
		if at := c.ArgsLenAtDash(); at != 1 || len(args) < 2 {
			return fmt.Errorf("plonec exec needs one app, -- and a command, as in: %s", v.example())
		}
		if len(f.hosts) > 1 {
			return fmt.Errorf("plonec exec runs on one host, and --host names %d", len(f.hosts))
		}
		return nil
	}
	f.choose = func(m *tree.Manifest, args []string) ([]string, error) {
		if len(f.hosts) > 0 {
			return f.hosts, nil
		}
		host, err := hosts.HostFor(m, args[0])
		if err != nil {
			text, do := diag.Remedy(err)
			return nil, errors.New(text + ": " + do)
		}
		fmt.Fprintf(c.ErrOrStderr(), "plonec: on %s\n", host)
		return []string{host}, nil
	}
	c.RunE = f.fleetCommand(func(ctx context.Context, s *session, args []string) error {
		s.progress.Close() // the screen is the command's
		code, err := s.Exec(ctx, args[0], args[1:], remote.Streams{In: s.stdin, Out: s.out, Err: c.ErrOrStderr(), Terminal: s.attended() && terminal.IsTerminal(s.out)})
		if err == nil && code != 0 {
			err = &status{code, ""}
		}
		return err
	})
}

// A logLine is a line of plonec logs as JSON.
type logLine struct {
	Time time.Time `json:"time"`
	Host string    `json:"host"`
	Unit string    `json:"unit"`
	Text string    `json:"text"`
}

func logsCommand(v *verb, c *cobra.Command) {
	f := fleetFlags{verb: v}
	var o hosts.LogOptions
	c.Short = "show the journals of an app's processes"
	c.Long = `Logs shows what the processes of an app wrote into the journals of their hosts, and
what systemd says about them, in order of time. Times are in UTC, by the clock of
each host. Secrets that a host has are masked.

Without --since it shows the last 100 lines, or as many as --lines says.`
	c.Example = `  plonec logs site
  plonec logs site --follow
  plonec logs site --host app1 --since "2026-11-07 10:15"`
	f.add(c.Flags())
	c.Flags().BoolVar(&o.Follow, "follow", false, "go on showing new lines until Ctrl-C")
	c.Flags().IntVar(&o.Lines, "lines", 0, "show the last `number` lines; with --follow, of each host")
	c.Flags().StringVar(&o.Since, "since", "", "show lines from this `time` on, in UTC: 2026-11-07 10:15, -2h, yesterday")
	c.PreRunE = func(*cobra.Command, []string) error {
		if o.Lines < 0 || o.Lines > 9999999 {
			return fmt.Errorf("--lines %d is not a number from 1 to 9999999", o.Lines)
		}
		if o.Since == "" {
			o.Lines = cmp.Or(o.Lines, 100)
		}
		return nil
	}
	c.RunE = f.fleetCommand(func(ctx context.Context, s *session, args []string) error {
		host, unit := 0, 0
		return s.Logs(ctx, args[0], o, func(l hosts.LogLine) {
			line := logLine{time.UnixMicro(l.Time).UTC(), l.Host, l.Unit, l.Text}
			if v.format == "json" {
				fmt.Fprint(s.out, words.JSONLine(line))
				return
			}
			name := terminal.Printable(report.UnitName(args[0], line.Unit))
			host, unit = max(host, len(line.Host)), max(unit, len(name))
			fmt.Fprintf(s.out, "%s  %s  %s  %s\n", line.Time.Format("2006-01-02 15:04:05.000"), terminal.Pad(line.Host, host), terminal.Pad(name, unit), terminal.Printable(line.Text))
		})
	})
}
