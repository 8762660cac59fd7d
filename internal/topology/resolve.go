package topology

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/schema"
)

// Resolve says who runs what and who talks to whom. The topology is complete
// only where the list has no errors.
func Resolve(d *schema.Decoded) (*Topology, diag.List) {
	r := &resolver{
		d: d, t: &Topology{Name: d.Base.OpsWorks.Stack.Name}, layers: map[string][]*Host{}, used: map[string]bool{},
		online: map[Role][]*Host{}, all: map[Role][]*Host{}, units: map[*Host]map[string]bool{}, misnamed: map[string]bool{},
	}
	if r.t.Name == "" {
		r.t.Name = "Plone"
	}
	r.hosts()
	if len(r.t.Hosts) == 0 {
		r.report("no-hosts", []string{"instances"}, "the stack has no hosts",
			"custom JSON alone names none: add \"instances\", or the opsworks.layers that a host's JSON has")
		return r.t, r.diags
	}
	r.apps()
	for _, h := range r.all[Clients] {
		r.partners(h)
	}
	r.designate()
	r.onlyOnes()
	r.unserved()
	r.fronts()
	r.voltoPartners()
	r.uploads()
	r.faults()
	return r.t, r.diags
}

type resolver struct {
	d      *schema.Decoded
	t      *Topology
	layers map[string][]*Host        // online hosts of each layer, by name
	used   map[string]bool           // layers that have hosts, online or not
	online map[Role][]*Host          // online hosts of each role, by name
	all    map[Role][]*Host          // the others too
	units  map[*Host]map[string]bool // names of units that are taken
	total  int                       // clients
	// apps that hosts run under a name that deploy does not have, by that name and by the right one
	misnamed map[string]bool
	near     *Host // where to point when the stack says nothing about it
	diags    diag.List
}

func (r *resolver) report(code string, path []string, message, remedy string) {
	r.diags.Add(diag.Diagnostic{
		Code: code, Span: r.place(path), Path: strings.Join(path, "."), Message: message, Remedy: remedy,
	})
}

// place is where a path stands in the stack, or the nearest of what is above
// it; where nothing is, the host that needs it, or the first one.
func (r *resolver) place(path []string) diag.Span {
	for n := len(path); n > 0; n-- {
		if span := r.d.KeySpan(path[:n]...); span.HasPlace() {
			return span
		}
	}
	if r.near != nil {
		return r.d.KeySpan("instances", r.near.Name)
	}
	for _, name := range sortedKeys(r.d.Base.Instances) {
		if span := r.d.KeySpan("instances", name); span.File != nil {
			return span
		}
	}
	return diag.Span{}
}

// hosts makes the hosts, each with its view of the attributes and its roles.
func (r *resolver) hosts() {
	instances := r.d.Base.Instances
	var views []*schema.Stack
	seen := map[*schema.Stack]bool{}
	for _, name := range sortedKeys(instances) {
		i := instances[name]
		layers := slices.Sorted(slices.Values(i.Layers))
		view, diags := r.d.View(layers)
		r.diags = append(r.diags, diags...)
		if view == nil {
			view = r.d.Base
		}
		if !seen[view] {
			seen[view] = true
			views = append(views, view)
		}
		h := &Host{
			Name: name, Address: i.Address, SSHAddress: i.SSHAddress, Status: i.Status,
			Online: i.Status == "online" || i.Status == "", Layers: layers, Stack: view,
		}
		h.CPUs, _ = CPUs(i)
		if h.SSHAddress == "" {
			h.SSHAddress = h.Address
		}
		os, where := i.OS, []string{"instances", name, "os"}
		if os == "" {
			os, where = view.Plonec.OS, []string{"plonec", "os"}
		}
		var ok bool
		if h.System, ok = SystemOf(os); !ok {
			r.once("not-in-table", where, "plonec does not know what the system "+os+" has", "give another system")
		}
		if h.Address == "" {
			r.report("no-address", []string{"instances", name}, "the instance has no address", "give its private address: \"address\": \"10.0.0.11\"")
		}
		r.t.Hosts = append(r.t.Hosts, h)
		for _, l := range layers {
			r.used[l] = true
			if h.Online {
				r.layers[l] = append(r.layers[l], h)
			}
		}
	}
	named := namedRoles(views)
	for _, l := range sortedKeys(r.used) {
		r.layer(l, named)
	}
	r.unknownLayers(named)
	for _, h := range r.t.Hosts {
		set := map[Role]bool{}
		for _, l := range h.Layers {
			for role := range layerRoles(l, r.d.Base.Layers[l], named) {
				set[role] = true
			}
		}
		h.Roles = inOrder(set)
		r.oneClientApp(h, func(l string) bool { return layerRoles(l, r.d.Base.Layers[l], named)[Clients] })
		for _, role := range h.Roles {
			r.all[role] = append(r.all[role], h)
			if h.Online {
				r.online[role] = append(r.online[role], h)
			}
		}
	}
}

// onlyOnes reports what may run on one host only.
func (r *resolver) onlyOnes() {
	zeo := map[string]*ZeoServer{}
	for _, h := range r.t.Hosts {
		for _, a := range h.Apps {
			if a.Zeo == nil || !h.Online {
				continue
			}
			first := zeo[a.Name]
			if first == nil {
				zeo[a.Name] = a.Zeo
				continue
			}
			remedy := "keep one online, or give each an app of its own: plone_zeoserver.app_name in its layer's custom_json"
			if first.Commanded || a.Zeo.Commanded {
				remedy = "keep one: remove the command from buildout_init_commands, or the other host's layer"
			}
			r.report("two-zeo-servers", []string{"instances", h.Name},
				fmt.Sprintf("the app %s has two ZEO servers: %s, and %s", a.Name, first.words(), a.Zeo.words()), remedy)
		}
	}
	for _, only := range roles {
		if only.OnApp == nil {
			continue
		}
		first := map[string]*Host{}
		for _, h := range r.t.Hosts {
			for _, a := range h.Apps {
				if !h.Online || !*only.OnApp(a) {
					continue
				}
				if f := first[a.Name]; f != nil {
					r.report("two-"+string(only.Role), []string{"instances", h.Name},
						fmt.Sprintf("a second host %s of the app %s: %s already does", only.Title, a.Name, f.Name),
						"put the layer on one host only")
				}
				first[a.Name] = h
			}
		}
		for _, h := range r.all[only.Role] {
			if !h.Has(Clients) {
				r.report("role-without-clients", []string{"instances", h.Name},
					fmt.Sprintf("the role %s does nothing on a host that runs no clients", only.Role),
					"put its layer on a client host")
			}
		}
	}
}

// unserved warns of hosts whose service nothing sets up yet, while others are
// told to find it there.
func (r *resolver) unserved() {
	for _, d := range roles {
		for _, s := range service.Of(string(d.Role)) {
			if hosts := r.online[d.Role]; s.ByHand != "" && len(hosts) > 0 {
				r.report("not-served", []string{"instances", hosts[0].Name},
					fmt.Sprintf("plonec does not set up %s yet, which this layer needs", s.ByHand), "set it up by hand on the hosts of that layer")
			}
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
