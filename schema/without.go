package schema

import (
	"slices"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// SetValues are the attributes that the stack and the custom_json of its layers set and
// of which something is rendered, each with its place: scalars, lists, references, and of
// open maps each entry. What says which hosts and layers there are is left out, and so is
// what is empty, and what has a diagnostic of its own by its mark: @sent, @later and
// @deprecated.
func (d *Decoded) SetValues() []Setting {
	var list []Setting
	add := func(at []string, tree *input.Node) {
		for _, f := range fieldsOf(tree) {
			if a := Root().Field(f.Key); a != nil && !slices.Contains(notAsked, f.Key) {
				setBelow(&list, Setting{a, append(slices.Clone(at), f.Key), f.Span, f.Value})
			}
		}
	}
	add(nil, d.tree)
	for _, name := range sortedKeys(d.layers) {
		add([]string{"layers", name, "custom_json"}, d.layers[name])
	}
	return list
}

// notAsked are the keys that say which hosts and layers there are.
var notAsked = []string{"instances", "layers"}

func setBelow(list *[]Setting, at Setting) {
	a, n := at.Attr, at.Value
	if a == nil || a.Sent || a.NotYet() != "" || a.Deprecated != "" || a.Path == "plonec.ignore" || emptyNode(n) {
		return
	}
	if n.Kind == input.Map && !a.takesReference() && (len(a.Fields) > 0 || a.Elem != nil) {
		for _, f := range n.Fields {
			if a.Name != "environment" || !ofTheService.MatchString(f.Key) {
				setBelow(list, Setting{a.Field(f.Key), append(slices.Clone(at.Path), f.Key), f.Span, f.Value})
			}
		}
		return
	}
	*list = append(*list, at)
}

func emptyNode(n *input.Node) bool {
	switch n.Kind {
	case input.Null:
		return true
	case input.String:
		return n.Text == ""
	}
	return (n.Kind == input.Map || n.Kind == input.List) && len(n.Fields)+len(n.Items) == 0
}

// Layer is the layer in whose custom_json a setting stands; empty: none.
func (s *Setting) Layer() string {
	if s.Path[0] == "layers" {
		return s.Path[1]
	}
	return ""
}

// Without is the stack without some of its SetValues.
func (d *Decoded) Without(settings ...Setting) *Decoded {
	gone := slices.Clone(settings)
	for i := range gone {
		gone[i].Value = nil
	}
	return d.With(gone...)
}

// With is the stack with other values, which each attribute takes by itself, in the place
// of some of its SetValues; nil: it is not set.
func (d *Decoded) With(settings ...Setting) *Decoded {
	tree, layers := d.tree, map[string]*input.Node{}
	for name, own := range d.layers {
		layers[name] = own
	}
	for _, s := range settings {
		if layer := s.Layer(); layer != "" {
			layers[layer] = input.Set(layers[layer], s.Value, s.Path[3:]...)
		} else {
			tree = input.Set(tree, s.Value, s.Path...)
		}
	}
	return d.again(tree, layers)
}

// Of is the stack with some of its hosts alone, and the layers that they are in.
func (d *Decoded) Of(hosts []string) *Decoded {
	instances, used := []input.Field{}, map[string]bool{}
	for _, name := range hosts {
		if f := d.tree.Get("instances").Field(name); f != nil {
			instances = append(instances, *f)
			for _, l := range itemsOf(f.Value.Get("layers")) {
				used[l.Text] = true
			}
		}
	}
	var kept []input.Field
	for _, f := range fieldsOf(d.tree.Get("layers")) {
		if used[f.Key] {
			kept = append(kept, f)
		}
	}
	layers := map[string]*input.Node{}
	for name, own := range d.layers {
		if used[name] {
			layers[name] = own
		}
	}
	tree := input.Set(d.tree, input.NewMap(diag.Span{}, instances), "instances")
	return d.again(input.Set(tree, input.NewMap(diag.Span{}, kept), "layers"), layers)
}

// again decodes a part of a stack that was checked before.
func (d *Decoded) again(tree *input.Node, layers map[string]*input.Node) *Decoded {
	part := &Decoded{tree: tree, layers: layers, origin: d.origin, overlays: map[string]*overlay{}}
	part.Base = part.decode(tree)
	return part
}
