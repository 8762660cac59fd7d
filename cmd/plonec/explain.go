package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/schema"
)

func explainCommand(v *verb, c *cobra.Command) {
	var f explainFlags
	c.Short = "explain an attribute or a diagnostic, or what a change would do"
	c.Long = `Explain says what an attribute or a group of them does, its type, default and other
names, and which files show it; or what a diagnostic means and how to fix it.
Without an argument it lists the groups and the codes of all diagnostics.

Given a STACK, or where this folder has one, it also says where the stack sets the
attribute, and which files of which hosts show it. It finds that out by compiling
the stack with other values, in memory.

With --set it shows what a change would do to the files, and changes nothing. The
value is read as JSON, or else as plain text; null removes what is set. Several
--set make one change.`
	c.Example = `  plonec explain plone_instances.per_cpu
  plonec explain plone_instances stack.json
  plonec explain wrong-type
  plonec explain --set plone_instances.per_cpu=2 --set plone_instances.zserver_threads=3`
	f.add(c.Flags())
	c.Flags().StringArrayVar(&f.set, "set", nil, "show what `ATTRIBUTE=VALUE` would change")
	c.Flags().BoolVar(&f.full, "full", false, "with --set: show each difference in full")
	c.RunE = func(c *cobra.Command, args []string) error {
		out := newReporter(c, v.format)
		if len(f.set) > 0 {
			if len(args) > 0 && (schema.Lookup(args[0]) != nil || diag.Codes[args[0]].Title != "") {
				return fmt.Errorf("plonec explain takes an attribute or --set, not both, but was given %s", args[0])
			}
			return f.effect(out, args)
		}
		if len(args) == 0 {
			return explainAll(out)
		}
		if code, ok := diag.Codes[args[0]]; ok {
			if len(args) > 1 {
				return fmt.Errorf("a code is explained without a STACK, but was given %s", strings.Join(args[1:], " "))
			}
			return explainCode(out, args[0], code)
		}
		a := schema.Lookup(args[0])
		if a == nil {
			return errors.New(schema.NotFound(args[0], slices.Sorted(maps.Keys(diag.Codes))))
		}
		where, err := f.where(out, args[0], args[1:])
		if err != nil {
			return err
		}
		if err := explainAttribute(out, a, where); err != nil || where == nil || where.Broken == 0 || len(args) < 2 {
			return err
		}
		return &status{exitError, ""} // of a stack that was named
	}
}

// explainFlags are the flags of explain.
type explainFlags struct {
	stackFlags
	set  []string
	full bool
}

// codeJSON and attributeJSON are what explain prints with --format json.
type codeJSON struct {
	Code     string `json:"code"`
	Severity string `json:"severity"`
	Title    string `json:"title"`
	Mend     string `json:"mend"`
}

type attributeJSON struct {
	Attribute  string          `json:"attribute"`
	Doc        string          `json:"doc,omitempty"`
	Type       string          `json:"type"`
	Default    string          `json:"default,omitempty"` // JSON, or words where it follows from other attributes
	Shows      string          `json:"shows_in,omitempty"`
	Aliases    []string        `json:"aliases,omitempty"`
	Deprecated string          `json:"deprecated,omitempty"`
	Secret     bool            `json:"secret,omitempty"`
	Below      []attributeJSON `json:"below,omitempty"`
	*whereItShows
}

func explainAll(out *reporter) error {
	var groups []attributeJSON
	var codes []codeJSON
	for _, a := range schema.Root().Below() {
		groups = append(groups, asAttribute(a))
	}
	for _, name := range slices.Sorted(maps.Keys(diag.Codes)) {
		codes = append(codes, asCode(name, diag.Codes[name]))
	}
	if out.json {
		return out.encode(map[string]any{"groups": groups, "codes": codes})
	}
	fmt.Fprint(out.stdout, "Attributes, and groups of them:\n\n")
	for _, g := range groups {
		fmt.Fprintf(out.stdout, "%-23s %s\n", g.Attribute, firstSentence(g.Doc))
	}
	fmt.Fprint(out.stdout, "\nDiagnostics:\n\n")
	for _, code := range codes {
		fmt.Fprintf(out.stdout, "%-20s %s: %s\n", code.Code, code.Severity, code.Title)
	}
	return nil
}

func explainCode(out *reporter, name string, code diag.Code) error {
	if out.json {
		return out.encode(asCode(name, code))
	}
	_, err := fmt.Fprintf(out.stdout, "%s[%s]: %s\n\n%s\n", code.Severity, name, code.Title, wrap(code.Mend, 78))
	return err
}

func explainAttribute(out *reporter, a *schema.Attr, where *whereItShows) error {
	if out.json {
		shown := asAttribute(a)
		for _, below := range a.Below() {
			shown.Below = append(shown.Below, asAttribute(below))
		}
		shown.whereItShows = where
		return out.encode(shown)
	}
	var b strings.Builder
	fmt.Fprintln(&b, a.Path)
	if a.Doc != "" {
		fmt.Fprintf(&b, "    %s\n", strings.ReplaceAll(wrap(a.Doc, 74), "\n", "\n    "))
	}
	for _, row := range a.Rows() {
		fmt.Fprintf(&b, "%-11s %s\n", row[0], row[1])
	}
	where.print(&b)
	for _, below := range a.Below() {
		note := ""
		if below.Deprecated != "" {
			note = " (deprecated)"
		}
		fmt.Fprintf(&b, "  %s: %s%s\n", below.Name, firstSentence(below.Doc), note)
	}
	_, err := io.WriteString(out.stdout, b.String())
	return err
}

func asCode(name string, code diag.Code) codeJSON {
	return codeJSON{name, code.Severity.String(), code.Title, code.Mend}
}

func asAttribute(a *schema.Attr) attributeJSON {
	return attributeJSON{
		Attribute: a.Path, Doc: a.Doc, Type: a.Type, Default: a.DefaultText(), Shows: a.ShownIn(),
		Aliases: a.Aliases, Deprecated: a.Deprecated, Secret: a.Secret,
	}
}

func firstSentence(doc string) string {
	first, _, _ := strings.Cut(doc, ". ")
	return strings.TrimSuffix(first, ".")
}

// wrap breaks a paragraph into lines of at most width characters.
func wrap(text string, width int) string {
	var b strings.Builder
	col := 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case col == 0:
		case col+1+n > width:
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
