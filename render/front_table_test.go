package render

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/topology"
)

// What reached waitress, as Zope's own code reads it: testdata/python/waitress_echo.py.
type seenByZope struct {
	Path, Query, Authorization string
	Cookies                    []string
	Length                     int
}

// zope starts clients of real waitress, which take bodies of less than a limit.
func zope(t *testing.T, limit int64, names ...string) []*client {
	t.Helper()
	dir, err := venv()
	if err != nil {
		t.Fatalf("testdata/python/setup: %v", err)
	}
	script, err := filepath.Abs("../testdata/python/waitress_echo.py")
	if err != nil {
		t.Fatal(err)
	}
	var clients []*client
	for _, name := range names {
		c := newClient(t, name, 4)
		c.stop() // waitress takes its place
		start(t, dir, "bin/python", script, c.at(), fmt.Sprint(limit))
		clients = append(clients, c)
	}
	return clients
}

// TestChainTable: nginx, Varnish, HAProxy and Zope's server see alike who is logged in, how
// large an upload and a header may be, and which address is meant.
func TestChainTable(t *testing.T) {
	t.Parallel()
	const upload = 1 << 20
	clients := zope(t, deployCfg{App: &topology.App{MaxUpload: upload}}.MaxRequestBody(), "c1", "c2")
	for name, change := range map[string]func(*topology.Host){"with Varnish": func(*topology.Host) {}, "without": noVarnish} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t, frontHost(servedBy(clients...), change, func(h *topology.Host) {
				h.Stack.NginxPlone.ClientMaxBodySize = "1m"
				h.Front.Backends[0].Sticky = true
			}))
			f.haproxy()
			cached := f.files[vclFile] != ""
			if cached {
				f.varnish()
			}
			f.nginx()
			until(t, "the front end is healthy", func() bool { return f.ask("GET", "127.0.0.1", HealthPath).Status == 200 })
			f.table(cached, upload)
		})
	}
}

func (f *front) table(cached bool, upload int) {
	t := f.t
	ask := func(method, target string, headers ...string) (answer, seenByZope) {
		t.Helper()
		a := f.ask(method, "www.example.com", target, headers...)
		var r seenByZope
		if a.Status == 200 && method != "HEAD" {
			if err := json.Unmarshal([]byte(a.Body), &r); err != nil {
				t.Errorf("%s: %v: %v", target, err, a)
			}
		}
		return a, r
	}
	long := func(n int) string { return strings.Repeat("x", n) }
	lines := func(n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf("X-Line-%d: %s", i, long(1000)))
		}
		return all
	}

	// An upload, and a head.
	for _, c := range []struct {
		name, method, target string
		headers              []string
		want                 int
	}{
		{"the largest upload", "POST", "/x", []string{"Content-Length: " + fmt.Sprint(upload), "\r\n" + long(upload-2)}, 200},
		{"a larger one", "POST", "/x", []string{"Content-Length: " + fmt.Sprint(upload+1), "\r\n" + long(upload-1)}, 413},
		{"a much larger one", "PUT", "/x", []string{"Content-Length: 99999999999"}, 413},
		{"in chunks", "POST", "/x", []string{"Transfer-Encoding: chunked", "\r\n100000\r\n" + long(upload) + "\r\n0\r\n"}, 200},
		{"in chunks, larger", "POST", "/x", []string{"Transfer-Encoding: chunked", "\r\n100001\r\n" + long(upload+1) + "\r\n0\r\n"}, 413},
		{"cookies of 15 KiB", "GET", "/x", []string{"Cookie: __ac=" + long(15<<10)}, 200},
		{"cookies of 15 KiB, not logged in", "GET", "/x", []string{"Cookie: x=" + long(15<<10)}, 200},
		{"cookies of 17 KiB", "GET", "/x", []string{"Cookie: __ac=" + long(17<<10)}, 400},
		{"an address of 15 KiB", "GET", "/x?q=" + long(15<<10), nil, 200},
		{"an address of 17 KiB", "GET", "/x?q=" + long(17<<10), nil, 414},
		{"a head of 31 KiB", "GET", "/x", append(lines(15), "Cookie: __ac="+long(15<<10)), 200},
		{"a head of 31 short lines", "GET", "/x", lines(30), 200},
		{"a hundred lines", "GET", "/x", strings.Split(strings.Repeat("X-A: b,", 100)+"X-B: c", ","), 200},
		{"a head of 70 KiB", "GET", "/x", append(lines(40), "A: "+long(15<<10), "B: "+long(15<<10)), 400},
		{"an answer with a line of 15 KiB", "GET", "/x?head=15360", nil, 200},
		{"an answer with a line of 15 KiB, not kept", "GET", "/x?head=15360", []string{"Cookie: __ac=x"}, 200},
		{"an answer with a head of 30 KiB", "GET", "/x?heads=30", nil, 200},
		{"an answer with a head of 30 KiB, not kept", "POST", "/x?heads=30", []string{"Content-Length: 0"}, 200},
	} {
		if a, _ := ask(c.method, c.target, c.headers...); a.Status != c.want {
			t.Errorf("%s: %d, want %d: %.200q", c.name, a.Status, c.want, a.Body)
		}
	}

	// Who is logged in: what Zope knows a visitor by reaches it, with all that there is, and is
	// answered by one client, out of no cache.
	stuck := strings.Count(f.admin("show table plone"), "server_id=")
	for i, c := range []struct {
		headers []string
		login   bool
	}{
		{nil, false},
		{[]string{"Cookie: _ga=x"}, false},
		{[]string{"Cookie: x__ac=y; y=__ac"}, false},
		{[]string{"Cookie: __ac=%s"}, true},
		{[]string{"Cookie: _ga=x; __ac=%s"}, true},
		{[]string{"Cookie: _ga=x;__ac=%s"}, true},
		{[]string{`Cookie: _ga="x",__ac=%s`}, true},
		{[]string{"Cookie: _ga=x", "Cookie: __ac=%s"}, true},
		{[]string{"Cookie: auth_token=%s"}, true},
		{[]string{"Authorization: Bearer %s"}, true},
		{[]string{"authorization: bearer %s"}, true},
	} {
		target := fmt.Sprint("/who/", i)
		token := fmt.Sprintf("%040d", i)
		headers := slices.Clone(c.headers)
		for n := range headers {
			headers[n] = strings.Replace(headers[n], "%s", token, 1)
		}
		ask("GET", target)
		ask("GET", target)
		a, r := ask("GET", target, headers...)
		known := r.Authorization != "" || slices.Contains(r.Cookies, "__ac") || slices.Contains(r.Cookies, "auth_token")
		if known != c.login || cached && (a.Header.Get("X-Cache") == "MISS") != c.login {
			t.Errorf("%q: Zope knows the visitor: %v, cache: %s", headers, known, a.Header.Get("X-Cache"))
		}
		entries := strings.Count(f.admin("show table plone"), "server_id=")
		if entries > stuck != c.login {
			t.Errorf("%q: known to HAProxy: %v", headers, entries > stuck)
		}
		stuck = entries
	}

	// Which address is meant.
	for target, want := range map[string]string{
		"/a(b),c+d@e":                   "/a(b),c+d@e",
		"/a%28b%29%2Cc%2bd%40e":         "/a(b),c+d@e",
		"/caf%c3%a9":                    "/café",
		"/caf%C3%A9":                    "/café",
		"/a%20b%25%3f%23":               "/a b%?#",
		"/a//b/../c/./d":                "/a/c/d",
		"/a%2fb":                        "/a/b",
		"/%22%3c%3e%5c%5e%60%7b%7c%7d":  "/\"<>\\^`{|}",
		"/!$&'*;=:~[]_-.":               "/!$&'*;=:~[]_-.",
		"/++theme++x/@@view/++api++/@y": "/++theme++x/@@view/++api++/@y",
	} {
		if a, r := ask("GET", target, "Cookie: __ac=x"); a.Status != 200 || r.Path != site+want {
			t.Errorf("%s: %d, %s, want %s", target, a.Status, r.Path, site+want)
		}
	}
	if _, r := ask("GET", "/x?a=%2b+%c3%A9&b=(c)", "Cookie: __ac=x"); r.Query != "a=%2b+%c3%A9&b=(c)" {
		t.Error("a query comes through otherwise:", r.Query)
	}
}
