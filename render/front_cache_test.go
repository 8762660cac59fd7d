package render

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// TestChainNotFound: that there is no page is not believed for longer than
// varnish_plone.not_found_ttl, whatever the answer says, and not shown afterwards.
func TestChainNotFound(t *testing.T) {
	t.Parallel()
	f, _ := chained(t, func(h *topology.Host) { h.Stack.VarnishPlone.NotFoundTTL = schema.Seconds(2 * time.Second) })
	targets := map[string]string{ // what the cache says after that time
		"/later?status=404":                             "MISS",
		"/later?status=410":                             "MISS",
		"/later?status=404&h=Cache-Control:+max-age=60": "MISS",
		"/there?h=Cache-Control:+max-age=60":            "HIT",
	}
	for target := range targets {
		f.ask("GET", "www.example.com", target)
		if a := f.ask("GET", "www.example.com", target); a.Header.Get("X-Cache") != "HIT" {
			t.Error("not kept at all:", target, a)
		}
	}
	time.Sleep(2500 * time.Millisecond)
	for target, want := range targets {
		if a := f.ask("GET", "www.example.com", target); a.Header.Get("X-Cache") != want {
			t.Errorf("%s: %v, want a %s", target, a, want)
		}
	}
}

// TestChainNotModified: what is kept stays what it is when a client says that it is still
// current. Zope before 5 says so with a type of its own, text/html.
func TestChainNotModified(t *testing.T) {
	t.Parallel()
	f, clients := chained(t)
	image := "/photo?type=image/jpeg&body=jpeg&etag=%22one%22&h=Cache-Control:+max-age=1"
	first := f.ask("GET", "www.example.com", image)
	for revalidated := 1; revalidated <= 2; revalidated++ {
		until(t, "a client is asked whether it is current", func() bool {
			f.ask("GET", "www.example.com", image)
			n := 0
			for _, c := range clients {
				for _, r := range c.requests("/photo") {
					if r.Header.Get("If-None-Match") == `"one"` {
						n++
					}
				}
			}
			return n == revalidated
		})
		time.Sleep(100 * time.Millisecond) // Varnish takes the answer
		a := f.ask("GET", "www.example.com", image)
		if a.Status != 200 || string(a.Body) != "jpeg" || a.Header.Get("X-Cache") != "HIT" {
			t.Error(a)
		}
		for _, name := range []string{"Content-Type", "Etag", "Vary", "Cache-Control"} {
			if got, want := a.Header.Values(name), first.Header.Values(name); !slices.Equal(got, want) {
				t.Errorf("revalidated %d times, it has %s: %q, and had %q", revalidated, name, got, want)
			}
		}
		if a.Header.Get("X-Stored-Type") != "" {
			t.Error("what is for Varnish alone reached a visitor:", a)
		}
	}
	// Of what has no type it makes none.
	untyped := "/untyped?type=&body=x&etag=%22one%22&h=Cache-Control:+max-age=1"
	until(t, "a client is asked whether what has no type is current", func() bool {
		f.ask("GET", "www.example.com", untyped)
		return sent(clients, "/untyped") > 1
	})
	time.Sleep(100 * time.Millisecond)
	if a := f.ask("GET", "www.example.com", untyped); a.Header.Get("Content-Type") != "" || a.Header.Get("X-Cache") != "HIT" {
		t.Error(a)
	}
	// Of who is logged in, the browser keeps it.
	a := f.ask("GET", "www.example.com", image, "Cookie: __ac=x", `If-None-Match: "one"`)
	if a.Status != 304 || a.Header.Get("Content-Type") != "" {
		t.Error("the browser's copy would be of another type:", a)
	}
}

// TestChainNotModifiedUnknown: what Varnish stored before plonec noted its type is asked for
// as a whole, since its type may be that of a 304 by now.
func TestChainNotModifiedUnknown(t *testing.T) {
	t.Parallel()
	c := newClient(t, "c1", 4)
	f := newFront(t, frontHost(servedBy(c)))
	f.swap(vclFile, "set beresp.http.X-Stored-Type = beresp.http.Content-Type;", "")
	f.haproxy()
	f.varnish()
	f.nginx()
	until(t, "the front end is healthy", func() bool { return f.ask("GET", "127.0.0.1", HealthPath).Status == 200 })
	image := "/photo?type=image/jpeg&body=jpeg&etag=%22one%22&h=Cache-Control:+max-age=1"
	until(t, "it is revalidated", func() bool {
		f.ask("GET", "www.example.com", image)
		return len(c.requests("/photo")) == 3
	})
	for i, want := range []string{"", `"one"`, ""} {
		if got := c.requests("/photo")[i].Header.Get("If-None-Match"); got != want {
			t.Errorf("request %d has If-None-Match %q, want %q", i+1, got, want)
		}
	}
	time.Sleep(100 * time.Millisecond)
	if a := f.ask("GET", "www.example.com", image); a.Header.Get("Content-Type") != "image/jpeg" || string(a.Body) != "jpeg" {
		t.Error(a)
	}
}

// inMemory is what Varnish holds of answers that it does not keep, in bytes.
func (f *front) inMemory() int {
	f.t.Helper()
	out, err := exec.Command(program(f.t, "varnishstat"), "-n", f.dir+"/varnish", "-1", "-f", "SMA.Transient.g_bytes").Output()
	if err != nil {
		f.t.Fatal(err)
	}
	words := strings.Fields(string(out))
	n, err := strconv.Atoi(words[1])
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

// TestChainLarge: an answer over varnish_plone.max_body is passed on as it comes, whoever
// asks, and a part of it is asked for as a part.
func TestChainLarge(t *testing.T) {
	t.Parallel()
	f, clients := chained(t, func(h *topology.Host) {
		h.Stack.VarnishPlone.MaxBody = "1m"
		h.Stack.Haproxy.ClientTimeout = schema.Millis(time.Second)
	})
	const size = 64 << 20
	for i, headers := range []string{"", "", "Cookie: __ac=x", "Cookie: __ac=x"} {
		if status, got, held, err := f.slowly(fmt.Sprint("/large?size=", size), headers, 3*time.Second); err != nil || status != 200 || got != size || held > 8<<20 {
			t.Errorf("%d: status %d, %d bytes, %d of them in Varnish, %v", i, status, got, held, err)
		}
	}
	for _, headers := range []string{"X: x", "Cookie: __ac=x"} {
		for _, target := range []string{"/large?size=67108864", "/new?size=67108864&of=" + headers[:1]} {
			a := f.ask("GET", "www.example.com", target, "Range: bytes=-10", headers)
			if a.Status != 206 || len(a.Body) != 10 {
				t.Errorf("the last bytes of %s, %s: %d, %d bytes", target, headers, a.Status, len(a.Body))
			}
			asked := ""
			for _, c := range clients {
				for _, r := range c.requests(site + target) {
					asked += r.Header.Get("Range")
				}
			}
			if !strings.Contains(asked, "bytes=-10") {
				t.Error("a client was asked for the whole of", target)
			}
		}
	}
	if a := f.ask("HEAD", "www.example.com", "/head?size=67108864"); a.Status != 200 || a.Header.Get("Content-Length") != "67108864" {
		t.Error("HEAD:", a)
	}

	small := "/small?size=1000000"
	f.ask("GET", "www.example.com", small)
	before := sent(clients, "/small")
	if a := f.ask("GET", "www.example.com", small, "Range: bytes=-10"); a.Status != 206 || len(a.Body) != 10 || a.Header.Get("X-Cache") != "HIT" || sent(clients, "/small") != before {
		t.Errorf("a part of what is kept: %d, %d bytes, %v", a.Status, len(a.Body), a.Header)
	}
	if a := f.ask("GET", "www.example.com", "/forged", "X-Large: 1"); a.Header.Get("X-Cache") == "" {
		t.Error("a visitor chose the way past the cache:", a)
	}
	for _, r := range append(clients[0].requests("/"), clients[1].requests("/")...) {
		for _, name := range []string{"X-Large"} {
			if r.Header.Get(name) != "" {
				t.Errorf("%s reached a client: %v", name, r.Header)
			}
		}
	}
}

// TestChainSlowReader shows that the test of large answers would see one end whose
// reader is slow, were it not on nginx' disk by then.
func TestChainSlowReader(t *testing.T) {
	t.Parallel()
	c := newClient(t, "c1", 4)
	f := newFront(t, frontHost(servedBy(c), func(h *topology.Host) {
		h.Stack.VarnishPlone.MaxBody = "1m"
		h.Stack.Haproxy.ClientTimeout = schema.Millis(time.Second)
	}))
	f.swap(nginxConf, "proxy_max_temp_file_size 16384m;", "proxy_max_temp_file_size 4m;")
	f.haproxy()
	f.varnish()
	f.nginx()
	until(t, "the front end is healthy", func() bool { return f.ask("GET", "127.0.0.1", HealthPath).Status == 200 })
	if _, got, _, err := f.slowly("/large?size=67108864", "", 3*time.Second); err == nil && got == 64<<20 {
		t.Error("the whole file came all the same")
	}
}

// slowly reads an answer with a pause after its first bytes, and gives how many came, and the
// most that Varnish held meanwhile.
func (f *front) slowly(target, header string, pause time.Duration) (status, got, held int, err error) {
	f.t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", f.ports.http))
	if err != nil {
		return 0, 0, 0, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(60 * time.Second))
	conn.(*net.TCPConn).SetReadBuffer(64 << 10)
	request, err := http.NewRequest("GET", "http://www.example.com"+target, nil)
	if err != nil {
		return 0, 0, 0, err
	}
	if name, value, ok := strings.Cut(header, ": "); ok {
		request.Header.Set(name, value)
	}
	go request.Write(conn)
	response, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		return 0, 0, 0, err
	}
	defer response.Body.Close()
	for end := time.Now().Add(pause); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		held = max(held, f.inMemory())
	}
	n, err := io.Copy(io.Discard, response.Body)
	return response.StatusCode, int(n), held, err
}
