package input

import (
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"

	"github.com/plonec/plonec/internal/diag"
)

// known lists how CUE's messages begin, and what is said instead: CUE's own
// text holds values.
var known = []struct{ begins, code, message, remedy string }{
	{"conflicting values", "conflict", "the values do not agree", "keep one of the two"},
	{"incompatible list lengths", "conflict", "two lists of different length", "keep one of the two"},
	{"incompatible", "conflict", "the bounds exclude each other", ""},
	{"invalid value %", "eval-error", "the value does not satisfy its constraint", ""},
	{"%d errors in empty disjunction", "eval-error", "none of the alternatives fits", ""},
	{"empty disjunction", "eval-error", "none of the alternatives fits", ""},
	{"incomplete", "incomplete", "the field has no value", "give it one"},
	{"non-concrete", "incomplete", "this needs a value that is not given", "give it one"},
	{"cannot convert incomplete", "incomplete", "the field has no value", "give it one"},
	{"field is required but not present", "incomplete", "the field is required and has no value", "give it one"},
	{"field not allowed", "eval-error", "the definition has no such field", ""},
	{"undefined field", "eval-error", "the field does not exist", ""},
	{"field not found", "eval-error", "the field does not exist", ""},
	{"reference %q not found", "syntax", "this name is not defined", "define it, or put a text in double quotes"},
	{"unreferenced alias or let", "eval-error", "the name is never used", "take it away"},
	{"imported and not used", "eval-error", "the import is not used", "take it away"},
	{"structural cycle", "eval-error", "the value contains itself", ""},
	{"cycle", "eval-error", "the value depends on itself", ""},
	{"cyclic", "eval-error", "the value depends on itself", ""},
	{"division by zero", "eval-error", "division by zero", ""},
	{"error in call to", "eval-error", "the call failed", ""},
	{"failed arithmetic", "bad-number", "the result is no finite number", ""},
	{"invalid operand", "eval-error", "the operator does not fit its operands", ""},
	{"cannot use", "eval-error", "the argument has another type than the function wants", ""},
	{"expression exceeds maximum nesting", "too-large", "the expression is too deep", ""},
	{"found packages", "eval-error", "the files belong to different packages", "give them one package, or take the package clauses away"},
	{"cannot embed files", "eval-error", "a stack embeds no files", "import a CUE package instead"},
	{"import failed", "eval-error", "the import is not found or cannot be read", "import CUE's own packages, or those of the module (cue.mod) around the stack"},
	{"cannot find package", "eval-error", "the import is not found or cannot be read", "import CUE's own packages, or those of the module (cue.mod) around the stack"},
	{"expected", "syntax", "CUE cannot read this", ""},
	{"missing ','", "syntax", "want a comma, or a line of its own", ""},
	{"string literal not terminated", "syntax", "the text does not end on its line", `close it with "`},
	{"illegal", "syntax", "CUE cannot read this", ""},
}

// fail reports CUE's errors: of reading, where there is no value yet, or of
// evaluating.
func (c *cueRun) fail(err error, value *cue.Value) {
	for _, e := range errors.Errors(err) {
		e = innermost(e)
		m := mistake{Code: "eval-error", Path: joinPath(e.Path()), Message: "the program failed"}
		if value == nil {
			m.Code, m.Message = "syntax", "CUE cannot read this"
		}
		format, _ := e.Msg()
		for _, k := range known {
			if strings.HasPrefix(format, k.begins) {
				m.Code, m.Message, m.Remedy = k.code, k.message, k.remedy
				break
			}
		}
		var places []place
		for _, p := range append([]token.Pos{e.Position()}, e.InputPositions()...) {
			if at := c.at(p); at.File != 0 && !contains(places, at) {
				places = append(places, at)
			}
		}
		if len(places) > 0 {
			m.At, m.Others = places[0], places[1:]
		}
		if m.At.File == 0 && value != nil {
			m.At = c.lookUp(*value, e.Path())
		}
		if m.Code != "conflict" {
			m.Others = nil
		} else if len(m.Others) > 3 {
			m.Others = m.Others[:3]
		}
		c.answer.Mistakes = append(c.answer.Mistakes, m)
	}
}

// lookUp returns the place of the value at a path, the zero place where there
// is none.
func (c *cueRun) lookUp(v cue.Value, path []string) place {
	for _, key := range path {
		if i, err := strconv.Atoi(key); err == nil && v.IncompleteKind() == cue.ListKind {
			v = v.LookupPath(cue.MakePath(cue.Index(i)))
		} else {
			v = v.LookupPath(cue.ParsePath(key))
		}
	}
	if len(path) == 0 || !v.Exists() {
		return place{}
	}
	_, at := c.where(v)
	return at
}

// innermost returns what an error wraps, if that has a place in another file:
// why an import failed rather than where it is imported.
func innermost(e errors.Error) errors.Error {
	for err := errors.Unwrap(e); err != nil; err = errors.Unwrap(err) {
		inner, ok := err.(errors.Error)
		if ok && inner.Position().IsValid() && inner.Position().Filename() != e.Position().Filename() {
			e = inner
		}
	}
	return e
}

func contains(places []place, p place) bool {
	for _, q := range places {
		if p.File == q.File && p.Start == q.Start {
			return true
		}
	}
	return false
}

// at returns the place of the smallest piece of syntax that begins at a
// position.
func (c *cueRun) at(p token.Pos) place {
	if !p.IsValid() {
		return place{}
	}
	file := c.files.index(rel(p))
	if file == 0 {
		return place{}
	}
	found := place{file, p.Offset(), p.Offset()}
	for _, source := range c.sources {
		if source.Filename != p.Filename() {
			continue
		}
		ast.Walk(source, func(n ast.Node) bool {
			at := c.node(n)
			if at.Start == found.Start && at.End > at.Start && (found.End == found.Start || at.End < found.End) {
				found.End = at.End
			}
			return at.File == 0 || at.Start <= found.Start
		}, nil)
	}
	found.Start = min(found.Start, len(c.files.reads[file-1].data))
	found.End = min(max(found.End, found.Start), len(c.files.reads[file-1].data))
	return found
}

// joinPath writes a path the way the rest of plonec does; CUE gives its keys
// quoted where they are no identifiers, and indices as digits.
func joinPath(keys []string) string {
	path := ""
	for _, k := range keys {
		path = diag.JoinKey(path, strings.Trim(k, `"`))
	}
	return path
}
