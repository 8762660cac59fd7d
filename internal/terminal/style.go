package terminal

import (
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// Styles of text on a terminal.
const (
	Bold  = "1"
	Dim   = "2"
	Error = "1;31"
	Warn  = "1;33"
	Good  = "32"
	Work  = "36"
)

// Paint gives a text a style, where there is colour.
func Paint(color bool, style, text string) string {
	if !color || style == "" || text == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// Pad fills a text with blanks up to a width in characters.
func Pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// File is the file that w writes to, or that what w is wrapped around does; nil: none.
func File(w io.Writer) *os.File {
	switch w := w.(type) {
	case *os.File:
		return w
	case interface{ File() *os.File }:
		return w.File()
	}
	return nil
}

// IsTerminal tells whether w is one.
func IsTerminal(w io.Writer) bool {
	f := File(w)
	return f != nil && term.IsTerminal(int(f.Fd()))
}

// UseColor follows NO_COLOR and FORCE_COLOR, else asks whether w is a terminal.
func UseColor(w io.Writer) bool {
	if os.Getenv("NO_COLOR") != "" {
		return false
	}
	if os.Getenv("FORCE_COLOR") != "" {
		return true
	}
	return IsTerminal(w)
}
