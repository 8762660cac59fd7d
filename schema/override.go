package schema

import (
	"errors"
	"strconv"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// An Override is a value that is laid over a stack, as one more STACK that
// says nothing else would be: a map is merged, what else there was is
// replaced, and null takes it back.
type Override struct {
	Path  []string
	Value *input.Node

	keys []diag.Span
}

// ParseOverride reads ATTRIBUTE=VALUE: the path as diagnostics write it, and
// the value in JSON, or as a text without quotes where it is no JSON or where
// the attribute takes a text alone. order is its place among the files of a
// run, and name what a diagnostic calls it.
func ParseOverride(name, text string, order int) (*Override, error) {
	keys, rest, ok := splitPath(text)
	if !ok || rest == "" {
		return nil, errors.New(`want ATTRIBUTE=VALUE, as in haproxy.fall=5; a key with a point in it in double quotes, as in instances."app1.example.com".cpus=4`)
	}
	file := &diag.File{Name: name, Content: []byte(text), Order: order}
	o := &Override{}
	a := Root()
	for _, k := range keys {
		o.Path = append(o.Path, k.text)
		o.keys = append(o.keys, diag.Span{File: file, Start: k.start, End: k.end})
		if a != nil {
			a = a.at(k.text)
		}
	}
	span := diag.Span{File: file, Start: len(text) - len(rest) + 1, End: len(text)}
	literal := rest[1:]
	var err error
	o.Value, err = parseJSONAt(literal, span, new(int))
	plain := err == nil && (o.Value.Kind == input.Number || o.Value.Kind == input.Bool)
	if err != nil || plain && a != nil && !a.takes(o.Value.Kind) && a.takes(input.String) {
		o.Value = &input.Node{Kind: input.String, Span: span, Text: literal}
	}
	return o, nil
}

// String is the path as diagnostics write it.
func (o *Override) String() string { return JoinKeys(o.Path) }

// Shown is the value as JSON, and *** for what no output shows.
func (o *Override) Shown() string {
	a := Root()
	for _, key := range o.Path {
		if a = a.at(key); a == nil {
			return hidden
		}
	}
	return shown(a, o.Value)
}

// Over lays the value over the tree of a stack, which is not changed. An
// attribute with several names keeps the one that the stack uses.
func (o *Override) Over(tree *input.Node) *input.Node { return o.lay(Root(), tree, 0) }

func (o *Override) lay(a *Attr, n *input.Node, depth int) *input.Node {
	if depth == len(o.Path) {
		return input.Merge(n, o.Value)
	}
	if a != nil && a.Layered {
		if n != nil && n.Kind == input.String {
			if parsed, err := parseJSONAt(n.Text, n.Span, new(int)); err == nil {
				n = parsed
			}
		}
		a = Root()
	}
	f := input.Field{Key: o.Path[depth]}
	if o.keys != nil {
		f.Span = o.keys[depth]
	}
	below := a.Field(f.Key)
	if below != nil && a.fields[f.Key] != nil {
		for _, name := range append([]string{below.Name}, below.Aliases...) {
			if n.Get(name) != nil {
				f.Key = name
				break
			}
		}
	}
	if old := n.Field(f.Key); old != nil && depth+1 < len(o.Path) {
		f.Span = old.Span
	}
	f.Value = o.lay(below, n.Get(f.Key), depth+1)
	// Not merged: what is below is done.
	var fields []input.Field
	for _, old := range fieldsOf(n) {
		if old.Key != f.Key {
			fields = append(fields, old)
		}
	}
	span := f.Span
	if n != nil && n.Kind == input.Map {
		span = n.Span
	}
	return input.NewMap(span, append(fields, f))
}

// hidden stands for a value that no output shows.
const hidden = "***"

// maxShown is how many bytes of a value are worth a place on a line.
const maxShown = 48

// shown is a value on one line: *** for a secret or what may hold one, and …
// for what is long.
func shown(a *Attr, n *input.Node) string {
	switch {
	case n == nil || n.Kind == input.Null:
		return "not set"
	case a != nil && a.Secret && n.Kind == input.Map && len(n.Fields) == 1: // a reference
	case !open(a, n):
		return hidden
	}
	text := toJSON(n)
	if len(text) <= maxShown {
		return text
	}
	switch n.Kind {
	case input.Map:
		return "{…}"
	case input.List:
		return "[…] (" + strconv.Itoa(len(n.Items)) + ")"
	}
	return "…"
}

// Hides tells whether no output shows the value at a path of a stack: that of a
// secret or of a variable, what plonec does not know, and what looks as if it held a
// secret.
func Hides(keys []string, n *input.Node) bool {
	a := Root()
	for _, key := range keys {
		if a = a.at(key); a == nil {
			return true
		}
	}
	return !open(a, n)
}

// open tells whether nothing in a value is secret.
func open(a *Attr, n *input.Node) bool {
	if a == nil || a.Secret || a.Sent || a.Layered || a.def == "#EnvValue" || holdsPassword(n) {
		return false
	}
	if what, _ := betrayal(a, n); what != "" {
		return false
	}
	for _, item := range n.Items {
		if !open(a.Item, item) {
			return false
		}
	}
	for _, f := range n.Fields {
		if !open(a.Field(f.Key), f.Value) {
			return false
		}
	}
	return true
}
