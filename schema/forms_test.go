package schema

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue"

	"github.com/plonec/plonec/internal/input"
)

// TestForms: every attribute that holds a value has values of each of its forms,
// each of which it takes, and at least one for each arm of its type: a type of
// numbers and of texts with a unit has both.
func TestForms(t *testing.T) {
	seen := 0
	Root().EachValue(func(a *Attr) {
		seen++
		forms := a.Forms()
		if len(forms) == 0 {
			t.Errorf("%s (%s) has no value to try: give its type an @example", a.Path, a.Type)
			return
		}
		for _, n := range forms {
			c := newChecker(compile())
			c.value(a, n, n.Span)
			if c.list.Errors() > 0 {
				t.Errorf("%s: its form %s is refused: %v", a.Path, toJSON(n), c.list)
			}
		}
		for _, arm := range armsOf(a.value) {
			if !slices.ContainsFunc(forms, func(n *input.Node) bool { return isOf(arm, n) }) {
				t.Errorf("%s: no form is of %v: give its type an @example", a.Path, arm)
			}
		}
	})
	if seen < 250 {
		t.Errorf("only %d attributes have values", seen)
	}
}

// isOf tells whether a value is of an arm of a type.
func isOf(arm cue.Value, n *input.Node) bool {
	c := compile()
	v := c.ctx.CompileString(toJSON(n))
	return arm.Unify(v).Validate(cue.Concrete(true)) == nil
}

var suchAs = regexp.MustCompile(`such as ([^ ;][^;]*)`)

// TestNamedForms: what the description or the type of an attribute names as an
// example is one of the forms that are tried.
func TestNamedForms(t *testing.T) {
	named := 0
	Root().EachValue(func(a *Attr) {
		for _, text := range []string{a.want, a.Doc} {
			m := suchAs.FindStringSubmatch(text)
			if m == nil {
				continue
			}
			for _, word := range strings.FieldsFunc(m[1], func(r rune) bool { return strings.ContainsRune(" ,;:()", r) }) {
				word = strings.TrimSuffix(strings.Trim(word, `"`), ".")
				if !strings.ContainsAny(word, "0123456789/@-=") {
					continue // a word of the sentence
				}
				named++
				if !slices.ContainsFunc(a.Forms(), func(n *input.Node) bool { return strings.Contains(toJSON(n), word) }) {
					t.Errorf("%s: %q names %q, which is not tried: @example(%q)", a.Path, text, word, word)
				}
			}
		}
	})
	if named < 60 {
		t.Errorf("only %d forms are named", named)
	}
}

// TestShows: each place where an attribute shows is FILE or FILE: WORD, and what
// nothing renders yet shows nowhere.
func TestShows(t *testing.T) {
	place := regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*(: [^ ](.*[^ ])?)?$`)
	Root().each(func(a *Attr) {
		for _, shows := range a.Shows {
			switch {
			case a.NotYet() != "":
				t.Errorf("%s: @shows(%q) of what nothing renders yet", a.Path, shows)
			case !place.MatchString(shows):
				t.Errorf("%s: @shows(%q) is neither FILE nor FILE: WORD", a.Path, shows)
			}
		}
	})
}
