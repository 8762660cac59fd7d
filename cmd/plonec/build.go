package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/diag"
	"github.com/plonec/plonec/tree"
)

func buildCommand() *cobra.Command {
	var f stackFlags
	var check bool
	c := &cobra.Command{
		Use:   "build [STACK...]",
		Short: "compile a stack into a tree",
		Long: `Build compiles a stack into a tree: for each host the files that it needs, at
their places, and a manifest. Files that are no longer generated are removed;
files whose content is right are not touched. Where the stack has an error
nothing is written.`,
		Example: `  plonec build stack.json
  plonec build stack.json production.json -o build
  plonec build --check`,
	}
	f.add(c.Flags())
	c.Flags().BoolVar(&check, "check", false, "write nothing, fail where the tree is stale")
	c.RunE = f.compiling("nothing written", func(out *reporter, built *compiled, diags diag.List) error {
		work := built.tree.Write
		if check {
			work = built.tree.Compare
		}
		changes, err := work(f.tree)
		if err != nil {
			return err
		}
		err = out.finish(diags, "", result{
			Hosts: len(built.topology.Hosts), Files: len(built.tree.Manifest.Files),
			Added: changes.Added, Changed: changes.Changed, Removed: changes.Removed, Foreign: changes.Foreign,
		})
		if err != nil {
			return err
		}
		if !out.json {
			printChanges(out.stdout, changes, 20)
			if !check || changes.None() {
				fmt.Fprintf(out.stdout, "%s: %s\n", f.tree, summary(built, changes))
			}
		}
		if check && len(changes.Foreign) > 0 {
			return fmt.Errorf("%s holds what no build made (marked ?): remove it, or it would be pushed by hand one day", f.tree)
		}
		if check && !changes.None() {
			return fmt.Errorf("%s is stale: run plonec build and commit it", f.tree)
		}
		return nil
	})
	return c
}

func summary(b *compiled, c *tree.Changes) string {
	return fmt.Sprintf("%s, %s: %d new, %d changed, %d removed",
		count(len(b.topology.Hosts), "host"), count(len(b.tree.Manifest.Files)+2, "file"), // README.md and the manifest too
		len(c.Added), len(c.Changed), len(c.Removed))
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// printChanges shows one line a file, up to limit of them.
func printChanges(w io.Writer, c *tree.Changes, limit int) {
	shown := 0
	for _, list := range []struct {
		mark  string
		paths []string
	}{{"+", c.Added}, {"~", c.Changed}, {"-", c.Removed}, {"?", c.Foreign}} {
		for _, p := range list.paths {
			if shown < limit {
				fmt.Fprintf(w, "%s %s\n", list.mark, p)
			}
			shown++
		}
	}
	if shown > limit {
		fmt.Fprintf(w, "  … %d more\n", shown-limit)
	}
}
