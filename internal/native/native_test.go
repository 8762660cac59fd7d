package native

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Every checker refuses what its program would not take, and says why.
func TestCheckersRefuse(t *testing.T) {
	const good, bad = 0, 1
	all := askers(t)
	for program, texts := range map[string][2]map[string]string{
		"nginx": {
			{"/etc/nginx/secrets/a-1.conf": "# a secret\n", "/etc/nginx/nginx.conf": "pid /run/nginx.pid;\nevents {}\nhttp {\n    access_log /var/log/nginx/access.log;\n    include /etc/nginx/secrets/a-1.conf;\n    server {\n        listen 80;\n        listen [::]:443 ssl;\n        listen 127.0.0.1:8079;\n        listen 192.0.2.9:8079;\n        ssl_certificate /etc/nginx/ssl/a.crt;\n        ssl_certificate_key /etc/nginx/ssl/a.key;\n    }\n}\n"},
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
		at := slices.IndexFunc(checkers, func(c checker) bool { return c.program == program })
		for want, files := range texts {
			q := question{program, map[string][]byte{}}
			for path, text := range files {
				q.Files[path] = []byte(text)
				if !checkers[at].judges(path) {
					t.Errorf("%s does not judge %s", program, path)
				}
			}
			for _, who := range all {
				r := who.ask(q)
				switch {
				case want == good && r.Outcome != Good:
					t.Errorf("%s, asked %s: %+v", program, who.name, r)
				case want == bad && (r.Outcome != Refused || strings.TrimSpace(r.Output) == ""):
					t.Errorf("%s, asked %s, took it: %+v", program, who.name, r)
				}
			}
		}
	}
}

// HAProxy gets the variables of its unit: with another name in the drop-in the
// file refers to one that nobody sets.
func TestEnvironmentOfTheUnit(t *testing.T) {
	const name, dropIn = "/etc/haproxy/haproxy.cfg", "/etc/systemd/system/haproxy.service.d/plonec.conf"
	const text = `global
.if defined(PLONEC_SERVER_STATE)
.else
.alert "the variable is not set"
.endif
.if defined(PLONEC_TEST_SECRET)
.alert "the job's own variables are seen"
.endif
defaults
    mode http
    timeout client 1s
    timeout server 1s
    timeout connect 1s
frontend f
    bind 127.0.0.1:8080
`
	t.Setenv("PLONEC_TEST_SECRET", "1")
	for _, who := range askers(t) {
		for variable, want := range map[string]string{"PLONEC_SERVER_STATE": Good, "PLONEC_OTHER": Refused} {
			r := who.ask(question{"haproxy", map[string][]byte{
				name: []byte(text), dropIn: []byte("[Service]\nEnvironment=" + variable + "=/run/plonec-haproxy/servers\n"),
			}})
			if r.Outcome != want || want == Refused && !strings.Contains(r.Output, "the variable is not set") {
				t.Errorf("asked %s with %s: %+v", who.name, variable, r)
			}
		}
	}
}

// nginx takes names that only the hosts can resolve, and refuses what else is wrong
// beside them.
func TestNamesOfOthers(t *testing.T) {
	const text = `events {}
http {
    upstream others {
        server one.example.invalid:8080;
        server two.example.invalid;
    }
    server {
        listen 80;
        server_name feed.example.invalid;
        location /feed {
            proxy_pass https://feed.example.invalid;
        }
        location /more {
            proxy_pass http://feed.example.invalid:81/x;
        }
        location / {
            proxy_pass http://others;
        }
    }
%s}
`
	for _, who := range askers(t) {
		if who.name == "here" {
			continue // it asks whoever answers for names here
		}
		for wrong, want := range map[string]string{"": Good, "    listn 80;\n": Refused} {
			r := who.ask(question{"nginx", map[string][]byte{"/etc/nginx/nginx.conf": fmt.Appendf(nil, text, wrong)}})
			if r.Outcome != want {
				t.Errorf("asked %s with %q: %+v", who.name, wrong, r)
			}
		}
	}
}

// A program that is not here is said to be missing, not to be content.
func TestMissingProgram(t *testing.T) {
	for _, how := range []How{Apart, Here} {
		r, err := answer([]question{{"no-such-program", nil}}, how)
		if err != nil || len(r) != 1 || r[0].Outcome != Missing {
			t.Errorf("%s: %+v %v", how, r, err)
		}
	}
}

// Of files that are judged each by itself, one that is refused is the host's result, and
// that of no other host.
func TestOneOfManyIsRefused(t *testing.T) {
	const one, two = "/etc/plonec/host.env", "/etc/plonec/site/app.env"
	good, bad := []byte("A=b\n"), []byte("A=b\n)\n")
	results, err := Judge(map[string]map[string][]byte{
		"a": {one: good, two: good}, "b": {one: bad, two: good}, "c": {one: good, two: bad}, "d": {},
	}, map[string][]byte{"/usr/local/lib/plonec/x.sh": bad}, Here)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range results {
		got = append(got, r.Host+" "+r.Program+" "+r.Outcome)
		if r.Outcome == Refused && (len(r.Places) != 1 || r.Places[0].Line != 2) {
			t.Errorf("%+v", r)
		}
	}
	if want := "[a bash good b bash refused c bash refused every host bash refused]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}

// A calendar that no day fits is refused among good ones, by its file.
func TestCalendarThatNeverComes(t *testing.T) {
	timer := func(calendar string) []byte {
		return []byte("[Timer]\nOnCalendar=" + calendar + "\nUnit=a.service\n")
	}
	files := map[string][]byte{
		unitDir + "a.service": []byte("[Service]\nExecStart=/usr/bin/a\n"),
		unitDir + "a.timer":   timer("Sat 02:00 UTC"),
		unitDir + "b.timer":   timer("daily"),
	}
	for _, who := range askers(t) {
		if r := who.ask(question{"systemd-analyze", files}); r.Outcome != Good {
			t.Errorf("asked %s: %+v", who.name, r)
		}
		never := maps.Clone(files)
		never[unitDir+"b.timer"] = timer("*-02-31")
		if r := who.ask(question{"systemd-analyze", never}); r.Outcome != Refused || !strings.HasPrefix(r.Output, unitDir+"b.timer:\n") || !strings.Contains(r.Output, "never") {
			t.Errorf("asked %s: %+v", who.name, r)
		}
	}
}
