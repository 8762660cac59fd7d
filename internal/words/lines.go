package words

import "strings"

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
