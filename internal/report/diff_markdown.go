package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/words"
)

// diffMarker begins a comment, so that the next one replaces it.
const diffMarker = "<!-- plonec diff -->"

// MaxComment is how many bytes a comment may have: GitHub takes 65,536
// characters, GitLab a million; some are left for who puts a line around it.
const MaxComment = 65_000

// Markdown is the whole report as one comment on a pull request.
func (r *Diff) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n### plonec diff\n\n`%s` → %s; no host was read.\n", diffMarker, strings.ReplaceAll(terminal.Printable(r.Before), "`", "'"), terminal.Printable(r.After))
	if !r.Changed() {
		b.WriteString("\nNo host's files change.\n")
	} else {
		b.WriteString(rowsMarkdown(r.rows(), len(r.All.Hosts), r.because))
	}
	if r.Stale != "" {
		fmt.Fprintf(&b, "\nLook: %s.\n", words.Markdown(r.Stale))
	}
	if causes := r.why(); len(causes) > 0 {
		b.WriteString("\n| because of | change | files |\n|---|---|---|\n")
		shown := r.shownCauses()
		for _, c := range shown {
			files := ""
			if c.Files != nil {
				files = fmt.Sprint(*c.Files)
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", words.Markdown(terminal.OneLine(c.Where())), words.Markdown(terminal.OneLine(c.Path+" "+c.Change)), files)
		}
		for _, line := range causes[len(shown):] {
			fmt.Fprintf(&b, "| | %s | |\n", words.Markdown(terminal.OneLine(line)))
		}
	}
	next := ""
	if r.Changed() {
		if commands := r.plan(r.All).next(); len(commands) > 0 {
			next = "\nAfter the merge:\n\n```\nplonec plan\n" + strings.Join(commands, "\n") + "\n```\n\nTo undo it: revert the merge, build, and apply; `plonec rollback APP` takes an app back to the release before.\n"
		}
	}
	room := r.Limit - b.Len() - len(next)
	for _, part := range r.parts() {
		if files(part.comparison) == 0 {
			continue
		}
		text := r.differences(part, room)
		room -= len(text)
		b.WriteString(text)
	}
	return b.String() + next
}

// because names the lines of the stack that have a part in a row.
func (r *Diff) because(row row) string {
	var lines []string
	for _, c := range r.Causes {
		if where := c.Where(); r.partOf(&c, row) && !slices.Contains(lines, where) {
			lines = append(lines, where)
		}
	}
	const most = 5
	if n := len(lines) - most; n > 0 {
		lines = append(lines[:most], fmt.Sprintf("%d more", n))
	}
	return strings.Join(lines, ", ")
}

// partOf tells whether a cause changes a file that a row is about: with deploy
// one that waits for it.
func (r *Diff) partOf(c *Cause, row row) bool {
	for _, h := range r.All.Hosts {
		if !slices.Contains(row.hosts, h.Host) {
			continue
		}
		for _, f := range h.Files {
			if (row.on == "apply" || f.Waits != "") && (c.Places[Place{h.Host, f.Path}] || c.Places[Place{"*", f.Path}]) {
				return true
			}
		}
	}
	return false
}

// differences are those of a part, at most so many bytes of them: those
// that find no room are named, or at least counted.
func (r *Diff) differences(part diffPart, room int) string {
	p := r.plan(part.comparison)
	title := p.tally()
	if part.title != "" {
		title = part.title + ": " + title
	}
	const around = 300 // the fold, its fences and a last line
	room -= around + len(title)
	var text strings.Builder
	left := 0
	for _, c := range r.changes(part) {
		one := c.text(len(p.Hosts))
		if text.Len()+len(one) > room {
			c.diff, c.note = "", strings.TrimPrefix(c.note+", too long for here", ", ")
			one = c.text(len(p.Hosts))
		}
		if text.Len()+len(one) > room {
			left++
			continue
		}
		text.WriteString(one)
	}
	if left > 0 {
		fmt.Fprintf(&text, "… %d more; plonec diff shows them\n", left)
	}
	return folded(title, text.String())
}
