package input

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/plonec/plonec/internal/diag"
)

// report adds a diagnostic, with the values on its line masked: the schema,
// which knows what is secret, may never see this file. It returns false where
// there are so many that reading on is of no use.
func (r *reader) report(d diag.Diagnostic) bool {
	r.masker.spots = append(r.masker.spots, spot{d.Span.Start, r.mark})
	r.list.Add(d)
	if len(r.list) < maxMistakes {
		return true
	}
	r.list.Add(diag.Diagnostic{Code: "too-large", Span: d.Span,
		Message: fmt.Sprintf("the file has %d mistakes up to here; the rest is not read", maxMistakes)})
	return false
}

// syntax reports a mistake that ends the file; it returns false.
func (r *reader) syntax(start, end int, message, remedy string) bool {
	r.report(diag.Diagnostic{Code: "syntax", Span: diag.Span{File: r.file, Start: start, End: max(end, start+1)},
		Message: message, Remedy: remedy})
	return false
}

// limit reports that the file crosses a limit at start; it returns false.
func (r *reader) limit(start int, message string) bool {
	r.report(diag.Diagnostic{Code: "too-large", Span: diag.Span{File: r.file, Start: start, End: start + 1},
		Path: r.here(), Message: message})
	return false
}

func (r *reader) duplicate(second, first diag.Span) bool {
	return r.report(diag.Diagnostic{Code: "duplicate-key", Span: second, Path: r.here(),
		Message: fmt.Sprintf("given twice, first on line %d", first.Line()), Remedy: "keep one of the two"})
}

// here is the path of what is being read.
func (r *reader) here() string {
	path := ""
	for _, s := range r.path {
		if s.list {
			path = diag.JoinIndex(path, s.index)
		} else {
			path = diag.JoinKey(path, s.key)
		}
	}
	return path
}

// comment tells whether a comment of some language begins at pos, and reports it.
func (r *reader) comment() bool {
	rest := r.src[r.pos:]
	if r.next() == '#' || bytes.HasPrefix(rest, []byte("//")) || bytes.HasPrefix(rest, []byte("/*")) {
		r.syntax(r.pos, r.pos+1, "JSON has no comments", "take it away, or name the file .jsonnet")
		return true
	}
	return false
}

// noKey reports what stands where a key should, in the map that begins at start.
func (r *reader) noKey(start int) bool {
	c := r.next()
	switch {
	case r.pos == len(r.src):
		return r.unclosed(start, "map", "}")
	case r.comment():
		return false
	case c == '\'':
		return r.syntax(r.pos, r.pos+1, "JSON has no single quotes", `write the key in double quotes: "key"`)
	case isWord(c):
		return r.syntax(r.pos, r.pos+len(r.word(r.pos)), "a key must be in double quotes", `write "key"`)
	case c == ',':
		return r.syntax(r.pos, r.pos+1, "want a key, got a comma", "take the comma away")
	case c == ']':
		return r.mismatched(start, '}')
	}
	return r.syntax(r.pos, r.pos+1, "want a key in double quotes", `write "key": value`)
}

func (r *reader) noColon(key diag.Span) bool {
	switch c := r.next(); {
	case r.pos == len(r.src):
		return r.syntax(key.Start, key.End, "the file ends after this key", `write "key": value`)
	case c == '=':
		return r.syntax(r.pos, r.pos+1, "want a colon after a key, got =", "write :")
	case r.comment():
		return false
	}
	return r.syntax(key.Start, key.End, "want a colon after this key", `write "key": value`)
}

// noComma reports what stands where a comma or the closing bracket should;
// end is where the value before it ends.
func (r *reader) noComma(end int, closing byte) bool {
	c := r.next()
	switch {
	case r.comment():
		return false
	case c == '}' || c == ']':
		return r.mismatched(-1, closing)
	case c == ':' && closing == '}':
		return r.syntax(r.pos, r.pos+1, "a second colon", "a text with a colon must be in double quotes as a whole")
	case c == ':':
		return r.syntax(r.pos, r.pos+1, "a list has no keys", "write {…} for a map")
	case bytes.IndexByte(r.src[end:r.pos], '\n') >= 0:
		// On the line above, where the comma is missing.
		return r.syntax(end-1, end, "want a comma after this", "put a comma after it")
	}
	return r.syntax(r.pos, r.pos+1, "want a comma before this", "put a comma before it; a text must be in double quotes as a whole")
}

func (r *reader) mismatched(start int, want byte) bool {
	where := ""
	if start >= 0 {
		where = fmt.Sprintf(" for the one opened on line %d", r.file.Position(start).Line)
	}
	return r.syntax(r.pos, r.pos+1, fmt.Sprintf("want %c%s, got %c", want, where, r.src[r.pos]), fmt.Sprintf("write %c", want))
}

// unclosed points at the bracket that is never closed: the end of the file
// would say less.
func (r *reader) unclosed(start int, what, closing string) bool {
	return r.syntax(start, start+1, fmt.Sprintf("the file ends inside this %s", what), "close it with "+closing)
}

// otherWords are how other languages write what JSON has, or has not, and what
// to write instead.
var otherWords = map[string]string{
	"True": "write true", "TRUE": "write true", "yes": "write true", "Yes": "write true", "on": "write true",
	"False": "write false", "FALSE": "write false", "no": "write false", "No": "write false", "off": "write false",
	"None": "write null", "NULL": "write null", "nil": "write null", "undefined": "write null",
	"NaN": "JSON has no such number", "Infinity": "JSON has no such number", "inf": "JSON has no such number",
}

// noValue reports what stands where a value should. It names no word that is
// none of JSON's or another language's: it could be a secret without quotes.
func (r *reader) noValue() bool {
	c := r.next()
	word := r.word(r.pos)
	end := r.pos + max(len(word), 1)
	switch {
	case r.pos == len(r.src):
		return r.syntax(r.pos-1, r.pos, "the file ends where a value should stand", "write a value")
	case r.comment():
		return false
	case c == '\'':
		return r.syntax(r.pos, r.pos+1, "JSON has no single quotes", `write "…"`)
	case c == '`' || strings.HasPrefix(word, "“") || strings.HasPrefix(word, "‘"):
		return r.syntax(r.pos, r.pos+1, "these are no quotes of JSON", `write "…"`)
	case c == ',':
		return r.syntax(r.pos, end, "want a value, got a comma", "write a value, or take the comma away")
	case c == '}' || c == ']':
		return r.syntax(r.pos, end, fmt.Sprintf("want a value, got %c", c), "write a value")
	case c == ':':
		return r.syntax(r.pos, end, "want a value, got a colon", "write a value")
	case c == '+' || c == '.':
		return r.syntax(r.pos, end, "this is no number of JSON", "write digits first: 5, -5, 0.5")
	}
	if write, ok := otherWords[word]; ok {
		return r.syntax(r.pos, end, "want a value, got a bare word", write)
	}
	if word != "" {
		return r.syntax(r.pos, end, "want a value, got a bare word", "put a text in double quotes")
	}
	return r.syntax(r.pos, end, "want a value", "write a text in double quotes, a number, true, false, null, a list or a map")
}

// noNumber reports the malformed number at pos.
func (r *reader) noNumber(message, remedy string) bool {
	end := r.pos
	for end < len(r.src) && (isWord(r.src[end]) || strings.IndexByte("+-.", r.src[end]) >= 0) {
		end++
	}
	return r.syntax(r.pos, end, message, remedy)
}

// unexpectedEnd reports what follows the value that should be the whole file.
func (r *reader) unexpectedEnd() bool {
	switch c := r.next(); {
	case r.comment():
		return false
	case c == '}' || c == ']':
		return r.syntax(r.pos, r.pos+1, fmt.Sprintf("%c closes nothing", c), "take it away")
	}
	return r.syntax(r.pos, r.pos+1, "the file goes on after its end", "one file holds one map; give several files to merge them")
}
