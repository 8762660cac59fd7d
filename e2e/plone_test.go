//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/e2e/meter"
)

// zeoStack is a balancer, two client hosts with two clients each, a ZEO host.
func zeoStack(version string) map[string]any {
	host := func(layer, name string) map[string]any {
		return map[string]any{"layers": []string{layer}, "address": addresses[name], "cpus": 2}
	}
	scm := map[string]any{
		"repository": "ssh://admin@" + addresses["git"] + "/srv/plone.git", "revision": "main", "ssh_key": map[string]any{"$secret": "file:deploy_key"},
	}
	return map[string]any{
		"plonec":    map[string]any{"plone_version": version, "ssh": map[string]any{"user": "admin"}, "memory_max": "1G", "drain_timeout": "30s"},
		"opsworks":  map[string]any{"stack": map[string]any{"name": "E2E"}},
		"instances": map[string]any{"lb1": host("lb", "lb1"), "app1": host("plone_instances", "app1"), "app2": host("plone_instances", "app2"), "db1": host("zeoserver", "db1")},
		"plone_instances": map[string]any{
			"app_name": "site", "per_cpu": 1, "shared_blobs": false, "restart_delay": 0, "zserver_threads": 5,
		},
		"plone_zeoserver": map[string]any{"app_name": "database", "filestorage_dir": "/srv/data/filestorage"},
		"plone_blobs":     map[string]any{"blob_dir": "/srv/data/blobstorage"},
		"haproxy":         map[string]any{"stats_password": map[string]any{"$secret": "env:STATS_PASSWORD"}},
		"nginx_plone":     map[string]any{},
		"deploy": map[string]any{
			"site": map[string]any{
				"domains": []string{"www.example.com"}, "buildout_extends": []string{"cfg/e2e.cfg"}, "scm": scm,
				"environment": map[string]any{"SITE_TOKEN": map[string]any{"$secret": "env:SITE_TOKEN"}},
			},
			"database": map[string]any{"scm": scm},
		},
	}
}

// at walks into a stack: at(stack, "deploy", "site").
func at(stack map[string]any, path ...string) map[string]any {
	for _, key := range path {
		stack = stack[key].(map[string]any)
	}
	return stack
}

// TestCluster is a full Plone 6.2 with ZEO, from bare hosts to every fault.
func TestCluster(t *testing.T) {
	c := newCluster(t, "plone", "", "base.cfg", zeoStack("6.2"), "lb1", "app1", "app2", "db1")
	c.bring("--new-database")
	c.save()
	c.play(t, deploys)
	c.play(t, applies)
	c.play(t, faults)
	c.play(t, controls)
	c.speed(t)
}

// TestPlone61 is the release before, which brings other packages and another
// constraints.txt.
func TestPlone61(t *testing.T) {
	c := newCluster(t, "plone61", "plone61", "base.cfg", zeoStack("6.1"), "lb1", "app1", "app2", "db1")
	c.bring("--new-database")
	c.play(t, everyday)
}

// TestRelStorage has the objects, and the blobs, in PostgreSQL on a host that
// is not plonec's.
func TestRelStorage(t *testing.T) {
	stack := zeoStack("6.2")
	delete(at(stack, "instances"), "db1")
	delete(at(stack, "instances"), "app2")
	delete(at(stack, "deploy"), "database")
	delete(stack, "plone_zeoserver")
	delete(stack, "plone_blobs")
	clients := at(stack, "plone_instances")
	clients["enable_relstorage"] = true
	clients["relstorage"] = map[string]any{"db": map[string]any{
		"type": "postgresql", "host": addresses["pg"], "name": "plone", "user": "zodb", "password": map[string]any{"$secret": "env:PG_PASSWORD"},
	}}
	c := newCluster(t, "relstorage", "", "relstorage.cfg", stack, "lb1", "app1")
	c.start("pg")
	c.exec("pg", `apt-get install -y -q --no-install-recommends postgresql >/dev/null
		cd /etc/postgresql/*/main && echo "listen_addresses = '*'" >>postgresql.conf && echo "host plone zodb 10.77.0.0/24 scram-sha-256" >>pg_hba.conf
		systemctl restart postgresql
		runuser -u postgres -- psql -q -c "CREATE ROLE zodb LOGIN PASSWORD '`+pgPassword+`'" -c "CREATE DATABASE plone OWNER zodb"`)
	c.bring()
	c.play(t, everyday)
	if blobs := c.exec("pg", "runuser -u postgres -- psql -At plone -c 'SELECT count(*) > 0 FROM object_state'"); blobs != "t" {
		t.Errorf("the objects are not in PostgreSQL: %s", blobs)
	}
}

// bring deploys to bare hosts and makes a site there.
func (c *cluster) bring(options ...string) {
	c.t.Helper()
	c.must(0, append([]string{"deploy"}, options...)...)
	c.site("app1")
	c.serving(time.Minute)
	c.sound()
}

// edit changes a file of the buildout's repository.
func edit(name string, change func(text string) string) func(dir string) {
	return func(dir string) {
		text, err := os.ReadFile(dir + "/" + name)
		if err == nil {
			err = os.WriteFile(dir+"/"+name, []byte(change(string(text))), 0o644)
		}
		if err != nil {
			panic(err)
		}
	}
}

func add(line string) func(string) string {
	return func(text string) string { return text + line + "\n" }
}

// release is the current release of the site on a host.
func (c *cluster) release(host string) string {
	c.t.Helper()
	return c.exec(host, "basename $(readlink /srv/www/site/current)")
}

// everyday is what every kind of cluster has to bear.
var everyday = []scenario{
	{"good deploy of a new commit", deployCommit},
	{"rolling restart", restartSite},
	{"back and forth", func(s *trial) {
		now := s.release("app1")
		s.must(0, "rollback", "site")
		if s.release("app1") == now {
			s.t.Error("nothing was rolled back")
		}
		s.must(0, "rollback", "site", "--to", now)
	}},
}

func deployCommit(s *trial) {
	before := s.release("app1")
	commit := s.push(edit("README.md", add("one more line")))
	s.must(0, "deploy")
	for _, h := range s.hosts {
		if !strings.HasPrefix(h, "app") {
			continue
		}
		if now := s.release(h); now == before || now != s.release("app1") {
			s.t.Errorf("%s: release %s, before %s", h, now, before)
		}
		if got := s.exec(h, "cd /srv/www/site/current && runuser -u deploy -- git rev-parse HEAD"); got != commit {
			s.t.Errorf("%s runs commit %s, want %s", h, got, commit)
		}
	}
}

func restartSite(s *trial) {
	pids := s.exec("app1", "systemctl show -p MainPID --value plone-site-client1 plone-site-client2")
	s.must(0, "restart", "site")
	if now := s.exec("app1", "systemctl show -p MainPID --value plone-site-client1 plone-site-client2"); now == pids {
		s.t.Error("nothing was restarted")
	}
}

// deploys are what a good day and a bad day bring.
var deploys = []scenario{
	{"good deploy of a new commit", deployCommit},
	{"deploy with nothing to do", func(s *trial) {
		before := s.release("app1")
		s.must(0, "deploy")
		if now := s.release("app1"); now != before {
			s.t.Errorf("a release for nothing: %s", now)
		}
	}},
	{"deploy.cfg changes", func(s *trial) {
		before := s.release("app1")
		s.change(func(st map[string]any) { at(st, "plone_instances")["zodb_cache_size"] = 20000 })
		out := s.must(0, "apply")
		if !strings.Contains(out, "for deploy site") {
			s.t.Errorf("apply does not say what waits:\n%s", out)
		}
		if s.release("app1") != before {
			s.t.Error("apply made a release")
		}
		s.must(0, "deploy")
		if s.release("app1") == before {
			s.t.Error("no new release")
		}
	}},
	{"more clients, then fewer", func(s *trial) {
		s.change(func(st map[string]any) { at(st, "plone_instances")["per_cpu"] = 1.5 })
		s.must(0, "apply")
		if out := s.exec("lb1", "grep -c client3 /etc/haproxy/haproxy.cfg || true"); out != "0" {
			s.t.Error("the balancer sends requests to clients that do not run yet")
		}
		s.must(0, "deploy")
		s.until(20*time.Second, "six clients are up", func() bool {
			return s.exec("lb1", "/usr/local/lib/plonec/host backends | grep -c UP") == "6"
		})
		s.change(func(st map[string]any) { at(st, "plone_instances")["per_cpu"] = 1 })
		s.must(0, "deploy")
		if out := s.exec("app1", "systemctl list-units --all --no-legend 'plone-site-client3*'; ls /etc/systemd/system | grep client3 || true"); out != "" {
			s.t.Errorf("client3 is still there: %s", out)
		}
	}},
	{"one host first", func(s *trial) {
		before := s.release("app2")
		s.push(edit("README.md", add("for app1 first")))
		s.must(0, "deploy", "--host", "app1", "site")
		if s.release("app1") == before || s.release("app2") != before {
			s.t.Errorf("app1 %s, app2 %s, before %s", s.release("app1"), s.release("app2"), before)
		}
		s.must(0, "deploy", "--commit", s.exec("app1", "cd /srv/www/site/current && runuser -u deploy -- git rev-parse HEAD"))
		// Two names of one commit: brought to one release again.
		s.must(0, "run", "rebuild", "site")
	}},
	{"a release whose clients never get healthy", func(s *trial) {
		before := s.release("app1")
		s.push(edit("src/plonec_testsite/plonec_testsite/views.py", add("raise RuntimeError('this release does not start')")))
		s.must(4, "deploy")
		if s.release("app1") != before || s.release("app2") != before {
			s.t.Error("the broken release stayed")
		}
		s.push(edit("src/plonec_testsite/plonec_testsite/views.py", func(text string) string { return text[:strings.LastIndex(text, "raise RuntimeError")] }))
		s.must(0, "deploy")
	}},
	{"a buildout that fails", func(s *trial) {
		before := s.release("app1")
		s.push(edit("requirements.txt", add("there-is-no-such-package")))
		out := s.must(1, "deploy")
		if !strings.Contains(out, "there-is-no-such-package") {
			s.t.Errorf("the failure is not shown:\n%s", out)
		}
		if s.release("app1") != before {
			s.t.Error("current was switched")
		}
		s.push(edit("requirements.txt", func(text string) string { return strings.Replace(text, "there-is-no-such-package\n", "", 1) }))
		s.must(0, "deploy")
	}},
	{"a buildout that fails where only deploy.cfg changed", func(s *trial) {
		before := s.release("app1")
		s.change(func(st map[string]any) {
			at(st, "deploy", "site")["buildout_additional_config"] = "[client1]\nrecipe = there.is.no.such.recipe"
		})
		s.must(1, "deploy")
		if s.release("app1") != before {
			s.t.Error("current was switched")
		}
		s.change(func(st map[string]any) { delete(at(st, "deploy", "site"), "buildout_additional_config") })
		s.must(0, "deploy")
	}},
	{"rollback, twice", func(s *trial) {
		first := s.release("app1")
		s.push(edit("README.md", add("to be rolled back")))
		s.must(0, "deploy")
		second := s.release("app1")
		s.must(0, "rollback", "site")
		if s.release("app1") != first || s.release("app2") != first {
			s.t.Errorf("rolled back to %s and %s, want %s", s.release("app1"), s.release("app2"), first)
		}
		s.must(0, "rollback", "site")
		if now := s.release("app1"); now >= first || now != s.release("app2") {
			s.t.Errorf("the second rollback led to %s and %s from %s", now, s.release("app2"), first)
		}
		s.must(0, "rollback", "site", "--to", first)
		s.must(0, "rollback", "site", "--to", second)
	}},
	{"rolling restart", restartSite},
	{"drain and undrain a host", func(s *trial) {
		s.must(0, "drain", "app1")
		if out := s.exec("lb1", "/usr/local/lib/plonec/host backends"); !strings.Contains(out, "app1-client1 DOWN") {
			s.t.Errorf("app1 is not out: %s", out)
		}
		out := s.must(1, "drain", "app2")
		if !strings.Contains(out, "no client would be left") {
			s.t.Errorf("the last clients were drained:\n%s", out)
		}
		s.must(0, "undrain", "app1")
	}},
	{"stop and start", func(s *trial) {
		from := time.Now()
		s.must(0, "stop", "site")
		s.must(0, "start", "site")
		s.serving(time.Minute)
		s.excuse(from, "every client was stopped by command", every)
	}},
	{"the recipes of the cookbook", func(s *trial) {
		s.must(0, "run", "varnish-purge")
		s.must(0, "run", "pack")
		s.must(0, "run", "backup")
	}},
}

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

// faults are what breaks.
var faults = []scenario{
	{"plonec killed at every step of an apply", func(s *trial) {
		for i, step := range []string{"connect", "lock", "stage", "check", "activate", "confirm"} {
			for _, when := range []string{"started", "finished"} {
				s.change(func(st map[string]any) { at(st, "haproxy")["queue_timeout"] = fmt.Sprintf("%ds", 60+2*i+len(when)%2) })
				if !s.killAt(when+" "+step, "apply", "--confirm-within", "8s") {
					s.t.Errorf("there was no event: %s %s", when, step)
				}
				s.until(time.Minute, "the host is of one mind after a kill at "+when+" "+step, func() bool {
					out, _ := s.try("lb1", "test ! -e /var/lib/plonec/unconfirmed && flock -n /run/plonec/apply true && flock -n /run/plonec/work true && echo so")
					return out == "so"
				})
			}
		}
		s.must(0, "apply")
	}},
	{"plonec killed at every step of a deploy", func(s *trial) {
		for _, event := range []string{"started resolve", "finished resolve", "started build", "finished build", "started switch", "finished switch"} {
			s.push(edit("README.md", add(event)))
			if !s.killAt(event, "deploy", "site") {
				s.t.Errorf("there was no event: %s", event)
			}
			for _, h := range []string{"app1", "app2"} {
				s.until(3*time.Minute, h+" has ended what it was at", func() bool {
					out, _ := s.try(h, "flock -n /run/plonec/apply true && flock -n /run/plonec/work true && echo so")
					return out == "so"
				})
			}
			s.must(0, "deploy", "site")
		}
	}},
	{"ssh cut while a host activates", func(s *trial) {
		s.change(func(st map[string]any) { at(st, "haproxy")["queue_timeout"] = "70s" })
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.until(30*time.Second, "lb1 activates", func() bool {
				out, _ := s.try("lb1", "grep -s activating /var/lib/plonec/unconfirmed")
				return out != ""
			})
			s.lab("cut", run, "lb1", "22")
		}()
		s.must(4, "apply", "--confirm-within", "20s")
		<-done
		s.lab("uncut", run, "lb1")
		s.must(0, "apply")
	}},
	{"a host killed before the confirmation", func(s *trial) {
		s.change(func(st map[string]any) { at(st, "haproxy")["queue_timeout"] = "71s" })
		was := s.exec("lb1", "sha256sum /etc/haproxy/haproxy.cfg")
		if !s.killAt("finished activate", "apply", "--confirm-within", "60s") {
			s.t.Error("it did not activate")
		}
		from := time.Now()
		s.lab("kill", run, "lb1")
		s.start("lb1")
		s.until(time.Minute, "lb1 has taken it back", func() bool {
			out, _ := s.try("lb1", "test ! -e /var/lib/plonec/unconfirmed && echo so")
			return out == "so"
		})
		s.serving(time.Minute)
		s.excuse(from, "the only balancer was killed", every)
		if now := s.exec("lb1", "sha256sum /etc/haproxy/haproxy.cfg"); now != was {
			s.t.Error("the unconfirmed file is still there")
		}
		s.must(0, "apply")
	}},
	{"a ZEO client killed", func(s *trial) {
		from := time.Now().Add(-time.Second)
		s.exec("app1", "systemctl kill -s KILL plone-site-client1")
		time.Sleep(time.Second)
		s.excuse(from, "requests in flight on the killed client", func(f meter.Failure) bool { return strings.HasPrefix(f.Outcome, "50") })
		s.serving(time.Minute)
	}},
	{"a client host rebooted by its operator", func(s *trial) {
		s.exec("app2", "systemctl reboot")
		time.Sleep(2 * time.Second)
		s.start("app2")
		s.serving(2 * time.Minute)
	}},
	{"the ZEO server restarted", func(s *trial) {
		s.exec("db1", "systemctl restart plone-database-zeo")
	}},
	{"two applies at once", func(s *trial) {
		s.change(func(st map[string]any) { at(st, "haproxy")["queue_timeout"] = "72s" })
		first, second := make(chan result), make(chan result)
		go func() { first <- s.plonec("apply") }()
		go func() { second <- s.plonec("apply") }()
		a, b := <-first, <-second
		// The other one came too late for the lock (3), or found the host
		// changed since it looked (1), or came after the first had ended (0).
		if low, high := min(a.status, b.status), max(a.status, b.status); low != 0 || high != 0 && high != 1 && high != 3 {
			s.t.Errorf("they ended with %d and %d\n%s\n%s", a.status, b.status, a.out, b.out)
		}
		s.must(0, "apply")
	}},
	{"one host down", func(s *trial) {
		s.change(func(st map[string]any) { at(st, "haproxy")["queue_timeout"] = "73s" })
		was := s.exec("lb1", "sha256sum /etc/haproxy/haproxy.cfg")
		s.lab("cut", run, "db1", "22")
		out := s.must(1, "apply")
		if !strings.Contains(out, "db1") || s.exec("lb1", "sha256sum /etc/haproxy/haproxy.cfg") != was {
			s.t.Errorf("a host was touched, or the one that is down is not named:\n%s", out)
		}
		s.must(0, "apply", "--host", "lb1")
		s.lab("uncut", run, "db1")
		s.must(0, "apply")
	}},
	{"a symlink planted in the way", func(s *trial) {
		s.change(func(st map[string]any) { at(st, "haproxy")["queue_timeout"] = "74s" })
		s.exec("lb1", "cp -p /etc/haproxy/haproxy.cfg /root/kept && echo victim >/root/victim && ln -sfn /root/victim /etc/haproxy/haproxy.cfg")
		s.must(1, "apply")
		if got := s.exec("lb1", "cat /root/victim"); got != "victim" {
			s.t.Errorf("the link was followed: %s", got)
		}
		s.exec("lb1", "rm /etc/haproxy/haproxy.cfg && cp -p /root/kept /etc/haproxy/haproxy.cfg")
		s.must(0, "apply")
	}},
	{"a reload that cannot bind its port", func(s *trial) {
		s.exec("lb1", "systemd-run -q --unit=squatter socat TCP-LISTEN:8123,bind=127.0.0.1,fork EXEC:true")
		text := s.exec("lb1", "cat /etc/haproxy/haproxy.cfg")
		s.craftReplace("lb1", "/etc/haproxy/haproxy.cfg", text+"\n\nlisten squatted\n    bind 127.0.0.1:8123\n")
		out := s.must(1, "apply")
		if !strings.Contains(out, "haproxy wants port 8123") || !strings.Contains(out, "squatter.service") {
			s.t.Errorf("it does not say which port is whose:\n%s", out)
		}
		if now := s.exec("lb1", "cat /etc/haproxy/haproxy.cfg"); now != text {
			s.t.Error("the file is not the one of before")
		}
		s.exec("lb1", "systemctl stop squatter")
		s.change(nil)
		s.must(0, "apply")
	}},
	{"HAProxy reloaded while clients roll", func(s *trial) {
		done := make(chan result)
		go func() { done <- s.plonec("restart", "site") }()
		for reloads := 0; ; reloads++ {
			select {
			case r := <-done:
				if r.status != 0 || reloads < 5 {
					s.t.Errorf("restart ended with %d, after %d reloads\n%s", r.status, reloads, r.out)
				}
				return
			case <-time.After(3 * time.Second):
				s.exec("lb1", "systemctl reload haproxy")
			}
		}
	}},
	{"disk full while staging", func(s *trial) {
		s.change(func(st map[string]any) { at(st, "haproxy")["queue_timeout"] = "76s" })
		was := s.exec("lb1", "sha256sum /etc/haproxy/haproxy.cfg")
		s.exec("lb1", "mkdir -p /var/lib/plonec/stage && mount -t tmpfs -o size=32k,mode=700 tmpfs /var/lib/plonec/stage")
		out := s.must(1, "apply")
		if !strings.Contains(out, "No space left on device") || s.exec("lb1", "sha256sum /etc/haproxy/haproxy.cfg") != was {
			s.t.Errorf("the reason is not named, or the host was touched:\n%s", out)
		}
		if left := s.exec("lb1", "ls -A /var/lib/plonec/stage"); left != "" {
			s.t.Errorf("left on the full disk: %s", left)
		}
		s.exec("lb1", "umount /var/lib/plonec/stage")
		s.must(0, "apply")
	}},
	{"a change that breaks the boot", func(s *trial) {
		const path = "/etc/systemd/system/local-fs.target.d/broken.conf"
		s.craft("app1", path, "0644", "", "[Unit]\nRequires=there-is-no-such.service\nAfter=there-is-no-such.service\n")
		if !s.killAt("finished activate", "apply", "--confirm-within", "300s") {
			s.t.Error("it did not activate")
		}
		if out := s.exec("app1", "systemctl cat local-fs.target"); !strings.Contains(out, "no-such") {
			s.t.Errorf("the change is not in its place, so this proves nothing: %s", out)
		}
		s.exec("app1", "systemctl reboot")
		time.Sleep(2 * time.Second)
		s.start("app1")
		s.until(time.Minute, "app1 has taken it back", func() bool {
			_, err := s.try("app1", "test ! -e "+path+" && test ! -e /var/lib/plonec/unconfirmed && ! systemctl cat local-fs.target | grep no-such")
			return err == nil
		})
		s.serving(2 * time.Minute)
		s.change(nil)
		s.must(0, "apply")
	}},
	{"the disk of Data.fs not mounted at boot", func(s *trial) {
		from := time.Now()
		const line = "/srv/disk /srv/data none bind 0 0"
		s.exec("db1", `systemctl stop plone-database-zeo && mv /srv/data /srv/disk && mkdir /srv/data
			echo '`+line+`' >>/etc/fstab && systemctl daemon-reload && systemctl start srv-data.mount plone-database-zeo`)
		s.serving(time.Minute)
		s.exec("db1", "sed -i /srv.disk/d /etc/fstab && sync")
		s.lab("kill", run, "db1")
		s.start("db1")
		s.until(time.Minute, "the ZEO server was asked for", func() bool {
			out, _ := s.try("db1", "journalctl -q -b -u plone-database-zeo -o cat --no-pager")
			return out != ""
		})
		if out := s.exec("db1", "find /srv/data -type f; systemctl is-active plone-database-zeo; true"); out != "inactive" && out != "failed" {
			s.t.Errorf("there is a database, or a ZEO server runs: %s", out)
		}
		out := s.must(1, "start", "database")
		if !strings.Contains(out, "/srv/data") || !strings.Contains(out, "mounted") {
			s.t.Errorf("it does not name the disk:\n%s", out)
		}
		s.exec("db1", "echo '"+line+"' >>/etc/fstab && systemctl daemon-reload && systemctl start srv-data.mount")
		s.must(0, "start", "database")
		s.serving(2 * time.Minute)
		s.excuse(from, "the only database was down", every)
	}},
	{"a changed ZEO address", func(s *trial) {
		s.exec("db1", "ip address add "+addresses["db2"]+"/24 dev host0")
		db1 := at(s.stack, "instances", "db1")
		before := s.release("app1")
		s.change(func(map[string]any) { db1["address"], db1["ssh_address"] = addresses["db2"], addresses["db1"] })
		out := s.must(1, "deploy")
		if !strings.Contains(out, "--allow-outage") || s.release("app1") != before {
			s.t.Errorf("it does not ask for an outage, or went on without:\n%s", out)
		}
		from := time.Now()
		s.must(0, "deploy", "--allow-outage")
		s.serving(time.Minute)
		if out := s.exec("app1", "ss -Htn state established dst "+addresses["db2"]); out == "" {
			s.t.Error("the clients are not connected to the new address")
		}
		s.change(func(map[string]any) { db1["address"] = addresses["db1"]; delete(db1, "ssh_address") })
		s.must(0, "deploy", "--allow-outage")
		s.serving(time.Minute)
		s.excuse(from, "all clients were stopped, as was allowed", every)
	}},
	{"a change that breaks sshd", func(s *trial) {
		s.craft("app1", "/etc/ssh/sshd_config.d/broken.conf", "0644", "reload:ssh.service", "AllowUsers nobody\n")
		s.must(4, "apply", "--confirm-within", "15s")
		s.change(nil)
		s.must(0, "apply")
	}},
	{"a change that breaks sudo", func(s *trial) {
		s.craft("app1", "/etc/sudoers.d/zz-broken", "0440", "", "admin ALL=(ALL) !ALL\n")
		r := s.plonec("apply", "--confirm-within", "15s")
		if r.status != 4 && r.status != 6 {
			s.t.Errorf("it ended with %d\n%s", r.status, r.out)
		}
		s.until(time.Minute, "sudo works again", func() bool {
			_, err := s.try("app1", "runuser -u admin -- sudo -n true && test ! -e /var/lib/plonec/unconfirmed")
			return err == nil
		})
		s.change(nil)
		s.must(0, "apply")
	}},
	{"the network dies with the lock held", func(s *trial) {
		s.change(func(st map[string]any) { at(st, "haproxy")["queue_timeout"] = "75s" })
		cut := false
		cmd := s.command("apply", "--format", "json")
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			s.t.Fatal(err)
		}
		buf := make([]byte, 1<<16)
		for {
			n, err := out.Read(buf)
			if !cut && strings.Contains(string(buf[:n]), `"step":"stage"`) {
				cut = true
				s.lab("cut", run, "lb1", "22")
			}
			if err != nil {
				break
			}
		}
		cmd.Wait()
		s.until(30*time.Second, "the lock is free", func() bool {
			out, _ := s.try("lb1", "flock -n /run/plonec/apply true && echo free")
			return out == "free"
		})
		s.lab("uncut", run, "lb1")
		s.must(0, "apply")
	}},
}

// controls break the rules, to show that the load sees it.
var controls = []scenario{
	{"control: a restart without a drain", func(s *trial) {
		s.control = true
		s.exec("app1", `for n in 1 2; do d=/run/systemd/system/plone-site-client$n.service.d; mkdir -p $d
			printf '[Service]\nExecStop=\nKillSignal=SIGKILL\n' >$d/nodrain.conf; done; systemctl daemon-reload
			for n in 1 2; do systemctl restart plone-site-client$n; sleep 2; done
			rm -r /run/systemd/system/plone-site-client?.service.d; systemctl daemon-reload`)
	}},
	{"control: redispatch alone", func(s *trial) {
		s.control = true
		s.exec("lb1", `cp -p /etc/haproxy/haproxy.cfg /root/kept
			sed -i -e '/default-server agent-check/d' -e '/default-server observe/d' -e 's/ agent-port [0-9]*//' -e 's/default-server check inter.*/default-server check inter 10s fall 3/' /etc/haproxy/haproxy.cfg
			systemctl reload haproxy; sleep 2`)
		s.exec("app1", `for n in 1 2; do d=/run/systemd/system/plone-site-client$n.service.d; mkdir -p $d
			printf '[Service]\nExecStop=\nKillSignal=SIGKILL\n' >$d/nodrain.conf; done; systemctl daemon-reload
			for n in 1 2; do systemctl restart plone-site-client$n; sleep 2; done
			rm -r /run/systemd/system/plone-site-client?.service.d; systemctl daemon-reload`)
		s.exec("lb1", "cp -p /root/kept /etc/haproxy/haproxy.cfg; systemctl reload haproxy; sleep 2")
	}},
}
