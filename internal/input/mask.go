package input

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/plonec/plonec/internal/diag"
)

// maskReach is how far from a diagnostic its line is looked at; what of the
// line lies further away is masked whole.
const maskReach = 4096

// A spot is where a diagnostic points, and the beginning of a value before it
// from which its line can be cut into tokens.
type spot struct{ offset, mark int }

// A masker masks the values on the lines of diagnostics in a file. Shown are
// keys, punctuation, numbers, and words such as true and null; all else may
// be a secret, or a part of one that lacks its quotes.
type masker struct {
	file  *diag.File
	spots []spot
}

// run masks the lines of all spots.
func (m *masker) run() {
	src := m.file.Content
	slices.SortFunc(m.spots, func(a, b spot) int { return cmp.Compare(a.offset, b.offset) })
	done, end := 0, 0 // what is done with, and the end of its line
	for _, s := range m.spots {
		offset := min(s.offset, len(src))
		first := bytes.LastIndexByte(src[:offset], '\n') + 1
		last := len(src)
		if i := bytes.IndexByte(src[offset:], '\n'); i >= 0 {
			last = offset + i
		}
		if first >= end {
			m.mask(done, end)
			done = first
		}
		end = last
		if offset-first > maskReach {
			if from := min(s.mark, offset); from > done {
				m.mask(done, from)
				done = from
			}
		}
		for done < min(last, offset+maskReach) {
			i, shown := tokenAt(src[:last], done)
			if !shown {
				m.mask(done, i)
			}
			done = i
		}
	}
	m.mask(done, end)
}

func (m *masker) mask(start, end int) {
	diag.Span{File: m.file, Start: start, End: end}.Mask()
}

// tokenAt returns the end of the token of a line that begins at i and whether it
// may be shown. The line need not be well-formed.
func tokenAt(line []byte, i int) (end int, shown bool) {
	switch c := line[i]; {
	case c == '"' || c == '\'':
		end, closed := quoted(line, i)
		return end, closed && plainKey(line[i+1:end-1]) && isKey(line[end:])
	case isWord(c) || c == '-' || c == '+' || c == '.':
		for end = i; end < len(line) && bytes.IndexByte([]byte(" \t\r{}[],:"), line[end]) < 0; end++ {
			if line[end] == '"' || line[end] == '\'' {
				break
			}
		}
		word := string(line[i:end])
		_, other := otherWords[word]
		switch {
		case word == "true" || word == "false" || word == "null" || other:
			return end, true
		case isNumber(word):
			beside := i > 0 && (line[i-1] == '"' || line[i-1] == '\'') || end < len(line) && (line[end] == '"' || line[end] == '\'')
			return end, !beside
		}
		return end, plainKey(line[i:end]) && isKey(line[end:])
	case bytes.IndexByte([]byte(" \t\r{}[],:=/#*"), c) >= 0:
		return i + 1, true
	}
	return i + 1, false
}

// quoted returns the end of the quoted text at i, which is that of the line
// where nothing closes it.
func quoted(line []byte, i int) (end int, closed bool) {
	quote := line[i]
	for i++; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case quote:
			return i + 1, true
		}
	}
	return len(line), false
}

// plainKey tells whether a text reads as a key: text between the quotes of two
// other texts does not.
func plainKey(text []byte) bool {
	for _, c := range text {
		if !isWord(c) && c != '-' && c != '.' && c != '$' && c != ':' {
			return false
		}
	}
	return len(text) > 0
}

// isKey tells whether a colon comes next, or what is written in its place.
func isKey(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t")
	return len(rest) > 0 && (rest[0] == ':' || rest[0] == '=')
}

func isNumber(word string) bool {
	digits := false
	for i, c := range word {
		switch {
		case '0' <= c && c <= '9':
			digits = true
		case c == '.' || digits && (c == 'e' || c == 'E'):
		case (c == '-' || c == '+') && (i == 0 || word[i-1] == 'e' || word[i-1] == 'E'):
		default:
			return false
		}
	}
	return digits
}
