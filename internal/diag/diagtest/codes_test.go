package diagtest

import (
	"regexp"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/diag"
)

// TestCodes holds the catalogue to its style.
func TestCodes(t *testing.T) {
	name := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	for code, c := range diag.Codes {
		if !name.MatchString(code) {
			t.Errorf("%q: want words in lower case, joined by hyphens", code)
		}
		if c.Title == "" || !Plain(c.Title) {
			t.Errorf("%s: the title is a phrase in lower case without a full stop: %q", code, c.Title)
		}
		first, _, _ := strings.Cut(c.Mend, " ")
		attribute := strings.ContainsAny(first, "_.`")
		if !strings.HasSuffix(c.Mend, ".") || !attribute && strings.ToUpper(first[:1]) != first[:1] {
			t.Errorf("%s: how to mend it is whole sentences: %q", code, c.Mend)
		}
	}
}

func TestPlain(t *testing.T) {
	for text, want := range map[string]bool{
		"want a number": true, "JSON has no comments": true, "Jsonnet cannot read this": true, "": true, "äöü": true,
		"Want a number": false, "want a number.": false, " want": false, "Äpfel": false,
	} {
		if Plain(text) != want {
			t.Errorf("%q: want %v", text, want)
		}
	}
}
