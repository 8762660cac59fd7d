package main

import (
	"fmt"
	"slices"
	"strings"
)

// maxMarkdown is how many bytes of differences a comment on a pull request has
// room for, beside the consequences, which are never cut.
const maxMarkdown = 40_000

// markdown is the whole report for a comment on a pull request.
func (r *planReport) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### plonec plan\n\nTree `%.12s`", r.Tree)
	if r.Commit != "" {
		fmt.Fprintf(&b, ", commit `%.12s`", r.Commit)
	}
	fmt.Fprintf(&b, ", %s now.\n", count(len(r.Hosts), "host"))
	b.WriteString(rowsMarkdown(r.rows(), len(r.Hosts), nil))
	if changes := r.changes(); len(changes) > 0 {
		var files strings.Builder
		for _, c := range changes {
			text := c.text(len(r.Hosts))
			if files.Len()+len(text) > maxMarkdown {
				c.diff, c.note = "", strings.TrimPrefix(c.note+", the difference is too long for here: plonec plan shows it", ", ")
				text = c.text(len(r.Hosts))
			}
			files.WriteString(text)
		}
		b.WriteString(folded(r.tally(), files.String()))
	}
	if next := r.next(); len(next) > 0 {
		how := "To do it"
		if r.refused() {
			how = "Mend what apply would refuse, then"
		}
		fmt.Fprintf(&b, "\n%s:\n\n```\n%s\n```\n", how, strings.Join(next, "\n"))
	}
	return b.String()
}

// rowsMarkdown are rows as a table, what to look at as a list below it. all is
// how many hosts there are; because, if there is one, fills a last column.
func rowsMarkdown(rows []planRow, all int, because func(planRow) string) string {
	head, line := "| on | host | what happens |", "|---|---|---|"
	if because != nil {
		head, line = head+" because of |", line+"---|"
	}
	var table, notes strings.Builder
	for _, row := range rows {
		text, names := markdown(row.text), markdown(hostList(row.hosts, all))
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
			table.WriteString(" " + markdown(oneLine(because(row))) + " |")
		}
		table.WriteString("\n")
	}
	return "\n" + head + "\n" + line + "\n" + table.String() + "\n" + notes.String()
}

// folded are differences that unfold below a title.
func folded(title, files string) string {
	fence := strings.Repeat("`", max(3, longestRun(files, '`')+1))
	return fmt.Sprintf("\n<details><summary>%s</summary>\n\n%sdiff\n%s%s\n\n</details>\n", markdown(title), fence, files, fence)
}

// markdown escapes what Markdown would take for its own.
func markdown(text string) string {
	var b strings.Builder
	for _, r := range text {
		if slices.Contains([]rune("\\`*_[]<>|#&~@"), r) {
			b.WriteRune('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
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
