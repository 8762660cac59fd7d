// Package diag holds what plonec says about its input: diagnostics with a
// stable code, a place and a remedy, and how they are printed. The words of a remedy stand
// where its message does, since it names what is wrong there: schema/check.go for an
// attribute, internal/topology/faults.go and its like for hosts and apps, internal/project
// for a buildout. What explain says of a code is in the catalogue, codes_STAGE.go.
package diag

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/plonec/plonec/internal/words"
)

// A File is a source text that diagnostics point into. Name and Content are
// not changed once a Span points into the file.
type File struct {
	Name    string // as the user gave it, relative to the working directory
	Content []byte
	Order   int // place among the files of a run: diagnostics are sorted by it

	mu    sync.Mutex
	masks []Span // values that are never printed: secrets, unknown keys
	tidy  bool   // masks are sorted and do not touch

	once   sync.Once
	starts []int // byte offset of each line
	runes  []int // characters before each block of blockSize bytes
}

// A Span is a range of bytes in a file. The zero Span has no place; one with
// a File whose Start and End are both 0 stands for the file as a whole.
type Span struct {
	File       *File
	Start, End int // byte offsets, Start <= End
}

// HasPlace tells whether the span points into its file's text.
func (s Span) HasPlace() bool { return s.File != nil && s.End > 0 }

// Mask keeps the text of the span out of every printed source line. It may be
// called from several goroutines.
func (s Span) Mask() {
	if s.File == nil || s.Start >= s.End {
		return
	}
	s.File.mu.Lock()
	defer s.File.mu.Unlock()
	s.File.masks = append(s.File.masks, s)
	s.File.tidy = false
}

// Severity tells an error, which stops a build, from a warning.
type Severity int

const (
	Error Severity = iota
	Warning
)

func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// A Diagnostic is one finding. Code is a key of the catalogue, codes_STAGE.go.
// Message and Remedy never hold the value of a secret or of an unknown key.
type Diagnostic struct {
	Code    string
	Span    Span   // zero where no place is known (computed Jsonnet, a default)
	Path    string // the attribute, such as plone_instances.per_cpu
	Message string // what is wrong: lower case, no full stop
	Remedy  string // what to write instead; printed under the caret
}

// Severity of the diagnostic, from the catalogue.
func (d Diagnostic) Severity() Severity { return Codes[d.Code].Severity }

// A List collects diagnostics.
type List []Diagnostic

// Add appends a diagnostic.
func (l *List) Add(d Diagnostic) { *l = append(*l, d) }

// Errors counts the diagnostics that are errors.
func (l List) Errors() int {
	n := 0
	for _, d := range l {
		if d.Severity() == Error {
			n++
		}
	}
	return n
}

// Sorted returns the list in the order in which it is printed: by the order of
// the files, then by place; what has no file comes last. Exact duplicates
// appear once. Formatters call it themselves.
func (l List) Sorted() List {
	sorted := slices.Clone(l)
	slices.SortStableFunc(sorted, compare)
	return slices.CompactFunc(sorted, func(a, b Diagnostic) bool { return compare(a, b) == 0 })
}

func compare(a, b Diagnostic) int {
	fa, fb := a.Span.File, b.Span.File
	switch {
	case fa == nil && fb != nil:
		return 1
	case fa != nil && fb == nil:
		return -1
	case fa != nil && fa != fb:
		if c := cmp.Or(cmp.Compare(fa.Order, fb.Order), strings.Compare(fa.Name, fb.Name)); c != 0 {
			return c
		}
	}
	return cmp.Or(
		cmp.Compare(a.Span.Start, b.Span.Start),
		cmp.Compare(a.Span.End, b.Span.End),
		strings.Compare(a.Path, b.Path),
		strings.Compare(a.Code, b.Code),
		strings.Compare(a.Message, b.Message),
		strings.Compare(a.Remedy, b.Remedy),
	)
}

// Summary returns the line that ends a report, such as "3 errors, nothing
// written; more: plonec explain CODE", or "" for an empty list. outcome says
// what came of the run and may be empty.
func (l List) Summary(outcome string) string {
	sorted := l.Sorted()
	if len(sorted) == 0 {
		return ""
	}
	var parts []string
	errors := sorted.Errors()
	if errors > 0 {
		parts = append(parts, words.Count(errors, "error"))
	}
	if n := len(sorted) - errors; n > 0 {
		parts = append(parts, words.Count(n, "warning"))
	}
	if outcome != "" {
		parts = append(parts, outcome)
	}
	return strings.Join(parts, ", ") + "; more: plonec explain CODE"
}
