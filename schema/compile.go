// Package schema knows the attributes of a stack: what they are called and
// mean (the .cue files), whether a stack gives them well (Load), and what
// they are in the view of a host (Decoded.View).
//
// A new attribute is a field in a .cue file, with its documentation, default
// and mark, and a field of the same name in stack.go.
package schema

import (
	"embed"
	"fmt"
	"io/fs"
	"sync"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/parser"
)

//go:embed *.cue
var sources embed.FS

// A compiled schema: the CUE value and the tree of attributes made from it.
// CUE evaluates lazily and in place, so whoever unifies holds mu.
type compiled struct {
	mu   sync.Mutex
	ctx  *cue.Context
	top  cue.Value // the package: its definitions
	root *Attr     // #Stack

	secretRef *Attr // what $secret takes
	paths     func() map[string][]string
	quick     map[any]quick // by definition, or by *Attr
}

// compile compiles the schema once, when it is first needed.
var compile = sync.OnceValue(func() *compiled {
	c, err := compileSources(cuecontext.New(), sources)
	if err != nil {
		panic(fmt.Sprintf("schema: %v", err)) // the schema is part of the program
	}
	return c
})

func compileSources(ctx *cue.Context, files fs.FS) (*compiled, error) {
	names, err := fs.Glob(files, "*.cue")
	if err != nil {
		return nil, err
	}
	inst := build.NewContext().NewInstance("", nil)
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(name, text, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		if err := inst.AddSyntax(file); err != nil {
			return nil, err
		}
	}
	if err := inst.Complete(); err != nil {
		return nil, err
	}
	c := &compiled{ctx: ctx, top: ctx.BuildInstance(inst), quick: map[any]quick{}}
	if err := c.top.Err(); err != nil {
		return nil, err
	}
	if c.root, err = newTree(c.top, "#Stack"); err != nil {
		return nil, err
	}
	ref, err := newTree(c.top, "#SecretRef")
	if err != nil {
		return nil, err
	}
	c.secretRef = ref.fields["$secret"]
	c.paths = sync.OnceValue(c.byName)
	return c, nil
}
