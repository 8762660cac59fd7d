// Package topology says who runs what and who talks to whom: which hosts
// there are, what each does, how many ZEO clients it carries, where they find
// their database, and which servers a balancer has. It is pure: a stack goes
// in, a Topology comes out.
package topology

import "github.com/plonec/plonec/schema"

// HealthPath is where a front end answers 200 while it has a client to send
// requests to, and 503 otherwise.
const HealthPath = "/plonec/health"

// A Topology is the whole stack, resolved.
type Topology struct {
	Name  string  // opsworks.stack.name, or "Plone"
	Hosts []*Host // sorted by name; those that are not online too
}

// A Host is one machine. Lists are sorted, so that the order of keys in a
// stack never shows.
type Host struct {
	Name       string
	Address    string // private address, an IP or a name
	SSHAddress string
	System     System
	CPUs       int // 0: unknown
	Status     string
	Online     bool
	Layers     []string
	Roles      []Role
	Stack      *schema.Stack // the attributes in this host's view
	Apps       []*App        // what is deployed here
	Front      *Front        // nil: no front end
}

// Has tells whether the host has the role.
func (h *Host) Has(r Role) bool {
	for _, x := range h.Roles {
		if x == r {
			return true
		}
	}
	return false
}

// An App is an application on one host: one configuration, one line of releases,
// and the processes that run from it.
type App struct {
	Name     string
	Host     *Host
	Config   *schema.App // deploy.<app> in the host's view, defaults filled in
	Plone    Plone       // its version
	WSGI     bool        // Plone 5.2 and later on Python 3: waitress, not ZServer
	Clients  []*Client
	Voltos   []*VoltoProcess
	Zeo      *ZeoServer // the ZEO server that runs from this app here, or nil
	Commands []*Command // buildout_init_commands, Celery
	Storage  Storage    // what the clients connect to
	// MaxUpload is the largest body of a request that reaches the clients, in bytes: what
	// any front end lets through. 0: any.
	MaxUpload int64
	// AllClients counts the app's clients on all hosts, those that are not online too.
	AllClients int

	MemcachedServers []string // "host:port", for RelStorage
	SolrHost         string   // empty: none
	BrokerHost       string   // empty: no Celery
	BrokerPort       int
	TrustedProxies   []string // addresses whose word on a visitor's Zope takes
	Celerybeat       bool     // the scheduler runs here
	Pack             bool     // this host packs RelStorage
}

// A Process takes requests from balancers: what clients and Volto have in common.
type Process struct {
	App       *App
	N         int    // from 1
	Name      string // client1, volto1
	Unit      string // plone-APP-client1.service
	Address   string // what it binds: the private address or 127.0.0.1
	Port      int    // 8080+N, Volto's 3000+N
	AgentPort int    // 9080+N, Volto's 4000+N
}

// A Client is one Zope process.
type Client struct {
	Process
	Threads int // worker threads
}

// A VoltoProcess is one process of Node that shows an app's pages.
type VoltoProcess struct {
	Process
	Node     string // the Node that runs it, as the stack names it: its version, or a path
	Balancer string // where it asks the app's clients: host:port
	Site     *Site  // that it shows
}

// A ZeoServer is the storage server of an app.
type ZeoServer struct {
	App            *App
	Unit           string // plone-APP-zeo.service
	Address        string // what it binds
	Port           int    // 0: as the buildout's base configuration has it
	FilestorageDir string // where Data.fs lies
	BlobDir        string // plone_blobs.blob_dir; empty: the release's var/blobstorage
	Commanded      bool   // one of buildout_init_commands starts it, and no role of the host's
}

// A Command is another process of an app, from buildout_init_commands or for
// Celery. Cmd is relative to the release.
type Command struct {
	App  *App
	Name string
	Unit string // plone-APP-NAME.service
	Cmd  string // bin/celery
	Args string // split at white space, double and single quotes respected
	// Delay is the pause before a restart of it, where it runs.
	Delay schema.Seconds
}

// A Storage is what the clients of an app keep their data in. With neither
// a ZEO address nor RelStorage the buildout's own base configuration decides.
type Storage struct {
	ZeoAddress string     // host:port
	Zeo        *ZeoServer // the stack's server at that address; nil: none of its own
	RelStorage *RelStorage
}

// A RelStorage database. DSN, when set, wins over the parts.
type RelStorage struct {
	Type     string // postgresql, mysql, oracle
	Name     string
	Host     string
	Port     int // 0: the database's own
	User     string
	Password schema.Secret
	DSN      schema.Secret
}

// A Front is what a front end serves.
type Front struct {
	// Cache tells whether nginx asks Varnish, and not HAProxy itself. What is
	// Varnish's is empty elsewhere.
	Cache       bool
	HaproxyBind string // 127.0.0.1 unless another host needs it
	VarnishBind string
	PurgeBind   []string // where Varnish takes PURGE
	PurgeFrom   []string // addresses that may purge, besides the loopback
	APIBind     string   // where HAProxy takes what Volto of other hosts asks; empty: nobody does
	Backends    []*Backend
	Sites       []*Site
	// Balancers are all front ends, this one too, where several share what they
	// know of sticky visitors; empty: there is only this one.
	Balancers []Balancer
	// Stats tells whether /balancer/stats is served: enabled, and a password given.
	Stats bool
}

// A Balancer is a front end as its peers see it.
type Balancer struct {
	Name    string // the host's
	Address string // where it takes what its peers know
}

// A Backend is one app's clients, all of them, as a balancer sees them.
type Backend struct {
	Name     string // the app
	Sticky   bool
	Prefixes []string // paths that belong to it, where there are several backends
	Patterns []string // regular expressions of paths that do, where no prefix is another's
	Servers  []*Server
	// Volto tells whether visitors are shown Volto's pages, by Voltos, its processes.
	Volto  bool
	Voltos []*Server
}

// VoltoName is the name of a balancer's other backend of the app, that of Volto.
func (b *Backend) VoltoName() string { return b.Name + "-" + string(Volto) }

// A Server is one client in a backend, or one process of Volto.
type Server struct {
	Name      string // app1-client1
	Address   string
	Port      int
	AgentPort int
	MaxConn   int // what a balancer sends at once: as many requests as a client has threads
}

// A Site is one virtual host of nginx: the names it answers to and the path in
// Zope that it shows.
type Site struct {
	App        string
	Names      []string      // host names, *.example.com for those below one; empty: answers to every name
	Canonical  string        // the one of Names to which the others are sent; empty: none
	Path       string        // Plone, Plone/sub: no slash at either end
	Main       bool          // the app's whole site, not one of its subsites
	Volto      bool          // Volto shows its pages
	TLS        bool          // also on 443 with the app's certificate
	Distrusted bool          // that certificate is self-signed
	Extra      schema.Pasted // subsite_config of this name
	Scheme     string        // the public scheme where a balancer in front decides; empty: the server's own
}
