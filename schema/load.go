package schema

import (
	"slices"
	"strings"
	"sync"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// A Decoded is a stack that was checked and decoded, with the views of its
// layers. Its methods may be called from several goroutines.
type Decoded struct {
	// Base is the stack without any layer's custom_json, defaults filled in.
	Base *Stack

	tree   *input.Node            // canonical
	layers map[string]*input.Node // custom_json by layer, canonical
	origin map[*input.Node]string // where each plain secret stands

	mu         sync.Mutex
	overlays   map[string]*overlay
	work       int      // keys that were laid over each other so far
	spent      bool     // work crossed its limit, and that was said
	mismatches []string // values that do not fit their field: mistakes of this package
}

// An overlay is what a set of layers lays over the stack.
type overlay struct {
	tree  *input.Node // the sections that it touches, merged with the stack's own
	list  diag.List   // the layers' disagreements, until they are reported
	stack *Stack      // nil until it is asked for
}

// Load checks a stack and decodes it. The list holds every mistake, and the
// Decoded is there beside mistakes too, with what could be understood. Secrets
// and unknown values are masked in their files before Load returns.
func Load(tree *input.Node) (*Decoded, diag.List) {
	if tree == nil {
		tree = input.NewMap(diag.Span{}, nil)
	}
	tree = withoutNulls(tree)
	s := compile()
	s.mu.Lock()
	defer s.mu.Unlock()
	c := newChecker(s)
	tree = asSent(tree, &c.list)
	c.stack(tree)
	if tree.Kind != input.Map {
		tree = input.NewMap(tree.Span, nil)
	}

	d := &Decoded{layers: map[string]*input.Node{}, origin: c.origin, overlays: map[string]*overlay{}}
	canon := &canonizer{list: &c.list}
	d.tree = canon.stack(canon.names(s.root, tree))
	for _, short := range []bool{false, true} {
		for _, l := range c.layers {
			if l.short != short {
				continue
			}
			own := canon.names(s.root, l.tree)
			d.layers[l.layer] = input.Merge(d.layers[l.layer], own)
		}
	}
	across(d.tree, &c.list)
	d.Base = d.decode(d.tree)
	d.disagreements(&c.list)
	return d, c.list
}

// withoutNulls removes what is null and so not set. In a layer's custom_json a
// null stays: there it takes the stack's own value back.
func withoutNulls(tree *input.Node) *input.Node {
	clean := input.WithoutNulls(tree)
	if clean == tree {
		return tree
	}
	clean = keepLayers(clean, tree)
	if ops := clean.Get("opsworks"); ops != nil {
		clean = with(clean, "opsworks", keepLayers(ops, tree.Get("opsworks")))
	}
	return clean
}

// keepLayers puts the custom_json of the layers in tree back into clean.
func keepLayers(clean, tree *input.Node) *input.Node {
	layers := clean.Get("layers")
	for _, f := range fieldsOf(layers) {
		if own := tree.Lookup("layers", f.Key, "custom_json"); own != nil && own.Kind != input.Null {
			layers = with(layers, f.Key, with(f.Value, "custom_json", own))
		}
	}
	if layers == clean.Get("layers") {
		return clean
	}
	return with(clean, "layers", layers)
}

// with gives a copy of a map with another value for a key that it has.
func with(n *input.Node, key string, value *input.Node) *input.Node {
	if n == nil || n.Kind != input.Map || n.Get(key) == value {
		return n
	}
	fields := slices.Clone(n.Fields)
	for i := range fields {
		if fields[i].Key == key {
			fields[i].Value = value
		}
	}
	return input.NewMap(n.Span, fields)
}

// maxWork bounds the keys that are laid over each other for the views of all
// hosts, which a hostile stack could multiply; 5,000 hosts with a layer of
// their own need 200,000.
const maxWork = 3_000_000

// disagreements looks at each set of layers that a host has, so that one run
// reports all that is wrong.
func (d *Decoded) disagreements(list *diag.List) {
	for _, f := range fieldsOf(d.tree.Get("instances")) {
		var layers []string
		for _, n := range itemsOf(f.Value.Get("layers")) {
			layers = append(layers, n.Text)
		}
		if o := d.overlay(layers); o != nil {
			*list = append(*list, o.list...)
			o.list = nil
		}
	}
}

// overlay returns what a set of layers lays over the stack, nil for nothing.
func (d *Decoded) overlay(layers []string) *overlay {
	var names []string
	for _, name := range sortedUnique(layers) {
		if d.layers[name] != nil {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	key := strings.Join(names, "\x00")
	o := d.overlays[key]
	switch {
	case o != nil:
	case len(names) > maxLayers: // reported as such
		return nil
	case d.work > maxWork:
		if d.spent {
			return nil
		}
		d.spent = true
		o = &overlay{tree: input.NewMap(diag.Span{}, nil)}
		o.list.Add(diag.Diagnostic{Code: "too-many", Span: d.tree.Span, Path: "layers",
			Message: "the custom_json of the layers, for all hosts together, is too much", Remedy: "let hosts share layers"})
		d.overlays[key] = o
	default:
		o = &overlay{}
		m := merger{d: d, names: names, list: &o.list}
		for i, name := range names {
			m.at = i
			o.tree = m.merge(o.tree, d.layers[name])
		}
		o.tree = d.touched(o.tree)
		views(o.tree, "", &o.list)
		d.overlays[key] = o
	}
	return o
}
