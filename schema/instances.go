package schema

import (
	"strconv"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// A listed host is what OpsWorks' layers say of one host, together.
type listed struct {
	span   diag.Span // of its first key
	layers []*input.Node
	facts  []input.Field
}

// instances brings OpsWorks' hosts into the short form and lays the short form
// itself over them.
func (c *canonizer) instances(tree *input.Node) *input.Node {
	hosts := map[string]*listed{}
	var names []string
	for _, l := range fieldsOf(tree.Lookup("opsworks", "layers")) {
		for _, f := range fieldsOf(l.Value.Get("instances")) {
			h := hosts[f.Key]
			if h == nil {
				h = &listed{span: f.Span}
				hosts[f.Key] = h
				names = append(names, f.Key)
			}
			h.layers = append(h.layers, &input.Node{Kind: input.String, Span: f.Span, Text: l.Key})
			c.addFacts(h, f, l.Key)
		}
	}
	if self := tree.Lookup("opsworks", "instance"); self != nil {
		if name, ok := text(self.Get("hostname")); ok && hosts[name] == nil {
			hosts[name] = &listed{span: self.Get("hostname").Span, layers: itemsOf(self.Get("layers")), facts: facts(self)}
			names = append(names, name)
		}
	}

	fields := make([]input.Field, 0, len(names))
	for _, name := range names {
		h := hosts[name]
		list := &input.Node{Kind: input.List, Span: h.span, Items: h.layers}
		facts := append([]input.Field{{Key: "layers", Span: h.span, Value: list}}, h.facts...)
		fields = append(fields, input.Field{Key: name, Span: h.span, Value: input.NewMap(h.span, facts)})
	}
	short := tree.Get("instances")
	for _, f := range fieldsOf(short) {
		c.leavesOut(f, hosts[f.Key])
	}
	long := input.NewMap(diag.Span{}, fields)
	if short == nil || short.Kind != input.Map {
		return long
	}
	return input.Merge(long, short)
}

// facts are what OpsWorks said of a host, under the names of the short form.
func facts(n *input.Node) []input.Field {
	var fields []input.Field
	add := func(name string, keys ...string) {
		for _, key := range keys {
			f := n.Field(key)
			if f == nil || f.Value.Kind == input.Null || f.Value.Kind == input.String && f.Value.Text == "" {
				continue
			}
			fields = append(fields, input.Field{Key: name, Span: f.Span, Value: f.Value})
			return
		}
	}
	add("address", "private_ip", "private_dns_name", "ip")
	add("ssh_address", "elastic_ip", "ip")
	add("backends", "backends")
	add("instance_type", "instance_type")
	add("status", "status")
	return fields
}

// addFacts joins what another layer says of a host; they must agree.
func (c *canonizer) addFacts(h *listed, host input.Field, layer string) {
	for _, f := range facts(host.Value) {
		old := find(h.facts, f.Key)
		switch {
		case old == nil:
			h.facts = append(h.facts, f)
		case old.Value.Text != f.Value.Text:
			c.list.Add(diag.Diagnostic{Code: "instance-differs", Span: f.Value.Span,
				Path:    diag.JoinKey(diag.JoinKey(diag.JoinKey("opsworks.layers", layer)+".instances", host.Key), f.Key),
				Message: "another layer says " + strconv.Quote(old.Value.Text) + line(f.Value.Span, old.Value.Span),
				Remedy:  "one host, one answer: make them the same"})
		}
	}
}

// leavesOut reports a host whose short form gives layers and forgets one that
// OpsWorks' JSON lists it in.
func (c *canonizer) leavesOut(f input.Field, h *listed) {
	layers := f.Value.Get("layers")
	if h == nil || layers == nil || layers.Kind != input.List {
		return
	}
	have := map[string]bool{}
	for _, n := range layers.Items {
		have[n.Text] = true
	}
	for _, want := range h.layers {
		if !have[want.Text] {
			c.list.Add(diag.Diagnostic{Code: "instance-differs", Span: layers.Span,
				Path:    diag.JoinKey("instances", f.Key) + ".layers",
				Message: "opsworks.layers lists the host in " + strconv.Quote(want.Text) + " too" + line(layers.Span, want.Span),
				Remedy:  "add the layer, or set the host to null there"})
		}
	}
}

func find(fields []input.Field, key string) *input.Field {
	for i := range fields {
		if fields[i].Key == key {
			return &fields[i]
		}
	}
	return nil
}
