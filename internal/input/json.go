package input

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/plonec/plonec/internal/diag"
)

// ReadJSON reads a JSON text into a tree with positions. It accepts less than
// encoding/json does: no key twice, no lone surrogates, and nothing beyond the
// limits (MaxBytes and so on). A mistake that leaves the rest readable, such
// as a duplicate key, is reported and reading goes on: the tree is nil only
// where the text cannot be read to its end. The values on the line of each
// diagnostic are masked.
func ReadJSON(file *diag.File) (*Node, diag.List) {
	r := &reader{file: file, src: file.Content, masker: masker{file: file}}
	defer r.masker.run()
	if !r.readable() {
		return nil, r.list
	}
	r.text = string(r.src)
	r.skipSpace()
	if r.pos == len(r.src) {
		r.list.Add(diag.Diagnostic{Code: "syntax", Span: diag.Span{File: file}, Message: "the file is empty", Remedy: "write {}"})
		return nil, r.list
	}
	node, ok := r.value()
	if !ok {
		return nil, r.list
	}
	r.skipSpace()
	if r.pos < len(r.src) {
		r.unexpectedEnd()
		return nil, r.list
	}
	return node, r.list
}

// A reader is the state of reading one file. Its methods return false once a
// mistake has been reported after which the text cannot be read on.
type reader struct {
	file *diag.File
	src  []byte
	text string // src, of which texts and numbers are parts
	pos  int
	list diag.List

	path   []step
	values int
	nodes  []Node  // not yet used
	fields []Field // of the maps that are still open
	items  []*Node // of the lists that are still open

	// Beginnings of tokens some way back, from which masking starts: a line may
	// be as long as the file.
	mark, nextMark int
	masker         masker
}

// A step is a key or, where it is negative, an index of a list.
type step struct {
	key   string
	index int
	list  bool
}

// readable checks what must hold of the text as a whole.
func (r *reader) readable() bool {
	if len(r.src) > MaxBytes {
		r.list.Add(diag.Diagnostic{Code: "too-large", Span: diag.Span{File: r.file},
			Message: fmt.Sprintf("the file has more than %d MiB", MaxBytes>>20)})
		return false
	}
	if bytes.HasPrefix(r.src, []byte{0xFE, 0xFF}) || bytes.HasPrefix(r.src, []byte{0xFF, 0xFE}) {
		r.list.Add(diag.Diagnostic{Code: "syntax", Span: diag.Span{File: r.file},
			Message: "the file is UTF-16", Remedy: "save it as UTF-8"})
		return false
	}
	if bytes.HasPrefix(r.src, []byte("\uFEFF")) {
		return r.syntax(0, 3, "the file begins with a byte order mark", "save it as UTF-8 without one")
	}
	if utf8.Valid(r.src) {
		return true
	}
	for r.pos = 0; ; {
		c, size := utf8.DecodeRune(r.src[r.pos:])
		if c == utf8.RuneError && size == 1 {
			return r.syntax(r.pos, r.pos+1, "this is not UTF-8", "save the file as UTF-8")
		}
		r.pos += size
	}
}

func (r *reader) skipSpace() {
	for r.pos < len(r.src) {
		switch r.src[r.pos] {
		case ' ', '\n', '\t', '\r':
			r.pos++
		default:
			return
		}
	}
}

// next returns the first byte after white space, 0 at the end of the file.
func (r *reader) next() byte {
	r.skipSpace()
	if r.pos < len(r.src) {
		return r.src[r.pos]
	}
	return 0
}

func (r *reader) node(kind Kind, start int, text string) *Node {
	if len(r.nodes) == 0 {
		r.nodes = make([]Node, 256)
	}
	n := &r.nodes[0]
	r.nodes = r.nodes[1:]
	n.Kind, n.Span, n.Text = kind, diag.Span{File: r.file, Start: start, End: r.pos}, text
	return n
}

// value reads the value that begins at pos, which is no white space.
func (r *reader) value() (*Node, bool) {
	if r.pos-r.nextMark > 2048 {
		r.mark, r.nextMark = r.nextMark, r.pos
	}
	start := r.pos
	if r.values++; r.values > MaxValues {
		return nil, r.limit(start, fmt.Sprintf("the file has more than %d values", MaxValues))
	}
	switch c := r.src[start]; {
	case c == '{':
		return r.open(start, r.mapValue)
	case c == '[':
		return r.open(start, r.listValue)
	case c == '"':
		text, ok := r.str()
		if !ok {
			return nil, false
		}
		return r.node(String, start, text), true
	case c == '-' || '0' <= c && c <= '9':
		return r.number()
	}
	for _, w := range [...]struct {
		text string
		kind Kind
	}{{"true", Bool}, {"false", Bool}, {"null", Null}} {
		if word := r.word(start); word == w.text {
			r.pos += len(word)
			if w.kind == Null {
				return r.node(Null, start, ""), true
			}
			return r.node(Bool, start, w.text), true
		}
	}
	return nil, r.noValue()
}

func (r *reader) open(start int, read func(int) (*Node, bool)) (*Node, bool) {
	if len(r.path) >= MaxDepth {
		return nil, r.limit(start, fmt.Sprintf("maps and lists are more than %d deep", MaxDepth))
	}
	r.pos++
	r.path = append(r.path, step{})
	n, ok := read(start)
	r.path = r.path[:len(r.path)-1]
	return n, ok
}

func (r *reader) mapValue(start int) (*Node, bool) {
	base, here := len(r.fields), len(r.path)-1
	var index map[string]int
	for first := true; ; first = false {
		c := r.next()
		if c == '}' && first {
			break
		}
		if c != '"' {
			return nil, r.noKey(start)
		}
		keyStart := r.pos
		key, ok := r.str()
		if !ok {
			return nil, false
		}
		span := diag.Span{File: r.file, Start: keyStart, End: r.pos}
		r.path[here] = step{key: key}
		at := -1
		if index != nil {
			if i, ok := index[key]; ok {
				at = base + i
			}
		} else {
			for i := base; i < len(r.fields); i++ {
				if r.fields[i].Key == key {
					at = i
					break
				}
			}
		}
		if at >= 0 && !r.duplicate(span, r.fields[at].Span) {
			return nil, false
		}
		if r.next() != ':' {
			return nil, r.noColon(span)
		}
		r.pos++
		if r.next() == 0 && r.pos == len(r.src) {
			return nil, r.unclosed(start, "map", "}")
		}
		value, ok := r.value()
		if !ok {
			return nil, false
		}
		field := Field{Key: key, Span: span, Value: value}
		if at >= 0 { // the last one counts, as it does for other readers
			r.fields[at] = field
		} else {
			r.fields = append(r.fields, field)
			switch n := len(r.fields) - base; {
			case n > MaxSiblings:
				return nil, r.limit(keyStart, fmt.Sprintf("a map has more than %d entries", MaxSiblings))
			case index != nil:
				index[key] = n - 1
			case n > indexFrom:
				index = indexOf(r.fields[base:])
			}
		}
		more, ok := r.separator(start, '}', "map")
		if !ok {
			return nil, false
		}
		if !more {
			break
		}
	}
	r.pos++
	n := r.node(Map, start, "")
	n.Fields = append([]Field(nil), r.fields[base:]...)
	n.index = index
	clear(r.fields[base:])
	r.fields = r.fields[:base]
	return n, true
}

func (r *reader) listValue(start int) (*Node, bool) {
	base, here := len(r.items), len(r.path)-1
	for i := 0; ; i++ {
		c := r.next()
		if c == ']' && i == 0 {
			break
		}
		if r.pos == len(r.src) {
			return nil, r.unclosed(start, "list", "]")
		}
		r.path[here] = step{index: i, list: true}
		value, ok := r.value()
		if !ok {
			return nil, false
		}
		r.items = append(r.items, value)
		if i >= MaxSiblings {
			return nil, r.limit(value.Span.Start, fmt.Sprintf("a list has more than %d entries", MaxSiblings))
		}
		more, ok := r.separator(start, ']', "list")
		if !ok {
			return nil, false
		}
		if !more {
			break
		}
	}
	r.pos++
	n := r.node(List, start, "")
	n.Items = append([]*Node(nil), r.items[base:]...)
	clear(r.items[base:])
	r.items = r.items[:base]
	return n, true
}

// separator reads the comma after an entry and tells whether another entry
// follows. It leaves the closing bracket to its caller.
func (r *reader) separator(start int, closing byte, what string) (more, ok bool) {
	end := r.pos
	switch c := r.next(); {
	case c == closing:
		return false, true
	case c != ',':
		if r.pos == len(r.src) {
			return false, r.unclosed(start, what, string(closing))
		}
		return false, r.noComma(end, closing)
	}
	comma := r.pos
	r.pos++
	if c := r.next(); c == closing {
		return false, r.syntax(comma, comma+1, "no comma may follow the last entry", "take the comma away")
	}
	return true, true
}
