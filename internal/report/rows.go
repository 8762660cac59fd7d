// Package report says to people, to pull requests and to programs what was found: the
// differences of a stack, what is foretold, how hosts are. It finds out nothing itself.
package report

import (
	"fmt"
	"slices"
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

// addRow adds a text of a host to rows; hosts with the same share one. It is of no
// host where that is empty.
func addRow(rows []row, on, host, text string) []row {
	text = terminal.OneLine(text)
	i := slices.IndexFunc(rows, func(r row) bool { return r.on == on && r.text == text })
	if i < 0 {
		i = len(rows)
		rows = append(rows, row{on: on, text: text})
	}
	if host != "" && !slices.Contains(rows[i].hosts, host) {
		rows[i].hosts = append(rows[i].hosts, host)
	}
	return rows
}

// rowOrder is how rows stand below each other.
var rowOrder = []string{"apply", "deploy", "restart", "start", "nothing", "crontab", "secrets", "look", "outage", "later"}

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
