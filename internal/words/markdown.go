package words

import (
	"slices"
	"strings"
)

// Markdown escapes what Markdown would take for its own, in a text of one line.
func Markdown(text string) string {
	var b strings.Builder
	for _, r := range text {
		if slices.Contains([]rune("\\`*_[]<>|#&~@"), r) {
			b.WriteRune('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
