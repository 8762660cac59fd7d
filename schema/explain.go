package schema

import (
	"encoding/json"
	"strings"

	"github.com/plonec/plonec/internal/input"
)

// Root is the tree of all attributes; its Fields are the top-level keys.
func Root() *Attr { return compile().root }

// NotFound says that there is no attribute at a path, nor any of the other
// words that might be meant, and what is near.
func NotFound(path string, others []string) string {
	keys, _, _ := splitPath(path)
	last := path
	if len(keys) > 0 {
		last = keys[len(keys)-1].text
	}
	paths := compile().paths()
	at := paths[last]
	if len(at) == 0 {
		if near := Nearest(last, append(sortedKeys(paths), others...)); near != "" {
			if at = paths[near]; len(at) == 0 {
				at = []string{near}
			}
		}
	}
	text := "there is no attribute " + path
	if len(keys) < 2 {
		text = "there is no attribute, group or code " + path
	}
	if len(at) == 0 {
		return text + "; plonec explain lists the groups and the codes"
	}
	return text + "; did you mean " + strings.Join(at[:min(len(at), 5)], " or ") + "?"
}

// Rows are what there is to say about an attribute, as pairs of a few words.
func (a *Attr) Rows() [][2]string {
	rows := [][2]string{{"type", a.Type}}
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, [2]string{name, value})
		}
	}
	add("default", a.DefaultText())
	add("shows in", a.ShownIn())
	add("also called", strings.Join(a.Aliases, ", "))
	if a.Secret {
		add("secret", "it never enters the tree")
	}
	if a.Into != "" {
		add("sets", "the defaults of "+a.Into)
	}
	add("deprecated", a.Deprecated)
	if later := a.NotYet(); later != "" {
		add("not yet", "nothing renders "+later+" so far")
	}
	if a.Sent {
		add("effect", "none: it is known because OpsWorks or the cookbook had it")
	}
	return rows
}

// ShownIn is where it ends up, in words.
func (a *Attr) ShownIn() string { return strings.Join(a.Shows, "; ") }

// Below are the attributes of a map that are worth listing.
func (a *Attr) Below() []*Attr {
	from := a
	switch {
	case len(a.Fields) > 0:
	case a.Elem != nil:
		from = a.Elem
	case a.Item != nil:
		from = a.Item
	}
	if from.takesReference() {
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
