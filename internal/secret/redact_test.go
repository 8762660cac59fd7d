package secret

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	key := "-----BEGIN X-----\nYWJjZGVmZ2hp\n  aW5kZW50ZWQ=\nshort\n-----END X-----"
	r := NewRedactor(NewValue("hunter2"), NewValue(`a"b$c`), NewValue(key), NewValue("abc"), NewValue("übe"), NewValue(" padded "),
		NewValue("abcdef"), NewValue("defghi"), NewValue("xx>>??yy"), NewValue("ababab"), NewValue(""), Value{})
	for text, want := range map[string]string{
		"":                                  "",
		"nothing here":                      "nothing here",
		"hunter2":                           "***",
		"psql: hunter2: no, Hunter2hunter2": "psql: ***: no, Hunter2***",
		"line\nhunter2\nline":               "line\n***\nline",
		`PW=a"b$c`:                          "PW=***",
		`PW="a\"b\$c"`:                      `PW="***"`,
		"+ echo YWJjZGVmZ2hp!":              "+ echo ***!",
		"aW5kZW50ZWQ=":                      "***",
		"short":                             "short",
		"abc übe":                           "abc übe", // three characters
		"padded":                            "***",
		"abcdefghi":                         "***", // they overlap
		"abababab.":                         "***.",
		"abcdefabcdef":                      "***",
		"key:\n" + key + "\n":               "key:\n***\n",
	} {
		if got := r.Redact(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	// A key that comes line by line.
	var seen []string
	for line := range strings.SplitSeq(key, "\n") {
		seen = append(seen, r.Redact(line+"\r"))
	}
	if got := strings.Join(seen, "|"); got != "***\r|***\r|  ***\r|short\r|***\r" {
		t.Errorf("%q", got)
	}
}

// Of configuration a program repeats what it sets, without the line.
func TestRedactConfiguration(t *testing.T) {
	r := NewRedactor(NewValue("[client1]\nuser = admin:hunter2\nuse = x\n"), NewValue(`proxy_set_header X-Key "opensesame";`), NewValue("user += me:sesame"),
		NewValue("dbname='plone_of_town' password='correcthorse'"))
	for text, want := range map[string]string{
		"  Error: bad value admin:hunter2 for user":   "  Error: bad value *** for user",
		`invalid parameter "opensesame" in x.conf:1`:  `invalid parameter "***" in x.conf:1`,
		"me:sesame is no user":                        "*** is no user",
		"[client1] has no recipe":                     "*** has no recipe",
		"the database plone_of_town and the option x": "the database plone_of_town and the option x", // no configuration
	} {
		if got := r.Redact(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestRedactBase64(t *testing.T) {
	for _, value := range []string{"hunter2", "xx>>??yy~~", "pässwörd", "exactly12byt", "thirteen byte", "fourteen bytes"} {
		r := NewRedactor(NewValue(value))
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
			if got := r.Redact("x " + enc.EncodeToString([]byte(value)) + " y"); got != "x *** y" {
				t.Errorf("%q: %q", value, got)
			}
			// Inside another text, as in Authorization: Basic. What is left does
			// not tell the value: at most a character at either end.
			for _, before := range []string{"", "u", "u:", "us:", "user:"} {
				for _, after := range []string{"", "\n", "ab", "abc"} {
					text := enc.EncodeToString([]byte(before + value + after))
					got := r.Redact(text)
					if !strings.Contains(got, Hidden) {
						t.Errorf("%q in %q is shown", value, before+value+after)
					}
					left := len(strings.ReplaceAll(got, Hidden, ""))
					if most := len(text) - 8*len(value)/6 + 2; left > most {
						t.Errorf("%q in %q: %d characters are left, %q", value, before+value+after, left, got)
					}
				}
			}
		}
	}
}

func TestRedactorOfAResolver(t *testing.T) {
	r := &Resolver{Getenv: environment("A=hunter2", "B=correct horse")}
	before := r.Redactor()
	resolved(t, r, "env:A")
	refused(t, r, "env:C")
	if got := before.Redact("hunter2") + r.Redactor().Redact("hunter2 correct horse"); got != "hunter2*** correct horse" {
		t.Error(got)
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("hunter2", "nter2x", "password hunter2x")
	f.Add("aaaa", "aaaaa", "aaaaaaaaaaaa")
	f.Add("a\nbcdefgh\n", "gh\nabcd", "x\nbcdefgh\nabcd")
	f.Fuzz(func(t *testing.T, a, b, text string) {
		if strings.Contains(a+b, "*") {
			return // may arise anew
		}
		r := NewRedactor(NewValue(a), NewValue(b))
		for _, v := range []string{a, b} {
			if len([]rune(v)) < minLength {
				continue
			}
			for _, got := range []string{r.Redact(text), r.Redact(text + v + text), r.Redact(v)} {
				if strings.Contains(got, v) {
					t.Errorf("%q is in %q", v, got)
				}
			}
		}
	})
}
