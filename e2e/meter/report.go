package meter

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Summary is one line: how many, how many failed, and how slow it was at worst.
func (r *Result) Summary() string {
	s := fmt.Sprintf("%d requests in %s (%.4g a second): %d failed, %d excused",
		r.Total(), r.Duration.Round(100*time.Millisecond), r.Rate, r.Failed(), r.Excused())
	switch r.Ended {
	case "maximum":
		s += "; the load had ended by itself, so what came later was not measured"
	case "cancelled":
		s += "; cancelled"
	}
	return s
}

// Report is the summary, a table of the kinds, which processes answered, and the
// failures among the marks. Failures of one sort between two marks are one line,
// with the first one's error. Times count from the start of the load.
func (r *Result) Report() string {
	var b strings.Builder
	fmt.Fprintln(&b, r.Summary())
	fmt.Fprintf(&b, "at most %d in flight, at most %s late by the meter itself; %d kept connections closed by the server while idle; writes: %d answered, %d unknown\n\n",
		r.Peak, short(r.Late), r.IdleClosed, len(r.Answered), len(r.Unknown))

	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "kind\trequests\tp50\tp95\tp99\tslowest\tat\toutcomes")
	for _, k := range r.Kinds {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", k.Name, k.Total,
			short(k.P50), short(k.P95), short(k.P99), short(k.Slowest), r.at(k.SlowestAt), outcomes(k.Outcomes))
	}
	w.Flush()

	if len(r.Served) > 0 {
		fmt.Fprintln(&b)
		fmt.Fprintln(w, "answered by\tpid\trelease\trequests\tfirst\tlast")
		for _, s := range r.Served {
			fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%s\t%s\n", s.Client, s.PID, s.Release, s.OK, r.at(s.First), r.at(s.Last))
		}
		w.Flush()
	}

	if lines := r.events(); len(lines) > 0 {
		fmt.Fprintln(&b)
		for _, line := range lines {
			fmt.Fprintln(&b, line)
		}
	}
	return b.String()
}

// events are the marks, and the failures between them.
func (r *Result) events() []string {
	var lines []string
	marks := slices.SortedStableFunc(slices.Values(r.Marks), func(a, b Mark) int { return a.Time.Compare(b.Time) })
	left := r.Failures
	for _, m := range marks {
		n, _ := slices.BinarySearchFunc(left, m.Time, func(f Failure, t time.Time) int { return f.Start.Compare(t) })
		lines = append(lines, r.groups(left[:n])...)
		left = left[n:]
		lines = append(lines, r.at(m.Time)+" -- "+m.Text)
	}
	return append(lines, r.groups(left)...)
}

// groups says failures that are in order of time, a line a sort.
func (r *Result) groups(failures []Failure) []string {
	type sort struct {
		kind, outcome, excuse string
		kept                  bool
	}
	var order []sort
	groups := map[sort][]Failure{}
	for _, f := range failures {
		s := sort{f.Kind, f.Outcome, f.Excuse, f.Kept}
		if groups[s] == nil {
			order = append(order, s)
		}
		groups[s] = append(groups[s], f)
	}
	var lines []string
	for _, s := range order {
		g := groups[s]
		line := r.at(g[0].Start)
		if len(g) > 1 {
			line += " to " + r.at(g[len(g)-1].Start)
		}
		longest := slices.MaxFunc(g, func(a, b Failure) int { return int(a.Latency - b.Latency) })
		line += fmt.Sprintf(" %d × %s %s after %s at most", len(g), s.kind, s.outcome, short(longest.Latency))
		if s.kept {
			line += ", kept connection"
		}
		line += ": " + g[0].Line
		if s.excuse != "" {
			line += " (excused: " + s.excuse + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

func (r *Result) at(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return fmt.Sprintf("+%.3fs", t.Sub(r.Start).Seconds())
}

func outcomes(counts map[string]int) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, fmt.Sprintf("%s: %d", name, counts[name]))
	}
	return strings.Join(list, ", ")
}

// short is a duration in three or four digits.
func short(d time.Duration) string {
	switch {
	case d == 0:
		return "-"
	case d < 10*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	default:
		return d.Round(10 * time.Millisecond).String()
	}
}
