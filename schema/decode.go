package schema

import (
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/plonec/plonec/internal/input"
)

// A decoder fills structs from a canonical tree, the schema's defaults beneath.
type decoder struct {
	origin     map[*input.Node]string
	mismatches []string // values that do not fit their field: a mistake that Check missed
}

func (d *Decoded) decoder() *decoder { return &decoder{origin: d.origin} }

// decode decodes the whole stack.
func (d *Decoded) decode(tree *input.Node) *Stack {
	dec := d.decoder()
	stack := &Stack{appDefaults: appDefaults(tree.Get)}
	v := reflect.ValueOf(stack).Elem()
	for _, a := range compile().root.Fields {
		if a.Name != "deploy" {
			dec.section(v, a.Name, tree.Get(a.Name))
		}
	}
	stack.Deploy = map[string]*App{}
	for _, f := range fieldsOf(tree.Get("deploy")) {
		stack.Deploy[f.Key] = dec.app(f.Key, stack.appDefaults, f.Value)
	}
	for name, i := range stack.Instances {
		i.Layers = sortedUnique(i.Layers)
		stack.Instances[name] = i
	}
	derive(stack, nil)
	d.mismatches = append(d.mismatches, dec.mismatches...)
	return stack
}

// section decodes a top-level key, anew even where it is not set.
func (dec *decoder) section(stack reflect.Value, name string, n *input.Node) {
	i, ok := fieldIndex(stack.Type())[name]
	if !ok {
		return
	}
	field := stack.Field(i)
	a := compile().root.fields[name]
	if field.Kind() == reflect.Pointer {
		section := reflect.New(field.Type().Elem())
		dec.value(a, n, section.Elem())
		field.Set(section)
		return
	}
	field.SetZero()
	dec.value(a, n, field)
}

// fieldIndex finds the fields of a struct by their names in a stack.
func fieldIndex(t reflect.Type) map[string]int {
	if known, ok := fieldIndexes[t]; ok {
		return known
	}
	return makeFieldIndex(t)
}

// fieldIndexes is complete before anything is decoded.
var fieldIndexes = map[reflect.Type]map[string]int{}

func init() {
	var add func(reflect.Type)
	add = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			add(t.Elem())
		case reflect.Struct:
			if fieldIndexes[t] != nil {
				return
			}
			fieldIndexes[t] = makeFieldIndex(t)
			for i := range t.NumField() {
				add(t.Field(i).Type)
			}
		}
	}
	add(reflect.TypeFor[Stack]())
}

func makeFieldIndex(t reflect.Type) map[string]int {
	index := map[string]int{}
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("json"); name != "" {
			index[name] = i
		}
	}
	return index
}

// value decodes a value, or the default where there is none, into v.
func (dec *decoder) value(a *Attr, n *input.Node, v reflect.Value) {
	if n == nil || n.Kind == input.Null {
		n = a.Default
	}
	switch p := v.Addr().Interface().(type) {
	case *Secret:
		*p = dec.secret(n)
		return
	case *EnvValue:
		*p = dec.envValue(n)
		return
	case *Certificate:
		*p = dec.certificate(n)
		return
	case *Pasted:
		*p = dec.pasted(n)
		return
	case *Packages:
		*p = packages(n)
		return
	case *Seconds:
		*p = Seconds(dec.duration(a, n, time.Second))
		return
	case *Millis:
		*p = Millis(dec.duration(a, n, time.Millisecond))
		return
	}
	if v.Kind() == reflect.Struct {
		dec.fields(a, n, v)
		return
	}
	if n == nil || n.Kind == input.Null {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		dec.value(a, n, v.Elem())
	case reflect.Slice:
		dec.list(a, n, v)
	case reflect.Map:
		dec.entries(a, n, v)
	default:
		dec.scalar(a, n, v)
	}
}

func (dec *decoder) fields(a *Attr, n *input.Node, v reflect.Value) {
	for name, i := range fieldIndex(v.Type()) {
		f := a.fields[name]
		if f == nil {
			dec.mismatch(a, "no attribute "+name)
			continue
		}
		dec.value(f, n.Get(name), v.Field(i))
	}
}

func (dec *decoder) list(a *Attr, n *input.Node, v reflect.Value) {
	if n.Kind != input.List || a.Item == nil {
		dec.mismatch(a, n.Kind.String())
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items)))
	for i, item := range n.Items {
		dec.value(a.Item, item, v.Index(i))
	}
}

// entries decodes an open map; the entries of the default stay beneath.
func (dec *decoder) entries(a *Attr, n *input.Node, v reflect.Value) {
	if n.Kind != input.Map || a.Elem == nil {
		dec.mismatch(a, n.Kind.String())
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	fields := n.Fields
	if a.Default != nil && n != a.Default {
		fields = append(slices.Clone(a.Default.Fields), fields...)
	}
	for _, f := range fields {
		key := reflect.ValueOf(f.Key)
		if f.Value.Kind == input.Null {
			v.SetMapIndex(key, reflect.Value{})
			continue
		}
		elem := reflect.New(v.Type().Elem()).Elem()
		dec.value(a.Elem, f.Value, elem)
		v.SetMapIndex(key, elem)
	}
}

func (dec *decoder) scalar(a *Attr, n *input.Node, v reflect.Value) {
	if n.Kind == input.Map || n.Kind == input.List {
		dec.mismatch(a, n.Kind.String())
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.Text)
	case reflect.Bool:
		v.SetBool(n.Text == "true")
	case reflect.Int:
		if n.Text == "" {
			return
		}
		i, err := strconv.ParseInt(n.Text, 10, 64)
		if err != nil {
			dec.mismatch(a, n.Kind.String())
		}
		v.SetInt(i)
	case reflect.Float64:
		f, err := strconv.ParseFloat(n.Text, 64)
		if err != nil || math.IsInf(f, 0) {
			dec.mismatch(a, n.Kind.String())
		}
		v.SetFloat(f)
	default:
		dec.mismatch(a, "no way to decode "+v.Type().String())
	}
}

func (dec *decoder) mismatch(a *Attr, what string) {
	dec.mismatches = append(dec.mismatches, a.Path+": "+what)
}
