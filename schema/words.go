package schema

import (
	"strings"

	"cuelang.org/go/cue"

	"github.com/plonec/plonec/internal/input"
)

// armsOf returns the arms of a disjunction, or the value itself.
func armsOf(v cue.Value) []cue.Value {
	v = cue.Dereference(v)
	op, args := v.Expr()
	if op != cue.OrOp {
		return []cue.Value{v}
	}
	var arms []cue.Value
	for _, arg := range args {
		arms = append(arms, armsOf(arg)...)
	}
	return arms
}

// armOf returns the arm of a kind; each kind of map and list has one arm.
func armOf(arms []cue.Value, kind cue.Kind) cue.Value {
	for _, arm := range arms {
		if arm.IncompleteKind() == kind {
			return arm
		}
	}
	return cue.Value{}
}

// describe puts into words what the attribute takes.
func (a *Attr) describe(top cue.Value) {
	switch {
	case a.want != "":
	case len(a.Enum) > 0:
		a.want = "one of " + strings.Join(a.Enum, ", ")
	default:
		wants, short := armWants(top, a.value)
		if len(wants) > 0 {
			literals := literalsOf(armsOf(a.value))
			wants, short = append(literals, wants...), append(short, literals...)
		}
		a.want = strings.Join(wants, " or ")
		if a.short == "" {
			a.short = strings.Join(short, " or ")
		}
	}
	if a.want == "" {
		a.want = a.kindWords()
	}
	a.Type = a.want
	switch {
	case a.def == "#Packages", a.Pasted():
	case a.Item != nil:
		a.Type = "a list; each: " + a.Item.Type
		a.short = "list of " + a.Item.name()
	case a.Elem != nil && len(a.Fields) == 0:
		a.Type = "a map of " + strings.Trim(a.Elem.Name, "<>") + " to " + a.Elem.Type
		a.short = "map to " + a.Elem.name()
	}
}

// name is the type in as few words as the reference has room for.
func (a *Attr) name() string {
	switch {
	case a.short != "":
		return a.short
	case len(a.Enum) > 0:
		return strings.Join(a.Enum, ", ")
	case a.want == "a truth value":
		return "true, false"
	}
	return strings.TrimPrefix(a.want, "a ")
}

// armWants returns what the definitions in a disjunction want, in full and in
// short.
func armWants(top, v cue.Value) (wants, short []string) {
	op, args := v.Expr()
	if op != cue.OrOp {
		return nil, nil
	}
	for _, arg := range args {
		if ref, path := arg.ReferencePath(); ref.Exists() && len(path.Selectors()) > 0 {
			def := Attr{}
			if def.mark(top.LookupPath(path)) == nil && def.want != "" {
				wants, short = append(wants, def.want), append(short, def.short)
			}
			continue
		}
		w, s := armWants(top, arg)
		wants, short = append(wants, w...), append(short, s...)
	}
	return wants, short
}

// literalsOf returns the texts among the arms of a disjunction, quoted: "" where an
// attribute may be empty.
func literalsOf(arms []cue.Value) []string {
	var texts []string
	for _, arm := range arms {
		if s, err := arm.String(); err == nil {
			texts = append(texts, quoteJSON(s))
		}
	}
	return texts
}

// armExamples returns the examples of the definitions in a disjunction.
func armExamples(top, v cue.Value) []*input.Node {
	op, args := cue.Dereference(v).Expr()
	if op != cue.OrOp {
		return nil
	}
	var list []*input.Node
	for _, arg := range args {
		def := Attr{}
		if ref, path := arg.ReferencePath(); ref.Exists() && len(path.Selectors()) > 0 && def.mark(top.LookupPath(path)) == nil {
			list = append(list, def.Examples...)
		}
		if len(def.Examples) == 0 {
			list = append(list, armExamples(top, arg)...)
		}
	}
	return list
}

// kindWords names the kinds that the attribute takes, in input's words.
func (a *Attr) kindWords() string {
	var words []string
	add := func(kind cue.Kind, word string) {
		if a.kinds&kind != 0 {
			words = append(words, word)
		}
	}
	if a.kinds&cue.FloatKind == 0 {
		add(cue.IntKind, "a whole number")
	}
	add(cue.FloatKind, "a number")
	add(cue.StringKind, "a string")
	add(cue.BoolKind, "a truth value")
	add(cue.ListKind, "a list")
	add(cue.StructKind, "a map")
	last := max(len(words)-1, 0)
	if last == 0 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// choices returns the texts of a disjunction of nothing else.
func choices(arms []cue.Value) []string {
	var texts []string
	for _, arm := range arms {
		s, err := arm.String()
		if err != nil || len(arms) == 1 {
			return nil
		}
		if s != "" {
			texts = append(texts, s)
		}
	}
	return texts
}
