package meter

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A site answers as testdata/site does. Before, where it is set, may answer, or
// break off, in its place, and returns whether it did.
type site struct {
	*httptest.Server
	before func(w http.ResponseWriter, r *http.Request) bool

	mu     sync.Mutex
	ledger map[string]int
	seen   map[string]int // how often each token arrived
}

func newSite(t *testing.T, before func(http.ResponseWriter, *http.Request) bool, configure ...func(*http.Server)) *site {
	s := &site{before: before, ledger: map[string]int{}, seen: map[string]int{}}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	for _, f := range configure {
		f(s.Config)
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/@@e2e-ledger") {
		s.mu.Lock()
		defer s.mu.Unlock()
		json.NewEncoder(w).Encode(s.ledger)
		return
	}
	token := r.FormValue("token")
	s.mu.Lock()
	s.seen[token]++
	s.mu.Unlock()
	if s.before != nil && s.before(w, r) {
		return
	}
	if r.Method == http.MethodPost {
		s.write(token, 1)
	}
	answerAs(w, token)
}

func (s *site) write(token string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ledger[token] += n
}

// arrivals is how often each token arrived.
func (s *site) arrivals() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.seen)
}

func answerAs(w http.ResponseWriter, token string) {
	fmt.Fprintf(w, "release /srv/one\nclient client1\npid 7\ntoken %s\n", token)
}

// breakOff closes the connection without an answer.
func breakOff(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
}

// fast is a mix of pages and writes, both sorts of connections.
func fast() []Kind {
	return []Kind{
		{Name: "page", Rate: 100, Path: "@@e2e-page?x=1"},
		{Name: "kept", Rate: 100, Path: "@@e2e-page", KeepAlive: true},
		{Name: "write", Rate: 50, Path: "@@e2e-write", Write: true},
		{Name: "write-kept", Rate: 50, Path: "@@e2e-write", Write: true, KeepAlive: true},
	}
}

func start(t *testing.T, load Load) *Meter {
	t.Helper()
	m, err := Start(t.Context(), load)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// run lets a load end by itself: how many requests there are then depends on
// nothing else that the machine does.
func run(t *testing.T, load Load) *Result {
	t.Helper()
	m := start(t, load)
	m.drivers.Wait()
	return m.Stop()
}

// idle is a meter that has sent one request of the first kind, and sends no
// more by itself.
func idle(t *testing.T, load Load) *Meter {
	t.Helper()
	load.Max = time.Nanosecond
	m := start(t, load)
	m.drivers.Wait()
	m.flights.Wait()
	return m
}

// one sends one request more, and waits for it.
func (m *Meter) one(kind, n int) {
	m.launch(kind, fmt.Sprintf("%s%s-%d", m.run, m.load.Mix[kind].Name, n), time.Now())
	m.flights.Wait()
}

func verify(t *testing.T, s *site, r *Result) Verdict {
	t.Helper()
	ledger, err := Ledger(t.Context(), s.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	return r.Verify(ledger)
}

func TestHonest(t *testing.T) {
	t.Parallel()
	var host, query atomic.Value
	var fresh, kept atomic.Int64
	var conns sync.Map
	s := newSite(t, func(_ http.ResponseWriter, r *http.Request) bool {
		host.Store(r.Host)
		if r.URL.Path != "/site/@@e2e-page" && r.URL.Path != "/site/@@e2e-write" {
			t.Errorf("%s was asked for", r.URL.Path)
		}
		if _, again := conns.Swap(r.RemoteAddr, true); again && r.Close {
			t.Error("a request that wants a new connection came over a kept one")
		}
		if r.Method == http.MethodGet && !r.Close {
			kept.Add(1)
		} else if r.Method == http.MethodGet {
			fresh.Add(1)
			query.Store(r.URL.RawQuery)
		}
		return false
	})
	m := start(t, Load{URL: s.URL + "/site", Host: "www.example.com", Mix: fast(), Max: time.Second})
	m.Mark("begun")
	m.drivers.Wait()
	r := m.Stop()
	if m.Stop() != r {
		t.Error("a second Stop returns another result")
	}
	if r.Failed() != 0 || len(r.Failures) != 0 {
		t.Errorf("failures of an honest server:\n%s", r.Report())
	}
	if r.OK() != r.Total() || r.Total() != 301 || r.Duration < time.Second {
		t.Errorf("%d requests in %v, %d of them answered, want 301", r.Total(), r.Duration, r.OK())
	}
	for _, k := range r.Kinds {
		if k.P50 <= 0 || k.P50 > k.P95 || k.P95 > k.P99 || k.P99 > k.Slowest || k.SlowestAt.Before(r.Start) {
			t.Errorf("%s: %v %v %v %v", k.Name, k.P50, k.P95, k.P99, k.Slowest)
		}
		if k.Outcomes["200"] != k.OK || k.OK != k.Total {
			t.Errorf("%s: outcomes %v of %d", k.Name, k.Outcomes, k.Total)
		}
	}
	if v := verify(t, s, r); !v.OK() || v.Answered != len(s.ledger) || v.Answered != 100 || v.Unknown != 0 {
		t.Errorf("verdict: %s, ledger of %d", v, len(s.ledger))
	}
	if host.Load() != "www.example.com" {
		t.Errorf("the Host header was %q", host.Load())
	}
	if q, _ := query.Load().(string); !strings.HasPrefix(q, "x=1&token="+r.Run+"page-") {
		t.Errorf("the query was %q", q)
	}
	if int(fresh.Load()) != r.Kinds[0].Total || int(kept.Load()) != r.Kinds[1].Total {
		t.Errorf("%d over new connections and %d over kept ones:\n%s", fresh.Load(), kept.Load(), r.Report())
	}
	if len(r.Served) != 1 || r.Served[0].Client != "client1" || r.Served[0].Release != "/srv/one" || r.Served[0].PID != 7 || r.Served[0].OK != r.Total() {
		t.Errorf("answered by %+v", r.Served)
	}
	if len(r.Marks) != 1 || r.Marks[0].Text != "begun" {
		t.Errorf("marks %v", r.Marks)
	}
}

// One of a hundred is lost, in each of the ways in which that happens.
func TestDropsOneOfAHundred(t *testing.T) {
	t.Parallel()
	ways := map[string]func(http.ResponseWriter){
		"closed": breakOff,
		"503":    func(w http.ResponseWriter) { http.Error(w, "<html>\n<b>no\x00 server", http.StatusServiceUnavailable) },
		"302":    func(w http.ResponseWriter) { w.Header().Set("Location", "/"); w.WriteHeader(http.StatusFound) },
		"truncated": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "half")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		},
		"wrong answer": func(w http.ResponseWriter) { answerAs(w, "of-another") },
		"timeout":      func(http.ResponseWriter) { time.Sleep(1500 * time.Millisecond) },
	}
	for outcome, way := range ways {
		t.Run(outcome, func(t *testing.T) {
			t.Parallel()
			var n, dropped atomic.Int64
			s := newSite(t, func(w http.ResponseWriter, r *http.Request) bool {
				if n.Add(1)%100 != 0 {
					return false
				}
				dropped.Add(1)
				way(w)
				return true
			})
			load := Load{URL: s.URL, Mix: fast(), Max: 1100 * time.Millisecond}
			if outcome == "timeout" {
				load.Timeout = time.Second
			}
			r := run(t, load)
			// On a machine that is busy enough others time out as well.
			if dropped.Load() != 3 || int64(r.Failed()) != dropped.Load() && (outcome != "timeout" || r.Failed() < 3) {
				t.Errorf("%d dropped:\n%s", dropped.Load(), r.Report())
			}
			if r.OK()+r.Failed() != r.Total() || r.Total() != 331 || int64(r.Total()) != n.Load() && outcome != "timeout" {
				t.Errorf("%d arrived, %d answered, %d failed, %d in all", n.Load(), r.OK(), r.Failed(), r.Total())
			}
			writes := 0
			for _, f := range r.Failures {
				if f.Outcome != outcome || f.Token == "" || f.Start.Before(r.Start) || f.Latency <= 0 {
					t.Errorf("failure %+v", f)
				}
				if outcome == "503" && f.Line != "<html> <b>no server" {
					t.Errorf("its line is %q", f.Line)
				}
				if outcome == "timeout" && f.Latency < time.Second {
					t.Errorf("timed out after %v", f.Latency)
				}
				if f.Write {
					writes++
				}
			}
			if v := verify(t, s, r); !v.OK() || v.Unknown != writes || v.Done != 0 && outcome != "timeout" || len(r.Unknown) != writes {
				t.Errorf("%d writes dropped: %s", writes, v)
			}
			// As many arrived as were sent.
			for token, times := range s.arrivals() {
				if times != 1 {
					t.Errorf("%s arrived %d times", token, times)
				}
			}
		})
	}
}

func TestVerifyNamesTheWrite(t *testing.T) {
	t.Parallel()
	var s *site
	s = newSite(t, func(w http.ResponseWriter, r *http.Request) bool {
		token := r.FormValue("token")
		switch _, rest, _ := strings.Cut(token, "-"); rest {
		case "write-3": // committed twice
			s.write(token, 1)
		case "write-5": // answered and not committed
			answerAs(w, token)
			return true
		case "write-7": // committed and not answered
			s.write(token, 1)
			breakOff(w)
			return true
		case "write-9": // committed twice and not answered
			s.write(token, 2)
			breakOff(w)
			return true
		case "write-11": // neither
			breakOff(w)
			return true
		}
		return false
	})
	r := run(t, Load{URL: s.URL, Mix: []Kind{{Name: "write", Rate: 50, Path: "@@e2e-write", Write: true}}, Max: 400 * time.Millisecond})
	s.write("of-another-load", 2)
	s.write(r.Run+"write-99999", 1)
	v := verify(t, s, r)
	name := func(n ...int) (list []string) {
		for _, n := range n {
			list = append(list, fmt.Sprintf("%swrite-%d", r.Run, n))
		}
		return list
	}
	if v.OK() || !slices.Equal(v.Lost, name(5)) || !slices.Equal(v.Doubled, name(3, 9)) || !slices.Equal(v.Foreign, name(99999)) {
		t.Errorf("verdict: %s", v)
	}
	if v.Unknown != 3 || v.Done != 2 || v.Answered != 18 || !slices.Equal(r.Unknown, name(7, 9, 11)) {
		t.Errorf("verdict: %s, unknown %v", v, r.Unknown)
	}
	for _, token := range name(5, 3, 9, 99999) {
		if !strings.Contains(v.String(), token) {
			t.Errorf("%s is not in %q", token, v)
		}
	}
}

// A server that stands still for 2 s makes the requests of these 2 s slow, all
// of them: the load goes on, and latency counts from when each was due.
func TestStall(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	s := newSite(t, func(http.ResponseWriter, *http.Request) bool {
		if d := time.Since(begin); d > 500*time.Millisecond && d < 2500*time.Millisecond {
			time.Sleep(2500*time.Millisecond - d)
		}
		return false
	})
	m := start(t, Load{URL: s.URL, Mix: []Kind{
		{Name: "page", Rate: 50, Path: "@@e2e-page"},
		{Name: "kept", Rate: 50, Path: "@@e2e-page", KeepAlive: true},
	}, Max: 3 * time.Second})
	m.drivers.Wait()
	r := m.Stop()
	if r.Failed() != 0 {
		t.Fatal(r.Report())
	}
	for i, k := range r.Kinds {
		over := 0
		for _, s := range m.ok[i] {
			if s.latency > time.Second {
				over++
			}
		}
		// 50 requests were due in the first of the two seconds. A machine that
		// is busy may make more late, but not fewer.
		if over < 49 || k.Slowest < 1900*time.Millisecond || k.P50 < 100*time.Millisecond {
			t.Errorf("%s: %d took over 1 s, want 50 at least\n%s", k.Name, over, r.Report())
		}
	}
	if r.Peak < 150 {
		t.Errorf("at most %d in flight, want about 200", r.Peak)
	}
}

// What the meter itself starts late is late.
func TestLatencyCountsFromWhenItWasDue(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	m := idle(t, Load{URL: s.URL, Mix: []Kind{{Name: "none", Rate: 1}, {Name: "page", Rate: 1, Path: "p"}}})
	m.launch(1, m.run+"page-late", time.Now().Add(-time.Second))
	r := m.Stop()
	if k := r.Kinds[1]; k.OK != 1 || k.Slowest < time.Second || r.Late < time.Second {
		t.Error(r.Report())
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	for want, load := range map[string]Load{
		"write an address in digits":           {URL: "http://www.example.com/"},
		"neither a loopback nor a private":     {URL: "http://192.0.2.1/"},
		"neither a loopback nor":               {URL: "http://[2001:db8::1]:80/"},
		"write http://ADDRESS:PORT/":           {URL: "https://127.0.0.1/"},
		"1500 requests a second":               {URL: "http://127.0.0.1/", Mix: []Kind{{Name: "a", Rate: 1500}}},
		"0 requests a second":                  {URL: "http://127.0.0.1/", Mix: []Kind{}},
		"a has a rate of -1":                   {URL: "http://127.0.0.1/", Mix: []Kind{{Name: "a", Rate: -1}}},
		"a kind without a name of its own: \"": {URL: "http://127.0.0.1/", Mix: []Kind{{Rate: 1}}},
		"of its own: \"a\"":                    {URL: "http://127.0.0.1/", Mix: []Kind{{Name: "a", Rate: 1}, {Name: "a", Rate: 1}}},
		"write one below the URL":              {URL: "http://127.0.0.1/", Mix: []Kind{{Name: "a", Rate: 1, Path: "//192.0.2.1/"}}},
		"below the URL":                        {URL: "http://127.0.0.1/", Mix: []Kind{{Name: "a", Rate: 1, Path: "http://192.0.2.1/"}}},
		"Max is 2h":                            {URL: "http://127.0.0.1/", Max: 2 * time.Hour},
		"Timeout is 10m":                       {URL: "http://127.0.0.1/", Timeout: 10 * time.Minute},
		"InFlight is 20000":                    {URL: "http://127.0.0.1/", InFlight: 20000},
	} {
		m, err := Start(t.Context(), load)
		if err == nil {
			m.Stop()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", load, err, want)
		}
	}
}

// It ends by itself, and says that nobody ended it.
func TestMaximum(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	m := start(t, Load{URL: s.URL, Mix: fast(), Max: 300 * time.Millisecond})
	m.drivers.Wait()
	m.flights.Wait()
	arrived := len(s.arrivals())
	time.Sleep(100 * time.Millisecond)
	r := m.Stop()
	if r.Ended != "maximum" || !strings.Contains(r.Summary(), "not measured") {
		t.Errorf("ended: %s\n%s", r.Ended, r.Summary())
	}
	if r.Total() != arrived || r.Total() != 91 || len(s.arrivals()) != 91 {
		t.Errorf("%d arrived of %d, %d in the end, want 91", arrived, r.Total(), len(s.arrivals()))
	}
}

// The context ends the load and what is in flight.
func TestCancel(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	s := newSite(t, func(_ http.ResponseWriter, r *http.Request) bool { <-gone; return true })
	defer close(gone)
	ctx, cancel := context.WithCancel(t.Context())
	m, err := Start(ctx, Load{URL: s.URL, Mix: fast()})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	cancel()
	asked := time.Now()
	r := m.Stop()
	if d := time.Since(asked); d > 10*time.Second {
		t.Errorf("Stop took %v", d)
	}
	if r.Ended != "cancelled" || r.Failed() != r.Total() || r.Total() == 0 || !strings.Contains(r.Summary(), "cancelled") {
		t.Error(r.Report())
	}
	for _, k := range r.Kinds {
		if k.Outcomes["cancelled"] != k.Total {
			t.Errorf("%s: %v", k.Name, k.Outcomes)
		}
	}
}

// What is over the bound is not sent, and is a failure.
func TestInFlight(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	s := newSite(t, func(http.ResponseWriter, *http.Request) bool { <-gate; return false })
	m := start(t, Load{URL: s.URL, Mix: []Kind{{Name: "write", Rate: 100, Path: "w", Write: true}}, InFlight: 10, Max: 400 * time.Millisecond})
	m.drivers.Wait()
	close(gate)
	r := m.Stop()
	k := r.Kinds[0]
	if k.OK != 10 || k.Outcomes["not sent"] != 31 || r.Failed() != 31 || r.Peak != 10 || len(s.arrivals()) != 10 {
		t.Errorf("%d arrived:\n%s", len(s.arrivals()), r.Report())
	}
	if v := verify(t, s, r); !v.OK() || v.Unknown != 31 {
		t.Errorf("verdict: %s", v)
	}
}

// Nobody listens.
func TestRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.Close()
	r := run(t, Load{URL: s.URL, Mix: fast(), Max: 100 * time.Millisecond})
	if r.OK() != 0 || r.Failed() != 31 {
		t.Error(r.Report())
	}
	for _, f := range r.Failures {
		if f.Outcome != "refused" || !strings.Contains(f.Line, "connection refused") {
			t.Errorf("%+v", f)
		}
	}
}

// A page of another package does not repeat the token.
func TestPlain(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, "Welcome to Plone"); return true })
	m := start(t, Load{URL: s.URL, Mix: []Kind{{Name: "front", Rate: 50, Plain: true}, {Name: "page", Rate: 50, Path: "p"}}})
	for len(s.arrivals()) < 20 {
		time.Sleep(10 * time.Millisecond)
	}
	r := m.Stop()
	if r.Ended != "stopped" {
		t.Errorf("ended: %s", r.Ended)
	}
	front, page := r.Kinds[0], r.Kinds[1]
	if front.OK != front.Total || front.OK < 5 || !maps.Equal(page.Outcomes, map[string]int{"wrong answer": page.Total}) {
		t.Error(r.Report())
	}
	if r.Failures[0].Line != "200 without token "+r.Failures[0].Token+": Welcome to Plone" {
		t.Errorf("its line is %q", r.Failures[0].Line)
	}
}
