package input

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"

	"github.com/plonec/plonec/internal/diag"
)

// plainCUE is CUE's message without any value: of what it puts in, types, operators and what
// its parser wants stay, and all else is …. Of what a function of CUE's said only words that
// are known follow.
func plainCUE(e errors.Error) string {
	format, args := e.Msg()
	plain := make([]any, len(args))
	for i, arg := range args {
		plain[i] = "…"
		switch of := fmt.Sprintf("%T", arg); {
		case of == "adt.Kind" || of == "adt.Op":
			plain[i] = fmt.Sprint(arg)
		case i == 0 && strings.HasPrefix(format, "expected %s") && wanted.MatchString(fmt.Sprint(arg)),
			i == 0 && strings.HasPrefix(format, "failed arithmetic") && fmt.Sprint(arg) == "division by zero":
			plain[i] = fmt.Sprint(arg)
		}
	}
	text := fmt.Sprintf(verb.ReplaceAllString(format, "%v"), plain...)
	for inner := errors.Unwrap(e); inner != nil; inner = errors.Unwrap(inner) {
		for _, w := range wrapped {
			if w.says.MatchString(inner.Error()) {
				return text + ": " + w.plain
			}
		}
	}
	return text
}

var (
	verb   = regexp.MustCompile("%[#+]?[a-zA-Z]")
	wanted = regexp.MustCompile(`^(operand|selector|expression|'[][(){}:,]'|label or ':')$`) // cue/parser
)

// wrapped are what functions of CUE's packages say, at its end or its beginning.
var wrapped = []struct {
	says  *regexp.Regexp
	plain string
}{
	{regexp.MustCompile("division by zero$"), "division by zero"},
	{regexp.MustCompile("^negative count$"), "negative count"},
	{regexp.MustCompile("^slice bounds out of range$"), "slice bounds out of range"},
	{regexp.MustCompile("^strconv.*: invalid syntax$"), "invalid syntax"},
	{regexp.MustCompile("^strconv.*: value out of range$"), "value out of range"},
	{regexp.MustCompile("^no match$"), "no match"},
	{regexp.MustCompile("^time: (invalid|unknown unit|missing unit)"), "invalid duration"},
	{regexp.MustCompile("^json: invalid JSON"), "invalid JSON"},
	{regexp.MustCompile("^illegal base64 data"), "illegal base64 data"},
	{regexp.MustCompile("^empty list in call"), "empty list"},
	{regexp.MustCompile("^error parsing regexp"), "error parsing regexp"},
	{regexp.MustCompile(`^len\(list\) < `), "too few items"},
	{regexp.MustCompile(`^len\(list\) > `), "too many items"},
	{regexp.MustCompile(`^len\(fields\) < `), "too few fields"},
	{regexp.MustCompile(`^len\(fields\) > `), "too many fields"},
	{regexp.MustCompile("^equal value "), "equal items"},
}

// explained is what is said of an error of CUE's: of reading, where there is no value yet, or
// of evaluating.
func explained(e errors.Error, reading bool) mistake {
	if m, known := cueReasons.of(plainCUE(e)); known {
		return m
	}
	if reading {
		return unknown("syntax", "CUE cannot read this", "cue eval")
	}
	return unknown("eval-error", "the program failed", "cue eval")
}

// fail reports CUE's errors: of reading, where there is no value yet, or of
// evaluating.
func (c *cueRun) fail(err error, value *cue.Value) {
	for _, e := range errors.Errors(err) {
		e = innermost(e)
		m := explained(e, value == nil)
		m.Path = joinPath(e.Path())
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
