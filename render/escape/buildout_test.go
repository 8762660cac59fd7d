package escape

import (
	"strings"
	"testing"
	"unicode"
)

// parseBuildout is zc.buildout's reading of a file, in small: options by
// section, and nil where it would evaluate Python or find an error.
func parseBuildout(text string) map[string]map[string]string {
	sections := map[string]map[string]string{}
	section, option := "", ""
	// Text files in Python: every kind of line end is one.
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	for _, line := range strings.Split(text, "\n") {
		first, _ := firstRune(line)
		switch {
		case line == "" || first == '#' || first == ';':
		case pySpace(first) && option != "":
			if s := strings.TrimFunc(line, pySpace); s != "" {
				sections[section][option] += "\n" + s
			}
		case first == '[':
			name, rest, ok := strings.Cut(line[1:], "]")
			if !ok || rest != "" || strings.ContainsAny(name, ":#[;{}") {
				return nil
			}
			section, option = name, ""
			if sections[section] == nil {
				sections[section] = map[string]string{}
			}
		default:
			name, value, ok := strings.Cut(line, "=")
			if !ok || section == "" {
				return nil
			}
			option = strings.TrimRightFunc(name, pySpace)
			sections[section][option] = strings.TrimFunc(value, pySpace)
		}
	}
	return sections
}

func firstRune(s string) (rune, bool) {
	for _, r := range s {
		return r, true
	}
	return 0, false
}

// pySpace is Python's str.isspace.
func pySpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

var awkward = []string{
	"", "x", " x", "x ", "a b", "a\tb", "[x]", "x = y", "#x", ";x", "a # b", "a\nb", "a\r[x]\ny = z", "a\x00", "\u2028", "a\u0085b", "a\u00a0",
	"${a:b}", "$${a:b}", "$$$${x}", "$", "$$", "$(HOME)", "$HOME", "%(x)s", "<= a", "[a: 1/0]", "=> x", "\\", "'", "\"", "\xff", "ä", "a\x1cb",
}

func FuzzBuildout(f *testing.F) {
	for _, s := range awkward {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := Buildout(s); err == nil {
			got := parseBuildout("[before]\nx = y\n[s]\na = 1\noption = " + v + "\nz = 2\n[after]\nx = y\n")
			if len(got) != 3 || len(got["s"]) != 3 || got["s"]["option"] != s || strings.Contains(v, "${") {
				t.Errorf("%q became %q in %q", s, v, got)
			}
		}
		if v, err := BuildoutWord(s); err == nil {
			got := parseBuildout("[s]\nlist =\n    one\n    " + v + "\n    three\n[after]\nx = y\n")
			if len(got) != 2 || len(got["s"]) != 1 || got["s"]["list"] != "\none\n"+s+"\nthree" || len(strings.Fields(v)) != 1 {
				t.Errorf("the word %q became %q in %q", s, v, got)
			}
		}
		if v, err := BuildoutName(s); err == nil {
			got := parseBuildout("[before]\nx = y\n[" + v + "]\nx = y\n")
			if len(got) == 0 || got[s]["x"] != "y" {
				t.Errorf("the name %q became %q in %q", s, v, got)
			}
		}
	})
}

func TestBuildoutRefuses(t *testing.T) {
	for _, s := range []string{"a\nb", "a\rb", "a\x00b", " a", "a ", "${a:b}", "x\u2028y", "\xff"} {
		if v, err := Buildout(s); err == nil {
			t.Errorf("Buildout lets %q through as %q", s, v)
		}
	}
	for _, s := range []string{"", "a b", "#a", ";a", "a\tb"} {
		if v, err := BuildoutWord(s); err == nil {
			t.Errorf("BuildoutWord lets %q through as %q", s, v)
		}
	}
	for _, s := range []string{"", "a]", "a: 1", "a b", "a\n", "ä", "../a/b"} {
		if v, err := BuildoutName(s); err == nil {
			t.Errorf("BuildoutName lets %q through as %q", s, v)
		}
	}
}
