package report

import (
	"fmt"
	"strings"

	"github.com/plonec/plonec/internal/words"
)

// maxMarkdown is how many bytes of differences a comment on a pull request has
// room for, beside the consequences, which are never cut.
const maxMarkdown = 40_000

// Markdown is the whole report for a comment on a pull request.
func (r *Plan) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### plonec plan\n\nTree `%.12s`", r.Tree)
	if r.Commit != "" {
		fmt.Fprintf(&b, ", commit `%.12s`", r.Commit)
	}
	fmt.Fprintf(&b, ", %s now.\n", words.Count(len(r.Hosts), "host"))
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
			how = "Fix what apply would refuse, then"
		}
		fmt.Fprintf(&b, "\n%s:\n\n```\n%s\n```\n", how, strings.Join(next, "\n"))
	}
	return b.String()
}
