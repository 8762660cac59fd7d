package render

import (
	"maps"
	"math"
	"net"
	"regexp"
	"slices"
	"strconv"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/render/escape"
	"github.com/plonec/plonec/schema"
)

// deployCfgName is the file that buildout reads of a host's.
const deployCfgName = "deploy.cfg"

// deployCfgs gives one deploy.cfg for each app that runs on the host. The
// app's group reads it: the stack's own text in it may be nobody else's
// business.
func deployCfgs(h *topology.Host) []Instance {
	var all []Instance
	for _, a := range h.Apps {
		if len(a.Clients) == 0 && a.Zeo == nil || !a.Builder().Reads(deployCfgName) {
			continue
		}
		all = append(all, Instance{
			Path:    appDir(a) + "/" + deployCfgName,
			Owner:   "root:" + a.Config.Group,
			Effects: []string{"deploy:" + a.Name},
			Data:    deployCfg{App: a},
		})
	}
	return all
}

// A deployCfg is what deploy.cfg.tmpl sees: an app on its host, and what
// follows from it. It speaks to the buildout through the sections and parts
// that the cookbook agreed on with it.
type deployCfg struct {
	*topology.App
}

func (d deployCfg) stack() *schema.Stack { return d.Host.Stack }

// Plone, Zeoserver and Blobs are the attributes in this host's view.
func (d deployCfg) Plone() *schema.PloneInstances     { return d.stack().PloneInstances }
func (d deployCfg) Zeoserver() *schema.PloneZeoserver { return d.stack().PloneZeoserver }
func (d deployCfg) Blobs() *schema.PloneBlobs         { return d.stack().PloneBlobs }

// ZeoHost tells that the app runs here as the ZEO server of its layer, with
// the parts that go with it. Another ZEO server is a part that the stack
// added to an app of clients.
func (d deployCfg) ZeoHost() bool {
	return d.Zeo != nil && d.Host.Has(topology.Zeo) && d.Zeoserver().AppName == d.Name
}

// Extends lists the files that deploy.cfg lies over, later ones winning.
func (d deployCfg) Extends() []string {
	files := []string{d.baseConfig()}
	if d.Storage.RelStorage != nil {
		files = append(files, d.Plone().Relstorage.Config)
	}
	files = append(files, d.Config.BuildoutExtends...)
	files = append(files, d.Secrets()...)
	return slices.DeleteFunc(files, func(name string) bool { return name == "" })
}

// baseConfig is the buildout's own base. The cookbook gave ZEO hosts cfg/base.cfg,
// whatever the clients' was.
func (d deployCfg) baseConfig() string {
	if len(d.Clients) == 0 {
		return d.Zeoserver().BaseConfig
	}
	return d.Plone().BaseConfig
}

// ZeoAddress is where clients find the ZEO server, and where one here
// listens; empty where the base configuration decides.
func (d deployCfg) ZeoAddress() string {
	if d.Storage.ZeoAddress == "" && len(d.Clients) == 0 {
		return d.zeoListens()
	}
	return d.Storage.ZeoAddress
}

// ZeoListens is the address of the ZEO server here; empty where the base configuration
// decides, or there is none.
func (d deployCfg) ZeoListens() string {
	if d.Zeo == nil || d.Zeo.Port == 0 {
		return ""
	}
	return d.zeoListens()
}

func (d deployCfg) zeoListens() string {
	return net.JoinHostPort(d.Zeo.Address, strconv.Itoa(d.Zeo.Port))
}

// HTTPAddress is what a client listens on: never a bare port, which would be
// every interface.
func (d deployCfg) HTTPAddress(c *topology.Client) string {
	return net.JoinHostPort(c.Address, strconv.Itoa(c.Port))
}

// MaxRequestBody is the first size of a request's body that waitress refuses, in bytes.
func (d deployCfg) MaxRequestBody() int64 {
	if d.MaxUpload == 0 {
		return math.MaxInt64
	}
	return d.MaxUpload + 1
}

// ZeoSyslog is the ZEO server's own, where one runs here.
func (d deployCfg) ZeoSyslog() string {
	if d.Zeo == nil {
		return ""
	}
	return d.Zeoserver().SyslogFacility
}

// An envVar is a line of environment-vars.
type envVar struct{ Name, Value string }

// cacheVar is the variable by which a client is told under which name it keeps its
// cache of the ZEO server over a restart; empty: it keeps none. All of an app's
// processes have it, and bin/clientN puts the name there where it starts to serve.
const cacheVar = "PLONEC_ZEO_CACHE"

// keepsCache tells whether the clients of an app keep such caches.
func keepsCache(a *topology.App) bool {
	return len(a.Clients) > 0 && a.Host.Stack.PloneInstances.PersistentCache && a.Storage.RelStorage == nil
}

// toldOfCache tells whether they are told by cacheVar. ZConfig reads the environment
// from 3.1 on, and Plone on Python 2 may have 2.9 or 3.0: there zope.conf has the name.
func toldOfCache(a *topology.App) bool { return keepsCache(a) && a.WSGI }

// CacheKept, CacheTold and CacheVar are these for the template.
func (d deployCfg) CacheKept() bool { return keepsCache(d.App) }
func (d deployCfg) CacheTold() bool { return toldOfCache(d.App) }
func (deployCfg) CacheVar() string  { return cacheVar }

// notForClients are variables that only concern the run of Ruby or the place
// of temporary files on the host: the cookbook kept them from the clients.
var notForClients = regexp.MustCompile(`^(TMP|TEMP|RUBY|RAILS|RACK)`)

// Environment is what zope.conf sets, by name: what the stack says and nothing else.
// A variable that the base sets too would be there twice, with which no client starts,
// and no text of the stack's can take a line of environment-vars back.
func (d deployCfg) Environment() []envVar {
	var all []envVar
	for _, name := range slices.Sorted(maps.Keys(d.Config.Environment)) {
		if v := d.Config.Environment[name]; !notForClients.MatchString(name) && !d.fromUnit(v) {
			all = append(all, envVar{name, v.Text})
		}
	}
	return all
}

// FromUnit names the variables that reach the clients through their units
// alone: secrets, and values that zope.conf cannot hold.
func (d deployCfg) FromUnit() []string {
	var names []string
	for name, v := range d.Config.Environment {
		if !notForClients.MatchString(name) && d.fromUnit(v) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (d deployCfg) fromUnit(v schema.EnvValue) bool {
	_, err := escape.ZConfig(v.Text)
	return v.Secret.IsSet() || err != nil
}

// Additional is the stack's own text. It may begin without a header, and then
// belongs to [buildout], as it did in the cookbook. Its secrets are in files that
// deploy.cfg extends.
func (d deployCfg) Additional() string {
	return joined(d.Config.BuildoutAdditionalConfig, func(int) string { return "" })
}

// Secrets names those files.
func (d deployCfg) Secrets() []string { return secretConfigs(d.App) }
