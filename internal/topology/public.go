package topology

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/plonec/plonec/internal/service"
)

// publicFault warns of what only the stack's hosts are to reach, and everybody may:
// neither ZEO nor a client nor an agent asks who connects.
func (r *resolver) publicFault(h *Host) {
	address, err := netip.ParseAddr(h.Address)
	if err != nil || !isPublic(address) {
		return
	}
	if open := h.open(); len(open) > 0 {
		r.report("public-address", []string{"instances", h.Name}, fmt.Sprintf("the public address %s exposes %s", h.Address, strings.Join(open, ", ")),
			"give its private address, or let a firewall pass these ports to the stack's hosts alone (docs/hosts.md lists them)")
	}
}

// shared is of networks of providers, which are not public either (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

// isPublic tells whether hosts that are nobody's of the stack may reach an address,
// or may reach what binds it.
func isPublic(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsUnspecified() || a.IsGlobalUnicast() && !a.IsPrivate() && !shared.Contains(a)
}

// open lists what listens at the host's address and is for other hosts of the stack
// alone, with its ports: those that follow each other as one range.
func (h *Host) open() []string {
	type ports struct {
		name        string
		first, last int
	}
	var found []ports
	add := func(s *service.Service, clients int) {
		for _, p := range s.Ports(h.told()) {
			alone := p.Number == service.PurgePort && len(h.Front.PurgeFrom) == 0 // on the loopback then
			if !p.From.OfHosts() || alone || p.Each && clients == 0 {
				continue
			}
			next := ports{name: s.PortOf(p)}
			next.first, next.last = p.Range(clients)
			if n := len(found) - 1; n >= 0 && found[n].name == next.name && found[n].last+1 == next.first {
				found[n].last = next.last
			} else {
				found = append(found, next)
			}
		}
	}
	for _, a := range h.Apps {
		if a.Zeo != nil && a.Zeo.Port != 0 && a.Zeo.Address == h.Address {
			add(service.Zeo, 0)
		}
		if n := len(a.Clients); n > 0 && a.Clients[0].Address == h.Address {
			add(service.Client, n)
			add(service.Agent, n)
		}
		if n := len(a.Voltos); n > 0 && a.Voltos[0].Address == h.Address {
			add(service.Volto, n)
			if len(a.Clients) == 0 {
				add(service.Agent, 0)
			}
		}
	}
	for _, s := range Daemons() {
		if h.Runs(s) && s.Ports != nil {
			add(s, 0)
		}
	}
	list := make([]string, len(found))
	for i, p := range found {
		list[i] = fmt.Sprintf("%s on %d", p.name, p.first)
		if p.last > p.first {
			list[i] += fmt.Sprintf(" to %d", p.last)
		}
	}
	return list
}
