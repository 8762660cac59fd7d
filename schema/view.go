package schema

import (
	"reflect"
	"slices"
	"strconv"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// View returns the attributes as a host with these layers has them: the stack
// with the custom_json of its layers laid over. Hosts whose layers have the
// same custom_json share one Stack, and what no layer touches is shared with
// Base. The list holds what is wrong with a set of layers that no instance
// has; Load reported the others.
func (d *Decoded) View(layers []string) (*Stack, diag.List) {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := d.overlay(layers)
	if o == nil {
		return d.Base, nil
	}
	list := o.list
	o.list = nil
	if o.stack == nil {
		o.stack = d.decodeOver(o.tree)
	}
	return o.stack, list
}

// Span returns where the value of an attribute stands, by its documented path;
// hosts and layers of OpsWorks' JSON are found under instances and layers. It
// has no place where the attribute is not set.
func (d *Decoded) Span(path ...string) diag.Span {
	if n := d.tree.Lookup(path...); n != nil {
		return n.Span
	}
	return diag.Span{}
}

// KeySpan is Span for the key of an attribute.
func (d *Decoded) KeySpan(path ...string) diag.Span {
	if len(path) == 0 {
		return diag.Span{}
	}
	if f := d.tree.Lookup(path[:len(path)-1]...).Field(path[len(path)-1]); f != nil {
		return f.Span
	}
	return diag.Span{}
}

// ItemSpan is where a text stands in the list at a path, or where the list does.
func (d *Decoded) ItemSpan(item string, path ...string) diag.Span {
	list := d.tree.Lookup(path...)
	for _, n := range itemsOf(list) {
		if n.Text == item {
			return n.Span
		}
	}
	return d.Span(path...)
}

// ViewSpan is Span in the view of a host with these layers.
func (d *Decoded) ViewSpan(layers []string, path ...string) diag.Span {
	d.mu.Lock()
	o := d.overlay(layers)
	d.mu.Unlock()
	if o != nil {
		if n := o.tree.Lookup(path...); n != nil {
			return n.Span
		}
	}
	return d.Span(path...)
}

// dependents are sections whose defaults follow from another one.
var dependents = map[string][]string{
	"opsworks_initial_setup": {"plone_zeoserver", "plone_blobs", "plone_solr", "redis"},
	"plone_instances":        {"newrelic"},
}

// touched returns the sections that an overlay changes, laid over the stack's
// own, and those whose defaults change with them.
func (d *Decoded) touched(over *input.Node) *input.Node {
	var fields []input.Field
	add := func(key string, span diag.Span, value *input.Node) {
		if !slices.ContainsFunc(fields, func(f input.Field) bool { return f.Key == key }) {
			fields = append(fields, input.Field{Key: key, Span: span, Value: value})
		}
	}
	for _, f := range fieldsOf(over) {
		own := d.tree.Get(f.Key)
		d.work += len(fieldsOf(own)) + len(fieldsOf(f.Value))
		add(f.Key, f.Span, input.Merge(own, f.Value))
	}
	for _, f := range fieldsOf(over) {
		for _, key := range dependents[f.Key] {
			own := d.tree.Get(key)
			if own == nil {
				own = &input.Node{Kind: input.Null}
			}
			add(key, own.Span, own)
		}
	}
	return input.NewMap(over.Span, fields)
}

// decodeOver decodes the sections that an overlay touched; the others are
// Base's own.
func (d *Decoded) decodeOver(tree *input.Node) *Stack {
	dec := d.decoder()
	stack := *d.Base
	v := reflect.ValueOf(&stack).Elem()
	apps := tree.Get("deploy") != nil
	for _, f := range tree.Fields {
		switch f.Key {
		case "deploy":
		case "deploy_buildout", "deploy_python":
			stack.appDefaults = appDefaults(func(key string) *input.Node {
				if n := tree.Get(key); n != nil {
					return n
				}
				return d.tree.Get(key)
			})
			apps = true
		default:
			dec.section(v, f.Key, f.Value)
		}
	}
	if apps {
		deploy := tree.Get("deploy")
		if deploy == nil {
			deploy = d.tree.Get("deploy")
		}
		same := stack.appDefaults == d.Base.appDefaults
		stack.Deploy = make(map[string]*App, len(d.Base.Deploy))
		for _, f := range fieldsOf(deploy) {
			if same && f.Value == d.tree.Lookup("deploy", f.Key) {
				stack.Deploy[f.Key] = d.Base.Deploy[f.Key]
				continue
			}
			stack.Deploy[f.Key] = dec.app(f.Key, stack.appDefaults, f.Value)
		}
	}
	derive(&stack, d.Base)
	d.mismatches = append(d.mismatches, dec.mismatches...)
	return &stack
}

// A merger lays the custom_json of several layers together; they must agree
// on what more than one of them sets.
type merger struct {
	d     *Decoded
	names []string
	at    int // the layer that is being laid over those before it
	path  []string
	list  *diag.List
}

func (m *merger) merge(x, y *input.Node) *input.Node {
	switch {
	case x == nil:
		return y
	case x.Kind != input.Map || y.Kind != input.Map:
		if !equal(x, y) {
			m.disagree(y)
		}
		return x
	}
	m.d.work += len(x.Fields) + len(y.Fields)
	fields := append([]input.Field(nil), x.Fields...)
	at := make(map[string]int, len(fields))
	for i, f := range fields {
		at[f.Key] = i
	}
	for _, f := range y.Fields {
		i, both := at[f.Key]
		if !both {
			fields = append(fields, f)
			continue
		}
		m.path = append(m.path, f.Key)
		fields[i].Value = m.merge(fields[i].Value, f.Value)
		m.path = m.path[:len(m.path)-1]
	}
	return input.NewMap(x.Span, fields)
}

func (m *merger) disagree(y *input.Node) {
	other, span := "", diag.Span{}
	for _, name := range m.names[:m.at] {
		if n := m.d.layers[name].Lookup(m.path...); n != nil {
			other, span = name, n.Span
			break
		}
	}
	m.list.Add(diag.Diagnostic{Code: "layers-disagree", Span: y.Span, Path: showPath(m.path),
		Message: "the layers " + strconv.Quote(other) + " and " + strconv.Quote(m.names[m.at]) + " disagree for the hosts that are in both" + line(y.Span, span),
		Remedy:  "give both the same value, or set it in one of them"})
}
