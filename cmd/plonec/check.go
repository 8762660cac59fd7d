package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/diag"
	"github.com/plonec/plonec/native"
)

func checkCommand() *cobra.Command {
	var f stackFlags
	var ask bool
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
	c.Flags().BoolVar(&ask, "native", false, "also run the installed daemons' own checkers")
	c.RunE = f.compiling("", func(out *reporter, built *compiled, diags diag.List) error {
		res := result{Hosts: len(built.topology.Hosts), Files: len(built.tree.Manifest.Files)}
		if ask {
			var err error
			if res.Checkers, err = native.Check(built.tree); err != nil {
				return err
			}
		}
		if err := out.finish(diags, "", res); err != nil {
			return err
		}
		w := out.stdout
		if !out.people() {
			w = io.Discard
		}
		if refused := printCheckers(w, res.Checkers); refused > 0 {
			return fmt.Errorf("%s refused", count(refused, "configuration"))
		}
		if out.people() {
			fmt.Fprintf(out.stdout, "%s, %s: good\n", count(res.Hosts, "host"), count(res.Files, "file"))
		}
		return nil
	})
	return c
}

// printCheckers says what each program said, in one line where it is good.
// It returns how many hosts' files were refused.
func printCheckers(w io.Writer, results []native.Result) int {
	refused := 0
	var missing, good []string
	for _, r := range results {
		switch r.Outcome {
		case native.Good:
			good = append(good, r.Program)
		case native.Missing:
			missing = append(missing, r.Program)
		default:
			refused++
			fmt.Fprintf(w, "%s: %s refuses it:\n    %s\n", r.Host, r.Program, strings.ReplaceAll(r.Output, "\n", "\n    "))
		}
	}
	for _, list := range []struct {
		outcome  string
		programs []string
	}{{"accepted by", good}, {"not installed here, so not asked:", missing}} {
		slices.Sort(list.programs)
		if programs := slices.Compact(list.programs); len(programs) > 0 {
			fmt.Fprintf(w, "%s %s\n", list.outcome, strings.Join(programs, ", "))
		}
	}
	return refused
}
