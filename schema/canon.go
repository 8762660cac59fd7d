package schema

import (
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// A canonizer rewrites a stack into one form: every attribute under its
// documented name, and the hosts and layers of OpsWorks in the short form. The
// values keep their places, so that later diagnostics point into the files.
type canonizer struct {
	list *diag.List
	path []string // of the value at hand
}

// names renames aliases to the documented names, and lays what is given both
// ways together.
func (c *canonizer) names(a *Attr, n *input.Node) *input.Node {
	if a == nil || !a.aliased {
		return n
	}
	switch n.Kind {
	case input.List:
		var items []*input.Node
		for i, item := range n.Items {
			c.path = append(c.path, indexMark+strconv.Itoa(i))
			renamed := c.names(a.Item, item)
			c.path = c.path[:len(c.path)-1]
			if renamed != item {
				if items == nil {
					items = append(items, n.Items...)
				}
				items[i] = renamed
			}
		}
		if items != nil {
			return &input.Node{Kind: input.List, Span: n.Span, Items: items}
		}
	case input.Map:
		return c.mapNames(a, n)
	}
	return n
}

func (c *canonizer) mapNames(a *Attr, n *input.Node) *input.Node {
	changed := false
	var fields []input.Field
	at := map[string]int{}
	for _, f := range n.Fields {
		if known := a.Field(f.Key); known != nil {
			name := f.Key
			if a.fields[f.Key] != nil {
				name = known.Name
			}
			c.path = append(c.path, name)
			value := c.names(known, f.Value)
			changed = changed || name != f.Key || value != f.Value
			f = input.Field{Key: name, Span: f.Span, Value: value}
			if i, twice := at[name]; twice {
				fields[i].Value = c.both(known, fields[i], f)
				c.path = c.path[:len(c.path)-1]
				continue
			}
			c.path = c.path[:len(c.path)-1]
		}
		at[f.Key] = len(fields)
		fields = append(fields, f)
	}
	if !changed {
		return n
	}
	return input.NewMap(n.Span, fields)
}

// both joins an attribute that is given under two names: maps key by key, what
// is left must not be given twice.
func (c *canonizer) both(a *Attr, first, second input.Field) *input.Node {
	x, y := first.Value, second.Value
	switch {
	case x.Kind == input.Null:
		return y
	case y.Kind == input.Null:
		return x
	case x.Kind != input.Map || y.Kind != input.Map:
		if a == nil && equal(x, y) { // a variable, in environment and environment_variables
			return x
		}
		c.list.Add(diag.Diagnostic{Code: "set-twice", Span: second.Span, Path: showPath(c.path),
			Message: "it is given twice, under two names" + line(second.Span, first.Span), Remedy: "keep one of the two"})
		return x
	}
	fields := append([]input.Field(nil), x.Fields...)
	at := map[string]int{}
	for i, f := range fields {
		at[f.Key] = i
	}
	for _, f := range y.Fields {
		i, twice := at[f.Key]
		if !twice {
			fields = append(fields, f)
			continue
		}
		c.path = append(c.path, f.Key)
		fields[i].Value = c.both(a.fields[f.Key], fields[i], f)
		c.path = c.path[:len(c.path)-1]
	}
	return input.NewMap(x.Span, fields)
}

// stack rewrites the whole stack, whose names are the documented ones.
func (c *canonizer) stack(tree *input.Node) *input.Node {
	layers := c.layers(tree)
	instances := c.instances(tree)
	fields := make([]input.Field, 0, len(tree.Fields)+2)
	for _, f := range tree.Fields {
		switch f.Key {
		case "layers", "instances":
			continue
		}
		fields = append(fields, f)
	}
	fields = append(fields, input.Field{Key: "layers", Value: layers}, input.Field{Key: "instances", Value: instances})
	return input.NewMap(tree.Span, fields)
}

// layers lays the short form over what OpsWorks said of its layers.
func (c *canonizer) layers(tree *input.Node) *input.Node {
	var fields []input.Field
	for _, f := range fieldsOf(tree.Lookup("opsworks", "layers")) {
		fields = append(fields, input.Field{Key: f.Key, Span: f.Span, Value: layer(f.Value)})
	}
	long := input.NewMap(diag.Span{}, fields)
	fields = nil
	for _, f := range fieldsOf(tree.Get("layers")) {
		fields = append(fields, input.Field{Key: f.Key, Span: f.Span, Value: layer(f.Value)})
	}
	return input.Merge(long, input.NewMap(diag.Span{}, fields))
}

// layer keeps what a layer says in both forms, its events in small letters.
func layer(n *input.Node) *input.Node {
	var fields []input.Field
	for _, f := range fieldsOf(n) {
		switch f.Key {
		case "custom_recipes":
			f.Value = events(f.Value)
		case "name", "roles":
		default:
			continue
		}
		fields = append(fields, f)
	}
	return input.NewMap(n.Span, fields)
}

func events(n *input.Node) *input.Node {
	var fields []input.Field
	at := map[string]int{}
	for _, f := range fieldsOf(n) {
		f.Key = strings.ToLower(f.Key)
		if i, twice := at[f.Key]; twice {
			items := append(append([]*input.Node(nil), itemsOf(fields[i].Value)...), itemsOf(f.Value)...)
			fields[i].Value = &input.Node{Kind: input.List, Span: f.Value.Span, Items: items}
			continue
		}
		at[f.Key] = len(fields)
		fields = append(fields, f)
	}
	return input.NewMap(n.Span, fields)
}

// fieldsOf returns the keys of a map, none where n is no map.
func fieldsOf(n *input.Node) []input.Field {
	if n == nil || n.Kind != input.Map {
		return nil
	}
	return n.Fields
}

// text returns a text that is set and not empty.
func text(n *input.Node) (string, bool) {
	if n == nil || n.Kind != input.String || n.Text == "" {
		return "", false
	}
	return n.Text, true
}
