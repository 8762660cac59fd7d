package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/native"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/words"
)

func checkCommand(v *verb, c *cobra.Command) {
	var f stackFlags
	var how string
	c.Short = "compile a stack in memory and report"
	c.Long = `Check compiles a stack in memory and reports every mistake. With --native it
also lets the daemons that are installed here read what was generated:
` + strings.Join(native.Programs(), ", ") + `.

They are asked as nobody, in namespaces in which they see nothing of this
machine but its programs. That needs Linux 5.12, and root, or namespaces for
every user; where that is not so they are named, and check fails. With
--native=here they see this machine as you do: the configuration of a stranger
can have them print its files.`
	c.Example = `  plonec check stack.json
  sudo plonec check --native --format json`
	f.add(c.Flags())
	c.Flags().StringVar(&how, "native", "", "also run the installed daemons' own checkers: apart from this machine, or `here`")
	c.Flags().Lookup("native").NoOptDefVal = string(native.Apart)
	compile := f.compiling(v, "", func(out *reporter, built *compile.Built, diags diag.List) error {
		diags, err := idle(built.Judged, diags)
		if err != nil {
			return err
		}
		diags = append(diags, topology.Expiring(built.Stack, built.Topology, time.Now())...)
		res := result{Hosts: len(built.Topology.Hosts), Files: len(built.Tree.Manifest.Files)}
		if how != "" {
			var files tree.Kept
			_, _, err := built.Render(files.Put)
			if err == nil {
				res.Checkers, err = native.Check(built.Tree.Manifest, &files, native.How(how))
			}
			if err != nil {
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
		refused, skipped := printCheckers(w, res.Checkers)
		switch {
		case refused > 0:
			return fmt.Errorf("%s refused", words.Count(refused, "configuration"))
		case len(skipped) > 0:
			return fmt.Errorf("%s could not be run apart from this machine: run plonec check with sudo, or with --native=here", strings.Join(skipped, ", "))
		}
		if out.people() {
			fmt.Fprintf(out.stdout, "%s, %s: good\n", words.Count(res.Hosts, "host"), words.Count(res.Files, "file"))
		}
		return nil
	})
	c.RunE = func(c *cobra.Command, args []string) error {
		if how != "" && how != string(native.Apart) && how != string(native.Here) {
			return fmt.Errorf("unknown --native=%s: write --native, or --native=here", how)
		}
		return compile(c, args)
	}
}

// printCheckers says what each program said, in one line where it is good.
// It returns how many hosts' files were refused, and the programs that are here
// and were not asked.
func printCheckers(w io.Writer, results []native.Result) (refused int, skipped []string) {
	var outcomes []string
	programs := map[string][]string{} // by what they have in common
	for _, r := range results {
		outcome := ""
		switch r.Outcome {
		case native.Good:
			outcome = "accepted by "
		case native.Missing:
			outcome = "not installed here and not run: "
		case native.NotAsked:
			outcome = "not asked, " + r.Output + ": "
			skipped = append(skipped, r.Program)
		default:
			refused++
			fmt.Fprintf(w, "%s: %s refuses %s:\n    %s\n", r.Host, r.Program, cmp.Or(r.Attribute, "it"), strings.ReplaceAll(r.Output, "\n", "\n    "))
			for _, p := range r.Places {
				fmt.Fprintf(w, "    %s: %s\n", cmp.Or(p.From, fmt.Sprintf("%s line %d", p.Path, p.Line)), p.Text)
			}
			continue
		}
		if programs[outcome] == nil {
			outcomes = append(outcomes, outcome)
		}
		programs[outcome] = append(programs[outcome], r.Program)
	}
	slices.Sort(outcomes)
	for _, outcome := range outcomes {
		slices.Sort(programs[outcome])
		fmt.Fprintf(w, "%s%s\n", outcome, strings.Join(slices.Compact(programs[outcome]), ", "))
	}
	slices.Sort(skipped)
	return refused, slices.Compact(skipped)
}
