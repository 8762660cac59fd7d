package diag

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible returns a text fit for a terminal: control characters, escape
// sequences, characters that change the direction of writing and bytes that
// are no UTF-8 are spelt out, and a text of more than limit characters ends in
// an ellipsis.
func Visible(s string, limit int) string {
	var b strings.Builder
	for n := 0; s != ""; n++ {
		if n == limit {
			b.WriteString("…")
			break
		}
		text, _, size := glyph(s)
		b.WriteString(text)
		s = s[size:]
	}
	return b.String()
}

// glyph returns how the first character of s is shown, the columns that takes
// on a terminal, and the bytes it has in s.
func glyph(s string) (text string, width, size int) {
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case r == utf8.RuneError && size == 1:
		return fmt.Sprintf(`\x%02x`, s[0]), 4, 1
	case r == '\t':
		return `  `, 2, 1
	case r == '\n':
		return `\n`, 2, 1
	case r == '\r':
		return `\r`, 2, 1
	case r < 0x80 && !unicode.IsPrint(r):
		return fmt.Sprintf(`\x%02x`, r), 4, 1
	case !unicode.IsPrint(r) && r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r), 6, size
	case !unicode.IsPrint(r):
		return fmt.Sprintf(`\U%08x`, r), 10, size
	}
	return s[:size], runeWidth(r), size
}

// wide lists the characters that take two columns of a terminal: those whose
// East Asian width is wide or full, in Unicode's blocks.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x1100, Hi: 0x115F, Stride: 1}, {Lo: 0x2E80, Hi: 0x303E, Stride: 1},
		{Lo: 0x3041, Hi: 0xA4CF, Stride: 1}, {Lo: 0xA960, Hi: 0xA97F, Stride: 1},
		{Lo: 0xAC00, Hi: 0xD7A3, Stride: 1}, {Lo: 0xF900, Hi: 0xFAFF, Stride: 1},
		{Lo: 0xFE30, Hi: 0xFE6F, Stride: 1}, {Lo: 0xFF00, Hi: 0xFF60, Stride: 1},
		{Lo: 0xFFE0, Hi: 0xFFE6, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0x1F300, Hi: 0x1F64F, Stride: 1}, {Lo: 0x1F680, Hi: 0x1F6FF, Stride: 1},
		{Lo: 0x1F900, Hi: 0x1F9FF, Stride: 1}, {Lo: 0x20000, Hi: 0x3FFFD, Stride: 1},
	},
}

func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case unicode.Is(wide, r):
		return 2
	}
	return 1
}
