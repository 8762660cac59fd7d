package graph

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

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
				b.storage(a)
				b.services(a)
			}
			if a.Zeo != nil && h.Stack.PloneZeoserver.NFSBlobs || a.Zeo != nil && h.Stack.PloneZeoserver.GlusterBlobs {
				b.mounts(h, h.Stack.PloneZeoserver.GlusterBlobs)
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
			if n := len(a.Clients); n > 0 && c.Online && served {
				b.link(h, c, Web, "HTTP", span{a.Clients[0].Port, a.Clients[n-1].Port})
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

// service joins a host to a service, which runs on a host of the stack where
// one has its address, and else outside of it.
func (b *builder) service(h *topology.Host, s service) {
	role := roles[s.kind]
	if to := b.at(h, s.host); to != nil {
		known := to.Has(role)
		if s.kind == Database {
			known = s.protocol == "ZEO" && slices.ContainsFunc(to.Apps, func(a *topology.App) bool { return a.Zeo != nil })
		}
		if !known {
			b.runs(to, Process{What: s.title, At: span{s.port, s.port}.String()})
		}
		b.link(h, to, s.kind, s.protocol, span{s.port, s.port})
		return
	}
	address := s.host
	if address != "" && s.port != 0 {
		address = net.JoinHostPort(address, strconv.Itoa(s.port))
	}
	g := b.group(s.title, Host{Name: s.name, Address: address}, role.Duty().Stage, role.Order())
	b.join(b.of[h], g, s.kind, s.protocol, span{s.port, s.port})
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

// roles are those of the hosts that serve a kind of connection.
var roles = map[Kind]topology.Role{
	Database: topology.Zeo, Cache: topology.Memcached, Search: topology.Solr, Jobs: topology.Redis, Files: topology.Blobs,
}

type service struct {
	kind            Kind
	title, protocol string
	name            string // of a database, or where it is to be found
	host            string // empty: not known
	port            int    // 0: not known
}

// storage joins the clients of an app to what they keep their data in.
func (b *builder) storage(a *topology.App) {
	s := service{kind: Database, title: "Database", name: "as the buildout says"}
	switch rel := a.Storage.RelStorage; {
	case rel != nil:
		db := rel.Database()
		s.title, s.protocol, s.name, s.host, s.port = db.Title, db.Title, rel.Name, rel.Host, rel.Port
		if rel.DSN.IsSet() {
			s.name, s.host, s.port = "as the DSN says", "", 0
		} else if s.port == 0 {
			s.port = db.Port
		}
	case a.Storage.ZeoAddress != "":
		host, port, err := net.SplitHostPort(a.Storage.ZeoAddress)
		if err != nil {
			host = a.Storage.ZeoAddress
		}
		n, _ := strconv.Atoi(port)
		s = service{kind: Database, title: "ZEO server", protocol: "ZEO", host: host, port: n}
	case a.Zeo != nil:
		return // the buildout starts it beside the clients
	}
	b.service(a.Host, s)
}

// services joins the clients of an app to what else they need.
func (b *builder) services(a *topology.App) {
	h, p := a.Host, a.Host.Stack.PloneInstances
	for _, m := range a.MemcachedServers {
		host, port, err := net.SplitHostPort(m)
		if err != nil {
			host = m
		}
		n, _ := strconv.Atoi(port)
		b.service(h, service{kind: Cache, title: "memcached", protocol: "memcached", host: host, port: n})
	}
	if a.BrokerHost != "" {
		b.service(h, service{kind: Jobs, title: "Celery broker", protocol: "Celery", host: a.BrokerHost, port: a.BrokerPort})
	}
	if a.SolrHost != "" {
		b.service(h, service{kind: Search, title: "Solr", protocol: "Solr", host: a.SolrHost})
	}
	switch blobs := h.Stack.PloneBlobs; {
	case p.NFSBlobs || p.GlusterBlobs:
		b.mounts(h, p.GlusterBlobs)
	case p.SharedBlobs && blobs.BlobDir != "" && len(b.t.Hosts) > 1:
		s := service{kind: Files, title: "Shared blobs", protocol: "files", name: blobs.BlobDir}
		b.service(h, s)
		for _, other := range b.t.Hosts {
			if other.Online && !other.Has(topology.Clients) && other.Has(topology.Zeo) && other.Stack.PloneBlobs.BlobDir == blobs.BlobDir {
				b.service(other, s)
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
		b.service(h, service{kind: Files, title: strings.TrimSpace("blobs by " + protocol), protocol: protocol, host: s})
	}
}
