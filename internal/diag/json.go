package diag

import (
	"io"

	"github.com/plonec/plonec/internal/words"
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
	_, err := io.WriteString(w, words.JSON(records))
	return err
}
