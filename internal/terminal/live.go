package terminal

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/plonec/plonec/internal/words"
)

// A screenLine is one live line, in parts of different styles.
type screenLine []styled

type styled struct{ style, text string }

// crop returns the line as it is written in width columns, and how many it
// takes. It counts characters: a wide one that does not fit is cut by the
// terminal, which draw tells not to wrap.
func (l screenLine) crop(width int, color bool) (text string, columns int) {
	total := 0
	for _, s := range l {
		total += utf8.RuneCountInString(s.text)
	}
	width = max(width, 1)
	room := width
	if total > width {
		room = width - 1 // for the ellipsis
	}
	var b strings.Builder
	for _, s := range l {
		runes := []rune(s.text)
		runes = runes[:min(len(runes), room)]
		room -= len(runes)
		b.WriteString(Paint(color, s.style, string(runes)))
	}
	if total > width {
		b.WriteString("…")
	}
	return b.String(), min(total, width)
}

// frame returns the live lines: the run, then the hosts. Where height is too
// small for all of them and for the cursor, it shows those at work, then those
// that failed, and counts the rest.
func (p *Progress) frame(now time.Time, height int, end bool) []screenLine {
	lines := []screenLine{p.header(now)}
	room := height - 2
	shown := make(map[*hostProgress]bool)
	folded := len(p.hosts) > room
	if folded {
		room-- // for what counts the rest
	}
	for _, state := range []hostState{hostWorking, hostFailed, hostWaiting, hostDone} {
		for _, h := range p.hosts {
			if h.state() == state && len(shown) < room && (!folded || state == hostWorking || state == hostFailed) {
				shown[h] = true
			}
		}
	}
	rest := make(map[hostState]int)
	for _, h := range p.hosts {
		if shown[h] {
			lines = append(lines, p.hostLine(h, now, end))
		} else {
			rest[h.state()]++
		}
	}
	if folded && height > 2 {
		lines = append(lines, screenLine{{Dim, "… " + tally(rest)}})
	}
	return lines
}

// tally counts hosts: "12 done, 40 waiting".
func tally(hosts map[hostState]int) string {
	var parts []string
	for _, of := range []struct {
		state hostState
		word  string
	}{{hostDone, "done"}, {hostFailed, "failed"}, {hostWorking, "at work"}, {hostWaiting, "waiting"}} {
		if n := hosts[of.state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, of.word))
		}
	}
	return strings.Join(parts, ", ")
}

func (p *Progress) header(now time.Time) screenLine {
	line := screenLine{{Bold, Printable(p.Title)}, {"", "  " + clock(now.Sub(p.began))}}
	number := make(map[hostState]int)
	for _, h := range p.hosts {
		number[h.state()]++
	}
	if len(p.hosts) > 0 {
		line = append(line, styled{"", fmt.Sprintf("  %d of %s done", number[hostDone], words.Count(len(p.hosts), "host"))})
	}
	if n := number[hostFailed]; n > 0 {
		line = append(line, styled{"", ", "}, styled{Error, fmt.Sprintf("%d failed", n)})
	}
	if s := p.run.step(); s != nil {
		line = append(line, styled{"", "  " + Printable(s.name) + " " + clock(now.Sub(s.began))})
		line = append(line, details(p.run)...)
	}
	return line
}

// hostLine shows a host: a mark, its name, and what it does or did.
func (p *Progress) hostLine(h *hostProgress, now time.Time, end bool) screenLine {
	mark := styled{Work, "▸"}
	var rest screenLine
	switch state := h.state(); {
	case len(h.open) > 0:
		s := h.step()
		rest = screenLine{{"", fmt.Sprintf("  %s %5s", Pad(Printable(s.name), stepWidth), clock(now.Sub(s.began)))}}
		rest = append(rest, details(h)...)
	case h.result != "":
		rest = screenLine{{"", "  " + h.result}}
		mark = styled{Good, "✓"}
	case state == hostFailed:
		rest = screenLine{{"", "  " + h.last}}
	default:
		mark.style, mark.text = Dim, "·"
		word := "waiting"
		if end {
			word = "no result"
		}
		rest = screenLine{{Dim, strings.TrimRight("  "+Pad(word, stepWidth)+"  "+h.last, " ")}}
	}
	if h.failed {
		mark = styled{Error, "✗"}
	}
	name := Pad(Printable(h.name), p.nameWidth(false))
	if runes := []rune(name); len(runes) > MaxNameWidth {
		name = string(runes[:MaxNameWidth-1]) + "…"
	}
	return append(screenLine{mark, {"", " " + name}}, rest...)
}

// details are how far the innermost step is, and the last line of its output.
func details(h *hostProgress) screenLine {
	var line screenLine
	if text := h.step().count(); text != "" {
		line = append(line, styled{"", "  " + text})
	}
	if h.output != "" {
		line = append(line, styled{Dim, "  " + h.output})
	}
	return line
}

// clock writes the time since a step began as minutes and seconds.
func clock(d time.Duration) string {
	s := max(0, int(d/time.Second))
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// A screen is what of the terminal belongs to the live lines. Between two
// frames the cursor stands at the start of the line below them and nothing of
// the terminal's state is changed, so that a signal, even SIGKILL, leaves
// nothing to be put right.
type screen struct {
	columns []int  // of each line that is drawn
	last    string // the lines themselves
}

// draw returns what brings the screen from the frame before to this one, with
// a text above that stays. It is empty where nothing changed.
func (s *screen) draw(above string, frame []screenLine, width int, color bool) string {
	up := 0
	for _, columns := range s.columns {
		up += max(1, (columns+width-1)/width) // a terminal that became narrower has wrapped them
	}
	var body strings.Builder
	columns := make([]int, 0, len(frame))
	for _, line := range frame {
		text, n := line.crop(width-1, color) // in the last column some terminals erase with \x1b[K what was written
		columns = append(columns, n)
		body.WriteString(text + "\x1b[K\n")
	}
	if above == "" && body.String() == s.last {
		return ""
	}
	s.columns, s.last = columns, body.String()

	var b strings.Builder
	if up > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", up)
	}
	b.WriteString("\r")
	if above != "" && up > 0 { // line by line: what \x1b[J erases from the top of the screen, tmux keeps as history
		fmt.Fprintf(&b, "%s\x1b[%dA", strings.Repeat("\x1b[K\n", up), up)
	}
	b.WriteString(above)
	b.WriteString("\x1b[?7l" + s.last + "\x1b[J\x1b[?7h") // without wrapping
	return b.String()
}
