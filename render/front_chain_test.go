package render

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

const site = "/VirtualHostBase/http/www.example.com:80/Plone/VirtualHostRoot"

// chained starts the whole way: nginx, Varnish, HAProxy, two clients.
func chained(t *testing.T, change ...func(*topology.Host)) (*front, []*client) {
	t.Helper()
	clients := []*client{newClient(t, "c1", 4), newClient(t, "c2", 4)}
	f := newFront(t, frontHost(append([]func(*topology.Host){servedBy(clients...)}, change...)...))
	f.haproxy()
	if _, ok := f.files[vclFile]; ok {
		f.varnish()
	}
	f.nginx()
	until(t, "the front end is healthy", func() bool { return f.ask("GET", "127.0.0.1", HealthPath).Status == 200 })
	return f, clients
}

// Where nginx_plone.proxy_port is HAProxy's, nginx asks it itself.
func TestChainWithoutVarnish(t *testing.T) {
	t.Parallel()
	f, clients := chained(t, noVarnish)
	for range 2 {
		a := f.ask("GET", "www.example.com", "/kept?h=Cache-Control:+max-age=60", "X-Forwarded-For: 6.6.6.6")
		if a.Status != 200 || a.Header.Get("X-Cache") != "" {
			t.Error(a)
		}
	}
	served := 0
	for _, c := range clients {
		for _, r := range c.requests("/kept") {
			served++
			if got := strings.Join(r.Header.Values("X-Forwarded-For"), ", "); got != "127.0.0.1" || r.Host != "www.example.com" || !strings.HasPrefix(r.RequestURI, site+"/kept") {
				t.Errorf("X-Forwarded-For %q, Host %q, %s", got, r.Host, r.RequestURI)
			}
		}
	}
	if served != 2 {
		t.Errorf("the clients served %d of 2", served)
	}
	if a := f.ask("PURGE", "www.example.com", "/kept"); a.Status != 405 {
		t.Error(a)
	}
}

func TestChain(t *testing.T) {
	t.Parallel()
	f, clients := chained(t, func(h *topology.Host) { h.Front.PurgeFrom = []string{"127.0.0.3"} })
	get := func(target string, headers ...string) answer {
		t.Helper()
		a := f.ask("GET", "www.example.com", target, headers...)
		if a.Status != 200 {
			t.Errorf("%s: %v", target, a)
		}
		return a
	}
	// hits asks twice and tells whether the cache had the second answer.
	hits := func(target string, headers ...string) bool {
		t.Helper()
		get(target, headers...)
		return get(target, headers...).Header.Get("X-Cache") == "HIT"
	}

	header := func(lines ...string) string { return url.Values{"h": lines}.Encode() }

	t.Run("address", func(t *testing.T) {
		get("/address", "X-Forwarded-For: 6.6.6.6")
		for _, c := range clients {
			for _, r := range c.requests("/address") {
				if got := strings.Join(r.Header.Values("X-Forwarded-For"), ", "); got != "127.0.0.1" || r.Host != "www.example.com" {
					t.Errorf("X-Forwarded-For %q, Host %q", got, r.Host)
				}
				if r.RequestURI != site+"/address" {
					t.Error(r.RequestURI)
				}
			}
		}
	})

	t.Run("what is kept", func(t *testing.T) {
		for target, want := range map[string]bool{
			"/kept": true,
			"/kept?h=Cache-Control:+max-age=0,+s-maxage=60":         true,
			"/kept?h=Cache-Control:+no-cache,+s-maxage=60":          true,
			"/kept?h=Cache-Control:+max-age=60":                     true,
			"/private?h=Cache-Control:+private,+max-age=60":         false,
			"/nostore?h=Cache-Control:+no-store,+max-age=60":        false,
			"/nocache?h=Cache-Control:+max-age=60,+no-cache":        false,
			"/zero?h=Cache-Control:+max-age=0":                      false,
			"/cookie?h=Set-Cookie:+a=b":                             false,
			"/cookie?h=Set-Cookie:+a=b&h=Cache-Control:+max-age=60": false,
			"/star?h=Vary:+*":                                       false,
			"/a/login":                                              false,
			"/a/login?came_from=x":                                  false,
			"/a/login/":                                             false,
			"/a/login_form":                                         false,
			"/a/@@login-help":                                       false,
			"/a/%40%40login?h=Cache-Control:+max-age=60":            false,
			"/++api++/@login-oidc/x":                                false,
			"/a/passwordreset/0123?h=Cache-Control:+s-maxage=60":    false,
			"/acl_users/oidc/callback?h=Cache-Control:+max-age=60":  false,
			"/a/login-news":                                         true,
			"/a/relogin":                                            true,
			"/a?came_from=/login":                                   true,
			"/past?h=Expires:+Mon,+01+Jan+2001+00:00:00+GMT":        false,
			// Plone's own, with a day of one digit; Varnish reads none of these.
			"/plone?" + header("Expires: Sat, 1 Jan 2000 00:00:00 GMT"):                                                      false,
			"/plone?" + header("Expires: Sat, 1 Jan 2000 00:00:00 GMT", "Cache-Control: public"):                             false,
			"/plone?" + header("Expires: 0"):                                                                                 false,
			"/plone?" + header("Expires: -1"):                                                                                false,
			"/plone?" + header("Expires: 4102444800"):                                                                        false,
			"/plone?" + header("Expires: never"):                                                                             false,
			"/asset?" + header("Expires: Sat, 1 Jan 2000 00:00:00 GMT", "Cache-Control: max-age=60"):                         true,
			"/asset?" + header("Expires: Sat, 1 Jan 2000 00:00:00 GMT", "Cache-Control: max-age=0, s-maxage = 60"):           true,
			"/asset?" + header("Expires: "+time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)):                          true,
			"/asset?" + header("Expires: "+time.Now().Add(time.Hour).UTC().Format(http.TimeFormat), "Cache-Control: public"): true,
			"/large?body=x&h=Content-Length:+1":                                                                              true,
			"/auth?h=WWW-Authenticate:+x&h=Cache-Control:+max-age=9":                                                         true,
		} {
			if hits(target) != want {
				t.Errorf("%s: kept %v, want %v", target, !want, want)
			}
		}
		if got := get("/kept?h=Cache-Control:+max-age=0,+s-maxage=60").Header.Get("Cache-Control"); !strings.Contains(got, "s-maxage=0") {
			t.Error("caches further out are told to keep:", got)
		}
	})

	// One who asks for what is not kept does not wait for who asked before.
	t.Run("what is not kept", func(t *testing.T) {
		slow := "/slow?sleep=1s&" + header("Expires: Sat, 1 Jan 2000 00:00:00 GMT")
		get(slow)
		began := time.Now()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if a, err := tryAsk(fmt.Sprint("127.0.0.1:", f.ports.http), "", "GET", "www.example.com", slow); err != nil || a.Status != 200 {
					t.Error(a, err)
				}
			})
		}
		all.Wait()
		if took := time.Since(began); took > 2500*time.Millisecond {
			t.Errorf("four requests of a second each took %s", took)
		}
	})

	t.Run("who is logged in", func(t *testing.T) {
		for _, header := range []string{
			"Authorization: Basic eA==", "Cookie: __ac=x", "Cookie: a=b; __ac=x", "Cookie: __ac_name=x", "Cookie: _ZopeId=x", "Cookie: __cp=x",
			"Cookie: statusmessages=x", "Cookie: auth_token=x", "Cookie: a=b;__ac=x", `Cookie: a="b",__ac=x`, "Cookie: a=b\r\nCookie: __ac=x",
			"Cookie: cart=x", "Cookie: a=b; I18N_LANGUAGE=x", "Cookie: _shibsession_abc=x", "Cookie: connect.sid=x",
		} {
			if hits("/kept", header) {
				t.Errorf("%s was given a page out of the cache", header)
			}
			secret := "/mine?" + url.QueryEscape(header)
			get(secret, header)
			if get(secret).Header.Get("X-Cache") == "HIT" {
				t.Errorf("the page of %s was given to another", header)
			}
		}
		for _, header := range []string{
			"Cookie: _ga=x", "Cookie: I18N=x; not__ac=y", "Cookie: carts=x; ACART=x", "Cookie: x_shibsession_y=z", "Cookie: connect-sid=x", "Cookie: x=cart",
		} {
			if !hits("/anonymous", header) {
				t.Errorf("%s kept a page out of the cache", header)
			}
		}
		before := sent(clients, "/shop")
		get("/shop", "Cookie: a=b; cart=x")
		for _, c := range clients {
			for _, r := range c.requests("/shop") {
				if before++; r.Header.Get("Cookie") != "cart=x" {
					t.Error("a cart is lost on its way:", r.Header)
				}
			}
		}
		if before != 1 {
			t.Error("a request with a cart did not reach a client once, but", before)
		}
		for _, c := range clients {
			for _, r := range c.requests("/anonymous") {
				if r.Header.Get("Cookie") != "" {
					t.Error("a cookie reached the client:", r.Header)
				}
			}
		}
	})

	t.Run("HTML and JSON", func(t *testing.T) {
		json, html := "Accept: application/json", "Accept: text/html,*/*"
		purge := func(want int, from, target string) {
			t.Helper()
			a, err := tryAsk(fmt.Sprint("127.0.0.1:", f.ports.purge), from, "PURGE", "whatever", target)
			if err != nil || a.Status != want {
				t.Errorf("purge from %q: %v %v, want %d", from, a, err, want)
			}
		}
		check := func(want string) {
			t.Helper()
			for header, kind := range map[string]string{json: "json", html: "html"} {
				a := get("/both", header)
				if !strings.HasPrefix(a.Body, kind) {
					t.Errorf("%s was given %v", header, a)
				}
				if a.Header.Get("X-Cache") != want || !strings.Contains(a.Header.Get("Vary"), "Accept") {
					t.Errorf("%s: %v, want a %s", header, a, want)
				}
			}
		}
		check("MISS")
		check("HIT")
		purge(200, "", site+"/both")
		check("MISS")
		check("HIT")
		purge(200, "127.0.0.3", site+"/both")
		check("MISS")
		purge(403, "127.0.0.4", site+"/both")
		check("HIT")

		if a := f.ask("PURGE", "www.example.com", "/both"); a.Status != 405 {
			t.Error("PURGE at nginx:", a)
		}
		if a := ask(t, f.ports.cache, "PURGE", "www.example.com", site+"/both"); a.Status != 405 {
			t.Error("PURGE at Varnish's own socket:", a)
		}
		if a := ask(t, f.ports.purge, "GET", "www.example.com", site+"/both"); a.Status != 405 {
			t.Error("GET at the purge socket:", a)
		}
		check("HIT")
	})

	t.Run("methods", func(t *testing.T) {
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "PROPFIND"} {
			target := "/once/" + method
			for _, query := range []string{"", "?close"} {
				a := f.ask(method, "www.example.com", target+query, "Content-Length: 0")
				if want := map[string]int{"": 200, "?close": 502}[query]; a.Status != want && a.Status != 503 {
					t.Errorf("%s%s: %v", method, query, a)
				}
			}
			if n := sent(clients, target); n != 2 {
				t.Errorf("%s was executed %d times, want 2", method, n)
			}
		}
		for _, method := range []string{"UNHEARD-OF", "TRACE", "BAN"} {
			if a := ask(t, f.ports.cache, method, "www.example.com", site+"/x"); a.Status != 405 {
				t.Errorf("%s at Varnish: %v", method, a)
			}
		}
	})

	t.Run("statistics", func(t *testing.T) {
		basic := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("stats:"+statsPassword))
		for _, test := range []struct {
			target, header string
			want           int
			body           string
		}{
			{"/balancer/stats", "", 401, ""},
			{"/balancer/stats", "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("stats:wrong")), 401, ""},
			{"/balancer/stats", basic, 200, "Statistics Report for"},
			{"/balancer/stats;csv", "", 401, ""},
			{"/balancer/stats;csv", basic, 200, "# pxname,svname,"},
			{"/balancer/stats;csv;norefresh", basic, 200, "plone,c1,"},
			{"/x/../balancer/stats", "", 401, ""},
			{"/balancer/statsx", basic, 0, ""},
			{"/balancer/stats/x", basic, 0, ""},
			{"/balancer/stats;/../../x", basic, 0, ""},
		} {
			a := f.ask("GET", "127.0.0.1", test.target, test.header+"\r\nX: x")
			if a.Status != test.want || !strings.Contains(a.Body, test.body) {
				t.Errorf("%s with %q: %v, want %d", test.target, test.header, a, test.want)
			}
		}
		for _, target := range []string{HealthPath + "?x=y", HealthPath + "?manage_main:method=x", HealthPath + "?"} {
			if a := f.ask("POST", "127.0.0.1", target, "Content-Length: 0"); a.Status != 200 || sent(clients, HealthPath) > 0 {
				t.Errorf("%s: %v, and a client was asked %d times", target, a, sent(clients, HealthPath))
			}
		}
		if a := get("/balancer/stats"); !strings.Contains(a.Body, site) {
			t.Error("at the site's own name the path is the site's:", a)
		}
	})

	t.Run("varnishadm", func(t *testing.T) {
		out, err := exec.Command(program(t, "varnishadm"), "-n", f.dir+"/varnish", "ban", "req.url", "~", ".").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if a := get("/kept"); a.Header.Get("X-Cache") != "MISS" {
			t.Error("a ban emptied nothing:", a)
		}
	})

	// Last, since no client is up after it.
	t.Run("no client", func(t *testing.T) {
		get("/stale?h=Cache-Control:+s-maxage=1")
		get("/fresh")
		for _, c := range clients {
			c.says("down")
		}
		until(t, "the front end says that it has no client", func() bool { return f.ask("GET", "127.0.0.1", HealthPath).Status == 503 })
		time.Sleep(3 * time.Second)
		for range 3 {
			if a := get("/stale?h=Cache-Control:+s-maxage=1"); a.Header.Get("X-Cache") != "HIT" {
				t.Error("stale:", a)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if a := f.ask("GET", "www.example.com", "/never"); a.Status != 503 {
			t.Error("what is not in the cache:", a)
		}
		for _, c := range clients {
			c.says("up")
		}
		until(t, "a new page is served", func() bool { return f.ask("GET", "www.example.com", "/again").Status == 200 })
	})
}

// TestChainMixed shows that the test of HTML and JSON would see them mixed.
func TestChainMixed(t *testing.T) {
	t.Parallel()
	c := newClient(t, "c1", 4)
	f := newFront(t, frontHost(servedBy(c)))
	f.swap(vclFile, "if (req.http.Accept ~ ", "if (req.http.Never ~ ")
	f.swap(vclFile, "X-Forwarded-For = regsub(", "X-Ignored = regsub(")
	f.haproxy()
	f.varnish()
	until(t, "Varnish answers", func() bool { return ask(t, f.ports.cache, "GET", "x", site+"/x").Status == 200 })
	ask(t, f.ports.cache, "GET", "x", site+"/both", "Accept: application/json")
	if a := ask(t, f.ports.cache, "GET", "x", site+"/both", "Accept: text/html"); !strings.HasPrefix(a.Body, "json") {
		t.Error("without its rule Varnish kept the two apart all the same:", a)
	}
}

// TestChainSticky: who is logged in stays with one client, and pages stay in
// the cache.
func TestChainSticky(t *testing.T) {
	t.Parallel()
	f, clients := chained(t, func(h *topology.Host) { h.Front.Backends[0].Sticky = true })
	used := map[string]bool{}
	for i := range 8 {
		token := fmt.Sprintf("%064d", i)
		// The two ways of a token are one visitor's.
		for _, ways := range [][]string{
			{"Cookie: __ac=" + token},
			{"Cookie: a=b; auth_token=e." + token, "Authorization: Bearer e." + token, "authorization: bearer  e." + token},
			{"Authorization: Bearer f." + token},
		} {
			first := f.ask("GET", "www.example.com", "/mine", ways[0]).Header.Get("X-Client")
			used[first] = true
			for n := range 6 {
				way := ways[n%len(ways)]
				if a := f.ask("PATCH", "www.example.com", "/mine", way, "Content-Length: 0"); a.Header.Get("X-Client") != first || a.Header.Get("Set-Cookie") != "" {
					t.Errorf("visitor %d, %.30s: moved from %s: %v", i, way, first, a)
				}
			}
		}
	}
	if len(used) != len(clients) {
		t.Error("all visitors have the same client")
	}
	f.ask("GET", "www.example.com", "/kept")
	if a := f.ask("GET", "www.example.com", "/kept"); a.Header.Get("X-Cache") != "HIT" || a.Header.Get("Set-Cookie") != "" {
		t.Error(a)
	}
	if table := f.admin("show table plone"); strings.Contains(table, "00000000000000") || !strings.Contains(table, "server_id=") {
		t.Error("the table holds tickets, or nothing:", table)
	}
}

// TestChainReload: a reload of HAProxy while visitors write loses nothing.
func TestChainReload(t *testing.T) {
	t.Parallel()
	f, clients := chained(t, func(h *topology.Host) { h.Stack.Haproxy.QueueTimeout = schema.Millis(5 * time.Second) })
	stop, failed, total := make(chan struct{}), make(chan string, 1000), 0
	done := make(chan int)
	for range 3 {
		go func() {
			n := 0
			defer func() { done <- n }()
			for ; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				a, err := tryAsk(fmt.Sprint("127.0.0.1:", f.ports.http), "", http.MethodPost, "www.example.com", "/load?sleep=5ms", "Content-Length: 0")
				if err != nil || a.Status != 200 {
					failed <- fmt.Sprint(a, err)
				}
			}
		}()
	}
	for range 5 {
		time.Sleep(200 * time.Millisecond)
		f.reload()
	}
	time.Sleep(200 * time.Millisecond)
	close(stop)
	for range 3 {
		total += <-done
	}
	if len(failed) > 0 {
		t.Errorf("%d of %d failed: %s", len(failed), total, <-failed)
	}
	if got := sent(clients, "/load"); got != total || total < 50 {
		t.Errorf("%d requests, %d executed", total, got)
	}
}

// A new process of HAProxy gets the socket that the old one listens on. It is not bound a second
// time, which would lose the connections that wait in the old one's queue.
func TestReloadKeepsTheSocket(t *testing.T) {
	t.Parallel()
	f, _ := chained(t)
	before := listening(t, f.ports.balancer)
	for range 3 {
		f.reload()
		if now := listening(t, f.ports.balancer); len(now) != 1 || now[0] != before[0] {
			t.Errorf("socket %s before the reload, %s after it", before, now)
		}
	}
}

// listening is the inodes of the sockets that listen on a port of IPv4.
func listening(t *testing.T, port int) []string {
	t.Helper()
	text, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	var inodes []string
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 9 && f[3] == "0A" && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
			inodes = append(inodes, f[9])
		}
	}
	return inodes
}

// Where no client host is online visitors are answered 503, and so are balancers in front
// that ask whether all is well.
func TestChainStopped(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*topology.Host){"with a cache": func(*topology.Host) {}, "without": noVarnish} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t, frontHost(servedBy(), change))
			f.haproxy()
			if _, ok := f.files[vclFile]; ok {
				f.varnish()
			}
			f.nginx()
			for _, path := range []string{"/", "/news", "/login?came_from=x"} {
				if a := f.ask("GET", "www.example.com", path); a.Status != http.StatusServiceUnavailable {
					t.Error(path, a)
				}
			}
			if a := f.ask("GET", "127.0.0.1", HealthPath); a.Status != http.StatusServiceUnavailable {
				t.Error(HealthPath, a)
			}
			if a := f.ask("GET", "other.example.com", "/"); a.Status == http.StatusServiceUnavailable {
				t.Error("another name", a)
			}
		})
	}
}
