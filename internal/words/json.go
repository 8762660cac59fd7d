package words

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON is a value as JSON of several lines. It panics where a value has no JSON, such
// as a channel.
func JSON(v any) string { return encode(v, "  ") }

// JSONLine is a value as JSON in one line, with its line break.
func JSONLine(v any) string { return encode(v, "") }

func encode(v any, indent string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return spelt(b.String())
}

// spelt spells out in JSON's own way what encoding/json leaves as it is but a
// terminal may act on.
func spelt(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
		return text
	}
	out := make([]byte, 0, len(text))
	for _, r := range text {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			out = utf8.AppendRune(out, r)
		case r < 0x10000:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		}
	}
	return string(out)
}
