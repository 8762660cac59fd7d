package secret

import (
	"encoding/base64"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/plonec/plonec/render/escape"
)

// minLength is how many characters a value has at least that a Redactor hides:
// shorter ones would hide too much else.
const minLength = 4

// minPiece is the same for a line of a value and for its base64 inside another.
const minPiece = 6

// A Redactor hides values in what comes back from hosts. It may be used by
// several goroutines.
type Redactor struct{ pieces []Value }

// NewRedactor hides the values, each of at least 4 characters: as it is, as a
// file of format env writes it, in a URL, and in base64, alone or with something
// before or behind it. templates/host/mask does the same on a host. Of a value of
// several lines it hides each line of at least 6 characters too, so that a text may
// come line by line, and of one that is configuration what it sets and quotes.
// Base64 that is broken into lines is not found.
func NewRedactor(values ...Value) *Redactor {
	pieces := map[string]bool{}
	for _, v := range values {
		text := v.plain()
		for _, form := range []string{text, strings.TrimSpace(text), asInEnv(text)} {
			if utf8.RuneCountInString(form) >= minLength {
				pieces[form] = true
				encoded(pieces, form)
			}
		}
		lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
		for _, line := range lines {
			if line = strings.TrimSpace(line); len(lines) > 1 && utf8.RuneCountInString(line) >= minPiece {
				pieces[line] = true
			}
			if configuration.MatchString(text) {
				for _, m := range settings.FindAllStringSubmatch(line, -1) {
					if piece := strings.TrimRight(m[1]+m[2], " \t;"); utf8.RuneCountInString(piece) >= minPiece {
						pieces[piece] = true
					}
				}
			}
		}
	}
	r := &Redactor{}
	for _, piece := range slices.Sorted(maps.Keys(pieces)) {
		r.pieces = append(r.pieces, NewValue(piece))
	}
	return r
}

// configuration tells a text that is pasted into another from a password: it has
// lines, or sets something. settings is what its lines set, and quote: a program
// that complains of one of them repeats that, not the line.
var (
	configuration = regexp.MustCompile(`\n|;\s*$|^\s*\S+\s+\+?=\s`)
	settings      = regexp.MustCompile(`^[^="']*=\s*([^"'\s].*)$|["']([^"']+)["']`)
)

func asInEnv(text string) string {
	line, err := escape.EnvFile("N", text)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(strings.TrimPrefix(line, `N="`), `"`)
}

// encoded adds a text as it stands in a URL, its base64, and the characters of it that do not depend on
// what was encoded before and behind the text.
func encoded(pieces map[string]bool, text string) {
	add := func(s string) {
		pieces[s] = true
		pieces[strings.NewReplacer("+", "-", "/", "_").Replace(s)] = true // for URLs
	}
	pieces[strings.ReplaceAll(url.QueryEscape(text), "+", "%20")] = true
	whole := base64.StdEncoding.EncodeToString([]byte(text))
	add(whole)
	add(strings.TrimRight(whole, "="))
	for before := range 3 {
		bytes := append(make([]byte, before), text...)
		inside := base64.StdEncoding.EncodeToString(bytes)[(8*before+5)/6 : 8*len(bytes)/6]
		if len(inside) >= minPiece {
			add(inside)
		}
	}
}

// Redact puts Hidden in the place of every value in a text of one or more
// lines. Values that overlap are hidden as one.
func (r *Redactor) Redact(text string) string {
	type span struct{ from, to int }
	var spans []span
	for _, piece := range r.pieces {
		p := piece.plain()
		for at := 0; ; {
			i := strings.Index(text[at:], p)
			if i < 0 {
				break
			}
			spans = append(spans, span{at + i, at + i + len(p)})
			at += i + 1
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	var b strings.Builder
	at := 0
	for i := 0; i < len(spans); {
		end := spans[i].to
		b.WriteString(text[at:spans[i].from] + Hidden)
		for i++; i < len(spans) && spans[i].from <= end; i++ {
			end = max(end, spans[i].to)
		}
		at = end
	}
	return b.String() + text[at:]
}
