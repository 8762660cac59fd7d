//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/e2e/meter"
)

func TestMain(m *testing.M) {
	if run == "" || top == "" || work == "" {
		fmt.Fprintln(os.Stderr, "e2e: run testdata/e2e, or make e2e")
		os.Exit(1)
	}
	status := m.Run()
	if name := os.Getenv("E2E_EVIDENCE"); name != "" && status == 0 {
		if err := os.WriteFile(name, []byte(evidence.text()), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err)
			status = 1
		}
	}
	os.Exit(status)
}

// A row is what one scenario counted.
type row struct {
	cluster, name          string
	total, failed, excused int
	writes, unknown        int
	slowest                time.Duration
	seconds                int
	reasons                []string
	expectFailures         bool
}

type rows []row

var evidence rows

// A trial is one scenario at work.
type trial struct {
	*cluster
	meter   *meter.Meter
	began   time.Time
	excuses []excuse
	waits   []string
	control bool // failures are what it has to show
}

type excuse struct {
	from, to time.Time
	reason   string
	match    func(meter.Failure) bool
}

// excuse names requests that may fail: those in flight on what the scenario
// kills, from a time on until now and a moment.
func (s *trial) excuse(from time.Time, reason string, match func(meter.Failure) bool) {
	s.excuses = append(s.excuses, excuse{from, time.Now().Add(time.Second), reason, match})
}

func every(meter.Failure) bool { return true }

// A scenario is one thing that may happen to a cluster.
type scenario struct {
	name string
	run  func(*trial)
}

// play runs scenarios on a cluster, one after the other, each under load. One
// that fails gives the next one fresh hosts.
func (c *cluster) play(t *testing.T, list []scenario) {
	for _, sc := range list {
		ok := t.Run(sc.name, func(t *testing.T) {
			c.t = t
			s := &trial{cluster: c, began: time.Now()}
			s.meter = c.load(nil)
			time.Sleep(time.Second)
			defer func() {
				if t.Failed() {
					s.meter.Stop()
					s.show()
				}
			}()
			sc.run(s)
			s.finish(sc.name)
		})
		c.t = t
		c.mu.Lock()
		c.log.Reset()
		c.mu.Unlock()
		if !ok {
			c.fresh()
		}
	}
}

// show prints what was said in a scenario that failed, by plonec and by the
// hosts' daemons.
func (s *trial) show() {
	s.mu.Lock()
	lines := strings.Split(s.log.String(), "\n")
	s.mu.Unlock()
	s.t.Logf("what was said, its last lines:\n%s", strings.Join(lines[max(0, len(lines)-60):], "\n"))
	for _, h := range s.hosts {
		out, _ := s.try(h, fmt.Sprintf("journalctl -q --no-pager -o short-precise --since @%d -u 'haproxy*' -u 'plone*' | grep -vE 'NOTICE|Proxy .* stopped' | tail -n 60", s.began.Unix()))
		s.t.Logf("what the daemons of %s said:\n%s", h, out)
	}
}

// fresh begins again, from bare hosts and the first commit.
func (c *cluster) fresh() {
	c.stack = nil
	if err := json.Unmarshal(c.first.stack, &c.stack); err != nil {
		c.t.Fatal(err)
	}
	for _, h := range c.hosts {
		c.lab("uncut", run, h)
		c.lab("forget", run, h)
	}
	c.start(c.hosts...)
	c.sh(c.buildout, "git", "reset", "-q", "--hard", c.first.commit)
	c.push(nil)
	c.change(nil)
	c.bring(c.first.options...)
}

// finish ends the load, counts, and checks what always has to hold.
func (s *trial) finish(name string) {
	t := s.t
	t.Helper()
	if !t.Failed() {
		s.serving(time.Minute)
	}
	time.Sleep(time.Second)
	r := s.meter.Stop()
	for _, j := range s.jobs("lb1", s.began) {
		if j.unit == "nginx.service" && j.verb == "reload" {
			s.excuses = append(s.excuses, excuse{j.at.Add(-2 * time.Second), j.at.Add(2 * time.Second),
				"a kept connection that nginx closed at its reload while a request was under way to it", func(f meter.Failure) bool {
					return f.Kept && (f.Outcome == "closed" || f.Outcome == "reset")
				}})
		}
	}
	for _, e := range s.excuses {
		r.Excuse(e.from, e.to, e.reason, e.match)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ledger, err := meter.Ledger(ctx, "http://"+addresses["lb1"]+"/", "www.example.com")
	if err != nil {
		t.Fatalf("the ledger: %v", err)
	}
	v := r.Verify(ledger)
	out := row{
		cluster: s.name, name: name, total: r.Total(), failed: r.Failed(), excused: r.Excused(), writes: len(r.Answered), unknown: v.Unknown,
		slowest: slowest(r), seconds: int(time.Since(s.began).Seconds()), expectFailures: s.control,
	}
	for _, e := range s.excuses {
		if !slices.Contains(out.reasons, e.reason) {
			out.reasons = append(out.reasons, e.reason)
		}
	}
	evidence = append(evidence, out)
	t.Log(r.Summary())
	if r.Ended != "stopped" {
		t.Errorf("the load ended by itself: %s", r.Ended)
	}
	if !v.OK() {
		t.Errorf("writes: %s", v)
	}
	switch {
	case s.control && r.Failed() == 0:
		t.Errorf("no request failed: the meter, or the control, is broken\n%s", r.Report())
	case !s.control && r.Failed() > 0:
		t.Errorf("%d requests failed\n%s", r.Failed(), r.Report())
	}
	s.sound(s.waits...)
}

// slowest is the slowest answer less what it was asked to take.
func slowest(r *meter.Result) time.Duration {
	var most time.Duration
	for _, k := range r.Kinds {
		d := k.Slowest
		if k.Name == "slow" {
			d -= 3 * time.Second
		}
		most = max(most, d)
	}
	return most
}

// text is docs/evidence.md.
func (e rows) text() string {
	var b strings.Builder
	b.WriteString(`# Evidence

Written by ` + "`make e2e`" + `: what a constant load from outside saw while each
scenario of ` + "`e2e/`" + ` ran on real hosts (Debian 12, systemd, nginx, Varnish,
HAProxy, ZEO, Plone). The load is open: requests start at fixed times, 91 a
second, quick ones, 3 s slow ones and POSTs that write, on new and on kept
connections; none is ever sent twice. "Failed" is every answer that is not
right. "Excused" are failures that the scenario causes on purpose; the last
column names them. "Writes" were answered with success, and each is in the
database exactly once; "open" are writes without an answer, which are there at
most once. Controls break the rules on purpose and have to fail.

| cluster | scenario | seconds | requests | failed | excused | writes | open | slowest | excuses |
|---|---|---|---|---|---|---|---|---|---|
`)
	for _, r := range e {
		failed := fmt.Sprint(r.failed)
		if r.expectFailures {
			failed += " (a control)"
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %s | %d | %d | %d | %.1f s | %s |\n", r.cluster, r.name, r.seconds, r.total, failed, r.excused,
			r.writes, r.unknown, r.slowest.Seconds(), strings.Join(r.reasons, "; "))
	}
	b.WriteString(`
## Speed

Medians, on hosts without load, each beside a floor that was measured in turn
with it, in the same run.

| | plonec | floor | | ratio | aim |
|---|---|---|---|---|---|
`)
	for _, p := range paces {
		b.WriteString(p.row() + "\n")
	}
	return b.String()
}
