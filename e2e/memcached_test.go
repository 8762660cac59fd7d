package e2e

import "strings"

// memcached on a host of its own: there before the clients that are told of it, shown
// by status, started anew where its file changed, and stopped by the change that takes
// its role away, when no client asks it any more.
var _ = onCluster("TestRelStorage", scenario{"memcached comes, changes and leaves", services, long, func(s *trial) {
	const host = "app3"
	how := func() string {
		out, _ := s.try(host, "systemctl is-active memcached; systemctl is-enabled memcached")
		return strings.Join(strings.Fields(out), " ")
	}
	listens := addresses[host] + ":11211"
	s.start(host)
	s.change(func(st map[string]any) {
		at(st, "instances")[host] = map[string]any{"layers": []string{"memcached"}, "address": addresses[host], "cpus": 1}
	})
	s.must(0, "deploy")
	if got := how(); got != "active enabled" {
		s.t.Errorf("memcached is %s", got)
	}
	if out := s.exec(host, "ss -Hltn"); !strings.Contains(out, listens) {
		s.t.Errorf("nothing listens at %s:\n%s", listens, out)
	}
	if out := s.must(0, "status"); !strings.Contains(out, "memcached") {
		s.t.Errorf("status does not show it:\n%s", out)
	}
	if conf := s.exec("app1", "cat /etc/plonec/site/deploy.cfg"); !strings.Contains(conf, listens) {
		s.t.Errorf("the clients are not told of it:\n%s", conf)
	}
	// It ran before any client of the release that knows of it.
	since := func(host, unit string) string {
		return s.exec(host, "date -d \"$(systemctl show -p ActiveEnterTimestamp --value "+unit+")\" +%s")
	}
	if cache, client := since(host, "memcached"), since("app1", "plone-site-client1"); cache == "" || cache > client {
		s.t.Errorf("memcached is up since %q, the first client since %q", cache, client)
	}

	s.reviewed(func(st map[string]any) { st["memcached"] = map[string]any{"memory": 80} })
	s.foretold("apply")
	if out := s.exec(host, "tr '\\0' ' ' </proc/$(systemctl show -p MainPID --value memcached)/cmdline"); !strings.Contains(out, "-m 80") {
		s.t.Errorf("it runs as before: %s", out)
	}

	s.change(func(st map[string]any) {
		at(st, "instances", host)["layers"] = []string{"spare"}
		st["layers"] = map[string]any{"spare": map[string]any{"roles": []string{}}}
		delete(st, "memcached")
	})
	s.must(0, "deploy")
	if got := how(); got != "inactive disabled" {
		s.t.Errorf("memcached left, and is %s", got)
	}
	s.must(0, "plan", "--exit-code")
	s.change(func(st map[string]any) {
		delete(at(st, "instances"), host)
		delete(st, "layers")
	})
	s.must(0, "apply")
	s.lab("forget", run, host)
}})
