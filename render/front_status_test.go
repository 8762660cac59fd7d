package render

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// nginx tells its figures at the loopback, and at the private address to the networks of
// nginx_plone.status; to nobody where visitors come.
func TestNginxStatus(t *testing.T) {
	t.Parallel()
	f, _ := echoed(t, frontHost(func(h *topology.Host) {
		h.Address = "127.9.9.9"
		h.Stack.NginxPlone.Status = []string{"127.8.0.1/16", "fd00::/8"}
		h.Stack.Plonec.TrustedProxies = []string{"127.0.0.0/8"}
	}))
	ask := func(at, from, target string) answer {
		t.Helper()
		a, err := tryAsk(fmt.Sprint(at, ":", f.ports.status), from, "GET", "any", target)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, test := range []struct {
		at, from, target string
		want             int
	}{
		{"127.0.0.1", "127.0.0.1", "/status", 200}, {"127.9.9.9", "127.8.4.4", "/status", 200},
		{"127.9.9.9", "127.7.0.1", "/status", 403}, {"127.0.0.1", "127.7.0.1", "/status", 403},
		{"127.9.9.9", "127.8.4.4", "/", 404}, {"127.9.9.9", "127.7.0.1", "/maintenance", 403}, {"127.9.9.9", "127.8.4.4", "/status/x", 404},
	} {
		if a := ask(test.at, test.from, test.target); a.Status != test.want || a.Status == 200 != strings.Contains(a.Body, "Active connections:") {
			t.Errorf("%s%s from %s: %v, want %d", test.at, test.target, test.from, a, test.want)
		}
	}
	// Whom a trusted balancer speaks of has no say here.
	if a, err := tryAsk(fmt.Sprint("127.0.0.1:", f.ports.status), "127.7.0.1", "GET", "any", "/status", "X-Forwarded-For: 127.0.0.1"); err != nil || a.Status != 403 {
		t.Error("by a header:", a, err)
	}
	for _, host := range []string{"www.example.com", "127.0.0.1"} {
		if a := f.ask("GET", host, "/status"); strings.Contains(a.Body, "Active connections:") {
			t.Errorf("visitors of %s see the figures", host)
		}
	}
}

// TestNginxNetworks: nginx takes every list of networks without a word, however they overlap
// and are written, and each lets in whom it names.
func TestNginxNetworks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		networks []string
		inside   bool
	}{
		{[]string{"0.0.0.0/0"}, true}, {[]string{"::/0"}, false}, {[]string{"0.0.0.0/0", "::/0", "127.0.0.1"}, true},
		{[]string{"127.0.0.1", "127.0.0.1/32", "127.0.0.0/8", "127.0.0.9/8"}, true}, {[]string{"128.0.0.0/1", "FD00::1", "fd00:0::1/128", "fd00::1/8"}, false},
	} {
		f, _ := echoed(t, frontHost(func(h *topology.Host) {
			n := h.Stack.NginxPlone
			h.Address = "127.9.9.9"
			n.ZMI, n.Status, h.Stack.Haproxy.StatsAllow, h.Stack.Plonec.TrustedProxies = test.networks, test.networks, test.networks, []string{"10.0.0.1", "10.0.0.1/32", "::/0"}
		}))
		out, err := exec.Command(program(t, "nginx"), append(f.nginxArgs(), "-t", "-q")...).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", test.networks, err, out)
		}
		want := 403
		if test.inside {
			want = 200
		}
		if a := f.ask("GET", "www.example.com", "/manage"); a.Status != want {
			t.Errorf("%s: %v", test.networks, a)
		}
		if a := f.ask("GET", "127.0.0.1", "/balancer/stats"); a.Status != want {
			t.Errorf("%s: %v", test.networks, a)
		}
		if a := ask(t, f.ports.status, "GET", "any", "/status"); a.Status != 200 {
			t.Errorf("%s: %v", test.networks, a)
		}
	}
}

// It listens once where the private address is the loopback, and at the loopback alone
// where nobody else may.
func TestNginxStatusListen(t *testing.T) {
	for _, c := range []struct {
		address string
		status  []string
		want    string
		from    service.From
	}{
		{"10.0.1.10", nil, "[127.0.0.1:8079]", service.ItsOwnHost},
		{"10.0.1.10", []string{"10.0.0.0/8"}, "[127.0.0.1:8079 10.0.1.10:8079]", service.Watchers},
		{"fd00::1", []string{"fd00::/8"}, "[127.0.0.1:8079 [fd00::1]:8079]", service.Watchers},
		{"127.0.0.1", []string{"10.0.0.0/8"}, "[127.0.0.1:8079]", service.Watchers},
	} {
		h := frontHost(func(h *topology.Host) { h.Address, h.Stack.NginxPlone.Status = c.address, c.status })
		if got := fmt.Sprint(hostView{h}.StatusListen()); got != c.want {
			t.Errorf("%s: %s, want %s", c.address, got, c.want)
		}
		ports := service.Nginx.Ports(service.Host{Stack: &schema.Stack{NginxPlone: h.Stack.NginxPlone}})
		if last := ports[len(ports)-1]; last.Number != 8079 || last.From != c.from {
			t.Errorf("%v", last)
		}
	}
}
