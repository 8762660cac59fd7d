package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/plonec/plonec/internal/plan"
)

// A planReport shows a plan to people.
type planReport struct {
	*plan.Plan
	flags *fleetFlags // the commands to run next are given those of them that choose
	file  string      // where the plan is written; empty: nowhere
	color bool
}

// A planRow is one consequence, the same on some hosts.
type planRow struct {
	on, text string
	hosts    []string
}

// rowOrder is how rows stand below each other.
var rowOrder = []string{"apply", "deploy", "restart", "start", "nothing", "secrets", "look", "outage", "later"}

// rows says what happens, and what to look at. Hosts with the same share a row.
func (r *planReport) rows() []planRow {
	var rows []planRow
	add := func(on, host, text string) {
		text = oneLine(text)
		i := slices.IndexFunc(rows, func(row planRow) bool { return row.on == on && row.text == text })
		if i < 0 {
			i = len(rows)
			rows = append(rows, planRow{on: on, text: text})
		}
		if host != "" {
			rows[i].hosts = append(rows[i].hosts, host)
		}
	}
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
			add("deploy", h.Host, "haproxy.cfg"+serversText(h)+": reload haproxy once the clients run")
		}
		if !h.Due && !h.DeployDue() && h.Unsure == nil {
			add("nothing", h.Host, "")
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
	slices.SortStableFunc(rows, func(a, b planRow) int {
		return cmp.Compare(slices.Index(rowOrder, a.on), slices.Index(rowOrder, b.on))
	})
	return rows
}

// secrets says how secret files were compared; empty where there is nothing to say.
func (r *planReport) secrets() string {
	unasked := 0
	for i := range r.Hosts {
		unasked += len(r.Hosts[i].Unasked)
	}
	switch {
	case r.flags.values == readable && unasked > 0:
		return fmt.Sprintf("resolved and compared, but for %s: cmd: runs in apply and deploy alone", count(unasked, "file"))
	case r.flags.values == readable:
		return "resolved and compared"
	case r.flags.values == noValues && unasked > 0:
		return count(unasked, "file") + " compared by the names of their sources; plonec plan --secrets compares values"
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
		parts = append(parts, count(live, "file")+": "+strings.Join(verbs, ", "))
		if h.Added != nil || h.Gone != nil {
			if !h.Held() {
				parts[len(parts)-1] += strings.Replace(serversText(h), ", ", " (", 1) + ")"
			}
		}
	}
	if h.Stages > 0 {
		parts = append(parts, count(h.Stages, "file")+" to wait")
	}
	if n := len(h.Renamed); n > 0 {
		parts = append(parts, "notes the sources of "+count(n, "secret file"))
	}
	if h.Unstage > 0 {
		parts = append(parts, count(h.Unstage, "file")+" wait no longer")
	}
	return strings.Join(parts, "; ")
}

// serversText says which clients a balancer gets and loses.
func serversText(h *plan.HostPlan) string {
	text := ""
	if n := len(h.Added); n > 0 {
		text += ", " + count(n, "server") + " more"
	}
	if n := len(h.Gone); n > 0 {
		text += ", " + count(n, "server") + " fewer"
	}
	return text
}

// text is the whole report.
func (r *planReport) text() string {
	var b strings.Builder
	b.WriteString(r.summary())
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
				b.WriteString(paint(r.color, styleBold, pad(label, 8)) + "mend what apply would refuse, then\n")
				label = ""
			}
		}
		b.WriteString(paint(r.color, styleBold, pad(label, 8)) + command + "\n")
	}
	return b.String()
}

// refused tells whether apply would not begin.
func (r *planReport) refused() bool {
	return len(r.Refused) > 0 || slices.ContainsFunc(r.Hosts, func(h plan.HostPlan) bool { return len(h.Refused) > 0 || h.Error != nil })
}

// summary is the head of the report, without the files.
func (r *planReport) summary() string {
	var b strings.Builder
	tree := fmt.Sprintf("tree %.12s", r.Tree)
	if r.Commit != "" {
		tree += fmt.Sprintf(", commit %.12s", r.Commit)
	}
	fmt.Fprintf(&b, "%s%s → %s now\n", paint(r.color, styleBold, pad("plan", 8)), tree, count(len(r.Hosts), "host"))
	rows := r.rows()
	for i, row := range rows {
		if len(row.hosts) > 1 && (row.on == "deploy" || row.on == "restart") {
			rows[i].text += ", each"
		}
	}
	return b.String() + rowsText(rows, len(r.Hosts), r.color)
}

// rowsText shows rows in columns. all is how many hosts there are.
func rowsText(rows []planRow, all int, color bool) string {
	width := 0
	for _, row := range rows {
		if names := hostList(row.hosts, all); row.text != "" && utf8.RuneCountInString(names) <= maxNameWidth {
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
			line = pad(line, width) + "  " + row.text
		}
		b.WriteString(paint(color, styleBold, pad(label, 8)) + line + "\n")
	}
	return b.String()
}

// hostList names hosts; all is how many there are.
func hostList(names []string, all int) string {
	if len(names) == all && all > 2 {
		return fmt.Sprintf("all %d hosts", all)
	}
	return strings.Join(runs(names), " ")
}

// runs puts one word, app1..app60, in the place of four names or more that
// count on.
func runs(names []string) []string {
	type counted struct {
		name, stem string
		number     int // -1 where it ends in none, or in one that begins with 0
	}
	list := make([]counted, len(names))
	for i, name := range names {
		stem := strings.TrimRight(name, "0123456789")
		number, err := strconv.Atoi(name[len(stem):])
		if err != nil || strconv.Itoa(number) != name[len(stem):] {
			stem, number = name, -1
		}
		list[i] = counted{name, stem, number}
	}
	slices.SortStableFunc(list, func(a, b counted) int {
		return cmp.Or(strings.Compare(a.stem, b.stem), cmp.Compare(a.number, b.number))
	})
	var words []string
	for i := 0; i < len(list); {
		n := 1
		for i+n < len(list) && list[i].number >= 0 && list[i+n].stem == list[i].stem && list[i+n].number == list[i].number+n {
			n++
		}
		if n >= 4 {
			words = append(words, list[i].name+".."+list[i+n-1].name)
		} else {
			for _, c := range list[i : i+n] {
				words = append(words, c.name)
			}
		}
		i += n
	}
	return words
}

// painted shows a change with colours, if there are any.
func (r *planReport) painted(c planChange) string {
	text := c.text(len(r.Hosts))
	if !r.color {
		return text
	}
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		style := ""
		switch {
		case i == 0:
			style = styleBold
		case strings.HasPrefix(line, "+"):
			style = styleGood
		case strings.HasPrefix(line, "-"):
			style = "31"
		case strings.HasPrefix(line, "@@"):
			style = styleWork
		}
		b.WriteString(paint(true, style, line) + "\n")
	}
	return b.String()
}

// tally counts the files: 8 files: 4 changed, 4 new.
func (r *planReport) tally() string {
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
	return count(all, "file") + ": " + strings.Join(parts, ", ")
}

// next lists the commands that do what is foretold, in their order.
func (r *planReport) next() []string {
	chosen := ""
	if r.flags.tree != "build" {
		chosen += " --tree " + r.flags.tree
	}
	if len(r.flags.hosts) > 0 {
		chosen += " --host " + strings.Join(r.flags.hosts, ",")
	}
	if len(r.flags.layers) > 0 {
		chosen += " --layer " + strings.Join(r.flags.layers, ",")
	}
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
		if r.file != "" {
			planned = " --plan " + r.file
		}
		commands = append(commands, "plonec apply"+planned+chosen)
	}
	if held && len(verbs) == 0 {
		return append(commands, "plonec deploy"+chosen)
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
			commands = append(commands, "plonec "+verb+chosen+" "+app)
			last = verb
		}
	}
	return commands
}
