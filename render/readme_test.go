package render

import (
	"strings"
	"testing"
)

// A text stays in its cell: no line ends, no cell, tag or code begins.
func FuzzMarkdown(f *testing.F) {
	for _, s := range []string{"a|b", "`x`", "<b>", "a\nb", `\|`, "*_[]#"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := markdown(s)
		if strings.ContainsAny(out, "\n\r<>") {
			t.Errorf("%q gives %q", s, out)
		}
		for i := range len(out) {
			if strings.IndexByte("|`*_[]#", out[i]) < 0 {
				continue
			}
			slashes := 0
			for j := i - 1; j >= 0 && out[j] == '\\'; j-- {
				slashes++
			}
			if slashes%2 == 0 {
				t.Errorf("%q gives %q: byte %d is bare", s, out, i)
			}
		}
	})
}
