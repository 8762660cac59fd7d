package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/diff"
	"github.com/plonec/plonec/internal/report"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/words"
)

func diffCommand(v *verb, c *cobra.Command) {
	var f stackFlags
	var against string
	var exitCode, full, noDiff bool
	var limit int
	c.Short = "show what a change of the stack does to which host"
	c.Long = `Diff compiles the stack and compares it with an earlier tree: which lines of the
stack changed, what apply and deploy will do about it on which host, what people
would notice, and the differences of the files. It reads no host and no secret;
plonec plan compares with the hosts.

By default it compares with the tree on disk. With --against it compares with what a
git revision holds or, if this branch does not contain that revision, with the
commit where the two parted: --against origin/main shows what a pull request
changes. Another tree is named by a path that begins with /, ./ or ../; any other
name is a revision, even if a folder has the same name.`
	c.Example = `  plonec diff
  plonec diff --against origin/main
  plonec diff --against origin/main --format markdown`
	f.add(c.Flags())
	c.Flags().StringVar(&against, "against", "", "a git `revision`, or the folder of another tree as ./FOLDER")
	c.Flags().BoolVar(&exitCode, "exit-code", false, "exit with status 2 where anything changes")
	c.Flags().BoolVar(&full, "full", false, "show long differences in full")
	c.Flags().BoolVar(&noDiff, "no-diff", false, "name the files that change, without their differences")
	c.Flags().IntVar(&limit, "limit", report.MaxComment, "how many `bytes` of markdown to write: differences are cut, consequences never")
	c.RunE = func(c *cobra.Command, args []string) error {
		out := newReporter(c, "text")
		// Before anything sets what the tree on disk says of the stack.
		work, err := os.MkdirTemp("", "plonec-diff-*")
		if err != nil {
			return err
		}
		defer os.RemoveAll(work)
		before, err := diff.Earlier(args, &f.Options, against, filepath.Join(work, "before"))
		if err != nil {
			return err
		}
		built, diags, err := compile.Stack(args, &f.Options)
		if err != nil {
			return err
		}
		if built == nil {
			return out.finish(diags, "nothing compared", result{})
		}
		if err := out.report(slices.DeleteFunc(slices.Clone(diags), func(d diag.Diagnostic) bool { return d.Severity() != diag.Error }), ""); err != nil {
			return err
		}
		r, err := diff.Compare(before, built, &f.Options, work, given(f.Tree, nil, nil))
		if err != nil {
			return err
		}
		if against != "" {
			if r.Stale, err = diff.NotOfTheStack(built, f.Tree); err != nil {
				return err
			}
		}
		r.Color, r.Full, r.NoDiff, r.Limit = terminal.UseColor(out.stdout), full, noDiff, limit
		var text string
		switch v.format {
		case "json":
			text = words.JSON(r)
		case "markdown":
			text = r.Markdown()
		default:
			text = r.Text()
		}
		if _, err := fmt.Fprint(out.stdout, text); err != nil {
			return err
		}
		if exitCode && r.Changed() {
			return &status{exitChanges, ""}
		}
		return nil
	}
}
