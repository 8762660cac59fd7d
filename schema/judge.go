package schema

import (
	"math"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"

	"github.com/plonec/plonec/internal/input"
)

// A verdict is asked for once: CUE judges each literal once for an attribute.
type verdict struct {
	attr *Attr
	kind input.Kind
	text string
}

// A judge asks CUE whether a scalar satisfies an attribute's constraint. It
// is used by one goroutine, which holds the schema's lock.
type judge struct {
	schema *compiled
	known  map[verdict]bool
}

func newJudge(c *compiled) *judge { return &judge{c, map[verdict]bool{}} }

// quick is what judges an attribute's scalars without CUE; nil where CUE must.
type quick struct {
	text  matcher
	count counter
}

// quick makes an attribute's quick judges when they are first needed.
func (j *judge) quick(a *Attr) quick {
	var key any = a.def
	if a.def == "" {
		key = a
	}
	q, ok := j.schema.quick[key]
	if !ok {
		q = quick{newMatcher(a.value), newCounter(a.value)}
		j.schema.quick[key] = q
	}
	return q
}

// accepts tells whether a scalar is a value that the attribute takes.
func (j *judge) accepts(a *Attr, kind input.Kind, text string) bool {
	if !a.takes(kind) || len(text) > maxText {
		return false
	}
	quick := j.quick(a)
	switch kind {
	case input.String:
		if quick.text != nil {
			return quick.text(text)
		}
	case input.Number:
		if i, err := strconv.ParseInt(text, 10, 64); err == nil && quick.count != nil {
			return quick.count(i)
		}
	}
	v := verdict{a, kind, text}
	ok, seen := j.known[v]
	if !seen {
		ok = a.value.Unify(j.literal(kind, text)).Validate(cue.Concrete(true)) == nil
		j.known[v] = ok
	}
	return ok
}

// takes tells whether the attribute has room for the kind of a value.
func (a *Attr) takes(kind input.Kind) bool {
	switch kind {
	case input.Bool:
		return a.kinds&cue.BoolKind != 0
	case input.Number:
		return a.kinds&cue.NumberKind != 0
	case input.String:
		return a.kinds&cue.StringKind != 0
	case input.List:
		return a.kinds&cue.ListKind != 0
	case input.Map:
		return a.kinds&cue.StructKind != 0
	}
	return true
}

// literal makes a CUE value of a scalar.
func (j *judge) literal(kind input.Kind, text string) cue.Value {
	switch kind {
	case input.Bool:
		return j.schema.ctx.Encode(text == "true")
	case input.Number:
		return j.schema.ctx.BuildExpr(numberExpr(text))
	}
	return j.schema.ctx.Encode(text)
}

// numberExpr writes a JSON number as CUE does.
func numberExpr(text string) ast.Expr {
	kind := token.INT
	if strings.ContainsAny(text, ".eE") {
		kind = token.FLOAT
	}
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		return &ast.UnaryExpr{Op: token.SUB, X: ast.NewLit(kind, rest)}
	}
	return ast.NewLit(kind, text)
}

// wholeNumber rewrites a number such as 2.0 or 1e3 as a whole one.
func wholeNumber(f float64) (string, bool) {
	if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return "", false
	}
	return formatFloat(f), true
}
