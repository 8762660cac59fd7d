package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/git"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/words"
)

func buildCommand(v *verb, c *cobra.Command) {
	var f stackFlags
	var check bool
	c.Short = "compile a stack into a tree"
	c.Long = `Build compiles a stack into a tree: for each host the files that it needs, in
their places, and a manifest. Files that are no longer generated are removed;
files whose content is right are not touched. If the stack has an error, nothing
is written.`
	c.Example = `  plonec build stack.json
  plonec build stack.json production.json -o build
  plonec build --check`
	f.add(c.Flags())
	c.Flags().BoolVar(&check, "check", false, "write nothing, fail where the tree is stale")
	const outcome = "nothing written"
	c.RunE = f.judging(v, outcome, func(out *reporter, judged *compile.Judged, diags diag.List) error {
		stage, err := f.stage(check)
		if err != nil {
			return err
		}
		defer stage.Close()
		b, more, err := f.bring(stage, judged, check)
		if err != nil {
			return err
		}
		if diags = append(diags, more...); b == nil {
			return out.finish(diags, outcome, result{})
		}
		if diags, err = idle(judged, diags); err != nil {
			return err
		}
		hosts, changes := len(judged.Topology.Hosts), b.changes
		left, writer := b.left, ""
		if b.before != nil && b.before.Plonec != release {
			writer = b.before.Plonec
		}
		err = out.finish(diags, "", result{
			Hosts: hosts, Files: b.files,
			Added: changes.Added, Changed: changes.Changed, Removed: changes.Removed, Foreign: changes.Foreign,
			Left: left, WrittenBy: writer,
		})
		if err != nil {
			return err
		}
		if out.people() {
			printChanges(out.stdout, changes, 20)
			if len(left) > 0 {
				fmt.Fprintf(out.stderr, "plonec: note: %s\n", terminal.PrintableLines(farewell(left, f.Tree)))
			}
			if !check || changes.None() {
				fmt.Fprintf(out.stdout, "%s: %s\n", terminal.Printable(f.Tree), summary(hosts, b.files, changes))
			}
		}
		if check && len(changes.Foreign) > 0 {
			return fmt.Errorf("%s holds files that no build made (marked ?): remove them", f.Tree)
		}
		if check && !changes.None() {
			return errors.New(stale(f.Tree, b.before, writer))
		}
		return stage.Close()
	})
}

// stage is where a build puts what it renders, or a check of the tree.
func (f *stackFlags) stage(check bool) (*tree.Stage, error) {
	if _, err := git.Around(f.Tree); err != nil {
		return nil, err
	}
	if check {
		return tree.Against(f.Tree), nil
	}
	if err := git.WritesThrough(f.Tree); err != nil {
		return nil, err
	}
	return tree.Begin(f.Tree)
}

// A brought is what became of a tree.
type brought struct {
	files   int // README.md and the manifest too
	changes *tree.Changes
	before  *tree.Manifest // that the tree had; nil: none, or the same
	left    []string       // hosts that are no longer in it
}

// bring renders into a stage and finishes it. It is nil where the list has errors.
func (f *stackFlags) bring(stage *tree.Stage, judged *compile.Judged, check bool) (*brought, diag.List, error) {
	if !check { // which looks for what else lies there, too
		if names := stage.Recorded(judged.Key, judged.Readme); names != nil {
			return &brought{files: len(names), changes: &tree.Changes{Same: len(names)}}, nil, refuseIgnored(f.Tree, names)
		}
	}
	built, diags, err := judged.Render(stage.Put)
	if built == nil {
		return nil, diags, err
	}
	names := built.Tree.Manifest.Names()
	if err := refuseIgnored(f.Tree, names); err != nil {
		return nil, nil, err
	}
	changes, err := stage.Finish(built.Tree)
	if err != nil {
		return nil, nil, err
	}
	if !check {
		stage.Remember(judged.Key, built.Tree)
	}
	before := stage.Earlier()
	return &brought{len(names), changes, before, leaving(before, built.Tree.Manifest)}, nil, nil
}

// stale says why a tree is not what its stack gives, as far as that is known,
// and how to mend it; before is its manifest, writer the plonec that wrote it
// where that was another.
func stale(dir string, before *tree.Manifest, writer string) string {
	command := "plonec build"
	if dir != "build" {
		command += " -o " + dir
	}
	_, err := os.Stat(filepath.Join(dir, tree.ManifestName))
	switch {
	case err != nil:
		return fmt.Sprintf("%s has no tree: run %s and commit it", dir, command)
	case before == nil: // what is no manifest at all was an error before
		return fmt.Sprintf("%s is in conflict: run %s and commit what it makes", filepath.Join(dir, tree.ManifestName), command)
	case writer == "":
		return fmt.Sprintf("%s is stale: run %s and commit it", dir, command)
	}
	return fmt.Sprintf(`%s is stale: plonec %s wrote it, and this is plonec %s
  the differences may come from that and not from the stack
  to switch to %s: run %s with it, review what changes, and commit it
  to stay with %s: %s`, dir, writer, release, release, command, writer, installing(writer))
}

func summary(hosts, files int, c *tree.Changes) string {
	return fmt.Sprintf("%s, %s: %d new, %d changed, %d removed",
		words.Count(hosts, "host"), words.Count(files, "file"), len(c.Added), len(c.Changed), len(c.Removed))
}

// printChanges shows one line a file, up to limit of them: hosts' own files
// first. Those that are the same on every host are one line.
func printChanges(w io.Writer, c *tree.Changes, limit int) {
	shown := 0
	var common []string
	for _, list := range []struct {
		mark  string
		paths []string
	}{{"+", c.Added}, {"~", c.Changed}, {"-", c.Removed}, {"?", c.Foreign}} {
		var shared []string
		for _, p := range list.paths {
			if strings.HasPrefix(p, "common/") {
				shared = append(shared, p)
				continue
			}
			if shown < limit {
				fmt.Fprintf(w, "%s %s\n", list.mark, terminal.Printable(p))
			}
			shown++
		}
		switch len(shared) {
		case 0:
		case 1:
			common = append(common, list.mark+" "+shared[0])
		default:
			common = append(common, fmt.Sprintf("%s common/ (%s, the same on every host)", list.mark, words.Count(len(shared), "file")))
		}
	}
	if shown > limit {
		fmt.Fprintf(w, "  … %d more\n", shown-limit)
	}
	for _, line := range common {
		fmt.Fprintln(w, terminal.Printable(line))
	}
}

// leaving are the hosts of an earlier tree that a new one has not.
func leaving(before, next *tree.Manifest) []string {
	if before == nil {
		return nil
	}
	stays := map[string]bool{}
	for _, h := range next.Hosts {
		stays[h.Name] = true
	}
	var names []string
	for _, h := range before.Hosts {
		if !stays[h.Name] {
			names = append(names, h.Name)
		}
	}
	return names
}

// farewell says what becomes of hosts that leave the tree; dir is the tree's
// folder.
func farewell(names []string, dir string) string {
	where, list := "", strings.Join(names, ",")
	if dir != "build" {
		where = " --tree " + dir
	}
	it, goes := "it", "leaves the tree and goes"
	if len(names) > 1 {
		it, goes = "them", "leave the tree and go"
	}
	return fmt.Sprintf(`%s %s on as before: nothing stops %s, and no command reaches %s any more
  to retire %s, stop and undeploy first, with the tree of before:
    plonec drain%s %s
    plonec stop --all%s --host %s
    plonec undeploy --all%s --host %s`, strings.Join(names, ", "), goes, it, it, it, where, strings.Join(names, " "), where, list, where, list)
}
