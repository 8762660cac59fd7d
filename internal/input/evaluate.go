package input

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/plonec/plonec/internal/diag"
)

// evaluate runs the program of one Jsonnet file, or of all CUE files, in a
// child. The result is nil where it fails.
func (l *loader) evaluate(sources []source) *Node {
	main := sources[0]
	whole := diag.Span{File: main.file}
	req := &request{Limits: l.opt.limits, CUE: main.format == formatCUE, Dir: main.dir, ExtStr: l.opt.ExtStr, TLAStr: l.opt.TLAStr,
		Seconds: 4 * (1 + int(math.Ceil(l.opt.Timeout.Seconds())))} // several threads; the clock is what ends it
	for _, s := range sources {
		if !l.program(s, main) {
			return nil
		}
		req.Files = append(req.Files, blob{Rel: s.rel, Size: len(s.file.Content), data: s.file.Content})
	}
	a, p := l.runChild(req)
	if p != nil {
		l.failed = true
		l.list.Add(p.at(whole))
		return nil
	}
	files := l.filesOf(a, sources)
	if len(a.Mistakes) > 0 {
		l.failed = true
		for _, m := range a.Mistakes {
			l.list.Add(m.diagnostic(files))
		}
		return nil
	}
	return l.document(a, files, main)
}

// program checks what must hold of a program's text before it is run.
func (l *loader) program(s, main source) bool {
	p := (*problem)(nil)
	switch {
	case s.dir != main.dir:
		p = &problem{"outside", "the CUE files of a stack lie in different repositories", "put them into one git work tree"}
	case bytes.HasPrefix(s.file.Content, []byte("\uFEFF")):
		p = &problem{"syntax", "the file begins with a byte order mark", "save it as UTF-8 without one"}
	case !utf8.Valid(s.file.Content):
		p = &problem{"syntax", "the file is not UTF-8", "save it as UTF-8"}
	}
	if p != nil {
		l.failed = true
		l.list.Add(p.at(diag.Span{File: s.file}))
	}
	return p == nil
}

// document reads the tree out of an answer.
func (l *loader) document(a *answer, files []*diag.File, main source) *Node {
	whole := diag.Span{File: main.file}
	tree, list := ReadJSON(&diag.File{Content: a.doc})
	for _, d := range list {
		d.Span, d.Remedy = whole, "" // it points into a text that nobody wrote
		l.list.Add(d)
	}
	if tree = l.checked(tree, main.file); tree == nil {
		return nil
	}
	spans := &spanReader{buf: a.spans, files: files, whole: whole}
	if !spans.apply(tree) {
		l.failed = true
		l.list.Add((&problem{"eval-error", "the child process gave no sound answer", ""}).at(whole))
		return nil
	}
	if main.format == formatJsonnet {
		shorten(tree)
	}
	return tree
}

// shorten writes numbers the short way: Jsonnet gives 17 digits.
func shorten(n *Node) {
	if n.Kind == Number {
		if v, ok := parseFloat(n.Text); ok {
			n.Text = strconv.FormatFloat(v, 'f', -1, 64)
			if math.Abs(v) >= 1e21 || v != 0 && math.Abs(v) < 1e-6 {
				n.Text = strconv.FormatFloat(v, 'e', -1, 64)
			}
		}
	}
	for i := range n.Fields {
		shorten(n.Fields[i].Value)
	}
	for _, item := range n.Items {
		shorten(item)
	}
}

// filesOf returns the files of an answer, and notes the imports among them.
func (l *loader) filesOf(a *answer, sources []source) []*diag.File {
	var files []*diag.File
	for i, b := range a.Files {
		if i < len(sources) {
			files = append(files, sources[i].file)
			continue
		}
		name := importName(sources[0], b.Rel)
		if _, ok := l.imports[name]; !ok && !b.Unused {
			l.imports[name] = newRead(name, b.data, false)
		}
		files = append(files, &diag.File{Name: name, Content: b.data, Order: math.MaxInt})
	}
	return files
}

// importName returns the name of a file of the repo the way the user named the
// file that led to it: absolute, or relative to the working directory.
func importName(s source, rel string) string {
	abs := filepath.Join(s.dir, filepath.FromSlash(rel))
	if filepath.IsAbs(s.file.Name) {
		return abs
	}
	cwd, err := os.Getwd()
	if err == nil {
		cwd, err = filepath.EvalSymlinks(cwd)
	}
	if err == nil {
		if name, err := filepath.Rel(cwd, abs); err == nil {
			return name
		}
	}
	return abs
}

// imported returns the files that programs read, sorted by path.
func (l *loader) imported() []Read {
	var reads []Read
	for _, r := range l.imports {
		if !slices.ContainsFunc(l.named, func(n Read) bool { return filepath.Clean(n.Path) == r.Path }) {
			reads = append(reads, r)
		}
	}
	slices.SortFunc(reads, func(a, b Read) int { return strings.Compare(a.Path, b.Path) })
	return reads
}

// diagnostic turns a child's mistake into a diagnostic. The values on its line
// are masked: the schema never sees this program.
func (m mistake) diagnostic(files []*diag.File) diag.Diagnostic {
	d := diag.Diagnostic{Code: m.Code, Path: m.Path, Message: m.Message, Remedy: m.Remedy, Span: m.At.span(files)}
	if _, ok := diag.Codes[d.Code]; !ok {
		d.Code = "eval-error"
	}
	if d.Span.File != nil && d.Span.HasPlace() {
		maskTexts(d.Span.File)
		if d.Code == "syntax" {
			// Quotes may be amiss, and a word may be a text without them.
			m := masker{d.Span.File, []spot{{d.Span.Start, d.Span.Start}}}
			m.run()
		}
	}
	var others []string
	for _, o := range m.Others {
		if s := o.span(files); s.HasPlace() {
			at := s.File.Position(s.Start)
			others = append(others, fmt.Sprintf("%s:%d:%d", s.File.Name, at.Line, at.Col))
		}
	}
	if len(others) > 0 {
		d.Message += "; see " + strings.Join(others, ", ")
	}
	return d
}

func (p place) span(files []*diag.File) diag.Span {
	if len(files) == 0 {
		return diag.Span{}
	}
	if p.File <= 0 || p.File > len(files) {
		return diag.Span{File: files[0]}
	}
	f := files[p.File-1]
	start := min(max(p.Start, 0), len(f.Content))
	end := min(max(p.End, start), len(f.Content))
	if end == 0 {
		end = min(1, len(f.Content)) // the first character, not the whole file
	}
	return diag.Span{File: f, Start: start, End: end}
}

// runChild sends a request to a child of this program and returns its answer.
func (l *loader) runChild(req *request) (*answer, *problem) {
	broken := &problem{"eval-error", "the child process that evaluates programs cannot be used", "run plonec from its own file"}
	if os.Getenv(childEnv) != "" {
		return nil, broken // a child that was not caught by RunChild
	}
	self, err := os.Executable()
	if err != nil || len(os.Args) == 0 {
		return nil, broken
	}
	var question bytes.Buffer
	if err := writeRequest(&question, req); err != nil {
		return nil, broken
	}
	ctx, cancel := context.WithDeadline(context.Background(), l.deadline)
	defer cancel()
	stdout := &limitedBuffer{limit: maxAnswer + 1<<20, stop: cancel}
	stderr := &limitedBuffer{limit: 1 << 16, quiet: true}
	cmd := exec.CommandContext(ctx, self)
	cmd.Args = os.Args[:1]
	cmd.Env = []string{childEnv + "=1", "GOTRACEBACK=none"}
	cmd.Dir = req.Dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &question, stdout, stderr
	cmd.WaitDelay = time.Second

	err = cmd.Run()
	switch {
	case stdout.full:
		return nil, &problem{"eval-limit", "the program gives too much", ""}
	case ctx.Err() != nil:
		return nil, &problem{"eval-limit", fmt.Sprintf("the program does not end within %v", l.opt.Timeout), "look for a recursion without an end, or a range that is far too large"}
	case err != nil:
		return nil, crash(err, stderr.buf.String(), l.opt.limits, broken)
	}
	a, err := readAnswer(&stdout.buf)
	if err != nil {
		return nil, broken
	}
	return a, nil
}

// crash says why a child died. What it wrote is only searched: it is a trace
// of the evaluator's inside.
func crash(err error, stderr string, most limits, broken *problem) *problem {
	var exit *exec.ExitError
	switch {
	case strings.Contains(stderr, "stack overflow"), strings.Contains(stderr, "stack exceeds"):
		return &problem{"eval-limit", "the program is nested too deep, or calls itself without an end", ""}
	case strings.Contains(stderr, "out of memory"), strings.Contains(stderr, "cannot allocate"):
		return &problem{"eval-limit", fmt.Sprintf("the program takes more than %d MiB of memory", most.Memory>>20), "look for a range that is far too large"}
	case errors.As(err, &exit) && exit.ExitCode() != 1:
		return &problem{"eval-limit", "the program crosses a limit of time or memory", "look for a recursion without an end, or a range that is far too large"}
	}
	return broken
}

// A limitedBuffer keeps what is written to it up to a limit. At the limit it
// calls stop, or, where it is quiet, drops the rest.
type limitedBuffer struct {
	buf   bytes.Buffer
	limit int
	quiet bool
	full  bool
	stop  func()
}

// Write implements io.Writer.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	room := b.limit - b.buf.Len()
	if len(p) <= room {
		return b.buf.Write(p)
	}
	b.buf.Write(p[:max(room, 0)])
	if b.quiet {
		return len(p), nil
	}
	b.full = true
	b.stop()
	return 0, io.ErrShortWrite
}
