package render

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// cookiesOf gives what reached clients of the Cookie headers of requests to a target.
func cookiesOf(clients []*client, target string) (all []string) {
	for _, c := range clients {
		for _, r := range c.requests(target) {
			all = append(all, strings.Join(r.Header.Values("Cookie"), " and "))
		}
	}
	return all
}

// varies has pages differ by two cookies.
func varies(h *topology.Host) {
	h.Stack.VarnishPlone.CookiesVary = map[string][]string{"region": {"north", "south", "a.b"}, "theme": {"dark", "d%20e"}, "none": nil}
}

// TestChainCookies: of visitors who are not logged in no cookie reaches Zope on GET and HEAD
// but those of varnish_plone.cookies, and those of cookies_vary with the values that are listed.
func TestChainCookies(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("some=thing; ", 1200)
	for name, test := range map[string]struct {
		change func(*topology.Host)
		want   map[string]string // by the Cookie header
	}{
		"without variants": {func(*topology.Host) {}, map[string]string{
			"": "", "_ga=1": "", "region=north": "", "cart=1": "cart=1", "a=b; cart=1": "cart=1", "a=b;cart=1;c": "cart=1", "cart=1;  a=b": "cart=1",
			"a=b;  cart=1; c=d; connect.sid=2; acart=3": "cart=1; connect.sid=2", `a="b",cart=1`: "cart=1", `cart="1",a=b; c=d`: `cart="1"`, `cart="1,2"; a=b`: `cart="1,2"`,
			"connectXsid=1": "", "_shibsession_ab=1; _shibsession_=2; _shibsessio=3": "_shibsession_ab=1; _shibsession_=2",
			long + "cart=1": "cart=1",
			// Who is logged in has all of them.
			"__ac=x; _ga=1; region=west": "__ac=x; _ga=1; region=west",
		}},
		"with variants": {varies, map[string]string{
			"": "", "_ga=1": "", "region=north": "region=north", "_ga=1; region=north; b=c": "region=north", `region="north"`: "region=north", "a=b;region=south ": "region=south",
			"region=west": "", "region=northern": "", "region=": "", "Region=north": "", "region=aXb": "", "region=a.b": "region=a.b", "xregion=north": "", "a=region=north": "",
			"region=west; region=north": "", "region=south; region=north": "region=south",
			"theme=dark; x=y; region=north": "region=north; theme=dark", "theme=d%20e": "theme=d%20e", "theme=d%20f": "", "none=": "", "none=a": "",
			`a="b",region=north`:         "",
			"cart=1; region=north; b=c":  "cart=1; region=north",
			"region=west; b=c; cart=1":   "cart=1",
			long + "region=north":        "region=north",
			"region=north; " + long:      "region=north",
			"__ac=x; region=west; _ga=1": "__ac=x; region=west; _ga=1",
		}},
		"without any that pass": {func(h *topology.Host) { varies(h); h.Stack.VarnishPlone.Cookies = nil }, map[string]string{
			"cart=1; a=b": "", "cart=1; region=north": "region=north", "__ac=x; _ga=1": "__ac=x; _ga=1",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, clients := chained(t, test.change)
			n := 0
			for cookie, want := range test.want {
				for _, method := range []string{"GET", "HEAD"} {
					n++
					target := fmt.Sprint("/c/", n)
					if a := f.ask(method, "www.example.com", target, "Cookie: "+cookie, "X-Variant: ; forged=1"); a.Status != 200 {
						t.Errorf("%.80q: %v", cookie, a)
					}
					if got := cookiesOf(clients, site+target); len(got) != 1 || got[0] != want {
						t.Errorf("of %.80q %q reached the client by %s, want %q", cookie, got, method, want)
					}
				}
			}
			f.ask("POST", "www.example.com", "/posted", "Cookie: a=b", "Content-Length: 0")
			if got := cookiesOf(clients, site+"/posted"); len(got) != 1 || got[0] != "a=b" {
				t.Errorf("of a form %q reached the client", got)
			}
		})
	}
}

// TestChainVariants: Varnish keeps a page for each listed value of a cookie of cookies_vary,
// and one for all others; a purge empties them all.
func TestChainVariants(t *testing.T) {
	t.Parallel()
	f, clients := chained(t, varies)
	cookies := []string{"", "region=north", "region=south; theme=dark", "theme=dark"}
	check := func(target, want string) {
		t.Helper()
		for _, cookie := range cookies {
			a := f.ask("GET", "www.example.com", target, "Cookie: _ga=1; "+cookie)
			if a.Header.Get("X-Cache") != want || strings.Join(a.Header.Values("Vary"), ", ") != "Accept-Encoding, Accept, Cookie" {
				t.Errorf("with %q: %v, want a %s", cookie, a, want)
			}
		}
	}
	check("/page", "MISS")
	check("/page", "HIT")
	if n := sent(clients, "/page"); n != len(cookies) {
		t.Errorf("the clients were asked %d times", n)
	}
	for i := range 50 {
		if a := f.ask("GET", "www.example.com", "/page", fmt.Sprintf("Cookie: region=r%d; other=%d", i, i)); a.Header.Get("X-Cache") != "HIT" {
			t.Fatal("a visitor's value makes a variant:", a)
		}
	}
	if a := ask(t, f.ports.purge, "PURGE", "whatever", site+"/page"); a.Status != 200 {
		t.Error(a)
	}
	check("/page", "MISS")
	// What says itself that it differs by cookies does not say it twice.
	a := f.ask("GET", "www.example.com", "/own?h=Vary:+accept-language,cookie")
	if got := a.Header.Values("Vary"); !slices.Contains(got, "accept-language,cookie, Accept") {
		t.Errorf("Vary: %q", got)
	}
}

// TestChainOwn: text of the stack's own does in Varnish and HAProxy what it says.
func TestChainOwn(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	f, clients := chained(t, func(h *topology.Host) {
		h.Stack.VarnishPlone.VCL = schema.VCL{
			Top:             "acl friends {\n    \"127.0.0.1\";\n}\n\nsub vcl_synth {\n    if (resp.status == 299) {\n        set resp.http.X-Place = \"top\";\n        return (deliver);\n    }\n}",
			Recv:            "if (req.url ~ \"/own/refused$\" && client.ip ~ friends) {\n    return (synth(299));\n}\nset req.url = regsub(req.url, \"[?&]utm_[a-z]+=[^&]*\", \"\");",
			Hash:            "hash_data(req.http.X-Kind);",
			BackendFetch:    "set bereq.http.X-Asked = \"by Varnish\";",
			BackendResponse: "if (bereq.url ~ \"/own/image\") {\n    unset beresp.http.Set-Cookie;\n    set beresp.ttl = 1h;\n}",
			Deliver:         "set resp.http.X-Place = \"deliver\";\nunset resp.http.X-Varnish-Action;",
		}
		h.Stack.Haproxy.AdditionalConfig = fmt.Sprintf("global\n    tune.maxaccept 50\n\nbackend other\n    server app1-other 127.0.0.1:1\n\nlisten own\n    bind 127.0.0.1:%d\n    http-request return status 200 content-type text/plain string own\n    default_backend other\n\n", port)
	})
	f.haproxyAccepts()
	get := func(target string, headers ...string) answer {
		return f.ask("GET", "www.example.com", target, headers...)
	}
	if a := get("/own/refused"); a.Status != 299 || a.Header.Get("X-Place") != "top" {
		t.Error("vcl_recv and top:", a)
	}
	get("/own/page?utm_source=a")
	if a := get("/own/page?utm_source=b"); a.Header.Get("X-Cache") != "HIT" || a.Header.Get("X-Place") != "deliver" || a.Header.Get("X-Varnish-Action") != "" {
		t.Error("vcl_recv and vcl_deliver:", a)
	}
	if a := get("/own/page", "X-Kind: another"); a.Header.Get("X-Cache") != "MISS" {
		t.Error("vcl_hash:", a)
	}
	image := "/own/image?h=Set-Cookie:+a=b&h=Expires:+Mon,+01+Jan+2001+00:00:00+GMT"
	get(image)
	if a := get(image); a.Header.Get("X-Cache") != "HIT" || a.Header.Get("Set-Cookie") != "" {
		t.Error("vcl_backend_response:", a)
	}
	for _, c := range clients {
		for _, r := range c.requests("/own/") {
			if r.Header.Get("X-Asked") != "by Varnish" {
				t.Error("vcl_backend_fetch:", r.Header)
			}
		}
	}
	if a := ask(t, port, "GET", "x", "/"); a.Status != 200 || a.Body != "own" {
		t.Error("HAProxy's own section:", a)
	}
	if stat := f.server("app1-other"); stat != "no check" {
		t.Error("a server of one's own is checked as a client is:", stat)
	}
	if out, err := exec.Command(program(t, "varnishd"), "-C", "-f", f.write(vclFile), "-n", f.dir+"/judge").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestRefusedOwnText: a host that refuses text of the stack's own names the attribute.
func TestRefusedOwnText(t *testing.T) {
	t.Parallel()
	scripts := hostScripts(t)
	for daemon, test := range map[string]struct {
		program string
		change  func(*schema.Stack)
		want    []string
	}{
		"varnish": {"varnishd", func(s *schema.Stack) { s.VarnishPlone.VCL.Deliver = "# one\nnonsense;" }, []string{"VCC-compiler", "it is from varnish_plone.vcl.vcl_deliver: nonsense;\n"}},
		"haproxy": {"haproxy", func(s *schema.Stack) { s.Haproxy.AdditionalConfig = "listen own\n    nonsense" }, []string{"unknown keyword 'nonsense'", "it is from haproxy.additional_config: nonsense\n"}},
	} {
		f := newFront(t, frontHost(func(h *topology.Host) { test.change(h.Stack) }))
		f.write(vclFile)
		// The daemon with the files of this test.
		bin := t.TempDir()
		wrapper := "#!/bin/bash\nfor word; do [[ $word != /etc/* ]] || word='" + f.dir + "'$word; words+=(\"$word\"); done\nexec " + program(t, test.program) + ` "${words[@]}"` + "\n"
		if err := os.WriteFile(filepath.Join(bin, test.program), []byte(wrapper), 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("bash", "-O", "nullglob", "-c", `LIB=$1; . "$LIB/lib.sh"; . "$LIB/daemons.sh"; PATH=$2:$PATH
			config_files() { echo "$CFG"; }
			if CFG=$4 check "$3"; then exit 9; fi`, "bash", scripts, bin, daemon, f.write(haproxyCfg))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", daemon, err, out)
		}
		for _, want := range test.want {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s: %q is not in\n%s", daemon, want, out)
			}
		}
	}
}

// TestChainBan: whoever may purge bans pages by the ids that a header of theirs names.
func TestChainBan(t *testing.T) {
	t.Parallel()
	f, _ := chained(t, func(h *topology.Host) {
		h.Stack.VarnishPlone.BanHeader = "X-Ids-Involved"
		h.Front.PurgeFrom = []string{"127.0.0.3"}
		h.Front.Sites = append(h.Front.Sites, &topology.Site{App: "plone", Names: []string{"news.example.com"}, Path: "Plone/news"})
	})
	other := strings.Replace(site, "www.example.com:80/Plone", "news.example.com:80/Plone/news", 1)
	header := func(ids string) string { return "?" + url.Values{"h": {"X-Ids-Involved: " + ids}}.Encode() }
	pages := map[string][2]string{ // name and address, by what they are made of
		"aaa":     {"www.example.com", "/a" + header("#aaa#")},
		"aaa bbb": {"www.example.com", "/ab" + header("#aaa#bbb#")},
		"blanks":  {"www.example.com", "/blanks" + header("bbb ccc")},
		"commas":  {"www.example.com", "/commas" + header("ddd, e.e+f")},
		"longer":  {"www.example.com", "/longer" + header("#aaaa#xaaa#eXe+f#")},
		"other":   {"news.example.com", "/a" + header("#aaa#")},
		"none":    {"www.example.com", "/none"},
	}
	ask := func(name string) string {
		a := f.ask("GET", pages[name][0], pages[name][1])
		if a.Status != 200 || a.Header.Get("X-Ids-Involved") != "" || a.Header.Get("X-Stored-Root") != "" {
			t.Errorf("what is for Varnish alone reached a visitor: %v", a)
		}
		return a.Header.Get("X-Cache")
	}
	ban := func(method, from, target string, headers ...string) int {
		a, err := tryAsk(fmt.Sprint("127.0.0.1:", f.ports.purge), from, method, "whatever", target, headers...)
		if err != nil {
			t.Error(err)
		}
		return a.Status
	}
	for _, test := range []struct {
		method, from, target, ids string
		status                    int
		gone                      string
	}{
		{"BAN", "", "/", "#bbb#", 200, "aaa bbb, blanks"},
		{"BAN", "127.0.0.3", "/", "aaa", 200, "aaa, aaa bbb, other"},
		{"BAN", "", site + "/", "aaa", 200, "aaa, aaa bbb"},
		{"BAN", "", other + "/", "aaa", 200, "other"},
		{"BAN", "", "/", "ccc ddd", 200, "blanks, commas"},
		{"BAN", "", "/", "e.e+f", 200, "commas"},
		{"PURGE", "", "/@@purgebyid/bbb", "", 200, "aaa bbb, blanks"},
		{"PURGE", "", "/@@purgebyid/a.*", "", 400, ""},
		{"PURGE", "127.0.0.4", "/@@purgebyid/aaa", "", 403, ""},
		{"BAN", "127.0.0.4", "/", "aaa", 403, ""},
		{"BAN", "", "/x", "aaa", 404, ""},
		{"BAN", "", strings.Replace(site, "www", "wiki", 1) + "/", "aaa", 404, ""},
		{"BAN", "", site + "/ab", "aaa", 404, ""},
		{"BAN", "", "/", "", 400, ""},
		{"BAN", "", "/", "#", 400, ""},
		{"BAN", "", "/", "a.*", 400, ""},
		{"BAN", "", "/", "aaa|bbb", 400, ""},
		{"BAN", "", "/", "aaa && obj.status == 200", 400, ""},
		{"BAN", "", "/", `aaa" || "`, 400, ""},
		{"BAN", "", "/", "aaa)", 400, ""},
		{"BAN", "", "/", strings.Repeat("aaa ", 1200), 400, ""},
		{"BAN", "", "/", "nobody", 200, ""},
	} {
		for name := range pages {
			ask(name)
			if got := ask(name); got != "HIT" {
				t.Fatalf("%s is not kept", name)
			}
		}
		if status := ban(test.method, test.from, test.target, "X-Ids-Involved: "+test.ids); status != test.status {
			t.Errorf("%s %s of %.80q: %d, want %d", test.method, test.target, test.ids, status, test.status)
		}
		var gone []string
		for name := range pages {
			if ask(name) == "MISS" {
				gone = append(gone, name)
			}
		}
		slices.Sort(gone)
		if got := strings.Join(gone, ", "); got != test.gone {
			t.Errorf("%s %s of %.80q banned %q, want %q", test.method, test.target, test.ids, got, test.gone)
		}
	}
	for _, at := range []int{f.ports.http, f.ports.cache} {
		if a, err := tryAsk(fmt.Sprint("127.0.0.1:", at), "", "BAN", "www.example.com", "/", "X-Ids-Involved: aaa"); err != nil || a.Status != 405 {
			t.Error("where visitors come in:", a, err)
		}
	}
	// What Varnish sweeps out of itself need not be asked for again.
	out, err := exec.Command(program(t, "varnishadm"), "-n", f.dir+"/varnish", "ban.list").CombinedOutput()
	if err != nil || strings.Contains(string(out), "req.") {
		t.Errorf("bans that the lurker leaves: %v\n%s", err, out)
	}
}

// TestNoBan: without varnish_plone.ban_header nobody bans, and nothing is added for it.
func TestNoBan(t *testing.T) {
	t.Parallel()
	f, _ := chained(t)
	if a := ask(t, f.ports.purge, "BAN", "whatever", "/", "X-Ids-Involved: aaa"); a.Status != 405 {
		t.Error(a)
	}
	if a := f.ask("GET", "www.example.com", "/a?h=X-Ids-Involved:+%23a%23"); a.Header.Get("X-Ids-Involved") != "#a#" {
		t.Error(a)
	}
}
