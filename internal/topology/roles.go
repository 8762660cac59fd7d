package topology

import (
	"slices"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/schema"
)

// A Role is something that a layer's hosts do.
type Role string

// The roles, by the names that a stack gives them. What each is stands in roles.
const (
	Frontend   Role = "frontend"
	Volto      Role = "volto"
	Clients    Role = "clients"
	Zeo        Role = "zeo"
	Blobs      Role = "blobs"
	Memcached  Role = "memcached"
	Redis      Role = "redis"
	Solr       Role = "solr"
	Snapshots  Role = "snapshots"
	Celerybeat Role = "celerybeat"
	Pack       Role = "pack"
)

// A Rank is a host's place in the order in which hosts are set up and applied
// to: what others need comes first.
type Rank int

// The ranks, in their order.
const (
	RankStorage Rank = iota
	RankClients
	RankFronts
)

// Ranks are all of them, in their order.
var Ranks = []Rank{RankStorage, RankClients, RankFronts}

// A Stage is a place on a request's way: a column of the picture.
type Stage int

// The stages, left to right.
const (
	AtVisitors Stage = iota
	AtFronts
	AtClients
	AtStorage
)

// Title is what stands above a stage's column.
func (s Stage) Title() string {
	return [...]string{"Visitors", "Front ends", "Clients", "Storage and services"}[s]
}

// A Duty is all that plonec knows of a role: whatever lists roles, or asks what
// one is, reads it.
type Duty struct {
	Role  Role
	Does  string // for the documentation: Markdown, a phrase
	Rank  Rank
	Stage Stage

	Layers  []string // layers that have it by their name alone
	Names   LayerName
	Recipes []string // beginnings of the recipes that make it; the longest that fits counts

	// Beside: it adds to what a host does already, and is nobody's only duty.
	Beside bool
	// OnApp, of a duty that one host of clients has for each app, is where the app says
	// whether it has it. Title says what that host does, after "a host that". Wide is the
	// attribute that gives it to every client host where it is set for the whole stack.
	OnApp func(*App) *bool
	Title string
	Wide  string
	wide  func(*schema.Stack) bool
}

// A LayerName is an attribute that names the layer of a role.
type LayerName struct {
	Path string // plone_instances.zeo_layer; empty: there is none
	of   func(*schema.Stack) string
}

// roles are all of them, in the order in which a request meets them.
var roles = []Duty{
	{
		Role: Frontend, Rank: RankFronts, Stage: AtFronts, Does: "nginx, Varnish (unless `nginx_plone.proxy_port` is 8080), HAProxy",
		Layers: []string{"lb"}, Recipes: []string{"plone_buildout::haproxy", "plone_buildout::nginx", "plone_buildout::varnish"},
	},
	{
		Role: Volto, Rank: RankClients, Stage: AtClients, Does: "Volto, the front end of `volto.app_name` in Node",
		Layers: []string{"volto"},
	},
	{
		Role: Clients, Rank: RankClients, Stage: AtClients, Does: "the ZEO clients of `plone_instances.app_name`",
		Layers: []string{"plone_instances"}, Recipes: []string{"plone_buildout::instances-"},
	},
	{
		Role: Zeo, Rank: RankStorage, Stage: AtStorage, Does: "the ZEO server of `plone_zeoserver.app_name`",
		Layers: []string{"zeoserver"}, Recipes: []string{"plone_buildout::zeoserver-"},
		Names: LayerName{"plone_instances.zeo_layer", func(s *schema.Stack) string { return s.PloneInstances.ZeoLayer }},
	},
	{
		Role: Blobs, Rank: RankStorage, Stage: AtStorage, Does: "exports the blobs",
		Recipes: []string{"plone_buildout::nfs_blobs", "plone_buildout::gluster"},
		Names:   LayerName{"plone_blobs.layer", func(s *schema.Stack) string { return s.PloneBlobs.Layer }},
	},
	{
		Role: Memcached, Rank: RankStorage, Stage: AtStorage, Does: "RelStorage's cache servers",
		Layers: []string{"memcached"}, Recipes: []string{"memcached"},
	},
	{
		Role: Redis, Rank: RankStorage, Stage: AtStorage, Does: "the Celery broker",
		Recipes: []string{"redis::"},
		Names:   LayerName{"plone_instances.broker_layer", func(s *schema.Stack) string { return s.PloneInstances.BrokerLayer }},
	},
	{
		Role: Solr, Rank: RankStorage, Stage: AtStorage, Does: "the search server of `plone_solr.app_name`",
		Recipes: []string{"plone_buildout::solr-"},
		Names:   LayerName{"plone_instances.solr_layer", func(s *schema.Stack) string { return s.PloneInstances.SolrLayer }},
	},
	{
		Role: Snapshots, Rank: RankStorage, Stage: AtStorage, Does: "EBS snapshots",
		Layers: []string{"ebs_snapshots"}, Recipes: []string{"plone_buildout::ebs_snapshots"},
		Beside: true,
	},
	{
		Role: Celerybeat, Rank: RankClients, Stage: AtClients, Does: "the Celery scheduler, on one client host",
		Recipes: []string{"plone_buildout::instances-celerybeat"},
		Beside:  true, Title: "runs the Celery scheduler", OnApp: func(a *App) *bool { return &a.Celerybeat },
		Wide: "plone_instances.celerybeat", wide: func(s *schema.Stack) bool { return s.PloneInstances.Celerybeat },
	},
	{
		Role: Pack, Rank: RankClients, Stage: AtClients, Does: "packs RelStorage, on one client host",
		Recipes: []string{"plone_buildout::enable_pack"},
		Beside:  true, Title: "packs the database", OnApp: func(a *App) *bool { return &a.Pack },
		Wide: "plone_instances.relstorage.enable_pack", wide: func(s *schema.Stack) bool { return s.PloneInstances.Relstorage.EnablePack },
	},
}

// Roles are all roles, in the order in which a request meets them.
func Roles() []Duty { return roles }

// ByHand tells whether nothing sets up what the role's hosts do, yet.
func (d Duty) ByHand() bool {
	return slices.ContainsFunc(service.Of(string(d.Role)), func(s *service.Service) bool { return s.ByHand != "" })
}

// Duty is what plonec knows of the role. A role that is not in the table is a
// mistake of the program, since the schema takes no other.
func (r Role) Duty() Duty { return roles[r.Order()] }

// Order is the role's place in the table.
func (r Role) Order() int {
	i := slices.IndexFunc(roles, func(d Duty) bool { return d.Role == r })
	if i < 0 {
		panic("no row of the roles is called " + string(r))
	}
	return i
}

// Rank is where the host stands in the order of things. A front end comes last,
// whatever else it does: it sends requests to clients of other hosts. Else the
// earliest of its duties counts. Nobody needs a host that has none.
func (h *Host) Rank() Rank {
	rank := RankFronts
	for _, r := range h.Roles {
		if r == Frontend {
			return RankFronts
		}
		rank = min(rank, r.Duty().Rank)
	}
	if len(h.Roles) == 0 {
		return RankClients
	}
	return rank
}
