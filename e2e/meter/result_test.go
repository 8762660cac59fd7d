package meter

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	var list []sample
	for i := 1; i <= 200; i++ {
		list = append(list, sample{latency: time.Duration(i)})
	}
	for p, want := range map[int]time.Duration{50: 100, 95: 190, 99: 198, 100: 200} {
		if got := percentile(list, p); got != want {
			t.Errorf("percentile %d is %d, want %d", p, got, want)
		}
	}
	if got := percentile(list[:1], 50); got != 1 {
		t.Errorf("of one it is %d", got)
	}
}

// sample of a result with two failures that belong together, and one that does not.
func broken() *Result {
	start := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	r := &Result{
		URL: "http://127.0.0.1/", Run: "r-", Rate: 10, Start: start, Duration: 30 * time.Second, Ended: "stopped",
		Kinds: []KindResult{
			{Kind: Kind{Name: "page"}, Total: 295, OK: 293, Outcomes: map[string]int{"200": 293, "refused": 2}},
			{Kind: Kind{Name: "write", Write: true}, Total: 5, OK: 4, Outcomes: map[string]int{"200": 4, "503": 1}},
		},
		Failures: []Failure{
			{Start: at(20), Latency: 2 * time.Millisecond, Kind: "page", Outcome: "refused", Line: "connection refused"},
			{Start: at(5), Latency: 6 * time.Second, Kind: "write", Write: true, Token: "r-write-1", Outcome: "503", Line: "no server", Kept: true},
			{Start: at(10.5), Latency: time.Millisecond, Kind: "page", Outcome: "refused", Line: "connection refused"},
			{Start: at(11.25), Latency: time.Millisecond, Kind: "page", Outcome: "refused", Line: "connection refused"},
		},
		Marks:    []Mark{{at(15), "client1 is back"}, {at(10), "client1 killed"}},
		Answered: []string{"r-write-0"}, Unknown: []string{"r-write-1"},
		Late: 1200 * time.Microsecond, Peak: 7,
	}
	ok := [][]sample{{{at(1), 20 * time.Millisecond}, {at(2), 1234567 * time.Microsecond}}, nil}
	r.finish(ok, map[process]*Server{
		{"/r2", "client1", 9}: {Release: "/r2", Client: "client1", PID: 9, OK: 100, First: at(15), Last: at(30)},
		{"/r1", "client1", 8}: {Release: "/r1", Client: "client1", PID: 8, OK: 197, First: at(0), Last: at(10)},
	})
	return r
}

func TestReport(t *testing.T) {
	r := broken()
	r.Excuse(r.Start.Add(9*time.Second), r.Start.Add(12*time.Second), "killed by the test", func(f Failure) bool { return f.Outcome == "refused" })
	want := `300 requests in 30s (10 a second): 2 failed, 2 excused
at most 7 in flight, at most 1.2ms late by the meter itself; 0 kept connections closed by the server while idle; writes: 1 answered, 1 unknown

kind   requests  p50   p95    p99    slowest  at       outcomes
page   295       20ms  1.23s  1.23s  1.23s    +2.000s  200: 293, refused: 2
write  5         -     -      -      -        -        200: 4, 503: 1

answered by  pid  release  requests  first     last
client1      8    /r1      197       +0.000s   +10.000s
client1      9    /r2      100       +15.000s  +30.000s

+5.000s 1 × write 503 after 6s at most, kept connection: no server
+10.000s -- client1 killed
+10.500s to +11.250s 2 × page refused after 1ms at most: connection refused (excused: killed by the test)
+15.000s -- client1 is back
+20.000s 1 × page refused after 2ms at most: connection refused
`
	if got := r.Report(); got != want {
		t.Errorf("the report is\n%s\nwant\n%s", got, want)
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

// An excuse covers what was in flight in its time and matches, and hides nothing.
func TestExcuse(t *testing.T) {
	r := broken()
	at := func(s float64) time.Time { return r.Start.Add(time.Duration(s * float64(time.Second))) }
	for _, step := range []struct {
		from, to        float64
		match           func(Failure) bool
		n, failed, excu int
	}{
		{0, 4.9, nil, 0, 4, 0},
		{11.1, 11.2, nil, 0, 4, 0},
		{10.9, 11, nil, 1, 3, 1}, // the one from 5 to 11
		{10.9, 11, nil, 0, 3, 1}, // not again
		{0, 30, func(f Failure) bool { return f.Outcome == "503" }, 0, 3, 1},
		{10.6, 20, func(f Failure) bool { return f.Outcome == "refused" }, 2, 1, 3},
	} {
		if n := r.Excuse(at(step.from), at(step.to), "reason", step.match); n != step.n || r.Failed() != step.failed || r.Excused() != step.excu {
			t.Errorf("%v to %v: %d excused now, %d failed, %d excused", step.from, step.to, n, r.Failed(), r.Excused())
		}
	}
	if r.Total() != 300 || r.OK() != 297 || len(r.Failures) != 4 || len(r.Unknown) != 1 {
		t.Error("an excuse took something away")
	}
	if n := strings.Count(r.Report(), "(excused: reason)"); n != 3 {
		t.Errorf("%d excused lines:\n%s", n, r.Report())
	}
}
