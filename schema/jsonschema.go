package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"cuelang.org/go/cue"
)

// about is the description of the whole schema.
const about = "A stack: what plonec build, check and plan read. Each attribute is here with its type, range and default, and null means not set everywhere but in a list. " +
	"This schema judges one value at a time. It does not know what follows from several of them: whether hosts share an address or name a layer that there is not, " +
	"whether an attribute is given under two names, whether two layers of a host disagree, what stands in a custom_json that is a text, or which keys plonec.ignore lets through: " +
	"where that list has an entry, any key may stand beside plonec and in a custom_json. It takes 2.0 for a whole number, and keys and texts of any length. " +
	"A key that plonec does not know is refused even where it is null. A file that is merged with others may be at fault here and the whole be right. plonec check judges all of it."

// JSONSchema describes a stack in JSON Schema 2020-12, for editors. Whatever
// Load takes without an error is valid by it, but for a null under a key that
// plonec does not know; the reverse does not hold, as its description says.
func JSONSchema() []byte {
	c := compile()
	c.mu.Lock()
	defer c.mu.Unlock()
	g := &generator{schema: c, defs: map[string]object{}}
	var b bytes.Buffer
	write(&b, g.stack(), "")
	b.WriteByte('\n')
	return b.Bytes()
}

// An object is a JSON object whose keys stay in order.
type object []member

type member struct {
	key   string
	value any // a string, bool, nil, object, []any or json.RawMessage
}

func (o object) has(key string) bool {
	return slices.ContainsFunc(o, func(m member) bool { return m.key == key })
}

// A generator makes the schema from the attributes and their CUE values.
type generator struct {
	schema *compiled
	defs   map[string]object // by name, without the #
	left   []string          // constraints that it has no words for: the schema is wider there
}

// The definitions of a layer's custom_json, and of one without keys of other
// cookbooks.
const (
	inLayers      = "LayerAttributes"
	knownInLayers = "KnownLayerAttributes"
)

// stack is the whole schema. Keys of other cookbooks, which plonec.ignore lists,
// stand at the top and in each custom_json: where it lists any, both are open.
func (g *generator) stack() object {
	root := g.schema.root
	top := g.fields(root)
	own := layerAttributes(root)
	g.defs[inLayers] = object{{"type", []any{"object", "string", "null"}}, {"properties", own}}
	var known object
	for _, m := range own {
		known = append(known, member{m.key, true})
	}
	g.defs[knownInLayers] = object{{"properties", known}, {"additionalProperties", false}}
	closed := object{{"$ref", "#/$defs/" + knownInLayers}}
	layers := object{{"additionalProperties", object{{"properties", object{{"custom_json", closed}, {"CustomJson", closed}}}}}}
	schema := object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"title", "A stack of plonec"},
		{"description", about},
		{"type", "object"},
		{"if", object{
			{"required", []any{"plonec"}},
			{"properties", object{{"plonec", object{
				{"type", "object"},
				{"required", []any{"ignore"}},
				{"properties", object{{"ignore", object{{"type", "array"}, {"minItems", json.RawMessage("1")}}}}},
			}}}},
		}},
		{"then", object{{"additionalProperties", true}}},
		{"else", object{{"properties", object{{"layers", layers}, {"opsworks", object{{"properties", object{{"layers", layers}}}}}}}}},
	}
	for _, m := range top {
		if m.key == "additionalProperties" {
			m.key = "unevaluatedProperties" // which "then" may have evaluated
		}
		schema = append(schema, m)
	}
	defs := object{}
	for _, name := range sortedKeys(g.defs) {
		defs = append(defs, member{name, g.defs[name]})
	}
	return append(schema, member{"$defs", defs})
}

// layerAttributes are what may stand in a layer's custom_json.
func layerAttributes(root *Attr) object {
	properties := object{}
	for _, f := range root.Fields {
		for _, key := range append([]string{f.Name}, f.Aliases...) {
			ref := object{{"$ref", "#/properties/" + key}}
			switch key {
			case "opsworks", "instances", "layers": // these cannot differ from layer to layer
				properties = append(properties, member{key, false})
			case "plonec":
				but := object{{"properties", object{{"ssh", false}, {"ignore", false}}}}
				properties = append(properties, member{key, object{{"allOf", []any{ref, but}}}})
			default:
				properties = append(properties, member{key, ref})
			}
		}
	}
	return properties
}

// fields are the keywords for the keys of a map.
func (g *generator) fields(a *Attr) object {
	var keywords, properties object
	var required []any
	for _, f := range a.Fields {
		properties = append(properties, member{f.Name, g.attribute(f)})
		for _, alias := range f.Aliases {
			other := object{{"description", strings.TrimSpace("Another name of " + f.Name + ". " + f.Doc)}, {"deprecated", true}}
			properties = append(properties, member{alias, append(other, g.value(f, true)...)})
		}
		if f.Required {
			required = append(required, f.Name)
		}
	}
	if properties != nil {
		keywords = append(keywords, member{"properties", properties})
	}
	if required != nil {
		keywords = append(keywords, member{"required", required})
	}
	if a.Elem == nil {
		return append(keywords, member{"additionalProperties", false})
	}
	return append(keywords, member{"propertyNames", g.value(a.Key, false)}, member{"additionalProperties", g.value(a.Elem, true)})
}

// attribute is an attribute with what people should know of it.
func (g *generator) attribute(a *Attr) object {
	o := object{}
	if text := a.hover(); text != "" {
		o = append(o, member{"description", text})
	}
	if a.Default != nil {
		o = append(o, member{"default", json.RawMessage(toJSON(a.Default))})
	}
	if a.Deprecated != "" {
		o = append(o, member{"deprecated", true})
	}
	return append(o, g.value(a, !a.Required)...)
}

// hover is what an editor shows of an attribute.
func (a *Attr) hover() string {
	var notes []string
	add := func(before, text, after string) {
		if text != "" {
			notes = append(notes, before+text+after)
		}
	}
	add("", a.Doc, "")
	if a.Sent && a.Doc == "" {
		add("", "Known because OpsWorks or the cookbook had it; it has no effect.", "")
	}
	if !a.Sent && len(a.Enum) == 0 && a.Type != a.kindWords() && !strings.HasSuffix(a.Type, "a map") {
		add("Takes ", strings.TrimSuffix(a.Type, "…"), ".")
	}
	if a.Default == nil {
		add("Default: ", a.Derived, ".")
	}
	add("Deprecated: ", a.Deprecated, ".")
	add("Nothing renders ", strings.TrimSuffix(a.NotYet(), ","), " yet.")
	if a.Into != "" {
		add("Sets the defaults of ", a.Into, ".")
	}
	add("Shows in: ", a.ShownIn(), ".")
	return strings.Join(notes, " ")
}

// value is what an attribute takes, by reference where the CUE schema has a
// definition. A definition holds no description: some editors let it hide the
// one beside the reference.
func (g *generator) value(a *Attr, null bool) object {
	switch {
	case a.Layered:
		return object{{"$ref", "#/$defs/" + inLayers}}
	case a.def == "" || a.Sent:
		return g.constraint(a, null)
	}
	g.define(a.def, a)
	ref := object{{"$ref", "#/$defs/" + strings.TrimPrefix(a.def, "#")}}
	if !null {
		ref = append(ref, member{"type", typeNames(a.kinds, false)})
	}
	return ref
}

func (g *generator) define(def string, a *Attr) {
	name := strings.TrimPrefix(def, "#")
	if _, done := g.defs[name]; !done {
		g.defs[name] = nil // it is being made
		g.defs[name] = g.constraint(a, true)
	}
}

// constraint is what a value must be. Most keywords of JSON Schema judge values
// of one type and let others pass, so that those for texts, numbers, lists and
// maps stand side by side.
func (g *generator) constraint(a *Attr, null bool) object {
	switch {
	case a.Sent && a.kinds == cue.StringKind:
		return object{{"type", typeNames(a.kinds, null)}}
	case a.Sent || a.kinds == cue.TopKind:
		return nil
	}
	o := object{{"type", typeNames(a.kinds, null)}}
	if a.takesKind(cue.StringKind) {
		text := g.text(cue.Dereference(a.value), a.kinds != cue.StringKind)
		for i, m := range text {
			if m.key == "enum" && null {
				text[i].value = append(slices.Clone(m.value.([]any)), nil)
			}
		}
		o = append(o, text...)
	}
	if a.takesKind(cue.NumberKind) {
		o = append(o, g.number(a.value)...)
	}
	if a.Item != nil {
		o = append(o, member{"items", g.value(a.Item, false)})
	}
	if a.takesKind(cue.StructKind) {
		o = append(o, g.fields(a)...)
	}
	return o
}

func (a *Attr) takesKind(kind cue.Kind) bool { return a.kinds&kind != 0 }

// typeNames are JSON Schema's names of kinds.
func typeNames(kinds cue.Kind, null bool) any {
	var names []any
	for _, k := range []struct {
		kind cue.Kind
		name string
	}{
		{cue.StructKind, "object"}, {cue.ListKind, "array"}, {cue.StringKind, "string"},
		{cue.FloatKind, "number"}, {cue.IntKind, "integer"}, {cue.BoolKind, "boolean"},
	} {
		if kinds&k.kind != 0 && (k.kind != cue.IntKind || kinds&cue.FloatKind == 0) {
			names = append(names, k.name)
		}
	}
	if null {
		names = append(names, "null")
	}
	if len(names) == 1 {
		return names[0]
	}
	return names
}

// text are the keywords for the texts that a value takes. beside tells that it
// takes other types too, which a reference to a definition would refuse.
func (g *generator) text(v cue.Value, beside bool) object {
	if def := refersTo(v); strings.HasPrefix(def, "#") && !beside && v.IncompleteKind() == cue.StringKind {
		if a, err := newTree(g.schema.top, def); err == nil {
			g.define(def, a)
			return object{{"$ref", "#/$defs/" + strings.TrimPrefix(def, "#")}}
		}
	}
	v = cue.Dereference(v)
	op, args := v.Expr()
	switch op {
	case cue.OrOp:
		return g.either(args, beside)
	case cue.AndOp:
		return g.both(args, beside)
	case cue.RegexMatchOp, cue.NotRegexMatchOp:
		re, err := args[len(args)-1].String()
		if err != nil {
			break
		}
		pattern, ok := ecma(re)
		switch {
		case !ok:
		case op == cue.RegexMatchOp:
			return object{{"pattern", pattern}}
		default:
			return object{{"not", object{{"type", "string"}, {"pattern", pattern}}}}
		}
	case cue.CallOp:
		if len(args) == 2 && fmt.Sprint(args[0]) == "strings.MaxRunes" {
			return object{{"maxLength", json.RawMessage(fmt.Sprint(args[1]))}}
		}
	case cue.NoOp:
		if s, err := v.String(); err == nil {
			return object{{"enum", []any{s}}}
		}
		if v.Kind() == cue.BottomKind { // the type itself
			return nil
		}
	}
	g.left = append(g.left, fmt.Sprint(v))
	return nil
}

// refersTo is the definition that a value refers to; empty: none.
func refersTo(v cue.Value) string {
	if ref, path := v.ReferencePath(); ref.Exists() && len(path.Selectors()) > 0 {
		return path.String()
	}
	return ""
}

// either joins the arms of a disjunction that take texts. A list of texts to
// choose from refuses other types, which an arm with a pattern lets pass.
func (g *generator) either(args []cue.Value, beside bool) object {
	var texts, arms []any
	var flatten func(args []cue.Value) bool
	flatten = func(args []cue.Value) bool {
		for _, arg := range args {
			if arg.IncompleteKind()&cue.StringKind == 0 {
				continue
			}
			if op, inner := arg.Expr(); op == cue.OrOp && refersTo(arg) == "" {
				if !flatten(inner) {
					return false
				}
				continue
			}
			arm := g.text(arg, beside)
			switch {
			case arm == nil:
				return false
			case len(arm) == 1 && arm[0].key == "enum":
				texts = append(texts, arm[0].value.([]any)...)
			default:
				arms = append(arms, arm)
			}
		}
		return true
	}
	switch {
	case !flatten(args):
		return nil
	case len(arms) == 0 && beside:
		g.left = append(g.left, fmt.Sprint(texts...))
		return nil
	case len(arms) == 0:
		return object{{"enum", texts}}
	case len(arms) == 1 && len(texts) == 0:
		return arms[0].(object)
	case len(texts) == 1:
		arms = append(arms, object{{"const", texts[0]}})
	case len(texts) > 1:
		arms = append(arms, object{{"enum", texts}})
	}
	return object{{"anyOf", arms}}
}

// both joins the parts of a conjunction: side by side, and under allOf what has
// a keyword that is there already. A reference stands alone, since some editors
// put what it leads to in the place of what stands beside it.
func (g *generator) both(args []cue.Value, beside bool) object {
	var all object
	var more []any
	var join func(args []cue.Value)
	join = func(args []cue.Value) {
		for _, arg := range args {
			if op, inner := arg.Expr(); op == cue.AndOp && refersTo(arg) == "" {
				join(inner)
				continue
			}
			part := g.text(arg, beside)
			if part.has("$ref") || slices.ContainsFunc(part, func(m member) bool { return all.has(m.key) }) {
				more = append(more, part)
				continue
			}
			all = append(all, part...)
		}
	}
	join(args)
	if more != nil {
		all = append(all, member{"allOf", more})
	}
	return all
}

// number are the keywords for the numbers that a value takes: bounds, in one
// arm at most.
func (g *generator) number(v cue.Value) object {
	v = cue.Dereference(v)
	op, args := v.Expr()
	switch op {
	case cue.OrOp:
		args = slices.DeleteFunc(args, func(arg cue.Value) bool { return arg.IncompleteKind()&cue.NumberKind == 0 })
		if len(args) == 1 {
			return g.number(args[0])
		}
	case cue.AndOp:
		var all object
		for _, arg := range args {
			all = append(all, g.number(arg)...)
		}
		return all
	case cue.NoOp:
		if v.Kind() == cue.BottomKind {
			return nil
		}
	case cue.GreaterThanEqualOp, cue.GreaterThanOp, cue.LessThanEqualOp, cue.LessThanOp:
		keyword := map[cue.Op]string{
			cue.GreaterThanEqualOp: "minimum", cue.GreaterThanOp: "exclusiveMinimum",
			cue.LessThanEqualOp: "maximum", cue.LessThanOp: "exclusiveMaximum",
		}[op]
		if limit, err := args[len(args)-1].MarshalJSON(); err == nil {
			return object{{keyword, json.RawMessage(limit)}}
		}
	}
	g.left = append(g.left, fmt.Sprint(v))
	return nil
}

// write writes a value of JSON, on one line where that is short.
func write(b *bytes.Buffer, v any, indent string) {
	var flat bytes.Buffer
	writeFlat(&flat, v)
	o, isObject := v.(object)
	if !isObject && flat.Len() < 1000 || flat.Len()+len(indent) < 80 || len(o) == 0 && isObject {
		b.Write(flat.Bytes())
		return
	}
	within := indent + "  "
	sep := ""
	if isObject {
		b.WriteByte('{')
		for _, m := range o {
			b.WriteString(sep + "\n" + within + quote(m.key) + ": ")
			write(b, m.value, within)
			sep = ","
		}
		b.WriteString("\n" + indent + "}")
		return
	}
	list, ok := v.([]any)
	if !ok {
		b.Write(flat.Bytes())
		return
	}
	b.WriteByte('[')
	for _, item := range list {
		b.WriteString(sep + "\n" + within)
		write(b, item, within)
		sep = ","
	}
	b.WriteString("\n" + indent + "]")
}

func writeFlat(b *bytes.Buffer, v any) {
	sep := ""
	switch v := v.(type) {
	case object:
		b.WriteByte('{')
		for _, m := range v {
			b.WriteString(sep + quote(m.key) + ": ")
			writeFlat(b, m.value)
			sep = ", "
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for _, item := range v {
			b.WriteString(sep)
			writeFlat(b, item)
			sep = ", "
		}
		b.WriteByte(']')
	case json.RawMessage:
		b.Write(v)
	case string:
		b.WriteString(quote(v))
	default: // bool and nil
		fmt.Fprint(b, map[any]string{true: "true", false: "false", nil: "null"}[v])
	}
}

// quote writes a text as JSON; what cannot be seen is escaped.
func quote(s string) string {
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	var b strings.Builder
	for _, r := range strings.TrimSuffix(text.String(), "\n") {
		if r >= utf8.RuneSelf && r <= 0xffff && !unicode.IsPrint(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
