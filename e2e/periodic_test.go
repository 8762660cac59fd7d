package e2e

import (
	"encoding/json"
	"strings"
	"time"
)

// A packed is what "plonec status" says of the pack of db1's database.
type packed struct{ Name, Result, Began, By, Why, Timer, Next string }

// packed asks for it; it is empty where status does not name it.
func (c *cluster) packed() packed {
	c.t.Helper()
	out, err := c.command("status", "--host", "db1", "--format", "json").Output()
	var all struct {
		Hosts []struct{ Apps []struct{ Jobs []packed } }
	}
	if err == nil {
		err = json.Unmarshal(out, &all)
	}
	if err != nil {
		c.t.Fatalf("plonec status: %v\n%s", err, out)
	}
	for _, p := range all.Hosts[0].Apps[0].Jobs {
		if p.Name == "pack" {
			return p
		}
	}
	return packed{}
}

var _ = onCluster("TestZope", scenario{"a timer packs the ZEO server", services, long, func(s *trial) {
	const timer, service = "plone-database-pack.timer", "plone-database-pack.service"
	packAt := func(calendar string) func(map[string]any) {
		return func(st map[string]any) { at(st, "plone_zeoserver")["pack_at"] = calendar }
	}
	// A pack may be at work, and holds what apply needs.
	apply := func() {
		s.t.Helper()
		s.until(time.Minute, "apply", func() bool { return s.plonec("apply").status == 0 })
	}

	// An apply that nobody confirms leaves no timer.
	s.change(packAt("Sun 01:00"))
	if !s.killAt("output activate", "apply", "--confirm-within", "15s") {
		s.t.Fatal("apply ended before it was killed")
	}
	s.until(time.Minute, "the timer is there", func() bool {
		_, err := s.try("db1", "systemctl is-active "+timer)
		return err == nil
	})
	s.until(time.Minute, "the change is taken back", func() bool {
		_, err := s.try("db1", "! test -e /var/lib/plonec/unconfirmed && ! test -e /etc/systemd/system/"+timer)
		return err == nil
	})
	if out := s.exec("db1", "systemctl list-timers --all --no-legend "+timer+"; ls /etc/systemd/system/timers.target.wants"); strings.Contains(out, timer) {
		s.t.Errorf("the timer is left: %s", out)
	}

	s.exec("db1", "timedatectl set-timezone Asia/Kolkata")
	s.foretold("apply")
	if p := s.packed(); p.Timer != "active" || p.By == "timer" || !strings.HasSuffix(p.Next, "T01:00:00Z") {
		s.t.Errorf("with a timer that is new: %+v", p)
	}
	s.must(0, "deploy")
	if out := s.exec("db1", "ls /srv/www/database/current/bin"); strings.Contains(out, "packcronjob") || !strings.Contains(out, "zeopack") {
		s.t.Errorf("the release has %s", out)
	}

	// It packs, and is not late by another calendar for what it did by this one.
	s.change(packAt("*:*:0/10"))
	apply()
	s.until(2*time.Minute, "the timer packs", func() bool { p := s.packed(); return p.Result == "done" && p.By == "timer" })
	s.change(packAt("Sun 01:00"))
	apply()
	s.until(time.Minute, "no pack is at work", func() bool { return s.packed().Result == "done" })
	last := s.packed()
	earlier := time.Now().UTC().Format("15:04:05")
	time.Sleep(2 * time.Second)
	s.change(packAt(earlier))
	s.foretold("apply")
	p := s.packed()
	if next, err := time.Parse(time.RFC3339, p.Next); err != nil || time.Until(next) < 23*time.Hour || p.Began != last.Began {
		s.t.Errorf("at %s of a day, seconds later: %+v after %+v", earlier, p, last)
	}

	// It waits for another verb.
	began := time.Now()
	s.exec("db1", "flock /run/plonec/lock/work sleep 6 & sleep 1; systemctl start "+service+"; wait")
	if p := s.packed(); p.Result != "done" || p.Began == last.Began || time.Since(began) < 6*time.Second {
		s.t.Errorf("after %s beside a verb of 6 s: %+v", time.Since(began), p)
	}
	if _, err := s.try("db1", "touch /var/lib/plonec/database/stopped && systemctl start "+service); err != nil {
		s.t.Error(err)
	}
	if p := s.packed(); p.Result != "skipped" || p.Why != "database is stopped" {
		s.t.Errorf("of an app that is stopped: %+v", p)
	}
	s.exec("db1", "rm /var/lib/plonec/database/stopped")

	// One that fails is told, until one does not.
	s.exec("db1", "chmod -x /srv/www/database/current/bin/zeopack")
	if out, err := s.try("db1", "systemctl start "+service); err == nil {
		s.t.Errorf("it packs without a program: %s", out)
	}
	if out := s.must(2, "status", "--exit-code"); !strings.Contains(out, "has no bin/zeopack or bin/zodbpack") || !strings.Contains(out, "plonec run pack --host db1") {
		s.t.Errorf("status does not tell of a pack that failed:\n%s", out)
	}
	s.exec("db1", "chmod +x /srv/www/database/current/bin/zeopack; kill -STOP $(systemctl show -p MainPID --value plone-database-zeo.service)")
	from := time.Now()
	s.exec("db1", "systemctl start --no-block "+service+"; sleep 1; systemctl kill -s KILL "+service+"; kill -CONT $(systemctl show -p MainPID --value plone-database-zeo.service)")
	s.excuse(from, "the ZEO server was halted", every)
	if p := s.packed(); p.Result != "cut short" {
		s.t.Errorf("of one that was killed: %+v", p)
	}
	s.must(0, "run", "pack")
	if p := s.packed(); p.Result != "done" || p.By != "hand" {
		s.t.Errorf("by hand: %+v", p)
	}
	s.must(0, "status", "--exit-code")

	// Without a time there is no timer, and the buildout's part is back.
	s.change(func(st map[string]any) { delete(st["plone_zeoserver"].(map[string]any), "pack_at") })
	s.foretold("apply")
	if out, err := s.try("db1", "ls /etc/systemd/system/plone-database-pack.* || systemctl list-timers --all --no-legend "+timer); err == nil && out != "" && !strings.Contains(out, "cannot access") {
		s.t.Errorf("the timer is left: %s", out)
	}
	s.must(0, "deploy")
	if out := s.exec("db1", "ls /srv/www/database/current/bin"); !strings.Contains(out, "packcronjob") {
		s.t.Errorf("the release has %s", out)
	}
	s.exec("db1", "timedatectl set-timezone UTC")
}})
