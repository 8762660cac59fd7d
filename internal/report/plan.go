package report

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/words"
)

// Secrets say how a plan compared secret files.
type Secrets int

// The ways to compare them.
const (
	ByName      Secrets = iota // by the names of their sources
	ByValue                    // by what can be read without running a command
	ByAllValues                // by all values
)

// A Plan shows a plan to people.
type Plan struct {
	*plan.Plan
	Given   string  // the flags that the commands to run next are given: those that choose hosts
	Secrets Secrets // how secret files were compared
	File    string  // where the plan is written; empty: nowhere
	Color   bool
}

// rows says what happens, and what to look at. Hosts with the same share a row.
func (r *Plan) rows() []row {
	var rows []row
	add := func(on, host, text string) { rows = addRow(rows, on, host, text) }
	reason := func(host, what string, reason plan.Reason) {
		add("look", host, what+": "+strings.TrimSuffix(reason.Text+"; "+reason.Hint, "; "))
	}
	for _, refused := range r.Refused {
		reason("", "apply would refuse", refused)
	}
	for i := range r.Hosts {
		h := &r.Hosts[i]
		if h.Error != nil {
			reason(h.Host, "not asked", *h.Error)
			continue
		}
		if h.Due {
			add("apply", h.Host, applyText(h))
		}
		for _, a := range h.Deploy {
			verb, _, _ := strings.Cut(a.Command(), " ")
			add(verb, h.Host, a.App+": "+a.String())
			if a.NewDatabase != "" {
				add("look", h.Host, fmt.Sprintf("the first start of %s wants a Data.fs in %s; plonec deploy --new-database makes an empty one where there is none", a.App, a.NewDatabase))
			}
		}
		if h.Held() {
			add("deploy", h.Host, path.Base(plan.Balancing)+serversText(h)+": reload "+service.Balancer().Daemon()+" once the clients run")
		}
		if !h.Due && !h.DeployDue() && h.Unsure == nil {
			add("nothing", h.Host, "")
		}
		for _, c := range h.Crontabs {
			if c.Left != "" {
				add("look", h.Host, fmt.Sprintf("%s: no switch touches the crontab of %s: %s; see there: crontab -l -u %[2]s", c.App, c.User, c.Left))
			} else {
				add("crontab", h.Host, fmt.Sprintf("%s: the next switch takes %s of %s out of the crontab of %s, and keeps a copy",
					c.App, words.Count(c.Entries, "entry"), strings.Join(c.Releases, ", "), c.User))
			}
		}
		for _, d := range h.Stopped {
			add("look", h.Host, d.String()+" was stopped on purpose, and stays so: "+d.Start()+" on the host starts it")
		}
		if h.Unsure != nil {
			reason(h.Host, "what runs there is not known", *h.Unsure)
		}
		if h.Lock != "" {
			add("look", h.Host, "another plonec is at work there: "+h.Lock)
		}
		for _, refused := range h.Refused {
			reason(h.Host, "apply would refuse", refused)
		}
	}
	for _, absent := range r.Absent {
		add("look", "", absent+" in the stack: left out")
	}
	if text := r.secrets(); text != "" {
		add("secrets", "", text)
	}
	for _, app := range r.Always {
		add("look", "", app+": every deploy makes a new release (always_buildout_on_deploy)")
	}
	for _, text := range r.Outage {
		add("outage", "", text)
	}
	unknown := 0
	for i := range r.Hosts {
		if h := &r.Hosts[i]; h.Error != nil || h.Unsure != nil {
			unknown++
			add("outage", h.Host, "not known")
		}
	}
	switch {
	case len(r.Outage) > 0 || unknown > 0 && unknown == len(r.Hosts):
	case unknown > 0:
		add("outage", "", "none on the others")
	default:
		add("outage", "", "none")
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Compare(slices.Index(rowOrder, a.on), slices.Index(rowOrder, b.on))
	})
	return rows
}

// secrets says how secret files were compared; empty where there is nothing to say.
func (r *Plan) secrets() string {
	unasked := 0
	for i := range r.Hosts {
		unasked += len(r.Hosts[i].Unasked)
	}
	switch {
	case r.Secrets == ByValue && unasked > 0:
		return fmt.Sprintf("resolved and compared, but for %s: cmd: runs in apply and deploy alone", words.Count(unasked, "file"))
	case r.Secrets == ByValue:
		return "resolved and compared"
	case r.Secrets == ByName && unasked > 0:
		return words.Count(unasked, "file") + " compared by the names of their sources; plonec plan --secrets compares values"
	}
	return ""
}

// applyText says what apply does to a host.
func applyText(h *plan.HostPlan) string {
	var parts, down []string
	for _, d := range h.Down {
		down = append(down, d.String())
	}
	if len(down) > 0 {
		parts = append(parts, "start "+strings.Join(down, " "))
	}
	if h.Setup {
		setup := "set up again"
		if len(h.Install) > 0 {
			setup = "set up: packages " + strings.Join(h.Install, " ")
		}
		parts = append(parts, setup)
	}
	live := 0
	for _, c := range h.Files {
		if c.Waits == "" {
			live++
		}
	}
	if live > 0 {
		var verbs []string
		units := map[string][]string{}
		for _, e := range h.Apply {
			verb, unit, _ := strings.Cut(e, ":")
			if slices.ContainsFunc(h.Down, func(d plan.Daemon) bool { return d.Unit == unit }) {
				continue // said above
			}
			if units[verb] == nil {
				verbs = append(verbs, verb)
			}
			units[verb] = append(units[verb], strings.TrimSuffix(unit, ".service"))
		}
		for i, verb := range verbs {
			verbs[i] = verb + " " + strings.Join(units[verb], " ")
		}
		if len(verbs) == 0 {
			verbs = []string{"nothing to reload"}
		}
		parts = append(parts, words.Count(live, "file")+": "+strings.Join(verbs, ", "))
		if h.Added != nil || h.Gone != nil {
			if !h.Held() {
				parts[len(parts)-1] += strings.Replace(serversText(h), ", ", " (", 1) + ")"
			}
		}
	}
	if h.Stages > 0 {
		parts = append(parts, words.Count(h.Stages, "file")+" to wait")
	}
	if n := len(h.Renamed); n > 0 {
		parts = append(parts, "notes the sources of "+words.Count(n, "secret file"))
	}
	if h.Unstage > 0 {
		parts = append(parts, words.Count(h.Unstage, "file")+" wait no longer")
	}
	return strings.Join(parts, "; ")
}

// serversText says which clients a balancer gets and loses.
func serversText(h *plan.HostPlan) string {
	text := ""
	if n := len(h.Added); n > 0 {
		text += ", " + words.Count(n, "server") + " more"
	}
	if n := len(h.Gone); n > 0 {
		text += ", " + words.Count(n, "server") + " fewer"
	}
	return text
}

// Text is the whole report.
func (r *Plan) Text() string {
	var b strings.Builder
	b.WriteString(r.Summary())
	if changes := r.changes(); len(changes) > 0 {
		b.WriteString("\n")
		for _, c := range changes {
			b.WriteString(r.painted(c))
		}
		b.WriteString(r.tally() + "\n")
	}
	for i, command := range r.next() {
		label := ""
		if i == 0 {
			label = "next"
			b.WriteString("\n")
			if r.refused() {
				b.WriteString(terminal.Paint(r.Color, terminal.Bold, terminal.Pad(label, 8)) + "fix what apply would refuse, then\n")
				label = ""
			}
		}
		b.WriteString(terminal.Paint(r.Color, terminal.Bold, terminal.Pad(label, 8)) + command + "\n")
	}
	return b.String()
}

// refused tells whether apply would not begin.
func (r *Plan) refused() bool {
	return len(r.Refused) > 0 || slices.ContainsFunc(r.Hosts, func(h plan.HostPlan) bool { return len(h.Refused) > 0 || h.Error != nil })
}

// Summary is the head of the report, without the files.
func (r *Plan) Summary() string {
	var b strings.Builder
	tree := fmt.Sprintf("tree %.12s", r.Tree)
	if r.Commit != "" {
		tree += fmt.Sprintf(", commit %.12s", r.Commit)
	}
	fmt.Fprintf(&b, "%s%s → %s now\n", terminal.Paint(r.Color, terminal.Bold, terminal.Pad("plan", 8)), tree, words.Count(len(r.Hosts), "host"))
	rows := r.rows()
	for i, row := range rows {
		if len(row.hosts) > 1 && (row.on == "deploy" || row.on == "restart") {
			rows[i].text += ", each"
		}
	}
	return b.String() + rowsText(rows, len(r.Hosts), r.Color)
}

// painted shows a change with colours, if there are any.
func (r *Plan) painted(c change) string {
	text := c.text(len(r.Hosts))
	if !r.Color {
		return text
	}
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		style := ""
		switch {
		case i == 0:
			style = terminal.Bold
		case strings.HasPrefix(line, "+"):
			style = terminal.Good
		case strings.HasPrefix(line, "-"):
			style = "31"
		case strings.HasPrefix(line, "@@"):
			style = terminal.Work
		}
		b.WriteString(terminal.Paint(true, style, line) + "\n")
	}
	return b.String()
}

// tally counts the files: 8 files: 4 changed, 4 new.
func (r *Plan) tally() string {
	number := map[plan.ChangeKind]int{}
	all := 0
	for _, h := range r.Hosts {
		for _, c := range h.Files {
			number[c.Kind]++
			all++
		}
	}
	var parts []string
	for _, kind := range []struct {
		kind plan.ChangeKind
		word string
	}{{plan.Changed, "changed"}, {plan.Added, "new"}, {plan.Removed, "removed"}, {plan.ModeOnly, "with another mode or owner"}} {
		if n := number[kind.kind]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, kind.word))
		}
	}
	return words.Count(all, "file") + ": " + strings.Join(parts, ", ")
}

// next lists the commands that do what is foretold, in their order.
func (r *Plan) next() []string {
	var commands []string
	apply, held := false, false
	verbs := map[string]string{} // by app: the strongest
	strength := []string{"", "start", "restart --changed", "deploy", "deploy --new-database", "deploy --allow-outage"}
	for i := range r.Hosts {
		h := &r.Hosts[i]
		apply, held = apply || h.Due, held || h.Held()
		for _, a := range h.Deploy {
			if slices.Index(strength, a.Command()) > slices.Index(strength, verbs[a.App]) {
				verbs[a.App] = a.Command()
			}
		}
	}
	if apply {
		planned := ""
		if r.File != "" {
			planned = " --plan " + r.File
		}
		commands = append(commands, "plonec apply"+planned+r.Given)
	}
	if held && len(verbs) == 0 {
		return append(commands, "plonec deploy"+r.Given)
	}
	// Neighbours with the same verb go together.
	last := ""
	for _, app := range r.Apps {
		verb := verbs[app]
		switch {
		case verb == "":
		case verb == last:
			commands[len(commands)-1] += " " + app
		default:
			commands = append(commands, "plonec "+verb+r.Given+" "+app)
			last = verb
		}
	}
	return commands
}
