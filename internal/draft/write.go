package draft

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"

	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/schema"
)

// Write writes a stack as CUE, which has comments and texts of several lines: what it is,
// each group under its title, each section under what it is. Notes are comments before
// attributes, by Key; abouts are those of sections, in place of their documentation.
func Write(what []string, stack *input.Node, notes map[string][]string, abouts map[string]string) []byte {
	stack = ordered(schema.Root(), stack)
	w := &writer{notes: notes}
	for _, line := range what {
		w.line("// "+line, 0)
	}
	for _, g := range groups {
		titled := false
		for _, name := range g.keys {
			value := stack.Get(name)
			if Empty(value) {
				continue
			}
			w.b.WriteByte('\n')
			if !titled {
				titled = true
				w.line("// == "+g.title, 0)
				w.b.WriteByte('\n')
			}
			w.comment(cmp.Or(abouts[name], schema.Lookup(name).Doc), 0)
			w.field(name, value, []string{name}, 0)
		}
	}
	return []byte(w.b.String())
}

// Short is a value on one line, "" where it has to have several.
func Short(n *input.Node) string { return (&writer{}).short(n, nil) }

// width is how long a line may be that says all of a map.
const width = 120

type writer struct {
	b     strings.Builder
	notes map[string][]string
}

func (w *writer) line(s string, depth int) {
	w.b.WriteString(strings.Repeat("\t", depth) + s + "\n")
}

// comment wraps a text into lines of comment.
func (w *writer) comment(s string, depth int) {
	line := "//"
	for _, word := range strings.Fields(s) {
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > 90 && line != "//" {
			w.line(line, depth)
			line = "//"
		}
		line += " " + word
	}
	if line != "//" {
		w.line(line, depth)
	}
}

func (w *writer) field(name string, n *input.Node, path []string, depth int) {
	for _, note := range w.notes[Key(path)] {
		w.comment(note, depth)
	}
	label := name
	if ast.StringLabelNeedsQuoting(name) {
		label = literal.String.Quote(name)
	}
	if s := w.short(n, path); s != "" && (len(path) > 1 || n.Kind != input.Map) && len(label)+2+len(s)+8*depth <= width {
		w.line(label+": "+s, depth)
		return
	}
	w.b.WriteString(strings.Repeat("\t", depth) + label + ": ")
	w.value(n, path, depth)
	w.b.WriteByte('\n')
}

// value writes what does not fit on its line.
func (w *writer) value(n *input.Node, path []string, depth int) {
	switch n.Kind {
	case input.Map:
		w.b.WriteString("{\n")
		for _, f := range n.Fields {
			w.field(f.Key, f.Value, append(slices.Clip(path), f.Key), depth+1)
		}
		w.b.WriteString(strings.Repeat("\t", depth) + "}")
	case input.List:
		w.b.WriteString("[\n")
		for i, item := range n.Items {
			here := append(slices.Clip(path), Step(i))
			w.b.WriteString(strings.Repeat("\t", depth+1))
			if s := w.short(item, here); s != "" && len(s)+8*depth <= width {
				w.b.WriteString(s)
			} else {
				w.value(item, here, depth+1)
			}
			w.b.WriteString(",\n")
		}
		w.b.WriteString(strings.Repeat("\t", depth) + "]")
	default:
		w.b.WriteString(scalar(n, depth))
	}
}

// short is a value on one line, "" where it has to have several: texts with
// line breaks, maps of maps, what has a comment inside.
func (w *writer) short(n *input.Node, path []string) string {
	var parts []string
	switch n.Kind {
	case input.Map:
		for _, f := range n.Fields {
			here := append(slices.Clip(path), f.Key)
			nested := f.Value.Kind == input.Map && f.Value.Get("$secret") == nil
			s := w.short(f.Value, here)
			if s == "" || nested || len(w.notes[Key(here)]) > 0 {
				return ""
			}
			label := f.Key
			if ast.StringLabelNeedsQuoting(label) {
				label = literal.String.Quote(label)
			}
			parts = append(parts, label+": "+s)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case input.List:
		for i, item := range n.Items {
			s := w.short(item, append(slices.Clip(path), Step(i)))
			if s == "" || item.Kind == input.Map && item.Get("$secret") == nil && len(n.Items) > 1 {
				return ""
			}
			parts = append(parts, s)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	if s := scalar(n, 0); !strings.Contains(s, "\n") {
		return s
	}
	return ""
}

// scalar is CUE's text of a value. A text of several lines is written as such.
func scalar(n *input.Node, depth int) string {
	switch n.Kind {
	case input.String:
		return literal.String.WithOptionalTabIndent(depth + 1).Quote(n.Text)
	case input.Null:
		return "null"
	}
	return n.Text
}

// groups are the parts of a stack, in the order in which a person looks for them.
var groups = []struct {
	title string
	keys  []string
}{
	{"Hosts: who they are, what they do, how to reach them", []string{"plonec", "opsworks", "instances", "layers"}},
	{"Apps: which buildout, from where", []string{"deploy", "deploy_buildout", "deploy_python"}},
	{"Plone: clients, database, blobs", []string{"plone_instances", "plone_zeoserver", "plone_blobs", "plone_solr", "volto", "tmpdir"}},
	{"Front end: nginx, Varnish, HAProxy", []string{"nginx_plone", "nginx", "certbot_domains", "certbot_email", "varnish_plone", "varnish", "varnish_purge_urls", "haproxy"}},
	{"Services beside Plone", []string{"redis", "memcached", "newrelic", "papertrail", "traceview", "s3fs_fuse", "ebs_snapshots"}},
	{"System", []string{"system", "apt", "opsworks_initial_setup"}},
}

// isGroup tells whether a section holds neither hosts nor apps.
func isGroup(name string) bool {
	for _, g := range groups[2:] {
		if slices.Contains(g.keys, name) {
			return true
		}
	}
	return false
}

// ordered is a tree whose known keys stand in the order of the schema.
func ordered(a *schema.Attr, n *input.Node) *input.Node {
	if a == nil || n.Kind != input.Map {
		return n
	}
	if a.Layered {
		a = schema.Root()
	}
	fields := slices.Clone(n.Fields)
	for i, f := range fields {
		fields[i].Value = ordered(a.Field(f.Key), f.Value)
	}
	place := func(f input.Field) int {
		return slices.IndexFunc(a.Fields, func(k *schema.Attr) bool { return k.Name == f.Key })
	}
	slices.SortStableFunc(fields, func(x, y input.Field) int { return place(x) - place(y) })
	return input.NewMap(n.Span, fields)
}
