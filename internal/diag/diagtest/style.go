// Package diagtest holds what the tests of every stage ask of diagnostics.
package diagtest

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/plonec/plonec/internal/diag"
)

// Style reports the diagnostics whose code is not in the catalogue, or whose
// message or remedy is not written as all are: it begins in lower case (names
// such as JSON apart) and has no full stop.
func Style(t testing.TB, list diag.List) {
	t.Helper()
	for _, d := range list {
		if _, ok := diag.Codes[d.Code]; !ok {
			t.Errorf("code %q is not in the catalogue", d.Code)
		}
		for _, text := range []string{d.Message, d.Remedy} {
			if !Plain(text) {
				t.Errorf("%s: want lower case and no full stop: %q", d.Code, text)
			}
		}
		if d.Message == "" && d.Path == "" {
			t.Errorf("%s says nothing", d.Code)
		}
	}
}

// Plain tells whether a text has the style of messages.
func Plain(text string) bool {
	first, size := utf8.DecodeRuneInString(text)
	second, _ := utf8.DecodeRuneInString(text[size:])
	name := unicode.IsUpper(second) // JSON, CUE, a key such as A1
	for _, proper := range []string{"Jsonnet", "Varnish", "Plone", "Debian", "Ubuntu", "Celery", "Solr", "RelStorage", "Zope", "Redis", "Gluster"} {
		name = name || strings.HasPrefix(text, proper)
	}
	return text == "" || (!unicode.IsUpper(first) || name) && !strings.HasSuffix(text, ".") && strings.TrimSpace(text) == text
}
