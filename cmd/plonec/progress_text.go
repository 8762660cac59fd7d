package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/hosts"
)

// Styles of text on a terminal.
const (
	styleBold  = "1"
	styleDim   = "2"
	styleError = "1;31"
	styleWarn  = "1;33"
	styleGood  = "32"
	styleWork  = "36"
)

func paint(color bool, style, text string) string {
	if !color || style == "" || text == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// print writes what deserves a line of its own. On a terminal that is little:
// the live lines say the rest.
func (p *progress) print(h *hostProgress, e hosts.Event) {
	step := printable(e.Step)
	switch e.Kind {
	case hosts.Output:
		if p.verbose {
			p.line(p.out, h, step, paint(p.outColor, styleDim, "| "+outputLine(e.Text)))
		}
	case hosts.Finished:
		if !p.live {
			p.line(p.out, h, step, ended("done in", e))
		}
	case hosts.Note:
		p.line(p.out, h, step, printableLines(e.Text))
	case hosts.Result:
		switch {
		case p.live:
		case h.failed:
			p.line(p.out, h, "failed", printableLines(e.Text))
		default:
			p.line(p.out, h, "done", printableLines(e.Text))
		}
	case hosts.Warning:
		p.line(p.err, h, step, paint(p.errColor, styleWarn, "warning")+": "+printableLines(e.Text))
		p.indent(p.err, "", hint(e))
	case hosts.Failed:
		text := strings.TrimPrefix(ended("failed after", e), "failed")
		p.line(p.err, h, step, paint(p.errColor, styleError, "failed")+text)
		p.indent(p.err, "| ", h.lines)
		p.indent(p.err, "", hint(e))
	}
}

func hint(e hosts.Event) []string {
	if e.Hint == "" {
		return nil
	}
	return strings.Split(printableLines(e.Hint), "\n")
}

// remind says what is at work for long, where no live lines do.
func (p *progress) remind(now time.Time) {
	for _, h := range append([]*hostProgress{p.run}, p.hosts...) {
		s := h.step()
		if s == nil {
			continue
		}
		at := now.Sub(s.began)
		if s.reminders == 0 && at >= quietTime {
			s.reminders = 1
			p.line(p.out, h, printable(s.name), "started")
		}
		if at >= time.Duration(s.reminders)*againTime && s.reminders > 0 {
			s.reminders = int(at/againTime) + 1
			text := "at work for " + duration(at)
			if s.count() != "" {
				text += ", " + s.count()
			}
			p.line(p.out, h, printable(s.name), text)
		}
	}
}

// line queues one line: the host, the step and a text, whose further lines are
// indented below it.
func (p *progress) line(to io.Writer, h *hostProgress, step, text string) {
	columns := pad(printable(h.name), p.nameWidth(true)) + "  "
	if step != "" {
		columns += pad(step, stepWidth) + "  "
	}
	first, more, found := strings.Cut(text, "\n")
	p.queue = append(p.queue, pending{to, columns + first + "\n"})
	if found {
		p.indent(to, "", strings.Split(more, "\n"))
	}
}

func (p *progress) indent(to io.Writer, mark string, lines []string) {
	for _, line := range lines {
		p.queue = append(p.queue, pending{to, "      " + mark + line + "\n"})
	}
}

// Columns of the lines: most steps have names of at most stepWidth characters.
const (
	stepWidth    = 8
	maxNameWidth = 24
)

// nameWidth returns the columns for the names of hosts, and of the run itself.
func (p *progress) nameWidth(run bool) int {
	width := 0
	if run {
		width = len(p.run.name)
	}
	for _, h := range p.hosts {
		width = max(width, utf8.RuneCountInString(printable(h.name)))
	}
	return min(width, maxNameWidth)
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// ended says how a step ended: "done in 1.2 s: text". A moment is not worth
// its number.
func ended(how string, e hosts.Event) string {
	if e.Seconds < 0.05 {
		how, _, _ = strings.Cut(how, " ")
	} else {
		how += " " + duration(time.Duration(e.Seconds*float64(time.Second)))
	}
	if e.Text != "" {
		how += ": " + printableLines(e.Text)
	}
	return how
}

// duration writes a duration as a person would say it.
func duration(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	s := int(d.Round(time.Second) / time.Second)
	if s < 60 {
		return fmt.Sprintf("%d s", s)
	}
	return fmt.Sprintf("%d min %d s", s/60, s%60)
}

// An end is the last event of a run: what it came to.
type end struct {
	hosts.Event
	Exit int `json:"exit"` // the exit status
}

func newEnd(code int, text string) end {
	return end{hosts.Event{Time: time.Now(), Kind: "end", Text: text}, code}
}

// jsonLine writes an event as JSON in one line. What encoding/json leaves as it
// is but a terminal may act on is escaped too.
func jsonLine(e any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return "" // a year of five digits; nothing else can fail
	}
	out := make([]byte, 0, b.Len())
	for _, r := range b.String() {
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

// escapes are the sequences that programs print for colour, titles and the
// like: CSI, the strings OSC, DCS, SOS, PM and APC, and the short ones.
var escapes = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[ -/]*[0-~])")

// maxText is the length in characters after which a line is cut.
const maxText = 1000

// printable returns a line that is fit for a terminal: escape sequences are
// dropped, what else does not print is spelt out, and what is too long is cut.
func printable(s string) string { return diag.Visible(escapes.ReplaceAllString(s, ""), maxText) }

// printableLines is printable for a text of several lines.
func printableLines(s string) string {
	lines := strings.Split(strings.TrimRight(s, "\r\n"), "\n")
	for i, line := range lines {
		lines[i] = printable(strings.TrimSuffix(line, "\r"))
	}
	return strings.Join(lines, "\n")
}

// oneLine is printable for a text of several lines that has room in one alone.
func oneLine(s string) string {
	return printable(strings.ReplaceAll(printableLines(s), "\n", "; "))
}

// outputLine is what a terminal would show of a program's line in the end:
// bars of progress write over themselves.
func outputLine(s string) string {
	s = strings.TrimRight(s, "\r\n")
	return printable(s[strings.LastIndexByte(s, '\r')+1:])
}
