package escape

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// hostile are texts that mean something in one syntax or another.
var hostileTexts = []string{
	"", "plain", "two words", "a#b", "a;b", "a{b}c", `a"b`, "a'b", `a\b`, `a\`, `"`, `'`, `'"'`, "a$b", "${x}", "a\nb", "a\rb", "a\x00b",
	"%[env(HOME)]", "a; } server {", `"}`, `{"x"}`, `a"}b`, "é€", "\xff", "-x", "a\tb", "C{ exit(1); }C", "# x", "a/../b", "a%2fb", "a+b",
}

// FuzzHaproxy reads the word as HAProxy does: quotes taken off, backslashes
// outside of single quotes too.
func FuzzHaproxy(f *testing.F) {
	for _, s := range hostileTexts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		word, err := Haproxy(s)
		if err != nil {
			return
		}
		var got strings.Builder
		quoted := false
		for i := 0; i < len(word); i++ {
			switch c := word[i]; {
			case c == '\'':
				quoted = !quoted
			case quoted:
				got.WriteByte(c)
			case c == '\\' && i+1 < len(word):
				i++
				got.WriteByte(word[i])
			case strings.IndexByte(" \t\n\r#\"$\\", c) >= 0:
				t.Fatalf("%q gives %q, in which %q stands outside of quotes", s, word, c)
			default:
				got.WriteByte(c)
			}
		}
		if quoted || got.String() != s || word == "" {
			t.Fatalf("%q gives %q, which reads %q", s, word, got.String())
		}
	})
}

// FuzzNginx reads the word as nginx does.
func FuzzNginx(f *testing.F) {
	for _, s := range hostileTexts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		word, err := Nginx(s)
		if err != nil {
			return
		}
		if word == s {
			if s == "" || strings.ContainsAny(s, " \t\r\n;{}\"'\\$#") {
				t.Fatalf("%q stands without quotes", s)
			}
			return
		}
		if len(word) < 2 || word[0] != '"' {
			t.Fatalf("%q gives %q", s, word)
		}
		var got strings.Builder
		end := -1
		for i := 1; i < len(word) && end < 0; i++ {
			switch c := word[i]; c {
			case '"':
				end = i
			case '\\':
				i++
				got.WriteByte(word[i])
			case '$':
				t.Fatalf("%q gives %q with a variable", s, word)
			default:
				got.WriteByte(c)
			}
		}
		if end != len(word)-1 || got.String() != s {
			t.Fatalf("%q gives %q, which reads %q", s, word, got.String())
		}
	})
}

// FuzzVCL reads the string as VCL's lexer does.
func FuzzVCL(f *testing.F) {
	for _, s := range hostileTexts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		word, err := VCL(s)
		if err != nil {
			return
		}
		open, end := `"`, `"`
		if strings.HasPrefix(word, `{"`) {
			open, end = `{"`, `"}`
		}
		got, rest, found := strings.Cut(strings.TrimPrefix(word, open), end)
		if !found || rest != "" || got != s || strings.ContainsAny(got, "\r\n\x00") {
			t.Fatalf("%q gives %q, which reads %q and leaves %q", s, word, got, rest)
		}
	})
}

var inPath = regexp.MustCompile(`^[A-Za-z0-9/_.~%-]*$`)

// FuzzURLPath: what comes out is inert in every syntax, and decodes to what
// went in.
func FuzzURLPath(f *testing.F) {
	for _, s := range hostileTexts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		path := URLPath(s)
		back, err := url.PathUnescape(path)
		if err != nil || back != s || !inPath.MatchString(path) {
			t.Fatalf("%q gives %q, which reads %q: %v", s, path, back, err)
		}
	})
}
