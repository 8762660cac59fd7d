package schema

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// beyondGo is what PCRE has and Go's expressions have not, and what stands for it where only
// the form counts: groups that look around or are atomic, and repetitions that give nothing back.
var beyondGo = []struct {
	is   *regexp.Regexp
	like string
}{
	{regexp.MustCompile(`\\\\`), `\x5c`},
	{regexp.MustCompile(`\\.`), `_`},
	{regexp.MustCompile(`\(\?(?:[=!>|]|<[=!])`), `(?:`},
	{regexp.MustCompile(`([*+?}])\+`), `$1`},
}

// formFaults are the mistakes that PCRE finds in an expression as Go does, in words.
var formFaults = map[syntax.ErrorCode]string{
	syntax.ErrMissingBracket:        "a [ has no ]",
	syntax.ErrMissingParen:          "a ( has no )",
	syntax.ErrUnexpectedParen:       "a ) has no (",
	syntax.ErrMissingRepeatArgument: "nothing stands before a *, + or ?",
	syntax.ErrTrailingBackslash:     "a \\ ends it",
}

// visitorsPath is what every address begins with that nginx hands on.
const visitorsPath = "/VirtualHostBase/"

// BadExpression says in words why an expression of the addresses that visitors ask for
// matches none, and what to write. Empty: it may.
func BadExpression(text string) (what, remedy string) {
	plain := text
	for _, b := range beyondGo {
		plain = b.is.ReplaceAllString(plain, b.like)
	}
	if _, err := syntax.Parse(plain, syntax.Perl); err != nil {
		var wrong *syntax.Error
		if errors.As(err, &wrong) && formFaults[wrong.Code] != "" {
			return "it is not a regular expression: " + formFaults[wrong.Code], `close it, or put a \ before a sign that is meant as it stands`
		}
		return "", ""
	}
	begins, ok := strings.CutPrefix(text, "^/")
	if !ok {
		return "", ""
	}
	re, err := regexp.Compile("/" + begins)
	if err != nil {
		return "", ""
	}
	if p, _ := re.LiteralPrefix(); !strings.HasPrefix(p, visitorsPath) && !strings.HasPrefix(visitorsPath, p) {
		return "it matches no address: each begins with /VirtualHostBase/SCHEME/NAME:PORT/…/VirtualHostRoot", "leave the ^ out"
	}
	return "", ""
}

// badExpressions reports those of a list by which nothing would be banned.
func badExpressions(n *input.Node, path string, list *diag.List) {
	for i, item := range itemsOf(n) {
		if item.Kind != input.String {
			continue
		}
		if what, remedy := BadExpression(item.Text); what != "" {
			list.Add(diag.Diagnostic{Code: "bad-expression", Span: item.Span, Path: diag.JoinIndex(path, i), Message: what, Remedy: remedy})
		}
	}
}
