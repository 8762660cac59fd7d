package input

import (
	"github.com/google/go-jsonnet/ast"
)

// A where is what is known of the places of a value and of those inside it.
type where struct {
	key, value place
	items      []*where
	fields     map[string]*where
	complete   bool // fields are all that the object has
	adds       bool // the field is key+: it adds to what it overrides
}

// A scope is the locals that are in sight.
type scope struct {
	name  ast.Identifier
	body  ast.Node
	scope *scope // in which body stands
	outer *scope
}

// A placer finds where the values of a Jsonnet program are written, as far as
// that can be seen without running it: object and array literals, also through
// +, locals, imports and their fields. What a program computes has no place, or
// that of the expression.
type placer struct {
	run   *jsonnetRun
	steps int
}

// A program whose places take more work than this does without the rest.
const (
	maxPlaces     = 500_000
	maxPlaceDepth = 200
)

// place returns what is known of a node's value, never nil.
func (p *placer) place(node ast.Node, in *scope, depth int) *where {
	if p.steps++; node == nil || p.steps > maxPlaces || depth > maxPlaceDepth {
		return &where{}
	}
	w := &where{value: p.run.where(*node.Loc())}
	switch n := node.(type) {
	case *ast.DesugaredObject:
		p.object(w, n, in, depth)
	case *ast.Array:
		for _, e := range n.Elements {
			w.items = append(w.items, p.place(e.Expr, in, depth+1))
		}
	case *ast.Parens:
		return p.place(n.Inner, in, depth+1)
	case *ast.Local:
		return p.place(n.Body, bind(n.Binds, in), depth+1)
	case *ast.Function:
		return p.place(n.Body, hide(n.Parameters, in), depth+1)
	case *ast.Binary:
		if n.Op == ast.BopPlus {
			left := p.place(n.Left, in, depth+1)
			overlay(left, p.place(n.Right, in, depth+1))
			w.fields, w.complete = left.fields, left.complete
		}
	case *ast.Var:
		for s := in; s != nil; s = s.outer {
			if s.name == n.Id {
				if s.body == nil {
					break
				}
				if found := p.place(s.body, s.scope, depth+1); found.value.File != 0 {
					return found
				}
				break
			}
		}
	case *ast.Index:
		if name, ok := n.Index.(*ast.LiteralString); ok {
			if found := p.place(n.Target, in, depth+1).fields[name.Value]; found != nil && !found.adds && found.value.File != 0 {
				return found
			}
		}
	case *ast.Import:
		if imported, _, err := p.run.vm.ImportAST(n.Loc().FileName, n.File.Value); err == nil {
			w = p.place(imported, nil, depth+1)
		}
	}
	return w
}

func (p *placer) object(w *where, n *ast.DesugaredObject, in *scope, depth int) {
	in = bind(n.Locals, in)
	w.fields, w.complete = make(map[string]*where, len(n.Fields)), true
	for _, f := range n.Fields {
		name, ok := f.Name.(*ast.LiteralString)
		if !ok {
			w.complete = false
			continue
		}
		field := *p.place(f.Body, in, depth+1)
		field.adds = f.PlusSuper
		field.key = p.run.where(*name.Loc())
		if field.key.File == 0 { // a plain identifier: the field begins with it
			field.key = p.run.where(f.LocRange)
		}
		if field.key.File != 0 {
			field.key = p.trimKey(field.key, name.Value)
		}
		w.fields[name.Value] = &field
	}
}

// trimKey cuts the range of a field, which may be that of its value as well,
// to its key, quotes included.
func (p *placer) trimKey(at place, name string) place {
	text := p.run.files.reads[at.File-1].data[at.Start:at.End]
	length := len(name)
	if len(text) > 0 && (text[0] == '"' || text[0] == '\'') {
		length, _ = quoted(text, 0)
	}
	at.End = min(at.End, at.Start+length)
	return at
}

// overlay lays what is known of an object's right side over its left. Where
// the right side may have fields that are not known, the left side's others
// are not known either: a wrong place is worse than none.
func overlay(left, right *where) {
	merged := make(map[string]*where, len(left.fields)+len(right.fields))
	if right.complete {
		for k, f := range left.fields {
			merged[k] = f
		}
	}
	for k, f := range right.fields {
		if f.adds {
			both := &where{key: f.key}
			if old := left.fields[k]; old != nil {
				both.value, both.fields, both.complete = old.value, old.fields, old.complete
			}
			overlay(both, f)
			f = both
		}
		merged[k] = f
	}
	left.fields, left.complete, left.items = merged, left.complete && right.complete, nil
}

// bind adds locals to a scope. They see each other.
func bind(binds ast.LocalBinds, outer *scope) *scope {
	in := outer
	first := len(binds)
	bound := make([]*scope, 0, first)
	for _, b := range binds {
		in = &scope{name: b.Variable, outer: in}
		if b.Fun == nil {
			in.body = b.Body
		}
		bound = append(bound, in)
	}
	for _, s := range bound {
		s.scope = in
	}
	return in
}

// hide adds names of which nothing is known.
func hide(params []ast.Parameter, outer *scope) *scope {
	for _, param := range params {
		outer = &scope{name: param.Name, outer: outer}
	}
	return outer
}

// packPlaces packs the places of a document's values.
func packPlaces(out *spanWriter, n *Node, w *where) {
	if w == nil {
		w = &where{}
	}
	out.add(w.value)
	for _, f := range n.Fields {
		inner := w.fields[f.Key]
		if inner == nil {
			inner = &where{}
		}
		out.add(inner.key)
		packPlaces(out, f.Value, inner)
	}
	for i, item := range n.Items {
		var inner *where
		if len(w.items) == len(n.Items) {
			inner = w.items[i]
		}
		packPlaces(out, item, inner)
	}
}
