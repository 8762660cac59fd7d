package render

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

const sorryPage = "<!DOCTYPE html>\n<title>Sorry</title>\n<p>Zur\u00fcck gleich.\n"

// TestChainErrorPage: what the front end answers of its own is the stack's page, with and
// without Varnish, whoever of the daemons fails; what a client answers stays.
func TestChainErrorPage(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*topology.Host){"with a cache": func(*topology.Host) {}, "without": noVarnish} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, clients := chained(t, change, func(h *topology.Host) {
				h.Stack.NginxPlone.ErrorPage = sorryPage
				h.Stack.NginxPlone.AdditionalConfig = texts("location /pasted/ { proxy_pass http://balancer/VirtualHostBase/http/www.example.com:80/Plone/VirtualHostRoot/; }")
			})
			sorry := func(a answer) bool { return strings.Contains(a.Body, "<p>Zur\u00fcck gleich.") }
			for _, status := range []int{404, 500, 502, 503, 504} {
				if a := f.ask("POST", "www.example.com", fmt.Sprintf("/own?status=%d&body=mine", status), "Content-Length: 0"); a.Status != status || !strings.Contains(a.Body, "mine") {
					t.Errorf("a client's own %d: %v", status, a)
				}
			}
			for _, method := range []string{"GET", "POST", "HEAD", "PROPFIND"} {
				a := f.ask(method, "www.example.com", "/lost?close", "Content-Length: 0")
				if (a.Status != 502 && a.Status != 503) || sorry(a) != (method != "HEAD") || !slices.Contains(a.Header.Values("Cache-Control"), "no-store") || a.Header.Get("X-Accel-Redirect") != "" {
					t.Errorf("%s of what a client does not answer: %v", method, a)
				}
			}
			for _, c := range clients {
				c.says("down")
			}
			until(t, "no client is up", func() bool { return f.ask("GET", "127.0.0.1", HealthPath).Status == 503 })
			if a := f.ask("GET", "127.0.0.1", HealthPath); sorry(a) {
				t.Error("balancers in front are shown the page:", a)
			}
			for range 2 {
				if a := f.ask("GET", "www.example.com", "/none"); a.Status != 503 || !sorry(a) || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
					t.Error("no client:", a)
				}
			}
			for _, host := range []string{"www.example.com", "127.0.0.1"} {
				if a := f.ask("GET", host, "/pasted/x"); a.Status != 503 || !sorry(a) || !slices.Contains(a.Header.Values("Cache-Control"), "no-store") {
					t.Errorf("a location of one's own at %s: %v", host, a)
				}
			}
			for _, path := range []string{"/plonec/error.html", "/plonec/error/503", "/plonec/maintenance", "/plonec/maintenance.html"} {
				if a := f.ask("GET", "www.example.com", path); a.Status != 404 {
					t.Error("who asks for", path, "itself:", a)
				}
			}
		})
	}

	// nginx by itself: nobody is where it asks.
	f := newFront(t, frontHost(func(h *topology.Host) { h.Stack.NginxPlone.ErrorPage = sorryPage }))
	f.nginx()
	if a := f.ask("POST", "www.example.com", "/", "Content-Length: 0"); a.Status != 502 || !strings.Contains(a.Body, "<title>Sorry") {
		t.Error(a)
	}
}

// pastes has text of the stack's own in every server: locations of each form, and what is
// done before one is chosen.
func pastes(h *topology.Host) {
	h.Stack.NginxPlone.AdditionalConfig = texts(`rewrite ^/rewritten/(.*)$ /pasted/$1;
rewrite ^/plonec/(.*)$ /elsewhere/$1;
if ($uri = /returned) { return 204; }
location /pasted/ { proxy_pass http://balancer/VirtualHostBase/http/www.example.com:80/Plone/VirtualHostRoot/; }
location = /answered { return 204; }
location ~ \.(png|html)$ { return 204; }
location ^~ /images/ { return 204; }`)
}

// TestChainErrorPageOfVarnish: what Varnish says of its own is the stack's page: HAProxy does
// not run, its VCL fails, or the stack's own text has it answer so.
func TestChainErrorPageOfVarnish(t *testing.T) {
	t.Parallel()
	clients := []*client{newClient(t, "c1", 4)}
	f := newFront(t, frontHost(servedBy(clients...), func(h *topology.Host) {
		h.Stack.NginxPlone.ErrorPage = sorryPage
		h.Stack.VarnishPlone.VCL.Recv = `if (req.url ~ "/busy$") { return (synth(503, "Busy")); }
    if (req.url ~ "/late$") { return (synth(504)); }
    if (req.url ~ "/refused$") { return (synth(403)); }
    if (req.url ~ "/fails$") { return (fail("no reason")); }`
		h.Stack.VarnishPlone.VCL.BackendFetch = `if (bereq.url ~ "/given-up$") { return (fail("no reason")); }`
	}))
	haproxy := f.haproxy()
	f.varnish()
	f.nginx()
	until(t, "the front end is healthy", func() bool { return f.ask("GET", "127.0.0.1", HealthPath).Status == 200 })
	large := "/large?size=33554432"
	if a := f.ask("GET", "www.example.com", large); a.Status != 200 {
		t.Fatal(a.Status)
	}
	check := func(method, target string, status int, page bool) {
		t.Helper()
		a := f.ask(method, "www.example.com", target, "Content-Length: 0")
		if a.Status != status || strings.Contains(a.Body, "<title>Sorry") != page || a.Header.Get("X-Accel-Redirect") != "" {
			t.Errorf("%s %s: %v, want %d", method, target, a, status)
		}
	}
	for _, method := range []string{"GET", "POST"} {
		check(method, "/busy", 503, true)
		check(method, "/late", 504, true)
		check(method, "/fails", 503, true)
		check(method, "/given-up", 503, true)
		check(method, "/refused", 403, false)
		check(method, "/own?status=503&body=mine", 503, false)
		check(method, "/own?status=404&body=mine", 404, false)
	}
	haproxy.stop()
	for range 3 {
		for _, method := range []string{"GET", "POST", "HEAD", "PROPFIND"} {
			check(method, "/a", 503, method != "HEAD")
		}
		time.Sleep(time.Second) // Varnish finds HAProxy sick
	}
	check("GET", large, 502, true)
}

// TestChainMaintenance: while the file is there visitors get 503 and its page, whatever
// they ask for; those of nginx_plone.zmi, certificate authorities, balancers in front and
// who looks at the statistics go on as before.
func TestChainMaintenance(t *testing.T) {
	t.Parallel()
	const inside, outside = "127.0.0.3", "127.0.0.1"
	for _, test := range []struct {
		name   string
		change func(*topology.Host)
		page   string
		host   string
		within int // the status from inside
	}{
		{"a page of its own", func(h *topology.Host) {
			h.Stack.NginxPlone.ZMI, h.Stack.NginxPlone.MaintenancePage = []string{"127.0.0.2/31"}, sorryPage
		}, "<title>Sorry", "www.example.com", 200},
		{"nobody is let through", func(*topology.Host) {}, "Down for maintenance", "www.example.com", 503},
		{"a site without a name", func(h *topology.Host) {
			noDomain(h)
			h.Stack.NginxPlone.ZMI, h.Stack.NginxPlone.ErrorPage = []string{"127.0.0.2/31"}, sorryPage
			pastes(h)
		}, "Down for maintenance", "any.example.com", 200},
		{"a name, and text of its own", pastes, "Down for maintenance", "www.example.com", 503},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f, _ := chained(t, test.change)
			file := f.dir + "/etc/plonec/maintenance"
			if err := os.MkdirAll(f.dir+"/etc/plonec", 0o755); err != nil {
				t.Fatal(err)
			}
			ask := func(from, method, host, target string, headers ...string) answer {
				t.Helper()
				a, err := tryAsk(fmt.Sprint("127.0.0.1:", f.ports.http), from, method, host, target, append(headers, "Content-Length: 0")...)
				if err != nil {
					t.Fatal(err)
				}
				return a
			}
			state := func() string { return tell(f) }
			if a := ask(outside, "GET", test.host, "/"); a.Status != 200 || state() != "off\n" {
				t.Error("before:", a)
			}
			if err := os.WriteFile(file, nil, 0o644); err != nil {
				t.Fatal(err)
			}
			for _, target := range []string{"/", "/a/b?c=d", "/login", "/plonec/maintenance.html", "//x", "/.well-known/acme-challenge/../../a", "/pasted/x", "/answered", "/x.png", "/rewritten/x", "/returned"} {
				for _, method := range []string{"GET", "POST", "PROPFIND"} {
					want := 503
					if strings.HasPrefix(target, "/plonec/") {
						want = 404 // nginx' own, for nobody
					}
					a := ask(outside, method, test.host, target, "Cookie: __ac=x")
					if a.Status != want || want == 503 && (!strings.Contains(a.Body, test.page) || a.Header.Get("Retry-After") == "" || a.Header.Get("Cache-Control") != "no-store") {
						t.Errorf("%s %s: %v", method, target, a)
					}
				}
			}
			if a := ask(inside, "GET", test.host, "/"); a.Status != test.within {
				t.Error("from inside:", a)
			}
			if a := ask(outside, "GET", test.host, "/.well-known/acme-challenge/x"); a.Status != 200 {
				t.Error("a certificate authority:", a)
			}
			if a := ask(outside, "GET", "127.0.0.1", HealthPath); a.Status != 200 {
				t.Error("health:", a)
			}
			if a := ask(outside, "GET", "127.0.0.1", "/balancer/stats", credentials(statsPassword)); a.Status != 200 {
				t.Error("the statistics:", a)
			}
			if state() != "on\n" {
				t.Error("nginx says", state())
			}
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			if a := ask(outside, "GET", test.host, "/"); a.Status != 200 || state() != "off\n" {
				t.Error("after:", a)
			}
		})
	}
}

// TestNginxHeadersOfServers: the headers that a server sends, and those that a stack has it
// send, are on whatever nginx answers there: pages of its own, redirects, refusals.
func TestNginxHeadersOfServers(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*topology.Host){
		"named": func(h *topology.Host) {
			h.Front.Sites[0].Names = append(h.Front.Sites[0].Names, "example.com")
			h.Front.Sites[0].Canonical = "www.example.com"
		},
		"without a name": noDomain,
	} {
		f, _ := echoed(t, frontHost(change, func(h *topology.Host) {
			h.Front.Sites[0].Scheme = "https"
			n := h.Stack.NginxPlone
			n.HSTS, n.RedirectHTTPS, n.ErrorPage, n.ZMI, n.ClientMaxBodySize = schema.Seconds(time.Hour), true, sorryPage, []string{}, "1k"
			n.AdditionalConfig = texts("add_header X-Frame-Options SAMEORIGIN always;\nlocation = /pasted { return 204; }")
		}))
		check := func(method, host, target string, status int, cache, retry string, headers ...string) {
			t.Helper()
			a := f.ask(method, host, target, headers...)
			if a.Status != status {
				t.Errorf("%s: %s %s: %v, want %d", name, method, target, a, status)
			}
			for header, want := range map[string]string{
				"Strict-Transport-Security": "max-age=3600", "X-Frame-Options": "SAMEORIGIN", "Cache-Control": cache, "Retry-After": retry,
			} {
				if got := strings.Join(a.Header.Values(header), " and "); got != want {
					t.Errorf("%s: %s %s%s: %d with %s: %q, want %q", name, method, host, target, a.Status, header, got, want)
				}
			}
		}
		const www = "www.example.com"
		check("GET", www, "/", 200, "", "")
		check("GET", www, "/own?status=500", 500, "", "")
		check("GET", www, "/lost?close", 502, "no-store", "")
		check("GET", www, "/pasted", 204, "", "")
		check("GET", www, "/", 301, "", "", "X-Forwarded-Proto: http")
		check("POST", www, "/", 308, "", "", "X-Forwarded-Proto: http", "Content-Length: 0")
		check("GET", www, "/.well-known/acme-challenge/x", 200, "", "", "X-Forwarded-Proto: http")
		check("PURGE", www, "/", 405, "", "")
		check("GET", www, "/VirtualHostRoot", 404, "", "")
		check("GET", www, "/manage", 403, "", "")
		check("POST", www, "/", 413, "", "", "Content-Length: 2000")
		if name == "named" {
			check("GET", "example.com", "/", 301, "", "")
		} else {
			check("GET", www, "/balancer/stats", 200, "", "")
			check("GET", www, HealthPath, 200, "", "")
		}
		if err := os.MkdirAll(f.dir+"/etc/plonec", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.dir+"/etc/plonec/maintenance", nil, 0o644); err != nil {
			t.Fatal(err)
		}
		check("GET", www, "/", 503, "no-store", "300")
		check("GET", www, "/pasted", 503, "no-store", "300")
	}
}

// tell is what nginx says of maintenance.
func tell(f *front) string {
	return ask(f.t, f.ports.status, "GET", "any", "/maintenance").Body
}

// TestMaintenanceVerb: the host's verb counts when nginx says so, may be done twice, and
// what does not come about is taken back.
func TestMaintenanceVerb(t *testing.T) {
	t.Parallel()
	f := newFront(t, frontHost())
	r := &releasesHost{t: t, root: f.dir, scripts: hostScripts(t)}
	r.write(f.dir+"/etc/plonec/host.env", f.files["/etc/plonec/host.env"])
	text, err := os.ReadFile(r.scripts + "/services/nginx.sh")
	if err != nil {
		t.Fatal(err)
	}
	r.write(r.scripts+"/services/nginx.sh", strings.ReplaceAll(string(text), "/etc/nginx/nginx.conf", f.dir+nginxConf))
	file := f.dir + "/etc/plonec/maintenance"
	there := func() bool { _, err := os.Stat(file); return err == nil }
	says := func(status int, want string, args ...string) {
		t.Helper()
		if out := r.host(status, args...); !strings.Contains(out, want) {
			t.Errorf("host %s: %s, want %q", args, out, want)
		}
	}
	f.write(nginxConf)
	says(1, "plonec: maintenance is not on: nginx does not answer\n", "maintenance", "on")
	if there() {
		t.Error("it is on although nginx does not run")
	}
	says(0, "plonec: warning: nginx does not answer", "maintenance", "off")

	f.nginx()
	asked := func() answer { return f.ask("GET", "www.example.com", "/") }
	if a := asked(); a.Status != 502 { // nobody is behind it
		t.Error("before:", a)
	}
	for _, want := range []string{"plonec: maintenance is on\n", "plonec: maintenance is on, as it was\n"} {
		says(0, want, "maintenance", "on")
		if a := asked(); a.Status != 503 || !there() {
			t.Error("on:", a)
		}
	}
	for _, want := range []string{"plonec: maintenance is off\n", "plonec: maintenance is off, as it was\n"} {
		says(0, want, "maintenance", "off")
		if a := asked(); a.Status != 502 || there() {
			t.Error("off:", a)
		}
	}
	says(2, "usage: host maintenance on|off", "maintenance")
	says(2, "usage: host maintenance on|off", "maintenance", "offf")
}
