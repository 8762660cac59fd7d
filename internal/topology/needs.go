package topology

import (
	"net"
	"strconv"

	"github.com/plonec/plonec/internal/service"
)

// A Need is a service that the clients of an app ask.
type Need struct {
	Service  *service.Service // nil: a database server of others
	Title    string           // in words
	Protocol string
	Name     string // of a database, or where it is to be found
	Host     string // empty: not known
	Port     int    // 0: not known
}

// Needs are what the clients of the app ask, their database first.
func (a *App) Needs() []Need {
	need := func(s *service.Service, protocol, host string, port int) Need {
		return Need{Service: s, Title: s.Title, Protocol: protocol, Host: host, Port: port}
	}
	var list []Need
	switch rel := a.Storage.RelStorage; {
	case rel != nil:
		db := rel.Database()
		n := Need{Title: db.Title, Protocol: db.Title, Name: rel.Name, Host: rel.Host, Port: rel.Port}
		if rel.DSN.IsSet() {
			n.Name, n.Host, n.Port = "as the DSN says", "", 0
		} else if n.Port == 0 {
			n.Port = db.Port
		}
		list = append(list, n)
	case a.Storage.ZeoAddress != "":
		host, port := splitHostPort(a.Storage.ZeoAddress)
		list = append(list, need(service.Zeo, "ZEO", host, port))
	case a.Zeo == nil: // else the buildout starts it beside the clients
		list = append(list, Need{Title: "Database", Name: "as the buildout says"})
	}
	for _, m := range a.MemcachedServers {
		host, port := splitHostPort(m)
		list = append(list, need(service.Memcached, "memcached", host, port))
	}
	if a.BrokerHost != "" {
		list = append(list, need(service.Redis, "Celery", a.BrokerHost, a.BrokerPort))
	}
	if a.SolrHost != "" {
		list = append(list, need(service.Solr, "Solr", a.SolrHost, 0))
	}
	return list
}

// splitHostPort gives the port 0 where an address has none.
func splitHostPort(address string) (string, int) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address, 0
	}
	n, _ := strconv.Atoi(port)
	return host, n
}
