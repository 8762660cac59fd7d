package input

import (
	"bytes"

	"github.com/plonec/plonec/internal/diag"
)

// maskTexts masks the texts and comments of a Jsonnet or CUE program, keys
// and imports apart. It knows both languages' quotes and no more: where it errs it masks
// too much. A quote that is amiss turns inside out, which is why the line of a
// syntax error is masked by a masker as well.
func maskTexts(file *diag.File) {
	src := file.Content
	for i := 0; i < len(src); {
		end := textEnd(src, i)
		if end == 0 {
			i++
			continue
		}
		key := (src[i] == '"' || src[i] == '\'') && plainKey(src[i+1:max(end-1, i+1)]) && isKey(src[end:])
		if !key && !imported(src[:i]) {
			diag.Span{File: file, Start: i, End: end}.Mask()
		}
		i = end
	}
}

// imported tells whether what comes next is the path of an import.
func imported(before []byte) bool {
	before = bytes.TrimRight(before, " \t")
	for _, keyword := range []string{"import", "importstr", "importbin"} {
		if rest, ok := bytes.CutSuffix(before, []byte(keyword)); ok && (len(rest) == 0 || !isWord(rest[len(rest)-1])) {
			return true
		}
	}
	return false
}

// textEnd returns the end of the text or comment that begins at i, 0 where
// none does.
func textEnd(src []byte, i int) int {
	rest := src[i:]
	has := func(prefix string) bool { return bytes.HasPrefix(rest, []byte(prefix)) }
	until := func(from int, closing string) int {
		if n := bytes.Index(rest[min(from, len(rest)):], []byte(closing)); n >= 0 {
			return i + from + n + len(closing)
		}
		return len(src)
	}
	switch c := src[i]; {
	case has(`"""`), has(`'''`):
		return until(3, string(rest[:3]))
	case has(`|||`):
		return until(3, "|||")
	case has("/*"):
		return until(2, "*/")
	case has("//"):
		return until(2, "\n")
	case c == '#':
		// CUE's #"…"# and its definitions (#Host), Jsonnet's comments.
		hashes := len(rest) - len(bytes.TrimLeft(rest, "#"))
		if quote := rest[hashes:]; len(quote) > 0 && (quote[0] == '"' || quote[0] == '\'') {
			return until(hashes+1, string(quote[0])+string(rest[:hashes]))
		}
		if len(rest) > 1 && isWord(rest[1]) {
			return 0
		}
		return until(1, "\n")
	case c == '@' && len(rest) > 1 && (rest[1] == '"' || rest[1] == '\''):
		return until(2, string(rest[1]))
	case c == '"' || c == '\'':
		return stringEnd(src, i)
	}
	return 0
}

// stringEnd returns the end of a text in plain quotes. CUE's \(…) may hold
// texts of its own, which belong to it. Jsonnet's texts may have several
// lines.
func stringEnd(src []byte, i int) int {
	quote, parens := src[i], 0
	for i++; i < len(src); i++ {
		switch c := src[i]; {
		case c == '\\' && i+1 < len(src) && src[i+1] == '(':
			parens++
			i++
		case c == '\\':
			i++
		case parens > 0 && c == '(':
			parens++
		case parens > 0 && c == ')':
			parens--
		case parens == 0 && c == quote:
			return i + 1
		}
	}
	return len(src)
}
