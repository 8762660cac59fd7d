package input

import (
	"errors"
	"io"
	"path"
	"strings"

	"github.com/google/go-jsonnet"
	"github.com/google/go-jsonnet/ast"
	"github.com/google/go-jsonnet/toolutils"
)

// evalJsonnet evaluates the one named file of a request.
func evalJsonnet(a *answer, files *childFiles, req *request) {
	imports := &importer{files: files, cache: map[string]jsonnet.Contents{}}
	vm := jsonnet.MakeVM()
	vm.Importer(imports)
	vm.SetTraceOut(io.Discard)
	for name, value := range req.ExtStr {
		vm.ExtVar(name, value)
	}
	for name, value := range req.TLAStr {
		vm.TLAVar(name, value)
	}
	j := &jsonnetRun{answer: a, files: files, imports: imports, vm: vm}

	main := files.reads[0]
	node, err := jsonnet.SnippetToAST(main.Rel, string(main.data))
	if err != nil {
		j.fail(err)
		return
	}
	doc, err := vm.Evaluate(node)
	if err != nil {
		j.fail(err)
		return
	}
	j.checkNumbers(node)
	for _, rel := range imports.code {
		if imported, _, err := vm.ImportAST("", rel); err == nil {
			j.checkNumbers(imported)
		}
	}
	if len(a.Mistakes) > 0 {
		return
	}
	a.doc = []byte(doc)
	var spans spanWriter
	if tree := parse(a.doc); tree != nil {
		where := (&placer{run: j}).place(node, nil, 0)
		packPlaces(&spans, tree, where)
	}
	a.spans = spans.buf
}

// An importer reads imports from the repo, relative to the importing file.
type importer struct {
	files *childFiles
	cache map[string]jsonnet.Contents
	code  []string // what was imported and is Jsonnet by its name
	last  *problem
}

// Import implements jsonnet.Importer.
func (i *importer) Import(from, name string) (jsonnet.Contents, string, error) {
	rel := path.Join(path.Dir(from), name)
	var data []byte
	p := outside()
	if !path.IsAbs(name) {
		if cached, ok := i.cache[rel]; ok {
			return cached, rel, nil
		}
		data, p = i.files.read(rel)
	}
	if p != nil {
		i.last = p
		return jsonnet.Contents{}, "", errors.New("not imported")
	}
	contents := jsonnet.MakeContentsRaw(data)
	i.cache[rel] = contents
	if ext := path.Ext(rel); ext == ".jsonnet" || ext == ".libsonnet" || ext == ".json" {
		i.code = append(i.code, rel)
	}
	return contents, rel, nil
}

// A jsonnetRun is the evaluation of one Jsonnet file.
type jsonnetRun struct {
	answer  *answer
	files   *childFiles
	imports *importer
	vm      *jsonnet.VM
}

// checkNumbers reports the literals that are kept as another number. It goes
// without recursion: programs may be deep.
func (j *jsonnetRun) checkNumbers(node ast.Node) {
	for todo := []ast.Node{node}; len(todo) > 0; {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if number, ok := n.(*ast.LiteralNumber); ok && inexact(number.OriginalString, false) {
			if at := j.where(*number.Loc()); at.File != 0 { // not one of the standard library
				j.answer.Mistakes = append(j.answer.Mistakes, mistake{Code: "bad-number", At: at,
					Message: "a number does not fit a 64-bit float", Remedy: "put it in quotes if a text is meant"})
			}
		}
		todo = append(todo, toolutils.Children(n)...)
	}
}

// where turns a range of Jsonnet into a place, the zero place for one that is
// not in a file.
func (j *jsonnetRun) where(loc ast.LocationRange) place {
	file := j.files.index(loc.FileName)
	if file == 0 || !loc.IsSet() {
		return place{}
	}
	start := j.files.offset(file-1, loc.Begin.Line, loc.Begin.Column)
	end := j.files.offset(file-1, loc.End.Line, loc.End.Column)
	return place{file, start, max(start, end)}
}

// fail reports why an evaluation failed. Jsonnet's own text is not passed on,
// for it holds values; that of the program's own error expressions is.
func (j *jsonnetRun) fail(err error) {
	m := unknown("eval-error", "the program failed", "jsonnet")
	var runtime jsonnet.RuntimeError
	if static, ok := err.(interface{ Loc() ast.LocationRange }); ok {
		m = j.static(err.Error(), static.Loc())
	} else if errors.As(err, &runtime) {
		m = j.runtime(runtime)
	}
	j.answer.Mistakes = append(j.answer.Mistakes, m)
}

func (j *jsonnetRun) static(text string, loc ast.LocationRange) mistake {
	m, known := jsonnetStatic.of(text)
	if !known {
		m = unknown("syntax", "Jsonnet cannot read this", "jsonnet")
	}
	m.At = j.where(loc)
	return m
}

func (j *jsonnetRun) runtime(err jsonnet.RuntimeError) mistake {
	m, known := jsonnetRuntime.of(err.Msg)
	if !known {
		m = unknown("eval-error", "the program failed", "jsonnet")
	}
	innermost := true // no frame of the standard library lies within
	for i := len(err.StackTrace) - 1; i >= 0; i-- {
		loc := err.StackTrace[i].Loc
		if at := j.where(loc); at.File != 0 {
			m.At = at
			break
		}
		innermost = innermost && !loc.IsSet()
	}
	source := ""
	if m.At.File != 0 {
		source = string(j.files.reads[m.At.File-1].data[m.At.Start:m.At.End])
	}
	switch {
	case innermost && (startsWith(source, "error") || startsWith(source, "assert")):
		return mistake{Code: "eval-error", At: m.At, Message: "the program says: " + err.Msg}
	case startsWith(source, "import") || startsWith(source, "importstr") || startsWith(source, "importbin"):
		return j.badImport(mistake{Code: "eval-error", At: m.At})
	}
	return m
}

// badImport reports an import that cannot be read, or whose file Jsonnet
// cannot read.
func (j *jsonnetRun) badImport(m mistake) mistake {
	if p := j.imports.last; p != nil {
		m.Code, m.Message, m.Remedy = p.Code, p.Message, p.Remedy
		return m
	}
	for _, rel := range j.imports.code {
		_, err := jsonnet.SnippetToAST(rel, j.imports.cache[rel].String())
		if static, ok := err.(interface{ Loc() ast.LocationRange }); ok {
			return j.static(err.Error(), static.Loc())
		}
	}
	m.Message = "the import failed"
	return m
}

// startsWith tells whether source begins with a keyword.
func startsWith(source, keyword string) bool {
	rest, ok := strings.CutPrefix(source, keyword)
	return ok && (rest == "" || !isWord(rest[0]))
}
