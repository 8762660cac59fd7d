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
		r.report("public-address", []string{"instances", h.Name}, fmt.Sprintf("%s is a public address, at which listen %s", h.Address, strings.Join(open, ", ")),
			"give its private address; else let only the stack's hosts reach these ports, as docs/hosts.md lists them by partner")
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
// alone, with its ports.
func (h *Host) open() []string {
	var list []string
	add := func(s *service.Service, clients int) {
		for _, p := range s.Ports(h.told()) {
			alone := p.Number == service.PurgePort && len(h.Front.PurgeFrom) == 0 // on the loopback then
			if p.From.OfHosts() && !alone {
				list = append(list, fmt.Sprintf("%s on %s", s.PortOf(p), p.Range(clients)))
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
	}
	for _, s := range Daemons() {
		if h.Runs(s) && s.Ports != nil {
			add(s, 0)
		}
	}
	return list
}
