package render

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/builder"
)

// TestBadLines holds what is said of pasted text, below a header, against zc.buildout's
// own parser: it refuses the file for the same lines, and takes it where there are none.
func TestBadLines(t *testing.T) {
	cases := map[string]string{ // the lines that are bad
		"":                                 "",
		"\n\n":                             "",
		"eggs = a":                         "",
		"eggs += a\n    b\n\tc":            "",
		"eggs +=\n    a\n\n    b\n\n[x]\n": "",
		"eggs -= a":                        "",
		"eggs+=a":                          "",
		"# a\n; b\n[x] # c\n[y] ; d":       "",
		"[x]\n<= y\n[y]\na = b":            "",
		"[x]\n=> y\na = b":                 "",
		"[ x ]\na = b":                     "",
		"[x]\na=b\n[x]\na = c":             "",
		"[x:2 > 1]\na = b":                 "",
		"[x: 1]\na = b\n[y:]\nc = d":       "",
		"[x: 0]\na = b\n    c\n[y]":        "", // of nobody is it sure
		"a = b\n[x: 0]\nc = d\n  e":        "",
		"[x: 0]\nnonsense":                 "2",
		"[x: 1]\nnonsense":                 "2",
		"[x: ]\na = b":                     "1",
		"a = b\nnonsense":                  "2",
		"a = b\nnonsense\nmore nonsense":   "2 3",
		"nonsense":                         "1",
		"a: b":                             "1",
		"  a = b":                          "1",
		"[x]\n  a = b":                     "2",
		"[x]\n# c\n\n  a = b":              "4",
		"[x":                               "1",
		"[x] y":                            "1",
		"[x y]\na = b":                     "1",
		"[x{y}]":                           "1",
		"[]":                               "1",
		"[[x]]":                            "1",
		"= a":                              "1",
		"+= a":                             "",
		"a b = c":                          "1",
		"a[b] = c":                         "1",
		"a ${b:c} = d":                     "1",
		"${b:c} = d":                       "1",
		"a = ${b":                          "",
		"a = b # c\n# d\n  e":              "",
		"a = b\n\n\n  c":                   "",
		"a = b\n\u00a0c":                   "",
		"\u00a0a = b":                      "1",
		"[x]\u2003\na = b":                 "",
		"[\u00a0x]\na = b":                 "",
		"a\u00a0= b":                       "",
		"[x] # [y]":                        "",
		"[x: '#']":                         "1",
		"<<<<<<< HEAD\na = b\n=======\nc = d\n>>>>>>> x": "1 3 5",
		"ä = b": "",
		"[ä]":   "",
	}
	texts := map[string]buildoutText{}
	for text := range cases {
		texts[text] = buildoutText{Text: "[buildout]\n" + text}
	}
	read := readByBuildout(t, texts)
	for text, want := range cases {
		var lines, theirs []string
		for _, bad := range builder.BadLines(text) {
			lines = append(lines, fmt.Sprint(bad.N))
		}
		if got := strings.Join(lines, " "); got != want {
			t.Errorf("%q: bad are %q, want %q", text, got, want)
		}
		said := read[text].Error
		for n := range strings.Count(text, "\n") + 1 {
			if strings.Contains(said, fmt.Sprintf("[line %2d]", n+2)) {
				theirs = append(theirs, fmt.Sprint(n+1))
			}
		}
		if strings.Contains(text, "[x: 0]\na = b\n    c") { // it refuses this one, and would not [x: 1]
			continue
		}
		if got := strings.Join(theirs, " "); (said == "") != (want == "") || got != want && !strings.Contains(text, "[x: ]") {
			t.Errorf("%q: buildout says %q, want %q", text, said, want)
		}
	}
}

// TestOverrides holds what is warned of against buildout: each of these lines takes the place
// of what deploy.cfg says, or is no pin.
func TestOverrides(t *testing.T) {
	const before = "[buildout]\nextends = base.cfg\nparts =\n    client1\n[client1]\nhttp-address = 127.0.0.1:8081\n[buildout]\n"
	cases := map[string]struct{ code, section, option, value string }{
		"parts = x":                               {"buildout-override", "buildout", "parts", "x"},
		"parts=x":                                 {"buildout-override", "buildout", "parts", "x"},
		"extends = other.cfg":                     {"buildout-override", "buildout", "from", "other"},
		"extends += other.cfg":                    {"buildout-override", "buildout", "from", "base"},
		"extends=other.cfg":                       {"buildout-override", "buildout", "from", "other"},
		"parts += x":                              {"", "buildout", "parts", "client1\nx"},
		"[client1]\nhttp-address = 8085":          {"buildout-override", "client1", "http-address", "8085"},
		"[client1:1]\nhttp-address = 8085":        {"buildout-override", "client1", "http-address", "8085"},
		"[client1]\n# x\n\nhttp-address-x = 8085": {"", "client1", "http-address", "127.0.0.1:8081"},
		"[versions]\nPlone == 6.2.2":              {"bad-pin", "versions", "Plone", "= 6.2.2"},
		"[versions]\nPlone>=6.2.2":                {"bad-pin", "versions", "Plone>", "6.2.2"},
		"[versions]\nPlone~= 6.2.2":               {"bad-pin", "versions", "Plone~", "6.2.2"},
		"[versions]\nPlone = ==6.2.2":             {"", "versions", "Plone", "==6.2.2"},
		"[versions]\nPlone = >=6.2.2":             {"", "versions", "Plone", ">=6.2.2"},
	}
	base := t.TempDir()
	for _, name := range []string{"base", "other"} {
		if err := os.WriteFile(base+"/"+name+".cfg", []byte("[buildout]\nfrom = "+name+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	texts := map[string]buildoutText{}
	for text := range cases {
		texts[text] = buildoutText{Text: before + text + "\n", Base: &base}
	}
	read := readByBuildout(t, texts)
	for text, want := range cases {
		code := ""
		for _, o := range builder.Overrides(text) {
			code = o.Code
		}
		if code != want.code {
			t.Errorf("%q: %q, want %q", text, code, want.code)
		}
		if got := read[text]; got.Error != "" || got.Effective[want.section][want.option] != want.value {
			t.Errorf("%q: buildout has %s:%s = %q, want %q (%s)", text, want.section, want.option, got.Effective[want.section][want.option], want.value, got.Error)
		}
	}
}
