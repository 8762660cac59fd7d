package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/words"
)

// plan is a comparison as the report of a plan, whose rows and files read the
// same.
func (r *Diff) plan(c *plan.Comparison) *Plan {
	p := &plan.Plan{Hosts: c.Hosts, Apps: c.Apps, Always: c.Always, Outage: c.Outage}
	return &Plan{Plan: p, Given: r.Given, Color: r.Color}
}

// rows says what happens, and what to look at.
func (r *Diff) rows() []row {
	rows := r.plan(r.All).rows()
	add := func(on, text string, hosts ...string) {
		rows = append(rows, row{on: on, text: terminal.OneLine(text), hosts: hosts})
	}
	if len(r.All.New) > 0 {
		add("look", "new: ssh has to get there, and apply sets it up", r.All.New...)
	}
	for _, l := range r.All.Gone {
		if l.Status == "" {
			add("look", "leaves the stack, and runs on as before: before the merge, drain, stop and undeploy it with the tree of before", l.Host)
		} else {
			add("look", "is "+l.Status+" now: nothing is done there, and no balancer sends it requests", l.Host)
		}
	}
	for _, l := range r.All.Absent {
		if l.Files > 0 {
			add("look", l.Status+" in the stack: "+words.Count(l.Files, "file")+" of it change, and nothing is done there", l.Host)
		}
	}
	for i := range r.All.Hosts {
		if h := &r.All.Hosts[i]; len(h.Gone) > 0 {
			add("look", "visitors of "+strings.Join(h.Gone, " ")+" go to other processes", h.Host)
		}
	}
	for _, text := range r.Look {
		add("look", text)
	}
	for _, text := range r.Later {
		add("later", text)
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		return slices.Index(rowOrder, a.on) - slices.Index(rowOrder, b.on)
	})
	return rows
}

// why is one line for each cause, in columns.
func (r *Diff) why() []string {
	var list [][3]string
	widths := [2]int{}
	for _, c := range r.shownCauses() {
		row := [3]string{c.Where(), c.Path + " " + c.Change, ""}
		if c.Files != nil {
			row[2] = words.Count(*c.Files, "file")
			if *c.Files == 0 {
				row[2] = "no file"
			}
		}
		for i := range widths {
			if n := utf8.RuneCountInString(row[i]); n <= maxCause {
				widths[i] = max(widths[i], n)
			}
		}
		list = append(list, row)
	}
	var lines []string
	for _, row := range list {
		lines = append(lines, strings.TrimRight(terminal.Printable(terminal.Pad(row[0], widths[0])+"  "+terminal.Pad(row[1], widths[1])+"  "+row[2]), " "))
	}
	if n := len(r.Causes) - len(list); n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more changes of the stack", n))
	}
	if r.Unknown != "" {
		lines = append(lines, "not known: "+r.Unknown)
	}
	if n := files(r.Plain); n > 0 {
		by := "by plonec, not by the stack"
		if r.Plonec.Before == r.Plonec.After {
			by = "not by the stack"
		}
		lines = append(lines, fmt.Sprintf("%s: %s, %s, below", by, r.otherPlonec(), words.Count(n, "file")))
	}
	return lines
}

const (
	maxCause    = 60 // characters of a column, beyond which a row has its own width
	shownCauses = 40
)

func (r *Diff) shownCauses() []Cause {
	if r.Full {
		return r.Causes
	}
	return r.Causes[:min(len(r.Causes), shownCauses)]
}

// otherPlonec says what else than the stack changes a tree.
func (r *Diff) otherPlonec() string {
	if r.Plonec.Before == r.Plonec.After {
		return "another build of plonec " + r.Plonec.After + ", or a tree that was not built after its stack changed"
	}
	return "plonec " + r.Plonec.Before + " → " + r.Plonec.After
}

// files counts the files that change in a comparison.
func files(c *plan.Comparison) int {
	n := 0
	if c != nil {
		for _, h := range c.Hosts {
			n += len(h.Files)
		}
	}
	return n
}

// Text is the whole report.
func (r *Diff) Text() string {
	var b strings.Builder
	label := func(s string) string { return terminal.Paint(r.Color, terminal.Bold, terminal.Pad(s, 8)) }
	if !r.Changed() {
		fmt.Fprintf(&b, "%s%s → %s: no host's files change\n", label("diff"), terminal.Printable(r.Before), terminal.Printable(r.After))
	} else {
		fmt.Fprintf(&b, "%s%s → %s; hosts not read\n", label("diff"), terminal.Printable(r.Before), terminal.Printable(r.After))
	}
	for i, line := range r.why() {
		b.WriteString(label(map[bool]string{true: "why"}[i == 0]) + line + "\n")
	}
	if r.Stale != "" {
		b.WriteString(label("look") + terminal.Printable(r.Stale) + "\n")
	}
	if !r.Changed() {
		return b.String()
	}
	rows := r.rows()
	for i, row := range rows {
		if len(row.hosts) > 1 && (row.on == "deploy" || row.on == "restart") {
			rows[i].text += ", each"
		}
	}
	b.WriteString(rowsText(rows, len(r.All.Hosts), r.Color))
	for _, part := range r.parts() {
		if files(part.comparison) == 0 {
			continue
		}
		b.WriteString("\n")
		if part.title != "" {
			b.WriteString(part.title + "\n")
		}
		p := r.plan(part.comparison)
		for _, c := range r.changes(part) {
			b.WriteString(p.painted(c))
		}
		b.WriteString(p.tally() + "\n")
	}
	return b.String()
}

// A part of the differences has one reason.
type diffPart struct {
	title      string
	comparison *plan.Comparison
}

func (r *Diff) parts() []diffPart {
	parts := []diffPart{{"", r.Stack}}
	if r.Plain != nil {
		parts = append(parts, diffPart{"Not from the stack: " + r.otherPlonec(), r.Plain})
	}
	return parts
}

// changes lists what changes in a part: of a host that is new all of it in one
// line.
func (r *Diff) changes(part diffPart) []change {
	p := r.plan(part.comparison)
	p.Hosts = slices.Clone(p.Hosts)
	var list []change
	for i := range p.Hosts {
		if h := &p.Hosts[i]; slices.Contains(part.comparison.New, h.Host) {
			list = append(list, change{sign: "+", hosts: []string{h.Host}, paths: []string{words.Count(len(h.Files), "file")}, note: "a new host"})
			h.Files = nil
		}
	}
	for _, c := range p.changes() {
		list = append(list, r.cut(c))
	}
	return list
}

// shownLines is how many lines of one difference are shown without --full.
const shownLines = 40

// cut shortens a difference.
func (r *Diff) cut(c change) change {
	if r.NoDiff {
		c.diff = ""
	}
	if !r.Full {
		c.diff = cropped(c.diff, shownLines)
	}
	return c
}

// cropped is a text of at most most lines and a last one that counts the rest.
func cropped(text string, most int) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) <= most+1 {
		return text
	}
	return strings.Join(lines[:most], "\n") + fmt.Sprintf("\n  … %d more lines (--full)", len(lines)-most)
}
