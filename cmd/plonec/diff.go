package main

import (
	"cmp"
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
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/tree"
)

// diffFormat is the version of the layout of diff --format json.
const diffFormat = 1

func diffCommand() *cobra.Command {
	var f stackFlags
	var against string
	var exitCode, full, noDiff bool
	var limit int
	c := &cobra.Command{
		Use:   "diff [STACK...]",
		Short: "show what a change of the stack does to which host",
		Long: `Diff compiles the stack and compares it with an earlier tree: which lines of the
stack changed, what apply and deploy will do about it on which host, what people
would notice, and the differences of the files. It reads no host and no secret:
plan does.

It compares with the tree on disk, as a build would change it; with --against
with what a git revision holds. Of one that is not behind the work here that is
where the two parted: --against origin/main shows what a pull request changes.
Another tree is named by a path that begins with /, ./ or ../; any other name is
a revision, whatever folder is called so.`,
		Example: `  plonec diff
  plonec diff --against origin/main
  plonec diff --against origin/main --format markdown`,
	}
	f.add(c.Flags())
	c.Flags().Lookup("format").Usage = "`text`, json or markdown"
	c.Flags().StringVar(&against, "against", "", "a git `revision`, or the folder of another tree as ./FOLDER")
	c.Flags().BoolVar(&exitCode, "exit-code", false, "exit with status 2 where anything changes")
	c.Flags().BoolVar(&full, "full", false, "show long differences to their end")
	c.Flags().BoolVar(&noDiff, "no-diff", false, "name the files that change, without their differences")
	c.Flags().IntVar(&limit, "limit", maxComment, "how many `bytes` of markdown to write: differences are cut, consequences never")
	c.RunE = func(c *cobra.Command, args []string) error {
		format := f.format
		if !slices.Contains([]string{"text", "json", "markdown"}, format) {
			return fmt.Errorf("unknown --format %q: text, json or markdown", format)
		}
		if against == "" && c.Flags().Changed("against") {
			return errors.New("--against is empty: give a git revision, or the folder of a tree")
		}
		out, err := newReporter(c, "text")
		if err != nil {
			return err
		}
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
		r.color, r.full, r.noDiff, r.limit = useColor(out.stdout), full, noDiff, limit
		var text string
		switch format {
		case "json":
			text = asJSON(r)
		case "markdown":
			text = r.markdown()
		default:
			text = r.text()
		}
		if _, err := fmt.Fprint(out.stdout, text); err != nil {
			return err
		}
		if exitCode && r.changed() {
			return &status{exitChanges, ""}
		}
		return nil
	}
	return c
}

// A diffReport says what a change of the stack does.
type diffReport struct {
	Format int    `json:"format"`
	Before string `json:"before"`
	After  string `json:"after"`
	Plonec struct {
		Before string `json:"before,omitempty"`
		After  string `json:"after"`
	} `json:"plonec"` // releases
	Set    []setJSON `json:"set,omitempty"` // of explain --set, in place of Causes
	Causes []cause   `json:"causes,omitempty"`
	// Unknown is why it is not known what of this the stack asks for; empty: Causes
	// is all of it.
	Unknown string           `json:"causes_unknown,omitempty"`
	All     *plan.Comparison `json:"effects"`
	Look    []string         `json:"look"`
	Later   []string         `json:"later"` // what is seen only when it is done
	// Stale says that the tree on disk, which is not compared, is not what the stack
	// gives; empty where it is, and where there is none.
	Stale string `json:"stale,omitempty"`
	// Plain is what changes without a change of the stack, since another plonec
	// built the tree; nil: nothing.
	Plain *plan.Comparison `json:"not_from_the_stack,omitempty"`

	stack  *plan.Comparison // what the stack's own changes make
	tree   string           // its folder
	color  bool
	full   bool
	noDiff bool
	limit  int
}

// notOfTheStack says that a tree on disk is not what a stack gives; empty where it
// is, and where there is none.
func notOfTheStack(built *compile.Built, dir string) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, tree.ManifestName)); err != nil {
		return "", nil
	}
	changes, err := built.Tree.Compare(dir)
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
func compare(before *side, after *compile.Built, o *compile.Options, work string) (*diffReport, error) {
	r := &diffReport{Format: diffFormat, Before: before.label, After: "the stack", Causes: []cause{}, Look: []string{}, Later: []string{}, Unknown: before.unknown, tree: o.Tree}
	r.Plonec.After = release
	disk, err := onDisk(after, filepath.Join(work, "after"))
	if err != nil {
		return nil, err
	}
	if r.All, err = plan.Compare(before.disk, disk); err != nil {
		return nil, err
	}
	r.stack = r.All
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
			if r.stack, err = plan.Compare(rebuilt, disk); err != nil {
				return nil, err
			}
		}
		r.Look = append(r.Look, looks(before.built.Topology, after.Topology)...)
		r.All.Outage = outages(r.All.Outage, before.built.Topology, after.Topology)
	}
	if before.disk != nil {
		faults, err := before.disk.Faults()
		if err != nil {
			return nil, err
		}
		for _, f := range faults {
			r.Look = append(r.Look, before.label+": "+f+"; what is said here begins from the manifest")
		}
		r.Look = append(r.Look, plainSecrets(r.Causes, disk.Manifest)...)
		r.Look = append(r.Look, reached(before.disk.Manifest.Hosts, disk.Manifest.Hosts)...)
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
	r.later(after)
	return r, nil
}

// changed tells whether anything does.
func (r *diffReport) changed() bool {
	return len(r.All.New)+len(r.All.Gone)+len(r.Look) > 0 || slices.ContainsFunc(r.All.Hosts, func(h plan.HostPlan) bool { return len(h.Files) > 0 }) ||
		slices.ContainsFunc(r.All.Absent, func(l plan.Leaver) bool { return l.Files > 0 })
}

// later says what a comparison of trees cannot know.
func (r *diffReport) later(after *compile.Built) {
	if !r.changed() {
		return
	}
	var revisions []string
	for _, app := range r.All.Apps {
		if slices.ContainsFunc(r.All.Hosts, func(h plan.HostPlan) bool {
			return slices.ContainsFunc(h.Deploy, func(a plan.AppPlan) bool { return a.App == app })
		}) {
			revisions = append(revisions, revisionOf(after.Topology, app)+" of "+app)
		}
	}
	if len(revisions) > 0 {
		r.Later = append(r.Later, "whether "+strings.Join(revisions, ", ")+" leads to another commit: deploy sees it")
	}
	for _, h := range r.All.Hosts {
		if slices.ContainsFunc(h.Files, func(f plan.FileChange) bool { return f.Secret }) {
			r.Later = append(r.Later, "whether the value of a secret is another: plan --secrets sees it")
			break
		}
	}
}

// revisionOf is the revision of an app's repository.
func revisionOf(t *topology.Topology, app string) string {
	for _, h := range t.Hosts {
		for _, a := range h.Apps {
			if a.Name == app {
				return cmp.Or(a.Config.SCM.Revision, "HEAD")
			}
		}
	}
	return ""
}
