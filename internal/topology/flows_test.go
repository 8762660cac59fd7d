package topology

import (
	"fmt"
	"strings"
	"testing"
)

func TestFlows(t *testing.T) {
	server := func(address string) *Server { return &Server{Address: address, Port: 8081, AgentPort: 9081} }
	zeo := Storage{ZeoAddress: "10.0.0.9:8001"}
	client := func(name, address string, online bool) *Host {
		return &Host{Name: name, Address: address, Online: online, Apps: []*App{{Clients: []*Client{{}}, Storage: zeo, MemcachedServers: []string{"cache.example.org:11211"}}}}
	}
	top := &Topology{Hosts: []*Host{
		client("app1", "10.0.0.1", true), client("app2", "10.0.0.2", false),
		{Name: "db1", Address: "10.0.0.9", Online: true, Apps: []*App{{Clients: []*Client{{}}, Storage: zeo}}}, // to itself: none
		{Name: "lb1", Address: "10.0.0.7", Online: true, Front: &Front{
			Backends:  []*Backend{{Servers: []*Server{server("10.0.0.1"), server("127.0.0.1")}}, {Servers: []*Server{server("10.0.0.1")}}},
			Balancers: []Balancer{{Name: "lb1", Address: "10.0.0.7"}, {Name: "lb2", Address: "10.0.0.8"}},
		}},
	}}
	want := `{app1 cache.example.org 11211 memcached}
{app1 db1 8001 ZEO}
{lb1 10.0.0.8 10000 peers}
{lb1 app1 8081 client}
{lb1 app1 9080 agent}
{lb1 app1 9081 agent}`
	var got []string
	for _, f := range top.Flows() {
		got = append(got, fmt.Sprint(f))
	}
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}
