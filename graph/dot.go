package graph

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"strings"
)

// DOT writes the graph in the language of Graphviz.
func (g *Graph) DOT() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `digraph {
  graph [label=<%s>, labelloc=t, fontsize=18, fontname="Helvetica,Arial,sans-serif", rankdir=LR, ranksep=1, nodesep=0.4]
  node [shape=plain, fontsize=11, fontname="Helvetica,Arial,sans-serif"]
  edge [fontsize=10, fontname="Helvetica,Arial,sans-serif", color="#57606a"]
`, dot(g.Title))
	for _, c := range g.Columns {
		b.WriteString("  { rank=same\n")
		for _, group := range c.Groups {
			fmt.Fprintf(&b, "    %s [label=<%s>]\n", group.ID, group.dot())
		}
		b.WriteString("  }\n")
	}
	for _, l := range g.Links {
		fmt.Fprintf(&b, "  %s -> %s", l.From.ID, l.To.ID)
		if l.Label != "" {
			fmt.Fprintf(&b, " [label=<%s>]", dot(l.Label))
		}
		b.WriteString("\n")
	}
	b.WriteString("}\n")
	return []byte(b.String())
}

const (
	dotFrame  = `<table cellborder="0" cellspacing="6" color="#d1d9e0" bgcolor="#f6f8fa"%s>`
	dotTable  = `<table border="0" cellborder="0" cellspacing="0">`
	dotCell   = `<td border="1" align="left" cellpadding="4" color="#d1d9e0" bgcolor="#ffffff"%s>%s</td>`
	dotDashed = ` style="dashed"`
)

// dot is a group as a table: its title, then its hosts.
func (g *Group) dot() string {
	var b strings.Builder
	style := ""
	if g.Outside {
		style = dotDashed
	}
	fmt.Fprintf(&b, dotFrame+"\n      <tr><td><b>%s</b></td></tr>", style, dot(g.Title))
	row := func(cell string) { fmt.Fprintf(&b, "\n      <tr>%s</tr>", cell) }
	for _, s := range g.sections() {
		switch {
		case g.Outside:
			for _, l := range append(g.Hosts[0].head(), lines(g.Hosts[0].Runs)...) {
				row("<td>" + dot(l) + "</td>")
			}
		case s.folded():
			row(`<td align="left">` + dotLines(append([]string{fmt.Sprintf("%d hosts, on each:", len(s.hosts))}, append(lines(s.runs), s.hosts[0].also()...)...)) + "</td>")
			row("<td>" + dotGrid(s.hosts) + "</td>")
		default:
			for _, h := range s.hosts {
				row(dotHost(h, append(lines(h.Runs), h.also()...)))
			}
		}
	}
	b.WriteString("</table>")
	return b.String()
}

// dotGrid lists hosts in columns.
func dotGrid(hosts []Host) string {
	var b strings.Builder
	b.WriteString(strings.Replace(dotTable, `cellspacing="0"`, `cellspacing="3"`, 1))
	wide := gridColumns(len(hosts))
	for i, h := range hosts {
		if i%wide == 0 {
			b.WriteString("<tr>")
		}
		b.WriteString(dotHost(h, nil))
		if i%wide == wide-1 || i == len(hosts)-1 {
			b.WriteString("</tr>")
		}
	}
	b.WriteString("</table>")
	return b.String()
}

func dotHost(h Host, text []string) string {
	head := h.head()
	style, first := "", "<b>"+dot(head[0])+"</b>"
	if h.Status != "" {
		style, first = dotDashed, dot(head[0])
	}
	first += dotBreak + dotLines(append(head[1:], text...))
	return fmt.Sprintf(dotCell, style, first)
}

const dotBreak = `<br align="left"/>`

func dotLines(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(dot(l) + dotBreak)
	}
	return b.String()
}

// dot escapes a text for a label of Graphviz that is like HTML. A backslash
// begins an escape there too, and no element may be empty.
func dot(s string) string {
	return cmp.Or(strings.ReplaceAll(html.EscapeString(shown(s)), `\`, "&#92;"), " ")
}

// gridColumns is how many columns a list of n hosts has, so that it is a
// little taller than wide.
func gridColumns(n int) int { return int(math.Ceil(math.Sqrt(float64(n)) / 2)) }
