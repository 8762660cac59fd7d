package schema

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/plonec/plonec/input"
)

// Root is the tree of all attributes; its Fields are the top-level keys.
func Root() *Attr { return compile().root }

// Lookup finds an attribute by its path: deploy.<app>.scm.repository, or with
// a name in the place of <app>. Aliases are found too.
func Lookup(path string) *Attr {
	a := Root()
	for _, key := range strings.Split(path, ".") {
		name, list := strings.CutSuffix(key, "[]")
		below := a.Field(name)
		if below == nil && a.Item != nil {
			below = a.Item.Field(name)
		}
		if below != nil && list {
			below = below.Item
		}
		if below == nil {
			return nil
		}
		a = below
	}
	return a
}

// Explain says in a few lines what an attribute is, or what is near the path
// where there is no such attribute; ok is false then.
func Explain(path string) (text string, ok bool) {
	a := Lookup(strings.Trim(path, "."))
	if a == nil {
		return missing(path), false
	}
	var b strings.Builder
	fmt.Fprintln(&b, a.Path)
	if a.Doc != "" {
		fmt.Fprintf(&b, "    %s\n", a.Doc)
	}
	for _, row := range a.rows() {
		fmt.Fprintf(&b, "%-11s %s\n", row[0], row[1])
	}
	for _, below := range a.below() {
		first, _, _ := strings.Cut(below.Doc, ". ")
		fmt.Fprintf(&b, "  %s: %s\n", below.Name, strings.TrimSuffix(first, "."))
	}
	return b.String(), true
}

func missing(path string) string {
	parts := strings.Split(path, ".")
	last := parts[len(parts)-1]
	paths := compile().paths()
	at := paths[last]
	if near := nearest(last, sortedKeys(paths)); len(at) == 0 && near != "" {
		at = paths[near]
	}
	if len(at) == 0 {
		return "no attribute is called " + path
	}
	return "no attribute is called " + path + "; did you mean " + strings.Join(at, " or ") + "?"
}

// rows are what there is to say about an attribute, as pairs.
func (a *Attr) rows() [][2]string {
	rows := [][2]string{{"type", a.Type}}
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, [2]string{name, value})
		}
	}
	add("default", a.DefaultText())
	add("shows in", a.Shows)
	add("also called", strings.Join(a.Aliases, ", "))
	if a.Secret {
		add("secret", "it never enters the tree")
	}
	if a.Into != "" {
		add("sets", "the defaults of "+a.Into)
	}
	add("deprecated", a.Deprecated)
	if a.Later != "" {
		add("not yet", "nothing renders "+a.Later+" so far")
	}
	if a.Sent {
		add("effect", "none: it is known because OpsWorks or the cookbook had it")
	}
	return rows
}

// below are the attributes of a map that are worth listing.
func (a *Attr) below() []*Attr {
	from := a
	switch {
	case len(a.Fields) > 0:
	case a.Elem != nil:
		from = a.Elem
	case a.Item != nil:
		from = a.Item
	}
	if from.Secret || from.def == "#EnvValue" {
		return nil
	}
	var kept []*Attr
	for _, f := range from.Fields {
		if !f.Sent {
			kept = append(kept, f)
		}
	}
	return kept
}

// DefaultText is the default as JSON or in words, empty where there is none.
func (a *Attr) DefaultText() string {
	if a.Default == nil {
		return a.Derived
	}
	return toJSON(a.Default)
}

// toJSON writes a value on one line.
func toJSON(n *input.Node) string {
	switch n.Kind {
	case input.String:
		return quoteJSON(n.Text)
	case input.List:
		var items []string
		for _, item := range n.Items {
			items = append(items, toJSON(item))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case input.Map:
		var fields []string
		for _, f := range n.Fields {
			fields = append(fields, quoteJSON(f.Key)+": "+toJSON(f.Value))
		}
		return "{" + strings.Join(fields, ", ") + "}"
	case input.Null:
		return "null"
	}
	return n.Text
}

func quoteJSON(s string) string {
	b, _ := json.Marshal(s) // a string always marshals
	return string(b)
}
