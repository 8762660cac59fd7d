package native

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
)

// What a checker refuses is told by the line, and by the attribute that it was pasted
// from, wherever the program notices it.
func TestRefusedTextsAreNamed(t *testing.T) {
	const conf = "/etc/nginx/nginx.conf"
	const text = `events {}

http {
    # from nginx_plone.additional_servers
%s
    # end of nginx_plone.additional_servers
    server {
        listen 80;
        # from nginx_plone.additional_config
%s
        # end of nginx_plone.additional_config
        location / {
            %s
        }
    }
    server {
        listen 80;
        server_name www.example.com;
        # from nginx_plone.additional_config
%[2]s
        # end of nginx_plone.additional_config
    }
}
`
	for name, test := range map[string]struct {
		servers, config, own, attribute string
		place                           Place
	}{
		"an unknown word":      {"map $uri $x {}", "# one\n  gzip_typ a/b;\n", "return 444;", "nginx_plone.additional_config", Place{conf, 11, "gzip_typ a/b;", "nginx_plone.additional_config"}},
		"a missing semicolon":  {"map $uri $x {}", "# one\ngzip_types a/b\n", "return 444;", "nginx_plone.additional_config", Place{conf, 23, "gzip_types a/b", "nginx_plone.additional_config"}},
		"a brace left open":    {"map $uri $x {", "gzip on;", "return 444;", "nginx_plone.additional_servers", Place{conf, 5, "map $uri $x {", "nginx_plone.additional_servers"}},
		"not what was pasted":  {"map $uri $x {}", "gzip on;", "retrun 444;", "", Place{conf, 13, "retrun 444;", ""}},
		"two wrong, the first": {"nonsense;", "nonsense;", "return 444;", "nginx_plone.additional_servers", Place{conf, 5, "nonsense;", "nginx_plone.additional_servers"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, who := range askers(t) {
				r := who.ask(question{"nginx", map[string][]byte{conf: fmt.Appendf(nil, text, test.servers, test.config, test.own)}})
				if r.Outcome != Refused || r.Attribute != test.attribute || !reflect.DeepEqual(r.Places, []Place{test.place}) {
					t.Errorf("asked %s: %+v, want %s at %+v", who.name, r, test.attribute, test.place)
				}
			}
		})
	}
}

// So it is in VCL and haproxy.cfg.
func TestRefusedOwnTextsAreNamed(t *testing.T) {
	const vcl, cfg = "/etc/varnish/default.vcl", "/etc/haproxy/haproxy.cfg"
	const inVCL = `vcl 4.1;
backend default none;
# from varnish_plone.vcl.top
%s
# end of varnish_plone.vcl.top
sub vcl_recv {
    # from varnish_plone.vcl.vcl_recv
%s
    # end of varnish_plone.vcl.vcl_recv
    return (hash);
}
`
	const inCfg = `defaults
    mode http
    timeout client 1s
    timeout server 1s
    timeout connect 1s
frontend f
    bind 127.0.0.1:8080
# from haproxy.additional_config
%s
# end of haproxy.additional_config
`
	acl := "acl friends { \"127.0.0.1\"; }"
	for name, test := range map[string]struct {
		program, path, text, attribute string
		place                          Place
	}{
		"an unknown word":       {"varnishd", vcl, fmt.Sprintf(inVCL, "# a", "# b\nnonsense;"), "varnish_plone.vcl.vcl_recv", Place{vcl, 9, "nonsense;", "varnish_plone.vcl.vcl_recv"}},
		"what nothing uses":     {"varnishd", vcl, fmt.Sprintf(inVCL, acl, "# b"), "varnish_plone.vcl.top", Place{vcl, 4, acl, "varnish_plone.vcl.top"}},
		"a brace left open":     {"varnishd", vcl, fmt.Sprintf(inVCL, "import std;", "if (req.url ~ \"x\") {"), "varnish_plone.vcl.vcl_recv", Place{vcl, 8, "if (req.url ~ \"x\") {", "varnish_plone.vcl.vcl_recv"}},
		"one that uses another": {"varnishd", vcl, fmt.Sprintf(inVCL, acl, "if (client.ip ~ friends) {"), "varnish_plone.vcl.vcl_recv", Place{vcl, 8, "if (client.ip ~ friends) {", "varnish_plone.vcl.vcl_recv"}},
		"a word of HAProxy's":   {"haproxy", cfg, fmt.Sprintf(inCfg, "listen a\n    nonsense\n"), "haproxy.additional_config", Place{cfg, 10, "nonsense", "haproxy.additional_config"}},
		"no such backend":       {"haproxy", cfg, fmt.Sprintf(inCfg, "frontend a\n    bind 127.0.0.1:8081\n    default_backend b"), "haproxy.additional_config", Place{cfg, 11, "default_backend b", "haproxy.additional_config"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, who := range askers(t) {
				r := who.ask(question{test.program, map[string][]byte{test.path: []byte(test.text)}})
				if r.Outcome != Refused || r.Attribute != test.attribute || !slices.Contains(r.Places, test.place) {
					t.Errorf("asked %s: %+v, want %s at %+v", who.name, r, test.attribute, test.place)
				}
			}
		})
	}
}

// The lines of the other programs are told too, in the files of the host.
func TestRefusedLinesAreShown(t *testing.T) {
	for program, file := range map[string]struct {
		path, text string
		line       int
		want       string
	}{
		"haproxy":         {"/etc/haproxy/haproxy.cfg", "defaults\n    mode http\n    nonsense\n", 3, "nonsense"},
		"varnishd":        {"/etc/varnish/default.vcl", "vcl 4.1;\nbackend default none;\nsub vcl_recv { nonsense; }\n", 3, "sub vcl_recv { nonsense; }"},
		"systemd-analyze": {"/etc/systemd/system/a.service", "[Service]\nExecStart=/usr/bin/a\nMemroyMax=1G\n", 3, "MemroyMax=1G"},
		"bash":            {"/etc/plonec/host.env", "A=b\n)\n", 2, ")"},
	} {
		r := one(t)(answer([]question{{program, map[string][]byte{file.path: []byte(file.text)}}}, Here))
		if want := (Place{file.path, file.line, file.want, ""}); r.Outcome != Refused || len(r.Places) == 0 || r.Places[0] != want {
			t.Errorf("%s: %+v, want %+v", program, r, want)
		}
	}
}
