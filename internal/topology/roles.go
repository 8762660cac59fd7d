package topology

import (
	"slices"
	"strings"

	"github.com/plonec/plonec/schema"
)

// roleOrder is every role, in the order in which a request meets them.
var roleOrder = []Role{Frontend, Clients, Zeo, Blobs, Memcached, Redis, Solr, Snapshots, Celerybeat, Pack}

// layerNames are the layers that do something by their name alone; the names
// that attributes give come from layerAttributes.
var layerNames = map[string]Role{
	"lb":              Frontend,
	"plone_instances": Clients,
	"zeoserver":       Zeo,
	"memcached":       Memcached,
	"ebs_snapshots":   Snapshots,
}

// layerAttributes are the attributes that name a layer.
var layerAttributes = []struct {
	role Role
	name func(*schema.Stack) string
}{
	{Zeo, func(s *schema.Stack) string { return s.PloneInstances.ZeoLayer }},
	{Blobs, func(s *schema.Stack) string { return s.PloneBlobs.Layer }},
	{Redis, func(s *schema.Stack) string { return s.PloneInstances.BrokerLayer }},
	{Solr, func(s *schema.Stack) string { return s.PloneInstances.SolrLayer }},
}

// recipes are the beginnings of the cookbook's recipes that make a role.
var recipes = []struct {
	prefix string
	role   Role
}{
	{"plone_buildout::haproxy", Frontend},
	{"plone_buildout::nginx", Frontend},
	{"plone_buildout::varnish", Frontend},
	{"plone_buildout::instances-celerybeat", Celerybeat},
	{"plone_buildout::instances-", Clients},
	{"plone_buildout::zeoserver-", Zeo},
	{"plone_buildout::solr-", Solr},
	{"plone_buildout::nfs_blobs", Blobs},
	{"plone_buildout::gluster", Blobs},
	{"plone_buildout::ebs_snapshots", Snapshots},
	{"plone_buildout::enable_pack", Pack},
	{"redis::", Redis},
	{"memcached", Memcached},
}

// helperRecipes run on any layer and make no role of their own.
var helperRecipes = []string{
	"plone_buildout::varnish-purge", "plone_buildout::varnish-restart",
	"plone_buildout::instances-rebuild", "plone_buildout::instances-develop-up",
	"opsworks_deploy_python::r3-mount-patch", // mended a mount on instances that are gone
}

// namedRoles is what layers do by their names, in the views of all hosts.
func namedRoles(views []*schema.Stack) map[string]map[Role]bool {
	named := map[string]map[Role]bool{}
	add := func(name string, r Role) {
		if named[name] == nil {
			named[name] = map[Role]bool{}
		}
		named[name][r] = true
	}
	for name, r := range layerNames {
		add(name, r)
	}
	for _, v := range views {
		for _, a := range layerAttributes {
			add(a.name(v), a.role)
		}
	}
	return named
}

// layerRoles gives what the hosts of a layer do: its roles where it lists
// them, else what its name and its recipes say.
func layerRoles(name string, l schema.Layer, named map[string]map[Role]bool) map[Role]bool {
	set := map[Role]bool{}
	if l.Roles != nil {
		for _, r := range l.Roles {
			set[Role(r)] = true
		}
		return set
	}
	for r := range named[name] {
		set[r] = true
	}
	for _, list := range l.CustomRecipes {
		for _, recipe := range list {
			if r, ok := recipeRole(recipe); ok {
				set[r] = true
			}
		}
	}
	return set
}

// LayerRoles says what the hosts of each layer do: its roles, else what its
// name and its recipes say. A layer that does nothing has an empty list.
func LayerRoles(d *schema.Decoded) map[string][]Role {
	views := []*schema.Stack{d.Base}
	for _, name := range sortedKeys(d.Base.Layers) {
		if view, _ := d.View([]string{name}); view != nil {
			views = append(views, view)
		}
	}
	named := namedRoles(views)
	roles := map[string][]Role{}
	for name, layer := range d.Base.Layers {
		roles[name] = inOrder(layerRoles(name, layer, named))
	}
	return roles
}

// KnownRecipe tells whether something comes of a recipe of the cookbook, or
// nothing needs to.
func KnownRecipe(recipe string) bool {
	_, ok := recipeRole(recipe)
	return ok || slices.Contains(helperRecipes, recipe)
}

func recipeRole(recipe string) (Role, bool) {
	if slices.Contains(helperRecipes, recipe) {
		return "", false
	}
	for _, r := range recipes {
		if strings.HasPrefix(recipe, r.prefix) {
			return r.role, true
		}
	}
	return "", false
}

func inOrder(set map[Role]bool) []Role {
	var roles []Role
	for _, r := range roleOrder {
		if set[r] {
			roles = append(roles, r)
		}
	}
	return roles
}

// Roles are all roles, in the order in which a request meets them.
func Roles() []Role { return slices.Clone(roleOrder) }
