package terminal

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/plonec/plonec/internal/hosts"
	"github.com/plonec/plonec/internal/words"
)

// print writes what deserves a line of its own. On a terminal that is little:
// the live lines say the rest.
func (p *Progress) print(h *hostProgress, e hosts.Event) {
	step := Printable(e.Step)
	switch e.Kind {
	case hosts.Output:
		if p.Verbose {
			p.line(p.out, h, step, Paint(p.outColor, Dim, "| "+outputLine(e.Text)))
		}
	case hosts.Finished:
		if !p.live {
			p.line(p.out, h, step, ended("done in", e))
		}
	case hosts.Note:
		p.line(p.out, h, step, PrintableLines(e.Text))
	case hosts.Result:
		switch {
		case p.live:
		case h.failed:
			p.line(p.out, h, "failed", PrintableLines(e.Text))
		default:
			p.line(p.out, h, "done", PrintableLines(e.Text))
		}
	case hosts.Warning:
		p.line(p.err, h, step, Paint(p.errColor, Warn, "warning")+": "+PrintableLines(e.Text))
		p.indent(p.err, "", hint(e))
	case hosts.Failed:
		text := strings.TrimPrefix(ended("failed after", e), "failed")
		p.line(p.err, h, step, Paint(p.errColor, Error, "failed")+text)
		p.indent(p.err, "| ", h.lines)
		p.indent(p.err, "", hint(e))
	}
}

func hint(e hosts.Event) []string {
	if e.Hint == "" {
		return nil
	}
	return strings.Split(PrintableLines(e.Hint), "\n")
}

// remind says what is at work for long, where no live lines do. Between two steps that
// is the run as a whole.
func (p *Progress) remind(now time.Time) {
	if now.Sub(p.said) >= Again && !slices.ContainsFunc(append(p.hosts[:len(p.hosts):len(p.hosts)], p.run), (*hostProgress).busy) {
		p.line(p.slow, p.run, "", "still at work after "+duration(now.Sub(p.began))+p.expected())
	}
	for _, h := range append([]*hostProgress{p.run}, p.hosts...) {
		s := h.step()
		if s == nil {
			continue
		}
		at := now.Sub(s.began)
		if s.reminders == 0 && at >= quietTime {
			s.reminders = 1
			p.line(p.out, h, Printable(s.name), "started")
		}
		if at >= time.Duration(s.reminders)*Again && s.reminders > 0 {
			s.reminders = int(at/Again) + 1
			text := "at work for " + duration(at)
			if s.count() != "" {
				text += ", " + s.count()
			}
			p.line(p.slow, h, Printable(s.name), text)
		}
	}
}

// expected names the hosts that are not through.
func (p *Progress) expected() string {
	var names []string
	for _, h := range p.hosts {
		if h.state() == hostWaiting {
			names = append(names, Printable(h.name))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ": no result yet of " + strings.Join(words.Runs(names), ", ")
}

// line queues one line: the host, the step and a text, whose further lines are
// indented below it.
func (p *Progress) line(to io.Writer, h *hostProgress, step, text string) {
	columns := Pad(Printable(h.name), p.nameWidth(true)) + "  "
	if step != "" {
		columns += Pad(step, stepWidth) + "  "
	}
	p.said = p.now()
	first, more, found := strings.Cut(text, "\n")
	p.queue = append(p.queue, pending{to, columns + first + "\n"})
	if found {
		p.indent(to, "", strings.Split(more, "\n"))
	}
}

func (p *Progress) indent(to io.Writer, mark string, lines []string) {
	for _, line := range lines {
		p.queue = append(p.queue, pending{to, "      " + mark + line + "\n"})
	}
}

// Columns of the lines: most steps have names of at most stepWidth characters.
const (
	stepWidth    = 8
	MaxNameWidth = 24
)

// nameWidth returns the columns for the names of hosts, and of the run itself.
func (p *Progress) nameWidth(run bool) int {
	width := 0
	if run {
		width = len(p.run.name)
	}
	for _, h := range p.hosts {
		width = max(width, utf8.RuneCountInString(Printable(h.name)))
	}
	return min(width, MaxNameWidth)
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
		how += ": " + PrintableLines(e.Text)
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
