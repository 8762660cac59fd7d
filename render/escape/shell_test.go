package escape

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzShell(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted, err := Shell(s)
		if err != nil {
			return
		}
		for _, sh := range []string{"sh", "bash"} {
			cmd := exec.Command(sh)
			cmd.Stdin = strings.NewReader("printf '%s' " + quoted + "\n")
			if out, err := cmd.Output(); err != nil || string(out) != s {
				t.Errorf("%q was written %s and %s read %q (%v)", s, quoted, sh, out, err)
			}
		}
	})
}

func FuzzEnvFile(f *testing.F) {
	for _, s := range hostile {
		f.Add("NAME", s)
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		if value != "" && strings.Trim(name, "_") == "" {
			return // the shell's own variables
		}
		line, err := EnvFile("x_"+name, value)
		if err != nil {
			return
		}
		file := filepath.Join(t.TempDir(), "env")
		if err := os.WriteFile(file, []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("sh", "-c", `set -a; . "$1"; exec env -0`, "sh", file).Output()
		if err != nil || !slices.ContainsFunc(bytes.Split(out, []byte{0}), func(v []byte) bool {
			return string(v) == "x_"+name+"="+value
		}) {
			t.Errorf("%q was written %s and read as %q (%v)", value, line, out, err)
		}
	})
}

func TestEnvFileRefuses(t *testing.T) {
	for _, c := range [][2]string{{"", "x"}, {"A B", "x"}, {"A;id", "x"}, {"1A", "x"}, {"A", "a\x00"}, {"A", "a\rb"}, {"A", "\xff"}, {"A\n", "x"}, {"OPTIND", "x"}} {
		if got, err := EnvFile(c[0], c[1]); err == nil {
			t.Errorf("%q was let through as %s", c, got)
		}
	}
}

func FuzzWords(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		words, err := Words(s)
		if err != nil {
			return
		}
		var quoted []string
		for _, w := range words {
			quoted = append(quoted, `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(w)+`"`)
		}
		again, err := Words(strings.Join(quoted, " "))
		if err != nil || !slices.Equal(words, again) {
			t.Errorf("%q: %q, then %q (%v)", s, words, again, err)
		}
	})
}

func TestWords(t *testing.T) {
	for in, want := range map[string][]string{
		"":                         nil,
		"  ":                       nil,
		"worker -c 2":              {"worker", "-c", "2"},
		`-A "my app" -Q 'a b'`:     {"-A", "my app", "-Q", "a b"},
		`a\ b "c\"d" 'e\f' ""`:     {"a b", `c"d`, `e\f`, ""},
		`--x="a b"c $HOME $(id) *`: {"--x=a bc", "$HOME", "$(id)", "*"},
	} {
		if got, err := Words(in); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	}
	for _, in := range []string{`"a`, `'`, `a\`} {
		if got, err := Words(in); err == nil {
			t.Errorf("%q was read as %q", in, got)
		}
	}
}

// What the schema's #Words takes is what Words splits.
func FuzzWordsPattern(f *testing.F) {
	pattern := regexp.MustCompile(`^([^"'\\]|\\.|'[^']*'|"([^"\\]|\\.)*")*$`)
	for _, s := range []string{"", `a 'b c' "d\"e" f\ g`, `'`, `"\`, `a\`, `'\'`, `"'"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsAny(s, "\n\r") || !utf8.ValidString(s) {
			return
		}
		if _, err := Words(s); (err == nil) != pattern.MatchString(s) {
			t.Errorf("%q: Words says %v, the pattern %v", s, err, pattern.MatchString(s))
		}
	})
}
