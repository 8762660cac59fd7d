// Package diag holds what plonec says about its input: diagnostics with a
// stable code, a place and a remedy, and how they are printed.
package diag

// A File is a source text that diagnostics point into.
type File struct {
	Name    string // as the user gave it, relative to the working directory
	Content []byte

	masks []Span // values that are never printed: secrets, unknown keys
}

// A Span is a range of bytes in a file. The zero Span has no place.
type Span struct {
	File       *File
	Start, End int // byte offsets, Start <= End
}

// Mask keeps the text of the span out of every printed source line.
func (s Span) Mask() {
	if s.File != nil {
		s.File.masks = append(s.File.masks, s)
	}
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

// A Diagnostic is one finding. Code is a key of the catalogue in codes.go.
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
