package schema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// A Setting is a place of a stack where an attribute is set, or may be.
type Setting struct {
	Attr  *Attr
	Path  []string // with names in the place of <app> and the like; under layers.LAYER.custom_json for a layer's own
	Key   diag.Span
	Value *input.Node // nil: it is not set there
}

// String is the path as diagnostics write it.
func (s *Setting) String() string { return JoinKeys(s.Path) }

// Shown is the value as JSON on one line, and *** for what no output shows.
func (s *Setting) Shown() string { return shown(s.Attr, s.Value) }

// Settings are the places of an attribute in this stack, by its path: where
// the stack and its layers set it, or else where it could be set. Of a group
// they are those of all that is set in it. <app> and the like stand for every
// name that there is.
func (d *Decoded) Settings(path string) []Setting {
	keys, rest, ok := splitPath(path)
	if !ok || rest != "" || Lookup(path) == nil {
		return nil
	}
	var list []Setting
	s := finder{list: &list, below: true}
	layer, own := d.layerOf(&keys)
	s.find(Root(), own, keys, layer)
	if layer.Path == nil {
		s.set = true
		for _, name := range sortedKeys(d.layers) {
			s.find(Root(), d.layers[name], keys, Setting{Path: []string{"layers", name, "custom_json"}})
		}
	}
	return list
}

// Replaces is what an override takes the place of; its Value is nil where that
// is nothing.
func (d *Decoded) Replaces(o *Override) Setting {
	var keys []key
	for _, k := range o.Path {
		keys = append(keys, key{text: k})
	}
	var list []Setting
	s := finder{list: &list}
	layer, own := d.layerOf(&keys)
	s.find(Root(), own, keys, layer)
	if len(list) == 0 {
		return Setting{Path: o.Path}
	}
	return list[0]
}

// layerOf takes layers.LAYER.custom_json off a path, and returns it with what
// the layer sets; else the stack itself.
func (d *Decoded) layerOf(keys *[]key) (Setting, *input.Node) {
	k := *keys
	if len(k) < 4 || k[0].text != "layers" || k[2].text != "custom_json" {
		return Setting{}, d.tree
	}
	*keys = k[3:]
	return Setting{Path: []string{"layers", k[1].text, "custom_json"}}, d.layers[k[1].text]
}

type finder struct {
	list  *[]Setting
	set   bool // leave out what is not set
	below bool // of a map its keys
}

func (s *finder) find(a *Attr, n *input.Node, keys []key, at Setting) {
	if len(keys) == 0 {
		at.Attr, at.Value = a, n
		if s.below {
			s.leaves(at)
		} else {
			*s.list = append(*s.list, at)
		}
		return
	}
	if a.Layered {
		return
	}
	name := strings.TrimSuffix(keys[0].text, "[]")
	below := a.at(name)
	if below == nil {
		return
	}
	if a.Item != nil && a.Item.Field(name) == below { // of an item: the list is the setting
		s.find(a, n, nil, at)
		return
	}
	names := []string{name}
	switch {
	case a.Elem == below && name == below.Name: // <app>
		names = nil
		for _, f := range fieldsOf(n) {
			names = append(names, f.Key)
		}
		slices.Sort(names)
	case a.Elem != below:
		names[0] = below.Name // not an alias
	}
	for _, name := range names {
		next := Setting{Path: append(slices.Clone(at.Path), name)}
		var value *input.Node
		if f := n.Field(name); f != nil {
			next.Key, value = f.Span, f.Value
		}
		s.find(below, value, keys[1:], next)
	}
}

// leaves adds a setting, or of a map those of its keys.
func (s *finder) leaves(at Setting) {
	a, n := at.Attr, at.Value
	switch {
	case n != nil && n.Kind == input.Map && !a.takesReference() && (len(a.Fields) > 0 || a.Elem != nil && len(a.Elem.Fields) > 0):
		for _, f := range n.Fields {
			if below := a.Field(f.Key); below != nil && !below.Sent {
				s.leaves(Setting{below, append(slices.Clone(at.Path), f.Key), f.Span, f.Value})
			}
		}
	case n != nil || !s.set && len(a.Fields) == 0:
		*s.list = append(*s.list, at)
	}
}

// Leaves are the attributes without keys of their own in a group, itself where
// it is none: those that something is made of.
func (a *Attr) Leaves() []*Attr {
	if a.takesReference() || a.Layered || len(a.Fields) == 0 && (a.Elem == nil || len(a.Elem.Fields) == 0) {
		return []*Attr{a}
	}
	var list []*Attr
	for _, f := range append(slices.Clone(a.Fields), a.Elem) {
		if f != nil && !f.Sent && f.Later == "" {
			list = append(list, f.Leaves()...)
		}
	}
	return list
}

// Others are values of another kind or size that a setting might have, the
// likely ones first, each of which the attribute takes by itself. names are
// those of apps, layers and hosts.
func (s *Setting) Others(names []string) []*input.Node {
	c := compile()
	c.mu.Lock()
	defer c.mu.Unlock()
	t := trier{judge: newJudge(c), names: names}
	var list []*input.Node
	for _, n := range t.others(s.Attr, s.Value) {
		if !slices.ContainsFunc(list, func(o *input.Node) bool { return equal(o, n) }) && !equal(n, s.Value) {
			list = append(list, n)
		}
	}
	if s.Value != nil {
		list = append(list, &input.Node{Kind: input.Null})
	}
	return list
}

type trier struct {
	judge *judge
	names []string
}

// samples are texts of which every type of the schema takes one or two.
var samples = []string{
	"other", "10.99.0.99", "10.99.0.0/24", "10.99.0.99:9999", "other.example.org", "/srv/other", "other/path", "shared/other", "/other",
	"https://git.example.org/other.git", "77s", "77", "77m", "3G", "7.7", "3.12", "OTHER", "other==7.7", "other::other", "*/7", "Sat 07:07",
	"# other", "other: other", "other.cfg", "-N", "setup", "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n",
	"<title>other</title>\n",
	"22.7.7", "0707070707070707070707070707070707070707070707070707070707070707",
}

func (t *trier) others(a *Attr, now *input.Node) []*input.Node {
	if now == nil {
		now = a.Default
	}
	var list []*input.Node
	add := func(kind input.Kind, texts ...string) {
		for _, text := range texts {
			if t.judge.accepts(a, kind, text) {
				list = append(list, &input.Node{Kind: kind, Text: text})
			}
		}
	}
	switch {
	case a.Secret:
		return []*input.Node{reference("env:PLONEC_OTHER")}
	case a.def == "#EnvValue" || a.def == "#FileText":
		return []*input.Node{{Kind: input.String, Text: "other"}}
	case a.Layered || a.Sent:
		return nil
	case a.holdsConfig():
		add(input.String, "# other") // of what other words may do nobody knows here
	}
	if a.takes(input.Bool) {
		add(input.Bool, "true", "false")
	}
	add(input.String, a.Enum...)
	if a.takes(input.Number) {
		if now != nil && now.Kind == input.Number {
			add(input.Number, moved(now.Text)...)
		}
		add(input.Number, "2", "7", "77", "0.5", "7777")
	}
	if len(a.Enum) == 0 && a.takes(input.String) {
		if now != nil && now.Kind == input.String {
			add(input.String, now.Text+"-other", now.Text+"7")
		}
		add(input.String, t.names...)
		add(input.String, samples...)
	}
	if a.takes(input.List) && a.Item != nil {
		for _, item := range t.others(a.Item, nil) {
			list = append(list, &input.Node{Kind: input.List, Items: append(slices.Clone(itemsOf(now)), item)})
		}
		list = append(list, &input.Node{Kind: input.List})
	}
	if a.takes(input.Map) && a.Elem != nil && a.Key != nil {
		for _, name := range append(slices.Clone(t.names), samples...) {
			if !t.judge.accepts(a.Key, input.String, name) {
				continue
			}
			for _, value := range t.others(a.Elem, nil) {
				list = append(list, input.NewMap(diag.Span{}, []input.Field{{Key: name, Value: value}}))
			}
		}
	}
	if needed := t.needed(a); needed != nil {
		list = append(list, input.NewMap(diag.Span{}, needed))
	}
	return list
}

// needed are the keys that a map with known ones must have, each with a value.
func (t *trier) needed(a *Attr) []input.Field {
	var fields []input.Field
	for _, f := range a.Fields {
		if !f.Required {
			continue
		}
		if values := t.others(f, nil); len(values) > 0 {
			fields = append(fields, input.Field{Key: f.Name, Value: values[0]})
		}
	}
	return fields
}

func reference(source string) *input.Node {
	return input.NewMap(diag.Span{}, []input.Field{{Key: "$secret", Value: &input.Node{Kind: input.String, Text: source}}})
}

// moved are numbers around one.
func moved(text string) []string {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil
	}
	return []string{formatFloat(n + 1), formatFloat(2 * n), formatFloat(n - 1)}
}
