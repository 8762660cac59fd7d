package topology

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// partners says where the clients of a host find their database and services.
func (r *resolver) partners(h *Host) {
	p := h.Stack.PloneInstances
	if p.AppName == "" {
		return
	}
	a := r.app(h, p.AppName, "plone_instances.app_name")
	if p.EnableRelstorage {
		a.Storage.RelStorage = relStorage(a)
		r.checkRelStorage(a)
		if a.Builder().Decides { // RelStorage's own cache needs no server
			a.MemcachedServers = r.memcached(h)
		}
		a.Pack = p.Relstorage.EnablePack || h.Has(Pack)
	} else {
		a.Storage.ZeoAddress = r.zeoAddress(h, a)
		a.Storage.Zeo = r.zeoAt(h, a.Storage.ZeoAddress)
		r.ownZeo(a)
		if h.Has(Pack) {
			r.once("no-effect", []string{"plone_instances", "enable_relstorage"},
				"the packing layer does nothing without RelStorage", "set plone_instances.enable_relstorage, or take the layer away")
		}
	}
	r.blobs(h)
	if p.SolrEnabled {
		a.SolrHost = p.SolrHost
		if a.SolrHost == "" {
			a.SolrHost = r.first(h, p.SolrLayer, Solr)
		}
		if a.SolrHost == "" {
			r.once("no-solr", []string{"plone_instances", "solr_enabled"},
				fmt.Sprintf("the layer %s has no online host", p.SolrLayer), "give plone_instances.solr_host, or a host in that layer")
		}
	}
	if p.EnableCelery {
		r.celery(h, a)
	}
}

// blobs warns where shared blobs lie in a folder that nothing shares: clients
// elsewhere would not find them.
func (r *resolver) blobs(h *Host) {
	p := h.Stack.PloneInstances
	if !p.SharedBlobs || h.Stack.PloneBlobs.BlobDir != "" {
		return
	}
	for _, other := range r.t.Hosts {
		if other != h && (other.Has(Clients) || other.Has(Zeo)) {
			r.once("unmounted-blobs", []string{"plone_instances", "shared_blobs"},
				fmt.Sprintf("%s and %s have no way to share the blobs", h.Name, other.Name),
				"set plone_instances.shared_blobs to false, or plone_blobs.blob_dir to a mounted folder")
			return
		}
	}
}

// zeoAddress is where a host's clients find ZEO: a fixed address, else the
// first online host of zeo_layer, else the only one that runs a ZEO server.
func (r *resolver) zeoAddress(h *Host, a *App) string {
	p := h.Stack.PloneInstances
	if p.Zeo.Address != "" {
		return p.Zeo.Address
	}
	for _, server := range r.within(h, p.ZeoLayer) {
		if address := serverAddress(server); address != "" {
			return address
		}
	}
	if r.used[p.ZeoLayer] {
		r.once("no-zeo-server", []string{"plone_instances", "zeo_layer"},
			fmt.Sprintf("the layer %s has no online host with a ZEO server", p.ZeoLayer),
			"bring one online, or give plone_instances.zeo.address")
		return ""
	}
	switch servers := r.online[Zeo]; len(servers) {
	case 0:
		if !a.Builder().Decides {
			r.once("no-storage", []string{"plone_instances", "zeo_layer"},
				fmt.Sprintf("nothing says where the database of %s is: the stack has neither a layer %s nor zeo.address", a.Name, p.ZeoLayer),
				"give a ZEO layer, plone_instances.zeo.address or plone_instances.enable_relstorage")
			return ""
		}
		r.once("base-decides", []string{"plone_instances", "zeo_layer"},
			fmt.Sprintf("the address of the database is left to the buildout: the stack has neither a layer %s nor zeo.address", p.ZeoLayer),
			"give plone_instances.zeo.address or a ZEO layer, unless this is intended")
		return ""
	case 1:
		return serverAddress(servers[0])
	default:
		r.once("many-zeo-servers", []string{"plone_instances", "zeo_layer"},
			fmt.Sprintf("none of the %d hosts with a ZEO server is in the layer %s", len(servers), p.ZeoLayer),
			"name the layer of the one to use: plone_instances.zeo_layer")
		return ""
	}
}

// within are the hosts of a layer in which h finds what it needs: those that are online.
// A host that is not online itself, when it is started, finds those that are not online
// either, where no other is: a stack that is stopped for the night is compiled all the same.
func (r *resolver) within(h *Host, layer string) []*Host {
	hosts := r.layers[layer]
	if len(hosts) > 0 || h.Online {
		return hosts
	}
	for _, other := range r.t.Hosts {
		if slices.Contains(other.Layers, layer) {
			hosts = append(hosts, other)
		}
	}
	return hosts
}

// zeoAt is the ZEO server of the stack that h finds at an address. One on the
// loopback is its own.
func (r *resolver) zeoAt(h *Host, address string) *ZeoServer {
	for _, server := range r.all[Zeo] {
		for _, a := range server.Apps {
			if a.Zeo != nil && a.Zeo.Port != 0 && HostPort(a.Zeo.Address, a.Zeo.Port) == address && (a.Zeo.Address != loopback || server == h) {
				return a.Zeo
			}
		}
	}
	return nil
}

// ownZeo brings the ZEO server that a command of the app's starts together with the address
// at which the app's clients are told to find theirs.
func (r *resolver) ownZeo(a *App) {
	own, address, theirs := a.Zeo, a.Storage.ZeoAddress, a.Storage.Zeo
	if own == nil || !own.Commanded || address == "" || theirs == own {
		return
	}
	host, port, err := net.SplitHostPort(address)
	if theirs == nil && err == nil && slices.Contains([]string{loopback, "localhost", own.Address, a.Host.Address}, host) {
		own.Address = host
		own.Port, _ = strconv.Atoi(port) // the schema lets nothing else through
		a.Storage.Zeo = own
		return
	}
	if theirs != nil && theirs.App.Name == a.Name {
		return // onlyOnes names both
	}
	other, remedy := "the one at "+address+", by plone_instances.zeo.address", "that address"
	if theirs != nil {
		other, remedy = theirs.words(), "that one"
	}
	r.once("two-zeo-servers", []string{"deploy", a.Name, "buildout_init_commands"},
		fmt.Sprintf("the app %s has two ZEO servers: %s, and %s, to which its clients connect", a.Name, own.words(), other),
		"remove the command and its part, or "+remedy)
}

// words name a ZEO server, and say why it runs.
func (z *ZeoServer) words() string {
	why := "by the host's role " + string(Zeo)
	if z.Commanded {
		why = "by deploy." + z.App.Name + ".buildout_init_commands"
	}
	return "the one of " + z.App.Name + " on " + z.App.Host.Name + ", " + why
}

// serverAddress is where a host's ZEO server can be reached, "" where it runs none.
func serverAddress(h *Host) string {
	for _, a := range h.Apps {
		if a.Zeo != nil && a.Zeo.Port != 0 {
			return HostPort(a.Zeo.Address, a.Zeo.Port)
		}
	}
	return ""
}

// first gives the address of the first online host of a layer, else of a
// role; a host finds itself on the loopback.
func (r *resolver) first(h *Host, layer string, role Role) string {
	hosts := r.within(h, layer)
	if len(hosts) == 0 {
		hosts = r.online[role]
	}
	if len(hosts) == 0 {
		return ""
	}
	return hosts[0].Address
}

// memcached lists RelStorage's cache servers: as given, else the online hosts
// of the memcached layer.
func (r *resolver) memcached(h *Host) []string {
	rel := h.Stack.PloneInstances.Relstorage
	if !rel.EnableCache {
		return nil
	}
	if rel.CacheServers != "" {
		return strings.Fields(rel.CacheServers)
	}
	var servers []string
	for _, m := range r.online[Memcached] {
		servers = append(servers, HostPort(m.Address, m.Stack.Memcached.Port))
	}
	return servers
}

func relStorage(a *App) *RelStorage {
	db, own := a.Host.Stack.PloneInstances.Relstorage.DB, a.Config.Database
	s := &RelStorage{Type: db.Type, Name: db.Name, Host: db.Host, Port: db.Port, User: db.User, Password: db.Password, DSN: db.DSN}
	if db.Name == "" && own != nil && own.Database != "" {
		s.Name, s.Host, s.Port, s.User, s.Password = own.Database, own.Host, own.Port, own.Username, own.Password
		if own.Adapter != "" {
			s.Type = own.Adapter
		}
	}
	s.Type = databaseType(s.Type)
	return s
}

func (r *resolver) checkRelStorage(a *App) {
	s := a.Storage.RelStorage
	path := []string{"plone_instances", "relstorage", "db"}
	if s.Type == "" {
		r.once("unknown-database", path, "RelStorage takes postgresql, mysql or oracle", "give relstorage.db.type")
	}
	switch {
	case s.DSN.IsSet() && s.Type == "mysql" && !a.Builder().Decides:
		r.once("no-database", path, "RelStorage takes no dsn for MySQL", "give name, host, user and password in place of dsn")
	case s.DSN.IsSet():
	case s.Name == "":
		r.once("no-database", path, "RelStorage is on, but its database is not given",
			fmt.Sprintf("give plone_instances.relstorage.db, or deploy.%s.database", a.Name))
	case s.Host == "":
		r.once("no-database", path, "the host of the database is not given", "give its host too")
	}
}

// celery finds the broker; where there is none no worker runs.
func (r *resolver) celery(h *Host, a *App) {
	p := h.Stack.PloneInstances
	a.BrokerHost, a.BrokerPort = p.Broker.Host, p.Broker.Port
	if a.BrokerHost == "" {
		a.BrokerHost = r.first(h, p.BrokerLayer, Redis)
	}
	if a.BrokerHost == "" {
		r.once("no-broker", []string{"plone_instances", "enable_celery"},
			fmt.Sprintf("no Celery worker runs: the layer %s has no online host", p.BrokerLayer),
			"give plone_instances.broker.host, or a host in that layer")
		return
	}
	a.Celerybeat = p.Celerybeat || h.Has(Celerybeat)
	r.command(a, "celery", a.Builder().Celery.Path, strings.TrimSpace("worker "+p.CeleryArgs), 0)
}
