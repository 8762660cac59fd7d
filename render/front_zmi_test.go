package render

import (
	"fmt"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/topology"
)

// TestChainZMI: from outside the networks of nginx_plone.zmi no spelling of the ZMI and
// no Basic authentication reaches a client; all else does, and all of it from inside.
func TestChainZMI(t *testing.T) {
	t.Parallel()
	f, clients := chained(t, pastes, func(h *topology.Host) { h.Stack.NginxPlone.ZMI = []string{"127.0.0.2/31"} })
	const inside, outside = "127.0.0.3", "127.0.0.1"
	ask := func(from, method, target string, headers ...string) answer {
		t.Helper()
		a, err := tryAsk(fmt.Sprint("127.0.0.1:", f.ports.http), from, method, "www.example.com", target, headers...)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	all := func() (n int) {
		for _, c := range clients {
			c.mu.Lock()
			n += len(c.seen)
			c.mu.Unlock()
		}
		return n
	}
	basic := credentials("x")
	bare := strings.TrimPrefix(basic, "Authorization: ")
	for _, closed := range []struct {
		target  string
		headers []string
	}{
		{"/manage", nil}, {"/manage/", nil}, {"/manage_main", nil}, {"/a/b/manage_workspace?x=y", nil}, {"/acl_users/manage_users", nil},
		{"/manage_addProduct/OFSP/addDTMLMethod", nil}, {"/manage_page_style.css", nil}, {"/a//manage", nil}, {"//manage_main", nil}, {"/./manage", nil},
		{"/x/../manage", nil}, {"/x/%2e%2e/manage", nil}, {"/x%2f..%2fmanage", nil}, {"/%6danage", nil}, {"/%6D%61%6e%61%67%65_main", nil}, {"/manage%5Fmain", nil},
		{"/manage%5fmain", nil}, {"/a%2fmanage", nil}, {"/manage_main;x", nil}, {"/manage_main%3bx", nil}, {"/manage_main%0a", nil}, {"/a%0a/manage_main", nil}, {"/manage_%C3%A9", nil},
		{"/@@manage_main", nil}, {"/%40%40manage", nil}, {"/++attribute++manage_main", nil}, {"/%2b%2bview%2b%2bmanage_main/x", nil}, {"/++acquire++manage", nil},
		{"/++api++/manage_main", nil}, {"http://www.example.com/manage", nil}, {"/manage#x", nil}, {"/manage?#", nil},
		{"/?manage_main:method=x", nil}, {"/?a=b&manage_main:action", nil}, {"/?%6danage%5fmain%3amethod=x", nil}, {"/?x/m%61nage:default_method:utf8=", nil}, {"/?a=b;manage_x:utf8:method=1", nil}, {"/?manage_main:d%65fault_action=", nil},
		{"/x/ZPythonScriptHTML_editForm", nil}, {"/x/pt_editAction", nil}, {"/@@ZCacheable_manage", nil}, {"/x/ZScriptHTML_tryForm/y", nil}, {"/?x/pt_edit%41ction:method=", nil},
		{"/.well-known/acme-challenge/x?../../front:method=", nil}, {"/?a=1&%2e./%2E%2e/x:action", nil}, {"/?:method=../x", nil}, {"/?Virtual%48ostBase:method=", nil}, {"/?_vh_x:default_method=", nil},
		{"/?:method=manage_main", nil}, {"/?%3Ame%74hod=man%61ge", nil}, {"/a?b;manage_main:%61ction.x=1", nil}, {"/?manage_main:default%5fm%65thod=", nil},
		{"/", []string{basic}}, {"/a", []string{"authorization: basic " + bare[6:]}}, {"/a", []string{"AUTHORIZATION:BASIC   " + bare[6:]}}, {"/a", []string{"Authorization: \tBasic x"}}, {"/a", []string{"Authorization: \xa0Basic x"}},
		{"/@login", []string{basic}}, {"/balancer/stats", []string{basic}}, {"/balancer/stats;", []string{basic}},
		{"/kept", []string{"Authorization: Bearer x", basic}}, {"/kept", []string{basic, "Authorization: Bearer x"}},
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PROPFIND"} {
			before := all()
			// nginx refuses two Authorization lines, and a line end in an address, itself
			if a := ask(outside, method, closed.target, append(closed.headers, "Content-Length: 0")...); a.Status != 403 && a.Status != 404 && a.Status != 400 {
				t.Errorf("%s %s %q: %v", method, closed.target, closed.headers, a)
			}
			if all() != before {
				t.Errorf("%s %s %q reached a client", method, closed.target, closed.headers)
			}
		}
	}
	for _, open := range []struct {
		target  string
		headers []string
	}{
		{"/", nil}, {"/management", nil}, {"/a/@@manage-portlets", nil}, {"/manage-viewlets", nil}, {"/a/Manage_x", nil}, {"/unmanage_x", nil}, {"/a.manage", nil},
		{"/?SearchableText=manage_main", nil}, {"/?a=manage&form.widgets.x:list=1", nil}, {"/?folder_copy:method=x", nil}, {"/a?b=/manage", nil},
		{"/@search?SearchableText=project%20management%3A%20methods", nil}, {"/search?SearchableText=management:transactions", nil}, {"/?q=a:method+manage", nil}, {"/?a=..&b:method=x", nil}, {"/?q=../x:method", nil},
		{"/receipt_editors", nil}, {"/ZPythonScript", nil}, {"/login?x=manage", nil},
		{"/mine", []string{"Authorization: Bearer abc.def"}}, {"/@login", []string{"Content-Type: application/json", "Accept: application/json"}},
		{"/mine", []string{"Proxy-Authorization: Basic eA=="}}, {"/mine", []string{"Cookie: __ac=x"}},
	} {
		before := all()
		if a := ask(outside, "POST", open.target, append(open.headers, "Content-Length: 0")...); a.Status != 200 || all() != before+1 {
			t.Errorf("%s %q: %v, and %d requests reached a client", open.target, open.headers, a, all()-before)
		}
	}
	for _, target := range []string{"/manage_main", "/a/manage?x=y", "/?manage_main:method=x", "/with"} {
		before := all()
		if a := ask(inside, "GET", target, basic); a.Status != 200 || all() != before+1 {
			t.Errorf("%s from inside: %v, and %d requests reached a client", target, a, all()-before)
		}
	}
	// Zope's other name of that header would pass Varnish unseen.
	for _, target := range []string{"/cgi", "/pasted/cgi"} {
		ask(outside, "GET", target, "CGI-Authorization: "+bare, "CGI_Authorization: "+bare)
	}
	if n := sent(clients, "/cgi"); n != 2 {
		t.Errorf("%d requests with that header reached a client, want 2", n)
	}
	for _, c := range clients {
		for _, r := range c.requests("/cgi") {
			if len(r.Header.Values("CGI-Authorization"))+len(r.Header.Values("CGI_Authorization")) > 0 {
				t.Error("a client is told:", r.Header)
			}
		}
		for _, r := range c.requests("/with") {
			if r.Header.Get("Authorization") != bare {
				t.Error("from inside credentials are lost:", r.Header)
			}
		}
	}
	// At the front end's own address HAProxy asks for the password of its statistics.
	if a := f.ask("GET", "127.0.0.1", "/balancer/stats", credentials(statsPassword)); a.Status != 200 {
		t.Error("the statistics:", a)
	}
	if a := f.ask("GET", "127.0.0.1", HealthPath); a.Status != 200 {
		t.Error("health:", a)
	}
}

// TestNginxZMIPasted: locations of the stack's own are guarded as the site is, whichever
// server has them.
func TestNginxZMIPasted(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*topology.Host){"named": func(*topology.Host) {}, "without a name": noDomain} {
		f, c := echoed(t, frontHost(change, pastes, func(h *topology.Host) { h.Stack.NginxPlone.ZMI = []string{"127.0.0.2/31"} }))
		for _, host := range []string{"www.example.com", "10.0.0.1"} {
			for _, target := range []string{"/pasted/x", "/answered", "/x.png", "/images/x", "/rewritten/x", "/BALANCER/stats", "/plonec/healthy", "/plonec/error/503", "/plonec/error.html", "/plonec/maintenance.html/x"} {
				if a := f.ask("GET", host, target, credentials("x")); a.Status != 403 {
					t.Errorf("%s, %s%s: %v", name, host, target, a)
				}
			}
			for _, target := range []string{"/pasted/manage", "/pasted/x?manage_main:method=x", "/images/manage_main", "/plonec/health/manage", "/plonec/error/503?manage_main:method=x"} {
				if a := f.ask("GET", host, target); a.Status != 403 {
					t.Errorf("%s, %s%s: %v", name, host, target, a)
				}
			}
			if a := f.ask("GET", host, "/pasted/x"); a.Status != 200 {
				t.Errorf("%s: %v", name, a)
			}
		}
		if n := len(c.requests("")); n != 2 {
			t.Errorf("%s: %d requests came through, want 2", name, n)
		}
	}
}

// Where a site has no name of its own, and nobody may, the statistics are still there.
func TestNginxZMINobody(t *testing.T) {
	t.Parallel()
	f, c := echoed(t, frontHost(noDomain, func(h *topology.Host) { h.Stack.NginxPlone.ZMI = []string{} }))
	for target, want := range map[string]int{"/a": 403, "/balancer/stats": 200, "/balancer/stats;csv": 200, "/balancer/stats%20x": 403, "/manage": 403} {
		if a := f.ask("GET", "any.example.com", target, credentials("x")); a.Status != want {
			t.Errorf("%s: %v, want %d", target, a, want)
		}
	}
	if a := f.ask("GET", "any.example.com", "/a"); a.Status != 200 || len(c.requests("/a")) > 1 {
		t.Error(a)
	}
	if text := content(t, frontHost(), nginxConf); strings.Contains(text, "plonec_outside") {
		t.Error("without nginx_plone.zmi somebody is outside")
	}
}
