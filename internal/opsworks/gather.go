package opsworks

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/draft"
	"github.com/plonec/plonec/internal/input"
)

// gather brings all that was read into one stack, as OpsWorks did: custom JSON
// lies over what the service says, a deployment's over the stack's; a layer's
// lies over both on its hosts.
func (c *converter) gather() {
	tree := input.Merge(c.fromLayers(), c.in.host)
	tree = input.Merge(tree, input.Merge(c.in.stack, c.in.custom))
	if tree == nil {
		tree = mapping()
	}
	c.gatherHosts(tree)
	layers := c.gatherLayers(tree)
	deploy := input.Merge(c.gatherApps(), tree.Get("deploy"))

	name := first(tree.Lookup("opsworks", "stack"), "name")
	for _, s := range c.in.outputs["Stacks"] {
		if n := first(s, "Name"); n != nil {
			name = n
		}
	}
	for _, part := range []struct {
		key   string
		value *input.Node
	}{
		{"opsworks", c.opsworks(tree.Get("opsworks"), name)},
		{"instances", input.Merge(c.instances(), tree.Get("instances"))},
		{"layers", input.Merge(layers, tree.Get("layers"))},
		{"deploy", c.apps(deploy)},
	} {
		tree = put(tree, []string{part.key}, part.value)
	}
	c.tree = tree
	c.ephemeral()
}

// opsworks keeps the stack's name, and drops what the service sent besides.
func (c *converter) opsworks(old, name *input.Node) *input.Node {
	for _, f := range fieldsOf(old) {
		switch f.Key {
		case "stack", "layers", "instance":
		default:
			if !draft.Empty(f.Value) {
				c.dropped([]string{"opsworks", f.Key}, whyGone("opsworks."+f.Key))
			}
		}
	}
	c.balancers(old.Get("stack"))
	if name == nil {
		return nil
	}
	return mapping("stack", mapping("name", name))
}

// layerAttributes are what the console asked for a built-in layer, and the
// custom JSON that it became.
var layerAttributes = []struct{ name, section, attribute string }{
	{"HaproxyStatsPassword", "haproxy", "stats_password"},
	{"HaproxyStatsUser", "haproxy", "stats_user"},
	{"HaproxyStatsUrl", "haproxy", "stats_url"},
	{"EnableHaproxyStats", "haproxy", "enable_stats"},
	{"HaproxyHealthCheckUrl", "haproxy", "health_check_url"},
	{"HaproxyHealthCheckMethod", "haproxy", "health_check_method"},
	{"MemcachedMemory", "memcached", "memory"},
}

func (c *converter) fromLayers() *input.Node {
	tree := mapping()
	for _, l := range c.in.outputs["Layers"] {
		for _, a := range layerAttributes {
			if v := first(l.Get("Attributes"), a.name); v != nil {
				tree = put(tree, []string{a.section, a.attribute}, v)
			}
		}
	}
	return tree
}

// gatherLayers makes the short form of the layers.
func (c *converter) gatherLayers(tree *input.Node) *input.Node {
	layers := mapping()
	for _, f := range fieldsOf(tree.Lookup("opsworks", "layers")) {
		layers = put(layers, []string{f.Key}, mapping("name", first(f.Value, "name"),
			"custom_recipes", first(f.Value, "custom_recipes", "CustomRecipes"), "custom_json", first(f.Value, "custom_json", "CustomJson")))
	}
	for _, l := range c.in.outputs["Layers"] {
		name := shortName(l)
		old := layers.Get(name)
		own := mapping("name", first(l, "Name"), "custom_recipes", c.recipes(l), "custom_json", first(l, "CustomJson"))
		layers = put(layers, []string{name}, input.Merge(old, own))
		c.layerAsks(name, l)
	}
	return layers
}

// recipes are a layer's custom recipes; those of built-in layers stand for
// what their names say already.
func (c *converter) recipes(l *input.Node) *input.Node {
	var fields []input.Field
	for _, f := range fieldsOf(l.Get("CustomRecipes")) {
		if len(itemsOf(f.Value)) > 0 {
			fields = append(fields, f)
		}
	}
	if fields == nil {
		return nil
	}
	return input.NewMap(diag.Span{}, fields)
}

func shortName(l *input.Node) string {
	if name := str(l, "Shortname"); name != "" {
		return name
	}
	if name := str(l, "Type"); name != "" && name != "custom" {
		return name
	}
	return str(l, "LayerId")
}

// gatherApps makes the form in which hosts received the apps.
func (c *converter) gatherApps() *input.Node {
	apps := mapping()
	for _, a := range c.in.outputs["Apps"] {
		name := str(a, "Shortname", "Name", "AppId")
		source, tls := a.Get("AppSource"), a.Get("SslConfiguration")
		scm := mapping("scm_type", first(source, "Type"), "repository", first(source, "Url"), "revision", first(source, "Revision"),
			"user", first(source, "Username"), "password", first(source, "Password"), "ssh_key", first(source, "SshKey"))
		environment := mapping()
		for _, v := range itemsOf(a.Get("Environment")) {
			name, value := str(v, "Key"), v.Get("Value")
			if name == "" || value == nil {
				continue
			}
			environment = put(environment, []string{name}, value)
			if secure := v.Get("Secure"); secure != nil && secure.Text == "true" {
				c.secure[draft.Key([]string{"deploy", str(a, "Shortname", "Name", "AppId"), "environment", name})] = true
			}
		}
		app := mapping("scm", scm, "domains", first(a, "Domains"), "ssl_support", first(a, "EnableSsl"),
			"ssl_certificate", first(tls, "Certificate"), "ssl_certificate_key", first(tls, "PrivateKey"), "ssl_certificate_ca", first(tls, "Chain"),
			"environment", environment, "database", c.database(name, a))
		apps = put(apps, []string{name}, app)
	}
	return apps
}

// database is what describe-rds-db-instances says of an app's data source.
func (c *converter) database(app string, a *input.Node) *input.Node {
	for _, s := range itemsOf(a.Get("DataSources")) {
		arn := str(s, "Arn")
		if arn == "" {
			continue
		}
		for _, d := range c.in.outputs["RdsDbInstances"] {
			if str(d, "RdsDbInstanceArn") == arn {
				return mapping("adapter", first(d, "Engine"), "host", first(d, "Address"), "username", first(d, "DbUser"),
					"password", first(d, "DbPassword"), "database", first(s, "DatabaseName"))
			}
		}
		c.ask("deploy."+app+".database", "the app has the database "+printable(arn)+", and the files do not say where it is and who may use it",
			"give the output of describe-rds-db-instances too, or write host, username and password")
	}
	return nil
}

// withPassword matches an address that holds a user, and perhaps a password.
var withPassword = regexp.MustCompile(`^https?://[^/]*@`)

// apps sees to what the schema would refuse: a password in a repository's
// address becomes an attribute, the app's own name is no domain.
func (c *converter) apps(deploy *input.Node) *input.Node {
	for _, f := range fieldsOf(deploy) {
		if env := f.Value.Get("environment_variables"); env != nil {
			deploy = put(deploy, []string{f.Key, "environment_variables"}, nil)
			deploy = put(deploy, []string{f.Key, "environment"}, input.Merge(env, f.Value.Get("environment")))
		}
		if r := f.Value.Lookup("scm", "repository"); r != nil && withPassword.MatchString(r.Text) {
			if u, err := url.Parse(r.Text); err == nil {
				password, _ := u.User.Password()
				user := u.User.Username()
				u.User = nil
				for _, part := range []struct{ key, value string }{{"repository", u.String()}, {"user", user}, {"password", password}} {
					if path := []string{f.Key, "scm", part.key}; part.value != "" {
						deploy = put(deploy, path, text(part.value))
					}
				}
				c.changed([]string{"deploy", f.Key, "scm", "repository"}, "the user and the password in it became scm.user and scm.password")
			}
		}
		if domains := f.Value.Get("domains"); domains != nil && domains.Kind == input.List {
			kept := slices.DeleteFunc(slices.Clone(domains.Items), func(n *input.Node) bool {
				return n.Kind == input.String && n.Text == f.Key && !strings.Contains(n.Text, ".")
			})
			deploy = put(deploy, []string{f.Key, "domains"}, list(kept...))
		}
	}
	return deploy
}

// mountPoint is the attribute that says where the hosts' own disks were mounted.
var mountPoint = []string{"opsworks_initial_setup", "ephemeral_mount_point"}

// ephemeral says where the hosts' own disks were mounted, on which the
// cookbook's default directories lie.
func (c *converter) ephemeral() {
	if first(c.tree.Get(mountPoint[0]), mountPoint[1]) != nil {
		return
	}
	dir, where := "/mnt", "as on OpsWorks' Ubuntu hosts"
	for _, s := range c.in.outputs["Stacks"] {
		if strings.HasPrefix(str(s, "DefaultOs"), "Amazon") {
			dir, where = "/media/ephemeral0", "as on OpsWorks' Amazon Linux"
		}
	}
	c.tree = put(c.tree, mountPoint, text(dir))
	c.note(mountPoint, where+": Data.fs lies below it, and everything else without a directory of its own.")
}
