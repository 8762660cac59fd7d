package opsworks

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/draft"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/schema"
)

// clean walks what was gathered beside the schema: attributes get their
// documented names and order; what nobody reads, what is dead and what plonec
// does not know is left out, and each of these is said.
func (c *converter) clean(a *schema.Attr, n *input.Node, path []string) *input.Node {
	switch n.Kind {
	case input.List:
		var items []*input.Node
		for i, item := range n.Items {
			if a.Item != nil {
				item = c.clean(a.Item, item, append(slices.Clip(path), draft.Step(i)))
			}
			if item != nil {
				items = append(items, item)
			}
		}
		return &input.Node{Kind: input.List, Span: n.Span, Items: items}
	case input.Map:
		if a.Layered {
			a = schema.Root()
		}
		if a.Secret || len(a.Fields) == 0 && a.Elem == nil || n.Get("$secret") != nil {
			return n
		}
		return c.cleanMap(a, n, path)
	}
	return n
}

func (c *converter) cleanMap(a *schema.Attr, n *input.Node, path []string) *input.Node {
	// Older names first, so that the documented one lies over them.
	given := slices.Clone(n.Fields)
	slices.SortStableFunc(given, func(x, y input.Field) int { return rank(a, x.Key) - rank(a, y.Key) })
	values := map[string]input.Field{}
	var others []input.Field // of an open map, in their own order
	for _, f := range given {
		here := append(slices.Clip(path), f.Key)
		known := a.Field(f.Key)
		if !c.keeps(a, known, here, f.Value) {
			continue
		}
		if known == a.Elem {
			f.Value = c.clean(known, f.Value, here)
			others = append(others, f)
			continue
		}
		if known.Name != f.Key {
			documented := append(slices.Clip(path), known.Name)
			c.changed(here, "renamed to "+show(documented))
			if slices.Contains(unread, show(here)) {
				c.ask(show(documented), "the cookbook did not read it under its old name "+show(here)+": it takes effect only now", "take out what you do not want")
			}
			here, f.Key = documented, known.Name
		}
		f.Value = c.clean(known, f.Value, here)
		if f.Value.Kind == input.Map && len(f.Value.Fields) == 0 {
			continue // nothing of it was kept
		}
		if older, twice := values[f.Key]; twice {
			f.Value = input.Merge(older.Value, f.Value)
		}
		values[f.Key] = f
	}
	var fields []input.Field
	for _, k := range a.Fields {
		if f, ok := values[k.Name]; ok {
			fields = append(fields, f)
		}
	}
	return input.NewMap(n.Span, append(fields, others...))
}

// rank is 0 for an older name of an attribute, 1 for the documented one.
func rank(a *schema.Attr, name string) int {
	if f := a.Field(name); f == nil || f.Name == name {
		return 1
	}
	return 0
}

// keeps tells whether an attribute stays, and says why where it does not.
func (c *converter) keeps(in, known *schema.Attr, path []string, n *input.Node) bool {
	layered := slices.Contains(path, "custom_json")
	switch {
	case n.Kind == input.Null:
		return layered // there it takes the stack's own value back
	case draft.Empty(n):
		return inLayers(path)
	case known == nil:
		c.unknown(path, in)
		return false
	case known.Sent:
		if known.Name != "$schema" {
			c.dropped(path, whyGone(known.Path))
			c.sentAsks(path, n)
		}
		return false
	case dead(known):
		c.dropped(path, known.Deprecated)
		return false
	case !layered && c.isDefault(known, path, n):
		return false
	}
	if why := schema.SentDefault(known.Path, n); why != "" {
		c.dropped(path, why)
		return false
	}
	return true
}

// inLayers tells whether a path is a host or a layer, which may be empty.
func inLayers(path []string) bool {
	return len(path) == 2 && (path[0] == "layers" || path[0] == "instances")
}

// dead tells whether nothing comes of an attribute any more.
func dead(a *schema.Attr) bool { return a.Deprecated != "" && len(a.Shows) == 0 }

// unknown leaves out an attribute that plonec does not know. Its value is not
// shown: nobody knows whether it is secret.
func (c *converter) unknown(path []string, in *schema.Attr) {
	if in == schema.Root() {
		c.dropped(path, "another cookbook's: plonec ignores it")
		c.ask(show(path), "plonec does not know it: another cookbook's, or misspelt", "set up by hand what it did"+suggestion(path))
		return
	}
	c.dropped(path, "plonec does not know it")
	c.ask(show(path), "plonec does not know it", "check whether you need it"+suggestion(path))
}

func suggestion(path []string) string {
	if len(path) > 2 && path[0] == "layers" && path[2] == "custom_json" {
		path = path[3:]
	}
	said := schema.NotFound(strings.Join(path, "."), nil)
	if _, near, _ := strings.Cut(said, "; "); strings.HasPrefix(near, "did you mean") {
		return "; " + near
	}
	return ""
}

// isDefault tells whether an app's attribute says what plonec takes anyway:
// the service sent every one to the hosts. Defaults of the stack's own come first.
func (c *converter) isDefault(a *schema.Attr, path []string, n *input.Node) bool {
	if len(path) < 3 || path[0] != "deploy" || len(fieldsOf(c.tree.Get("deploy_buildout")))+len(fieldsOf(c.tree.Get("deploy_python"))) > 0 {
		return false
	}
	if n.Kind == input.String && n.Text == "" || n.Kind == input.List && len(n.Items) == 0 {
		return true
	}
	switch a.Path {
	case "deploy.<app>.deploy_to":
		return n.Text == "/srv/www/"+path[1]
	case "deploy.<app>.home":
		return n.Text == "/home/deploy"
	}
	return a.Default != nil && same(a.Default, n)
}

// mend takes what the schema says against the stack, and does what it advises:
// "write 3" where a text holds a number. What cannot be mended is left out.
func (c *converter) mend() {
	for range 20 {
		_, list := schema.Load(c.tree)
		type place struct {
			file       *diag.File
			start, end int
		}
		at := map[place][]string{}
		each(c.tree, nil, func(path []string, field diag.Span, n *input.Node) {
			at[place{field.File, field.Start, field.End}] = path
			at[place{n.Span.File, n.Span.Start, n.Span.End}] = path
		})
		done := false
		for _, d := range list {
			path, ok := at[place{d.Span.File, d.Span.Start, d.Span.End}]
			if d.Severity() != diag.Error || !mendable[d.Code] || !ok || !d.Span.HasPlace() {
				continue
			}
			done = true
			if better := advised(d.Remedy); better != nil {
				c.set(path, better)
				c.changed(path, d.Message+": written as "+strings.TrimPrefix(d.Remedy, "write "))
				continue
			}
			c.set(path, nil)
			c.dropped(path, d.Message)
			c.ask(show(path), "its value is refused: "+d.Message, orElse(d.Remedy, "write one that plonec takes, or leave it out"))
		}
		if !done {
			return
		}
	}
}

// mendable are the errors of one value.
var mendable = map[string]bool{
	"bad-key": true, "missing-key": true, "wrong-type": true, "bad-value": true, "out-of-range": true,
	"secret-reference": true, "not-in-layer": true, "set-twice": true, "unknown-key": true,
}

// advised is the value that a remedy of the schema says to write, if it does.
func advised(remedy string) *input.Node {
	said, ok := strings.CutPrefix(remedy, "write ")
	if !ok || !json.Valid([]byte(said)) || strings.HasPrefix(said, "{") {
		return nil
	}
	n, list := input.ReadJSON(&diag.File{Name: "remedy", Content: []byte(said)})
	if list.Errors() > 0 {
		return nil
	}
	return n
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// withheld matches what the service printed in place of a secret, and what
// examples hold.
var withheld = regexp.MustCompile(`^\*{3,}.*\*{3,}$`)

// unknownSecret stands for a secret whose value nobody here knows.
const unknownSecret = "*****FILTERED*****"

// keepSecrets puts a reference in the place of every secret, and the values
// aside.
func (c *converter) keepSecrets() {
	d, _ := schema.Load(c.tree)
	paths := map[string]bool{}
	for _, s := range d.PlainSecrets() {
		paths[draft.Key(steps(c.tree, s.Pointer))] = true
	}
	for k := range c.secure {
		paths[k] = true
	}
	names := map[string]bool{}
	each(c.tree, nil, func(path []string, _ diag.Span, n *input.Node) {
		if !paths[draft.Key(path)] || n.Kind == input.Map || n.Kind == input.List {
			return
		}
		name := secretName(path)
		for i := 2; names[name]; i++ {
			name = secretName(path) + "." + strconv.Itoa(i)
		}
		names[name] = true
		c.secrets = append(c.secrets, Secret{Name: name, Path: show(path), Value: n.Text, Withheld: withheld.MatchString(n.Text)})
		c.set(path, mapping("$secret", text("file:"+draft.SecretsDir+"/"+name)))
	})
}

// steps turns a JSON pointer into a path of the tree.
func steps(tree *input.Node, pointer string) []string {
	var path []string
	n := tree
	for _, p := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		p = strings.NewReplacer("~1", "/", "~0", "~").Replace(p)
		if n != nil && n.Kind == input.List {
			p = "[" + p + "]"
		}
		path = append(path, p)
		n = at(n, path[len(path)-1:])
	}
	return path
}

// secretName is the name of a secret's file: haproxy.stats_password,
// site.ssh_key, site.SMTP_PASSWORD.
func secretName(path []string) string {
	if len(path) > 3 && path[0] == "layers" {
		path = append([]string{path[1]}, path[3:]...)
	}
	if len(path) > 2 && path[0] == "deploy" {
		path = append([]string{path[1]}, slices.DeleteFunc(slices.Clone(path[2:]), func(s string) bool { return s == "scm" || s == "environment" })...)
	}
	parts := make([]string, len(path))
	for i, p := range path {
		parts[i] = plainName(p)
	}
	name := strings.Join(parts, ".")
	return strings.Trim(name[:min(len(name), 120)], ".")
}

// plainName keeps of a key what every file system takes.
func plainName(s string) string {
	if i, ok := index(s); ok {
		return strconv.Itoa(i)
	}
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '_'
	}, s)
}
