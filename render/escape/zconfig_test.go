package escape

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// substitute is ZConfig's handling of $ in a value; false where it would refer
// to something.
func substitute(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '$' {
			i++
			if i == len(s) || s[i] != '$' {
				return "", false
			}
		}
		b.WriteByte(s[i])
	}
	return b.String(), true
}

// buildoutLeaves is buildout's handling of $ in an option: $$ is none of its
// business, and between them ${ begins a reference.
func buildoutLeaves(s string) bool {
	for _, part := range strings.Split(s, "$$") {
		if strings.Contains(part, "${") {
			return false
		}
	}
	return true
}

func FuzzZConfig(f *testing.F) {
	for _, s := range awkward {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ZConfig(s)
		if err != nil {
			return
		}
		if got, ok := substitute(v); !ok || got != s {
			t.Errorf("%q became %q, which ZConfig reads as %q", s, v, got)
		}
		if !buildoutLeaves(v) {
			t.Errorf("%q became %q, in which buildout sees a reference", s, v)
		}
		if got := parseBuildout("[s]\nlist =\n    NAME " + v + "\n    b\n[after]\nx = y\n"); len(got) != 2 || got["s"]["list"] != "\n"+strings.TrimSpace("NAME "+v)+"\nb" {
			t.Errorf("%q became %q in %q", s, v, got)
		}
	})
}

// conninfo is libpq's reading of a quoted value.
func conninfo(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, "'") {
		return "", "", false
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\'':
			return b.String(), s[i+1:], true
		case '\\':
			i++
			if i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

func FuzzLibpq(f *testing.F) {
	for _, s := range awkward {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		if got, rest, ok := conninfo(Libpq(s) + " host='x'"); !ok || got != s || rest != " host='x'" {
			t.Errorf("%q became %q, read as %q and %q", s, Libpq(s), got, rest)
		}
	})
}
