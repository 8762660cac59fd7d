// Package meter puts an open-loop load on a stack and says what became of every
// request and every write. Requests start at fixed times, whatever became of the
// earlier ones, and their latency counts from the time they should have started
// at: a stack that stalls for two seconds is not spared the requests of these
// two seconds. No request is ever sent a second time.
//
// It is for hosts of tests alone: addresses that are neither loopback nor
// private are refused, and rate, concurrency and time are bounded.
package meter

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Load is what to send, where to, and for how long at most.
type Load struct {
	URL      string        // http://ADDRESS[:PORT]/ and a path, if any; the address in digits
	Host     string        // the Host header; the address where empty
	Mix      []Kind        // DefaultMix where nil
	Max      time.Duration // nothing starts later; 10 minutes where 0, an hour at most
	Timeout  time.Duration // from when a request should have started; 60 s where 0, 5 minutes at most
	InFlight int           // at once; what is over it fails as "not sent"; 2000 where 0, 10,000 at most
}

// A Kind is a row of the mix: requests of one sort at a fixed rate.
type Kind struct {
	Name      string
	Rate      float64 // a second; all together 1,000 at most
	Path      string  // below Load.URL, with a query if any
	Write     bool    // a POST that writes its token, instead of a GET
	KeepAlive bool    // over kept connections, instead of a new one each
	Plain     bool    // the page is not of plonec_testsite and does not repeat the token: any 200 will do
}

// DefaultMix is 91 requests a second of the views in testdata/site. The slow
// ones take three threads of Zope all the time: a stack that has fewer than
// that left while one client restarts gets a queue, not failures.
func DefaultMix() []Kind {
	return []Kind{
		{Name: "page", Rate: 40, Path: "@@e2e-page"},
		{Name: "page-kept", Rate: 40, Path: "@@e2e-page", KeepAlive: true},
		{Name: "slow", Rate: 1, Path: "@@e2e-slow?seconds=3"},
		{Name: "write", Rate: 5, Path: "@@e2e-write", Write: true},
		{Name: "write-kept", Rate: 5, Path: "@@e2e-write", Write: true, KeepAlive: true},
	}
}

// A Meter is a load that runs.
type Meter struct {
	ctx     context.Context
	load    Load
	base    *url.URL
	client  *client
	run     string // every token of this load begins with it
	slots   chan struct{}
	quit    chan struct{}
	drivers sync.WaitGroup
	flights sync.WaitGroup
	once    sync.Once

	mu     sync.Mutex
	result *Result
	ok     [][]sample // for each kind
	served map[process]*Server
}

// Start begins a load. It ends by Stop, by the context, which cuts off what is
// in flight, or by itself after Load.Max.
func Start(ctx context.Context, load Load) (*Meter, error) {
	base, err := load.check()
	if err != nil {
		return nil, err
	}
	m := &Meter{
		ctx:    ctx,
		load:   load,
		base:   base,
		client: newClient(base),
		run:    strings.ToLower(rand.Text()[:10]) + "-",
		slots:  make(chan struct{}, load.InFlight),
		quit:   make(chan struct{}),
		ok:     make([][]sample, len(load.Mix)),
		served: map[process]*Server{},
	}
	m.result = &Result{URL: load.URL, Host: load.Host, Run: m.run, Start: time.Now(), sent: map[string]bool{}}
	for _, kind := range load.Mix {
		m.result.Rate += kind.Rate
		m.result.Kinds = append(m.result.Kinds, KindResult{Kind: kind, Outcomes: map[string]int{}})
	}
	for i := range load.Mix {
		m.drivers.Go(func() {
			ended := m.drive(i)
			m.mu.Lock()
			defer m.mu.Unlock()
			m.result.Ended, m.result.Duration = ended, time.Since(m.result.Start)
		})
	}
	return m, nil
}

// check puts the defaults in and refuses what is out of bounds.
func (l *Load) check() (*url.URL, error) {
	if l.Mix == nil {
		l.Mix = DefaultMix()
	}
	if l.Max == 0 {
		l.Max = 10 * time.Minute
	}
	if l.Timeout == 0 {
		l.Timeout = time.Minute
	}
	if l.InFlight == 0 {
		l.InFlight = 2000
	}
	base, err := url.Parse(l.URL)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	if base.Scheme != "http" || base.RawQuery != "" {
		return nil, fmt.Errorf("load: the URL is %q: write http://ADDRESS:PORT/", l.URL)
	}
	addr, err := netip.ParseAddr(base.Hostname())
	if err != nil {
		return nil, fmt.Errorf("load: the URL's host is %q: write an address in digits, and the name in Host", base.Hostname())
	}
	if !addr.IsLoopback() && !addr.IsPrivate() {
		return nil, fmt.Errorf("load: %s is neither a loopback nor a private address: the load is for hosts of tests alone", addr)
	}
	base.Path = strings.TrimSuffix(base.Path, "/") + "/"
	if l.Host == "" {
		l.Host = base.Host
	}
	rate := 0.0
	names := map[string]bool{}
	for _, k := range l.Mix {
		if k.Name == "" || names[k.Name] {
			return nil, fmt.Errorf("load: a kind without a name of its own: %q", k.Name)
		}
		if !(k.Rate > 0) {
			return nil, fmt.Errorf("load: %s has a rate of %v: write one over 0", k.Name, k.Rate)
		}
		if ref, err := url.Parse(k.Path); err != nil || ref.IsAbs() || strings.HasPrefix(k.Path, "/") {
			return nil, fmt.Errorf("load: %s has the path %q: write one below the URL", k.Name, k.Path)
		}
		names[k.Name] = true
		rate += k.Rate
	}
	switch {
	case !(rate > 0 && rate <= 1000):
		return nil, fmt.Errorf("load: %v requests a second: write a mix with 1,000 at most", rate)
	case l.Max < 0 || l.Max > time.Hour:
		return nil, fmt.Errorf("load: Max is %v: write an hour at most", l.Max)
	case l.Timeout < 0 || l.Timeout > 5*time.Minute:
		return nil, fmt.Errorf("load: Timeout is %v: write 5 minutes at most", l.Timeout)
	case l.InFlight < 0 || l.InFlight > 10000:
		return nil, fmt.Errorf("load: InFlight is %d: write 10,000 at most", l.InFlight)
	}
	return base, nil
}

// drive starts the requests of one kind, each at its time, and returns why it
// ended.
func (m *Meter) drive(i int) string {
	kind := m.load.Mix[i]
	// Kinds of the same rate do not start at the same moments.
	phase := float64(i) / float64(len(m.load.Mix))
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := 0; ; n++ {
		after := time.Duration((float64(n) + phase) / kind.Rate * float64(time.Second))
		due := m.result.Start.Add(min(after, m.load.Max))
		timer.Reset(time.Until(due))
		select {
		case <-m.quit:
			return "stopped"
		case <-m.ctx.Done():
			return "cancelled"
		case <-timer.C:
		}
		if after > m.load.Max {
			return "maximum"
		}
		m.launch(i, fmt.Sprintf("%s%s-%d", m.run, kind.Name, n), due)
	}
}

// launch sends one request, and does not wait for its answer.
func (m *Meter) launch(i int, token string, due time.Time) {
	kind := m.load.Mix[i]
	late := time.Since(due)
	select {
	case m.slots <- struct{}{}:
	default:
		m.record(i, token, due, late, answer{outcome: "not sent", line: fmt.Sprintf("%d requests are in flight", cap(m.slots))})
		return
	}
	m.flights.Go(func() {
		a := m.client.do(m.ctx, m.request(kind, token), kind.KeepAlive, due.Add(m.load.Timeout))
		if a.outcome == "200" && !kind.Plain && a.page["token"] != token {
			a.outcome, a.line = "wrong answer", fmt.Sprintf("200 without token %s: %s", token, a.line)
		}
		m.record(i, token, due, late, a)
		<-m.slots
	})
}

func (m *Meter) request(kind Kind, token string) *http.Request {
	ref, _ := url.Parse(kind.Path) // check has parsed it
	req := &http.Request{
		Method: http.MethodGet,
		URL:    m.base.ResolveReference(ref),
		Host:   m.load.Host,
		Header: http.Header{"User-Agent": {"plonec-meter"}},
		Close:  !kind.KeepAlive,
	}
	form := url.Values{"token": {token}}.Encode()
	if kind.Write {
		req.Method = http.MethodPost
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Body = io.NopCloser(strings.NewReader(form))
		req.ContentLength = int64(len(form))
		return req
	}
	// The token in the query also keeps caches from answering.
	if req.URL.RawQuery != "" {
		form = req.URL.RawQuery + "&" + form
	}
	req.URL.RawQuery = form
	return req
}

// record notes what became of a request.
func (m *Meter) record(i int, token string, due time.Time, late time.Duration, a answer) {
	latency := time.Since(due)
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.result
	k := &r.Kinds[i]
	k.Total++
	k.Outcomes[a.outcome]++
	r.Late = max(r.Late, late)
	r.Peak = max(r.Peak, len(m.slots))
	if k.Write {
		r.sent[token] = true
	}
	if a.outcome != "200" {
		r.Failures = append(r.Failures, Failure{Start: due, Latency: latency, Kind: k.Name, Write: k.Write,
			Token: token, Outcome: a.outcome, Kept: a.kept, Line: a.line})
		if k.Write {
			r.Unknown = append(r.Unknown, token)
		}
		return
	}
	k.OK++
	m.ok[i] = append(m.ok[i], sample{due, latency})
	if k.Write {
		r.Answered = append(r.Answered, token)
	}
	if a.page["client"] == "" {
		return
	}
	pid, _ := strconv.Atoi(a.page["pid"])
	p := process{a.page["release"], a.page["client"], pid}
	s := m.served[p]
	if s == nil {
		s = &Server{Release: p.release, Client: p.client, PID: p.pid, First: due, Last: due}
		m.served[p] = s
	}
	s.OK++
	if due.Before(s.First) {
		s.First = due
	}
	if due.After(s.Last) {
		s.Last = due
	}
}

// Mark notes an event at this time, to be shown among the failures.
func (m *Meter) Mark(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.result.Marks = append(m.result.Marks, Mark{Time: time.Now(), Text: text})
}

// Stop starts no more requests, waits for those in flight, which takes up to
// Load.Timeout, and returns what became of all. Further calls return the same.
func (m *Meter) Stop() *Result {
	m.once.Do(func() {
		close(m.quit)
		m.drivers.Wait()
		m.flights.Wait()
		m.client.close()
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.ctx.Err() != nil && m.result.Ended == "stopped" {
			m.result.Ended = "cancelled"
		}
		m.result.IdleClosed = m.client.idleClosed
		m.result.finish(m.ok, m.served)
	})
	return m.result
}
