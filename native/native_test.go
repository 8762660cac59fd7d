package native

import (
	"strings"
	"testing"
)

// Every checker refuses what its program would not take, and says why.
func TestCheckersRefuse(t *testing.T) {
	const good, bad = 0, 1
	for program, texts := range map[string][2]map[string]string{
		"nginx": {
			{"/etc/nginx/secrets/a-1.conf": "# a secret\n", "/etc/nginx/nginx.conf": "events {}\nhttp {\n    include /etc/nginx/secrets/a-1.conf;\n    server {\n        listen 80;\n        listen [::]:443 ssl;\n        ssl_certificate /etc/nginx/ssl/a.crt;\n        ssl_certificate_key /etc/nginx/ssl/a.key;\n    }\n}\n"},
			{"/etc/nginx/nginx.conf": "events {}\nhttp {\n    server {\n        listn 80;\n    }\n}\n"},
		},
		"varnishd": {
			{"/etc/varnish/default.vcl": "vcl 4.1;\nbackend default none;\n"},
			{"/etc/varnish/default.vcl": "vcl 4.1;\nbackend default nonesuch;\n"},
		},
		"haproxy": {
			{"/etc/haproxy/haproxy.cfg": "defaults\n    mode http\n    timeout client 1s\n    timeout server 1s\n    timeout connect 1s\nfrontend f\n    bind 127.0.0.1:8080\n"},
			{"/etc/haproxy/haproxy.cfg": "defaults\n    mode http\nfrontend f\n    bind 127.0.0.1:8080\n    default_backend nowhere\n"},
		},
		"systemd-analyze": {
			{"/etc/systemd/system/a.service": "[Service]\nExecStart=/usr/bin/a\n"},
			{"/etc/systemd/system/a.service": "[Service]\nExecStart=/usr/bin/a\nMemroyMax=1G\n"},
		},
		"bash": {
			{"/etc/plonec/host.env": "A='b'\n"},
			{"/etc/plonec/host.env": "A='b\n"},
		},
	} {
		for _, c := range checkers {
			if c.program != program {
				continue
			}
			for want, files := range texts {
				content := map[string][]byte{}
				for path, text := range files {
					content[path] = []byte(text)
					if !c.judges(path) {
						t.Errorf("%s does not judge %s", program, path)
					}
				}
				r, err := c.check(content)
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case want == good && r.Outcome != Good:
					t.Errorf("%s: %+v", program, r)
				case want == bad && (r.Outcome != Refused || strings.TrimSpace(r.Output) == ""):
					t.Errorf("%s took it: %+v", program, r)
				}
			}
		}
	}
}

// A program that is not here is said to be missing, not to be content.
func TestMissingProgram(t *testing.T) {
	r, err := checker{program: "no-such-program"}.check(nil)
	if err != nil || r.Outcome != Missing {
		t.Errorf("%+v %v", r, err)
	}
}
