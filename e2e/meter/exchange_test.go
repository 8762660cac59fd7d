package meter

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// A dying server keeps connections, and on each but the first request breaks off
// some of them: it closes or resets the connection after it has read the request,
// without an answer. Everything that arrives is counted.
type dying struct {
	net.Listener
	reset bool

	mu      sync.Mutex
	arrived map[string]int
	broken  map[string]bool
}

func newDying(t *testing.T, reset bool) *dying {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	d := &dying{Listener: l, reset: reset, arrived: map[string]int{}, broken: map[string]bool{}}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go d.serve(c)
		}
	}()
	return d
}

func (d *dying) url() string { return "http://" + d.Addr().String() + "/" }

func (d *dying) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for n := 0; ; n++ {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		form, _ := url.ParseQuery(req.URL.RawQuery + "&" + string(body))
		token := form.Get("token")
		d.mu.Lock()
		d.arrived[token]++
		die := n == 3
		if die {
			d.broken[token] = true
		}
		d.mu.Unlock()
		if die {
			if d.reset {
				c.(*net.TCPConn).SetLinger(0)
			}
			return
		}
		text := "token " + token + "\n"
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
	}
}

// No request is sent twice, and each that a kept connection took down is one
// failure. http.Transport at the same server is the proof that the server brings
// out what is looked for: it does send some twice.
func TestNoHiddenRetries(t *testing.T) {
	t.Parallel()
	for _, reset := range []bool{false, true} {
		t.Run(fmt.Sprintf("reset %v", reset), func(t *testing.T) {
			t.Parallel()
			d := newDying(t, reset)
			m := idle(t, Load{URL: d.url(), Mix: []Kind{
				{Name: "page", Rate: 1, Path: "p", KeepAlive: true},
				{Name: "write", Rate: 1, Path: "w", Write: true, KeepAlive: true},
			}})
			for n := 1; n <= 99; n++ {
				m.one(n/4%2, n) // now a page breaks, now a write
			}
			r := m.Stop()
			d.mu.Lock()
			if len(d.arrived) != 100 || r.Total() != 100 || len(d.broken) != 25 || r.Failed() != 25 || len(r.Unknown) != 12 {
				t.Errorf("%d arrived, %d broken off:\n%s", len(d.arrived), len(d.broken), r.Report())
			}
			for token, n := range d.arrived {
				if n != 1 {
					t.Errorf("%s arrived %d times", token, n)
				}
			}
			want := map[bool]string{false: "closed", true: "reset"}[reset]
			for _, f := range r.Failures {
				if !d.broken[f.Token] || !f.Kept || f.Outcome != want {
					t.Errorf("broken off: %v, %+v", d.broken[f.Token], f)
				}
			}
			d.mu.Unlock()
			if !strings.Contains(r.Report(), "kept connection: ") {
				t.Error(r.Report())
			}

			twice := 0
			c := &http.Client{Transport: &http.Transport{}}
			for i := range 40 {
				resp, err := c.Get(fmt.Sprintf("%sp?token=transport-%d", d.url(), i))
				if err != nil {
					continue
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				d.mu.Lock()
				if d.arrived[fmt.Sprintf("transport-%d", i)] > 1 {
					twice++
				}
				d.mu.Unlock()
			}
			c.CloseIdleConnections()
			if twice == 0 {
				t.Error("http.Transport sent nothing twice either: the server does not show what it should")
			}
		})
	}
}

// A server that closes kept connections soon after its answer takes no request
// down: the end is seen before anything is sent.
func TestClosedWhileIdle(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, func(s *http.Server) { s.IdleTimeout = 20 * time.Millisecond })
	m := idle(t, Load{URL: s.URL, Mix: []Kind{{Name: "kept", Rate: 1, Path: "p", KeepAlive: true}}})
	for n := 1; n <= 5; n++ {
		awaitNoise(t, m)
		m.one(0, n)
	}
	if r := m.Stop(); r.Failed() != 0 || r.OK() != 6 || r.IdleClosed != 5 {
		t.Error(r.Report())
	}
}

// awaitNoise waits until the kept connection is closed by the other end, or has
// something to read.
func awaitNoise(t *testing.T, m *Meter) {
	t.Helper()
	for range 1000 {
		k := m.client.idle[0]
		k.since = time.Now() // it is not the age that ends it
		if !k.quiet() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the kept connection stays quiet")
}

// Kept connections are used again, but not after a second.
func TestKept(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	base, _ := url.Parse(s.URL)
	c := newClient(base)
	defer c.close()
	get := func() answer {
		t.Helper()
		req, _ := http.NewRequest(http.MethodGet, s.URL+"/?token=t", nil)
		a := c.do(t.Context(), req, true, time.Now().Add(time.Minute))
		if a.outcome != "200" || a.page["token"] != "t" || len(c.idle) != 1 {
			t.Fatalf("%+v, %d idle", a, len(c.idle))
		}
		return a
	}
	if get().kept || !get().kept {
		t.Error("the second request is not on the first one's connection")
	}
	c.idle[0].since = time.Now().Add(-maxIdle)
	old := c.idle[0]
	if get().kept {
		t.Error("a connection is used after a second of idleness")
	}
	if _, err := old.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the old connection is not closed: %v", err)
	}
	if c.idleClosed != 0 {
		t.Errorf("%d counted as closed by the server", c.idleClosed)
	}
}

// An answer that nobody asked for is not taken for the next request's.
func TestUnasked(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				time.Sleep(10 * time.Millisecond)
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")
			}
		}
	}()
	m := idle(t, Load{URL: "http://" + l.Addr().String(), Mix: []Kind{{Name: "kept", Rate: 1, Plain: true, KeepAlive: true}}})
	for n := 1; n <= 3; n++ {
		awaitNoise(t, m)
		m.one(0, n)
	}
	if r := m.Stop(); r.Failed() != 0 || r.OK() != 4 || r.IdleClosed != 3 {
		t.Error(r.Report())
	}
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	answers := make(chan string, 4)
	for _, a := range []string{"hello\r\n\r\n", "HTTP/1.1 200 OK\r\nDate: now\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", ""} {
		answers <- a
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			http.ReadRequest(bufio.NewReader(c))
			io.WriteString(c, <-answers)
			c.Close()
		}
	}()
	base, _ := url.Parse("http://" + l.Addr().String())
	c := newClient(base)
	for _, want := range []string{"malformed", "truncated", "truncated", "closed"} {
		req, _ := http.NewRequest(http.MethodGet, base.String(), nil)
		if a := c.do(t.Context(), req, false, time.Now().Add(time.Minute)); a.outcome != want {
			t.Errorf("%+v, want %s", a, want)
		}
	}
}

// All of a long answer is read: to its end, where the next one begins, and to
// where it breaks off.
func TestLong(t *testing.T) {
	t.Parallel()
	const size = 3 * maxBody
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Length", fmt.Sprint(size))
		fmt.Fprintf(w, "token %s\n", r.FormValue("token"))
		n := size - len("token \n") - len(r.FormValue("token"))
		if strings.HasSuffix(r.FormValue("token"), "-3") {
			n /= 2
		}
		io.WriteString(w, strings.Repeat("x", n))
		return true
	})
	m := idle(t, Load{URL: s.URL, Mix: []Kind{{Name: "kept", Rate: 1, KeepAlive: true}}})
	for n := 1; n <= 3; n++ {
		m.one(0, n)
	}
	r := m.Stop()
	if r.OK() != 3 || r.Failed() != 1 || r.Failures[0].Outcome != "truncated" || !r.Failures[0].Kept {
		t.Error(r.Report())
	}
}

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"  a\r\n\tb\x1b[31m ":        "a b [31m",
		strings.Repeat("é", 2000):    strings.Repeat("é", 160) + "…",
		"<html>\n<h1>503</h1>\n\n\n": "<html> <h1>503</h1>",
		"":                           "",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("oneLine(%.20q) is %q, want %q", in, got, want)
		}
	}
}
