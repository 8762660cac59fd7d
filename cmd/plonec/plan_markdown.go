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
	fmt.Fprintf(&b, ", %s now.\n\n| on | host | what happens |\n|---|---|---|\n", count(len(r.Hosts), "host"))
	var notes []string
	for _, row := range r.rows() {
		text, names := markdown(row.text), hostList(row.hosts, len(r.Hosts))
		switch row.on {
		case "look", "outage":
			note := text
			if names != "" {
				note = names + ": " + text
			}
			notes = append(notes, fmt.Sprintf("- **%s** %s\n", row.on, note))
		default:
			if len(row.hosts) > 1 && row.on != "nothing" && row.on != "apply" {
				text += ", each"
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", row.on, names, text)
		}
	}
	b.WriteString("\n" + strings.Join(notes, ""))
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
		fence := strings.Repeat("`", max(3, longestRun(files.String(), '`')+1))
		fmt.Fprintf(&b, "\n<details><summary>%s</summary>\n\n%sdiff\n%s%s\n\n</details>\n", r.tally(), fence, files.String(), fence)
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
