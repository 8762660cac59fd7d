package compile

import (
	"strings"
	"testing"
)

// A page goes into the tree with line feeds alone and without the mark of its encoding;
// what is no page, or too large, is refused.
func TestPage(t *testing.T) {
	for _, test := range []struct{ name, data, want, wrong string }{
		{"as it is", "<p>\u00fc\n", "<p>\u00fc\n", ""},
		{"of another system", "\ufeff\r\n<!DOCTYPE html>\r\n<p>", "\n<!DOCTYPE html>\n<p>", ""},
		{"the largest", "<" + strings.Repeat("x", mostOfPage-1), "<" + strings.Repeat("x", mostOfPage-1), ""},
		{"too large", "<" + strings.Repeat("x", mostOfPage), "", "the page has 262145 bytes, and may have 262144"},
		{"much too large", "<" + strings.Repeat("x", 4*mostOfPage), "", "the page has 1048577 bytes, and may have 262144"},
		{"UTF-16", "\xff\xfe<\x00p\x00", "", "the page is not in UTF-8"},
		{"Latin-1", "<p>\xfc", "", "the page is not in UTF-8"},
		{"no page", "root:x:0:0\n", "", "no page in HTML: it does not begin with <"},
		{"empty", "", "", "no page in HTML: it does not begin with <"},
	} {
		got, err := page([]byte(test.data))
		wrong := ""
		if err != nil {
			wrong = err.Error()
		}
		if got != test.want || wrong != test.wrong {
			t.Errorf("%s: %.40q %v, want %.40q %s", test.name, got, err, test.want, test.wrong)
		}
	}
}
