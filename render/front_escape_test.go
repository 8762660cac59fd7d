package render

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/plonec/plonec/render/escape"
)

// words are texts for the daemons' own readers.
var words = []string{
	"plain", "two words", "a#b", "a;b", "a{b}c", `a"b`, "a'b", `a\b`, `a\`, `"`, `'`, `'"'`, `\"`, `\'`, `\n`, "%[env(HOME)]", "a; } server {", `"}`, `{"x"}`,
	"é€", "-x", "C{ x }C", "# x", "a%2fb", "a+b", "|", "&&", "!x", "${HOME}", "$host", "(x)", "[x]", "*", "?", "~x", "a,b", "a=b", "<x>", "`x`",
}

// TestEscapersRead lets each daemon read every word and say it again. Words
// that an escaper refuses are left out, which no more than three may be.
func TestEscapersRead(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		escape func(string) (string, error)
		start  func(f *front, quoted map[int]string) (port int)
	}{
		{"haproxy", escape.Haproxy, func(f *front, quoted map[int]string) int {
			cfg := fmt.Sprintf("defaults\n    mode http\n    timeout client 5s\n    timeout connect 5s\n    timeout server 5s\nfrontend f\n    bind 127.0.0.1:%d\n", f.ports.balancer)
			for i, q := range quoted {
				cfg += fmt.Sprintf("    http-request return status 200 content-type text/plain string %s if { path /%d }\n", q, i)
			}
			f.files[haproxyCfg] = cfg
			f.haproxy()
			return f.ports.balancer
		}},
		{"nginx", escape.Nginx, func(f *front, quoted map[int]string) int {
			conf := fmt.Sprintf("pid %s/pid;\nevents {}\nhttp {\n    server {\n        listen 127.0.0.1:%d;\n        access_log off;\n", f.dir, f.ports.http)
			for i, q := range quoted {
				conf += fmt.Sprintf("        location = /%d { return 200 %s; }\n", i, q)
			}
			f.files[nginxConf] = conf + "    }\n}\n"
			f.nginx()
			return f.ports.http
		}},
		{"varnish", escape.VCL, func(f *front, quoted map[int]string) int {
			vcl := "vcl 4.1;\nbackend none none;\nsub vcl_recv {\n"
			for i, q := range quoted {
				vcl += fmt.Sprintf("    if (req.url == \"/%d\") { set req.http.Word = %s; }\n", i, q)
			}
			f.files[vclFile] = vcl + "    return (synth(200));\n}\nsub vcl_synth {\n    synthetic(req.http.Word);\n    return (deliver);\n}\n"
			f.varnish()
			return f.ports.cache
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			quoted, refused := map[int]string{}, 0
			for i, w := range words {
				if q, err := test.escape(w); err == nil {
					quoted[i] = q
				} else {
					refused++
				}
			}
			if refused > 3 {
				t.Errorf("%d words are refused", refused)
			}
			port := test.start(newFront(t, frontHost()), quoted)
			for i := range quoted {
				if a := ask(t, port, http.MethodGet, "x", fmt.Sprint("/", i)); a.Status != 200 || a.Body != words[i] {
					t.Errorf("%q as %s: %v", words[i], quoted[i], a)
				}
			}
		})
	}
	t.Run("address", func(t *testing.T) {
		t.Parallel()
		c := newClient(t, "c", 8)
		f := newFront(t, frontHost())
		f.swap(nginxConf, fmt.Sprint("127.0.0.1:", f.ports.cache), c.at())
		locations := ""
		for i, w := range words {
			locations += fmt.Sprintf("location = /word/%d { proxy_pass http://cache/%d/%s; }\n", i, i, escape.URLPath(w))
		}
		f.swap(nginxConf, "        location / {\n            proxy_pass", locations+"        location / {\n            proxy_pass")
		f.nginx()
		for i, w := range words {
			f.ask("GET", "www.example.com", fmt.Sprint("/word/", i))
			rs := c.requests(fmt.Sprintf("/%d/", i))
			if len(rs) != 1 {
				t.Errorf("%q: %d requests", w, len(rs))
				continue
			}
			if got, err := url.PathUnescape(strings.TrimPrefix(rs[0].RequestURI, fmt.Sprintf("/%d/", i))); err != nil || got != w {
				t.Errorf("%q arrives as %s", w, rs[0].RequestURI)
			}
		}
	})
}
