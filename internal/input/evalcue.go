package input

import (
	"encoding/json"
	"path"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/cue/token"
)

// evalCUE unifies the named files of a request, all as one package. Other
// files of their folders are not read; imports are, from the module around the
// first file (its cue.mod), and CUE's own packages.
func evalCUE(a *answer, files *childFiles, named int) {
	c := &cueRun{answer: a, files: files}
	var args []string
	for _, f := range files.reads[:named] {
		args = append(args, "/"+f.Rel)
	}
	instances := load.Instances(args, &load.Config{
		FS:  childFS{files},
		Dir: path.Dir(args[0]),
		Env: []string{"CUE_REGISTRY=none", "CUE_CACHE_DIR=/"},
	})
	if len(instances) != 1 {
		a.Mistakes = []mistake{{Code: "eval-error", Message: "the files are not one package", Remedy: "name files of one package"}}
		return
	}
	instance := instances[0]
	c.sources = sourcesOf(instance)
	if instance.Err != nil {
		c.fail(instance.Err, nil)
		return
	}
	c.checkNumbers()
	if len(a.Mistakes) > 0 {
		return
	}
	value := cuecontext.New().BuildInstance(instance)
	if err := value.Validate(cue.Concrete(true)); err != nil {
		c.fail(err, &value)
		return
	}
	c.value(value, 0)
	if len(a.Mistakes) > 0 {
		return
	}
	a.doc, a.spans = c.doc, c.spans.buf
	c.dropUnused(named)
}

// sourcesOf returns the syntax of an instance and of all that it imports.
func sourcesOf(main *build.Instance) []*ast.File {
	var files []*ast.File
	seen := map[*build.Instance]bool{}
	for todo := []*build.Instance{main}; len(todo) > 0; {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[i] {
			continue
		}
		seen[i] = true
		files = append(files, i.Files...)
		todo = append(todo, i.Imports...)
	}
	return files
}

// dropUnused marks the files that the loader only looked at: it reads the
// other files of a folder for what they import.
func (c *cueRun) dropUnused(named int) {
	used := map[string]bool{}
	for _, f := range c.sources {
		used[strings.TrimPrefix(f.Filename, "/")] = true
	}
	for i := range c.files.reads[named:] {
		b := &c.files.reads[named+i]
		if !used[b.Rel] && !strings.HasSuffix(b.Rel, "cue.mod/module.cue") {
			b.Unused, b.Size, b.data = true, 0, nil
		}
	}
}

// A cueRun is the evaluation of the CUE files.
type cueRun struct {
	answer  *answer
	files   *childFiles
	sources []*ast.File
	doc     []byte
	spans   spanWriter
	path    []string
	values  int
}

// checkNumbers reports the literals that CUE would silently take for another
// number: 1e4000000 is 1 for it.
func (c *cueRun) checkNumbers() {
	for _, file := range c.sources {
		ast.Walk(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.INT && lit.Kind != token.FLOAT {
				return true
			}
			text := strings.TrimRight(lit.Value, "KMGTPi") // 1K, 2Mi: no range to speak of
			if based := len(text) > 1 && text[0] == '0' && strings.IndexByte("xXbBoO", text[1]) >= 0; based && len(text) <= MaxNumber {
				return true
			}
			if inexact(text, true) {
				c.answer.Mistakes = append(c.answer.Mistakes, mistake{Code: "bad-number", At: c.node(lit),
					Message: "a number is too long or does not fit a 64-bit float", Remedy: "put it in double quotes if a text is meant"})
			}
			return true
		}, nil)
	}
}

// value writes a value into the document and its place beside it.
func (c *cueRun) value(v cue.Value, depth int) {
	v, _ = v.Default()
	_, at := c.where(v)
	c.spans.add(at)
	if c.values++; c.values > MaxValues || depth > MaxDepth {
		c.mistake("too-large", at, "the stack has too many values, or maps and lists too deep", "")
		c.doc = append(c.doc, "null"...)
		return
	}
	switch kind := v.Kind(); kind {
	case cue.StructKind:
		c.fields(v, depth)
	case cue.ListKind:
		c.items(v, depth)
	case cue.StringKind:
		text, _ := v.String()
		quoted, _ := json.Marshal(text)
		c.doc = append(c.doc, quoted...)
	case cue.IntKind, cue.FloatKind, cue.NumberKind, cue.BoolKind, cue.NullKind:
		text, err := v.MarshalJSON()
		if err != nil || !json.Valid(text) {
			c.mistake("bad-number", at, "the result is no finite number", "")
			text = []byte("null")
		}
		c.doc = append(c.doc, text...)
	case cue.BytesKind:
		c.mistake("eval-error", at, "a stack has no bytes", "use double quotes for a text")
		c.doc = append(c.doc, "null"...)
	default:
		c.mistake("incomplete", at, "the field has no value", "give it one")
		c.doc = append(c.doc, "null"...)
	}
}

func (c *cueRun) fields(v cue.Value, depth int) {
	c.doc = append(c.doc, '{')
	fields, err := v.Fields()
	first := true
	for err == nil && fields.Next() && c.values <= MaxValues {
		if !first {
			c.doc = append(c.doc, ',')
		}
		first = false
		name := fields.Selector().Unquoted()
		quoted, _ := json.Marshal(name)
		c.doc = append(append(c.doc, quoted...), ':')
		key, _ := c.where(fields.Value())
		c.spans.add(key)
		c.path = append(c.path, name)
		c.value(fields.Value(), depth+1)
		c.path = c.path[:len(c.path)-1]
	}
	c.doc = append(c.doc, '}')
}

func (c *cueRun) items(v cue.Value, depth int) {
	c.doc = append(c.doc, '[')
	items, err := v.List()
	for i := 0; err == nil && items.Next() && c.values <= MaxValues; i++ {
		if i > 0 {
			c.doc = append(c.doc, ',')
		}
		c.value(items.Value(), depth+1)
	}
	c.doc = append(c.doc, ']')
}

func (c *cueRun) mistake(code string, at place, message, remedy string) {
	c.answer.Mistakes = append(c.answer.Mistakes,
		mistake{Code: code, At: at, Path: joinPath(c.path), Message: message, Remedy: remedy})
}

// where returns the places of a value and of its key. Of several fields that
// were unified, the first that gives a value of its own counts, rather than a
// type.
func (c *cueRun) where(v cue.Value) (key, value place) {
	switch n := v.Source().(type) {
	case *ast.Field:
		return c.node(n.Label), c.node(n.Value)
	case ast.Expr, *ast.File:
		value = c.node(n)
	}
	best := 0
	if op, parts := v.Expr(); op == cue.AndOp {
		for _, part := range parts {
			field, ok := part.Source().(*ast.Field)
			if !ok {
				continue
			}
			if rank := literalness(field.Value); rank > best {
				best = rank
				key, value = c.node(field.Label), c.node(field.Value)
			}
		}
	}
	return key, value
}

// literalness ranks an expression by how much it is a value.
func literalness(e ast.Expr) int {
	switch e.(type) {
	case *ast.BasicLit, *ast.Interpolation:
		return 4
	case *ast.StructLit, *ast.ListLit:
		return 3
	case *ast.Ident:
		return 1
	}
	return 2
}

// node returns the place of a piece of syntax.
func (c *cueRun) node(n ast.Node) place {
	if n == nil || !n.Pos().IsValid() {
		return place{}
	}
	file := c.files.index(rel(n.Pos()))
	if file == 0 {
		return place{}
	}
	start, end := n.Pos().Offset(), n.Pos().Offset()
	if n.End().IsValid() && rel(n.End()) == rel(n.Pos()) {
		end = max(start, n.End().Offset())
	}
	size := len(c.files.reads[file-1].data)
	return place{file, min(start, size), min(end, size)}
}

// rel returns the path in the repo of the file that a position is in.
func rel(p token.Pos) string { return strings.TrimPrefix(p.Filename(), "/") }
