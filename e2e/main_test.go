package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/e2e/meter"
)

// TestMain plays the suites on the hosts of testdata/e2e; without hosts, all else.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := selected.check(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	if run == "" {
		flag.Set("test.skip", functions())
		os.Exit(m.Run())
	}
	if flag.Lookup("test.run").Value.String() == "" {
		flag.Set("test.run", functions())
	}
	status := m.Run()
	if name := os.Getenv("E2E_EVIDENCE"); name != "" {
		passed := slices.DeleteFunc(selected.groups(), func(g group) bool { return failed[g] })
		if err := evidence.write(name, passed, thisRun()); err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err)
			status = 1
		}
	}
	os.Exit(status)
}

func TestPlone(t *testing.T)      { play(t) }
func TestZope(t *testing.T)       { play(t) }
func TestPlone61(t *testing.T)    { play(t) }
func TestPlone60(t *testing.T)    { play(t) }
func TestDebian13(t *testing.T)   { play(t) }
func TestRelStorage(t *testing.T) { play(t) }
func TestTutorial(t *testing.T)   { play(t) }

// A trial is one scenario at work.
type trial struct {
	*cluster
	scenario scenario
	meter    *meter.Meter
	began    time.Time
	excuses  []excuse
	waits    []string
	control  bool // failures are what it has to show
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

// loaded runs the scenario under load, and counts.
func (s *trial) loaded() {
	s.meter = s.load(nil)
	time.Sleep(time.Second)
	defer func() {
		if s.t.Failed() {
			s.meter.Stop()
			s.show()
		}
	}()
	s.scenario.run(s)
	s.finish()
}

// unloaded runs it on a cluster that nobody loads.
func (s *trial) unloaded() {
	s.scenario.run(s)
	evidence = append(evidence, row{group: s.scenario.group, cluster: s.name, name: s.scenario.name, seconds: seconds(s.began)})
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
func (s *trial) finish() {
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
		group: s.scenario.group, cluster: s.name, name: s.scenario.name, seconds: seconds(s.began),
		load: &load{total: r.Total(), failed: r.Failed(), excused: r.Excused(), writes: len(r.Answered), unknown: v.Unknown, slowest: slowest(r), control: s.control},
	}
	for _, e := range s.excuses {
		if !slices.Contains(out.load.reasons, e.reason) {
			out.load.reasons = append(out.load.reasons, e.reason)
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
