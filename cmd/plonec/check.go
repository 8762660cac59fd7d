package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func checkCommand() *cobra.Command {
	var f stackFlags
	var native bool
	c := &cobra.Command{
		Use:   "check [STACK...]",
		Short: "compile a stack in memory and report",
		Long: `Check compiles a stack in memory and reports every mistake. With --native it
also lets the daemons that are installed here read what was generated: haproxy,
nginx, varnishd, systemd-analyze.`,
		Example: `  plonec check stack.json
  plonec check --native --format json`,
	}
	f.add(c.Flags())
	c.Flags().BoolVar(&native, "native", false, "also run the installed daemons' own checkers")
	c.RunE = func(c *cobra.Command, args []string) error {
		out, err := newReporter(c, f.format)
		if err != nil {
			return err
		}
		built, diags, err := compile(args, &f)
		if err != nil {
			return err
		}
		if built == nil {
			return out.finish(diags, "", result{})
		}
		res := result{Hosts: len(built.topology.Hosts), Files: len(built.tree.Manifest.Files)}
		if native {
			if res.Checkers, err = runCheckers(built.tree); err != nil {
				return err
			}
		}
		if err := out.finish(diags, "", res); err != nil {
			return err
		}
		failed := 0
		for _, r := range res.Checkers {
			if !out.json {
				r.print(out.stdout)
			}
			if r.Outcome == outcomeFailed {
				failed++
			}
		}
		if failed > 0 {
			return fmt.Errorf("%s refused by its own program", count(failed, "file"))
		}
		if !out.json {
			fmt.Fprintf(out.stdout, "%s, %s: good\n", count(res.Hosts, "host"), count(res.Files, "file"))
		}
		return nil
	}
	return c
}
