package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/report"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/tree"
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
would notice, and the differences of the files. It reads no host and no secret:
plan does.

It compares with the tree on disk, as a build would change it; with --against
with what a git revision holds. Of one that is not behind the work here that is
where the two parted: --against origin/main shows what a pull request changes.
Another tree is named by a path that begins with /, ./ or ../; any other name is
a revision, whatever folder is called so.`
	c.Example = `  plonec diff
  plonec diff --against origin/main
  plonec diff --against origin/main --format markdown`
	f.add(c.Flags())
	c.Flags().StringVar(&against, "against", "", "a git `revision`, or the folder of another tree as ./FOLDER")
	c.Flags().BoolVar(&exitCode, "exit-code", false, "exit with status 2 where anything changes")
	c.Flags().BoolVar(&full, "full", false, "show long differences to their end")
	c.Flags().BoolVar(&noDiff, "no-diff", false, "name the files that change, without their differences")
	c.Flags().IntVar(&limit, "limit", report.MaxComment, "how many `bytes` of markdown to write: differences are cut, consequences never")
	c.RunE = func(c *cobra.Command, args []string) error {
		if against == "" && c.Flags().Changed("against") {
			return errors.New("--against is empty: give a git revision, or the folder of a tree")
		}
		out := newReporter(c, "text")
		// Before anything sets what the tree on disk says of the stack.
		work, err := os.MkdirTemp("", "plonec-diff-*")
		if err != nil {
			return err
		}
		defer os.RemoveAll(work)
		before, err := earlierSide(args, &f.Options, against, filepath.Join(work, "before"))
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
		r, err := compare(before, built, &f.Options, work)
		if err != nil {
			return err
		}
		if against != "" {
			if r.Stale, err = notOfTheStack(built, f.Tree); err != nil {
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

// notOfTheStack says that a tree on disk is not what a stack gives; empty where it
// is, and where there is none.
func notOfTheStack(built *compile.Built, dir string) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, tree.ManifestName)); err != nil {
		return "", nil
	}
	stage := tree.Against(dir)
	if _, _, err := built.Render(stage.Put); err != nil {
		return "", err
	}
	changes, err := stage.Finish(built.Tree)
	if err != nil || changes.None() {
		return "", err
	}
	command := "plonec build"
	if dir != "build" {
		command += " -o " + dir
	}
	return fmt.Sprintf("the tree in %s is not what this stack gives, and is not what is compared here: %s", dir, command), nil
}

// compare works a report out.
func compare(before *side, after *compile.Built, o *compile.Options, work string) (*report.Diff, error) {
	r := &report.Diff{Format: report.DiffFormat, Before: before.label, After: "the stack", Causes: []report.Cause{}, Look: []string{}, Later: []string{}, Unknown: before.unknown, Given: given(o.Tree, nil, nil)}
	r.Plonec.After = release
	disk, err := onDisk(after, filepath.Join(work, "after"))
	if err != nil {
		return nil, err
	}
	if r.All, err = plan.Compare(before.disk, disk); err != nil {
		return nil, err
	}
	r.Stack = r.All
	if before.disk != nil {
		r.Plonec.Before = before.disk.Manifest.Plonec
	}
	if before.built != nil {
		r.Causes = causes(before, after, o)
		// What this plonec makes of the earlier stack tells the two reasons apart.
		if len(unlike(before.disk.Manifest, before.built.Tree.Manifest)) > 0 {
			rebuilt, err := onDisk(before.built, filepath.Join(work, "rebuilt"))
			if err != nil {
				return nil, err
			}
			if r.Plain, err = plan.Compare(before.disk, rebuilt); err != nil {
				return nil, err
			}
			if r.Stack, err = plan.Compare(rebuilt, disk); err != nil {
				return nil, err
			}
		}
		r.Look = append(r.Look, report.ChangesOfTopology(before.built.Topology, after.Topology)...)
		r.All.Outage = report.Outages(r.All.Outage, before.built.Topology, after.Topology)
	}
	if before.disk != nil {
		faults, err := before.disk.Faults()
		if err != nil {
			return nil, err
		}
		for _, f := range faults {
			r.Look = append(r.Look, before.label+": "+f+"; what is said here begins from the manifest")
		}
		r.Look = append(r.Look, report.PlainSecrets(r.Causes, disk.Manifest)...)
		r.Look = append(r.Look, report.ChangesOfAddresses(before.disk.Manifest.Hosts, disk.Manifest.Hosts)...)
		keys, err := otherKeys(before, disk.Manifest.Hosts, o.Tree)
		if err != nil {
			return nil, err
		}
		r.Look = append(r.Look, keys...)
		r.Look = append(r.Look, permissions(before.disk.Manifest, disk.Manifest)...)
	}
	for _, h := range r.All.Hosts {
		for _, c := range h.Files {
			if c.Secret && strings.Contains(c.Diff, "PLONEC_DSN from") {
				r.Look = append(r.Look, h.Host+": the address of the database comes from another place: plan sees whether the database moves")
			}
		}
	}
	r.NoteLater(after.Topology)
	return r, nil
}
