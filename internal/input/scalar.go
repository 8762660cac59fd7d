package input

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/plonec/plonec/internal/diag"
)

// str reads the text in double quotes that begins at pos.
func (r *reader) str() (string, bool) {
	start := r.pos
	for i := start + 1; i < len(r.src); i++ {
		switch c := r.src[i]; {
		case c == '"':
			r.pos = i + 1
			return r.text[start+1 : i], true
		case c == '\\':
			return r.escaped(start, i)
		case c < ' ':
			return "", r.control(start, i)
		}
	}
	return "", r.control(start, len(r.src))
}

// escaped reads the rest of a text whose first backslash is at i.
func (r *reader) escaped(start, i int) (string, bool) {
	var b strings.Builder
	b.WriteString(r.text[start+1 : i])
	for i < len(r.src) {
		c := r.src[i]
		switch {
		case c == '"':
			r.pos = i + 1
			return b.String(), true
		case c < ' ':
			return "", r.control(start, i)
		case c != '\\':
			b.WriteByte(c)
			i++
			continue
		case i+1 == len(r.src):
			return "", r.control(start, i+1)
		}
		switch e := r.src[i+1]; e {
		case '"', '\\', '/':
			b.WriteByte(e)
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'u':
			c, size := r.unicode(i)
			if size == 0 {
				return "", r.syntax(i, min(i+6, len(r.src)), `\u wants four hexadecimal digits`, `write \\ for a backslash`)
			}
			if size < 0 {
				return "", r.syntax(i, i+6, "half of a surrogate pair stands alone", `write the character itself, or both halves: \ud83d\ude00`)
			}
			b.WriteRune(c)
			i += size
			continue
		default:
			return "", r.syntax(i, min(i+2, len(r.src)), `a backslash wants one of " \ / b f n r t u after it`, `write \\ for a backslash`)
		}
		i += 2
	}
	return "", r.control(start, len(r.src))
}

// unicode decodes the \u escape at i, a surrogate pair as one character, and
// returns its size in the source: 0 for no hexadecimal digits, -1 for half of
// a pair.
func (r *reader) unicode(i int) (c rune, size int) {
	hi, ok := r.hex4(i)
	switch {
	case !ok:
		return 0, 0
	case !utf16.IsSurrogate(hi):
		return hi, 6
	}
	if lo, ok := r.hex4(i + 6); ok {
		if c := utf16.DecodeRune(hi, lo); c != utf8.RuneError {
			return c, 12
		}
	}
	return utf8.RuneError, -1
}

func (r *reader) hex4(i int) (rune, bool) {
	if i+6 > len(r.src) || r.src[i] != '\\' || r.src[i+1] != 'u' {
		return 0, false
	}
	var c rune
	for _, d := range r.src[i+2 : i+6] {
		switch {
		case '0' <= d && d <= '9':
			d -= '0'
		case 'a' <= d && d <= 'f':
			d -= 'a' - 10
		case 'A' <= d && d <= 'F':
			d -= 'A' - 10
		default:
			return 0, false
		}
		c = c<<4 | rune(d)
	}
	return c, true
}

// control reports the control character at i in the text that begins at start,
// or, at the end of the file, that the text does not end.
func (r *reader) control(start, i int) bool {
	switch {
	case i >= len(r.src) || r.src[i] == '\n' || r.src[i] == '\r':
		return r.syntax(start, i, "the text does not end on its line", `close it with ", or write \n for a line break`)
	case r.src[i] == '\t':
		return r.syntax(i, i+1, "a tab stands in a text", `write \t`)
	}
	return r.syntax(i, i+1, "a control character stands in a text", fmt.Sprintf(`write \u%04x`, r.src[i]))
}

// number reads the number that begins at pos.
func (r *reader) number() (*Node, bool) {
	start, i := r.pos, r.pos
	digits := func() int {
		from := i
		for i < len(r.src) && '0' <= r.src[i] && r.src[i] <= '9' {
			i++
		}
		return i - from
	}
	at := func(set string) bool { return i < len(r.src) && strings.IndexByte(set, r.src[i]) >= 0 }

	if at("-") {
		i++
	}
	whole := i
	n := digits()
	switch {
	case n == 0:
		return nil, r.noNumber("a minus wants a digit after it", "write a number")
	case n > 1 && r.src[whole] == '0':
		return nil, r.noNumber("no number begins with 0", "take the 0 away, or put it in double quotes if a text is meant")
	}
	if at(".") {
		i++
		if digits() == 0 {
			return nil, r.noNumber("a point wants a digit after it", "write 5.0 or 5")
		}
	}
	if at("eE") {
		i++
		if at("+-") {
			i++
		}
		if digits() == 0 {
			return nil, r.noNumber("an exponent wants a digit", "write 1e3, or put it in double quotes if a text is meant")
		}
	}
	if word := r.word(i); word != "" || at(".") {
		return nil, r.noNumber("this is neither a number nor a text", "put it in double quotes if a text is meant")
	}
	r.pos = i
	text := r.text[start:i]
	message := ""
	if len(text) > MaxNumber {
		message = fmt.Sprintf("a number has more than %d characters", MaxNumber)
	} else if _, ok := parseFloat(text); !ok {
		message = "a number does not fit a 64-bit float"
	}
	if message != "" {
		// It counts as not set: no other number may stand for it.
		span := diag.Span{File: r.file, Start: start, End: i}
		if !r.report(diag.Diagnostic{Code: "bad-number", Span: span, Path: r.here(), Message: message}) {
			return nil, false
		}
		return r.node(Null, start, ""), true
	}
	return r.node(Number, start, text), true
}

// parseFloat returns the value of a decimal literal, and false where it is not
// finite, or has become 0 without being it.
func parseFloat(literal string) (float64, bool) {
	v, err := strconv.ParseFloat(literal, 64)
	if err != nil {
		return 0, false
	}
	mantissa := literal
	if i := strings.IndexAny(literal, "eE"); i >= 0 {
		mantissa = literal[:i]
	}
	return v, v != 0 || strings.Trim(mantissa, "-0.") == ""
}

// word returns the letters, digits and underscores at i.
func (r *reader) word(i int) string {
	start := i
	for i < len(r.src) && isWord(r.src[i]) {
		i++
	}
	return r.text[start:i]
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c >= 0x80
}
