package engine

import (
	"fmt"
	"reflect"
	"slices"
	"text/template/parse"
)

// builtins are those functions of text/template that our templates use, but for and, or
// and not, which take anything.
var builtins = map[string]any{
	"print":  fmt.Sprint,
	"printf": fmt.Sprintf,
	"len":    func(list reflect.Value) int { return indirect(list).Len() },
	"index":  func(list reflect.Value, i int) reflect.Value { return indirect(list).Index(i) },
	"ne":     func(a, b int) bool { return a != b },
}

// function is a call. That of a function which gives a text of a text, as escapers do,
// needs no reflection.
func (c *compiler) function(n *parse.IdentifierNode, args []expr) expr {
	switch n.Ident {
	case "and", "or":
		return shortcut(args, n.Ident == "or")
	case "not":
		return expr{value: func(f *frame, dot reflect.Value) reflect.Value {
			return reflect.ValueOf(!truth(args[0].value(f, dot)))
		}}
	}
	function, is := c.funcs[n.Ident]
	if !is {
		function, is = builtins[n.Ident]
	}
	if !is {
		c.refuse(n)
	}
	if len(args) == 1 {
		switch function := function.(type) {
		case func(string) string:
			arg := text(args[0])
			return texts(func(f *frame, dot reflect.Value) string { return function(arg(f, dot)) })
		case func(string) (string, error):
			arg := text(args[0])
			return texts(func(f *frame, dot reflect.Value) string { return must(function(arg(f, dot))) })
		case func([]string) (string, error):
			arg := args[0].value
			return texts(func(f *frame, dot reflect.Value) string {
				list := fit(arg(f, dot), listType)
				return must(function(list.Interface().([]string)))
			})
		}
	}
	fn := reflect.ValueOf(function)
	return expr{value: func(f *frame, dot reflect.Value) reflect.Value { return call(fn, values(f, dot, args)) }}
}

var listType = reflect.TypeFor[[]string]()

// text is an argument that has to be one.
func text(e expr) func(f *frame, dot reflect.Value) string {
	if e.text != nil {
		return e.text
	}
	return func(f *frame, dot reflect.Value) string { return fit(e.value(f, dot), stringType).String() }
}

func must(s string, err error) string {
	if err != nil {
		panic(fault{err})
	}
	return s
}

// shortcut gives the first argument whose truth is the one, else the last.
func shortcut(args []expr, truthful bool) expr {
	return expr{value: func(f *frame, dot reflect.Value) (v reflect.Value) {
		for _, a := range args {
			if v = a.value(f, dot); truth(v) == truthful {
				break
			}
		}
		return v
	}}
}

var valueType = reflect.TypeFor[reflect.Value]()

// call calls a function, whose last result may be an error.
func call(fn reflect.Value, args []reflect.Value) reflect.Value {
	t := fn.Type()
	if n := t.NumIn(); len(args) != n && !(t.IsVariadic() && len(args) >= n-1) {
		failf("%d arguments, where %s is called", len(args), t)
	}
	for i, a := range args {
		want := t.In(min(i, t.NumIn()-1))
		if t.IsVariadic() && i >= t.NumIn()-1 {
			want = want.Elem()
		}
		args[i] = fit(a, want)
	}
	results := fn.Call(args)
	if len(results) == 2 && !results[1].IsNil() {
		panic(fault{results[1].Interface().(error)})
	}
	if t.Out(0) == valueType {
		return unwrap(results[0].Interface().(reflect.Value))
	}
	return unwrap(results[0])
}

// fit makes a value one of a type that a function takes.
func fit(v reflect.Value, want reflect.Type) reflect.Value {
	v = unwrap(v)
	switch {
	case want == valueType:
		return reflect.ValueOf(v)
	case v.IsValid() && (v.Type() == want || v.Type().AssignableTo(want)):
		return v
	case !v.IsValid() && slices.Contains([]reflect.Kind{reflect.Interface, reflect.Pointer, reflect.Slice, reflect.Map}, want.Kind()):
		return reflect.Zero(want)
	case !v.IsValid():
		failf("nothing, where a %s belongs", want)
	}
	failf("a %s, where a %s belongs", v.Type(), want)
	return v
}
