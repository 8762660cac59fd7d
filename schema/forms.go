package schema

import (
	"slices"
	"strconv"

	"cuelang.org/go/cue"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// Forms are values of every form that the attribute takes: each choice, both
// truth values, 0 and the ends of each range, the examples that the schema gives
// beside a type or the attribute, and of a list or a map that, empty and with
// each of its parts' forms. What is without one is a fault of the schema.
func (a *Attr) Forms() []*input.Node {
	c := compile()
	c.mu.Lock()
	defer c.mu.Unlock()
	return a.forms(newJudge(c))
}

func (a *Attr) forms(j *judge) []*input.Node {
	var list []*input.Node
	add := func(n *input.Node) {
		if !slices.ContainsFunc(list, func(o *input.Node) bool { return equal(o, n) }) {
			list = append(list, n)
		}
	}
	scalar := func(kind input.Kind, text string) {
		if j.accepts(a, kind, text) {
			add(&input.Node{Kind: kind, Text: text})
		}
	}
	for _, text := range a.Enum {
		scalar(input.String, text)
	}
	if a.takes(input.Bool) && a.kinds != cue.TopKind {
		scalar(input.Bool, "true")
		scalar(input.Bool, "false")
	}
	for _, arm := range armsOf(a.value) {
		if text, err := arm.String(); err == nil {
			scalar(input.String, text)
		}
		for _, end := range ends(arm) {
			scalar(input.Number, end)
		}
	}
	for _, n := range a.Examples {
		add(n)
	}
	if len(a.Examples) == 0 && a.Item != nil {
		add(&input.Node{Kind: input.List})
		for _, item := range a.Item.forms(j) {
			add(&input.Node{Kind: input.List, Items: []*input.Node{item}})
		}
	}
	if len(a.Examples) == 0 && a.Elem != nil {
		keys, values := a.Key.forms(j), a.Elem.forms(j)
		add(input.NewMap(diag.Span{}, nil))
		for i := range max(len(keys), len(values)) {
			field := input.Field{Key: keys[i%len(keys)].Text, Value: values[i%len(values)]}
			add(input.NewMap(diag.Span{}, []input.Field{field}))
		}
	}
	return list
}

// ends are 0 and the ends of a range of whole numbers, or of a number that may be
// one of them; some may lie outside.
func ends(v cue.Value) []string {
	if v.IncompleteKind()&cue.NumberKind == 0 {
		return nil
	}
	list := []string{"0"}
	op, args := v.Expr()
	switch op {
	case cue.AndOp:
		for _, arg := range args {
			list = append(list, ends(arg)...)
		}
	case cue.GreaterThanEqualOp, cue.LessThanEqualOp:
		if limit, err := args[len(args)-1].Int64(); err == nil {
			list = append(list, strconv.FormatInt(limit, 10))
		}
	}
	return list
}

// EachValue visits the attributes in a group, itself where it is none, that hold a
// value: a scalar, or a list or a map of what has no keys of its own.
func (a *Attr) EachValue(visit func(*Attr)) {
	group := func(below *Attr) bool { return below != nil && len(below.Fields) > 0 && !below.takesReference() }
	switch {
	case a.Sent:
	case a.takesReference() || a.Layered:
		visit(a)
	case len(a.Fields) > 0:
		for _, f := range a.Fields {
			f.EachValue(visit)
		}
	case group(a.Elem):
		a.Elem.EachValue(visit)
	case group(a.Item):
		a.Item.EachValue(visit)
	default:
		visit(a)
	}
}

// JSON is a value as JSON on one line.
func JSON(n *input.Node) string { return toJSON(n) }
