package opsworks

import (
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/words"
	"github.com/plonec/plonec/schema"
)

// A host is what the files say of one instance, in either form.
type host struct {
	name    string
	id      string
	layers  []*input.Node
	facts   *input.Node // all that is said of it, by both forms' names
	elastic *input.Node
}

// gatherHosts collects the instances of a host's JSON and of the outputs.
func (c *converter) gatherHosts(tree *input.Node) {
	for _, l := range fieldsOf(tree.Lookup("opsworks", "layers")) {
		for _, f := range fieldsOf(l.Value.Get("instances")) {
			c.host(f.Key).join(f.Value, &input.Node{Kind: input.String, Span: f.Span, Text: l.Key})
		}
	}
	if self := tree.Lookup("opsworks", "instance"); str(self, "hostname") != "" {
		c.host(str(self, "hostname")).join(self, itemsOf(self.Get("layers"))...)
	}
	layers := map[string]string{}
	for _, l := range c.in.outputs["Layers"] {
		layers[str(l, "LayerId")] = shortName(l)
	}
	for _, i := range c.in.outputs["Instances"] {
		name := strings.ToLower(str(i, "Hostname", "InstanceId"))
		if name == "" {
			continue
		}
		h := c.host(name)
		h.id = str(i, "InstanceId")
		for _, id := range itemsOf(i.Get("LayerIds")) {
			short, ok := layers[id.Text]
			if !ok {
				c.ask("instances."+name, "it is in the layer with the id "+printable(id.Text)+", which no file describes", "give the output of describe-layers too, or name its layers")
				continue
			}
			h.join(nil, text(short))
		}
		h.join(i)
	}
	for _, e := range c.in.outputs["ElasticIps"] {
		for _, h := range c.hosts {
			if id := str(e, "InstanceId"); id != "" && id == h.id {
				h.elastic = first(e, "Ip")
			}
		}
	}
}

func (c *converter) host(name string) *host {
	for _, h := range c.hosts {
		if h.name == name {
			return h
		}
	}
	h := &host{name: name, facts: mapping()}
	c.hosts = append(c.hosts, h)
	return h
}

func (h *host) join(facts *input.Node, layers ...*input.Node) {
	for _, l := range layers {
		if !slices.ContainsFunc(h.layers, func(x *input.Node) bool { return x.Text == l.Text }) {
			h.layers = append(h.layers, l)
		}
	}
	if facts != nil {
		h.facts = input.Merge(h.facts, facts)
	}
}

// instances makes the short form of the hosts. Addresses, sizes and roles that
// are not known yet come later.
func (c *converter) instances() *input.Node {
	all := mapping()
	for _, h := range c.hosts {
		path := []string{"instances", h.name}
		address := first(h.facts, "private_ip", "PrivateIp", "private_dns_name", "PrivateDns")
		ssh := h.elastic
		if ssh == nil {
			ssh = first(h.facts, "elastic_ip", "ElasticIp", "ip", "PublicIp")
		}
		if ssh != nil && address != nil && ssh.Text == address.Text {
			ssh = nil
		}
		status := first(h.facts, "status", "Status")
		if status != nil && status.Text == "online" {
			status = nil
		}
		all = put(all, path[1:], mapping("layers", list(h.layers...), "address", address, "ssh_address", ssh,
			"instance_type", first(h.facts, "instance_type", "InstanceType"), "backends", backends(h.facts), "status", status))
		if about := h.about(); about != "" {
			c.note(path, about)
		}
		c.scaling(h)
	}
	return all
}

// backends is OpsWorks' measure of a host as a number; it came as a text too.
func backends(facts *input.Node) *input.Node {
	n := first(facts, "backends")
	if n == nil || n.Text == "0" {
		return nil
	}
	return &input.Node{Kind: input.Number, Span: n.Span, Text: n.Text}
}

// about is what a host was on EC2.
func (h *host) about() string {
	var parts []string
	for _, keys := range [][]string{{"instance_type", "InstanceType"}, {"availability_zone", "AvailabilityZone"}, {"Os", "os"}} {
		if s := str(h.facts, keys...); s != "" && s != "Custom" {
			parts = append(parts, printable(s))
		}
	}
	if s := h.kind(); s != "" {
		parts = append(parts, s)
	}
	return strings.Join(parts, ", ")
}

// kind says whether the host was started by time or by load.
func (h *host) kind() string {
	switch str(h.facts, "auto_scaling_type", "AutoScalingType") {
	case "timer":
		return "time-based"
	case "load":
		return "load-based"
	}
	return ""
}

// sizes gives each host its CPUs, from the type that it had, and each that
// runs clients the measure by which OpsWorks counted them: where the files do
// not say it, four for each CPU, as the service's own examples have it.
func (c *converter) sizes(d *schema.Decoded) {
	roles := topology.LayerRoles(d)
	for _, f := range fieldsOf(c.tree.Get("instances")) {
		path := []string{"instances", f.Key}
		i := d.Base.Instances[f.Key]
		cpus, ok := topology.CPUs(i)
		if ok {
			c.set(append(path, "instance_type"), nil)
			c.set(append(path, "cpus"), number(cpus))
		}
		clients := slices.ContainsFunc(i.Layers, func(l string) bool { return slices.Contains(roles[l], topology.Clients) })
		backends := i.Backends
		if backends == 0 {
			backends = 4 * cpus
		}
		c.set(append(path, "backends"), nil)
		if clients && backends > 0 {
			c.set(append(path, "backends"), number(backends))
			c.note([]string{"instances"}, "A host has backends × per_cpu / 8 clients, as in OpsWorks, which counted four backends for a CPU. Give a new host four for each CPU too: with cpus alone it gets twice as many clients.")
		}
	}
}

func (c *converter) set(path []string, value *input.Node) {
	c.tree = put(c.tree, slices.Clone(path), value)
}

// layersDo writes down what each layer's hosts do, in place of the recipes
// that said it, and sorts the hosts: front ends first.
func (c *converter) layersDo() {
	d, _ := schema.Load(c.tree)
	c.noHosts(topology.LayerRoles(d))
	c.oneServer(topology.LayerRoles(d))
	d, _ = schema.Load(c.tree)
	roles := topology.LayerRoles(d)
	c.sizes(d)
	for _, f := range fieldsOf(c.tree.Get("layers")) {
		path := []string{"layers", f.Key}
		for _, event := range fieldsOf(f.Value.Get("custom_recipes")) {
			for _, recipe := range itemsOf(event.Value) {
				if !topology.KnownRecipe(recipe.Text) {
					c.ask(show(path), "its recipe "+printable(recipe.Text)+" ("+event.Key+") has no counterpart", recipeRemedy(recipe.Text))
				}
			}
		}
		var items []*input.Node
		for _, r := range roles[f.Key] {
			items = append(items, text(string(r)))
		}
		if f.Value.Get("roles") == nil {
			c.set(append(path, "roles"), list(items...))
		}
		c.set(append(path, "custom_recipes"), nil)
		switch recipes := len(fieldsOf(f.Value.Get("custom_recipes"))); {
		case len(items) > 0 || f.Value.Get("roles") != nil:
		case recipes == 0 && builtin[f.Key] == "" && f.Value.Get("custom_json") != nil:
			c.note(path, "It only carries settings of its own.")
		default:
			what := builtin[f.Key]
			if what == "" {
				what = "Nothing that plonec knows."
			}
			c.note(path, what)
			c.ask(show(path), "its hosts do nothing that plonec knows", "set up by hand what they did, give the layer roles, or take it out")
		}
	}
	order := func(f input.Field) int {
		best := len(topology.Roles())
		for _, l := range itemsOf(f.Value.Get("layers")) {
			for _, r := range roles[l.Text] {
				best = min(best, r.Order())
			}
		}
		return best
	}
	fields := slices.Clone(fieldsOf(c.tree.Get("instances")))
	slices.SortStableFunc(fields, func(a, b input.Field) int {
		if x, y := order(a), order(b); x != y {
			return x - y
		}
		return words.Compare(a.Key, b.Key)
	})
	c.set([]string{"instances"}, input.NewMap(diag.Span{}, fields))
}

// noHosts invents hosts where the files name none: custom JSON alone does not.
func (c *converter) noHosts(roles map[string][]topology.Role) {
	if len(fieldsOf(c.tree.Get("instances"))) > 0 {
		return
	}
	names := map[string]string{}
	var layers []string
	for _, r := range []topology.Role{topology.Frontend, topology.Clients, topology.Zeo} {
		layers = append(layers, r.Duty().Layers[0])
	}
	names[layers[1]], names[layers[2]] = "app1", "zeo1"
	if on := c.tree.Lookup("plone_instances", "enable_relstorage"); on != nil && on.Text == "true" {
		layers = layers[:2]
	}
	if len(fieldsOf(c.tree.Get("layers"))) == 0 && c.servesItself() {
		c.oneHost(layers[:2])
		return
	}
	if declared := fieldsOf(c.tree.Get("layers")); len(declared) > 0 {
		layers = nil
		for _, f := range declared {
			if !slices.ContainsFunc(roles[f.Key], func(r topology.Role) bool { return r.Duty().Beside }) {
				layers = append(layers, f.Key)
			}
		}
	}
	all := mapping()
	for _, l := range layers {
		name := names[l]
		if name == "" {
			name = strings.ToLower(strings.NewReplacer("_", "-", ".", "-").Replace(l)) + "1"
		}
		all = put(all, []string{name}, mapping("layers", list(text(l))))
		if c.tree.Lookup("layers", l) == nil {
			c.set([]string{"layers", l}, mapping())
		}
	}
	c.set([]string{"instances"}, all)
	c.ask("instances", "the files name no host: one for each layer is invented", "write the real ones, or give the JSON of a host or the output of describe-instances")
	c.note([]string{"instances"}, "INVENTED: one host for each layer, until you write the real ones.")
}

// servesItself tells whether the clients' app starts a ZEO server of its own: the cookbook's
// way to have all on one host.
func (c *converter) servesItself() bool {
	app := c.attribute("plone_instances", "app_name")
	of := func(name string) []*input.Node {
		if n := c.tree.Lookup("deploy", app.Text, "buildout_"+name); n != nil {
			return itemsOf(n)
		}
		return itemsOf(c.tree.Lookup("deploy_buildout", name))
	}
	part := schema.Lookup("deploy.<app>.parts.zeoserver").Default.Text
	return slices.ContainsFunc(of("parts_to_include"), func(n *input.Node) bool { return n.Text == part }) &&
		slices.ContainsFunc(of("init_commands"), func(n *input.Node) bool { return str(n, "cmd") == builder.Default().ZeoControl.For(part) })
}

// attribute is what the stack says of one, or its default.
func (c *converter) attribute(path ...string) *input.Node {
	if n := c.tree.Lookup(path...); n != nil {
		return n
	}
	return schema.Lookup(strings.Join(path, ".")).Default
}

// oneServer has a ZEO layer's hosts run the ZEO server that the clients' app starts by
// itself, where no app of the layer's own is there: one would have to be invented.
func (c *converter) oneServer(roles map[string][]topology.Role) {
	path := []string{"plone_zeoserver", "app_name"}
	serves := func(f input.Field) bool { return slices.Contains(roles[f.Key], topology.Zeo) }
	if !slices.ContainsFunc(fieldsOf(c.tree.Get("layers")), serves) || !c.servesItself() || c.tree.Lookup("deploy", c.attribute(path...).Text) != nil {
		return
	}
	c.set(path, text(c.attribute("plone_instances", "app_name").Text))
	c.note(path, "The clients' app, which starts its ZEO server by itself.")
}

// oneHost invents a host that is in all of the layers.
func (c *converter) oneHost(layers []string) {
	var names []*input.Node
	for _, l := range layers {
		names = append(names, text(l))
		c.set([]string{"layers", l}, mapping())
	}
	c.set([]string{"instances"}, mapping("plone1", mapping("layers", list(names...))))
	c.ask("instances", "the files name no host: one that does everything is invented, since the app starts its ZEO server by itself", "write the real one, or give the JSON of a host or the output of describe-instances")
	c.note([]string{"instances"}, "INVENTED: one host, until you write the real one. Its app starts its ZEO server by buildout_init_commands.")
}

// complete puts in what a stack cannot be without and the files do not say. All
// of it is marked, and harmless: nobody is at an address of 192.0.2.0/24.
func (c *converter) complete() {
	for mended := true; mended; {
		mended = false
		_, list := c.judge()
		for _, d := range list {
			mended = c.placehold(d) || mended
		}
	}
}

// placehold mends one error; it tells whether it did.
func (c *converter) placehold(d diag.Diagnostic) bool {
	section, name, _ := strings.Cut(d.Path, ".")
	var path []string
	var value *input.Node
	why, remedy := "", ""
	switch d.Code {
	case "no-address":
		path, value = []string{section, name, "address"}, text(c.unusedAddress())
		why, remedy = "the files do not give its address; the one written is a placeholder", "write its private address"
	case "unknown-cpus":
		path, value = []string{section, name, "cpus"}, number(1)
		why, remedy = "the files do not say how large it is; one CPU is assumed", "write how many it has"
	case "no-repository":
		path, value = []string{section, name, "scm", "repository"}, text("https://git.example.com/"+name+".git")
		why, remedy = "the files do not say where the buildout comes from; the address written is a placeholder", "write the repository's address"
	case "no-database":
		path = []string{"plone_instances", "relstorage", "db"}
		value = mapping("name", text("plone"), "host", text("database.example.com"), "user", text("plone"), "password", text(unknownSecret))
		why, remedy = "the files do not say which database RelStorage uses; the one written is a placeholder", "write where it is and who may use it"
	case "no-solr":
		path, value = []string{"plone_instances", "solr_host"}, text("solr.example.com")
		why, remedy = "Solr is on, and the files do not say where it is; the address written is a placeholder", "write Solr's address, or set solr_enabled to false"
	case "in-home":
		return c.leaveHome(d, name)
	case "none-online":
		return c.wake()
	case "no-clients":
		return c.noFront()
	default:
		return false
	}
	if name == "" || at(c.tree, path) != nil && value.Kind != input.Map {
		return false
	}
	c.set(path, input.Merge(value, at(c.tree, path)))
	c.note(path, "PLACEHOLDER: "+remedy+".")
	c.ask(show(path), why, remedy)
	return true
}

// leaveHome takes an app out of its user's home, where root would follow the
// user's links; one that lies where apps lie anyway gets the usual home.
func (c *converter) leaveHome(d diag.Diagnostic, name string) bool {
	app := strings.TrimSuffix(name, ".deploy_to")
	place, home := []string{"deploy", app, "deploy_to"}, []string{"deploy", app, "home"}
	usual := text("/srv/www/" + app)
	switch before := at(c.tree, place); {
	case before != nil && before.Text != usual.Text:
		c.set(place, usual)
		c.note(place, "DECIDE: "+d.Message+".")
		c.changed(place, d.Message+": written as "+usual.Text)
		c.ask(show(place), d.Message+"; "+usual.Text+" is written", "keep that, or choose another directory that belongs to root; move what shared held there")
	case at(c.tree, home) != nil:
		c.set(home, nil)
		c.dropped(home, d.Message)
		c.ask(show(home), d.Message+"; the usual home is taken", "check whether the user needs another one")
	default:
		return false
	}
	return true
}

// unusedAddress is one of those that documentation uses (RFC 5737).
func (c *converter) unusedAddress() string {
	taken := map[string]bool{}
	each(c.tree.Get("instances"), nil, func(_ []string, _ diag.Span, n *input.Node) { taken[n.Text] = true })
	for _, net := range []string{"192.0.2.", "198.51.100.", "203.0.113."} {
		for i := 1; i < 255; i++ {
			if a := net + strconv.Itoa(i); !taken[a] {
				return a
			}
		}
	}
	return ""
}

// noFront takes the front ends of a stack that runs no Plone for somebody else's.
func (c *converter) noFront() bool {
	done := false
	for _, f := range fieldsOf(c.tree.Get("layers")) {
		path := []string{"layers", f.Key, "roles"}
		if !slices.ContainsFunc(itemsOf(at(c.tree, path)), func(n *input.Node) bool { return n.Text == string(topology.Frontend) }) {
			continue
		}
		done = true
		c.set(path, list())
		c.note(path[:2], `It would be ["frontend"], once there are hosts that run clients.`)
		c.ask(show(path), "its hosts are front ends, and no layer's hosts run Plone", `give another layer the role clients, and this one the role frontend`)
	}
	return done
}

// wake takes the hosts that were always there for online, where none that runs
// clients is: a stack that is moved was stopped before.
func (c *converter) wake() bool {
	woken := false
	for _, always := range []bool{true, false} {
		for _, h := range c.hosts {
			path := []string{"instances", h.name, "status"}
			if at(c.tree, path) != nil && (!always || h.kind() == "") {
				c.set(path, nil)
				woken = true
			}
		}
		if woken {
			c.ask("instances", "no host was online in OpsWorks; hosts are written as online, since you are about to start them", `give "status": "stopped" to those that stay off`)
			return true
		}
	}
	return false
}
