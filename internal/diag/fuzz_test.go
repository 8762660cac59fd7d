package diag

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzText prints a diagnostic about any text with any place, mask and width.
// Nothing that a terminal acts on comes out, no line is too long, the caret
// stays below its line, and what is masked never appears.
func FuzzText(f *testing.F) {
	f.Add([]byte(`{"a": "secret"}`), 6, 14, 7, 13, 40, "a.b", "m")
	f.Add([]byte("\x1b[31m\r\n\t日\xff"+strings.Repeat("x", 200)), 3, 9, 50, 60, 0, "\x1b", "\u202e")
	f.Add([]byte("e\u0301\u0301\u0301"), 1, 2, 0, 3, 20, "", "")
	f.Fuzz(func(t *testing.T, content []byte, start, end, maskStart, maskEnd, width int, path, message string) {
		clamp := func(n, low int) int { return max(low, min(n, len(content))) }
		file := &File{Name: path, Content: content}
		start = clamp(start, 0)
		end = clamp(end, start)
		maskStart = clamp(maskStart, 0)
		maskEnd = clamp(maskEnd, maskStart)
		// Masks hide whole characters.
		for maskStart > 0 && maskStart < len(content) && !utf8.RuneStart(content[maskStart]) {
			maskStart--
		}
		for maskEnd < len(content) && !utf8.RuneStart(content[maskEnd]) {
			maskEnd++
		}
		Span{file, maskStart, maskEnd}.Mask()
		format := Text{Width: min(max(width, 0), 500)}
		d := Diagnostic{Code: "syntax", Span: Span{file, start, end}, Path: path, Message: message, Remedy: message}
		out := text(t, format, d)
		if !utf8.ValidString(out) {
			t.Errorf("bad UTF-8: %q", out)
		}
		for _, r := range out {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Errorf("%U comes out: %q", r, out)
			}
		}
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		if len(lines) > 3 {
			t.Errorf("%d lines: %q", len(lines), out)
		}
		line, indent, carets := snippet(d.Span, format.width())
		if indent+carets > columns(line)+1 {
			t.Errorf("the caret at %d+%d leaves its line of %d columns: %q", indent, carets, columns(line), line)
		}
		// One cell may be wider than what is left, and two ellipses come on top.
		if got := columns(line); got > format.width()+12 {
			t.Errorf("%d columns of %d: %q", got, format.width(), line)
		}
		checkMasked(t, content, maskStart, maskEnd, start, line)
	})
}

// checkMasked changes every character of the mask: the line must not change.
func checkMasked(t *testing.T, content []byte, maskStart, maskEnd, at int, line string) {
	if hidden := bytes.Trim(content[maskStart:maskEnd], `"'`); bytes.Count(content, hidden) > 1 {
		return // its repeats are hidden too
	}
	other := append([]byte(nil), content...)
	for i := maskStart; i < maskEnd; i++ {
		if other[i] != '\n' && other[i] != '\r' {
			other[i] = '#'
		}
	}
	file := &File{Content: other}
	Span{file, maskStart, maskEnd}.Mask()
	if got, _, _ := snippet(Span{file, at, at}, 1000); !same(got, content, maskStart, maskEnd, at) {
		t.Errorf("what is masked shows in %q", line)
	}
}

// same prints the original at the same width as got was.
func same(got string, content []byte, maskStart, maskEnd, at int) bool {
	file := &File{Content: content}
	Span{file, maskStart, maskEnd}.Mask()
	want, _, _ := snippet(Span{file, at, at}, 1000)
	return got == want
}

func columns(line string) int {
	n := 0
	for _, r := range line {
		n += runeWidth(r)
	}
	return n
}

// FuzzJSON prints a diagnostic for programs: it is JSON and has nothing that a
// terminal acts on.
func FuzzJSON(f *testing.F) {
	f.Add("a", "\x1b\u202e\U000E0001<>&")
	f.Fuzz(func(t *testing.T, path, message string) {
		out := text(t, JSON{}, Diagnostic{Code: path, Path: path, Message: message})
		for _, r := range out {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Errorf("%U comes out: %q", r, out)
			}
		}
	})
}
