package input

import (
	"errors"
	"io"
	"path"
	"regexp"
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
	m := mistake{Code: "eval-error", Message: "the program failed"}
	var runtime jsonnet.RuntimeError
	if static, ok := err.(interface{ Loc() ast.LocationRange }); ok {
		m = j.static(err.Error(), static.Loc())
	} else if errors.As(err, &runtime) {
		m = j.runtime(runtime)
	}
	j.answer.Mistakes = append(j.answer.Mistakes, m)
}

func (j *jsonnetRun) static(text string, loc ast.LocationRange) mistake {
	m := mistake{Code: "syntax", At: j.where(loc), Message: "Jsonnet cannot read this"}
	for _, known := range []struct{ part, message, remedy string }{
		{"Unknown variable", "this name is not defined", "define it with local, or put a text in quotes"},
		{"end of file", "the file ends too early", "close what is open"},
		{"Expected a comma", "want a comma before this", "put a comma before it"},
		{"self outside", "self stands outside of an object", ""},
		{"super outside", "super stands outside of an object", ""},
		{"top-level object", "$ stands outside of an object", ""},
		{"Duplicate local", "a local is defined twice", "rename one"},
		{"escape sequence", "a backslash begins no known escape in a text", `write \\ for a backslash`},
		{"Computed imports", "an import must be a plain text", ""},
	} {
		if strings.Contains(text, known.part) {
			m.Message, m.Remedy = known.message, known.remedy
			break
		}
	}
	return m
}

// typeMismatch matches a message that holds types only.
var typeMismatch = regexp.MustCompile(`^Unexpected type (array|boolean|function|null|number|object|string), expected (array|boolean|function|null|number|object|string)`)

func (j *jsonnetRun) runtime(err jsonnet.RuntimeError) mistake {
	m := mistake{Code: "eval-error", Message: "the program failed"}
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
	switch text := err.Msg; {
	case innermost && (startsWith(source, "error") || startsWith(source, "assert")):
		m.Message = "the program says: " + text
	case startsWith(source, "import") || startsWith(source, "importstr") || startsWith(source, "importbin"):
		return j.badImport(m)
	case strings.Contains(text, "max stack frames exceeded"), strings.Contains(text, "max manifest depth"):
		m.Code, m.Message = "eval-limit", "the program calls itself too often"
	case strings.HasPrefix(text, "Undefined external variable"):
		m.Message, m.Remedy = "an external variable is not given", "give it with --ext-str NAME=TEXT"
	case strings.HasPrefix(text, "Missing argument"):
		m.Message, m.Remedy = "an argument is missing", "for the function at the top of a file give it with --tla-str NAME=TEXT"
	case strings.HasPrefix(text, "function has no parameter"):
		m.Message = "the function has no parameter of that name"
	case strings.HasPrefix(text, "Field does not exist"):
		m.Message = "the field does not exist"
	case strings.HasPrefix(text, "Division by zero"):
		m.Message = "division by zero"
	case strings.HasPrefix(text, "Index "):
		m.Message = "the index is out of bounds"
	case strings.Contains(strings.ToLower(text), "overflow"), text == "Not a number":
		m.Code, m.Message = "bad-number", "the result is no finite number"
	case strings.Contains(text, "anifest function"):
		m.Message, m.Remedy = "a function stands where a value should", "call it, or hide the field with ::"
	case typeMismatch.MatchString(text):
		types := typeMismatch.FindStringSubmatch(text)
		m.Message = "want " + types[2] + ", got " + types[1]
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
