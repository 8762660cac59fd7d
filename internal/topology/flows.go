package topology

import (
	"cmp"
	"net"
	"slices"
	"strconv"

	"github.com/plonec/plonec/internal/service"
)

// A Flow is a connection that one host of the stack makes to another, or to an
// address that is no host of it.
type Flow struct {
	From, To string // names of hosts; an address where it is none of the stack's
	Port     int    // TCP
	For      string // what listens there: client1, its agent, ZEO, …
}

// Flows lists the connections between the hosts that are online, which a
// firewall has to let pass. Those of a host to itself, of visitors and of ssh
// are not among them. They are sorted, and each is there once.
func (t *Topology) Flows() []Flow {
	names := map[string]string{}
	for _, h := range t.Hosts {
		names[h.Address] = h.Name
	}
	var flows []Flow
	add := func(from *Host, address string, port int, what string) {
		to := cmp.Or(names[address], address)
		if to != "" && to != from.Name && port > 0 && !isLoopback(address) {
			flows = append(flows, Flow{from.Name, to, port, what})
		}
	}
	at := func(from *Host, hostPort, what string) {
		if host, port, err := net.SplitHostPort(hostPort); err == nil {
			n, _ := strconv.Atoi(port)
			add(from, host, n, what)
		}
	}
	for _, h := range t.Hosts {
		if !h.Online {
			continue
		}
		if h.Front != nil {
			for _, b := range h.Front.Backends {
				for _, s := range b.Voltos {
					add(h, s.Address, s.Port, "Volto")
					add(h, s.Address, s.AgentPort, "agent")
					add(h, s.Address, service.AgentPort, "agent")
				}
				for _, s := range b.Servers {
					add(h, s.Address, s.Port, "client")
					add(h, s.Address, s.AgentPort, "agent")
					add(h, s.Address, service.AgentPort, "agent")
				}
			}
			for _, b := range h.Front.Balancers {
				add(h, b.Address, service.PeersPort, "peers")
			}
		}
		for _, a := range h.Apps {
			if len(a.Voltos) > 0 {
				at(h, a.Voltos[0].Balancer, "API")
			}
			if len(a.Clients) > 0 {
				at(h, a.Storage.ZeoAddress, "ZEO")
				if r := a.Storage.RelStorage; r != nil && !r.DSN.IsSet() {
					add(h, r.Host, cmp.Or(r.Port, r.Database().Port), r.Type)
				}
			}
			for _, m := range a.MemcachedServers {
				at(h, m, "memcached")
			}
			if a.BrokerHost != "" {
				add(h, a.BrokerHost, a.BrokerPort, "Celery's broker")
			}
		}
	}
	slices.SortFunc(flows, func(a, b Flow) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Port, b.Port), cmp.Compare(a.For, b.For))
	})
	return slices.Compact(flows)
}

func isLoopback(address string) bool {
	ip := net.ParseIP(address)
	return address == "localhost" || ip != nil && ip.IsLoopback()
}
