package topology_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
)

const voltoApps = `"plone_instances": {"app_name": "site", "per_cpu": 1, "shared_blobs": false}, "plone_zeoserver": {"app_name": "site"},
  "deploy": {"site": {"scm": {"repository": "https://example.org/b.git"}, "domains": ["example.org"]}}, "haproxy": {"enable_stats": false}`

func voltoStack(more string) string {
	return `{"instances": {
	  "lb1": {"layers": ["lb"], "address": "10.0.0.1"}, "lb2": {"layers": ["lb"], "address": "10.0.0.9"},
	  "app1": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1}, "db1": {"layers": ["zeoserver"], "address": "10.0.0.4"},
	  "page1": {"layers": ["volto"], "address": "10.0.0.5", "cpus": 3}, "page2": {"layers": ["volto"], "address": "10.0.0.6", "cpus": 1, "status": "stopped"}},
	  ` + voltoApps + `, "volto": {"node": "24.21.0", "per_cpu": 0.5}` + more + `}`
}

// Processes of Volto: how many, where, in whose order, and whom they ask and are asked by.
func TestVolto(t *testing.T) {
	got, diags := resolve(t, voltoStack(""))
	if list := codes(diags); len(list) > 0 {
		t.Error(list)
	}
	hosts := map[string]*topology.Host{}
	for _, h := range got.Hosts {
		hosts[h.Name] = h
	}
	var lines []string
	for _, v := range hosts["page1"].Apps[0].Voltos {
		lines = append(lines, fmt.Sprint(v.Unit, v.Address, v.Port, v.AgentPort, v.Balancer, v.Site.PublicName(), v.Node))
	}
	for _, s := range hosts["page1"].Services() {
		lines = append(lines, fmt.Sprint(s.Unit, s.Kind.Name, s.Server, s.Rank()))
	}
	front := hosts["lb1"].Front
	for _, s := range front.Backends[0].Voltos {
		lines = append(lines, fmt.Sprint(*s))
	}
	lines = append(lines, fmt.Sprint(front.APIBind, hosts["lb2"].Front.APIBind, len(front.Backends[0].Servers), front.Sites[0].Volto, hosts["app1"].Runs(service.Agent), hosts["db1"].Runs(service.Agent), hosts["page1"].Rank() < hosts["lb1"].Rank()))
	want := []string{
		"plone-site-volto1.service10.0.0.530014001 10.0.0.1:8080example.org24.21.0",
		"plone-site-volto2.service10.0.0.530024002 10.0.0.1:8080example.org24.21.0",
		"plonec-agent.serviceagent1", "plone-site-volto1.servicevoltopage1-volto11", "plone-site-volto2.servicevoltopage1-volto21",
		"{page1-volto1 10.0.0.5 3001 4001 16}", "{page1-volto2 10.0.0.5 3002 4002 16}",
		"10.0.0.1 1 true true false true",
	}
	if clean := func(list []string) string { return strings.ReplaceAll(strings.Join(list, "\n"), " ", "") }; clean(lines) != clean(want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	var flows []string
	for _, f := range got.Flows() {
		if strings.Contains(fmt.Sprint(f), "page1") && f.From != "lb2" {
			flows = append(flows, fmt.Sprint(f))
		}
	}
	if want := []string{"{lb1 page1 3001 Volto}", "{lb1 page1 3002 Volto}", "{lb1 page1 4001 agent}", "{lb1 page1 4002 agent}", "{lb1 page1 9080 agent}", "{page1 lb1 8080 API}"}; !slices.Equal(flows, want) {
		t.Errorf("flows %v", flows)
	}

	// All on one host: nothing listens beside the loopback.
	got, _ = resolve(t, `{"instances": {"all": {"layers": ["lb", "volto", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 2}}, `+voltoApps+`, "volto": {"node": "/opt/node"}}`)
	h := got.Hosts[0]
	if v := h.Apps[0].Voltos; len(v) != 2 || v[0].Address != "127.0.0.1" || v[0].Balancer != "127.0.0.1:8080" || h.Front.APIBind != "" {
		t.Errorf("%+v, the API at %q", v, h.Front.APIBind)
	}
	agents := 0
	for _, s := range h.Services() {
		if s.Kind == service.Agent {
			agents++
		}
	}
	if agents != 1 {
		t.Errorf("%d agents", agents)
	}
}

// What cannot be of Volto is said, with its place.
func TestVoltoFaults(t *testing.T) {
	const domains = `"domains": ["example.org"]`
	for _, test := range []struct{ name, old, new, code string }{
		{"no Node", `"node": "24.21.0", `, "", "volto-no-node"},
		{"two names", domains, `"domains": ["example.org", "www.example.org"]`, "volto-one-address"},
		{"any name below one", domains, `"domains": ["*.example.org"]`, "volto-one-address"},
		{"HTTP beside HTTPS", domains, domains + `, "ssl_support": true, "ssl_certificate": {"$secret": "env:C"}, "ssl_certificate_key": {"$secret": "env:K"}`, "volto-one-address"},
		{"another app's", `"volto": {`, `"volto": {"app_name": "other", `, "volto-no-backend"},
		{"no front end", `"layers": ["lb"]`, `"layers": ["memcached"]`, "volto-no-backend"},
		{"no CPUs", `"address": "10.0.0.5", "cpus": 3`, `"address": "10.0.0.5"`, "unknown-cpus"},
		{"a name of balancers", `"deploy": {`, `"deploy": {"site-volto": {"scm": {"repository": "https://example.org/b.git"}, "domains": ["x.example.org"]}, `, "reserved-name"},
	} {
		stack := voltoStack("")
		if !strings.Contains(stack, test.old) {
			t.Fatalf("%s: no %s", test.name, test.old)
		}
		stack = strings.ReplaceAll(stack, test.old, test.new)
		if test.code == "reserved-name" {
			stack = strings.Replace(stack, `"db1":`, `"app2": {"layers": ["second"], "address": "10.0.0.7", "cpus": 1}, "db1":`, 1)
			stack = strings.Replace(stack, `"volto": {"node"`, `"layers": {"second": {"roles": ["clients"], "custom_json": {"plone_instances": {"app_name": "site-volto"}}}}, "volto": {"node"`, 1)
		}
		_, diags := resolve(t, stack)
		if list := codes(diags); !slices.Contains(list, test.code) {
			t.Errorf("%s: %v", test.name, list)
		}
	}
	for _, good := range []string{
		strings.Replace(voltoStack(`, "nginx_plone": {"canonical": ["www.example.org"]}`), domains, `"domains": ["example.org", "www.example.org"]`, 1),
	} {
		if _, diags := resolve(t, good); slices.Contains(codes(diags), "volto-one-address") {
			t.Error(diags)
		}
	}
}
