package schema

import (
	"github.com/plonec/plonec/internal/input"
)

// layered checks a layer's custom_json, which holds attributes itself: a map,
// or a text of JSON as OpsWorks' describe-layers printed it.
func (c *checker) layered(a *Attr, n *input.Node) {
	tree := n
	switch {
	case n.Kind == input.String:
		n.Span.Mask() // secrets inside have no place of their own
		if n.Text == "" {
			return
		}
		parsed, err := parseJSONAt(n.Text, n.Span, &c.values)
		if err != nil || parsed.Kind != input.Map {
			c.report("bad-value", n.Span, "want a map, or a text that holds one in JSON", "")
			return
		}
		tree = parsed
	case n.Kind != input.Map:
		c.wrongType(a, n)
		return
	}
	if c.inside {
		return // a custom_json cannot stand in another one
	}
	c.inside = true
	c.fields(c.schema.root, tree)
	c.inside = false
	if depth := len(c.path); depth >= 3 {
		c.layers = append(c.layers, layerJSON{c.path[depth-2], c.path[0] == "layers", tree})
	}
}

// allowedInside reports a key that cannot stand in a custom_json: what says
// which hosts and layers there are, and what concerns the whole stack.
func (c *checker) allowedInside(f *input.Field) bool {
	switch showPath(c.path[c.base():]) {
	case "opsworks", "instances", "layers", "plonec.ssh", "plonec.ignore":
		maskAll(f.Value)
		c.report("not-in-layer", f.Span, "this cannot differ from layer to layer", "set it for the whole stack")
		return false
	}
	return true
}

// base is how much of the path leads to the custom_json at hand.
func (c *checker) base() int {
	for i, key := range c.path {
		if key == "custom_json" || key == "CustomJson" {
			return i + 1
		}
	}
	return 0
}
