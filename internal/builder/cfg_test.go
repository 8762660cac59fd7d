package builder

import (
	"strings"
	"testing"
)

// TestBadLines of render holds the lines against buildout itself.

func FuzzBadLines(f *testing.F) {
	for _, text := range []string{"", "a = b\n  c", "[x: 0]\na = b\n  c\n[y", "\n\n[x]\n => y", "\x85 = \xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		last := 0
		for _, bad := range BadLines(text) {
			if bad.N <= last || bad.N > len(lines) || bad.What == "" || bad.Remedy == "" {
				t.Fatalf("%+v after line %d of %q", bad, last, text)
			}
			last = bad.N
		}
		// A comment in the place of each bad line leaves none.
		for _, bad := range BadLines(text) {
			lines[bad.N-1] = "# " + lines[bad.N-1]
		}
		if bad := BadLines(strings.Join(lines, "\n")); len(bad) > 0 {
			t.Errorf("%+v is left of %q", bad, text)
		}
	})
}
