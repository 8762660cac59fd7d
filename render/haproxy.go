package render

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
)

var _ = renders(haproxySecrets,
	Artifact{Template: "haproxy.cfg.tmpl", Each: of(service.Haproxy, service.Haproxy.Config)},
	Artifact{Template: "haproxy.default.tmpl", Each: of(service.Haproxy, "/etc/default/haproxy")},
	Artifact{Template: "haproxy.service.tmpl", Each: of(service.Haproxy, service.Haproxy.DropIns()+"plonec.conf")},
)

// usersCfg holds HAProxy's users. The package's unit is always told of it, so
// that it is there without users too: then a reload is enough when some come. It
// is a secret even then: what is on the host may still have some.
const usersCfg = "/etc/haproxy/users.cfg"

// haproxySecrets gives the users of the statistics.
func haproxySecrets(h *topology.Host) []SecretFile {
	if h.Front == nil {
		return nil
	}
	users := SecretFile{Path: usersCfg, Mode: 0o640, Owner: "root:haproxy", Effects: service.Haproxy.Effects(usersCfg), Format: "userlist"}
	if h.Front.Stats {
		users.Entries = append(users.Entries, entry(h.Stack.Haproxy.StatsUser, h.Stack.Haproxy.StatsPassword))
	}
	return []SecretFile{users}
}

// minMaxConn is what HAProxy takes at once where the clients are few: visitors
// wait in its queue rather than outside. A connection costs some 50 kB while
// it lasts.
const minMaxConn = 4096

// maxMaxConn keeps two descriptors for each connection below the kernel's
// usual fs.nr_open of 1048576.
const maxMaxConn = 500_000

// MaxConn sizes HAProxy: twice what all clients work on at once, so that as
// many requests wait as are served.
func (v hostView) MaxConn() int {
	if n := v.Stack.Haproxy.GlobalMaxConnections; n != nil {
		return *n
	}
	slots := 0
	for _, b := range v.Front.Backends {
		for _, s := range b.Servers {
			slots += s.MaxConn
		}
		for _, s := range b.Voltos {
			slots += s.MaxConn
		}
	}
	return min(max(2*slots, minMaxConn), maxMaxConn)
}

// A route tells HAProxy which requests are an app's: those to one of the prefixes, or
// to the pattern.
type route struct {
	Name     string // the backend's
	Prefixes []string
	Pattern  string
	Volto    string // the name of that backend of the app; empty: it has none
}

// voltoOf is the name of the backend with an app's processes of Volto.
func voltoOf(b *topology.Backend) string {
	if !b.Volto {
		return ""
	}
	return b.VoltoName()
}

// Routes are those of the apps, each name's before those of all names below one, and
// among these the longest first, as nginx has it. What has none is the first app's,
// which so needs its own only where another app's pattern might have them.
func (v hostView) Routes() (routes []route) {
	var below []route
	for _, b := range v.Front.Backends {
		for _, p := range b.Patterns {
			below = append(below, route{Name: b.Name, Pattern: p, Volto: voltoOf(b)})
		}
	}
	slices.SortStableFunc(below, func(a, b route) int { return cmp.Compare(len(b.Pattern), len(a.Pattern)) })
	for i, b := range v.Front.Backends {
		if len(b.Prefixes) > 0 && (i > 0 || len(below) > 0) {
			routes = append(routes, route{Name: b.Name, Prefixes: b.Prefixes, Volto: voltoOf(b)})
		}
	}
	return append(routes, below...)
}

// FastInter is the interval between two checks of a client that is about to
// change its state, or is down. Over a second, rise checks after a reload of many
// servers came before the agent's (measured: 530 of 5,836 requests with 2 s).
func (v hostView) FastInter() time.Duration {
	inter := time.Duration(v.Stack.Haproxy.CheckInterval)
	return min(inter, max(inter/8, 250*time.Millisecond), time.Second)
}

// agentInter is the interval between two agent checks, which take a connection each.
// Scripts of a host that drains wait a little longer (let_them_see).
const agentInter = 10 * time.Second

func (hostView) AgentInter() time.Duration { return agentInter }

// SyncSocket is where statesync asks HAProxy.
func (hostView) SyncSocket() string { return service.SyncSocket }

// AgentPort is where it hears of clients.
func (hostView) AgentPort() int { return service.AgentPort }

// maxTimeout is the longest time that HAProxy knows.
const maxTimeout = math.MaxInt32 * time.Millisecond

// CheckTimeout is how long a client may take to answer a check.
func (v hostView) CheckTimeout() time.Duration {
	return min(time.Duration(v.Stack.Haproxy.CheckInterval)*5/2, maxTimeout)
}

func (hostView) ScriptDir() string { return ScriptDir }

// Sticky tells whether any backend keeps a visitor with one client.
func (v hostView) Sticky() bool {
	for _, b := range v.Front.Backends {
		if b.Sticky {
			return true
		}
	}
	return false
}

// BufSize is the memory for the head of a request or of an answer, in bytes.
func (hostView) BufSize() int { return (headSize + headRoom) << 10 }

// Tickets are the cookies that a sticky visitor is known by.
func (hostView) Tickets() []string { return ticketCookies }

// OwnConfig is the stack's own text at the end of haproxy.cfg.
func (v hostView) OwnConfig() ownText {
	return newOwnText("haproxy.additional_config", v.Stack.Haproxy.AdditionalConfig)
}

// Peers are the balancers that share what they know of sticky visitors, this
// one among them: alone it hands its table to itself in a reload. A host that
// is not online is no peer of the others, and still one of its own.
func (v hostView) Peers() []topology.Balancer {
	all := v.Front.Balancers
	for _, b := range all {
		if b.Name == v.Name {
			return all
		}
	}
	self := topology.Balancer{Name: v.Name, Address: "127.0.0.1"}
	if len(all) > 0 {
		self.Address = v.Address
	}
	return append(slices.Clip(all), self)
}

func (hostView) PeersPort() int { return service.PeersPort }

// Wait is how long nginx and Varnish wait for an answer: a little longer than
// HAProxy, so that it is HAProxy that says what went wrong.
func (v hostView) Wait() time.Duration {
	return time.Duration(v.Stack.Haproxy.QueueTimeout) + time.Duration(v.Stack.Haproxy.ServerTimeout) + 10*time.Second
}
