// Package engine runs templates in the language of text/template, which parses them.
//
// text/template walks a template's tree, finds each field by its name and calls each
// function by reflection, every time: for a tree of thousands of hosts that is most of
// the work. A program has looked all that up before. It knows what the templates of
// plonec use, and refuses the rest when it is made; what it writes is what text/template
// writes.
package engine

import (
	"bytes"
	"fmt"
	"reflect"
	"text/template"
	"text/template/parse"
)

// Programs are templates that refer to each other, by their names.
type Programs map[string]*program

type program struct {
	run   step
	slots int // how many variables it has, $ among them
	tree  *parse.Tree
}

// A frame is one run of a program.
type frame struct {
	out  *bytes.Buffer
	vars []reflect.Value
	at   parse.Node // what is run, for errors
}

// A step writes a part of the output. dot is what the template calls so.
type step func(f *frame, dot reflect.Value)

// A fault is what ends a run.
type fault struct{ err error }

func failf(format string, args ...any) { panic(fault{fmt.Errorf(format, args...)}) }

// Compile makes programs of a template and all that are associated with it. funcs are
// those that they were parsed with.
func Compile(t *template.Template, funcs template.FuncMap) (all Programs, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case fault:
			err = r.err
		default:
			panic(r)
		}
	}()
	all = Programs{}
	for _, t := range t.Templates() {
		all[t.Name()] = &program{tree: t.Tree}
	}
	for _, p := range all {
		c := &compiler{all: all, funcs: funcs, program: p, scope: []string{"$"}}
		p.slots = 1
		p.run = c.list(p.tree.Root)
	}
	return all, nil
}

// Execute runs a program and adds what it writes to out.
func (all Programs) Execute(out *bytes.Buffer, name string, data any) (err error) {
	p := all[name]
	if p == nil {
		return fmt.Errorf("the template %q does not exist", name)
	}
	return p.execute(out, reflect.ValueOf(data))
}

func (p *program) execute(out *bytes.Buffer, dot reflect.Value) (err error) {
	f := &frame{out: out, vars: make([]reflect.Value, p.slots), at: p.tree.Root}
	f.vars[0] = dot
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		found, is := r.(fault)
		if !is { // what was called has panicked
			found.err = fmt.Errorf("%v", r)
		}
		where, what := p.tree.ErrorContext(f.at)
		err = fmt.Errorf("%s: %s: %w", where, what, found.err)
	}()
	p.run(f, dot)
	return nil
}

// A compiler makes one program.
type compiler struct {
	all     Programs
	funcs   template.FuncMap
	program *program
	scope   []string // the variables that can be seen, in their slots
}

// slot is that of a new variable. Those of blocks that have ended are used again.
func (c *compiler) slot(name string) int {
	c.scope = append(c.scope, name)
	c.program.slots = max(c.program.slots, len(c.scope))
	return len(c.scope) - 1
}

// block is what ends the life of the variables that body declares.
func (c *compiler) block(body func()) {
	seen := len(c.scope)
	body()
	c.scope = c.scope[:seen]
}

func (c *compiler) list(l *parse.ListNode) step {
	if l == nil {
		return func(*frame, reflect.Value) {}
	}
	var steps []step
	for _, n := range l.Nodes {
		steps = append(steps, c.node(n))
	}
	return func(f *frame, dot reflect.Value) {
		for _, s := range steps {
			s(f, dot)
		}
	}
}

func (c *compiler) node(n parse.Node) (s step) {
	switch n := n.(type) {
	case *parse.TextNode:
		return func(f *frame, _ reflect.Value) { f.out.Write(n.Text) }
	case *parse.ActionNode:
		return c.action(n)
	case *parse.IfNode:
		c.block(func() { s = c.branch(&n.BranchNode, false) })
	case *parse.WithNode:
		c.block(func() { s = c.branch(&n.BranchNode, true) })
	case *parse.RangeNode:
		c.block(func() { s = c.each(n) })
	case *parse.TemplateNode:
		return c.template(n)
	default:
		c.refuse(n)
	}
	return s
}

// refuse ends the compilation at what it does not know.
func (c *compiler) refuse(n parse.Node) {
	where, what := c.program.tree.ErrorContext(n)
	failf("%s: %s is more than the engine knows", where, what)
}

func (c *compiler) action(n *parse.ActionNode) step {
	e := c.pipe(n.Pipe)
	switch {
	case len(n.Pipe.Decl) > 0:
		return func(f *frame, dot reflect.Value) {
			f.at = n
			e.value(f, dot)
		}
	case e.text != nil:
		return func(f *frame, dot reflect.Value) {
			f.at = n
			f.out.WriteString(e.text(f, dot))
		}
	}
	return func(f *frame, dot reflect.Value) {
		f.at = n
		f.print(e.value(f, dot))
	}
}

// branch is an if, or a with, in which dot is the value.
func (c *compiler) branch(n *parse.BranchNode, with bool) step {
	e := c.pipe(n.Pipe)
	var then, otherwise step
	c.block(func() { then = c.list(n.List) })
	c.block(func() { otherwise = c.list(n.ElseList) })
	return func(f *frame, dot reflect.Value) {
		f.at = n.Pipe
		v := e.value(f, dot)
		switch {
		case !truth(v):
			otherwise(f, dot)
		case with:
			then(f, v)
		default:
			then(f, dot)
		}
	}
}

func (c *compiler) each(n *parse.RangeNode) step {
	pipe := *n.Pipe
	pipe.Decl = nil // they are not the list's, but its items'
	e := c.pipe(&pipe)
	index, item := -1, -1
	switch decl := n.Pipe.Decl; {
	case n.Pipe.IsAssign:
		c.refuse(n)
	case len(decl) == 1:
		item = c.slot(decl[0].Ident[0])
	case len(decl) == 2:
		index, item = c.slot(decl[0].Ident[0]), c.slot(decl[1].Ident[0])
	}
	var body, otherwise step
	c.block(func() { body = c.list(n.List) })
	c.block(func() { otherwise = c.list(n.ElseList) })
	return func(f *frame, dot reflect.Value) {
		f.at = n.Pipe
		list := indirect(e.value(f, dot))
		if kind := list.Kind(); kind != reflect.Slice && kind != reflect.Invalid {
			failf("range over %s, which is no list", kind)
		}
		if !truth(list) {
			otherwise(f, dot)
			return
		}
		for i := range list.Len() {
			v := list.Index(i)
			if item >= 0 {
				f.vars[item] = v
			}
			if index >= 0 {
				f.vars[index] = reflect.ValueOf(i)
			}
			body(f, v)
		}
	}
}

func (c *compiler) template(n *parse.TemplateNode) step {
	p := c.all[n.Name]
	if p == nil {
		c.refuse(n)
	}
	arg := expr{value: func(*frame, reflect.Value) reflect.Value { return reflect.Value{} }}
	if n.Pipe != nil {
		arg = c.pipe(n.Pipe)
	}
	return func(f *frame, dot reflect.Value) {
		f.at = n
		if err := p.execute(f.out, arg.value(f, dot)); err != nil {
			panic(fault{err})
		}
	}
}
