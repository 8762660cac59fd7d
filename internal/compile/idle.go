package compile

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/render"
	"github.com/plonec/plonec/schema"
)

// Idle reports every attribute that is set and changes nothing: neither a file of a
// host, nor the manifest, nor what else is reported, is another without it. It is found
// by compiling the stack without it. What says what would hold anyway is not reported:
// of that, another value would change something.
//
// That is one compilation for each attribute, so a large stack is first made small: of
// the hosts that do the same, mostOfAKind are kept. What is found there is held against
// the whole stack once, all of it together. Therefore nothing is reported of which the
// whole stack makes anything. Missed is only what changes a small stack and not a large
// one. known is what was reported before: what it names is not named again.
func (j *Judged) Idle(known diag.List) (diag.List, error) {
	hosts, kinds := sample(j)
	return j.idle(known, hosts, kinds)
}

func (j *Judged) idle(known diag.List, hosts []string, kinds map[string]string) (diag.List, error) {
	whole := &idler{judged: j, stack: j.Stack}
	few := whole
	if len(hosts) < len(j.Topology.Hosts) {
		few = &idler{judged: j, stack: j.Stack.Of(hosts)}
	}
	now, err := few.sum()
	if err == nil && now == nil { // they do not compile without the others
		few = whole
		now, err = few.sum()
	}
	if err != nil {
		return nil, err
	}
	names := namesIn(few.stack)
	var found []schema.Setting
	idle := map[string]bool{} // what is found, was told before, or says nothing
	for _, s := range few.stack.SetValues() {
		if told(known, s) || few.saysNothing(s) {
			idle[s.String()] = true
			continue
		}
		same, err := few.same(now, s)
		if err != nil {
			return nil, err
		}
		// Two may each do nothing beside the other: the first one is enough then.
		if same && len(found) > 0 {
			if same, err = few.same(now, append(slices.Clone(found), s)...); err != nil {
				return nil, err
			}
		}
		if same {
			if same, err = few.anyValue(now, s, names); err != nil {
				return nil, err
			}
		}
		if same {
			found = append(found, s)
		}
	}
	if few != whole && len(found) > 0 {
		if found, err = whole.confirm(withTwins(found, j.Stack.SetValues(), few.stack, kinds)); err != nil {
			return nil, err
		}
	}
	for _, s := range found {
		idle[s.String()] = true
	}
	return reportIdle(j.Stack, found, idle), nil
}

// mostOfAKind is how many hosts that do the same are looked at: with three there are
// first ones, last ones, and others.
const mostOfAKind = 3

// sample names the hosts that stand for all of a stack, and says of each layer with a
// custom_json on which kinds of hosts it lies.
func sample(j *Judged) (hosts []string, kinds map[string]string) {
	shapes := layerShapes(j)
	seen, kinds := map[string]int{}, map[string]string{}
	for _, h := range j.Topology.Hosts {
		kind := h.Status + "\x00" + h.System.ID
		for _, l := range h.Layers {
			kind += "\x00" + shapes[l]
		}
		for _, l := range h.Layers {
			if !strings.Contains(kinds[l], kind+"\n") {
				kinds[l] += kind + "\n"
			}
		}
		if seen[kind]++; seen[kind] <= mostOfAKind {
			hosts = append(hosts, h.Name)
		}
	}
	return hosts, kinds
}

// manyLayers is from how many layers with a custom_json on those that set the same
// attributes count as one.
var manyLayers = 50

// layerShapes says of each layer what it is: its name, or, where very many have a
// custom_json, what it does and sets. The names that it sets, of apps and layers, count.
func layerShapes(j *Judged) map[string]string {
	shapes := map[string]string{}
	for _, h := range j.Topology.Hosts {
		for _, l := range h.Layers {
			shapes[l] = l
		}
	}
	sets := map[string]string{}
	for _, s := range j.Stack.SetValues() {
		if l := s.Layer(); l != "" {
			sets[l] += "\x01" + s.Attr.Path
			if s.Attr.IsName() {
				sets[l] += "=" + s.Value.Text
			}
		}
	}
	if len(sets) < manyLayers {
		return shapes
	}
	for l, set := range sets {
		layer := j.Stack.Base.Layers[l]
		shape := fmt.Sprint(layer.Roles, layer.CustomRecipes, set)
		if layer.Roles == nil && layer.CustomRecipes == nil {
			shape = l // by its name
		}
		shapes[l] = shape
	}
	return shapes
}

// withTwins adds to what was found in layers of a small stack what layers that lie on
// the same kinds of hosts set of the same attributes.
func withTwins(found, all []schema.Setting, few *schema.Decoded, kinds map[string]string) []schema.Setting {
	of := func(s schema.Setting) string { return schema.JoinKeys(s.Path[3:]) + "\n" + kinds[s.Layer()] }
	looked, idle := map[string]bool{}, map[string]bool{}
	for _, s := range few.SetValues() {
		looked[s.Layer()] = true
	}
	for _, s := range found {
		if s.Layer() != "" {
			idle[of(s)] = true
		}
	}
	for _, s := range all {
		if l := s.Layer(); l != "" && !looked[l] && idle[of(s)] {
			found = append(found, s)
		}
	}
	return found
}

// An idler compiles a stack without some of its attributes.
type idler struct {
	judged *Judged
	stack  *schema.Decoded
}

// A sum is what a stack comes to.
type sum struct {
	manifest *tree.Manifest
	readme   string
	reported map[string]bool
}

func (i *idler) sum() (*sum, error) { return i.sumOf(i.stack) }

// sumOf is nil where the stack does not compile.
func (i *idler) sumOf(d *schema.Decoded) (*sum, error) {
	t, diags := topology.Resolve(d)
	if diags.Errors() > 0 {
		return nil, nil
	}
	readme, err := render.Readme(t, nil)
	if err != nil {
		return nil, err
	}
	m, err := tree.Render(t, i.judged.inputs, i.judged.release, nil)
	if err != nil {
		return nil, err
	}
	s := &sum{manifest: m, readme: string(readme), reported: map[string]bool{}}
	for _, d := range diags {
		s.reported[d.Code+" "+d.Path] = true
	}
	return s, nil
}

// anyValue tells whether the stack comes to the same with any value of an attribute.
func (i *idler) anyValue(now *sum, s schema.Setting, names []string) (bool, error) {
	for n, value := range s.Others(names) {
		if n == mostValues {
			break
		}
		s.Value = value
		other, err := i.sumOf(i.stack.With(s))
		if err != nil {
			return false, err
		}
		if other != nil && !now.sameTree(other) {
			return false, nil
		}
	}
	return true, nil
}

// mostValues is how many values of an attribute are tried.
const mostValues = 12

// namesIn are the names of apps and layers, which attributes may take.
func namesIn(d *schema.Decoded) []string {
	var names []string
	for app := range d.Base.Deploy {
		names = append(names, app)
	}
	for _, h := range d.Base.Instances {
		names = append(names, h.Layers...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (s *sum) sameTree(other *sum) bool {
	return s.readme == other.readme && reflect.DeepEqual(s.manifest, other.manifest)
}

// same tells whether the stack comes to the same without some attributes.
func (i *idler) same(now *sum, without ...schema.Setting) (bool, error) {
	other, err := i.sumOf(i.stack.Without(without...))
	if err != nil || other == nil {
		return false, err
	}
	for d := range other.reported { // one that it answers has an effect
		if !now.reported[d] {
			return false, nil
		}
	}
	return now.sameTree(other), nil
}

// saysNothing tells whether an attribute says what would hold without it.
func (i *idler) saysNothing(s schema.Setting) bool {
	other := i.stack.Without(s)
	if layer := s.Layer(); layer != "" {
		a, _ := i.stack.View([]string{layer})
		b, _ := other.View([]string{layer})
		return reflect.DeepEqual(a, b)
	}
	return reflect.DeepEqual(i.stack.Base, other.Base)
}

// mostWhole is how many times a large stack is compiled. What is not known then is not
// reported.
const mostWhole = 8

// confirm gives those attributes without which the stack comes to the same.
func (i *idler) confirm(list []schema.Setting) ([]schema.Setting, error) {
	now, err := i.sum()
	if err != nil {
		return nil, err
	}
	times := 0
	var some func([]schema.Setting) ([]schema.Setting, error)
	some = func(list []schema.Setting) ([]schema.Setting, error) {
		if times++; times > mostWhole {
			return nil, nil
		}
		same, err := i.same(now, list...)
		switch {
		case err != nil:
			return nil, err
		case same:
			return list, nil
		case len(list) == 1:
			return nil, nil
		}
		half := len(list) / 2
		first, err := some(list[:half])
		if err != nil {
			return nil, err
		}
		second, err := some(list[half:])
		return slices.Concat(first, second), err
	}
	return some(list)
}

// tells are the codes that say already that something has no effect.
var tells = []string{"no-effect", "no-broker", "unused-app", "not-shared", "hsts-untrusted"}

// told tells whether an attribute, or what it is in, was reported as one without effect.
func told(known diag.List, s schema.Setting) bool {
	path := s.String()
	return slices.ContainsFunc(known, func(d diag.Diagnostic) bool {
		return slices.Contains(tells, d.Code) && (path == d.Path || strings.HasPrefix(path, d.Path+"."))
	})
}

// reportIdle makes the diagnostics: one for a group of which all is idle.
func reportIdle(d *schema.Decoded, found []schema.Setting, idle map[string]bool) diag.List {
	effective := map[string]bool{} // groups in which something may have an effect
	for _, s := range d.SetValues() {
		if idle[s.String()] {
			continue
		}
		for n := range s.Path {
			effective[schema.JoinKeys(s.Path[:n])] = true
		}
	}
	in, needs := map[string]int{}, map[string]string{} // how many of a group; what all of them need
	for _, s := range found {
		path := schema.JoinKeys(group(s, effective))
		if in[path]++; in[path] == 1 {
			needs[path] = s.Attr.Needs()
		} else if needs[path] != s.Attr.Needs() {
			needs[path] = ""
		}
	}
	var list diag.List
	for _, s := range found {
		g := group(s, effective)
		path := schema.JoinKeys(g)
		switch n := in[path]; {
		case n > 1:
			list.Add(diag.Diagnostic{Code: "no-effect", Span: d.KeySpan(g...), Path: path,
				Message: "nothing that it sets has an effect: the tree is the same without it", Remedy: cmp.Or(needs[path], "take it out")})
			in[path] = 0
		case n == 1:
			list.Add(diag.Diagnostic{Code: "no-effect", Span: s.Key, Path: s.String(),
				Message: "it has no effect: the tree is the same without it", Remedy: cmp.Or(s.Attr.Needs(), "take it out; what it does: plonec explain "+s.Attr.Path)})
		}
	}
	return list
}

// group is the largest group around an attribute of which nothing has an effect, itself
// where there is none.
func group(s schema.Setting, effective map[string]bool) []string {
	first := 1
	if s.Layer() != "" {
		first = 3
	}
	for n := first; n < len(s.Path); n++ {
		if !effective[schema.JoinKeys(s.Path[:n])] {
			return s.Path[:n]
		}
	}
	return s.Path
}
