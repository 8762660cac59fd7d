package engine

import (
	"fmt"
	"reflect"
	"strconv"
	"sync/atomic"
	"text/template/parse"
)

// An expr gives a value, or, where it is known to be one, a text, which is then not
// wrapped.
type expr struct {
	value func(f *frame, dot reflect.Value) reflect.Value
	text  func(f *frame, dot reflect.Value) string // nil: it may be something else
}

func texts(text func(f *frame, dot reflect.Value) string) expr {
	return expr{func(f *frame, dot reflect.Value) reflect.Value { return reflect.ValueOf(text(f, dot)) }, text}
}

func constant(x any) expr {
	v := reflect.ValueOf(x)
	return expr{value: func(*frame, reflect.Value) reflect.Value { return v }}
}

// pipe is commands, each of which has the value of the one before as its last argument,
// and the variable that the last one's goes into.
func (c *compiler) pipe(n *parse.PipeNode) expr {
	var e expr
	for i, command := range n.Cmds {
		var last []expr
		if i > 0 {
			last = []expr{e}
		}
		e = c.command(command, last)
	}
	if len(n.Decl) == 0 {
		return e
	}
	name, slot, value := n.Decl[0].Ident[0], -1, e.value
	if n.IsAssign {
		slot = c.find(n, name)
	} else {
		slot = c.slot(name)
	}
	return expr{value: func(f *frame, dot reflect.Value) reflect.Value {
		f.vars[slot] = value(f, dot)
		return f.vars[slot]
	}}
}

// find gives the slot of a variable.
func (c *compiler) find(n parse.Node, name string) int {
	for i := len(c.scope) - 1; i >= 0; i-- {
		if c.scope[i] == name {
			return i
		}
	}
	c.refuse(n)
	return -1
}

// command is a value, or a function or a method with its arguments.
func (c *compiler) command(n *parse.CommandNode, last []expr) expr {
	var args []expr
	for _, a := range n.Args[1:] {
		args = append(args, c.operand(a, nil))
	}
	return c.operand(n.Args[0], append(args, last...))
}

func (c *compiler) operand(n parse.Node, args []expr) expr {
	switch n := n.(type) {
	case *parse.IdentifierNode:
		return c.function(n, args)
	case *parse.FieldNode:
		return fields(expr{value: func(_ *frame, dot reflect.Value) reflect.Value { return dot }}, n.Ident, args)
	case *parse.VariableNode:
		slot := c.find(n, n.Ident[0])
		return fields(expr{value: func(f *frame, _ reflect.Value) reflect.Value { return f.vars[slot] }}, n.Ident[1:], args)
	case *parse.ChainNode:
		return fields(c.operand(n.Node, nil), n.Field, args)
	}
	if len(args) > 0 {
		c.refuse(n)
	}
	switch n := n.(type) {
	case *parse.PipeNode:
		return c.pipe(n)
	case *parse.DotNode:
		return expr{value: func(_ *frame, dot reflect.Value) reflect.Value { return dot }}
	case *parse.StringNode:
		return constant(n.Text)
	case *parse.BoolNode:
		return constant(n.True)
	case *parse.NumberNode:
		if n.IsInt {
			return constant(int(n.Int64))
		}
	}
	c.refuse(n)
	return expr{}
}

// fields are those of a value, one of the other. The last one may be a method with
// arguments.
func fields(e expr, names []string, args []expr) expr {
	for i, name := range names {
		of, look := e.value, &lookup{name: name}
		if i == len(names)-1 && len(args) > 0 {
			return expr{value: func(f *frame, dot reflect.Value) reflect.Value {
				return look.in(of(f, dot), values(f, dot, args))
			}}
		}
		e = expr{value: func(f *frame, dot reflect.Value) reflect.Value { return look.in(of(f, dot), nil) }}
	}
	return e
}

func values(f *frame, dot reflect.Value, args []expr) []reflect.Value {
	list := make([]reflect.Value, len(args))
	for i, a := range args {
		list[i] = a.value(f, dot)
	}
	return list
}

// A lookup finds a field or a method by its name, and remembers where it was.
type lookup struct {
	name string
	last atomic.Pointer[place]
}

// A place is where a type has what is looked for.
type place struct {
	of     reflect.Type
	method int   // -1: it is a field
	field  []int // see reflect.Value.FieldByIndex
}

// in gives the field, or what the method returns, of a value.
func (l *lookup) in(v reflect.Value, args []reflect.Value) reflect.Value {
	v = unwrap(v)
	switch {
	case !v.IsValid():
		failf("%s of nothing", l.name)
	case v.Kind() == reflect.Pointer && v.IsNil():
		failf("%s of a nil %s", l.name, v.Type())
	case v.Kind() != reflect.Pointer && v.CanAddr():
		v = v.Addr() // which has all methods
	}
	at := l.last.Load()
	if at == nil || at.of != v.Type() {
		at = l.find(v.Type())
		l.last.Store(at)
	}
	if at.method >= 0 {
		return unwrap(call(v.Method(at.method), args))
	}
	if len(args) > 0 {
		failf("%s is no method", l.name)
	}
	field, err := indirect(v).FieldByIndexErr(at.field)
	if err != nil {
		panic(fault{err})
	}
	return unwrap(field)
}

func (l *lookup) find(t reflect.Type) *place {
	if m, is := t.MethodByName(l.name); is {
		return &place{t, m.Index, nil}
	}
	s := t
	if t.Kind() == reflect.Pointer {
		s = t.Elem()
	}
	if s.Kind() == reflect.Struct {
		if f, is := s.FieldByName(l.name); is && f.IsExported() {
			return &place{t, -1, f.Index}
		}
	}
	failf("%s has no %s", t, l.name)
	return nil
}

// unwrap gives what is in an interface.
func unwrap(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Interface {
		return v.Elem()
	}
	return v
}

func indirect(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	return v
}

// truth is what if and with go by: not the zero of its type, nor empty.
func truth(v reflect.Value) bool {
	switch v = unwrap(v); v.Kind() {
	case reflect.Invalid:
		return false
	case reflect.Struct:
		return true
	case reflect.Map, reflect.Slice:
		return v.Len() > 0
	}
	return !v.IsZero()
}

var stringType, intType = reflect.TypeFor[string](), reflect.TypeFor[int]()

// print writes a value as fmt.Print does, and what a pointer points to.
func (f *frame) print(v reflect.Value) {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if !v.IsValid() {
		failf("there is no value")
	}
	switch v.Type() {
	case stringType:
		f.out.WriteString(v.String())
	case intType:
		f.out.Write(strconv.AppendInt(f.out.AvailableBuffer(), v.Int(), 10))
	default:
		if _, is := v.Interface().(fmt.Stringer); !is && v.CanAddr() {
			if s, is := v.Addr().Interface().(fmt.Stringer); is {
				f.out.WriteString(s.String())
				return
			}
		}
		fmt.Fprint(f.out, v.Interface())
	}
}
