package graph

import (
	"fmt"
	"html"
	"strings"

	"github.com/plonec/plonec/internal/topology"
)

// A canvas takes shapes, one after the other, as elements of an SVG.
type canvas struct{ strings.Builder }

func (c *canvas) rect(class string, x, y, w, h, radius int) {
	fmt.Fprintf(c, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="%d"/>`+"\n", class, x, y, w, h, radius)
}

// text writes one line; x is its left end, y its base line.
func (c *canvas) text(s style, x, y int, text string) { c.write(s, x, y, "", text) }

// textEnd is text, x being its right end.
func (c *canvas) textEnd(s style, x, y int, text string) {
	c.write(s, x, y, ` text-anchor="end"`, text)
}

// write keeps letters whose width no estimate knows in the room that they were
// given.
func (c *canvas) write(s style, x, y int, more, text string) {
	if text == "" {
		return
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r > 0x24F && r != '–' && r != '…' }) {
		more += fmt.Sprintf(` textLength="%d" lengthAdjust="spacingAndGlyphs"`, max(s.width(text), s.size/2))
	}
	fmt.Fprintf(c, `<text class="%s" x="%d" y="%d"%s>%s</text>`+"\n", s.class, x, y, more, html.EscapeString(text))
}

func (c *canvas) path(class, d string) { fmt.Fprintf(c, `<path class="%s" d="%s"/>`+"\n", class, d) }

// A block is a part of the picture that knows its size, in px.
type block struct {
	w, h int
	draw func(c *canvas, x, y int)
}

// stack puts blocks below one another, gap px between them.
func stack(gap int, blocks ...block) block {
	var s block
	for i, b := range blocks {
		if i > 0 {
			s.h += gap
		}
		s.w, s.h = max(s.w, b.w), s.h+b.h
	}
	s.draw = func(c *canvas, x, y int) {
		for _, b := range blocks {
			b.draw(c, x, y)
			y += b.h + gap
		}
	}
	return s
}

// A row is a line of a host: a text, what stands at the right, and the styles
// of both.
type row struct {
	text, end   string
	style, tail style
}

const (
	lineHeight = 18
	maxLine    = 250 // px that a line may take before it is broken
)

// rows sets lines in a width of at least least px; a text at the right that has
// no room beside the one at the left gets a line of its own.
func rows(list []row, least int) block {
	var out []row
	w := least
	for _, r := range list {
		gap := 0
		if r.end != "" {
			gap = 14 + r.tail.width(r.end)
		}
		parts := r.style.wrap(r.text, maxLine)
		for i, p := range parts {
			o := row{text: p, style: r.style, tail: r.tail}
			if i == len(parts)-1 && r.style.width(p)+gap <= maxLine {
				o.end, gap = r.end, 0
			}
			out = append(out, o)
			w = max(w, r.style.width(o.text))
			if o.end != "" {
				w = max(w, r.style.width(o.text)+14+r.tail.width(o.end))
			}
		}
		if gap > 0 {
			for _, p := range r.tail.wrap(r.end, maxLine) {
				out = append(out, row{end: p, style: r.style, tail: r.tail})
				w = max(w, r.tail.width(p))
			}
		}
	}
	return block{w, lineHeight * len(out), func(c *canvas, x, y int) {
		for _, r := range out {
			c.text(r.style, x, y+13, r.text)
			c.textEnd(r.tail, x+w, y+13, r.end)
			y += lineHeight
		}
	}}
}

// ports are the rows of what a host runs.
func ports(runs []Process) []row {
	var list []row
	for _, p := range runs {
		list = append(list, row{shown(p.What), shown(p.At), styleText, stylePort})
	}
	return list
}

// headRows are the rows of what a host is called.
func headRows(h Host) []row {
	var list []row
	if h.Name != "" || h.Status != "" {
		list = append(list, row{shown(h.Name), shown(h.status()), styleName, styleNote})
	}
	if h.Address != "" {
		list = append(list, row{shown(h.Address), "", styleAddress, stylePort})
	}
	return list
}

const (
	cardPad  = 10
	framePad = 12
	minFrame = 140
	gridGap  = 8
)

// card is a host's box of a width of at least least px, and its size is that
// of its rows.
func card(h Host, list []row, least int) block {
	r := rows(list, least-2*cardPad)
	class := "card"
	if h.Status != "" {
		class = "card off"
	}
	return block{r.w + 2*cardPad, r.h + 2*cardPad - 4, func(c *canvas, x, y int) {
		fmt.Fprintf(c, "<g class=\"%s\" data-host=\"%s\">\n", class, html.EscapeString(shown(h.Name)))
		c.rect("box", x, y, r.w+2*cardPad, r.h+2*cardPad-4, 6)
		r.draw(c, x+cardPad, y+cardPad-2)
		c.WriteString("</g>\n")
	}}
}

// cards sets hosts in a grid, all boxes of one width and those of a line of one
// height.
func cards(hosts []Host, list func(Host) []row, least int) block {
	wide := gridColumns(len(hosts))
	w := (least - (wide-1)*gridGap) / wide
	for _, h := range hosts {
		w = max(w, card(h, list(h), 0).w)
	}
	var lines []block
	for len(hosts) > 0 {
		n := min(wide, len(hosts))
		var row []block
		height := 0
		for _, h := range hosts[:n] {
			b := card(h, list(h), w)
			row, height = append(row, b), max(height, b.h)
		}
		lines = append(lines, block{wide*w + (wide-1)*gridGap, height, func(c *canvas, x, y int) {
			for i, b := range row {
				b.draw(c, x+i*(w+gridGap), y)
			}
		}})
		hosts = hosts[n:]
	}
	return stack(gridGap, lines...)
}

// body is what stands in a group's frame, which is at least least px wide: its
// title, then its hosts.
func (g *Group) body(least int) block {
	title := row{text: shown(g.Title), style: styleLayer, tail: styleNote}
	if n := len(g.Hosts); n > 1 {
		title.end = fmt.Sprintf("%d hosts", n)
	}
	inner := func(least int) block {
		var blocks []block
		if g.stage != topology.AtVisitors { // the column says it
			blocks = append(blocks, rows([]row{title}, least))
		}
		var single []Host
		for _, s := range g.sections() {
			if !s.folded() && !g.Outside {
				single = append(single, s.hosts...)
			}
		}
		if len(single) > 0 {
			blocks = append(blocks, cards(single, func(h Host) []row { return append(append(headRows(h), ports(h.Runs)...), alsoRows(h)...) }, least))
		}
		for _, s := range g.sections() {
			switch {
			case g.Outside:
				h := s.hosts[0]
				list := headRows(h)
				if h.Name != "" {
					list[0].style = styleText
				}
				blocks = append(blocks, rows(append(list, ports(h.Runs)...), least))
			case s.folded():
				each := append(ports(s.runs), alsoRows(s.hosts[0])...)
				if len(each) > 0 {
					each = append([]row{{text: fmt.Sprintf("each of these %d:", len(s.hosts)), style: styleNote, tail: styleNote}}, each...)
					blocks = append(blocks, rows(each, min(least, 180)))
				}
				blocks = append(blocks, cards(s.hosts, headRows, least))
			}
		}
		return stack(gridGap, blocks...)
	}
	return inner(inner(max(minFrame, least) - 2*framePad).w) // once more, so that all have the width of the widest
}

// class is how a group's frame looks.
func (g *Group) class() string {
	class := fmt.Sprintf("frame s%d", g.stage)
	if g.Outside {
		class += " outside"
	}
	return class
}

func alsoRows(h Host) []row {
	var list []row
	for _, a := range h.also() {
		list = append(list, row{shown(a), "", styleNote, styleNote})
	}
	return list
}
