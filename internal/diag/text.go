package diag

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A Formatter writes a list of diagnostics, sorted and without duplicates.
type Formatter interface {
	Format(w io.Writer, list List) error
}

// Text is the format for people: a line that says what is wrong and where, the
// source line with masked values as ***, and a caret with the remedy.
type Text struct {
	Color bool // with escape sequences for colour
	Width int  // columns for a source line, 100 when 0, never less than 20
}

// Longest texts that are printed whole, in characters.
const (
	maxPath    = 200
	maxMessage = 1000
)

const mask = "***"

// Format writes the diagnostics to w.
func (t Text) Format(w io.Writer, list List) error {
	out := bufio.NewWriter(w)
	for _, d := range list.Sorted() {
		t.write(out, d)
	}
	return out.Flush()
}

func (t Text) write(out *bufio.Writer, d Diagnostic) {
	span, place := d.Span, Position{}
	if span.File != nil {
		out.WriteString(Visible(span.File.Name, maxPath))
		if span.HasPlace() {
			place = span.File.Position(span.Start)
			fmt.Fprintf(out, ":%d:%d", place.Line, place.Col)
		}
		out.WriteString(": ")
	}
	severity := d.Severity()
	out.WriteString(t.paint(severity, severity.String()+"["+Visible(d.Code, maxPath)+"]"))
	if d.Path != "" {
		out.WriteString(": " + Visible(d.Path, maxPath))
	}
	if d.Message != "" {
		out.WriteString(": " + Visible(d.Message, maxMessage))
	}
	out.WriteString("\n")

	remedy := Visible(d.Remedy, maxMessage)
	if !span.HasPlace() {
		if remedy != "" {
			out.WriteString("    " + remedy + "\n")
		}
		return
	}
	if remedy != "" {
		remedy = " " + remedy
	}
	number := strconv.Itoa(place.Line)
	source, indent, carets := snippet(span, t.width())
	fmt.Fprintf(out, " %s | %s\n", number, source)
	fmt.Fprintf(out, " %s | %s%s%s\n", strings.Repeat(" ", len(number)), strings.Repeat(" ", indent),
		t.paint(severity, strings.Repeat("^", carets)), remedy)
}

func (t Text) width() int {
	if t.Width == 0 {
		return 100
	}
	return max(t.Width, 20)
}

func (t Text) paint(s Severity, text string) string {
	switch {
	case !t.Color:
		return text
	case s == Warning:
		return "\x1b[1;33m" + text + "\x1b[0m"
	}
	return "\x1b[1;31m" + text + "\x1b[0m"
}
