package diag

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// A cell is a character of a source line, or a masked value, as it is shown.
type cell struct {
	text       string
	width      int // columns
	start, end int // bytes of the file
}

// snippet returns the source line of a span, cropped to width columns around
// the span's beginning, with the columns before the caret and the number of
// carets. Only the part that is shown is looked at: a line may be very long.
func snippet(span Span, width int) (line string, indent, carets int) {
	f := span.File
	offset := min(span.Start, len(f.Content))
	first, last := f.lineBounds(offset)
	offset = min(offset, last)
	w := window{f, f.repeats(max(first, offset-8*width), min(last, offset+8*width)), first, last}
	if m, ok := w.maskAt(offset); ok {
		offset = m.Start
	}
	right, more := w.right(offset, width)
	left, before := w.left(offset, width)

	// Where the line is too long the caret stands a third into it, or further
	// where little follows.
	leftKeep := min(sum(left), max(width/3, width-sum(right)))
	left, cutLeft := crop(left, leftKeep)
	right, cutRight := crop(right, width-sum(left))

	var b strings.Builder
	if before || cutLeft {
		b.WriteString("…")
		indent++
	}
	for i := len(left) - 1; i >= 0; i-- {
		b.WriteString(left[i].text)
		indent += left[i].width
	}
	for _, c := range right {
		b.WriteString(c.text)
		if c.start < max(span.End, offset+1) {
			carets += c.width
		}
	}
	if more || cutRight {
		b.WriteString("…")
	}
	return b.String(), indent, max(carets, 1) // below the end of a line too
}

// A window reads a line, from first to before last, outwards from a place.
type window struct {
	file        *File
	masks       []Span
	first, last int
}

// maskAt returns the mask that hides the byte at offset, cut to the line.
func (w window) maskAt(offset int) (Span, bool) {
	i := sort.Search(len(w.masks), func(i int) bool { return w.masks[i].End > offset })
	if i == len(w.masks) || w.masks[i].Start > offset {
		return Span{}, false
	}
	m := w.masks[i]
	m.Start, m.End = max(m.Start, w.first), min(m.End, w.last)
	return m, m.Start < m.End
}

// right returns the cells from offset on, nearest first, and whether it left
// any off.
func (w window) right(offset, width int) (cells []cell, more bool) {
	total := 0
	for offset < w.last {
		if total > width || len(cells) > 4*width {
			return cells, true
		}
		var c cell
		if m, ok := w.maskAt(offset); ok {
			c = cell{mask, len(mask), m.Start, m.End}
		} else {
			// Four bytes hold any character.
			text, columns, size := glyph(string(w.file.Content[offset:min(offset+4, w.last)]))
			c = cell{text, columns, offset, offset + size}
		}
		cells = append(cells, c)
		total += c.width
		offset = c.end
	}
	return cells, false
}

// left returns the cells before offset, nearest first, and whether it left any
// off.
func (w window) left(offset, width int) (cells []cell, more bool) {
	total := 0
	for offset > w.first {
		if total > width || len(cells) > 4*width {
			return cells, true
		}
		var c cell
		if m, ok := w.maskAt(offset - 1); ok {
			c = cell{mask, len(mask), m.Start, m.End}
		} else {
			_, size := utf8.DecodeLastRune(w.file.Content[w.first:offset])
			text, columns, _ := glyph(string(w.file.Content[offset-size : offset]))
			c = cell{text, columns, offset - size, offset}
		}
		cells = append(cells, c)
		total += c.width
		offset = c.start
	}
	return cells, false
}

func sum(cells []cell) int {
	n := 0
	for _, c := range cells {
		n += c.width
	}
	return n
}

// crop keeps the first cells that fit into width columns, always one.
func crop(cells []cell, width int) (kept []cell, cut bool) {
	total := 0
	for i, c := range cells {
		total += c.width
		if total > width && i > 0 {
			return cells[:i], true
		}
	}
	return cells, false
}
