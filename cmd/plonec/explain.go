package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/diag"
	"github.com/plonec/plonec/schema"
)

func explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [ATTRIBUTE or CODE]",
		Short: "what an attribute or a diagnostic means",
		Long: `Explain tells what an attribute does, its type, default and place, or what a
diagnostic means and how to mend it. Without an argument it lists the codes of
all diagnostics.`,
		Example: `  plonec explain plone_instances.per_cpu
  plonec explain haproxy
  plonec explain wrong-type`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("plonec explain takes one attribute or code, and was given %s", strings.Join(args, " "))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			out := c.OutOrStdout()
			if len(args) == 0 {
				for _, name := range slices.Sorted(maps.Keys(diag.Codes)) {
					fmt.Fprintf(out, "%-20s %s: %s\n", name, diag.Codes[name].Severity, diag.Codes[name].Title)
				}
				return nil
			}
			if code, ok := diag.Codes[args[0]]; ok {
				explainCode(out, args[0], code)
				return nil
			}
			text, ok := schema.Explain(args[0])
			if !ok {
				return fmt.Errorf("%s; plonec explain lists the codes", text)
			}
			_, err := io.WriteString(out, text)
			return err
		},
	}
}

func explainCode(w io.Writer, name string, code diag.Code) {
	fmt.Fprintf(w, "%s[%s]: %s\n\n%s\n", code.Severity, name, code.Title, wrap(code.Mend))
}

// wrap breaks a paragraph into lines of at most 78 characters.
func wrap(text string) string {
	var b strings.Builder
	col := 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case col == 0:
		case col+1+n > 78:
			b.WriteString("\n")
			col = 0
		default:
			b.WriteString(" ")
			col++
		}
		b.WriteString(word)
		col += n
	}
	return b.String()
}
