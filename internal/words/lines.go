package words

import (
	"bytes"
	"slices"
	"strings"
)

// Beginning are the lines of a text, as they are, that begin with one of the words.
func Beginning(text []byte, words ...string) []byte {
	var out []byte
	for line := range bytes.Lines(text) {
		if slices.ContainsFunc(words, func(w string) bool { return bytes.HasPrefix(line, []byte(w)) }) {
			out = append(out, line...)
		}
	}
	return out
}

// Statements are the lines of a file that say something: neither blank nor a comment
// that begins with #.
func Statements(content string) []string {
	var list []string
	for line := range strings.Lines(content) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			list = append(list, line)
		}
	}
	return list
}
