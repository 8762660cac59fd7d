package opsworks

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"

	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/schema"
)

// write writes the stack as CUE, which has comments and texts of several
// lines: each group under its title, each section under what it is.
func (c *converter) write() []byte {
	w := &writer{notes: c.notes}
	w.line("// "+printable(c.title())+": a stack for plonec, made from OpsWorks' JSON by plonec init.", 0)
	w.line("// What changed, and what is left to decide: "+ReportFile+". What an attribute means: plonec explain NAME.", 0)
	for _, g := range groups {
		titled := false
		for _, name := range g.keys {
			value := c.tree.Get(name)
			if empty(value) {
				continue
			}
			w.b.WriteByte('\n')
			if !titled {
				titled = true
				w.line("// == "+g.title, 0)
				w.b.WriteByte('\n')
			}
			w.comment(cmp.Or(abouts[name], schema.Lookup(name).Doc), 0)
			w.field(name, value, []string{name}, 0)
		}
	}
	return []byte(w.b.String())
}

// title is what the stack was called.
func (c *converter) title() string {
	if s := str(c.tree.Lookup("opsworks", "stack"), "name"); s != "" {
		return s
	}
	return "Plone"
}

// width is how long a line may be that says all of a map.
const width = 120

type writer struct {
	b     strings.Builder
	notes map[string][]string
}

func (w *writer) line(s string, depth int) {
	w.b.WriteString(strings.Repeat("\t", depth) + s + "\n")
}

// comment wraps a text into lines of comment.
func (w *writer) comment(s string, depth int) {
	line := "//"
	for _, word := range strings.Fields(s) {
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > 90 && line != "//" {
			w.line(line, depth)
			line = "//"
		}
		line += " " + word
	}
	if line != "//" {
		w.line(line, depth)
	}
}

func (w *writer) field(name string, n *input.Node, path []string, depth int) {
	for _, note := range w.notes[key(path)] {
		w.comment(note, depth)
	}
	label := name
	if ast.StringLabelNeedsQuoting(name) {
		label = literal.String.Quote(name)
	}
	if s := w.short(n, path); s != "" && (len(path) > 1 || n.Kind != input.Map) && len(label)+2+len(s)+8*depth <= width {
		w.line(label+": "+s, depth)
		return
	}
	w.b.WriteString(strings.Repeat("\t", depth) + label + ": ")
	w.value(n, path, depth)
	w.b.WriteByte('\n')
}

// value writes what does not fit on its line.
func (w *writer) value(n *input.Node, path []string, depth int) {
	switch n.Kind {
	case input.Map:
		w.b.WriteString("{\n")
		for _, f := range n.Fields {
			w.field(f.Key, f.Value, append(slices.Clip(path), f.Key), depth+1)
		}
		w.b.WriteString(strings.Repeat("\t", depth) + "}")
	case input.List:
		w.b.WriteString("[\n")
		for i, item := range n.Items {
			here := append(slices.Clip(path), indexStep(i))
			w.b.WriteString(strings.Repeat("\t", depth+1))
			if s := w.short(item, here); s != "" && len(s)+8*depth <= width {
				w.b.WriteString(s)
			} else {
				w.value(item, here, depth+1)
			}
			w.b.WriteString(",\n")
		}
		w.b.WriteString(strings.Repeat("\t", depth) + "]")
	default:
		w.b.WriteString(scalar(n, depth))
	}
}

// short is a value on one line, "" where it has to have several: texts with
// line breaks, maps of maps, what has a comment inside.
func (w *writer) short(n *input.Node, path []string) string {
	var parts []string
	switch n.Kind {
	case input.Map:
		for _, f := range n.Fields {
			here := append(slices.Clip(path), f.Key)
			nested := f.Value.Kind == input.Map && f.Value.Get("$secret") == nil
			s := w.short(f.Value, here)
			if s == "" || nested || len(w.notes[key(here)]) > 0 {
				return ""
			}
			label := f.Key
			if ast.StringLabelNeedsQuoting(label) {
				label = literal.String.Quote(label)
			}
			parts = append(parts, label+": "+s)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case input.List:
		for i, item := range n.Items {
			s := w.short(item, append(slices.Clip(path), indexStep(i)))
			if s == "" || item.Kind == input.Map && item.Get("$secret") == nil && len(n.Items) > 1 {
				return ""
			}
			parts = append(parts, s)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	if s := scalar(n, 0); !strings.Contains(s, "\n") {
		return s
	}
	return ""
}

// scalar is CUE's text of a value. A text of several lines is written as such.
func scalar(n *input.Node, depth int) string {
	switch n.Kind {
	case input.String:
		return literal.String.WithOptionalTabIndent(depth + 1).Quote(n.Text)
	case input.Null:
		return "null"
	}
	return n.Text
}
