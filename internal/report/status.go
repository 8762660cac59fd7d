package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/words"
)

// A StatusJSON is what plonec status says to programs.
type StatusJSON struct {
	Hosts   []plan.HostStatus `json:"hosts"`
	Skipped []Skipped         `json:"skipped"` // chosen hosts that were not asked: they are not online in the stack
	// Repositories are those of the apps, where they were asked.
	Repositories []plan.Repository `json:"repositories,omitempty"`
}

// A Skipped is one of them.
type Skipped struct {
	Host   string `json:"host"`
	Status string `json:"status"` // in the stack
}

// NewStatusJSON puts them together; neither list of hosts is null.
func NewStatusJSON(list []plan.HostStatus, absent []tree.Host, repositories []plan.Repository) StatusJSON {
	skipped := []Skipped{}
	for _, h := range absent {
		skipped = append(skipped, Skipped{h.Name, h.Status})
	}
	return StatusJSON{append([]plan.HostStatus{}, list...), skipped, repositories}
}

// Status is a table of the hosts, a line for each app, and below it what is
// not as it should be.
func Status(list []plan.HostStatus, absent []tree.Host, repositories []plan.Repository, color bool) string {
	rows := [][]string{{"host", "generation", "applied", "tree", "app", "release", "commit", "state", "running"}}
	for i := range list {
		rows = append(rows, statusRows(&list[i])...)
	}
	for _, h := range absent {
		rows = append(rows, []string{h.Name, h.Status + " in the stack"})
	}
	var b strings.Builder
	if text := maintenance(list); text != "" {
		b.WriteString(terminal.Paint(color, terminal.Bold, text) + "\n\n")
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row[:len(row)-1] { // the last one may be as long as it likes
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for i, row := range rows {
		line := ""
		for j, cell := range row {
			line += terminal.Pad(cell, widths[j]) + "  "
		}
		line = strings.TrimRight(line, " ")
		if i == 0 {
			line = terminal.Paint(color, terminal.Bold, line)
		}
		b.WriteString(line + "\n")
	}
	notes := statusNotes(list, repositories)
	if len(notes) > 0 {
		b.WriteString("\n")
	}
	b.WriteString(rowsText(notes, len(list), color))
	return b.String()
}

// maintenance says where visitors are shown a page in place of the sites; empty: nowhere.
func maintenance(list []plan.HostStatus) string {
	var on, off, unknown []string
	since := ""
	for _, h := range list {
		switch {
		case h.Maintenance != "":
			on = append(on, h.Host)
			if since == "" || h.Maintenance < since {
				since = h.Maintenance
			}
		case h.Front && h.Error != nil:
			unknown = append(unknown, h.Host)
		case h.Front:
			off = append(off, h.Host)
		}
	}
	rest := ""
	if len(unknown) > 0 {
		rest = ", and not known at " + strings.Join(unknown, ", ")
	}
	switch {
	case len(on) == 0:
		return ""
	case len(off) > 0:
		return fmt.Sprintf("maintenance is on at %s and not at %s%s: plonec maintenance on, or off, makes them alike", strings.Join(on, ", "), strings.Join(off, ", "), rest)
	}
	return fmt.Sprintf("maintenance is on since %s (%s)%s: visitors see its page until plonec maintenance off", terminal.Printable(since), strings.Join(on, ", "), rest)
}

// statusRows are a host's lines of the table.
func statusRows(h *plan.HostStatus) [][]string {
	if h.Error != nil {
		return [][]string{{h.Host, terminal.OneLine(h.Error.Text)}}
	}
	if h.Generation == "" {
		return [][]string{{h.Host, "nothing was applied yet"}}
	}
	head := []string{h.Host, h.Generation, minute(h.Applied), ShortCommit(h.Commit)}
	var services []string
	for _, s := range h.Services {
		name := s.Name
		if s.State != "active" {
			name += " " + s.State
		}
		services = append(services, name)
	}
	if len(h.Apps) == 0 {
		return [][]string{printed(append(head, "-", "-", "-", "-", strings.Join(services, ", ")))}
	}
	var rows [][]string
	for i, a := range h.Apps {
		runs := running(a)
		if i == 0 {
			runs = append(runs, services...)
		}
		rows = append(rows, printed(append(slices.Clone(head), a.App, a.Release, ShortCommit(a.Commit), orDash(a.State), strings.Join(runs, ", "))))
		head = []string{"", "", "", ""}
	}
	return rows
}

func printed(cells []string) []string {
	for i := range cells {
		cells[i] = terminal.Printable(cells[i])
	}
	return cells
}

// orDash stands for what is not there.
func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// ShortCommit is a commit as people say it.
func ShortCommit(commit string) string { return orDash(commit[:min(7, len(commit))]) }

// running says which processes of an app run: 2/2 clients, and the others by name.
func running(a plan.AppStatus) []string {
	type count struct {
		noun             string
		all, up, drained int
	}
	var counts []*count // of what balancers are told of, by kind
	var others []string
	for _, u := range a.Units {
		name := UnitName(a.App, u.Name)
		active := u.State == "active"
		switch {
		case u.Agent != "":
			noun := "client" // of a tree that does not say the kind
			if kind := service.Named(u.Kind); kind != nil {
				noun = kind.Counted()
			}
			i := slices.IndexFunc(counts, func(c *count) bool { return c.noun == noun })
			if i < 0 {
				i, counts = len(counts), append(counts, &count{noun: noun})
			}
			c := counts[i]
			c.all++
			if active {
				c.up++
			}
			if strings.HasPrefix(u.Agent, "drained") {
				c.drained++
			}
		case active && u.Release != "" && u.Release != a.Release:
			others = append(others, name+" of "+u.Release)
		case active:
			others = append(others, name)
		default:
			others = append(others, name+" "+u.State)
		}
	}
	var parts []string
	for _, c := range counts {
		text := fmt.Sprintf("%d/%s", c.up, words.Count(c.all, c.noun))
		if c.drained > 0 {
			text += fmt.Sprintf(" (%d drained)", c.drained)
		}
		parts = append(parts, text)
	}
	return append(parts, others...)
}

// UnitName is what people call a unit of an app: client1.
func UnitName(app, unit string) string {
	return strings.TrimSuffix(strings.TrimPrefix(unit, "plone-"+app+"-"), ".service")
}

// statusNotes says what is pending and what to look at. Hosts with the same
// share a line.
func statusNotes(list []plan.HostStatus, repositories []plan.Repository) []row {
	var notes []row
	add := func(on, host, text string) { notes = addRow(notes, on, host, text) }
	for _, h := range list {
		for _, p := range h.Pending {
			add("pending", h.Host, p.Text+": "+p.Command)
		}
	}
	for _, h := range list {
		if len(h.Drift) > 0 {
			add("drift", h.Host, "changed by hand: "+strings.Join(h.Drift, ", ")+": put it into the stack, or undo it with plonec apply --force")
		}
	}
	for _, h := range list {
		if h.Error != nil && h.Error.Hint != "" {
			add("look", h.Host, h.Error.Hint)
		}
		if h.Lock != "" {
			add("look", h.Host, "at work: "+h.Lock)
		}
		if h.Unfit != nil {
			add("look", h.Host, strings.TrimSuffix(h.Unfit.Text+"; "+h.Unfit.Hint, "; "))
		}
		for _, s := range h.Services {
			switch {
			case s.Start != "":
				add("look", h.Host, s.Name+" is stopped on purpose, "+s.State+": "+s.Start+" on the host starts it")
			case s.State != "active":
				add("look", h.Host, s.Name+" is "+s.State+": journalctl -u "+s.Name)
			}
		}
		for _, c := range h.Certificates {
			for _, text := range badCertificate(c) {
				add("look", h.Host, text)
			}
		}
		for _, a := range h.Apps {
			if a.HalfGone != "" {
				add("look", h.Host, fmt.Sprintf("%s: an undeploy that began at %s is half done: plonec undeploy %s, or plonec deploy %s", a.App, a.HalfGone, a.App, a.App))
			}
			if text := failedRelease(a); text != "" {
				add("look", h.Host, a.App+": "+text)
			}
			for _, j := range a.Jobs {
				if text := failedJob(h.Host, j); text != "" {
					add("look", h.Host, a.App+": "+text)
				}
			}
			if names, server := behind(a); len(names) > 0 {
				add("look", h.Host, fmt.Sprintf("%s: the server of its database, %s, restarted after %s came up, and writes may fail: plonec restart %s --host %s",
					a.App, server, strings.Join(names, ", "), a.App, h.Host))
			}
			for _, u := range a.Units {
				switch name := UnitName(a.App, u.Name); {
				case u.State != "active" || u.Agent == "" || u.Agent == "up":
				case u.Agent == "down":
					add("look", h.Host, name+" is left out of the balancers: plonec restart --changed "+a.App)
				default:
					add("look", h.Host, name+" is "+u.Agent+": plonec undrain "+h.Host)
				}
			}
		}
	}
	for _, text := range differing(list) {
		add("look", "", text)
	}
	for _, r := range repositories {
		if r.Error != nil {
			add("look", r.Host, r.App+": its repository could not be asked: "+strings.TrimSuffix(r.Error.Text+": "+r.Error.Hint, ": "))
		}
	}
	for _, r := range repositories {
		if r.Error == nil {
			add("source", r.Host, r.App+": "+sourceText(r, list))
		}
	}
	for _, h := range list {
		for _, a := range h.Apps {
			for _, j := range a.Jobs {
				add("jobs", h.Host, a.App+": "+jobText(j))
			}
		}
	}
	for _, h := range list {
		for _, a := range h.Apps {
			if text := kept(a); text != "" {
				add("kept", h.Host, a.App+": "+text)
			}
			if len(a.Foreign) > 0 {
				add("foreign", h.Host, a.App+": among its releases and not plonec's: "+strings.Join(a.Foreign, ", ")+
					"; they stay; plonec undeploy --foreign "+a.App+" removes what nothing needs")
			}
		}
	}
	return notes
}

// badCertificate says what is to be done about a certificate that visitors are shown.
func badCertificate(c plan.Certificate) []string {
	of, renew := c.App+": ", "have it renewed; plonec apply brings the new one"
	if c.App == "" {
		of, renew = c.Path+": ", "have it renewed"
	}
	var texts []string
	if c.Fault != "" {
		texts = append(texts, of+"its file of certificates cannot be read again: "+c.Fault)
	}
	if c.Expiry != "" {
		texts = append(texts, of+c.Expiry+": "+renew)
	}
	if len(c.Missing) > 0 {
		texts = append(texts, of+"the certificate is not for "+strings.Join(c.Missing, ", ")+": have it issued for all names of the site")
	}
	return texts
}

// sourceText says what a repository answered, and where something else runs.
func sourceText(r plan.Repository, list []plan.HostStatus) string {
	if r.Revision == r.Commit { // which no server can be asked for by name
		return "its repository answers; it is not asked for commit " + ShortCommit(r.Commit) + " before a deploy"
	}
	text := fmt.Sprintf("%s is commit %s", cmp.Or(r.Revision, "the repository's own branch"), ShortCommit(r.Commit))
	var others []string
	for _, h := range list {
		if slices.ContainsFunc(h.Apps, func(a plan.AppStatus) bool { return a.App == r.App && a.Commit != r.Commit }) {
			others = append(others, h.Host)
		}
	}
	if len(others) > 0 {
		text += fmt.Sprintf(", and %s run another: plonec deploy %s", strings.Join(words.Runs(others), " "), r.App)
	}
	return text
}

// behind names the processes whose server has restarted since they were up, and the
// server.
func behind(a plan.AppStatus) (names []string, server string) {
	for _, u := range a.Units {
		if u.Behind != "" {
			names, server = append(names, UnitName(a.App, u.Name)), u.Behind
		}
	}
	return names, server
}

// failedJob says what to do about a job that was not done, or that its timer will not
// start.
func failedJob(host string, j plan.Job) string {
	switch {
	case j.Idle():
		return fmt.Sprintf("the timer of %s is %s: systemctl enable --now %s.timer on the host starts it", j.Name, j.Timer, j.Unit)
	case !j.Failed():
		return ""
	case j.By == "timer":
		return fmt.Sprintf("%s %s: see journalctl -u %s there, then plonec run %s --host %s", j.Name, lastTime(j), j.Unit, j.Name, host)
	}
	return fmt.Sprintf("%s %s: plonec run %s --host %s", j.Name, lastTime(j), j.Name, host)
}

// jobText says how a job ended the last time, and when it is due.
func jobText(j plan.Job) string {
	text := j.Name + " " + lastTime(j)
	if j.Next != "" && !j.Idle() {
		text += ", next " + minute(j.Next)
	}
	return text
}

func lastTime(j plan.Job) string {
	text := cmp.Or(j.Result, "not done yet")
	if at := cmp.Or(j.Ended, j.Began); at != "" {
		text += " " + minute(at)
	}
	if j.Why != "" {
		text += " (" + j.Why + ")"
	}
	return text
}

// minute is a time as people say it, in UTC.
func minute(t string) string {
	date, clock, _ := strings.Cut(t, "T")
	return strings.TrimSpace(date + " " + clock[:min(5, len(clock))])
}

// failedRelease says what became of the last release, where it came after the
// current one; an older one is no news. Kept is in the order in which they were made.
func failedRelease(a plan.AppStatus) string {
	last := ""
	for _, release := range a.Kept[slices.Index(a.Kept, a.Release)+1:] {
		if slices.Contains(a.Bad, release) {
			last = release
		}
	}
	if last == "" {
		return ""
	}
	what := "did not come up, or was rolled back from"
	switch {
	case slices.Contains(a.Failed, last):
		what = "was not built, see /var/log/plonec/" + a.App + "-" + last + ".log there"
	case a.Commits == nil:
		what = "was not built, did not come up, or was rolled back from"
	}
	return fmt.Sprintf("release %s %s; current is %s: fix it, then plonec deploy %s", last, what, a.Release, a.App)
}

// kept lists what a rollback could go to beside the current release, the newest
// first.
func kept(a plan.AppStatus) string {
	var list []string
	others := false
	for _, release := range slices.Backward(a.Kept) {
		if slices.Contains(a.Failed, release) {
			continue
		}
		text := release
		if commit := a.Commits[release]; commit != "" {
			text += " " + ShortCommit(commit)
		}
		switch {
		case release == a.Release:
			text += " (current)"
		case slices.Contains(a.Bad, release):
			text += " (bad)"
		}
		others = others || release != a.Release
		list = append(list, text)
	}
	if !others {
		return ""
	}
	return strings.Join(list, ", ")
}

// differing names apps whose hosts run other commits than each other, or other
// packages of the same.
func differing(list []plan.HostStatus) []string {
	var texts []string
	for _, what := range []struct {
		name, remedy string
		of           func(plan.AppStatus) string
	}{
		{"commits", "plonec deploy", func(a plan.AppStatus) string { return a.Commit }},
		{"packages of the same commit", "plonec deploy --always", func(a plan.AppStatus) string { return a.Packages }},
	} {
		var apps []string
		byApp := map[string]map[string][]string{}
		for _, h := range list {
			for _, a := range h.Apps {
				if v := what.of(a); v != "" {
					if byApp[a.App] == nil {
						byApp[a.App] = map[string][]string{}
						apps = append(apps, a.App)
					}
					byApp[a.App][v] = append(byApp[a.App][v], h.Host)
				}
			}
		}
		for _, app := range apps {
			if len(byApp[app]) < 2 || slices.ContainsFunc(texts, func(t string) bool { return strings.HasPrefix(t, app+": ") }) {
				continue // what has other commits has other packages too
			}
			var groups []string
			for v, names := range byApp[app] {
				groups = append(groups, strings.Join(words.Runs(names), " ")+" "+v[:min(7, len(v))])
			}
			slices.Sort(groups)
			texts = append(texts, fmt.Sprintf("%s: hosts run different %s (%s): %s %s", app, what.name, strings.Join(groups, ", "), what.remedy, app))
		}
	}
	return texts
}

// Unwell tells whether something of a host is not as the tree has it.
func Unwell(h plan.HostStatus) bool {
	return len(h.Pending)+len(h.Drift) > 0 || h.Unfit != nil ||
		slices.ContainsFunc(h.Services, func(s plan.Service) bool { return s.State != "active" }) ||
		slices.ContainsFunc(h.Certificates, func(c plan.Certificate) bool { return c.Expiry+c.Fault != "" }) ||
		slices.ContainsFunc(h.Apps, func(a plan.AppStatus) bool {
			return slices.ContainsFunc(a.Units, func(u plan.Unit) bool { return u.State != "active" || u.Behind != "" }) ||
				slices.ContainsFunc(a.Jobs, func(j plan.Job) bool { return j.Failed() || j.Idle() })
		})
}
