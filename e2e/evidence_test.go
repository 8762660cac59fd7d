package e2e

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// A row is what one scenario took.
type row struct {
	group         group
	cluster, name string
	seconds       int
	load          *load // nil where nobody loaded the cluster
}

// A load is what was counted from outside while a scenario ran.
type load struct {
	total, failed, excused int
	writes, unknown        int
	slowest                time.Duration
	reasons                []string
	control                bool
}

type rows []row

var evidence rows

func (r row) text() string {
	if r.load == nil {
		return fmt.Sprintf("| %s | %s | %d | | | | | | | |\n", r.cluster, r.name, r.seconds)
	}
	l := r.load
	failed := strconv.Itoa(l.failed)
	if l.control {
		failed += " (a control)"
	}
	return fmt.Sprintf("| %s | %s | %d | %d | %s | %d | %d | %d | %.1f s | %s |\n", r.cluster, r.name, r.seconds, l.total, failed, l.excused,
		l.writes, l.unknown, l.slowest.Seconds(), strings.Join(l.reasons, "; "))
}

// An origin is the run that a section is of.
type origin struct{ commit, date, machine string }

func (o origin) text() string {
	return fmt.Sprintf("Commit %s, %s, %s.\n", o.commit, o.date, o.machine)
}

var originLine = regexp.MustCompile(`(?m)^Commit ([0-9a-f]{7,40}(?: and changes that are not committed)?), (\d{4}-\d\d-\d\d), (.+)\.$`)

// thisRun is this one: testdata/e2e says of which commit. A machine is told by what
// makes it slow or fast, not by its name.
func thisRun() origin {
	memory, version := 0, []byte(nil)
	if data, err := os.ReadFile("/proc/meminfo"); err == nil {
		fmt.Sscanf(string(data), "MemTotal: %d kB", &memory)
	}
	if data, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		version = regexp.MustCompile(`^[0-9.]+`).Find(data)
	}
	return origin{os.Getenv("E2E_COMMIT"), time.Now().UTC().Format(time.DateOnly),
		fmt.Sprintf("%d CPUs, %d GiB of memory, Linux %s", runtime.NumCPU(), (memory+1<<19)>>20, version)}
}

const introduction = `# Evidence

What a constant load from outside saw while each scenario of ` + "`e2e/`" + ` ran on real
hosts (Debian 12, those of the cluster debian13 Debian 13; systemd, nginx, Varnish,
HAProxy, ZEO, Plone). Each section is a
group of scenarios, and written by a whole run of that group that passed (` + "`make e2e`" + `, or
` + "`make e2e GROUP=faults`" + `); it names the commit that ran, the day and the machine.

The load is open: requests start at fixed times, 91 a second, quick ones, 3 s slow
ones and POSTs that write, on new and on kept connections; none is ever sent twice.
"Failed" is every answer that is not right. "Excused" are failures that the scenario
causes on purpose; the last column names them. "Writes" were answered with success,
and each is in the database exactly once; "open" are writes without an answer, which
are there at most once. Controls break the rules on purpose and have to fail. Where
only the seconds are told, nobody loaded the cluster.
`

// section is what docs/evidence.md has about a group.
func (e rows) section(g group, of origin) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s\n\n%s", g, of.text())
	b.WriteString(`
| cluster | scenario | seconds | requests | failed | excused | writes | open | slowest | excuses |
|---|---|---|---|---|---|---|---|---|---|
`)
	for _, r := range e {
		if r.group == g {
			b.WriteString(r.text())
		}
	}
	var speed []string
	for _, p := range paces {
		if p.group == g {
			speed = append(speed, p.row()+"\n")
		}
	}
	if len(speed) > 0 {
		b.WriteString(`
### Speed

Medians, on hosts without load, each beside a floor that was measured in turn
with it, in the same run.

| | plonec | floor | | ratio | aim |
|---|---|---|---|---|---|
` + strings.Join(speed, ""))
	}
	return b.String()
}

// write writes the sections of groups that passed, and leaves the others. Which were
// not played whole is an error.
func (e rows) write(name string, passed []group, of origin) error {
	before, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	sections, missing := sectionsOf(string(before)), error(nil)
	for _, g := range passed {
		if err := e.whole(g); err != nil {
			missing = errors.Join(missing, fmt.Errorf("the section of %s in %s is left as it was: %w", g, name, err))
			continue
		}
		sections[g] = e.section(g, of)
	}
	text := introduction
	for _, g := range groups {
		text += sections[g]
	}
	return errors.Join(missing, os.WriteFile(name, []byte(text), 0o644))
}

// sectionsOf takes docs/evidence.md apart: the text of each group, with its heading.
func sectionsOf(document string) map[group]string {
	sections := map[group]string{}
	for _, text := range strings.Split(document, "\n## ")[1:] {
		name, _, _ := strings.Cut(text, "\n")
		sections[group(name)] = "\n## " + strings.TrimRight(text, "\n") + "\n"
	}
	return sections
}

var measuredRow = regexp.MustCompile(`(?m)^\| ([^|]+) \| ([^|]+) \| (\d+) \|`)

// A measured time is the seconds of a row of docs/evidence.md.
type measured struct {
	cluster, name string
	seconds       int
}

func measuredIn(section string) []measured {
	var list []measured
	for _, m := range measuredRow.FindAllStringSubmatch(section, -1) {
		n, _ := strconv.Atoi(m[3])
		list = append(list, measured{m[1], m[2], n})
	}
	return list
}

// took is how many seconds a scenario took: on its cluster, or at the worst where it
// was played before it moved there.
func took(list []measured, cluster, name string) (seconds int, ok bool) {
	for _, m := range list {
		switch {
		case m.name != name:
		case m.cluster == cluster:
			return m.seconds, true
		default:
			seconds, ok = max(seconds, m.seconds), true
		}
	}
	return seconds, ok
}
