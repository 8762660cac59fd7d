package report

import (
	"fmt"
	"strings"

	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/words"
)

// rowsMarkdown are rows as a table, what to look at as a list below it. all is
// how many hosts there are; because, if there is one, fills a last column.
func rowsMarkdown(rows []row, all int, because func(row) string) string {
	head, line := "| on | host | what happens |", "|---|---|---|"
	if because != nil {
		head, line = head+" because of |", line+"---|"
	}
	var table, notes strings.Builder
	for _, row := range rows {
		text, names := words.Markdown(row.text), words.Markdown(hostList(row.hosts, all))
		switch row.on {
		case "secrets", "look", "outage", "later":
			if names != "" {
				text = names + ": " + text
			}
			fmt.Fprintf(&notes, "- **%s** %s\n", row.on, text)
			continue
		case "nothing", "apply":
		default:
			if len(row.hosts) > 1 {
				text += ", each"
			}
		}
		fmt.Fprintf(&table, "| %s | %s | %s |", row.on, names, text)
		if because != nil {
			table.WriteString(" " + words.Markdown(terminal.OneLine(because(row))) + " |")
		}
		table.WriteString("\n")
	}
	return "\n" + head + "\n" + line + "\n" + table.String() + "\n" + notes.String()
}

// folded are differences that unfold below a title.
func folded(title, files string) string {
	fence := strings.Repeat("`", max(3, longestRun(files, '`')+1))
	return fmt.Sprintf("\n<details><summary>%s</summary>\n\n%sdiff\n%s%s\n\n</details>\n", words.Markdown(title), fence, files, fence)
}

// longestRun is the length of the longest run of a character.
func longestRun(text string, of rune) int {
	longest, run := 0, 0
	for _, r := range text {
		if r == of {
			run++
		} else {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}
