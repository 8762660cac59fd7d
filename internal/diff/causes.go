package diff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/git"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/report"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/words"
	"github.com/plonec/plonec/schema"
)

// causes lists what changed from one stack to another, in the order of its
// lines, and how many files each change makes another.
func causes(earlier *Side, after *compile.Built, o *compile.Options) []report.Cause {
	before := earlier.Built
	w := walk{prefix: earlier.prefix}
	w.nodes(nil, diag.Span{}, input.WithoutNulls(before.Text), diag.Span{}, input.WithoutNulls(after.Text))
	slices.SortStableFunc(w.found, func(a, b report.Cause) int { return slices.Compare(a.Order[:], b.Order[:]) })
	if len(w.found) <= mostCauses {
		for i := range w.found {
			c := &w.found[i]
			if c.Places = effect(c.Keys, before, after, o); c.Places != nil {
				n := 0
				for p := range c.Places {
					if p.Path != tree.ManifestName {
						n++
					}
				}
				c.Files = &n
			}
		}
	}
	return w.found
}

// mostCauses is up to how many causes each is asked for its files: every one
// takes a build in memory.
const mostCauses = 40

// effect are the files that would be others if one change had not been made; nil
// where there would be no tree then.
func effect(keys []string, before, after *compile.Built, o *compile.Options) map[report.Place]bool {
	old := input.WithoutNulls(before.Text).Lookup(keys...)
	without, _, err := compile.Assemble(input.Set(input.WithoutNulls(after.Text), old, keys...), after.Tree.Manifest.Inputs, o)
	if err != nil || without == nil {
		return nil
	}
	return Unlike(without.Tree.Manifest, after.Tree.Manifest)
}

// Unlike are the files that are not the same in two manifests, secrets by
// where their values come from.
func Unlike(a, b *tree.Manifest) map[report.Place]bool {
	list := func(m *tree.Manifest) map[report.Place]string {
		files := map[report.Place]string{}
		for _, f := range m.Files {
			files[report.Place{Host: f.Host, Path: f.Path}] = f.Sum + f.Mode + f.Owner
		}
		for _, s := range m.Secrets {
			files[report.Place{Host: s.Host, Path: s.Path}] = fmt.Sprint(s.Format, s.Entries, s.Mode, s.Owner)
		}
		for _, h := range m.Hosts {
			files[report.Place{Host: h.Name, Path: tree.ManifestName}] = fmt.Sprint(h.Address, h.SSHAddress, h.Layers, h.Status, h.SSH) // the rest follows from files
		}
		return files
	}
	before, after := list(a), list(b)
	found := map[report.Place]bool{}
	for p, sum := range before {
		if after[p] != sum {
			found[p] = true
		}
	}
	for p := range after {
		if _, there := before[p]; !there {
			found[p] = true
		}
	}
	return found
}

// A walk finds what differs between two stacks.
type walk struct {
	prefix string // of the files of the earlier stack
	found  []report.Cause
}

// nodes compares two values at a path; the spans are of their keys.
func (w *walk) nodes(keys []string, keyA diag.Span, a *input.Node, keyB diag.Span, b *input.Node) {
	if input.Equal(a, b) {
		return
	}
	if a != nil && b != nil && a.Kind == input.Map && b.Kind == input.Map && reference(a) == "" && reference(b) == "" {
		for _, f := range b.Fields {
			old := a.Field(f.Key)
			if old == nil {
				old = &input.Field{}
			}
			w.nodes(append(keys[:len(keys):len(keys)], f.Key), old.Span, old.Value, f.Span, f.Value)
		}
		for _, f := range a.Fields {
			if b.Field(f.Key) == nil {
				w.nodes(append(keys[:len(keys):len(keys)], f.Key), f.Span, f.Value, diag.Span{}, nil)
			}
		}
		return
	}
	c := report.Cause{Keys: keys, Path: schema.JoinKeys(keys), Change: w.change(keys, a, b)}
	key, node := keyB, b
	if b == nil {
		key, node = keyA, a
	}
	// A value that is another is shown where it stands, one that is new or gone
	// where its key does.
	span := node.Span
	if a == nil || b == nil || !span.HasPlace() {
		span = key
	}
	if span.File != nil {
		c.File = w.fileName(span.File.Name)
		c.Order[0] = span.File.Order
		if span.HasPlace() {
			p := span.File.Position(span.Start)
			c.Line, c.Order[1], c.Order[2] = p.Line, p.Line, p.Col
		}
	}
	w.found = append(w.found, c)
}

// fileName is a file as it is named from here, also where what was read is a
// copy of it.
func (w *walk) fileName(name string) string {
	rest, copied := strings.CutPrefix(name, w.prefix+"/")
	if !copied || w.prefix == "" {
		return name
	}
	return git.FromHere("/" + rest)
}

// change says in a few words what changed.
func (w *walk) change(keys []string, a, b *input.Node) string {
	switch {
	case a == nil && scalar(b):
		return "set to " + w.show(keys, b)
	case a == nil:
		return "new"
	case b == nil && scalar(a):
		return "removed, it was " + w.show(keys, a)
	case b == nil:
		return "removed"
	case schema.Hides(keys, a) || schema.Hides(keys, b):
	case a.Kind == input.List && b.Kind == input.List:
		return listChange(a, b)
	case a.Kind == input.String && b.Kind == input.String && (long(a.Text) || long(b.Text)):
		return lineChange(a.Text, b.Text)
	}
	from, to := w.show(keys, a), w.show(keys, b)
	if from == to {
		return "changed"
	}
	return from + " → " + to
}

// show is a value in a few characters.
func (w *walk) show(keys []string, n *input.Node) string {
	switch {
	case reference(n) != "":
		return terminal.Printable(reference(n))
	case schema.Hides(keys, n):
		return "***"
	case n.Kind == input.String && n.Text == "":
		return `""`
	case n.Kind == input.String && long(n.Text):
		return fmt.Sprintf("a text of %s", words.Count(utf8.RuneCountInString(n.Text), "character"))
	case scalar(n):
		return terminal.Printable(n.Text)
	}
	return n.Kind.String()
}

const longest = 48 // characters of a value that are shown

func long(s string) bool { return utf8.RuneCountInString(s) > longest || strings.Contains(s, "\n") }

func scalar(n *input.Node) bool {
	return n.Kind != input.Map && n.Kind != input.List || reference(n) != ""
}

// reference is where the value of a secret comes from; empty for what is no
// {"$secret": …}.
func reference(n *input.Node) string {
	if n != nil && n.Kind == input.Map && len(n.Fields) == 1 && n.Fields[0].Key == "$secret" {
		return n.Fields[0].Value.Text
	}
	return ""
}

// listChange names what a list of scalars got and lost.
func listChange(a, b *input.Node) string {
	var parts []string
	gain := func(sign string, from, to *input.Node) bool {
		for _, n := range to.Items {
			if !scalar(n) {
				return false
			}
			if !slices.ContainsFunc(from.Items, func(o *input.Node) bool { return input.Equal(o, n) }) {
				parts = append(parts, sign+terminal.Printable(beginning(n.Text)))
			}
		}
		return true
	}
	if gain("+", a, b) && gain("−", b, a) && len(parts) > 0 && len(parts) <= 4 {
		return strings.Join(parts, " ")
	}
	if len(a.Items) != len(b.Items) {
		return fmt.Sprintf("%d → %d entries", len(a.Items), len(b.Items))
	}
	return "changed"
}

func beginning(s string) string {
	if long(s) {
		s, _, _ = strings.Cut(s, "\n")
		r := []rune(s)
		s = string(r[:min(len(r), longest)]) + "…"
	}
	return s
}

// lineChange counts the lines that a text got and lost.
func lineChange(a, b string) string {
	number := map[string]int{}
	for _, line := range strings.Split(strings.TrimSuffix(b, "\n"), "\n") {
		number[line]++
	}
	for _, line := range strings.Split(strings.TrimSuffix(a, "\n"), "\n") {
		number[line]--
	}
	more, less := 0, 0
	for _, n := range number {
		more, less = more+max(n, 0), less+max(-n, 0)
	}
	var parts []string
	if more > 0 {
		parts = append(parts, "+"+words.Count(more, "line"))
	}
	if less > 0 {
		parts = append(parts, "−"+words.Count(less, "line"))
	}
	return cmp.Or(strings.Join(parts, " "), "its lines in another order")
}
