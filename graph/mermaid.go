package graph

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Mermaid writes the graph as a flowchart of Mermaid.
func (g *Graph) Mermaid() []byte {
	var b strings.Builder
	title, _ := json.Marshal(shown(g.Title)) // a text of JSON is one of YAML
	fmt.Fprintf(&b, "---\ntitle: %s\n---\nflowchart LR\n", strings.ReplaceAll(string(title), "%", `\u0025`))
	var outside, off []string
	for _, c := range g.Columns {
		for _, group := range c.Groups {
			if group.Outside {
				fmt.Fprintf(&b, "  %s([\"%s\"])\n", group.ID, mermaidLines(append(append([]string{group.Title}, group.Hosts[0].head()...), lines(group.Hosts[0].Runs)...)))
				outside = append(outside, group.ID)
				continue
			}
			fmt.Fprintf(&b, "  subgraph %s[\"%s\"]\n    direction TB\n", group.ID, mermaid(group.Title))
			n := 0
			node := func(text []string) string {
				n++
				id := fmt.Sprintf("%sn%d", group.ID, n)
				fmt.Fprintf(&b, "    %s[\"%s\"]\n", id, mermaidLines(text))
				return id
			}
			for _, s := range group.sections() {
				if s.folded() {
					node(append(append([]string{fmt.Sprintf("%d hosts, on each:", len(s.hosts))}, lines(s.runs)...), names(s.hosts, 4)...))
					continue
				}
				for _, h := range s.hosts {
					text := append([]string{strings.Join(h.head(), " ")}, lines(h.Runs)...)
					if id := node(append(text, h.also()...)); h.Status != "" {
						off = append(off, id)
					}
				}
			}
			b.WriteString("  end\n")
		}
	}
	for _, l := range g.Links {
		label := ""
		if l.Label != "" {
			label = `|"` + mermaid(l.Label) + `"|`
		}
		fmt.Fprintf(&b, "  %s -->%s %s\n", l.From.ID, label, l.To.ID)
	}
	for _, class := range []struct {
		name, style string
		ids         []string
	}{{"outside", "stroke-dasharray:2 3", outside}, {"off", "stroke-dasharray:6 4,opacity:0.6", off}} {
		if len(class.ids) > 0 {
			fmt.Fprintf(&b, "  classDef %s %s\n  class %s %s\n", class.name, class.style, strings.Join(class.ids, ","), class.name)
		}
	}
	return []byte(b.String())
}

// names lists hosts, perLine of them in a line, with the status of those that
// are not online.
func names(hosts []Host, perLine int) []string {
	var list []string
	for i, h := range hosts {
		name := h.Name
		if h.Status != "" {
			name += " (" + h.status() + ")"
		}
		if i%perLine == 0 {
			list = append(list, name)
		} else {
			list[len(list)-1] += ", " + name
		}
	}
	return list
}

// also names the layers that add to a host's own.
func (h Host) also() []string {
	if len(h.Also) == 0 {
		return nil
	}
	return []string{"also in " + strings.Join(h.Also, ", ")}
}

func mermaidLines(lines []string) string {
	list := make([]string, len(lines))
	for i, l := range lines {
		list[i] = mermaid(l)
	}
	return strings.Join(list, "<br/>")
}

// mermaid escapes a text for a quoted label: what may mean anything to
// Mermaid, to Markdown or to HTML is written by its number.
func mermaid(s string) string {
	var b strings.Builder
	text := shown(s)
	for i, r := range text {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r >= 0xA0 || strings.ContainsRune(" ,:/()-", r) ||
			r == '.' && !strings.HasPrefix(text[i+1:], " ") || // "1. " begins a list
			r == '_' && i > 0 && i+1 < len(text) && !strings.ContainsAny(text[i-1:i]+text[i+1:i+2], " _")
		if plain {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
