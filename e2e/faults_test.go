package e2e

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/plonec/plonec/e2e/meter"
)

// reboot is what an operator does on a host: it ends when the host is up again.
func (c *cluster) reboot(host string) {
	c.t.Helper()
	before := c.exec(host, "cat /proc/sys/kernel/random/boot_id; systemctl reboot")
	c.until(2*time.Minute, host+" is up again", func() bool {
		id, err := c.try(host, "cat /proc/sys/kernel/random/boot_id")
		return err == nil && id != before
	})
	c.start(host)
}

// freshIDs restarts the clients where the ZEO server did. They keep ids of new
// objects that the server of before gave them, up to a hundred each, and after
// its restart it gives those that were not used yet to others (ZEO 6.0,
// ClientStorage.new_oid): a write that meets one fails with "A different object
// already has the same oid".
func (s *trial) freshIDs(from time.Time) {
	s.t.Helper()
	s.must(0, "restart", "site")
	s.twiceGiven(from)
}

// twiceGiven excuses writes from a time on, until clients have restarted.
func (s *trial) twiceGiven(from time.Time) {
	s.excuse(from, "an id of a new object that the ZEO server gave out twice, before and after its restart", func(f meter.Failure) bool {
		return f.Write && f.Outcome == "500"
	})
}

// breakages are what breaks.
var breakages = []scenario{
	{"plonec killed at every step of an apply", faults, core, func(s *trial) {
		for i, step := range []string{"connect", "lock", "stage", "check", "activate", "confirm"} {
			for _, when := range []string{"started", "finished"} {
				s.change(func(st map[string]any) { at(st, "haproxy")["queue_timeout"] = fmt.Sprintf("%ds", 60+2*i+len(when)%2) })
				if !s.killAt(when+" "+step, "apply", "--confirm-within", "8s") {
					s.t.Errorf("there was no event: %s %s", when, step)
				}
				s.until(time.Minute, "the host is of one mind after a kill at "+when+" "+step, func() bool {
					out, _ := s.try("lb1", "test ! -e /var/lib/plonec/unconfirmed && flock -n /run/plonec/lock/apply true && flock -n /run/plonec/lock/work true && echo so")
					return out == "so"
				})
			}
		}
		s.must(0, "apply")
	}},
	{"plonec killed at every step of a deploy", faults, long, func(s *trial) {
		for _, event := range []string{"started resolve", "finished resolve", "started build", "finished build", "started switch", "finished switch"} {
			s.push(edit("README.md", add(event)))
			// What a host was at, it ends, and says so to others until then. That the
			// next deploy gets as far as the next kill shows that it is let in.
			s.until(3*time.Minute, "a deploy comes to "+event, func() bool {
				status, came := s.signalAt(os.Kill, event, "deploy", "site")
				if !came && status != 3 {
					s.t.Fatalf("a deploy did not come to %s, and ended with %d", event, status)
				}
				return came
			})
		}
		s.until(3*time.Minute, "a deploy is let in after all of that", func() bool {
			r := s.plonec("deploy", "site")
			if r.status != 0 && r.status != 3 {
				s.t.Fatalf("the last deploy ended with %d\n%s", r.status, r.out)
			}
			return r.status == 0
		})
	}},
	{"Ctrl-C while clients roll", faults, long, func(s *trial) {
		before := s.release("app2")
		s.push(edit("README.md", add("interrupted")))
		status, came := s.signalAt(os.Interrupt, "started switch", "deploy", "site")
		if status != 130 || !came {
			s.t.Errorf("it ended with %d", status)
		}
		if s.release("app1") == before || s.release("app2") != before {
			s.t.Errorf("what was at work was not finished, or the rest was begun: app1 %s, app2 %s", s.release("app1"), s.release("app2"))
		}
		s.must(0, "deploy", "site")
		if s.release("app1") != s.release("app2") {
			s.t.Errorf("two names of one commit: app1 %s, app2 %s", s.release("app1"), s.release("app2"))
		}
	}},
	{"a drained host, deployed to", faults, long, func(s *trial) {
		s.must(0, "drain", "app1")
		s.push(edit("README.md", add("for a drained host")))
		s.must(0, "deploy", "--host", "app1", "site")
		if out := s.exec("lb1", "/usr/local/lib/plonec/host backends"); strings.Count(out, "DOWN") != 2 {
			s.t.Errorf("the clients of app1 are not out any more:\n%s", out)
		}
		s.must(0, "undrain", "app1")
		s.serving(time.Minute)
		s.must(0, "deploy", "site")
	}},
	{"clients that move to a new host", faults, long, func(s *trial) {
		s.start("app3")
		app1 := at(s.stack, "instances", "app1")
		s.change(func(st map[string]any) {
			app1["cpus"] = 1
			at(st, "instances")["app3"] = map[string]any{"layers": []string{"plone_instances"}, "address": addresses["app3"], "cpus": 1}
		})
		s.must(0, "deploy")
		s.serving(time.Minute)
		if out := s.exec("lb1", "/usr/local/lib/plonec/host backends"); strings.Count(out, "UP") != 4 || !strings.Contains(out, "app3-client1 UP") {
			s.t.Errorf("the clients are not where they should be:\n%s", out)
		}
		s.change(func(st map[string]any) {
			app1["cpus"] = 2
			delete(at(st, "instances"), "app3")
		})
		s.push(edit("README.md", add("for all of them, since a change of app1 alone makes a release there alone")))
		s.must(0, "deploy")
		s.serving(time.Minute)
		// The balancer of before may still wait for a slow answer of its.
		s.exec("app3", "/usr/local/lib/plonec/host stop site")
		s.lab("forget", run, "app3")
	}},
	{"ssh cut while a host activates", faults, long, func(s *trial) {
		s.change(func(st map[string]any) { at(st, "haproxy")["queue_timeout"] = "80s" })
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.until(30*time.Second, "lb1 activates", func() bool {
				out, _ := s.try("lb1", "grep -s activating /var/lib/plonec/unconfirmed")
				return out != ""
			})
			s.lab("cut", run, "lb1", "22")
			time.Sleep(40 * time.Second) // it has been taken back by then
			s.lab("uncut", run, "lb1")
		}()
		s.must(4, "apply", "--confirm-within", "20s")
		<-done
		s.must(0, "apply")
	}},
	{"a host killed before the confirmation", faults, core, func(s *trial) {
		s.change(func(st map[string]any) { at(st, "haproxy")["queue_timeout"] = "71s" })
		was := s.exec("lb1", "sha256sum /etc/haproxy/haproxy.cfg")
		s.killUnconfirmed("lb1", "60s")
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
	{"a ZEO client killed", faults, long, func(s *trial) {
		from := time.Now().Add(-time.Second)
		s.exec("app1", "systemctl kill -s KILL plone-site-client1")
		time.Sleep(time.Second)
		s.excuse(from, "requests in flight on the killed client", func(f meter.Failure) bool { return strings.HasPrefix(f.Outcome, "50") })
		s.serving(time.Minute)
	}},
	{"a client host rebooted by its operator", faults, core, func(s *trial) {
		s.reboot("app2")
		s.serving(2 * time.Minute)
	}},
	{"the ZEO server restarted", faults, long, func(s *trial) {
		from := time.Now()
		s.exec("db1", "systemctl restart plone-database-zeo")
		s.serving(time.Minute)
		// status says whose ids are those of before, until they restart.
		if out := s.must(2, "status", "--exit-code"); !strings.Contains(out, "database on db1, restarted after client1, client2 came up") || !strings.Contains(out, "plonec restart site --host app2") {
			s.t.Errorf("status does not tell of the ZEO server:\n%s", out)
		}
		s.freshIDs(from)
		s.must(0, "status", "--exit-code")
	}},
	{"the ZEO server restarted by plonec, which rolls its clients", faults, long, func(s *trial) {
		from := time.Now()
		pids := func(host string) string {
			return s.exec(host, "systemctl show -p MainPID --value plone-site-client1 plone-site-client2")
		}
		before := pids("app1") + pids("app2")
		s.must(0, "restart", "database")
		s.serving(time.Minute)
		s.twiceGiven(from)
		if now := pids("app1") + pids("app2"); now == before {
			s.t.Error("the clients run on")
		}
		s.must(0, "status", "--exit-code")
	}},
	{"two applies at once", faults, long, func(s *trial) {
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
	{"one host down", faults, long, func(s *trial) {
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
	{"a symlink planted in the way", faults, long, func(s *trial) {
		s.change(func(st map[string]any) { at(st, "haproxy")["queue_timeout"] = "74s" })
		s.exec("lb1", "cp -p /etc/haproxy/haproxy.cfg /root/kept && echo victim >/root/victim && ln -sfn /root/victim /etc/haproxy/haproxy.cfg")
		s.must(1, "apply")
		if got := s.exec("lb1", "cat /root/victim"); got != "victim" {
			s.t.Errorf("the link was followed: %s", got)
		}
		s.exec("lb1", "rm /etc/haproxy/haproxy.cfg && cp -p /root/kept /etc/haproxy/haproxy.cfg")
		s.must(0, "apply")
	}},
	{"variables, files and words of an app that are meant for root", faults, long, func(s *trial) {
		// The loader writes a file for each process, a shell one, curl too, in a folder
		// where everybody may.
		const marks = "/srv/www/site/shared/marks"
		for _, h := range []string{"app1", "app2"} {
			s.exec(h, `set -e; install -d -m 1777 `+marks+` && cd `+marks+`
				echo ': >`+marks+`/shell-$EUID' >startup
				echo 'output = "`+marks+`/curl"' >/home/deploy/.curlrc && chown deploy: /home/deploy/.curlrc`)
		}
		environment := at(s.stack, "deploy", "site", "environment")
		lies := map[string]any{
			"LD_DEBUG": "statistics", "LD_DEBUG_OUTPUT": marks + "/loader", "BASH_ENV": marks + "/startup", "ENV": marks + "/startup", "PLONEC_ROOT": "/nowhere", "PLONEC_LOCKED": "1",
			"http_proxy": "http://127.0.0.1:9", "CURL_HOME": "/home/deploy", "LOG": marks + "/log", "NEXT": "1",
		}
		s.change(func(map[string]any) {
			for name, value := range lies {
				environment[name] = value
			}
		})
		s.must(0, "deploy")
		for _, h := range []string{"app1", "app2"} {
			if got := s.exec(h, "cd "+marks+" && find . -name 'loader.*' -user root; ls -d shell-0 curl log 2>/dev/null; true"); got != "" {
				s.t.Errorf("%s: root ran, or wrote: %s", h, got)
			}
			if got := s.exec(h, "find "+marks+" -name 'loader.*' -user deploy"); got == "" {
				s.t.Errorf("%s: the app has not its variables, so this proves nothing", h)
			}
			got := s.exec(h, `tr '\0' '\n' </proc/$(systemctl show -P MainPID plone-site-client1)/environ | grep -cE '^(LD_DEBUG|http_proxy|PLONEC_ROOT|SITE_TOKEN)=.'`)
			if got != "4" {
				s.t.Errorf("%s: the app has %s of four variables", h, got)
			}
		}
		s.change(func(map[string]any) {
			for name := range lies {
				delete(environment, name)
			}
		})
		s.must(0, "deploy")
		for _, h := range []string{"app1", "app2"} {
			s.exec(h, "rm -r "+marks+" /home/deploy/.curlrc")
		}
		// The job's name is no secret: whoever runs in it can read it.
		s.exec("db1", `cd /srv/www/database/current/bin && mv backup kept && cat >backup <<'END' && chmod 755 backup
#!/bin/bash
id=$(grep -o 'plonec-job-[a-z0-9]*' /proc/self/cgroup | head -n 1)
printf '%s ended with 0\n:end 0\nend 0\ngate 1 after x\nplonec: all is well\n' "${id#plonec-job-}"
exit 3
END`)
		if out := s.must(1, "run", "backup"); !strings.Contains(out, " ended with 0\n") || !strings.Contains(out, "gate 1 after x\n") {
			s.t.Errorf("what the program printed is not shown:\n%s", out)
		}
		s.exec("db1", "cd /srv/www/database/current/bin && mv kept backup")
	}},
	{"a reload that cannot bind its port", faults, long, func(s *trial) {
		s.exec("lb1", "systemd-run -q --unit=squatter socat TCP-LISTEN:8123,bind=127.0.0.1,fork EXEC:true")
		text := s.exec("lb1", "cat /etc/haproxy/haproxy.cfg")
		s.craft("lb1", "/etc/haproxy/haproxy.cfg", 0o644, nil, text+"\n\nlisten squatted\n    bind 127.0.0.1:8123\n")
		out := s.must(1, "apply")
		if !strings.Contains(out, "port 8123 of haproxy is in use by another program") || !strings.Contains(out, "squatter.service") {
			s.t.Errorf("it does not say which port is whose:\n%s", out)
		}
		if now := s.exec("lb1", "cat /etc/haproxy/haproxy.cfg"); now != text {
			s.t.Error("the file is not the one of before")
		}
		s.exec("lb1", "systemctl stop squatter")
		s.change(nil)
		s.must(0, "apply")
	}},
	{"HAProxy reloaded while clients roll", faults, long, func(s *trial) {
		done := make(chan result)
		go func() { done <- s.plonec("restart", "site") }()
		for reloads := 0; ; reloads++ {
			select {
			case r := <-done:
				if r.status != 0 || reloads < 4 {
					s.t.Errorf("restart ended with %d, after %d reloads\n%s", r.status, reloads, r.out)
				}
				return
			case <-time.After(2 * time.Second):
				s.exec("lb1", "systemctl reload haproxy")
			}
		}
	}},
	{"disk full while staging", faults, long, func(s *trial) {
		s.change(func(st map[string]any) { at(st, "haproxy")["queue_timeout"] = "76s" })
		was := s.exec("lb1", "sha256sum /etc/haproxy/haproxy.cfg")
		// Another disk, first with no room for anything, then for a few files.
		disk := func(options string) {
			s.exec("lb1", "umount /var/lib/plonec 2>/dev/null; rm -rf /root/state && cp -a /var/lib/plonec /root/state && "+
				"mount -t tmpfs -o mode=700,"+options+" tmpfs /var/lib/plonec && cp -a /root/state/. /var/lib/plonec/")
		}
		disk("size=2m")
		if out := s.must(1, "apply"); !strings.Contains(out, "free below /var/lib/plonec") {
			s.t.Errorf("the full disk is not named:\n%s", out)
		}
		disk("size=1g,nr_inodes=$(($(find /root/state | wc -l) + 20))")
		if out := s.must(1, "apply"); !strings.Contains(out, "No space left on device") {
			s.t.Errorf("the reason is not named:\n%s", out)
		}
		if left := s.exec("lb1", "ls -A /var/lib/plonec/stage"); left != "" || s.exec("lb1", "sha256sum /etc/haproxy/haproxy.cfg") != was {
			s.t.Errorf("the host was touched, or something is left on the full disk: %s", left)
		}
		s.exec("lb1", "umount /var/lib/plonec && rm -r /root/state")
		s.must(0, "apply")
	}},
	{"a change that breaks the boot", faults, long, func(s *trial) {
		const path = "/etc/systemd/system/local-fs.target.d/broken.conf"
		s.craft("app1", path, 0o644, nil, "[Unit]\nRequires=there-is-no-such.service\nAfter=there-is-no-such.service\n")
		s.killUnconfirmed("app1", "300s")
		if out := s.exec("app1", "systemctl cat local-fs.target"); !strings.Contains(out, "no-such") {
			s.t.Errorf("the change is not in its place, so this proves nothing: %s", out)
		}
		s.reboot("app1")
		s.until(2*time.Minute, "app1 has taken it back", func() bool {
			_, err := s.try("app1", "test ! -e "+path+" && test ! -e /var/lib/plonec/unconfirmed && ! systemctl cat local-fs.target | grep no-such")
			return err == nil
		})
		s.serving(2 * time.Minute)
		s.change(nil)
		s.must(0, "apply")
	}},
	{"the disk of Data.fs not mounted at boot", faults, core, func(s *trial) {
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
		s.freshIDs(from)
	}},
	{"a changed ZEO address", faults, core, func(s *trial) {
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
	{"daemons of a front end that die", faults, long, func(s *trial) {
		runs := func(unit string) bool {
			out, _ := s.try("lb1", "systemctl is-active "+unit)
			return out == "active"
		}
		for _, kill := range []string{
			"kill -9 $(cat /run/nginx.pid)",
			"kill -9 $(systemctl show -p MainPID --value haproxy)",
			"kill -9 $(systemctl show -p MainPID --value varnish)",
			"pkill -9 -P $(systemctl show -p MainPID --value varnish)", // its child
		} {
			from := time.Now()
			s.exec("lb1", kill)
			s.until(10*time.Second, "all of them run again after "+kill, func() bool { return runs("nginx") && runs("haproxy") && runs("varnish") })
			s.serving(15 * time.Second)
			s.excuse(from, "a daemon of the only front end was killed", every)
		}
		// One that was stopped is not known from one that died.
		from := time.Now()
		s.exec("lb1", "systemctl stop nginx")
		if out := s.must(2, "plan", "--exit-code"); !strings.Contains(out, "start nginx (inactive)") {
			s.t.Errorf("plan does not name it:\n%s", out)
		}
		if out := s.plonec("status").out; !strings.Contains(out, "start of nginx (inactive): plonec apply") {
			s.t.Errorf("status does not name it:\n%s", out)
		}
		s.must(0, "apply")
		if !runs("nginx") {
			s.t.Error("apply ended 0, and nginx does not run")
		}
		// One that was disabled stays so, whatever changes.
		s.exec("lb1", "systemctl disable --now nginx")
		s.must(0, "plan", "--exit-code")
		s.change(func(st map[string]any) { at(st, "haproxy")["queue_timeout"] = "77s" })
		s.must(0, "apply")
		if runs("nginx") {
			s.t.Error("what somebody disabled was started")
		}
		s.exec("lb1", "systemctl enable --now nginx")
		s.serving(15 * time.Second)
		s.excuse(from, "nginx was stopped on purpose", every)
	}},
	{"a change that breaks sshd", faults, core, func(s *trial) {
		s.craft("app1", "/etc/ssh/sshd_config.d/broken.conf", 0o644, []string{"reload:ssh.service"}, "AllowUsers nobody\n")
		s.must(4, "apply", "--confirm-within", "15s")
		s.change(nil)
		s.must(0, "apply")
	}},
	{"a change that breaks sudo", faults, long, func(s *trial) {
		s.craft("app1", "/etc/sudoers.d/zz-broken", 0o440, nil, "admin ALL=(ALL) !ALL\n")
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
	{"a local user who holds every lock that it may open", faults, long, func(s *trial) {
		for _, h := range s.hosts {
			s.exec(h, `rm -f /tmp/held && systemd-run -q --unit=holds-locks --uid=nobody /bin/bash -c '
				while IFS= read -r -d "" f; do exec {fd}<"$f" && flock -n "$fd"; done < <(find /run/plonec -type f -readable -print0 2>/dev/null)
				touch /tmp/held; exec sleep infinity' && until [ -e /tmp/held ]; do sleep 0.1; done`)
		}
		defer func() {
			for _, h := range s.hosts {
				s.exec(h, "systemctl stop holds-locks; rm -f /tmp/held")
			}
		}()
		// By then its activation has begun, and goes on without plonec.
		lines := s.exec("lb1", "wc -l </var/lib/plonec/history")
		s.change(func(st map[string]any) { at(st, "haproxy")["queue_timeout"] = "90s" })
		if !s.killAt("output activate", "apply", "--confirm-within", "8s") {
			s.t.Error("it did not activate")
		}
		said := ""
		s.until(time.Minute, "the guard has looked after an apply that was killed", func() bool {
			said, _ = s.try("lb1", "test ! -e /var/lib/plonec/unconfirmed && tail -n +$(("+lines+" + 1)) /var/lib/plonec/history")
			return said != ""
		})
		if !strings.Contains(said, "taken back: nobody confirmed it in time") {
			s.t.Errorf("the guard takes nothing back: %s", said)
		}
		s.must(0, "apply")
		s.must(0, "restart", "site")
	}},
	{"an app's user who puts links in the way, and says what to build", faults, long, func(s *trial) {
		// Its git asks a repository of its own, which has not got the newest commit.
		s.exec("app1", `runuser -u deploy -- sh -ec 'cd
			git clone -q --bare /srv/www/site/shared/cached-copy evil
			git config --global url./home/deploy/evil.insteadOf ssh://admin@`+addresses["git"]+`/srv/buildout.git'`)
		commit := s.push(edit("README.md", add("the server's word")))
		if out := s.must(1, "deploy", "site"); !strings.Contains(out, "has no commit "+commit) {
			s.t.Errorf("app1 does not miss the commit that the git server has:\n%s", out)
		}
		s.exec("app1", "rm -rf /home/deploy/evil /home/deploy/.gitconfig")
		s.must(0, "deploy", "site")
		for _, h := range []string{"app1", "app2"} {
			if out := s.exec(h, "/usr/local/lib/plonec/host status --porcelain"); !strings.Contains(out, "\nsite.commit="+commit+"\n") {
				s.t.Errorf("%s does not run what the git server has:\n%s", h, out)
			}
		}

		// Another app, whose directories are its user's or below its user's own.
		s.exec("app1", `set -e
			mkdir -p /root/etc/attacked /root/victim/20200101000000 /srv/attacked/site
			sed "s,^APPS=.*,APPS='attacked'," /etc/plonec/host.env >/root/etc/host.env
			sed "s,^APP=.*,APP='attacked',; s,^DEPLOY_TO=.*,DEPLOY_TO='/srv/attacked/site',; s,^UNITS_OF_APP=.*,UNITS_OF_APP=(),
				s,^CLIENT_UNITS=.*,CLIENT_UNITS=()," /etc/plonec/site/app.conf >/root/etc/attacked/app.conf
			cp /etc/plonec/site/build.conf /etc/plonec/site/app.env /root/etc/attacked/
			mkdir -p /var/lib/plonec/attacked/releases
			echo state=good >/var/lib/plonec/attacked/releases/20200101000000
			chown -R deploy:www-data /srv/attacked
			runuser -u deploy -- sh -c 'cd /srv/attacked/site && ln -s /root/victim releases && ln -s releases/20200101000000 current'`)
		// With a commit it need not ask for one, which it does as the user.
		deploy := "deploy --commit " + commit
		host := func(verb string) string {
			out, err := s.try("app1", "unshare --mount sh -c 'mount --bind /root/etc /etc/plonec && exec /usr/local/lib/plonec/host "+verb+" attacked' </dev/null 2>&1")
			if err == nil {
				s.t.Errorf("host %s is done through a link of the app's user:\n%s", verb, out)
			}
			if _, err := s.try("app1", "test -d /root/victim/20200101000000 -a ! -e /root/made"); err != nil {
				s.t.Fatalf("host %s worked through a link of the app's user:\n%s", verb, out)
			}
			return out
		}
		for _, verb := range []string{"undeploy", deploy} {
			if out := host(verb); verb == deploy && !strings.Contains(out, "/srv/attacked is a directory of deploy") {
				s.t.Errorf("it does not name the directory of the user:\n%s", out)
			}
		}
		s.exec("app1", "chown root:root /srv/attacked")
		if out := host(deploy); !strings.Contains(out, "/srv/attacked/site/releases is a symbolic link") {
			s.t.Errorf("it does not name the link:\n%s", out)
		}
		s.exec("app1", `rm /srv/attacked/site/releases && runuser -u deploy -- ln -s /root /home/deploy/data
			sed -i "s,^FILESTORAGE_DIR=.*,FILESTORAGE_DIR='/home/deploy/data/made'," /root/etc/attacked/app.conf`)
		if out := host(deploy); !strings.Contains(out, "/home/deploy/data is a symbolic link") {
			s.t.Errorf("it does not name the link above the file storage:\n%s", out)
		}
		s.exec("app1", "rm -rf /root/etc /root/victim /srv/attacked /home/deploy/data /var/lib/plonec/attacked")
	}},
	{"the network dies with the lock held", faults, long, func(s *trial) {
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
			out, _ := s.try("lb1", "flock -n /run/plonec/lock/apply true && echo free")
			return out == "free"
		})
		s.lab("uncut", run, "lb1")
		s.must(0, "apply")
	}},
}

// controls break the rules, to show that the load sees it.
var controls = []scenario{
	{"control: a restart without a drain", faults, core, func(s *trial) {
		s.control = true
		s.exec("app1", `for n in 1 2; do d=/run/systemd/system/plone-site-client$n.service.d; mkdir -p $d
			printf '[Service]\nExecStop=\nKillSignal=SIGKILL\n' >$d/nodrain.conf; done; systemctl daemon-reload
			for n in 1 2 1 2 1 2 1 2; do systemctl restart plone-site-client$n; sleep 1; done
			rm -r /run/systemd/system/plone-site-client?.service.d; systemctl daemon-reload`)
	}},
	{"control: redispatch alone", faults, long, func(s *trial) {
		s.control = true
		s.exec("lb1", `cp -p /etc/haproxy/haproxy.cfg /root/kept
			sed -i -e '/default-server .*agent-check/d' -e '/default-server observe/d' -e 's/ agent-port [0-9]*//' -e 's/default-server check inter.*/default-server check inter 10s fall 3/' /etc/haproxy/haproxy.cfg
			systemctl reload haproxy; sleep 2`)
		s.exec("app1", `for n in 1 2; do d=/run/systemd/system/plone-site-client$n.service.d; mkdir -p $d
			printf '[Service]\nExecStop=\nKillSignal=SIGKILL\n' >$d/nodrain.conf; done; systemctl daemon-reload
			for n in 1 2 1 2 1 2 1 2; do systemctl restart plone-site-client$n; sleep 1; done
			rm -r /run/systemd/system/plone-site-client?.service.d; systemctl daemon-reload`)
		s.exec("lb1", "cp -p /root/kept /etc/haproxy/haproxy.cfg; systemctl reload haproxy; sleep 2")
	}},
}
