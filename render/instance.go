package render

import (
	"slices"
	"strconv"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/render/escape"
	"github.com/plonec/plonec/schema"
)

// zopeConfName is the file of the instance that each client reads.
const zopeConfName = "zope.conf"

// solrPort is where Solr listens.
const solrPort = 8983

// The configurations of Zope and ZEO of an app whose project has none, as plonec writes
// them. The app's group reads them, as it reads a deploy.cfg.
var instanceArtifacts = []Artifact{
	{Template: "zope.conf.tmpl", Mode: 0o640, Each: instances(zopeConfName, func(a *topology.App) bool { return len(a.Clients) > 0 })},
	{Template: "wsgi.ini.tmpl", Mode: 0o640, Each: instances("wsgi.ini", func(a *topology.App) bool { return len(a.Clients) > 0 })},
	{Template: "zeo.conf.tmpl", Mode: 0o640, Each: instances("zeo.conf", func(a *topology.App) bool { return a.Zeo != nil })},
	{Template: "zodbpack.conf.tmpl", Mode: 0o640, Each: instances("zodbpack.conf", func(a *topology.App) bool { return a.Pack })},
}

// instances gives the file of that name of each app whose builder reads it and that has
// the processes it is for.
func instances(name string, has func(*topology.App) bool) func(*topology.Host) []Instance {
	return func(h *topology.Host) []Instance {
		var all []Instance
		for _, a := range h.Apps {
			if a.Builder().Reads(name) && has(a) {
				all = append(all, Instance{
					Path: appDir(a) + "/" + name, Owner: "root:" + a.Config.Group, Effects: []string{"deploy:" + a.Name}, Data: instanceConf{deployCfg{a}},
				})
			}
		}
		return all
	}
}

// containerPackages are those of the system that the group container of a cookieplone
// project is compiled with: it has psycopg2's sources, whatever the storage.
func containerPackages(a *topology.App) []string {
	if a.Builder().Decides || a.Config.Groups != nil || a.Config.Requirements != "" {
		return nil
	}
	all := topology.Databases()
	return all[slices.IndexFunc(all, func(d topology.Database) bool { return d.Type == "postgresql" })].Packages
}

// partners are the variables by which an app's processes are told of services.
func partners(a *topology.App) map[string]schema.EnvValue {
	told := map[string]schema.EnvValue{}
	if a.SolrHost != "" {
		told["SOLR_URI"] = schema.EnvValue{Text: "http://" + topology.HostPort(a.SolrHost, solrPort) + "/solr"}
	}
	if a.BrokerHost != "" {
		told["BROKER_URL"] = schema.EnvValue{Text: "redis://" + topology.HostPort(a.BrokerHost, a.BrokerPort) + "/0"}
	}
	return told
}

// An instanceConf is what the templates of these files see: what follows from an app on
// its host is the same as for deploy.cfg.
type instanceConf struct{ deployCfg }

// Threads are those of each client.
func (c instanceConf) Threads() int { return c.Clients[0].Threads }

// LogLevel is the least level that is logged.
func (c instanceConf) LogLevel() string {
	if c.Plone().SyslogFacility == "" {
		return "INFO"
	}
	return c.Plone().SyslogLevel
}

// Listens is what the ZEO server binds.
func (c instanceConf) Listens() string { return c.zeoListens() }

// SetsTemplateCache tells whether the stack says where compiled templates are kept.
func (c instanceConf) SetsTemplateCache() bool {
	return slices.ContainsFunc(c.Environment(), func(v envVar) bool { return v.Name == "CHAMELEON_CACHE" })
}

// Login is how RelStorage's driver is told of user and password, where the DSN does not.
func (c instanceConf) Login() ([]envVar, error) {
	db := c.Storage.RelStorage
	user, err := escape.ZConfig(db.User)
	switch {
	case err != nil || db.DSN.IsSet() && db.Type != "oracle":
		return nil, err
	case db.Type == "mysql":
		return withValue(envVar{"user", user}, envVar{"passwd", c.PasswordRef()}), nil
	case db.Type == "oracle":
		return withValue(envVar{"user", user}, envVar{"password", c.PasswordRef()}), nil
	}
	return nil, nil
}

// PackPrograms are those that pack, with the options of each.
func (c instanceConf) PackPrograms() []envVar {
	days := "--days " + strconv.Itoa(c.Plone().Relstorage.PackDays)
	var programs []envVar
	for _, step := range c.packSteps() {
		programs = append(programs, envVar{step, map[string]string{
			"zodbpack": days, "zodbpack-prepack": days + " --prepack", "zodbpack-pack": days + " --use-prepack-state",
		}[step]})
	}
	return programs
}

func withValue(all ...envVar) []envVar {
	return slices.DeleteFunc(all, func(v envVar) bool { return v.Value == "" })
}

// OfInstance tells whether the builder lays out these files.
func (b buildConf) OfInstance() bool { return b.Builder().Reads(zopeConfName) }

// ClientAddresses are what each client listens on, as the builder reads it: "NAME ADDRESS".
func (b buildConf) ClientAddresses() []string {
	var all []string
	for _, c := range b.Clients {
		all = append(all, c.Name+" "+deployCfg{b.App}.HTTPAddress(c))
	}
	return all
}

// GroupsGiven tells whether the stack says which groups are installed.
func (b buildConf) GroupsGiven() bool { return b.Config.Groups != nil }
