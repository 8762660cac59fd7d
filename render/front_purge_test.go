package render

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// TestChainPurge: a PURGE empties what visitors asked for, however either quotes it, and
// is answered with 200 only where a visitor can have asked for the address.
func TestChainPurge(t *testing.T) {
	t.Parallel()
	f, _ := chained(t)
	get := func(target string) string {
		t.Helper()
		a := f.ask("GET", "www.example.com", target)
		if a.Status != 200 {
			t.Errorf("%s: %v", target, a)
		}
		return a.Header.Get("X-Cache")
	}
	purge := func(target string) int {
		t.Helper()
		return ask(t, f.ports.purge, "PURGE", "whatever", target).Status
	}
	empties := func(asked, purged string) {
		t.Helper()
		get(asked)
		if got := get(asked); got != "HIT" {
			t.Errorf("%s is not kept: %s", asked, got)
		}
		if status := purge(site + purged); status != 200 {
			t.Errorf("PURGE of %s: %d", purged, status)
		}
		if got := get(asked); got != "MISS" {
			t.Errorf("PURGE of %s leaves %s: %s", purged, asked, got)
		}
	}

	for c := '!'; c <= '~'; c++ {
		upper, lower := fmt.Sprintf("%%%02X", c), fmt.Sprintf("%%%02x", c)
		asked := "/a" + lower + "b"
		if strings.ContainsRune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", c) {
			empties(asked, "/a"+string(c)+"b")
			if status := purge(site + "/a" + upper + "b"); status != 404 {
				t.Errorf("PURGE of %s: %d, and nobody writes %c so", upper, status, c)
			}
			continue
		}
		for _, quoted := range []string{upper, lower} {
			empties(asked, "/a"+quoted+"b")
		}
		if !strings.ContainsRune("#%?", c) {
			empties(asked, "/a"+string(c)+"b")
		}
	}
	for asked, purged := range map[string]string{
		"/caf%C3%A9":                "/caf%c3%a9",
		"/caf%c3%a8":                "/caf%C3%A8",
		"/report%20(final),v1+2@hq": "/report%20%28final%29%2cv1%2B2%40hq",
		"/search(a)?q=%c3%a9+(a)":   "/search%28a%29?q=%c3%a9+(a)",
		"/a//b":                     "///a/b",
		"/":                         "/",
		"/a/../up":                  "/up",
	} {
		empties(asked, purged)
	}
	get("/plus?q=a%2Bb")
	purge(site + "/plus?q=a+b")
	if got := get("/plus?q=a%2Bb"); got != "HIT" {
		t.Error("in a query + and %2B are not the same:", got)
	}

	for _, target := range []string{
		"/front-page", "/Plone/front-page", "/", site, strings.Replace(site, "www", "other", 1) + "/a", strings.Replace(site, "http/", "https/", 1) + "/a",
		strings.Replace(site, ":80", "", 1) + "/a", strings.Replace(site, ":80", ":443", 1) + "/a", strings.Replace(site, "Plone", "Other", 1) + "/a",
		site + "/a/../b", site + "/a/%2e%2E/b", "/x" + site + "/a", "/x?" + site + "/a",
	} {
		if status := purge(target); status != 404 {
			t.Errorf("PURGE of %s, which is nobody's: %d", target, status)
		}
	}
}

// TestChainPurgeBelow: names below one are a site's, and so are their addresses.
func TestChainPurgeBelow(t *testing.T) {
	t.Parallel()
	f, _ := chained(t, func(h *topology.Host) { h.Front.Sites[0].Names = []string{"*.example.com"} })
	for host, want := range map[string]int{"www.example.com": 200, "a.b.example.com": 200, "example.com": 404, "www.example.org": 404, "aexample.com": 404} {
		target := "/VirtualHostBase/http/" + host + ":80/Plone/VirtualHostRoot/news"
		if want == 200 {
			f.ask("GET", host, "/news")
			if a := f.ask("GET", host, "/news"); a.Header.Get("X-Cache") != "HIT" {
				t.Errorf("%s is not kept: %v", host, a)
			}
		}
		if status := ask(t, f.ports.purge, "PURGE", "whatever", target).Status; status != want {
			t.Errorf("PURGE at %s: %d, want %d", host, status, want)
		}
		if want == 200 {
			if a := f.ask("GET", host, "/news"); a.Header.Get("X-Cache") != "MISS" {
				t.Errorf("%s is left: %v", host, a)
			}
		}
	}
}

// Where the stack names no domain, the site has every name that is one.
func TestChainPurgeAnyName(t *testing.T) {
	t.Parallel()
	f, _ := chained(t, noDomain)
	for i, want := range []string{"MISS", "HIT", "MISS"} {
		if a := f.ask("GET", "any.example.org", "/a(b)%c3%a9"); a.Status != 200 || a.Header.Get("X-Cache") != want {
			t.Errorf("%d: %v, want a %s", i, a, want)
		}
		if i == 1 {
			if a := ask(t, f.ports.purge, "PURGE", "x", "/VirtualHostBase/http/any.example.org:80/Plone/VirtualHostRoot/a%28b%29%C3%A9"); a.Status != 200 {
				t.Error(a)
			}
		}
	}
	for _, name := range []string{"any_name", "ANY.example.org", "", "a/b", "-a"} {
		if a := ask(t, f.ports.purge, "PURGE", "x", "/VirtualHostBase/http/"+name+":80/Plone/VirtualHostRoot/a"); a.Status != 404 {
			t.Errorf("%q: %v", name, a)
		}
	}
}

// A server of the stack's own text may ask for any address.
func TestPurgeOfPasted(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"server { location / { proxy_pass http://cache/VirtualHostBase/http/x:80/Other/VirtualHostRoot/; } }": true,
		"server { listen 81; }": false,
	} {
		f := newFront(t, frontHost(func(h *topology.Host) {
			h.Stack.NginxPlone.AdditionalServers = schema.Pasted{{Text: text}}
		}))
		if got := strings.Contains(f.files[vclFile], `"^/VirtualHostBase/.*/VirtualHostRoot/$"`); got != want {
			t.Errorf("%s: any address may be purged: %v, want %v", text, got, want)
		}
	}
}

// TestPurgeExpressions: plonec run varnish-purge bans by every expression that Varnish takes,
// and what is warned of in varnish_purge_urls is what Varnish refuses, or matches nothing.
func TestPurgeExpressions(t *testing.T) {
	t.Parallel()
	f, _ := chained(t)
	etc := t.TempDir()
	ban := func(expression string) error {
		if err := os.WriteFile(etc+"/varnish-purge", []byte("# generated\n"+expression+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return exec.Command("bash", "-euo", "pipefail", "-c", `say() { :; }; history() { :; }; varnishadm() { "$ADMIN" -n "$DIR" "$@"; }
			ADMIN=$1 DIR=$2 ETC=$3; . ../templates/varnish/varnish.sh; run_varnish-purge`, "sh", program(t, "varnishadm"), f.dir+"/varnish", etc).Run()
	}
	page := "/news/a.page?a=%22b%22&h=Cache-Control:+max-age=60"
	for expression, want := range map[string]struct{ refused, bans, warned bool }{
		"/news/":                     {false, true, false},
		`/news/a\.page\?`:            {false, true, false},
		`/news/a\.\.page`:            {false, false, false},
		`/news/\Qa.page\E`:           {false, true, false},
		`news/a[ "]|"|/news/ ?a`:     {false, true, false},
		"^/news/":                    {false, false, true},
		"^/V.*/news/":                {false, true, false},
		"^/VirtualHostBase/.*/news/": {false, true, false},
		"^.*/news/":                  {false, true, false},
		"/(?!x)news/(?=a)":           {false, true, false},
		"/x*+news/":                  {false, true, false},
		`/news\(`:                    {false, false, false},
		"/news[":                     {true, false, true},
		"/news(":                     {true, false, true},
		"/news)":                     {true, false, true},
		"(?=/news":                   {true, false, true},
		"*/news":                     {true, false, true},
		`/news\`:                     {true, false, true},
	} {
		f.ask("GET", "www.example.com", page)
		if a := f.ask("GET", "www.example.com", page); a.Header.Get("X-Cache") != "HIT" {
			t.Fatal(a)
		}
		if err := ban(expression); (err != nil) != want.refused {
			t.Errorf("%s: %v", expression, err)
		}
		if banned := f.ask("GET", "www.example.com", page).Header.Get("X-Cache") == "MISS"; banned != want.bans {
			t.Errorf("%s: banned is %v", expression, banned)
		}
		if what, _ := schema.BadExpression(expression); (what != "") != want.warned {
			t.Errorf("%s: warned of as %q", expression, what)
		}
	}
}
