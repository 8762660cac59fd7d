package schema

import (
	"fmt"
	"regexp"
	"unicode/utf8"

	"cuelang.org/go/cue"
)

// Most leaves of a stack are texts and numbers that differ from host to host,
// such as addresses, and asking CUE costs 15 kB and 20 µs each. The constraints
// are made of patterns, lengths, choices and bounds, so they are taken from the
// CUE value once and judged in Go. What is not understood stays with CUE, and
// the tests hold the two against each other.

// A matcher judges texts.
type matcher func(string) bool

// A counter judges whole numbers.
type counter func(int64) bool

// newMatcher takes the constraint on texts from a value; nil where it holds
// something else than patterns, lengths and choices.
func newMatcher(v cue.Value) matcher {
	for _, path := v.ReferencePath(); len(path.Selectors()) > 0; _, path = v.ReferencePath() {
		v = cue.Dereference(v) // a definition may be another one, in other words
	}
	if v.IncompleteKind()&cue.StringKind == 0 {
		return func(string) bool { return false }
	}
	op, args := v.Expr()
	switch op {
	case cue.OrOp, cue.AndOp:
		return combine(op, args)
	case cue.RegexMatchOp, cue.NotRegexMatchOp:
		return pattern(op, args)
	case cue.CallOp:
		return length(args)
	case cue.NoOp:
		if want, err := v.String(); err == nil {
			return func(s string) bool { return s == want }
		}
	}
	return nil
}

func combine(op cue.Op, args []cue.Value) matcher {
	var parts []matcher
	for _, arg := range args {
		m := newMatcher(arg)
		if m == nil {
			return nil
		}
		parts = append(parts, m)
	}
	either := op == cue.OrOp
	return func(s string) bool {
		for _, m := range parts {
			if m(s) == either {
				return either
			}
		}
		return !either
	}
}

func pattern(op cue.Op, args []cue.Value) matcher {
	text, err := args[len(args)-1].String()
	if err != nil {
		return nil
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil
	}
	want := op == cue.RegexMatchOp
	return func(s string) bool { return re.MatchString(s) == want }
}

// length understands strings.MaxRunes.
func length(args []cue.Value) matcher {
	if len(args) != 2 {
		return nil
	}
	most, err := args[1].Int64()
	if err != nil || fmt.Sprint(args[0]) != "strings.MaxRunes" {
		return nil
	}
	return func(s string) bool { return int64(utf8.RuneCountInString(s)) <= most }
}

// newCounter takes the constraint on whole numbers from a value; nil where it
// holds something else than bounds.
func newCounter(v cue.Value) counter {
	for _, path := v.ReferencePath(); len(path.Selectors()) > 0; _, path = v.ReferencePath() {
		v = cue.Dereference(v) // a definition may be another one, in other words
	}
	if v.IncompleteKind()&cue.IntKind == 0 {
		return func(int64) bool { return false }
	}
	op, args := v.Expr()
	switch op {
	case cue.OrOp, cue.AndOp:
		var parts []counter
		for _, arg := range args {
			c := newCounter(arg)
			if c == nil {
				return nil
			}
			parts = append(parts, c)
		}
		either := op == cue.OrOp
		return func(i int64) bool {
			for _, c := range parts {
				if c(i) == either {
					return either
				}
			}
			return !either
		}
	case cue.NoOp:
		if v.Kind() == cue.BottomKind { // the type itself
			return func(int64) bool { return true }
		}
	case cue.GreaterThanEqualOp, cue.GreaterThanOp, cue.LessThanEqualOp, cue.LessThanOp:
		return bound(op, args[len(args)-1])
	}
	return nil
}

func bound(op cue.Op, v cue.Value) counter {
	limit, err := v.Int64()
	if err != nil {
		return nil
	}
	switch op {
	case cue.GreaterThanEqualOp:
		return func(i int64) bool { return i >= limit }
	case cue.GreaterThanOp:
		return func(i int64) bool { return i > limit }
	case cue.LessThanEqualOp:
		return func(i int64) bool { return i <= limit }
	}
	return func(i int64) bool { return i < limit }
}
