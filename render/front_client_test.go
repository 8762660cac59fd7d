package render

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/topology"
)

// A client stands for a Plone client: a few threads, which the checks need too,
// and an agent beside it. What a request asks for in its query is done to it:
//
//	sleep=2s          the answer takes its time
//	close             the connection is closed instead
//	h=Name:+value     a header of the answer
//	status=404        its status
//	body=TEXT         its body
type client struct {
	name    string
	port    int
	agent   int
	threads chan struct{}
	says    atomic.Value // what the agent says

	mu     sync.Mutex
	seen   []*http.Request
	server *http.Server
}

func newClient(t *testing.T, name string, threads int) *client {
	t.Helper()
	c := &client{name: name, threads: make(chan struct{}, threads), port: freePort(t)}
	c.says.Store("up")
	c.start(t)
	t.Cleanup(func() { c.stop() })

	agent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.agent = agent.Addr().(*net.TCPAddr).Port
	t.Cleanup(func() { agent.Close() })
	go func() {
		for {
			conn, err := agent.Accept()
			if err != nil {
				return
			}
			fmt.Fprintln(conn, c.says.Load())
			conn.Close()
		}
	}()
	return c
}

func (c *client) start(t *testing.T) {
	t.Helper()
	l := listen(t, fmt.Sprint("127.0.0.1:", c.port))
	c.server = &http.Server{Handler: c}
	go c.server.Serve(l)
}

func (c *client) stop() { c.server.Close() }

func (c *client) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.threads <- struct{}{}
	defer func() { <-c.threads }()
	if r.URL.Path == "/ok" {
		return
	}
	c.mu.Lock()
	c.seen = append(c.seen, r)
	c.mu.Unlock()

	q := r.URL.Query()
	if d, err := time.ParseDuration(q.Get("sleep")); err == nil {
		time.Sleep(d)
	}
	if q.Has("close") {
		if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
			conn.Close()
		}
		return
	}
	for _, h := range q["h"] {
		name, value, _ := strings.Cut(h, ": ")
		w.Header().Add(name, value)
	}
	w.Header().Set("X-Client", c.name)
	kind := "html"
	if strings.Contains(r.Header.Get("Accept"), "json") {
		kind = "json"
	}
	w.Header().Set("Content-Type", map[string]string{"html": "text/html; charset=utf-8", "json": "application/json"}[kind])
	status := http.StatusOK
	fmt.Sscan(q.Get("status"), &status)
	w.WriteHeader(status)
	if q.Has("body") {
		fmt.Fprint(w, q.Get("body"))
		return
	}
	fmt.Fprintf(w, "%s %s", kind, r.RequestURI)
}

// requests gives what the client has seen whose address holds a text.
func (c *client) requests(part string) []*http.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []*http.Request
	for _, r := range c.seen {
		if strings.Contains(r.RequestURI, part) {
			found = append(found, r)
		}
	}
	return found
}

// sent counts what reached any of the clients.
func sent(clients []*client, part string) int {
	n := 0
	for _, c := range clients {
		n += len(c.requests(part))
	}
	return n
}

// servedBy puts clients into the first backend of a front end, with one thread
// of each kept free for its checks, and checks quickly.
func servedBy(clients ...*client) func(*topology.Host) {
	return func(h *topology.Host) {
		b := h.Front.Backends[0]
		b.Servers = nil
		for _, c := range clients {
			b.Servers = append(b.Servers, &topology.Server{
				Name: c.name, Address: "127.0.0.1", Port: c.port, AgentPort: c.agent, MaxConn: max(1, cap(c.threads)-1),
			})
		}
		h.Stack.Haproxy.CheckInterval = fast
	}
}
