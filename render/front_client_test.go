package render

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
)

// A client stands for a Plone client: a few threads, and the real agent beside it, at
// an address of their own. What a request asks for in its query is done to it:
//
//	sleep=2s          the answer takes its time
//	close             the connection is closed instead
//	h=Name:+value     a header of the answer
//	status=404        its status
//	body=TEXT         its body
//	size=BYTES        a file of so many bytes, or the part of it that is asked for
type client struct {
	name    string
	address string
	port    int
	agent   int // the port of its agent checks
	host    *clientHost
	threads chan struct{}

	mu     sync.Mutex
	seen   []*http.Request
	server *http.Server
}

// A clientHost has clients, and the agent that speaks for them.
type clientHost struct {
	t       *testing.T
	address string
	dir     string // the agent's: what is said, and what it told
	clients []*client
	agent   *daemon
}

// addresses counts those that clientHosts have.
var addresses atomic.Int64

// newClientHost starts a host of as many clients, at an address of the loopback that
// nobody else has.
func newClientHost(t *testing.T, threads int, names ...string) *clientHost {
	t.Helper()
	n := addresses.Add(1)
	h := &clientHost{t: t, address: fmt.Sprintf("127.%d.%d.%d", 1+os.Getpid()%250, 1+n/250, 1+n%250), dir: t.TempDir()}
	for _, dir := range []string{"/says", "/told"} {
		if err := os.Mkdir(h.dir+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range names {
		c := &client{name: name, threads: make(chan struct{}, threads), address: h.address, agent: service.AgentPort + 1 + i, host: h}
		c.start(t)
		t.Cleanup(func() { c.stop() })
		h.clients = append(h.clients, c)
	}
	h.start()
	return h
}

// start runs the agent, as its unit does.
func (h *clientHost) start() {
	h.t.Helper()
	args := []string{hostScripts(h.t) + "/agent", fmt.Sprintf("%s,%d,*", h.address, service.AgentPort)}
	for _, c := range h.clients {
		args = append(args, fmt.Sprintf("%s,%d,%s", h.address, c.agent, c.name))
	}
	h.agent = run(h.t, []string{"AGENT_DIR=" + h.dir + "/says", "AGENT_TOLD=" + h.dir + "/told"}, "/usr/bin/python3", args...)
}

// newClient starts a client that has its host for itself.
func newClient(t *testing.T, name string, threads int) *client {
	t.Helper()
	return newClientHost(t, threads, name).clients[0]
}

// says has the agent say something of the client: "up" or "down".
func (c *client) says(state string) {
	c.host.t.Helper()
	file := c.host.dir + "/says/" + c.name
	err := os.WriteFile(file+".new", []byte(state+"\n"), 0o644)
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		c.host.t.Fatal(err)
	}
}

// told is what balancers have done, as the agent notes it: "down", or "asked down" for
// one that was answered so.
func (c *client) told() (states []string) {
	text, _ := os.ReadFile(c.host.dir + "/told/" + c.name)
	for line := range strings.Lines(string(text)) {
		_, state, _ := strings.Cut(strings.TrimSpace(line), " ")
		states = append(states, state)
	}
	return states
}

func (c *client) at() string { return net.JoinHostPort(c.address, strconv.Itoa(c.port)) }

func (c *client) start(t *testing.T) {
	t.Helper()
	l := listen(t, c.at())
	c.port = l.Addr().(*net.TCPAddr).Port
	c.server = &http.Server{Handler: c}
	go c.server.Serve(l)
}

func (c *client) stop() { c.server.Close() }

func (c *client) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.threads <- struct{}{}
	defer func() { <-c.threads }()
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
	if q.Has("type") {
		w.Header()["Content-Type"] = q["type"]
		if q.Get("type") == "" {
			w.Header()["Content-Type"] = nil // Go would find one out
		}
	}
	if q.Has("etag") && c.notModified(w, r, q.Get("etag")) {
		return
	}
	var size int64
	if n, _ := fmt.Sscan(q.Get("size"), &size); n == 1 {
		http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(zeros{}, 0, size))
		return
	}
	status := http.StatusOK
	fmt.Sscan(q.Get("status"), &status)
	w.WriteHeader(status)
	if q.Has("body") {
		fmt.Fprint(w, q.Get("body"))
		return
	}
	fmt.Fprintf(w, "%s %s", kind, r.RequestURI)
}

// notModified answers who has that version as Zope before 5 does, with a type of its own. Go
// writes no type into a 304.
func (c *client) notModified(w http.ResponseWriter, r *http.Request, etag string) bool {
	w.Header().Set("Etag", etag)
	if r.Header.Get("If-None-Match") != etag {
		return false
	}
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(conn, "HTTP/1.1 304 Not Modified\r\nConnection: close\r\nContent-Length: 0\r\n")
		w.Header().Write(conn)
		fmt.Fprint(conn, "\r\n")
		conn.Close()
	}
	return true
}

// zeros is a file without an end.
type zeros struct{}

func (zeros) ReadAt(p []byte, _ int64) (int, error) {
	clear(p)
	return len(p), nil
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

// line is the client in a backend.
func (c *client) line() *topology.Server {
	return &topology.Server{Name: c.name, Address: c.address, Port: c.port, AgentPort: c.agent, MaxConn: cap(c.threads)}
}

// servedBy puts clients into the first backend of a front end, and checks quickly.
func servedBy(clients ...*client) func(*topology.Host) {
	return func(h *topology.Host) {
		b := h.Front.Backends[0]
		b.Servers = nil
		for _, c := range clients {
			b.Servers = append(b.Servers, c.line())
		}
		h.Stack.Haproxy.CheckInterval = fast
	}
}
