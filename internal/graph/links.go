package graph

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
)

// maxNames is how many public names the picture lists.
const maxNames = 6

// links joins the hosts that are online: who is not is not used.
func (b *builder) links() {
	for _, h := range b.t.Hosts {
		if !h.Online {
			continue
		}
		if h.Front != nil {
			b.front(h)
		}
		for _, a := range h.Apps {
			if len(a.Clients) > 0 {
				b.services(a)
			}
			if s := h.Stack.PloneZeoserver; a.Serves() && (s.NFSBlobs || s.GlusterBlobs) {
				b.mounts(h, s.GlusterBlobs)
			}
		}
	}
}

// link joins a host to another; what stays on one host is not drawn.
func (b *builder) link(from, to *topology.Host, kind Kind, protocol string, ports span) {
	if from != to {
		b.join(b.of[from], b.of[to], kind, protocol, ports)
	}
}

func (b *builder) join(from, to *Group, kind Kind, protocol string, ports span) {
	l := Link{From: from, To: to, Kind: kind, Label: protocol}
	b.spans[l] = b.spans[l].with(ports)
}

// front joins a front end to its visitors and to the clients of its backends.
func (b *builder) front(h *topology.Host) {
	protocol := "HTTP 80"
	if tls(h.Front) {
		protocol = "HTTP 80, HTTPS 443"
	}
	b.join(b.visitors(h.Front), b.of[h], Web, protocol, span{})
	for _, c := range b.t.Hosts {
		for _, a := range c.Apps {
			served := slices.ContainsFunc(h.Front.Backends, func(k *topology.Backend) bool { return k.Name == a.Name })
			if !c.Online || !served {
				continue
			}
			for _, ports := range a.Balanced() {
				b.link(h, c, Web, "HTTP", span{ports.First, ports.Last})
			}
		}
	}
}

// visitors are outside, with the names by which they come.
func (b *builder) visitors(f *topology.Front) *Group {
	g := b.group("Visitors", Host{}, topology.AtVisitors, 0)
	names := &g.Hosts[0].Runs
	if *names != nil {
		return g
	}
	for _, s := range f.Sites {
		if len(s.Names) == 0 {
			*names = append(*names, Process{What: "every name"})
		}
		for _, n := range s.Names {
			*names = append(*names, Process{What: n})
		}
	}
	if more := len(*names) - maxNames; more > 1 {
		*names = append((*names)[:maxNames:maxNames], Process{What: fmt.Sprintf("and %d more", more)})
	}
	return g
}

// group gives a group outside of the stack, made where there is none yet.
func (b *builder) group(title string, h Host, stage topology.Stage, order int) *Group {
	key := title + "\n" + h.Name + "\n" + h.Address
	g := b.outside[key]
	if g == nil {
		g = &Group{Title: title, Hosts: []Host{h}, Outside: true, stage: stage, order: order}
		b.outside[key] = g
		b.groups = append(b.groups, g)
	}
	return g
}

// at is the host that has an address, as h sees it, or nil.
func (b *builder) at(h *topology.Host, address string) *topology.Host {
	if address == "" {
		return nil
	}
	if ip, err := netip.ParseAddr(address); address == "localhost" || err == nil && ip.IsLoopback() {
		return h
	}
	for _, o := range b.t.Hosts {
		if o.Address == address {
			return o
		}
	}
	return nil
}

// ask joins a host to a service, which runs on a host of the stack where one has
// its address, and else outside of it.
func (b *builder) ask(h *topology.Host, n topology.Need) {
	asked := cmp.Or(n.Service, service.Store()) // whose place a server of others takes
	kind, ports := kinds[asked.Use], span{n.Port, n.Port}
	role := topology.Role(asked.Role).Duty()
	if to := b.at(h, n.Host); to != nil {
		known := n.Service != nil && to.Has(role.Role)
		if n.Service != nil && n.Service.OfApp {
			known = to.Serves()
		}
		if !known {
			b.runs(to, Process{What: n.Title, At: ports.String()})
		}
		b.link(h, to, kind, n.Protocol, ports)
		return
	}
	address := n.Host
	if address != "" && n.Port != 0 {
		address = net.JoinHostPort(address, strconv.Itoa(n.Port))
	}
	g := b.group(n.Title, Host{Name: n.Name, Address: address}, role.Stage, role.Role.Order())
	b.join(b.of[h], g, kind, n.Protocol, ports)
}

// kinds are the kinds of connections, by what a service is asked for.
var kinds = map[service.Use]Kind{
	service.Database: Database, service.Cache: Cache, service.Search: Search, service.Jobs: Jobs, service.Files: Files,
}

// runs adds to what a host is shown to run, unless it is there.
func (b *builder) runs(h *topology.Host, p Process) {
	for i := range b.of[h].Hosts {
		at := &b.of[h].Hosts[i]
		if at.Name == h.Name && !slices.Contains(at.Runs, p) {
			at.Runs = append(at.Runs, p)
		}
	}
}

// services joins the clients of an app to what they need.
func (b *builder) services(a *topology.App) {
	h, p := a.Host, a.Host.Stack.PloneInstances
	for _, n := range a.Needs() {
		b.ask(h, n)
	}
	switch blobs := h.Stack.PloneBlobs; {
	case p.NFSBlobs || p.GlusterBlobs:
		b.mounts(h, p.GlusterBlobs)
	case p.SharedBlobs && blobs.BlobDir != "" && len(b.t.Hosts) > 1:
		n := topology.Need{Service: service.Asked(service.Files), Title: "Shared blobs", Protocol: "files", Name: blobs.BlobDir}
		b.ask(h, n)
		for _, other := range b.t.Hosts {
			if other.Online && !other.Has(topology.Clients) && other.Serves() && other.Stack.PloneBlobs.BlobDir == blobs.BlobDir {
				b.ask(other, n)
			}
		}
	}
}

// mounts joins a host to the servers of the blobs that it mounts.
func (b *builder) mounts(h *topology.Host, gluster bool) {
	blobs, protocol := h.Stack.PloneBlobs, sharing(gluster)
	var servers []string
	switch {
	case gluster && len(blobs.Servers) > 0:
		servers = blobs.Servers
	case !gluster && blobs.Host != "":
		servers = []string{blobs.Host}
	default:
		for _, o := range b.t.Hosts {
			if o.Online && o.Has(topology.Blobs) {
				servers = append(servers, o.Address)
				if !gluster {
					break
				}
			}
		}
	}
	for _, s := range servers {
		b.ask(h, topology.Need{Service: service.Asked(service.Files), Title: strings.TrimSpace("blobs by " + protocol), Protocol: protocol, Host: s})
	}
}
