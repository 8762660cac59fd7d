package plan

import (
	"bytes"
	"slices"
	"strings"

	"github.com/plonec/plonec/render/escape"
)

// Values are the words that a file of an app assigns to a variable.
func (m *Host) Values(app, file, name string) []string {
	return assigned(m.text("/etc/plonec/"+app+"/"+file), name)
}

func (m *Host) value(app, file, name string) string {
	return strings.Join(m.Values(app, file, name), " ")
}

// assigned are the words of NAME='…' or NAME=('…' '…') in a text of the
// scripts' data.
func assigned(text []byte, name string) []string {
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), name+"="); ok {
			if strings.HasPrefix(rest, "(") {
				rest = strings.TrimSuffix(rest[1:], ")")
			}
			words, _ := escape.Words(rest)
			return words
		}
	}
	return nil
}

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
