package opsworks

import (
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/draft"
	"github.com/plonec/plonec/internal/input"
)

// What this package does with trees: nodes are never changed, each step makes
// new ones. A path is a list of keys; entries of lists are "[0]".

func index(step string) (int, bool) {
	if !strings.HasPrefix(step, "[") || !strings.HasSuffix(step, "]") {
		return 0, false
	}
	i, err := strconv.Atoi(step[1 : len(step)-1])
	return i, err == nil && i >= 0
}

func text(s string) *input.Node { return &input.Node{Kind: input.String, Text: s} }
func number(n int) *input.Node  { return &input.Node{Kind: input.Number, Text: strconv.Itoa(n)} }
func list(items ...*input.Node) *input.Node {
	return &input.Node{Kind: input.List, Items: items}
}

func mapping(pairs ...any) *input.Node {
	var fields []input.Field
	for i := 0; i+1 < len(pairs); i += 2 {
		if n, _ := pairs[i+1].(*input.Node); n != nil {
			fields = append(fields, input.Field{Key: pairs[i].(string), Span: n.Span, Value: n})
		}
	}
	return input.NewMap(diag.Span{}, fields)
}

func fieldsOf(n *input.Node) []input.Field {
	if n == nil || n.Kind != input.Map {
		return nil
	}
	return n.Fields
}

func itemsOf(n *input.Node) []*input.Node {
	if n == nil || n.Kind != input.List {
		return nil
	}
	return n.Items
}

// str is the text of the first of the keys that has one.
func str(n *input.Node, keys ...string) string {
	if f := first(n, keys...); f != nil && f.Kind == input.String {
		return f.Text
	}
	return ""
}

// first is the value of the first of the keys that is set: not null, not "".
func first(n *input.Node, keys ...string) *input.Node {
	for _, k := range keys {
		if v := n.Get(k); v != nil && v.Kind != input.Null && !(v.Kind == input.String && v.Text == "") {
			return v
		}
	}
	return nil
}

// at follows a path; nil where it ends early.
func at(n *input.Node, path []string) *input.Node {
	for _, step := range path {
		if i, ok := index(step); ok && n != nil && n.Kind == input.List {
			if i >= len(n.Items) {
				return nil
			}
			n = n.Items[i]
			continue
		}
		n = n.Get(step)
	}
	return n
}

// put is the tree with another value at a path, whose maps are made where they
// are not there; nil takes the value out.
func put(n *input.Node, path []string, value *input.Node) *input.Node {
	if len(path) == 0 {
		return value
	}
	if i, ok := index(path[0]); ok && n != nil && n.Kind == input.List {
		if i >= len(n.Items) {
			return n
		}
		items := slices.Clone(n.Items)
		if below := put(items[i], path[1:], value); below != nil {
			items[i] = below
		} else {
			items = slices.Delete(items, i, i+1)
		}
		return &input.Node{Kind: input.List, Span: n.Span, Items: items}
	}
	var fields []input.Field
	span := diag.Span{}
	if n != nil {
		fields, span = slices.Clone(n.Fields), n.Span
	}
	for i, f := range fields {
		if f.Key != path[0] {
			continue
		}
		if below := put(f.Value, path[1:], value); below != nil {
			fields[i].Value = below
		} else {
			fields = slices.Delete(fields, i, i+1)
		}
		return input.NewMap(span, fields)
	}
	if value == nil {
		return n
	}
	below := put(nil, path[1:], value)
	return input.NewMap(span, append(fields, input.Field{Key: path[0], Value: below}))
}

// each calls f for every value below n, maps and lists before what is in them.
func each(n *input.Node, path []string, f func(path []string, field diag.Span, n *input.Node)) {
	for _, x := range fieldsOf(n) {
		p := append(slices.Clip(path), x.Key)
		f(p, x.Span, x.Value)
		each(x.Value, p, f)
	}
	for i, item := range itemsOf(n) {
		p := append(slices.Clip(path), draft.Step(i))
		f(p, item.Span, item)
		each(item, p, f)
	}
}

// same tells whether two values are equal, whatever the order of their keys.
func same(a, b *input.Node) bool {
	if a == nil || b == nil || a.Kind != b.Kind || a.Text != b.Text || len(a.Items) != len(b.Items) || len(a.Fields) != len(b.Fields) {
		return a == nil && b == nil
	}
	for i := range a.Items {
		if !same(a.Items[i], b.Items[i]) {
			return false
		}
	}
	for _, f := range a.Fields {
		if !same(f.Value, b.Get(f.Key)) {
			return false
		}
	}
	return true
}
