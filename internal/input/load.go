package input

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/diag"
)

// Options say how a stack is read. The zero value reads with the defaults.
type Options struct {
	ExtStr  map[string]string // Jsonnet's external variables, as texts
	TLAStr  map[string]string // Jsonnet's top-level arguments, as texts
	Timeout time.Duration     // for all programs of a Load together; 10 s when 0
	Stdin   io.Reader         // what "-" reads; os.Stdin when nil
	// Mask is called with the tree of each file before they merge, to mask what
	// no printed line may show: a secret that a later file replaces stands in
	// its file all the same.
	Mask func(*Node)

	limits limits // of programs; what is 0 is as usual
}

// DefaultTimeout is how long the programs of a stack may run.
const DefaultTimeout = 10 * time.Second

// A Result is what Load read.
type Result struct {
	// Tree is the merged stack, with its nulls; its top is a map. It is nil
	// where one of the files could not be read to its end; otherwise it is
	// there even beside errors, so that one run can report what comes later.
	Tree *Node
	// Files are all that was read: the named ones in their order, then what
	// they import, sorted by path.
	Files []Read
}

// A Read is one file that was read.
type Read struct {
	Path  string // as named; of an import relative to the working directory, or absolute if the file that led to it was named so
	Sum   string // SHA-256 of its content, in hexadecimal digits
	Data  []byte
	Named bool // an argument of Load, not an import
}

func newRead(path string, data []byte, named bool) Read {
	sum := sha256.Sum256(data)
	return Read{Path: path, Sum: hex.EncodeToString(sum[:]), Data: data, Named: named}
}

// Load reads the files of a stack and merges them, from left to right, later
// ones winning. The name says the format: .json, .jsonnet, .libsonnet or .cue;
// "-" reads JSON from standard input. All CUE files unify among themselves,
// and take the place of the first of them in the merge. Every mistake of every
// file is in the list. The Result is never nil.
//
// Jsonnet and CUE run in a child process with limits: a program that calls
// Load must call RunChild first of all.
func Load(files []string, opt Options) (*Result, diag.List) {
	l := &loader{opt: opt, imports: map[string]Read{}}
	if opt.Timeout <= 0 {
		l.opt.Timeout = DefaultTimeout
	}
	l.opt.limits = l.opt.limits.orUsual()
	l.deadline = time.Now().Add(l.opt.Timeout)

	var trees []*Node
	var cue []source
	cuePlace := -1
	for i, name := range files {
		src, ok := l.open(name, i)
		if !ok {
			continue
		}
		switch src.format {
		case formatJSON:
			trees = append(trees, l.json(src))
		case formatJsonnet:
			trees = append(trees, l.evaluate([]source{src}))
		case formatCUE:
			if cue == nil {
				cuePlace = len(trees)
				trees = append(trees, nil)
			}
			cue = append(cue, src)
		}
	}
	if cue != nil {
		trees[cuePlace] = l.evaluate(cue)
	}
	return l.finish(trees)
}

type format uint8

const (
	formatUnknown format = iota
	formatJSON
	formatJsonnet
	formatCUE
)

func formatOf(name string) format {
	switch filepath.Ext(name) {
	case ".json":
		return formatJSON
	case ".jsonnet", ".libsonnet":
		return formatJsonnet
	case ".cue":
		return formatCUE
	}
	if name == "-" {
		return formatJSON
	}
	return formatUnknown
}

// A source is a named file that was read.
type source struct {
	file   *diag.File
	format format
	dir    string // of its repo, "" for standard input
	rel    string // its path in the repo, with slashes
}

type loader struct {
	opt      Options
	deadline time.Time
	list     diag.List
	named    []Read
	imports  map[string]Read // by path
	failed   bool            // a file could not be read to its end
}

// open reads a named file.
func (l *loader) open(name string, order int) (source, bool) {
	src := source{file: &diag.File{Name: name, Order: order}, format: formatOf(name)}
	data, p := l.read(&src)
	if p != nil {
		l.failed = true
		l.list.Add(p.at(diag.Span{File: src.file}))
		return src, false
	}
	src.file.Content = data
	l.named = append(l.named, newRead(name, data, true))
	if at := conflict.FindSubmatchIndex(data); at != nil {
		l.failed = true
		p := &problem{"syntax", "the file holds a merge conflict", "choose between the lines from <<<<<<< to >>>>>>>, and take these marks out"}
		l.list.Add(p.at(diag.Span{File: src.file, Start: at[2], End: at[3]}))
		return src, false
	}
	return src, true
}

// conflict is what git leaves where two branches changed the same lines.
var conflict = regexp.MustCompile(`(?ms)^(<<<<<<< [^\n]*)$.*^=======\r?$.*^>>>>>>> `)

// noFormat is what is wrong with a name that says no format.
func noFormat(name string) *problem {
	message, remedy := "the name does not say what the file holds", "name it .json, .jsonnet, .libsonnet or .cue"
	if ext := strings.ToLower(filepath.Ext(name)); ext == ".yaml" || ext == ".yml" {
		message, remedy = "plonec does not read YAML", "write JSON, Jsonnet or CUE: cue import FILE makes CUE of it"
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		message, remedy = "it is a folder", "name the files of the stack in it, such as "+filepath.Join(name, "stack.json")
	}
	return &problem{"unknown-format", message, remedy}
}

func (l *loader) read(src *source) ([]byte, *problem) {
	if src.format == formatUnknown {
		return nil, noFormat(src.file.Name)
	}
	if src.file.Name == "-" {
		stdin := l.opt.Stdin
		if stdin == nil {
			stdin = os.Stdin
		}
		return readAll(stdin)
	}
	var p *problem
	if src.dir, src.rel, p = repoDir(src.file.Name); p != nil {
		return nil, p
	}
	repo, p := openRepo(src.dir)
	if p != nil {
		return nil, p
	}
	defer repo.root.Close()
	return repo.read(src.rel)
}

func (l *loader) json(src source) *Node {
	tree, list := ReadJSON(src.file)
	l.list = append(l.list, list...)
	return l.checked(tree, src.file)
}

// checked returns the tree of a file if its top is a map.
func (l *loader) checked(tree *Node, file *diag.File) *Node {
	if tree != nil && tree.Kind == Map {
		return tree
	}
	l.failed = true
	if tree != nil {
		// Without a line: nothing is known yet of what is secret in it.
		l.list.Add(diag.Diagnostic{Code: "not-a-map", Span: diag.Span{File: file},
			Message: "want a map, got " + tree.Kind.String(), Remedy: "write {…}"})
	}
	return nil
}

func (l *loader) finish(trees []*Node) (*Result, diag.List) {
	result := &Result{Files: l.named}
	if l.opt.Mask != nil {
		for _, t := range trees {
			if t != nil {
				l.opt.Mask(t)
			}
		}
	}
	result.Files = append(result.Files, l.imported()...)
	if l.failed {
		return result, l.list
	}
	tree := NewMap(diag.Span{}, nil)
	for _, t := range trees {
		tree = Merge(tree, t)
	}
	result.Tree = tree
	return result, l.list
}
