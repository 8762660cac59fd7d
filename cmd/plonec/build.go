package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
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
	c.Long = `Build compiles a stack into a tree: for each host the files that it needs, at
their places, and a manifest. Files that are no longer generated are removed;
files whose content is right are not touched. Where the stack has an error
nothing is written.`
	c.Example = `  plonec build stack.json
  plonec build stack.json production.json -o build
  plonec build --check`
	f.add(c.Flags())
	c.Flags().BoolVar(&check, "check", false, "write nothing, fail where the tree is stale")
	c.RunE = f.compiling(v, "nothing written", func(out *reporter, built *compile.Built, diags diag.List) error {
		if err := refuseIgnored(f.Tree, built.Tree.Manifest); err != nil {
			return err
		}
		work := built.Tree.Write
		if check {
			work = built.Tree.Compare
		} else if err := git.WritesThrough(f.Tree); err != nil {
			return err
		}
		before := earlier(f.Tree)
		left, writer := leaving(before, built.Tree.Manifest), ""
		if before != nil && before.Plonec != release {
			writer = before.Plonec
		}
		changes, err := work(f.Tree)
		if err != nil {
			return err
		}
		err = out.finish(diags, "", result{
			Hosts: len(built.Topology.Hosts), Files: len(built.Tree.Manifest.Files),
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
				fmt.Fprintf(out.stdout, "%s: %s\n", f.Tree, summary(built, changes))
			}
		}
		if check && len(changes.Foreign) > 0 {
			return fmt.Errorf("%s holds what no build made (marked ?): remove it, or it would be pushed by hand one day", f.Tree)
		}
		if check && !changes.None() {
			return errors.New(stale(f.Tree, before, writer))
		}
		return nil
	})
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
		return fmt.Sprintf("there is no tree in %s: run %s and commit it", dir, command)
	case before == nil: // what is no manifest at all was an error before
		return fmt.Sprintf("%s is in conflict: run %s and commit what it makes", filepath.Join(dir, tree.ManifestName), command)
	case writer == "":
		return fmt.Sprintf("%s is stale: run %s and commit it", dir, command)
	}
	return fmt.Sprintf(`%s is stale: plonec %s wrote it, and this is plonec %s
  what differs may come from that, and not from the stack
  to go on with %s: run %s with it, review what changes, and commit it
  to stay with %s: %s`, dir, writer, release, release, command, writer, installing(writer))
}

func summary(b *compile.Built, c *tree.Changes) string {
	return fmt.Sprintf("%s, %s: %d new, %d changed, %d removed",
		words.Count(len(b.Topology.Hosts), "host"), words.Count(len(b.Tree.Manifest.Files)+2, "file"), // README.md and the manifest too
		len(c.Added), len(c.Changed), len(c.Removed))
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
				fmt.Fprintf(w, "%s %s\n", list.mark, p)
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
		fmt.Fprintln(w, line)
	}
}

// earlier is the manifest of the tree in dir; nil where there is none that can
// be read.
func earlier(dir string) *tree.Manifest {
	data, err := tree.ReadManifest(dir)
	if err != nil {
		return nil
	}
	m, err := tree.Parse(data)
	if err != nil {
		return nil
	}
	return m
}

// leaving are the hosts of an earlier tree that a new one has not.
func leaving(before, next *tree.Manifest) []string {
	if before == nil {
		return nil
	}
	var names []string
	for _, h := range before.Hosts {
		if !slices.ContainsFunc(next.Hosts, func(n tree.Host) bool { return n.Name == h.Name }) {
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
