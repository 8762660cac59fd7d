package meter

import (
	"slices"
	"time"
)

// A Result is what became of a load. Failures, answers and latencies are by the
// time at which a request should have started.
type Result struct {
	URL      string
	Host     string
	Run      string // every token of the load begins with it
	Rate     float64
	Start    time.Time
	Duration time.Duration // in which requests started
	Ended    string        // "stopped", "cancelled", or "maximum": nobody stopped it before Load.Max, and what came later was not measured

	Kinds    []KindResult
	Failures []Failure // every one, excused or not, oldest first
	Marks    []Mark
	Served   []Server // which processes answered, oldest first

	Answered []string // the tokens of writes that were answered with success
	Unknown  []string // those of writes that failed: they may have been done or not

	Late       time.Duration // how late the meter itself started a request, at most; the latencies contain it
	Peak       int           // requests in flight at once
	IdleClosed int           // kept connections that the server closed while nothing was sent on them

	sent map[string]bool // every token of a write
}

// A KindResult is what became of the requests of one kind. The latencies are of
// the successes: a failure that is quick does not better them.
type KindResult struct {
	Kind
	Total    int
	OK       int
	Outcomes map[string]int // by status, or by the class of the error

	P50, P95, P99, Slowest time.Duration
	SlowestAt              time.Time
}

// A Failure is a request that was not answered as it should have been.
type Failure struct {
	Start   time.Time // when it should have started
	Latency time.Duration
	Kind    string
	Write   bool
	Token   string
	// Outcome is the status where it was not 200, or one of "timeout",
	// "refused", "reset", "unreachable", "closed" (without an answer),
	// "truncated" (in the midst of one), "malformed", "wrong answer" (another
	// page or another request's), "not sent", "cancelled", "error".
	Outcome string
	Kept    bool   // it was sent on a connection that had carried another
	Line    string // the beginning of the body, or the error
	Excuse  string // why it does not count, or nothing
}

// A Mark is an event that the caller noted.
type Mark struct {
	Time time.Time
	Text string
}

// A Server is a process that answered.
type Server struct {
	Release, Client string
	PID             int
	OK              int
	First, Last     time.Time
}

type process struct {
	release, client string
	pid             int
}

type sample struct {
	start   time.Time
	latency time.Duration
}

// Total is how many requests there were.
func (r *Result) Total() int {
	n := 0
	for _, k := range r.Kinds {
		n += k.Total
	}
	return n
}

// OK is how many were answered as they should have been.
func (r *Result) OK() int {
	n := 0
	for _, k := range r.Kinds {
		n += k.OK
	}
	return n
}

// Failed is how many failures have no excuse.
func (r *Result) Failed() int { return len(r.Failures) - r.Excused() }

// Excused is how many failures have one.
func (r *Result) Excused() int {
	n := 0
	for _, f := range r.Failures {
		if f.Excuse != "" {
			n++
		}
	}
	return n
}

// Excuse names a reason for the failures that were in flight at some time from
// one time to the other and for which match is true (nil: all), and returns how
// many. They are still reported. The first reason stays.
func (r *Result) Excuse(from, to time.Time, reason string, match func(Failure) bool) int {
	n := 0
	for i := range r.Failures {
		f := &r.Failures[i]
		if f.Excuse != "" || f.Start.After(to) || f.Start.Add(f.Latency).Before(from) || match != nil && !match(*f) {
			continue
		}
		f.Excuse = reason
		n++
	}
	return n
}

// finish puts in order what the requests left, and reckons the latencies.
func (r *Result) finish(ok [][]sample, served map[process]*Server) {
	slices.SortStableFunc(r.Failures, func(a, b Failure) int { return a.Start.Compare(b.Start) })
	for _, s := range served {
		r.Served = append(r.Served, *s)
	}
	slices.SortFunc(r.Served, func(a, b Server) int { return a.First.Compare(b.First) })
	for i, list := range ok {
		if len(list) == 0 {
			continue
		}
		slices.SortFunc(list, func(a, b sample) int { return int(a.latency - b.latency) })
		k := &r.Kinds[i]
		k.P50, k.P95, k.P99 = percentile(list, 50), percentile(list, 95), percentile(list, 99)
		last := list[len(list)-1]
		k.Slowest, k.SlowestAt = last.latency, last.start
	}
}

// percentile is the least latency that p of a hundred do not exceed.
func percentile(sorted []sample, p int) time.Duration {
	return sorted[(len(sorted)*p+99)/100-1].latency
}
