package plan

import (
	"bytes"
	"slices"
)

// linesWith are the lines that begin with one of the words.
func linesWith(text []byte, words ...string) []byte {
	var out []byte
	for line := range bytes.Lines(text) {
		if slices.ContainsFunc(words, func(w string) bool { return bytes.HasPrefix(line, []byte(w)) }) {
			out = append(out, line...)
		}
	}
	return out
}
