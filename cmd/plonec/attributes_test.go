package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/native"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/schema"
)

// TestEveryValue takes every value that the schema names (Attr.Forms) through a
// build, looks for it where @shows says, and lets the daemons judge. Left out are
// attributes that nothing renders yet, with the reason that @later gives, and those
// that were sent or are deprecated and without any effect.
func TestEveryValue(t *testing.T) {
	t.Parallel()
	tr := &trials{bases: append(bases(t), opsworksBase(t)), hosts: map[string]map[string][]byte{}, judged: map[string]bool{}}
	for _, base := range tr.bases {
		c, files, _ := compileFiles(t, base)
		tr.before = append(tr.before, lookAt(c, files))
		_, tr.common = native.Files(c.Tree.Manifest, files)
	}
	tried := 0
	schema.Root().EachValue(func(a *schema.Attr) {
		if unseen[a.Path] == "" && a.NotYet() == "" && (a.Deprecated == "" || len(a.Shows) > 0) {
			if len(a.Shows) == 0 && !a.Layered {
				t.Errorf("%s: nothing says where it shows: give it an @shows, or @later", a.Path)
			}
			tried += len(a.Forms())
			tr.attribute(t, a)
		}
	})
	if tried < 600 {
		t.Errorf("only %d values were tried", tried)
	}
	tr.native(t)
}

// trials are the values that were tried, and what came of them.
type trials struct {
	bases  []map[string]any
	before []look // of the bases
	hosts  map[string]map[string][]byte
	common map[string][]byte
	judged map[string]bool
}

// An attempt is one value in one base. look is nil where it does not compile.
type attempt struct {
	value *input.Node
	look  look
	fault error
}

// attribute tries every value of an attribute in one base after the other, until it
// shows as the attribute says.
func (tr *trials) attribute(t *testing.T, a *schema.Attr) {
	t.Helper()
	faults := map[string][]error{} // by value, of each base
	forms := formsOf(t, a)
	for _, n := range forms {
		faults[schema.JSON(n)] = nil
	}
	for i := range tr.bases {
		if len(faults) == 0 {
			return
		}
		known := map[string]attempt{}
		in := func(n *input.Node) attempt {
			text := schema.JSON(n)
			if _, ok := known[text]; !ok {
				known[text] = tr.try(t, a, n, i)
			}
			return known[text]
		}
		for _, n := range forms {
			text := schema.JSON(n)
			if _, left := faults[text]; !left {
				continue
			}
			if err := tr.shows(a, in(n), i, forms, in); err != nil {
				faults[text] = append(faults[text], fmt.Errorf("base %d: %w", i+1, err))
			} else {
				delete(faults, text)
			}
		}
	}
	for _, text := range slices.Sorted(maps.Keys(faults)) {
		t.Errorf("%s = %s (%s):\n%v", a.Path, text, a.Type, errors.Join(faults[text]...))
	}
}

// shows says what is wrong with one attempt. What says no more than the base is
// held against another value.
func (tr *trials) shows(a *schema.Attr, now attempt, base int, forms []*input.Node, in func(*input.Node) attempt) error {
	if now.fault != nil {
		return now.fault
	}
	unset := in(&input.Node{Kind: input.Null})
	if isEmpty(now.value) && reflect.DeepEqual(now.look, unset.look) {
		return nil // it says as much as nothing
	}
	if reflect.DeepEqual(now.look, tr.before[base]) && !saysTheSame(a, now.value, tr.bases[base]) {
		return errors.New("nothing changes with it")
	}
	err := shown(a, now.value, now.look, tr.before[base])
	if err == nil || !saysTheSame(a, now.value, tr.bases[base]) {
		return err
	}
	for _, n := range forms {
		if other := in(n); other.fault == nil && shown(a, now.value, now.look, other.look) == nil {
			return nil
		}
	}
	return fmt.Errorf("%w, nor against another value", err)
}

// formsOf are the values to try.
func formsOf(t *testing.T, a *schema.Attr) []*input.Node {
	t.Helper()
	names, ok := named[a.Path]
	if !ok {
		return a.Forms()
	}
	var texts []string
	if err := json.Unmarshal([]byte(names), &texts); err != nil {
		t.Fatal(err)
	}
	var list []*input.Node
	for _, text := range texts {
		n := &input.Node{Kind: input.String, Text: text}
		if a.Item != nil {
			n = &input.Node{Kind: input.List, Items: []*input.Node{n}}
		}
		list = append(list, n)
	}
	return list
}

// try compiles a base with a value, and what has to stand beside it.
func (tr *trials) try(t *testing.T, a *schema.Attr, n *input.Node, base int) attempt {
	t.Helper()
	name := a.Path + " = " + schema.JSON(n)
	var value any
	if err := json.Unmarshal([]byte(schema.JSON(n)), &value); err != nil {
		t.Fatal(err)
	}
	var stack any = tr.bases[base]
	for _, more := range []map[string]any{beside[a.Path], beside[name]} {
		for _, path := range slices.Sorted(maps.Keys(more)) {
			stack = set(stack, strings.Split(placed(path), "."), more[path])
		}
	}
	c, files, diags := compileFiles(t, set(stack, strings.Split(placed(a.Path), "."), value))
	if c == nil {
		return attempt{n, nil, mistakes(diags)}
	}
	tr.keep(name, c, files)
	return attempt{n, lookAt(c, files), nil}
}

// placed is the path of an attribute, in a layer that has what it is about.
func placed(path string) string {
	for prefix, layer := range otherLayer {
		if strings.HasPrefix(path, prefix) {
			return strings.Replace(path, "<layer>", layer, 1)
		}
	}
	return path
}

func isEmpty(n *input.Node) bool {
	return n.Text == "" && !slices.ContainsFunc(n.Items, func(n *input.Node) bool { return !isEmpty(n) }) &&
		!slices.ContainsFunc(n.Fields, func(f input.Field) bool { return !isEmpty(f.Value) })
}

// saysTheSame tells whether a base says the same by itself.
func saysTheSame(a *schema.Attr, n *input.Node, base map[string]any) bool {
	var at any = base
	for _, key := range strings.Split(placed(a.Path), ".") {
		key, list := strings.CutSuffix(key, "[]")
		m, _ := at.(map[string]any)
		at = m[cmp.Or(standIns[key], key)]
		if items, ok := at.([]any); list && ok && len(items) > 0 {
			at = items[0]
		}
	}
	text := schema.JSON(n)
	if slices.Contains(alike[a.Path], text) {
		return true
	}
	if at == nil {
		if of, ok := strings.CutPrefix(a.Doc, "The default of "); ok {
			a = schema.Lookup(strings.TrimSuffix(of, "."))
		}
		return a.Default != nil && (text == schema.JSON(a.Default) || n.Kind != input.Bool && reflect.DeepEqual(written(a, n, ""), written(a, a.Default, "")))
	}
	if word, ok := at.(string); ok {
		return reflect.DeepEqual(written(a, n, ""), written(a, &input.Node{Kind: input.String, Text: word}, ""))
	}
	var value any
	return json.Unmarshal([]byte(text), &value) == nil && reflect.DeepEqual(value, at)
}

// shown says what is wrong with the places where an attribute shows. A reference
// among other values is in the file of secrets, and nothing else is.
func shown(a *schema.Attr, value *input.Node, now, before look) error {
	if reflect.DeepEqual(now, before) {
		return errors.New("nothing changes with it")
	}
	reference := strings.Contains(schema.JSON(value), "$secret")
	var all []error
	for _, place := range a.Shows {
		if a.Secret || a.Pasted() || reference == strings.HasPrefix(place, "secrets.env") {
			all = append(all, shownIn(place, a, value, now, before))
		}
	}
	return errors.Join(all...)
}

func mistakes(diags diag.List) error {
	var list []string
	for _, d := range diags {
		if d.Severity() == diag.Error {
			list = append(list, fmt.Sprintf("%s: %s: %s", d.Code, d.Path, d.Message))
		}
	}
	return errors.New(strings.Join(list, "; "))
}

// keep remembers hosts' files for the daemons, each set of files once. Those of
// another system than the tests' have daemons of their own.
func (tr *trials) keep(name string, c *compile.Built, files *tree.Kept) {
	sums := map[string]string{}
	for _, f := range c.Tree.Manifest.Files {
		sums[f.Host] += f.Path + f.Sum
	}
	hosts, _ := native.Files(c.Tree.Manifest, files)
	for _, h := range c.Topology.Hosts {
		if key := sums[h.Name]; h.System.ID == cmp.Or(testSystem, "debian12") && !tr.judged[key] {
			tr.judged[key] = true
			tr.hosts[name+" on "+h.Name] = hosts[h.Name]
		}
	}
}

// native lets the daemons judge what was kept.
func (tr *trials) native(t *testing.T) {
	t.Helper()
	for _, r := range judgedFiles(t, tr.hosts, tr.common) {
		if r.Outcome != native.Good {
			t.Errorf("%s: %s: %s\n%s", r.Host, r.Program, r.Outcome, r.Output)
		}
	}
}
