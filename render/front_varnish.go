package render

import (
	"strings"

	"github.com/plonec/plonec/internal/topology"
)

// CachePort is where Varnish listens. nginx_plone.proxy_port moves it, unless
// it names HAProxy, which takes Varnish out of the way.
func (v frontView) CachePort() int {
	if p := v.Stack.NginxPlone.ProxyPort; p != 0 && p != topology.HaproxyPort {
		return p
	}
	return topology.VarnishPort
}

// CacheUpstream is where nginx sends requests.
func (v frontView) CacheUpstream() string {
	if v.Stack.NginxPlone.ProxyPort == topology.HaproxyPort {
		return v.BalancerUpstream()
	}
	return topology.HostPort(reach(v.Front.VarnishBind), v.CachePort())
}

// BalancerHost and BalancerUpstream are where HAProxy is reached.
func (v frontView) BalancerHost() string { return reach(v.Front.HaproxyBind) }

func (v frontView) BalancerUpstream() string {
	return topology.HostPort(v.BalancerHost(), topology.HaproxyPort)
}

func (frontView) HaproxyPort() int { return topology.HaproxyPort }

// VarnishListen and PurgeListen are Varnish's sockets, by name.
func (v frontView) VarnishListen() string {
	return "main=" + topology.HostPort(v.Front.VarnishBind, v.CachePort())
}

func (v frontView) PurgeListen() []string {
	var all []string
	for _, a := range v.Front.PurgeBind {
		all = append(all, "purge="+topology.HostPort(a, topology.PurgePort))
	}
	return all
}

// An aclEntry is a line of an ACL in VCL.
type aclEntry struct {
	Address string
	Mask    string // empty: one address
	Name    bool   // to be looked up; ignored where that fails
}

// Purgers are those who may purge, beside this host.
func (v frontView) Purgers() []aclEntry {
	var all []aclEntry
	for _, a := range v.Front.PurgeFrom {
		address, mask, _ := strings.Cut(a, "/")
		all = append(all, aclEntry{Address: address, Mask: mask, Name: isName(address)})
	}
	return all
}

// Storage is varnishd's -s: memory, or for a share of the disk a file.
func (v frontView) Storage() string {
	switch size := v.Stack.Varnish.StorageSize; {
	case size == "":
		return "malloc,256M"
	case strings.HasSuffix(size, "%"):
		return "file,/var/lib/varnish/plonec.bin," + size
	default:
		return "malloc," + size
	}
}

// Sick is how long Varnish goes on showing what it has while no client is up.
func (frontView) Sick() string { return "24h" }
