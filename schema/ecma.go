package schema

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"unicode"
)

// ecma rewrites a regular expression of Go's as one of ECMA-262 that means the
// same, in what the two have in common: classes are spelt out, so that \s and
// \pZ, (?i) and the dot hold the same characters in every validator.
func ecma(pattern string) (string, bool) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", false
	}
	e := &ecmaWriter{}
	e.write(re)
	return e.String(), !e.failed
}

type ecmaWriter struct {
	strings.Builder
	failed bool
}

func (e *ecmaWriter) write(re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpEmptyMatch:
		e.WriteString("(?:)")
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			e.literal(r, re.Flags&syntax.FoldCase != 0)
		}
	case syntax.OpCharClass:
		e.class(re.Rune)
	case syntax.OpAnyCharNotNL:
		e.WriteString(`[^\n]`)
	case syntax.OpAnyChar:
		e.WriteString(`[\s\S]`)
	case syntax.OpBeginText:
		e.WriteString("^")
	case syntax.OpEndText:
		e.WriteString("$")
	case syntax.OpWordBoundary:
		e.WriteString(`\b`)
	case syntax.OpNoWordBoundary:
		e.WriteString(`\B`)
	case syntax.OpCapture:
		e.group(re.Sub[0])
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		e.repeat(re)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if sub.Op == syntax.OpAlternate {
				e.group(sub)
				continue
			}
			e.write(sub)
		}
	case syntax.OpAlternate:
		for i, sub := range re.Sub {
			if i > 0 {
				e.WriteString("|")
			}
			if sub.Op != syntax.OpEmptyMatch {
				e.write(sub)
			}
		}
	default: // (?m)^ and what matches nothing
		e.failed = true
	}
}

func (e *ecmaWriter) group(re *syntax.Regexp) {
	e.WriteString("(?:")
	e.write(re)
	e.WriteString(")")
}

func (e *ecmaWriter) repeat(re *syntax.Regexp) {
	switch sub := re.Sub[0]; {
	case sub.Op == syntax.OpCapture, sub.Op == syntax.OpCharClass, sub.Op == syntax.OpLiteral && len(sub.Rune) == 1,
		sub.Op == syntax.OpAnyCharNotNL, sub.Op == syntax.OpAnyChar:
		e.write(sub)
	default:
		e.group(sub)
	}
	switch re.Op {
	case syntax.OpStar:
		e.WriteString("*")
	case syntax.OpPlus:
		e.WriteString("+")
	case syntax.OpQuest:
		e.WriteString("?")
	default:
		switch {
		case re.Max == re.Min:
			fmt.Fprintf(e, "{%d}", re.Min)
		case re.Max < 0:
			fmt.Fprintf(e, "{%d,}", re.Min)
		default:
			fmt.Fprintf(e, "{%d,%d}", re.Min, re.Max)
		}
	}
	if re.Flags&syntax.NonGreedy != 0 {
		e.WriteString("?")
	}
}

func (e *ecmaWriter) literal(r rune, fold bool) {
	if !fold || unicode.SimpleFold(r) == r {
		e.char(r, `^$\.*+?()[]{}|`)
		return
	}
	set := []rune{r, r}
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		set = append(set, f, f)
	}
	e.class(set)
}

// class writes a set of ranges, as what it leaves out where it goes on to the
// last character there is.
func (e *ecmaWriter) class(ranges []rune) {
	e.WriteString("[")
	if n := len(ranges); n > 0 && ranges[n-1] == unicode.MaxRune {
		e.WriteString("^")
		var rest []rune
		next := rune(0)
		for i := 0; i < n; i += 2 {
			if ranges[i] > next {
				rest = append(rest, next, ranges[i]-1)
			}
			next = ranges[i+1] + 1
		}
		ranges = rest
	}
	if len(ranges) == 0 {
		e.failed = true
	}
	for i := 0; i < len(ranges); i += 2 {
		const special = `\]-^[`
		e.char(ranges[i], special)
		if ranges[i+1] > ranges[i]+1 {
			e.WriteString("-")
		}
		if ranges[i+1] > ranges[i] {
			e.char(ranges[i+1], special)
		}
	}
	e.WriteString("]")
}

func (e *ecmaWriter) char(r rune, special string) {
	switch {
	case r >= 0xd800 && r < 0xe000: // half of a character of UTF-16
		e.failed = true
	case r == '\n':
		e.WriteString(`\n`)
	case r == '\t':
		e.WriteString(`\t`)
	case r < ' ', r >= 0x7f && r < 0x100:
		fmt.Fprintf(e, `\x%02x`, r)
	case strings.ContainsRune(special, r):
		e.WriteString(`\` + string(r))
	default:
		e.WriteRune(r)
	}
}
