package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

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

// current is the current release of the site on all of its hosts, which have one.
func (c *cluster) current() string {
	c.t.Helper()
	release := c.release("app1")
	for _, h := range c.hosts {
		if !strings.HasPrefix(h, "app") {
			continue
		}
		if now := c.release(h); now != release {
			c.t.Errorf("%s has release %s, app1 %s", h, now, release)
		}
	}
	return release
}

// everyday is what every kind of site has to bear.
func everyday(g group, e extent) []scenario {
	return []scenario{
		{"good deploy of a new commit", g, e, deployCommit},
		{"rolling restart", g, e, restartSite},
	}
}

func deployCommit(s *trial) {
	before := s.release("app1")
	commit := s.push(edit("README.md", add("one more line")))
	s.must(0, "deploy")
	if now := s.current(); now == before {
		s.t.Errorf("no new release: %s", now)
	}
	for _, h := range s.hosts {
		if !strings.HasPrefix(h, "app") {
			continue
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

// rollBackTwice goes back by two releases, and forth to one that is named.
func rollBackTwice(s *trial) {
	first := s.current()
	s.push(edit("README.md", add("to be rolled back")))
	s.must(0, "deploy")
	second := s.current()
	s.must(0, "rollback", "site")
	if now := s.current(); now != first {
		s.t.Errorf("rolled back to %s, want %s", now, first)
	}
	s.must(0, "rollback", "site")
	if now := s.current(); now >= first {
		s.t.Errorf("the second rollback led to %s from %s", now, first)
	}
	s.must(0, "rollback", "site", "--to", second)
	if now := s.current(); now != second {
		s.t.Errorf("rolled back to %s, want %s", now, second)
	}
}

// releases are what a good day and a bad day bring: releases of a whole Plone.
var releases = []scenario{
	{"good deploy of a new commit", deploys, core, deployCommit},
	{"deploy with nothing to do", deploys, core, func(s *trial) {
		before := s.release("app1")
		s.must(0, "deploy")
		if now := s.release("app1"); now != before {
			s.t.Errorf("a release for nothing: %s", now)
		}
	}},
	{"deploy.cfg changes", deploys, long, func(s *trial) {
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
	{"a release whose clients never get healthy", deploys, core, func(s *trial) {
		before := s.release("app1")
		s.push(edit("src/plonec_testsite/plonec_testsite/views.py", add("raise RuntimeError('this release does not start')")))
		s.must(4, "deploy")
		if s.release("app1") != before || s.release("app2") != before {
			s.t.Error("the broken release stayed")
		}
		s.push(edit("src/plonec_testsite/plonec_testsite/views.py", func(text string) string { return text[:strings.LastIndex(text, "raise RuntimeError")] }))
	}},
	{"a buildout that fails", deploys, long, func(s *trial) {
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
	{"a buildout that fails where only deploy.cfg changed", deploys, core, func(s *trial) {
		s.must(0, "deploy") // what was pushed until now
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
	{"rollback, twice", deploys, long, rollBackTwice},
}

// operations are what else an operator does, whatever runs there.
var operations = []scenario{
	{"one host first", dayTwo, long, func(s *trial) {
		before := s.release("app2")
		s.push(edit("README.md", add("for app1 first")))
		s.must(0, "deploy", "--host", "app1", "site")
		if s.release("app1") == before || s.release("app2") != before {
			s.t.Errorf("app1 %s, app2 %s, before %s", s.release("app1"), s.release("app2"), before)
		}
		s.must(0, "deploy")
		if s.release("app2") != s.release("app1") {
			s.t.Errorf("two names of one commit: app1 %s, app2 %s", s.release("app1"), s.release("app2"))
		}
	}},
	{"drain and undrain a host", dayTwo, core, func(s *trial) {
		s.must(0, "drain", "app1")
		if out := s.exec("lb1", "/usr/local/lib/plonec/host backends"); !strings.Contains(out, "app1-client1 DOWN") {
			s.t.Errorf("app1 is not out: %s", out)
		}
		out := s.must(1, "drain", "app2")
		if !strings.Contains(out, "nothing would be left") {
			s.t.Errorf("the last clients were drained:\n%s", out)
		}
		s.must(0, "undrain", "app1")
		s.serving(time.Minute)
		// What a roll leaves out that is killed, the next one brings in.
		s.exec("app1", "echo down >/run/plonec/agent/plone-site-client1")
		if out := s.must(0, "status"); !strings.Contains(out, "client1 is left out of the balancers") {
			s.t.Errorf("status does not say that a client is out:\n%s", out)
		}
		s.must(0, "deploy", "site")
	}},
	{"a drain outlives what happens to its balancer", dayTwo, long, func(s *trial) {
		is := func(when, status string) {
			s.t.Helper()
			s.until(15*time.Second, when, func() bool {
				out := s.exec("lb1", "/usr/local/lib/plonec/host backends")
				return strings.Contains(out, "app1-client1 "+status)
			})
		}
		s.must(0, "drain", "app1")
		s.exec("lb1", "for n in 1 2 3; do systemctl reload haproxy; sleep 1; done")
		is("it is out after reloads", "DOWN")
		s.exec("lb1", "systemctl kill -s KILL plonec-statesync")
		is("it is out while the state sync begins anew", "DOWN")
		s.must(0, "undrain", "app1")
		is("it is back", "UP")

		// Without the state sync a restart by hand waits for HAProxy's own checks.
		s.exec("lb1", "systemctl stop plonec-statesync")
		s.exec("app1", "systemctl restart plone-site-client1")
		s.serving(time.Minute)
		s.exec("lb1", "systemctl start plonec-statesync")

		// What an operator says stays over a restart of the client.
		s.exec("lb1", "echo 'set server site/app1-client1 state maint' | socat - /run/haproxy/admin.sock")
		s.exec("app1", "systemctl restart plone-site-client1")
		is("the operator's maint stays", "MAINT")
		s.exec("lb1", "echo 'set server site/app1-client1 state ready' | socat - /run/haproxy/admin.sock")
		s.serving(time.Minute)
	}},
	{"a command in the release, and the journals", dayTwo, long, func(s *trial) {
		exec := func(status int, command ...string) string {
			s.t.Helper()
			return s.must(status, append([]string{"exec", "site", "--"}, command...)...)
		}
		// As the clients run: where, as whom, with what, and how far they get.
		out := exec(0, "sh", "-c", "pwd -P; id -un; echo token-${#SITE_TOKEN}; touch /etc/x 2>&1; touch ../../shared/by-exec && echo wrote; cat /proc/self/cgroup")
		for _, want := range []string{"plonec: on app1\n", "/srv/www/site/releases/" + s.release("app1") + "\n", "deploy\n", fmt.Sprintf("token-%d\n", len(siteToken)), "Read-only file system", "wrote\n", "plone-site.slice/plonec-exec-"} {
			if !strings.Contains(out, want) {
				s.t.Errorf("no %q in\n%s", want, out)
			}
		}
		if uid := s.exec("app1", "stat -c %U /srv/www/site/shared/by-exec; rm /srv/www/site/shared/by-exec"); uid != "deploy" {
			s.t.Errorf("it writes as %s", uid)
		}
		exec(7, "sh", "-c", "exit 7")
		exec(127, "no-such-command")
		if out := exec(0, "printf", "<%s>", "$HOME", "two\nlines", "%h"); !strings.HasSuffix(out, "<$HOME><two\nlines><%h>") {
			s.t.Errorf("a command's words came as %q", out)
		}
		// Beside the client that runs.
		s.exec("app1", "echo 'print(\"beside it\", len(app.objectIds()) > 0)' >/srv/www/site/shared/beside.py")
		if out := exec(0, "bin/client1", "run", "/srv/www/site/shared/beside.py"); !strings.Contains(out, "beside it True") {
			s.t.Errorf("bin/client1 run beside client1:\n%s", out)
		}
		s.exec("app1", "rm /srv/www/site/shared/beside.py")
		if left := s.exec("app1", "systemctl list-units --all --no-legend 'plonec-exec-*'"); left != "" {
			s.t.Errorf("it left %s", left)
		}

		// Of both hosts in the order of time, and no more than was asked for.
		s.must(0, "restart", "site")
		out = s.must(0, "logs", "site", "--format", "json", "--lines", "50")
		last, seen := "", map[string]int{}
		for line := range strings.Lines(out) {
			var l struct{ Time, Host, Unit, Text string }
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				s.t.Fatalf("%v: %s", err, line)
			}
			at, err := time.Parse(time.RFC3339Nano, l.Time)
			if now := at.Format("2006-01-02T15:04:05.000000"); err != nil || now < last {
				s.t.Errorf("%v: %s comes after %s", err, now, last)
			} else {
				last = now
			}
			seen[l.Host]++
		}
		if seen["app1"] == 0 || seen["app2"] == 0 || seen["app1"]+seen["app2"] != 50 {
			s.t.Errorf("lines by host: %v", seen)
		}
		cmd := s.command("logs", "site", "--follow", "--lines", "1")
		pipe, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			s.t.Fatal(err)
		}
		s.exec("app2", "systemctl reload-or-restart plone-site-client2")
		lines, found := bufio.NewScanner(pipe), false
		for !found && lines.Scan() {
			found = strings.Contains(lines.Text(), "app2") && strings.Contains(lines.Text(), "client2") && strings.Contains(lines.Text(), "Started ")
		}
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		if !found || cmd.ProcessState.ExitCode() != 130 {
			s.t.Errorf("a restart is not among what is followed (%v), or it ended with %d", found, cmd.ProcessState.ExitCode())
		}
		s.until(20*time.Second, "nobody reads the journals any more", func() bool {
			_, err := s.try("app2", "pgrep -f 'journalctl.*--follow'")
			return err != nil
		})
		s.serving(time.Minute)
	}},
	{"node beside a client, in a sandbox that lets it", dayTwo, long, func(s *trial) {
		s.exec("app1", "apt-get install -y -q --no-install-recommends nodejs >/dev/null")
		node := func() result {
			return s.plonec("exec", "--host", "app1", "site", "--", "node", "-e", "console.log('node says', 6 * 7)")
		}
		if r := node(); r.status == 0 || strings.Contains(r.out, "node says 42") {
			s.t.Fatalf("node runs in the whole sandbox: %d\n%s", r.status, r.out)
		}
		s.reviewed(func(st map[string]any) {
			at(st, "plone_instances")["sandbox_lift"] = []string{"MemoryDenyWriteExecute"}
		})
		s.foretold("deploy")
		if r := node(); r.status != 0 || !strings.Contains(r.out, "node says 42") {
			s.t.Errorf("node ended with %d:\n%s", r.status, r.out)
		}
		denied := func(host, unit string) string {
			return s.exec(host, "systemctl show -P MemoryDenyWriteExecute "+unit)
		}
		if client, zeo := denied("app1", "plone-site-client1"), denied("db1", "plone-database-zeo"); client != "no" || zeo != "yes" {
			s.t.Errorf("MemoryDenyWriteExecute: client1 %s, ZEO server %s", client, zeo)
		}
		s.change(func(st map[string]any) { delete(at(st, "plone_instances"), "sandbox_lift") })
		s.foretold("deploy")
		if r := node(); r.status == 0 {
			s.t.Errorf("node runs in the whole sandbox again:\n%s", r.out)
		}
	}},
	{"stop and start", dayTwo, core, func(s *trial) {
		if out := s.must(1, "stop", "database"); !strings.Contains(out, "database on db1 is the ZEO server of site on app1, app2") {
			s.t.Errorf("a ZEO server is stopped, or its users are not named:\n%s", out)
		}
		from := time.Now()
		s.must(0, "stop", "site")
		s.must(0, "stop", "database", "--yes")
		began := time.Now()
		out := s.must(1, "start", "site")
		if took := time.Since(began); !strings.Contains(out, "plonec start database --host db1") || took > 40*time.Second {
			s.t.Errorf("a start without its ZEO server, %s:\n%s", took, out)
		}
		s.must(0, "start", "database")
		s.must(0, "start", "site")
		s.serving(time.Minute)
		s.excuse(from, "every client was stopped by command", every)
	}},
	{"maintenance", dayTwo, long, func(s *trial) {
		is := func(when string, want bool) {
			s.t.Helper()
			out := s.exec("lb1", "curl -sS http://127.0.0.1:8079/maintenance")
			if out != map[bool]string{true: "on", false: "off"}[want] {
				s.t.Errorf("%s nginx says %s", when, out)
			}
			if out := s.must(0, "status"); strings.Contains(out, "maintenance is on since ") != want || strings.Contains(out, "changed by hand: /etc/plonec") {
				s.t.Errorf("%s status says:\n%s", when, out)
			}
		}
		from := time.Now()
		s.must(0, "maintenance", "on")
		is("after on", true)
		s.must(0, "apply")
		s.reboot("lb1")
		s.until(time.Minute, "nginx answers on lb1", func() bool {
			_, err := s.try("lb1", "curl -sS http://127.0.0.1:8079/maintenance")
			return err == nil
		})
		is("after an apply and a reboot", true)
		s.must(0, "maintenance", "off")
		is("after off", false)
		s.serving(time.Minute)
		s.excuse(from, "visitors were shown the page of maintenance", every)
	}},
	{"what plonec did not make", dayTwo, long, func(s *trial) {
		const releases = "/srv/www/site/releases"
		s.exec("app1", "mkdir -p "+releases+"/20160101000000/bin "+releases+"/data && echo FS21 >"+releases+"/data/Data.fs")
		if out := s.must(0, "status"); !strings.Contains(out, "not plonec's: 20160101000000 (") {
			s.t.Errorf("status does not name it:\n%s", out)
		}
		if out := s.must(1, "undeploy", "site"); !strings.Contains(out, "undeploy takes --yes") {
			s.t.Errorf("undeployed unasked:\n%s", out)
		}
		from := time.Now()
		s.must(0, "undeploy", "site", "--yes")
		if left := s.exec("app1", "ls "+releases); left != "20160101000000\ndata" {
			s.t.Errorf("undeploy left %s", left)
		}
		if out := s.must(1, "undeploy", "--foreign", "site", "--yes"); !strings.Contains(out, "--confirm site") {
			s.t.Errorf("removed unasked:\n%s", out)
		}
		s.must(0, "undeploy", "--foreign", "site", "--confirm", "site")
		if left := s.exec("app1", "ls "+releases); left != "data" {
			s.t.Errorf("undeploy --foreign left %s", left)
		}
		s.must(0, "deploy", "site")
		s.serving(time.Minute)
		s.excuse(from, "the site was undeployed", every)
		s.exec("app1", "rm -r "+releases+"/data")
	}},
	{"the recipes of the cookbook", dayTwo, core, func(s *trial) {
		s.must(0, "run", "varnish-purge")
		s.must(0, "run", "pack")
		s.must(0, "run", "backup")
		before := s.release("app1")
		s.must(0, "run", "rebuild", "site")
		if s.release("app1") == before || s.release("app1") != s.release("app2") {
			s.t.Error("nothing was built anew, or two releases were")
		}
	}},
}
