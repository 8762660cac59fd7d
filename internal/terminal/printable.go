package terminal

import (
	"regexp"
	"strings"

	"github.com/plonec/plonec/internal/diag"
)

// escapes are the sequences that programs print for colour, titles and the
// like: CSI, the strings OSC, DCS, SOS, PM and APC, and the short ones.
var escapes = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[ -/]*[0-~])")

// maxText is the length in characters after which a line is cut.
const maxText = 1000

// Printable returns a line that is fit for a terminal: escape sequences are
// dropped, what else does not print is spelt out, and what is too long is cut.
func Printable(s string) string { return diag.Visible(escapes.ReplaceAllString(s, ""), maxText) }

// PrintableLines is Printable for a text of several lines.
func PrintableLines(s string) string {
	lines := strings.Split(strings.TrimRight(s, "\r\n"), "\n")
	for i, line := range lines {
		lines[i] = Printable(strings.TrimSuffix(line, "\r"))
	}
	return strings.Join(lines, "\n")
}

// OneLine is Printable for a text of several lines that has room in one alone.
func OneLine(s string) string {
	return Printable(strings.ReplaceAll(PrintableLines(s), "\n", "; "))
}

// outputLine is what a terminal would show of a program's line in the end:
// bars of progress write over themselves.
func outputLine(s string) string {
	s = strings.TrimRight(s, "\r\n")
	return Printable(s[strings.LastIndexByte(s, '\r')+1:])
}
