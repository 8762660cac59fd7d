package diag

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
)

// JSON is the format for programs: an array of objects, an empty one where
// there is nothing to say. Keys are never left out; file and path are empty
// and the places 0 where there are none.
type JSON struct{}

type record struct {
	Code     string `json:"code"`
	Severity string `json:"severity"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Col      int    `json:"col"`
	EndLine  int    `json:"endLine"` // of the first character after the span
	EndCol   int    `json:"endCol"`
	Path     string `json:"path"`
	Message  string `json:"message"`
	Remedy   string `json:"remedy"`
}

// Format writes the diagnostics to w.
func (JSON) Format(w io.Writer, list List) error {
	records := []record{}
	for _, d := range list.Sorted() {
		r := record{
			Code: d.Code, Severity: d.Severity().String(),
			Path: d.Path, Message: d.Message, Remedy: d.Remedy,
		}
		if f := d.Span.File; f != nil {
			r.File = f.Name
			if d.Span.HasPlace() {
				start, end := f.Position(d.Span.Start), f.Position(d.Span.End)
				r.Line, r.Col, r.EndLine, r.EndCol = start.Line, start.Col, end.Line, end.Col
			}
		}
		records = append(records, r)
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(records); err != nil {
		return err
	}
	_, err := w.Write(escapeUnprintable(buf.Bytes()))
	return err
}

// escapeUnprintable spells out in JSON's own way what encoding/json leaves as
// it is but a terminal may act on.
func escapeUnprintable(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range string(text) {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			out = append(out, string(r)...)
		case r < 0x10000:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			hi, lo := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		}
	}
	return out
}
