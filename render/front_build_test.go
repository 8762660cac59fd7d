package render

import (
	"cmp"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// system is what the hosts of the tests run. It is the one whose programs judge
// where testdata/systems says, Debian 12 otherwise.
var system = cmp.Or(os.Getenv("PLONEC_TEST_SYSTEM"), "debian12")

// ownSystem is that row of the systems.
func ownSystem() topology.System {
	s, ok := topology.SystemOf(system)
	if !ok {
		panic("no system is called " + system)
	}
	return s
}

// frontHost builds a front end by hand: one app, plone, with two clients of
// four threads, and the attributes' defaults.
func frontHost(change ...func(*topology.Host)) *topology.Host {
	h := &topology.Host{
		Name: "web1", Address: "10.0.1.10", System: ownSystem(), Status: "online", Online: true,
		Roles: []topology.Role{topology.Frontend},
		Stack: &schema.Stack{
			Plonec:         &schema.Plonec{},
			PloneInstances: &schema.PloneInstances{AppName: "plone", SiteID: "Plone"},
			NginxPlone:     &schema.NginxPlone{ProxyPort: 6081, LogRetentionDays: 14, ClientMaxBodySize: "128m", IPv6: true},
			Nginx:          &schema.Nginx{},
			VarnishPlone: &schema.VarnishPlone{
				Grace: schema.Seconds(time.Minute), DefaultTTL: schema.Seconds(5 * time.Minute), NotFoundTTL: schema.Seconds(10 * time.Second),
				MaxBody: "16m", Cookies: []string{"I18N_LANGUAGE", "cart", "connect.sid", "_shibsession_*"},
			},
			Varnish: &schema.Varnish{StorageSize: "256M"},
			Haproxy: &schema.Haproxy{
				Balance: "leastconn", Retries: 3, Rise: 2, Fall: 3, HTTPServerClose: true,
				CheckInterval:      schema.Millis(2 * time.Second),
				ServerTimeout:      schema.Millis(15 * time.Minute),
				ClientTimeout:      schema.Millis(time.Minute),
				QueueTimeout:       schema.Millis(2 * time.Minute),
				ConnectTimeout:     schema.Millis(10 * time.Second),
				HTTPRequestTimeout: schema.Millis(30 * time.Second),
				EnableStats:        true, StatsURL: "/balancer/stats", StatsUser: "stats", StatsRate: 2,
				StatsPassword:     schema.Secret{Ref: "env:STATS", Source: "env:STATS"},
				HealthCheckMethod: "GET", HealthCheckURL: "/ok",
				StatsSocketPath: "/run/haproxy/admin.sock", StatsSocketLevel: "admin",
			},
			Deploy: map[string]*schema.App{"plone": {}},
		},
		Front: &topology.Front{
			HaproxyBind: "127.0.0.1", Cache: true, VarnishBind: "127.0.0.1", PurgeBind: []string{"127.0.0.1"},
			Backends: []*topology.Backend{{Name: "plone", Servers: []*topology.Server{
				{Name: "app1-client1", Address: "10.0.2.11", Port: 8081, AgentPort: 9081, MaxConn: 3},
				{Name: "app1-client2", Address: "10.0.2.11", Port: 8082, AgentPort: 9082, MaxConn: 3},
			}}},
			Sites: []*topology.Site{{App: "plone", Names: []string{"www.example.com"}, Path: "Plone", Main: true}},
			Stats: true,
		},
	}
	for _, c := range change {
		c(h)
	}
	return h
}

// texts is configuration of a stack's own without a secret.
func texts(all ...string) schema.Pasted {
	var p schema.Pasted
	for _, text := range all {
		p = append(p, schema.Piece{Text: text})
	}
	return p
}

// rendered gives the host's files by path.
func rendered(t testing.TB, h *topology.Host) map[string]string {
	t.Helper()
	files, err := Host(h)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, f := range files {
		texts[f.Path] = string(f.Content)
	}
	return texts
}

// manyServers gives a backend of n clients, four to a host.
func manyServers(n int) []*topology.Server {
	servers := make([]*topology.Server, n)
	for i := range servers {
		host, client := i/4, i%4+1
		servers[i] = &topology.Server{
			Name: fmt.Sprintf("app%05d-client%d", host, client), Address: fmt.Sprintf("10.%d.%d.%d", 1+host>>16, host>>8&255, host&255),
			Port: service.HaproxyPort + client, AgentPort: service.AgentPort + client, MaxConn: 3,
		}
	}
	return servers
}
