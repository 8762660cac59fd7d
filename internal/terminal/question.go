package terminal

import (
	"bufio"
	"io"
	"strings"
)

// Typed is the line that somebody types.
func Typed(in io.Reader) string {
	line, _ := bufio.NewReader(in).ReadString('\n')
	return strings.TrimSpace(line)
}
