package e2e

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/service"
)

// A forecast is what plan or diff says of a host.
type forecast struct {
	Host   string
	Apply  []string
	Deploy []struct {
		App                  string
		Restart, Start, Stop []string
		Agent                string
	}
	Files []struct {
		Path, Kind, Waits string
		Effects           []string
	}
}

// does lists what a command should do to units: verb:unit, sorted.
func (f *forecast) does(command string) []string {
	does := slices.Clone(f.Apply)
	if command == "deploy" {
		for _, a := range f.Deploy {
			for verb, units := range map[string][]string{"restart": a.Restart, "start": a.Start, "stop": a.Stop} {
				for _, unit := range units {
					does = append(does, verb+":"+unit)
				}
			}
			if a.Agent != "" {
				does = append(does, a.Agent+":plonec-agent.service")
			}
		}
		for _, file := range f.Files {
			if file.Waits == "*clients" {
				does = append(does, file.Effects...)
			}
		}
	}
	slices.Sort(does)
	return does
}

// plan asks what would happen to the hosts as they are.
func (c *cluster) plan() []forecast {
	c.t.Helper()
	var plan struct{ Hosts []forecast }
	if err := json.Unmarshal([]byte(c.must(0, "plan", "--format", "json")), &plan); err != nil {
		c.t.Fatal(err)
	}
	return plan.Hosts
}

// foretold runs apply or deploy, and holds plan to what it said before: what
// the hosts' systemd did to the units of the stack is that, and nothing else.
func (c *cluster) foretold(command string) {
	c.t.Helper()
	plan := c.plan()
	began := time.Now()
	c.must(0, command)
	for _, h := range plan {
		if want, did := h.does(command), c.did(h.Host, began); !slices.Equal(want, did) {
			c.t.Errorf("%s on %s: plan said %q, systemd did %q", command, h.Host, want, did)
		}
	}
}

// reviewed changes the stack where the hosts have all that it was, and holds
// diff, which asks no host, to what plan sees on them.
func (c *cluster) reviewed(edit func(map[string]any)) {
	c.t.Helper()
	c.must(0, "plan", "--exit-code")
	c.change(edit)
	var diff struct {
		Effects struct{ Hosts []forecast }
		Causes  []struct{ Attribute string }
	}
	if err := json.Unmarshal([]byte(c.must(0, "diff", "--against", "HEAD~1", "--format", "json")), &diff); err != nil {
		c.t.Fatal(err)
	}
	if len(diff.Causes) == 0 {
		c.t.Error("diff names no cause")
	}
	plan := c.plan()
	if len(plan) != len(diff.Effects.Hosts) {
		c.t.Fatalf("diff speaks of %d hosts, plan of %d", len(diff.Effects.Hosts), len(plan))
	}
	for i, h := range plan {
		if d := diff.Effects.Hosts[i]; !reflect.DeepEqual(d, h) {
			c.t.Errorf("%s: diff says %+v, plan %+v", h.Host, d, h)
		}
	}
}

// A unitJob is one thing that a host's systemd has done to a unit of a stack.
type unitJob struct {
	unit, verb string // reload, restart, start or stop
	at         time.Time
}

var stackUnits = func() *regexp.Regexp {
	units := []string{`plone-.*\.(service|timer)`}
	for _, s := range service.All() {
		if s.Unit != "" {
			units = append(units, regexp.QuoteMeta(s.Unit))
		}
	}
	return regexp.MustCompile("^(" + strings.Join(units, "|") + ")$")
}()

// jobs lists what a host's systemd has done since a time.
func (c *cluster) jobs(host string, since time.Time) []unitJob {
	c.t.Helper()
	out := c.exec(host, fmt.Sprintf("journalctl -q -o json _PID=1 --since @%d.%06d", since.Unix(), since.Nanosecond()/1000))
	var list []unitJob
	for dec := json.NewDecoder(strings.NewReader(out)); ; {
		var e struct {
			Unit string
			Verb string `json:"JOB_TYPE"`
			Done string `json:"JOB_RESULT"`
			At   int64  `json:"__REALTIME_TIMESTAMP,string"` // microseconds
		}
		if dec.Decode(&e) != nil {
			return list
		}
		if e.Done == "done" && stackUnits.MatchString(e.Unit) {
			list = append(list, unitJob{e.Unit, e.Verb, time.UnixMicro(e.At)})
		}
	}
}

// did is the same as effects, one for each unit: reload:UNIT, restart:UNIT,
// start:UNIT, stop:UNIT.
func (c *cluster) did(host string, since time.Time) []string {
	c.t.Helper()
	last := map[string]string{}
	for _, j := range c.jobs(host, since) {
		if before := last[j.unit]; before == "stop" && j.verb == "start" || before == "restart" {
			j.verb = "restart"
		}
		last[j.unit] = j.verb
	}
	var list []string
	for unit, verb := range last {
		list = append(list, verb+":"+unit)
	}
	return slices.Sorted(slices.Values(list))
}

// applies are changes of configuration.
var applies = []scenario{
	{"a reload of nginx and HAProxy", dayTwo, core, func(s *trial) {
		s.change(func(st map[string]any) {
			at(st, "nginx_plone")["additional_config"] = "add_header X-Frame-Options SAMEORIGIN always;"
			at(st, "haproxy")["queue_timeout"] = "50s"
		})
		s.must(0, "apply")
		if out := s.exec("lb1", "curl -sI -H 'Host: www.example.com' http://"+addresses["lb1"]+"/"); !strings.Contains(out, "SAMEORIGIN") {
			s.t.Errorf("nginx serves the old configuration:\n%s", out)
		}
	}},
	{"plan and diff, held to account, with more clients, then fewer", dayTwo, long, func(s *trial) {
		s.must(0, "deploy")
		s.reviewed(func(st map[string]any) {
			at(st, "nginx_plone")["additional_config"] = "add_header X-Test one always;"
			at(st, "haproxy")["queue_timeout"] = "51s"
			at(st, "plone_instances")["zodb_cache_size"] = 21000
		})
		s.foretold("apply")
		s.foretold("deploy")
		s.reviewed(func(st map[string]any) { delete(at(st, "nginx_plone"), "additional_config") })
		s.foretold("apply")
		s.reviewed(func(st map[string]any) { at(st, "plone_instances")["per_cpu"] = 1.5 })
		s.foretold("apply")
		if out := s.exec("lb1", "grep -c client3 /etc/haproxy/haproxy.cfg || true"); out != "0" {
			s.t.Error("the balancer sends requests to clients that do not run yet")
		}
		s.foretold("deploy")
		s.until(20*time.Second, "six clients are up", func() bool {
			return s.exec("lb1", "/usr/local/lib/plonec/host backends | grep -c UP") == "6"
		})
		// No release from before has a client3.
		if out := s.must(1, "rollback", "site"); !strings.Contains(out, "fewer clients do not fit") {
			s.t.Errorf("a rollback to a release of fewer clients:\n%s", out)
		}
		s.reviewed(func(st map[string]any) { at(st, "plone_instances")["per_cpu"] = 1 })
		s.foretold("apply")
		s.foretold("deploy")
		if out := s.exec("app1", "systemctl list-units --all --no-legend 'plone-site-client3*'; ls /etc/systemd/system | grep client3 || true"); out != "" {
			s.t.Errorf("client3 is still there: %s", out)
		}
		// A plan is of the hosts as they were.
		s.change(func(st map[string]any) { at(st, "haproxy")["queue_timeout"] = "52s" })
		file := s.dir + "/../" + s.name + ".plan"
		s.must(0, "plan", "--out", file)
		s.exec("lb1", "echo '# by hand' >>/etc/haproxy/haproxy.cfg")
		out := s.must(1, "apply", "--plan", file)
		if !strings.Contains(out, "lb1") || s.exec("lb1", "tail -n 1 /etc/haproxy/haproxy.cfg") != "# by hand" {
			s.t.Errorf("a plan of what is no more was followed:\n%s", out)
		}
		s.exec("lb1", "sed -i '$d' /etc/haproxy/haproxy.cfg")
		s.must(0, "apply", "--plan", file)
	}},
	{"Varnish leaves a front end, and comes back", dayTwo, long, func(s *trial) {
		how := func() string {
			out, _ := s.try("lb1", "systemctl is-active varnish; systemctl is-enabled varnish")
			return strings.ReplaceAll(out, "\n", " ")
		}
		s.reviewed(func(st map[string]any) { at(st, "nginx_plone")["proxy_port"] = 8080 })
		s.foretold("apply")
		if got := how(); got != "inactive disabled" {
			s.t.Errorf("Varnish left, and is %s", got)
		}
		s.must(0, "plan", "--exit-code")
		// Its package's own configuration is back, which a diff of trees does not know of.
		s.change(func(st map[string]any) { delete(at(st, "nginx_plone"), "proxy_port") })
		s.foretold("apply")
		if got := how(); got != "active enabled" {
			s.t.Errorf("Varnish came back, and is %s", got)
		}
		s.must(0, "plan", "--exit-code")
	}},
	{"a configuration that a checker refuses", dayTwo, core, func(s *trial) {
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
	{"a hand-edited file", dayTwo, core, func(s *trial) {
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
	{"a file that was there before comes back", dayTwo, core, func(s *trial) {
		s.exec("app1", "echo mine >/etc/plonec-test.conf")
		s.craft("app1", "/etc/plonec-test.conf", 0o644, nil, "from the tree\n")
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
