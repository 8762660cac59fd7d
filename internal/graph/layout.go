package graph

import (
	"cmp"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/topology"
)

// Room between what stands beside one another, in px.
const (
	margin     = 24
	groupGap   = 28
	portGap    = 20 // between the ends of lines on one side of a frame
	trackGap   = 12 // between lines that run down beside one another
	laneGap    = 14 // between lines that run below the frames
	stub       = 16 // of a line before its first corner
	arrow      = 7
	labelStart = 14 // from the frame
)

// A side of a frame.
type side int

const (
	left side = iota
	right
)

// A place is where a group's frame stands.
type place struct {
	group      *Group
	body       block
	column     int
	x, y, w, h int
	ports      [2][]*port // by side, from the top
}

func (p *place) middle() int { return p.y + p.h/2 }

// A port is an end of a wire at a frame.
type port struct {
	at   *place
	wire *wire
	in   bool
	y    int
}

// A wire is all links to one group, with one label, from one column. They
// share their end and the line that runs down beside the frames.
type wire struct {
	kind    Kind
	label   string
	from    []*port
	to      *port
	out, in int    // gutters: 0 is right of the first column
	x       [2]int // where it runs up or down in these
	lane    int    // y of the line below the frames, where out is not in
}

func (w *wire) long() bool { return w.out != w.in }

// straight tells whether all its lines go to their end without a corner.
func (w *wire) straight() bool {
	back := w.from[0].at.column == w.to.at.column
	return !back && !w.long() && !slices.ContainsFunc(w.from, func(p *port) bool { return p.y != w.to.y })
}

// levels are the heights at which a wire leaves its upright line in a gutter,
// to either side.
func (w *wire) levels(gutter int) (toLeft, toRight []int) {
	add := func(column, y int) {
		if column == gutter {
			toLeft = append(toLeft, y)
		} else {
			toRight = append(toRight, y)
		}
	}
	if w.out == gutter {
		for _, p := range w.from {
			add(p.at.column, p.y)
		}
	}
	if w.in == gutter {
		add(w.to.at.column, w.to.y)
	}
	if w.long() && (w.out == gutter) == (w.out < w.in) {
		toRight = append(toRight, w.lane)
	} else if w.long() {
		toLeft = append(toLeft, w.lane)
	}
	return toLeft, toRight
}

// crossings counts where two wires cross in a gutter, a's upright line being
// left of b's.
func crossings(gutter int, a, b *wire) int {
	n := 0
	cross := func(levels, upright []int) {
		for _, y := range levels {
			if y >= slices.Min(upright) && y <= slices.Max(upright) {
				n++
			}
		}
	}
	aLeft, aRight := a.levels(gutter)
	bLeft, bRight := b.levels(gutter)
	cross(aRight, append(bLeft, bRight...))
	cross(bLeft, append(aLeft, aRight...))
	return n
}

// A layout is where everything stands.
type layout struct {
	places  map[*Group]*place
	columns []struct{ x, w int }
	wires   []*wire
	w, h    int
	top     int // of the frames
}

func (g *Graph) layout() *layout {
	l := &layout{places: map[*Group]*place{}}
	for i, c := range g.Columns {
		w := styleStage.width(stageTitle(c.Stage))
		for _, group := range c.Groups {
			w = max(w, group.body(0).w+2*framePad)
		}
		for _, group := range c.Groups {
			body := group.body(w)
			l.places[group] = &place{group: group, body: body, column: i, w: w, h: body.h + 2*framePad - 4}
		}
		l.columns = append(l.columns, struct{ x, w int }{0, w})
	}
	l.wire(g.Links)
	l.rows(g)
	l.aim()
	l.gutters(g)
	return l
}

func stageTitle(s topology.Stage) string { return strings.ToUpper(s.Title()) }

// wire bundles the links.
func (l *layout) wire(links []Link) {
	type key struct {
		to     *Group
		label  string
		kind   Kind
		column int
	}
	wires := map[key]*wire{}
	for _, k := range links {
		from, to := l.places[k.From], l.places[k.To]
		at := key{k.To, k.Label, k.Kind, from.column}
		w := wires[at]
		outSide, inSide := right, right
		if from.column < to.column {
			inSide = left
		}
		if from.column > to.column {
			outSide = left
		}
		if w == nil {
			w = &wire{kind: k.Kind, label: k.Label, out: from.column, in: to.column}
			if outSide == left {
				w.out--
			}
			if inSide == left {
				w.in--
			}
			w.to = &port{at: to, wire: w, in: true}
			to.ports[inSide] = append(to.ports[inSide], w.to)
			wires[at] = w
			l.wires = append(l.wires, w)
		}
		p := &port{at: from, wire: w}
		w.from = append(w.from, p)
		from.ports[outSide] = append(from.ports[outSide], p)
	}
}

// rows places the frames of each column below one another, the columns' middles
// at one height. A frame is high enough for its ports.
func (l *layout) rows(g *Graph) {
	l.top = margin + 76
	tallest := 0
	heights := make([]int, len(g.Columns))
	for i, c := range g.Columns {
		for k, group := range c.Groups {
			p := l.places[group]
			p.h = max(p.h, (1+max(len(p.ports[left]), len(p.ports[right])))*portGap)
			if k > 0 {
				heights[i] += groupGap
			}
			heights[i] += p.h
		}
		tallest = max(tallest, heights[i])
	}
	for i, c := range g.Columns {
		y := l.top + (tallest-heights[i])/2
		for _, group := range c.Groups {
			p := l.places[group]
			p.y = y
			y += p.h + groupGap
		}
	}
	lane := l.top + tallest
	for _, w := range l.wires {
		if w.long() {
			lane += laneGap
			w.lane = lane + laneGap
		}
	}
	l.h = lane + margin
	if lane > l.top+tallest {
		l.h += laneGap
	}
}

// aim sets the ports: in the order of what they lead to, and each that can at
// the height of the other end, so that its line is straight.
func (l *layout) aim() {
	other := func(p *port) int {
		switch {
		case p.wire.long():
			return 1 << 30 // they come from below
		case p.in:
			sum := 0
			for _, f := range p.wire.from {
				sum += f.at.middle()
			}
			return sum / len(p.wire.from)
		}
		return p.wire.to.at.middle()
	}
	for _, p := range l.places {
		for _, ports := range p.ports {
			slices.SortStableFunc(ports, func(a, b *port) int {
				return cmp.Or(cmp.Compare(other(a), other(b)), cmp.Compare(a.wire.kind, b.wire.kind), strings.Compare(a.wire.label, b.wire.label))
			})
			gap := max(portGap, min(2*portGap, p.h/(len(ports)+1)))
			for i, q := range ports {
				q.y = p.middle() + (2*i-len(ports)+1)*gap/2
			}
		}
	}
	for _, p := range l.places {
		for _, ports := range p.ports {
			for i, q := range ports {
				low, high := p.y+portGap/2, p.y+p.h-portGap/2
				if i > 0 {
					low = ports[i-1].y + portGap
				}
				if i < len(ports)-1 {
					high = ports[i+1].y - portGap
				}
				if y := q.wire.to.y; !q.in && !q.wire.long() && y >= low && y <= high {
					q.y = y
				}
			}
		}
	}
}

// gutters gives the lines between the columns their places, and the columns
// theirs.
func (l *layout) gutters(g *Graph) {
	x := margin
	for i := range l.columns {
		l.columns[i].x = x
		x += l.columns[i].w
		var tracks []*wire
		var toRight, toLeft, busy int // widths of labels at the right sides before, at the left sides behind
		for _, w := range l.wires {
			if w.in == i {
				room := labelStart + styleNote.width(w.label)
				if w.to.at.column == i {
					toRight = max(toRight, room)
				} else {
					toLeft = max(toLeft, room)
				}
			}
			if w.in == i || w.out == i {
				busy++
				if !w.straight() {
					tracks = append(tracks, w)
				}
			}
		}
		if busy == 0 {
			if i < len(l.columns)-1 {
				x += margin
			}
			continue
		}
		for range tracks { // until no swap of neighbours spares a crossing
			for k := 1; k < len(tracks); k++ {
				if a, b := tracks[k-1], tracks[k]; crossings(i, b, a) < crossings(i, a, b) {
					tracks[k-1], tracks[k] = b, a
				}
			}
		}
		x += stub + toRight
		for k, w := range tracks {
			at := 0
			if w.in == i && w.long() {
				at = 1
			}
			w.x[at] = x + k*trackGap
		}
		if len(tracks) > 0 {
			x += (len(tracks)-1)*trackGap + stub
		}
		x += toLeft
	}
	for i, c := range g.Columns {
		for _, group := range c.Groups {
			l.places[group].x = l.columns[i].x
		}
	}
	l.w = x + margin
}
