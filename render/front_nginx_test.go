package render

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// fast is an interval of checks for tests.
const fast = schema.Millis(200 * time.Millisecond)

// noDomain is a stack that names no domain.
func noDomain(h *topology.Host) { h.Front.Sites[0].Names = nil }

// echoed starts nginx alone, with a client in Varnish's place.
func echoed(t *testing.T, h *topology.Host, change ...func(*front)) (*front, *client) {
	t.Helper()
	c := newClient(t, "c", 8)
	f := newFront(t, h)
	f.swap(nginxConf, fmt.Sprint("127.0.0.1:", f.ports.cache), c.at())
	f.swap(nginxConf, fmt.Sprint("127.0.0.1:", f.ports.balancer), c.at())
	for _, x := range change {
		x(f)
	}
	f.nginx()
	return f, c
}

// hostile are targets that try to leave the site's place in the path.
var hostile = []string{
	"/VirtualHostBase/https/evil.com:443/VirtualHostRoot/x",
	"//VirtualHostBase/https/evil.com:443/VirtualHostRoot/x",
	"/%56irtualHostBase/https/evil.com:443/VirtualHostRoot/x",
	"/%0a/VirtualHostBase/https/evil.com:443/VirtualHostRoot/x",
	"/x%0a/../VirtualHostBase/https/evil.com:443/VirtualHostRoot/x",
	"/x/../../../VirtualHostBase/https/evil.com:443/VirtualHostRoot/x",
	"/x/VirtualHostRoot/y",
	"/x%2FVirtualHostRoot%2Fy",
	"/VirtualHostRoot",
	"/_vh_evil/x",
	"/%5fvh_evil/x",
	"/x/_vh_evil",
	"http://www.example.com/VirtualHostBase/https/evil.com:443/VirtualHostRoot/x",
}

// contained are targets that are a site's own business, however odd.
var contained = []string{
	"/", "/front-page", "/a%0ab", "/%0a", "/a/%0a/b", "/a/../b", "/a/%2e%2e/b", "/a%3Fb=c", "/a%3F/../b", "//", "//a//b", "/a?x=/VirtualHostRoot/",
	"/a%23b", "/a%25%35%36b", "/a;b", "/my_vh_x", "/a%20b", "/%E2%82%AC", "/a'b\"c", "/a$host", "/a%24host", "/VirtualHostBases", "/%2556irtualHostRoot/x",
}

// forged tells whether Zope would take a part of the path behind the site's
// place for virtual hosting, or leave it. Zope decodes the path once.
func forged(uri, place string) bool {
	if !strings.HasPrefix(uri, place) {
		return true
	}
	rest, _, _ := strings.Cut(strings.TrimPrefix(uri, place), "?")
	decoded, err := url.PathUnescape(rest)
	if err != nil {
		return true
	}
	if !strings.HasPrefix(path.Clean("/in/"+decoded), "/in") {
		return true
	}
	return regexp.MustCompile(`(^|/)(VirtualHostBase|VirtualHostRoot|_vh_[^/]*)(/|$)`).MatchString(decoded)
}

func TestNginxHostilePaths(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, host, place string
		change            []func(*topology.Host)
	}{
		{"named", "www.example.com", "/VirtualHostBase/http/www.example.com:80/Plone/VirtualHostRoot/", nil},
		{"any", "some.where", "/VirtualHostBase/http/some.where:80/Plone/VirtualHostRoot/", []func(*topology.Host){noDomain}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f, c := echoed(t, frontHost(test.change...))
			for _, target := range hostile {
				if a := f.ask("GET", test.host, target); a.Status != 404 && a.Status != 400 {
					t.Errorf("%s: %v, want 404 or 400", target, a)
				}
			}
			if n := len(c.requests("")); n > 0 {
				t.Errorf("%d hostile requests came through", n)
			}
			for _, target := range contained {
				if a := f.ask("GET", test.host, target); a.Status != http.StatusOK {
					t.Errorf("%s: %v", target, a)
				}
			}
			for _, r := range c.requests("") {
				if forged(r.RequestURI, test.place) {
					t.Errorf("%s leaves %s", r.RequestURI, test.place)
				}
			}
			if n := len(c.requests("")); n != len(contained) {
				t.Errorf("%d requests came through, want %d", n, len(contained))
			}
		})
	}

	t.Run("control", func(t *testing.T) {
		t.Parallel()
		f, c := echoed(t, frontHost(), func(f *front) { f.swap(nginxConf, "if ($plonec_forged)", "if ($arg_never)") })
		bad := 0
		for _, target := range hostile {
			f.ask("GET", "www.example.com", target)
		}
		for _, r := range c.requests("") {
			if forged(r.RequestURI, "/VirtualHostBase/http/www.example.com:80/Plone/VirtualHostRoot/") {
				bad++
			}
		}
		if bad < len(hostile)/2 {
			t.Errorf("without its rule nginx let only %d of %d through: the test sees too little", bad, len(hostile))
		}
	})
}

func TestNginxHeaders(t *testing.T) {
	t.Parallel()
	f, c := echoed(t, frontHost())
	a := f.ask("GET", "www.example.com", "/x", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https/evil", "X-Forwarded-Host: evil.com",
		"X-Forwarded-Port: 666", "Forwarded: for=6.6.6.6", "Proxy: evil", "Accept-Encoding: gzip")
	if a.Status != 200 || strings.Contains(a.Header.Get("Server"), "/") {
		t.Error(a)
	}
	r := c.requests("/x")[0]
	for name, want := range map[string]string{
		"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "www.example.com", "X-Forwarded-Port": "80",
		"Forwarded": "", "Proxy": "", "Accept-Encoding": "",
	} {
		if got := strings.Join(r.Header.Values(name), ", "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if r.Host != "www.example.com" {
		t.Error("Host:", r.Host)
	}
}

func TestNginxMethods(t *testing.T) {
	t.Parallel()
	f, c := echoed(t, frontHost())
	for _, method := range []string{"PURGE", "BAN", "TRACE", "TRACK", "DEBUG", "PURGEKEY", "purge", "SEARCH"} {
		if a := f.ask(method, "www.example.com", "/x"); a.Status != 405 && a.Status != 400 {
			t.Errorf("%s: %v", method, a)
		}
	}
	if n := len(c.requests("")); n != 0 {
		t.Errorf("%d refused methods came through", n)
	}
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "LOCK"} {
		if a := f.ask(method, "www.example.com", "/x", "Content-Length: 0"); a.Status != 200 {
			t.Errorf("%s: %v", method, a)
		}
	}
}

func TestNginxUnknownHosts(t *testing.T) {
	t.Parallel()
	t.Run("named", func(t *testing.T) {
		t.Parallel()
		f, c := echoed(t, frontHost())
		for _, host := range []string{"evil.com", "127.0.0.1", "", "www.example.com.evil.com", "[::1]", "_"} {
			if a := f.ask("GET", host, "/x"); a.Status != 0 && a.Status != 400 {
				t.Errorf("Host %q: %v, want none", host, a)
			}
		}
		if n := len(c.requests("")); n != 0 {
			t.Errorf("%d requests came through", n)
		}
		for _, host := range []string{"www.example.com", "WWW.example.COM:80", "www.example.com."} {
			if a := f.ask("GET", host, "/x"); a.Status != 200 {
				t.Errorf("Host %q: %v", host, a)
			}
		}
		for _, r := range c.requests("") {
			if !strings.HasPrefix(r.RequestURI, "/VirtualHostBase/http/www.example.com:80/") {
				t.Error(r.RequestURI)
			}
		}
	})
	t.Run("any", func(t *testing.T) {
		t.Parallel()
		f, c := echoed(t, frontHost(noDomain))
		for _, host := range []string{"a/../b", "a/VirtualHostRoot/b", "[::1]", "a_b", "a b", "a%2fb", "-a", "a$host", "é.org", "a;b", ""} {
			if a := f.ask("GET", host, "/x"); a.Status != 0 && a.Status != 400 {
				t.Errorf("Host %q: %v, want none", host, a)
			}
		}
		if n := len(c.requests("")); n != 0 {
			t.Errorf("%d requests came through: %s", n, c.requests("")[0].RequestURI)
		}
		for host, want := range map[string]string{"WWW.Example.com:8000": "www.example.com", "10.0.0.1": "10.0.0.1", "x": "x"} {
			if a := f.ask("GET", host, "/"+want+"?"); a.Status != 200 {
				t.Errorf("Host %q: %v", host, a)
			}
			if rs := c.requests("/VirtualHostBase/http/" + want + ":80/Plone/VirtualHostRoot/" + want); len(rs) != 1 || rs[0].Host != want {
				t.Errorf("Host %q: %d requests", host, len(rs))
			}
		}
	})
}

func TestNginxBehindBalancer(t *testing.T) {
	t.Parallel()
	f, c := echoed(t, frontHost(func(h *topology.Host) {
		h.Stack.Plonec.TrustedProxies = []string{"127.0.0.1", "10.0.0.0/8", "fd00::/8"}
		h.Front.Sites[0].Scheme = "https"
	}))
	f.ask("GET", "www.example.com", "/x", "X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.1.2.3")
	rs := c.requests("/VirtualHostBase/https/www.example.com:443/Plone/VirtualHostRoot/x")
	if len(rs) != 1 {
		t.Fatal("the public scheme is not in the path")
	}
	if got := rs[0].Header.Get("X-Forwarded-For"); got != "192.0.2.7" {
		t.Errorf("X-Forwarded-For: %s, want the last address that is not trusted", got)
	}
	if got := rs[0].Header.Get("X-Forwarded-Proto"); got != "https" {
		t.Error("X-Forwarded-Proto:", got)
	}
}

func TestNginxSites(t *testing.T) {
	t.Parallel()
	f, c := echoed(t, frontHost(func(h *topology.Host) {
		h.Front.Sites = append(h.Front.Sites, &topology.Site{
			App: "plone", Names: []string{"News.example.com"}, Path: "Plone/news/a.b~c", Extra: texts("\n        location = /extra {\n            return 203;\n        }\n        # the end"),
		})
		h.Stack.NginxPlone.AdditionalServers = texts("map $args $pasted { default yes; }\n# the end")
		h.Stack.NginxPlone.AdditionalConfig = texts("location = /everywhere { return 204; }\n# the end")
		h.Stack.NginxPlone.DefaultConfig = texts("location = /main { return 206; }")
		h.Stack.NginxPlone.ClientMaxBodySize = "1k"
	}))
	for _, test := range []struct {
		host, target string
		want         int
	}{
		{"www.example.com", "/everywhere", 204}, {"news.example.com", "/everywhere", 204}, {"10.0.0.1", "/everywhere", 204},
		{"www.example.com", "/main", 206}, {"10.0.0.1", "/main", 206}, {"news.example.com", "/main", 200},
		{"news.example.com", "/extra", 203}, {"www.example.com", "/extra", 200}, {"10.0.0.1", "/extra", 0},
	} {
		if a := f.ask("GET", test.host, test.target); a.Status != test.want {
			t.Errorf("%s%s: %v, want %d", test.host, test.target, a, test.want)
		}
	}
	if len(c.requests("/VirtualHostBase/http/news.example.com:80/Plone/news/a.b~c/VirtualHostRoot/main")) != 1 {
		t.Error("the subsite's path is not in the request")
	}
	if a := f.ask("POST", "www.example.com", "/x", "Content-Length: 2000"); a.Status != http.StatusRequestEntityTooLarge {
		t.Error("body size:", a)
	}
	if a := f.ask("GET", "www.example.com", "/f.woff2"); a.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Error("font:", a)
	}
	if a := f.ask("GET", "www.example.com", "/attfreport.html"); a.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("no font:", a)
	}
}

func TestNginxSSI(t *testing.T) {
	t.Parallel()
	page := "/page?" + url.Values{"body": {`<p><!--# include virtual="/part?body=included" --></p>`}}.Encode()
	f, c := echoed(t, frontHost(func(h *topology.Host) { h.Stack.NginxPlone.EnableSSI = true }))
	if a := f.ask("GET", "www.example.com", page, "Accept-Encoding: identity"); a.Body != "<p>included</p>" {
		t.Error(a)
	}
	if len(c.requests("/Plone/VirtualHostRoot/part")) != 1 {
		t.Error("the part was not asked for inside the site")
	}
	f.ask("GET", "www.example.com", "/page?"+url.Values{"body": {`<!--# include virtual="/VirtualHostBase/http/evil.com:80/VirtualHostRoot/" -->`}}.Encode())
	if len(c.requests("evil.com:80/VirtualHostRoot/")) != 0 {
		t.Error("an include left the site")
	}
	off, _ := echoed(t, frontHost())
	if a := off.ask("GET", "www.example.com", page); !strings.Contains(a.Body, "<!--#") {
		t.Error("off:", a)
	}
}

func TestNginxTLS(t *testing.T) {
	t.Parallel()
	certificate, key := selfSigned(t, "www.example.com")
	f, c := echoed(t, frontHost(func(h *topology.Host) {
		h.Front.Sites[0].TLS = true
		h.Stack.Deploy["plone"].SSLCertificate = schema.Certificate{Text: "\n" + certificate + "\n\n"}
		h.Stack.Deploy["plone"].SSLCertificateCA = schema.Certificate{Text: certificate}
		h.Stack.NginxPlone.AdditionalSSLConfig = texts("add_header Strict-Transport-Security max-age=63072000;")
		h.Stack.NginxPlone.AdditionalConfig = texts("return 301 https://$host$request_uri;")
	}), func(f *front) {
		f.write("/etc/nginx/ssl/plone.crt")
		if err := os.WriteFile(filepath.Join(f.dir, "etc/nginx/ssl/plone.key"), []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	get := func(host string, config *tls.Config) (*http.Response, string, error) {
		config.InsecureSkipVerify = true
		// Go's client asks for ever where HTTP/2 has no answer.
		transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: host == "www.example.com"}
		defer transport.CloseIdleConnections()
		request, err := http.NewRequest("GET", fmt.Sprintf("https://127.0.0.1:%d/x", f.ports.https), nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		response, err := transport.RoundTrip(request)
		if err != nil {
			return nil, "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return response, string(body), err
	}
	response, body, err := get("www.example.com", &tls.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if response.ProtoMajor != 2 || len(response.TLS.PeerCertificates) != 2 || response.Header.Get("Strict-Transport-Security") == "" {
		t.Error(response.Proto, response.Header, len(response.TLS.PeerCertificates))
	}
	if !strings.Contains(body, "/VirtualHostBase/https/www.example.com:443/Plone/VirtualHostRoot/x") {
		t.Error(body)
	}
	if got := c.requests("/x")[0].Header.Get("X-Forwarded-Proto"); got != "https" {
		t.Error("X-Forwarded-Proto:", got)
	}
	if _, _, err := get("www.example.com", &tls.Config{MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 was taken")
	}
	if response, _, err := get("evil.com", &tls.Config{}); err == nil {
		t.Error("another name:", response.Status)
	}
	if a := f.ask("GET", "www.example.com", "/x"); a.Status != 301 || a.Header.Get("Location") != "https://www.example.com/x" {
		t.Error("the pasted redirect:", a)
	}
}

// TestNginxBelow: all names below one are a site's, but those that another has, and
// nothing that is no name.
func TestNginxBelow(t *testing.T) {
	t.Parallel()
	f, c := echoed(t, frontHost(func(h *topology.Host) {
		h.Front.Sites[0].Names = []string{"example.com", "*.example.com"}
		h.Front.Sites = append(h.Front.Sites, &topology.Site{App: "plone", Names: []string{"*.news.example.com", "www.example.com"}, Path: "Plone/news"})
	}))
	for i, test := range []struct{ host, as, path string }{
		{"example.com", "example.com", "Plone"}, {"A.example.com", "a.example.com", "Plone"}, {"a.b.example.com", "a.b.example.com", "Plone"},
		{"www.example.com", "www.example.com", "Plone/news"}, {"a.news.example.com", "a.news.example.com", "Plone/news"}, {"news.example.com", "news.example.com", "Plone"},
		{"a.example.com:8080", "a.example.com", "Plone"},
		{"example.org", "", ""}, {"aexample.com", "", ""}, {".example.com", "", ""}, {"a%2f.example.com", "", ""}, {"a;b.example.com", "", ""}, {"a'.example.com", "", ""},
	} {
		target := fmt.Sprint("/", i)
		a := f.ask("GET", test.host, target)
		want := fmt.Sprintf("/VirtualHostBase/http/%s:80/%s/VirtualHostRoot%s", test.as, test.path, target)
		if got := len(c.requests(want)); a.Status == 200 != (test.as != "") || got == 1 != (test.as != "") {
			t.Errorf("%s: %d, and %d requests to %s", test.host, a.Status, got, want)
		}
	}
}

// TestNginxMoved: who comes by another name, or by HTTP, is sent on, and keeps what he
// asked for; a certificate authority is answered where it asks.
func TestNginxMoved(t *testing.T) {
	t.Parallel()
	certificate, key := selfSigned(t, "www.example.com")
	withTLS := func(f *front) {
		f.write("/etc/nginx/ssl/plone.crt")
		if err := os.WriteFile(filepath.Join(f.dir, "etc/nginx/ssl/plone.key"), []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	names := func(h *topology.Host) {
		h.Front.Sites[0].Names = []string{"www.example.com", "example.com", "example.org"}
		h.Front.Sites[0].Canonical = "www.example.com"
		h.Front.Sites = append(h.Front.Sites, &topology.Site{App: "plone", Names: []string{"news.example.com"}, Path: "Plone/news"})
	}
	ssl := func(h *topology.Host) {
		h.Front.Sites[0].TLS = true
		h.Stack.Deploy["plone"].SSLCertificate = schema.Certificate{Text: certificate}
	}
	redirect := func(h *topology.Host) {
		h.Stack.NginxPlone.RedirectHTTPS = true
		h.Stack.NginxPlone.HSTS = schema.Seconds(24 * time.Hour)
	}
	behind := func(h *topology.Host) { h.Front.Sites[0].Scheme = "https" }
	const acme = "/.well-known/acme-challenge/x"
	type visit struct {
		method, host, target, proto string
		status                      int
		to                          string
	}
	all := func(h *topology.Host, f func(*front), visits []visit) {
		t.Helper()
		front, _ := echoed(t, h, f)
		for _, v := range visits {
			a := front.ask(v.method, v.host, v.target, "X-Forwarded-Proto: "+v.proto)
			if a.Status != v.status || a.Header.Get("Location") != v.to {
				t.Errorf("%s %s%s (%s): %d %s, want %d %s", v.method, v.host, v.target, v.proto, a.Status, a.Header.Get("Location"), v.status, v.to)
			}
		}
	}
	none := func(*front) {}
	all(frontHost(names, pastes), none, []visit{
		{"GET", "www.example.com", "/answered", "", 204, ""},
		{"GET", "example.com", "/answered", "", 301, "http://www.example.com/answered"},
		{"POST", "example.com", "/pasted/x", "", 308, "http://www.example.com/pasted/x"},
		{"GET", "example.com", "/rewritten/x", "", 301, "http://www.example.com/rewritten/x"},
		{"GET", "www.example.com", "/a?b=c", "", 200, ""},
		{"GET", "news.example.com", "/a", "", 200, ""},
		{"GET", "example.com", "/a%20b/%E2%82%AC?b=c&d=%2F", "", 301, "http://www.example.com/a%20b/%E2%82%AC?b=c&d=%2F"},
		{"HEAD", "EXAMPLE.org", "/", "", 301, "http://www.example.com/"},
		{"POST", "example.com", "/edit", "", 308, "http://www.example.com/edit"},
		{"PROPFIND", "example.com", "/", "", 308, "http://www.example.com/"},
		{"TRACE", "example.com", "/", "", 405, ""},
		{"GET", "example.com", "//evil.com/", "", 301, "http://www.example.com//evil.com/"},
		{"GET", "example.com", "/VirtualHostBase/x", "", 404, ""},
		{"GET", "example.com", acme, "", 200, ""},
		{"GET", "10.0.0.1", hostView{}.HealthPath(), "", 200, ""},
		{"GET", "10.0.0.1", "/balancer/stats", "", 200, ""},
	})
	all(frontHost(names, ssl, redirect), withTLS, []visit{
		{"GET", "www.example.com", "/a?b=c", "", 301, "https://www.example.com/a?b=c"},
		{"POST", "www.example.com", "/a", "", 308, "https://www.example.com/a"},
		{"GET", "example.com", "/a", "", 301, "https://www.example.com/a"},
		{"GET", "news.example.com", "/a", "", 200, ""}, // without a certificate
		{"GET", "www.example.com", acme, "", 200, ""},
		{"GET", "10.0.0.1", hostView{}.HealthPath(), "", 200, ""},
	})
	all(frontHost(ssl, redirect, noDomain, pastes), withTLS, []visit{
		{"GET", "any.example.com", "/a", "", 301, "https://any.example.com/a"},
		{"GET", "any.example.com", "/answered", "", 301, "https://any.example.com/answered"},
		{"GET", "any.example.com", acme, "", 200, ""},
		{"GET", "10.0.0.1", "/balancer/stats", "", 200, ""},
		{"GET", "10.0.0.1", "/balancer/stats;csv", "", 200, ""},
		{"GET", "[::1]", "/balancer/stats", "", 200, ""},
		{"GET", "[::1]", "/a", "", 0, ""},
		{"GET", "evil.com/x", "/a", "", 400, ""},
		{"GET", "10.0.0.1", hostView{}.HealthPath(), "", 200, ""},
	})
	all(frontHost(names, redirect, behind), none, []visit{
		{"GET", "www.example.com", "/a", "https", 200, ""},
		{"GET", "www.example.com", "/a", "http", 301, "https://www.example.com/a"},
		{"PUT", "www.example.com", "/a", "http", 308, "https://www.example.com/a"},
		{"GET", "www.example.com", "/a", "", 200, ""}, // the balancer's own check
		{"GET", "www.example.com", acme, "http", 200, ""},
		{"GET", "example.com", "/a", "https", 301, "https://www.example.com/a"},
	})
	for _, c := range []struct {
		h    *topology.Host
		said int
	}{{frontHost(names, redirect), 0}, {frontHost(names, ssl, redirect), 3}, {frontHost(names, redirect, behind), 3}} {
		if got := strings.Count(content(t, c.h, nginxConf), `add_header Strict-Transport-Security "max-age=86400" always;`); got != c.said {
			t.Errorf("HSTS in %d servers, want %d", got, c.said)
		}
	}
}

// selfSigned makes a certificate and its key.
func selfSigned(t *testing.T, name string) (certificate, key string) {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command(program(t, "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN="+name,
		"-keyout", dir+"/key", "-out", dir+"/crt").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	crt, err1 := os.ReadFile(dir + "/crt")
	k, err2 := os.ReadFile(dir + "/key")
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return string(crt), string(k)
}
