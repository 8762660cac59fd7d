package schema

import (
	"fmt"
	"strings"

	"cuelang.org/go/cue"

	"github.com/plonec/plonec/internal/input"
)

// An Attr is one attribute of the schema, or what the values of a map or the
// items of a list are. It is made once and never changed.
type Attr struct {
	Name string // its key; <app> and the like for the values of a map, [] for items
	Path string // plone_instances.per_cpu, deploy.<app>.scm.repository
	Doc  string // what it does, for operators
	Type string // what it takes, in words

	Default    *input.Node   // nil: none
	Derived    string        // the default in words, where it follows from other attributes
	Shows      []string      // where it ends up, each FILE or FILE: WORD
	Examples   []*input.Node // values that it takes, one at least of every form
	Deprecated string        // why nobody should set it any more; empty: it may be set
	Use        string        // what to set in its place
	Later      string        // what it needs that nothing renders yet; empty: it is rendered, unless a group that it is in says so
	Aliases    []string      // other names that count as this one
	Secret     bool          // its value never enters the tree
	Sent       bool          // known because it was sent or documented once; nothing is made of it
	Into       string        // set for the defaults of other attributes
	Layered    bool          // it holds attributes of its own: a layer's custom_json
	Required   bool

	Fields []*Attr // of a map with known keys, in the order of the schema
	Key    *Attr   // what the keys of an open map must be
	Elem   *Attr   // the values of an open map
	Item   *Attr   // the items of a list

	Enum []string // the texts to choose from

	want   string // what a diagnostic says that it takes
	kinds  cue.Kind
	short  string // the type's name in the reference
	def    string // the definition that it refers to, such as #Port
	value  cue.Value
	fields map[string]*Attr // Fields by name and by alias
	group  string           // Later of the nearest group that it is in and that says one

	aliased bool // it, or an attribute below it, has another name
}

// Field returns the attribute of a key, by its name or an alias; nil where
// there is none.
func (a *Attr) Field(key string) *Attr {
	if a == nil {
		return nil
	}
	if f := a.fields[key]; f != nil {
		return f
	}
	return a.Elem
}

// NotYet is what it needs that nothing renders yet, by its own mark or by that of a
// group that it is in; empty: it is rendered.
func (a *Attr) NotYet() string {
	if a.Later != "" {
		return a.Later
	}
	return a.group
}

// Pasted tells whether it takes configuration with references in it.
func (a *Attr) Pasted() bool { return a.def == "#Pasted" || a.def == "#PastedConfig" }

// holdsConfig tells whether its text is configuration of a daemon's, or of buildout's.
func (a *Attr) holdsConfig() bool { return a.Pasted() || a.def == "#Piece" || a.def == "#OwnText" }

// IsName tells whether it takes the name of an app, a layer or the like.
func (a *Attr) IsName() bool { return a.def == "#Name" }

// takesReference tells whether a map in its place is a reference to a secret.
func (a *Attr) takesReference() bool {
	return a.Secret || a.Pasted() || a.def == "#Piece" || a.def == "#EnvValue" || a.def == "#Certificate" || a.def == "#FileText"
}

// placeholders name the values of open maps in paths.
var placeholders = map[string]string{
	"instances": "<host>", "layers": "<layer>", "deploy": "<app>",
	"environment": "<variable>", "subsites": "<domain>", "subsite_config": "<domain>", "files": "<path>",
	"custom_recipes": "<event>", "watch_files": "<file>",
	"os_packages": "<package>", "packages": "<package>",
	"symlink_before_migrate": "<directory>", "cookies_vary": "<cookie>",
}

// newTree makes the attributes of a definition.
func newTree(top cue.Value, def string) (*Attr, error) {
	v := top.LookupPath(cue.ParsePath(def))
	if err := v.Err(); err != nil {
		return nil, err
	}
	root := &Attr{}
	if err := root.build(top, v); err != nil {
		return nil, err
	}
	for _, section := range root.Fields {
		if section.Into == "" {
			continue
		}
		for _, f := range section.Fields {
			name := f.Name
			if section.Name == "deploy_buildout" {
				name = fromBuildout(name)
			}
			f.Doc = "The default of " + section.Into + "." + name + "."
			if of := root.fields["deploy"].Elem.fields[name]; of != nil {
				f.Shows = of.Shows
			}
		}
	}
	return root, nil
}

// build fills in what the value says; name and path are set.
func (a *Attr) build(top, v cue.Value) error {
	a.value, a.kinds = v, v.IncompleteKind()
	if ref, path := v.ReferencePath(); ref.Exists() && len(path.Selectors()) > 0 {
		a.def = path.String()
		if err := a.mark(top.LookupPath(path)); err != nil {
			return err
		}
		a.Secret = a.def == "#Secret" || a.def == "#SecretText"
	}
	if err := a.mark(v); err != nil {
		return err
	}
	if len(a.Examples) == 0 {
		a.Examples = armExamples(top, v)
	}
	if a.kinds == cue.TopKind {
		a.Type, a.want = "anything", "anything"
		return nil
	}
	arms := armsOf(v)
	if a.kinds&cue.StructKind != 0 {
		if err := a.buildFields(top, armOf(arms, cue.StructKind)); err != nil {
			return err
		}
	}
	if a.kinds&cue.ListKind != 0 {
		a.Item = &Attr{Name: "[]", Path: a.Path + "[]", group: a.NotYet()}
		if err := a.Item.build(top, armOf(arms, cue.ListKind).LookupPath(cue.MakePath(cue.AnyIndex))); err != nil {
			return err
		}
	}
	for _, below := range append([]*Attr{a.Elem, a.Item}, a.Fields...) {
		a.aliased = a.aliased || below != nil && (below.aliased || len(below.Aliases) > 0)
	}
	a.Enum = choices(arms)
	a.describe(top)
	return nil
}

// buildFields makes the attributes of a map's keys.
func (a *Attr) buildFields(top, v cue.Value) error {
	iter, err := v.Fields(cue.All(), cue.Patterns(true))
	if err != nil {
		return fmt.Errorf("%s: %w", a.Path, err)
	}
	a.fields = map[string]*Attr{}
	for iter.Next() {
		sel := iter.Selector()
		f := &Attr{Required: sel.ConstraintType() == cue.RequiredConstraint, group: a.NotYet()}
		if sel.ConstraintType() == cue.PatternConstraint {
			f.Name = placeholders[a.Name]
			if f.Name == "" {
				f.Name = "<name>"
			}
			a.Key = &Attr{Name: f.Name, Path: join(a.Path, f.Name)}
			if err := a.Key.build(top, sel.Pattern()); err != nil {
				return err
			}
			a.Elem = f
		} else {
			f.Name = sel.Unquoted()
			a.Fields = append(a.Fields, f)
			a.fields[f.Name] = f
		}
		f.Path = join(a.Path, f.Name)
		if docs := iter.Value().Doc(); len(docs) > 0 && sel.ConstraintType() != cue.PatternConstraint {
			f.Doc = strings.Join(strings.Fields(docs[0].Text()), " ")
		}
		if err := f.build(top, iter.Value()); err != nil {
			return err
		}
		for _, alias := range f.Aliases {
			if a.fields[alias] != nil {
				return fmt.Errorf("%s: the alias %s is taken", f.Path, alias)
			}
			a.fields[alias] = f
		}
	}
	return nil
}

// mark reads the marks (@default and so on) that stand at v.
func (a *Attr) mark(v cue.Value) error {
	for _, m := range v.Attributes(cue.ValueAttr) {
		text, _ := m.String(0)
		switch m.Name() {
		case "default":
			n, err := parseJSON(m.Contents())
			if err != nil {
				return fmt.Errorf("%s: @default(%s): %w", a.Path, m.Contents(), err)
			}
			a.Default = n
		case "derived":
			a.Derived = text
		case "shows":
			a.Shows = append(a.Shows, text)
		case "example":
			list, err := parseJSON("[" + m.Contents() + "]")
			if err != nil {
				return fmt.Errorf("%s: @example(%s): %w", a.Path, m.Contents(), err)
			}
			a.Examples = append(a.Examples, list.Items...)
		case "want":
			a.want = text
		case "type":
			a.short = text
		case "later":
			a.Later = text
		case "alias":
			for i := range m.NumArgs() {
				alias, _ := m.String(i)
				a.Aliases = append(a.Aliases, alias)
			}
		case "deprecated":
			if use, ok, _ := m.Lookup(0, "use"); ok {
				a.Use, a.Deprecated = use, use+" takes its place"
			}
			if because, ok, _ := m.Lookup(0, "because"); ok {
				a.Deprecated = because
			}
		case "sent":
			a.Sent = true
		case "into":
			a.Into = text
		case "attributes":
			a.Layered = true
		default:
			return fmt.Errorf("%s: unknown mark @%s", a.Path, m.Name())
		}
	}
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
