package schema

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// TestAttributes holds the schema against the list of the attributes that it
// must have.
func TestAttributes(t *testing.T) {
	for _, path := range strings.Fields(mustRead(t, "testdata", "attributes.txt")) {
		a := Lookup(path)
		if a == nil {
			t.Errorf("the schema lacks %s", path)
			continue
		}
		if a.Sent {
			t.Errorf("%s is known and nothing more", path)
		}
	}
	if Lookup("plone_instances.per_cpus") != nil || Lookup("no.such.thing") != nil {
		t.Error("Lookup finds what is not there")
	}
}

// eachOwn calls f for every attribute that the schema documents itself: not
// the keys that are only let through, nor what is inside a secret.
func eachOwn(f func(*Attr)) {
	var walk func(*Attr)
	walk = func(a *Attr) {
		if a.Sent {
			return
		}
		f(a)
		for _, below := range a.Below() {
			walk(below)
		}
		if a.def == "#EnvValue" {
			return
		}
		if a.Item != nil && !a.Secret {
			walk(a.Item)
		}
		if a.Elem != nil && !a.Secret {
			walk(a.Elem)
		}
	}
	for _, a := range Root().Fields {
		walk(a)
	}
}

// TestDefaults: a default satisfies its own constraint.
func TestDefaults(t *testing.T) {
	seen := 0
	eachOwn(func(a *Attr) {
		if a.Default == nil {
			return
		}
		seen++
		c := newChecker(compile())
		c.value(a, a.Default, a.Default.Span)
		if c.list.Errors() > 0 {
			t.Errorf("%s: the default %s is refused: %v", a.Path, a.DefaultText(), c.list)
		}
	})
	if seen < 80 {
		t.Errorf("only %d defaults seen", seen)
	}
	// The test can fail.
	c := newChecker(compile())
	c.value(Lookup("haproxy.fall"), &input.Node{Kind: input.Number, Text: "0"}, diag.Span{})
	if c.list.Errors() == 0 {
		t.Error("haproxy.fall takes 0")
	}
}

// TestDocumented: whatever an operator can set is documented, in sentences.
func TestDocumented(t *testing.T) {
	eachOwn(func(a *Attr) {
		if strings.HasPrefix(a.Name, "<") || a.Name == "[]" {
			return
		}
		if len(a.Doc) < 10 || !strings.HasSuffix(a.Doc, ".") {
			t.Errorf("%s: documentation: %q", a.Path, a.Doc)
		}
		if a.want == "" || a.Type == "" {
			t.Errorf("%s: no type in words", a.Path)
		}
		if a.def == "" && len(a.Enum) == 0 && a.kindWords() == "a string" && a.want == "a string" {
			t.Errorf("%s: a text without @want", a.Path)
		}
	})
}

// TestStructs: the structs of stack.go have the fields of the schema, no more
// and no fewer.
func TestStructs(t *testing.T) {
	var compare func(a *Attr, typ reflect.Type)
	compare = func(a *Attr, typ reflect.Type) {
		for typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		switch {
		case a.Secret || a.def == "#EnvValue" || a.def == "#Packages" || a.def == "#Certificate" || a.def == "#FileText" || a.Pasted() || a.Layered:
			return
		case typ.Kind() == reflect.Map:
			compare(a.Elem, typ.Elem())
			return
		case typ.Kind() == reflect.Slice:
			compare(a.Item, typ.Elem())
			return
		case typ.Kind() != reflect.Struct:
			return
		}
		fields := fieldIndex(typ)
		for name := range fields {
			if f := a.fields[name]; f == nil || f.Sent || f.Name != name {
				t.Errorf("%s.%s: the schema has no %s in %s", typ.Name(), typ.Field(fields[name]).Name, name, a.Path)
			}
		}
		for _, f := range a.Fields {
			i, ok := fields[f.Name]
			switch {
			case f.Sent || f.Into != "" || f.Layered || f.Path == "opsworks.layers" || f.Path == "opsworks.instance":
				if ok {
					t.Errorf("%s: %s has a field for it", f.Path, typ.Name())
				}
			case !ok:
				t.Errorf("%s: %s has no field for it", f.Path, typ.Name())
			default:
				compare(f, typ.Field(i).Type)
			}
		}
	}
	compare(Root(), reflect.TypeFor[Stack]())
}

// TestEveryKeyDecodes decodes an empty stack: every field of every struct has
// an attribute whose default fits it.
func TestEveryKeyDecodes(t *testing.T) {
	dec := &decoder{}
	d := load(t, `{}`)
	v := reflect.ValueOf(new(Stack)).Elem()
	for _, a := range Root().Fields {
		dec.section(v, a.Name, nil)
	}
	dec.app("site", nil, nil)
	dec.value(Lookup("instances.<host>"), nil, reflect.ValueOf(new(Instance)).Elem())
	if len(dec.mismatches) > 0 {
		t.Errorf("%q", dec.mismatches)
	}
	if d.Base.PloneInstances.PerCPU != 2 || d.Base.Haproxy.Fall != 3 {
		t.Error("defaults are missing")
	}
}

// TestAliases: an alias is no documented name, and differs from all others.
func TestAliases(t *testing.T) {
	var aliases []string
	eachOwn(func(a *Attr) { aliases = append(aliases, a.Aliases...) })
	for _, want := range []string{
		"zeoserver", "new_relic", "celery_enabled", "environment_variables",
		"always_build_on_deploy", "additional_configuration",
	} {
		if !slices.Contains(aliases, want) {
			t.Errorf("%s is no alias", want)
		}
	}
}
