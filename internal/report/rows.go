// Package report says to people, to pull requests and to programs what was found: the
// differences of a stack, what is foretold, how hosts are. It finds out nothing itself.
package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/words"
)

// A row is one consequence, the same on some hosts.
type row struct {
	on, text string
	hosts    []string
}

// rowOrder is how rows stand below each other.
var rowOrder = []string{"apply", "deploy", "restart", "start", "nothing", "secrets", "look", "outage", "later"}

// rowsText shows rows in columns. all is how many hosts there are.
func rowsText(rows []row, all int, color bool) string {
	width := 0
	for _, row := range rows {
		if names := hostList(row.hosts, all); row.text != "" && utf8.RuneCountInString(names) <= terminal.MaxNameWidth {
			width = max(width, utf8.RuneCountInString(names))
		}
	}
	var b strings.Builder
	on := ""
	for _, row := range rows {
		label := row.on
		if label == on {
			label = ""
		}
		on = row.on
		line := hostList(row.hosts, all)
		switch {
		case row.text == "":
		case line == "":
			line = row.text
		default:
			line = terminal.Pad(line, width) + "  " + row.text
		}
		b.WriteString(terminal.Paint(color, terminal.Bold, terminal.Pad(label, 8)) + line + "\n")
	}
	return b.String()
}

// hostList names hosts; all is how many there are.
func hostList(names []string, all int) string {
	if len(names) == all && all > 2 {
		return fmt.Sprintf("all %d hosts", all)
	}
	return strings.Join(words.Runs(names), " ")
}
