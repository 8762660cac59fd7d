// Package opsworks turns what AWS OpsWorks said of a stack, as JSON of its
// hosts, as custom JSON, or as the output of aws opsworks describe-…, into a
// stack of plonec's, with a report of what changed and what is left to decide.
//
// It is pure: texts go in, texts come out. No value of a secret is in the
// stack or the report.
package opsworks

import (
	"slices"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/draft"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// ReportFile is the report that a migration writes.
const ReportFile = "MIGRATION.md"

// What a migration is made of.
type (
	Migration = draft.Draft
	Secret    = draft.Secret
	Finding   = draft.Finding
	Report    = draft.Report
)

// Convert reads the files and writes a stack. The Migration is nil where the
// list has errors.
func Convert(files []*diag.File) (*Migration, diag.List) {
	in, list := read(files)
	if list.Errors() > 0 {
		return nil, list
	}
	c := &converter{in: in, notes: map[string][]string{}, secure: map[string]bool{}}
	c.report.Sources = in.sources
	c.gather()
	c.tree = c.clean(schema.Root(), c.tree, nil)
	c.mend()
	c.layersDo()
	c.complete()
	c.keepSecrets()
	c.decide()
	return &Migration{
		Title: "What became of OpsWorks' stack", By: "plonec init --from-opsworks", OnSecrets: " Replace the secrets that OpsWorks had by new ones.",
		Stack: draft.Write([]string{
			printable(c.title()) + ": a stack for plonec, made from OpsWorks' JSON by plonec init.",
			"What changed, and what is left to decide: " + ReportFile + ". What an attribute means: plonec explain NAME.",
		}, c.tree, c.notes, abouts),
		Secrets: c.secrets, Report: c.report, Left: c.left(),
	}, list
}

// A converter is the state of one migration: the stack as it grows, and what
// there is to say of it.
type converter struct {
	in      *sources
	hosts   []*host
	tree    *input.Node
	notes   map[string][]string // comments before an attribute, by its key
	secure  map[string]bool     // variables that OpsWorks kept secret, by key
	secrets []Secret
	report  Report
	asked   []Finding // decisions that were found on the way, in their order
}

// title is what the stack was called.
func (c *converter) title() string {
	if s := str(c.tree.Lookup("opsworks", "stack"), "name"); s != "" {
		return s
	}
	return "Plone"
}

// note puts a comment before an attribute.
func (c *converter) note(path []string, text string) {
	if k := draft.Key(path); !slices.Contains(c.notes[k], text) {
		c.notes[k] = append(c.notes[k], text)
	}
}

func (c *converter) changed(path []string, text string) {
	c.report.Changed = append(c.report.Changed, Finding{Path: show(path), Text: text})
}

func (c *converter) dropped(path []string, why string) {
	c.report.Dropped = append(c.report.Dropped, Finding{Path: show(path), Text: why})
}

// ask adds something that a person has to decide.
func (c *converter) ask(path, text, remedy string) {
	if f := (Finding{Path: path, Text: text, Remedy: remedy}); !slices.Contains(c.asked, f) {
		c.asked = append(c.asked, f)
	}
}

// judge is what plonec check would say of the stack as it is now.
func (c *converter) judge() (*schema.Decoded, diag.List) {
	d, list := schema.Load(c.tree)
	_, more := topology.Resolve(d)
	return d, append(list, more...)
}

// left are the errors that nothing mended.
func (c *converter) left() diag.List {
	_, list := c.judge()
	var errors diag.List
	for _, d := range list.Sorted() {
		if d.Severity() == diag.Error {
			d.Span = diag.Span{} // of a file that is not the stack
			errors.Add(d)
		}
	}
	return errors
}

// show is a path as people read it.
func show(path []string) string {
	s := ""
	for _, p := range path {
		if i, ok := index(p); ok {
			s = diag.JoinIndex(s, i)
			continue
		}
		s = diag.JoinKey(s, p)
	}
	return s
}
