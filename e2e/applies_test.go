//go:build e2e

package e2e

import (
	"strings"

	"github.com/plonec/plonec/e2e/meter"
)

// applies are changes of configuration.
var applies = []scenario{
	{"a reload of nginx and HAProxy", func(s *trial) {
		s.change(func(st map[string]any) {
			at(st, "nginx_plone")["additional_config"] = "add_header X-Frame-Options SAMEORIGIN always;"
			at(st, "haproxy")["queue_timeout"] = "50s"
		})
		s.must(0, "apply")
		if out := s.exec("lb1", "curl -sI -H 'Host: www.example.com' http://"+addresses["lb1"]+"/"); !strings.Contains(out, "SAMEORIGIN") {
			s.t.Errorf("nginx serves the old configuration:\n%s", out)
		}
		s.excuse(s.began, "a kept connection that nginx closed at its reload while a request was under way to it", func(f meter.Failure) bool {
			return f.Kept && (f.Outcome == "closed" || f.Outcome == "reset")
		})
	}},
	{"a configuration that a checker refuses", func(s *trial) {
		was := s.exec("lb1", "sha256sum /etc/nginx/nginx.conf")
		s.change(func(st map[string]any) { at(st, "nginx_plone")["additional_config"] = "there_is_no_such_directive on;" })
		out := s.must(1, "apply")
		if !strings.Contains(out, "there_is_no_such_directive") || !strings.Contains(out, "no host was touched") {
			s.t.Errorf("what nginx said is not shown:\n%s", out)
		}
		if s.exec("lb1", "sha256sum /etc/nginx/nginx.conf") != was {
			s.t.Error("the file is in its place")
		}
		s.change(func(st map[string]any) { delete(at(st, "nginx_plone"), "additional_config") })
		s.must(0, "apply")
	}},
	{"a hand-edited file", func(s *trial) {
		s.exec("lb1", "echo '# by hand' >>/etc/nginx/nginx.conf")
		s.change(func(st map[string]any) { at(st, "nginx_plone")["additional_config"] = "add_header X-Test one always;" })
		out := s.must(1, "apply")
		if !strings.Contains(out, "changed by hand") {
			s.t.Errorf("drift is not named:\n%s", out)
		}
		if s.exec("lb1", "tail -n 1 /etc/nginx/nginx.conf") != "# by hand" {
			s.t.Error("it was overwritten")
		}
		s.must(0, "apply", "--force")
		s.change(func(st map[string]any) { delete(at(st, "nginx_plone"), "additional_config") })
		s.must(0, "apply")
	}},
	{"a file that was there before comes back", func(s *trial) {
		s.exec("app1", "echo mine >/etc/plonec-test.conf")
		s.craft("app1", "/etc/plonec-test.conf", "0644", "", "from the tree\n")
		s.must(0, "apply")
		if got := s.exec("app1", "cat /etc/plonec-test.conf"); got != "from the tree" {
			s.t.Errorf("it says %q", got)
		}
		s.change(nil)
		s.must(0, "apply")
		if got := s.exec("app1", "cat /etc/plonec-test.conf"); got != "mine" {
			s.t.Errorf("it says %q, want what was there before", got)
		}
		s.exec("app1", "rm /etc/plonec-test.conf")
	}},
}
