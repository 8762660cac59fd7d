package diag

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
)

// A Position is a place in a text. Both count from 1; Col counts characters
// (Unicode code points), a tab as one.
type Position struct{ Line, Col int }

// blockSize is the distance in bytes at which a file remembers how many
// characters came before, so that a column in a long line is found at once.
const blockSize = 4096

// index builds the tables of lines and characters once, when a place is first
// asked for.
func (f *File) index() {
	f.once.Do(func() {
		f.starts = []int{0}
		count := 0
		for i, b := range f.Content {
			if i%blockSize == 0 {
				f.runes = append(f.runes, count)
			}
			if b&0xC0 != 0x80 {
				count++
			}
			if b == '\n' {
				f.starts = append(f.starts, i+1)
			}
		}
		f.runes = append(f.runes, count)
	})
}

// charsBefore counts the characters before a byte offset. A byte that cannot
// begin a character does not count, so that bad UTF-8 needs no second rule.
func (f *File) charsBefore(offset int) int {
	block := offset / blockSize
	n := f.runes[block]
	for _, b := range f.Content[block*blockSize : offset] {
		if b&0xC0 != 0x80 {
			n++
		}
	}
	return n
}

// Position returns the place of a byte offset; one beyond the text is its end.
func (f *File) Position(offset int) Position {
	f.index()
	offset = min(max(offset, 0), len(f.Content))
	line := sort.SearchInts(f.starts, offset+1) - 1
	return Position{line + 1, f.charsBefore(offset) - f.charsBefore(f.starts[line]) + 1}
}

// Line returns the number of the line of the span's beginning, from 1, or 0
// where the span has no place.
func (s Span) Line() int {
	if !s.HasPlace() {
		return 0
	}
	return s.File.Position(s.Start).Line
}

// Offset returns the byte offset of a place whose column counts bytes, as the
// positions of other parsers do. A place outside the text is moved into it.
func (f *File) Offset(line, byteCol int) int {
	f.index()
	line = min(max(line, 1), len(f.starts))
	_, end := f.lineBounds(f.starts[line-1])
	return min(f.starts[line-1]+max(byteCol-1, 0), end)
}

// lineBounds returns the first byte of the line that holds offset and the byte
// after its last, its line end left out.
func (f *File) lineBounds(offset int) (start, end int) {
	f.index()
	line := sort.SearchInts(f.starts, offset+1) - 1
	start, end = f.starts[line], len(f.Content)
	if line+1 < len(f.starts) {
		end = f.starts[line+1] - 1
		if end > start && f.Content[end-1] == '\r' {
			end--
		}
	}
	return start, end
}

// masked returns the masks, sorted, and merged where they overlap or touch.
func (f *File) masked() []Span {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tidy {
		return f.masks
	}
	f.masks, f.tidy = f.merge(f.masks), true
	return f.masks
}

// merge sorts masks and joins those that overlap or touch.
func (f *File) merge(masks []Span) []Span {
	sorted := slices.Clone(masks)
	slices.SortFunc(sorted, func(a, b Span) int { return cmp.Compare(a.Start, b.Start) })
	var merged []Span
	for _, m := range sorted {
		m.Start, m.End = max(m.Start, 0), min(m.End, len(f.Content))
		switch last := len(merged) - 1; {
		case m.Start >= m.End:
		case last >= 0 && m.Start <= merged[last].End:
			merged[last].End = max(merged[last].End, m.End)
		default:
			merged = append(merged, m)
		}
	}
	return merged
}

// Bounds on what repeats looks for: shorter texts stand anywhere by chance.
const (
	minRepeat  = 8 // bytes
	maxRepeats = 1000
)

// repeats returns the masks, with every place between from and to in which the
// text of a mask stands once more: a secret that is known in one place is none
// the less one in another.
func (f *File) repeats(from, to int) []Span {
	masks := f.masked()
	from, to = max(from, 0), min(to, len(f.Content))
	all := slices.Clone(masks)
	for _, m := range masks[:min(len(masks), maxRepeats)] {
		text := f.Content[m.Start:m.End]
		if len(text) < minRepeat+2 || text[0] != '"' && text[0] != '\'' {
			continue // no text
		}
		if text = bytes.Trim(text, `"'`); len(text) < minRepeat {
			continue
		}
		for at := from; at < to; {
			i := bytes.Index(f.Content[at:to], text)
			if i < 0 {
				break
			}
			all = append(all, Span{File: f, Start: at + i, End: at + i + len(text)})
			at += i + len(text)
		}
	}
	if len(all) == len(masks) {
		return masks
	}
	return f.merge(all)
}
