package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/graph"
	"github.com/plonec/plonec/internal/regular"
	"github.com/plonec/plonec/internal/terminal"
)

func graphCommand(v *verb, c *cobra.Command) {
	var f stackFlags
	var out string
	c.Short = "draw the topology as Mermaid, DOT or SVG"
	c.Long = `Graph draws the path of a request through the stack, from left to right: the
visitors, the front ends, the clients, and what they keep their data in, each
with its hosts, addresses and ports. A host that is not online is dashed, and no
line leads to it.

Mermaid is for a block in Markdown, DOT for Graphviz; SVG is a finished picture for
light and dark backgrounds. Without --format the ending of the file decides (.mmd,
.dot, .svg); without a file it is Mermaid.`
	c.Example = `  plonec graph stack.json -o stack.svg
  plonec graph stack.json --format dot | dot -Tpdf -o stack.pdf`
	f.addArguments(c.Flags())
	c.Flags().StringVar(&f.Tree, "tree", "build", "folder of the compiled `tree`, which names the STACK where none is given")
	v.format, c.Flags().Lookup("format").DefValue = "", "" // the file's ending may say it
	c.Flags().StringVarP(&out, "out", "o", "", "write to this `file`, not to standard output")
	c.RunE = func(c *cobra.Command, args []string) error {
		as, err := graphFormat(v.format, out)
		if err != nil {
			return err
		}
		return f.compiling(v, "no picture", func(r *reporter, built *compile.Built, diags diag.List) error {
			g := graph.New(built.Topology)
			if leaks := compile.InTexts(g.Texts(), "the picture would show", built.Secrets); len(leaks) > 0 {
				return r.finish(append(diags, leaks...), "no picture", result{})
			}
			if err := r.finish(diags, "", result{}); err != nil {
				return err
			}
			picture := as.Write(g)
			if out == "" {
				_, err := r.stdout.Write(picture)
				return err
			}
			if err := regular.Write(out, picture, 0o644); err != nil {
				return err
			}
			fmt.Fprintf(r.stdout, "%s: %s\n", terminal.Printable(out), g.Summary)
			return nil
		})(c, args)
	}
}

// graphFormat is the language of a picture: the one that is named, else that of
// the file's ending.
func graphFormat(name, file string) (graph.Format, error) {
	var names, endings []string
	ending := strings.ToLower(filepath.Ext(file))
	for _, f := range graph.Formats {
		if name == f.Name || name == "" && (file == "" || slices.Contains(f.Endings, ending)) {
			return f, nil
		}
		names, endings = append(names, f.Name), append(endings, f.Endings...)
	}
	return graph.Format{}, fmt.Errorf("%s: its extension does not give the format: give --format %s, or one of %s", file, strings.Join(names, ", "), strings.Join(endings, " "))
}
