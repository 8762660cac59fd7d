package topology

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/schema"
)

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
	for _, d := range roles {
		for _, name := range d.Layers {
			add(name, d.Role)
		}
		for _, v := range views {
			if d.Names.of != nil {
				add(d.Names.of(v), d.Role)
			}
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
	all := map[string][]Role{}
	for name, layer := range d.Base.Layers {
		all[name] = inOrder(layerRoles(name, layer, named))
	}
	return all
}

// KnownRecipe tells whether something comes of a recipe of the cookbook, or
// nothing needs to.
func KnownRecipe(recipe string) bool {
	_, ok := recipeRole(recipe)
	return ok || slices.Contains(helperRecipes, recipe)
}

func recipeRole(recipe string) (role Role, ok bool) {
	if slices.Contains(helperRecipes, recipe) {
		return "", false
	}
	longest := ""
	for _, d := range roles {
		for _, prefix := range d.Recipes {
			if strings.HasPrefix(recipe, prefix) && len(prefix) > len(longest) {
				role, longest = d.Role, prefix
			}
		}
	}
	return role, role != ""
}

// inOrder gives the roles of a set as the table has them. What is none is left
// out: the schema has reported it.
func inOrder(set map[Role]bool) []Role {
	var list []Role
	for _, d := range roles {
		if set[d.Role] {
			list = append(list, d.Role)
		}
	}
	return list
}

// maxNear is for how many unknown layers one with a name like theirs is looked
// for, which takes a while.
const maxNear = 50

// layer reports what a layer asks for in vain.
func (r *resolver) layer(name string, named map[string]map[Role]bool) {
	layer, declared := r.d.Base.Layers[name]
	for _, role := range layer.Roles {
		if !slices.ContainsFunc(roles, func(d Duty) bool { return string(d.Role) == role }) {
			r.report("not-in-table", []string{"layers", name, "roles"}, "plonec does not know what the role "+role+" does", "give another role")
		}
	}
	if !declared && named[name] == nil || layer.Roles != nil {
		return // there is none of the name, or its recipes do not count
	}
	recipes := 0
	for _, event := range sortedKeys(layer.CustomRecipes) {
		for _, recipe := range layer.CustomRecipes[event] {
			recipes++
			if !KnownRecipe(recipe) {
				r.once("unknown-recipe", []string{"layers", name, "custom_recipes", recipe},
					fmt.Sprintf("plonec does nothing for the recipe %s", recipe), "set up by hand what it did, or take it out")
			}
		}
	}
	if recipes == 0 && len(layerRoles(name, layer, named)) == 0 {
		r.report("idle-layer", []string{"layers", name}, "the hosts of this layer have no role",
			"set \"roles\" to a list of "+roleList()+"; [] if they do nothing on purpose")
	}
}

// unknownLayers reports the layers that hosts are in, and nothing else names.
func (r *resolver) unknownLayers(named map[string]map[Role]bool) {
	known := slices.Concat(sortedKeys(named), sortedKeys(r.d.Base.Layers))
	remedies := map[string]string{}
	for _, h := range r.t.Hosts {
		for _, name := range h.Layers {
			if _, declared := r.d.Base.Layers[name]; declared || named[name] != nil {
				continue
			}
			remedy, looked := remedies[name]
			if !looked {
				near := r.layerOf(name, named)
				if near == "" && len(remedies) < maxNear {
					near = schema.Nearest(name, known)
				}
				if remedy = "name it in layers, with its roles"; near != "" {
					remedy = "did you mean " + near + "?"
				}
				remedies[name] = remedy
			}
			r.diags.Add(diag.Diagnostic{
				Code: "unknown-layer", Span: r.d.ItemSpan(name, "instances", h.Name, "layers"), Path: diag.JoinKey("instances", h.Name) + ".layers",
				Message: fmt.Sprintf("the layer %q does not exist", name), Remedy: remedy,
			})
		}
	}
}

// layerOf is the layer for a role by whose name, or by another word for it, somebody
// calls a layer; empty: it is none.
func (r *resolver) layerOf(name string, named map[string]map[Role]bool) string {
	role := Role(cmp.Or(schema.Meant("#Role", name), name))
	for _, d := range roles {
		if d.Role != role {
			continue
		}
		if d.Names.of != nil {
			if layer := d.Names.of(r.d.Base); named[layer][role] {
				return layer
			}
		}
		return slices.Concat(d.Layers, []string{""})[0]
	}
	return ""
}

func roleList() string {
	var names []string
	for _, d := range roles {
		names = append(names, string(d.Role))
	}
	return strings.Join(names, ", ")
}
