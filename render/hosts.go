package render

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/render/escape"
	"github.com/plonec/plonec/schema"
)

// hostArtifacts are the data of the host's scripts, and what belongs to the
// host as a whole.
var hostArtifacts = []Artifact{
	{Template: "host.env.tmpl", Each: hostEnv},
	{Template: "app.conf.tmpl", Each: appConfs},
	{Template: "build.conf.tmpl", Each: buildConfs},
	{Template: "app.env.tmpl", Each: appEnvs},
	{Template: "logrotate.tmpl", Each: logrotates},
	{Template: "needrestart.conf.tmpl", Each: needrestarts},
}

// basePackages are what the scripts themselves need.
var basePackages = []string{
	"bzip2", "ca-certificates", "curl", "git", "logrotate", "openssh-client", "procps", "python3", "python3-venv", "rsync", "unzip", "xz-utils",
}

// provingPackage tells what the ports of daemons are taken by.
const provingPackage = "iproute2"

// cachePackages are what pylibmc is compiled with.
var cachePackages = []string{"gcc", "libmemcached-dev", "python3-dev", "zlib1g-dev"}

func hostEnv(h *topology.Host) []Instance {
	d := struct {
		Host                            *topology.Host
		Apps, Units, Services, Packages []string
		Timezone                        string
		ForceReload                     bool // of nginx, at each configure
	}{Host: h, Packages: Packages(h)}
	if h.Stack.System != nil {
		d.Timezone = h.Stack.System.Timezone
	}
	if h.Front != nil {
		d.ForceReload = h.Stack.NginxPlone.ForceReload
	}
	for _, a := range h.Apps {
		d.Apps = append(d.Apps, a.Name)
	}
	for _, s := range h.Services() {
		if s.Packaged() {
			d.Services = append(d.Services, strings.TrimSuffix(s.Unit, ".service"))
		} else {
			d.Units = append(d.Units, s.Unit)
		}
	}
	return []Instance{{Path: "/etc/plonec/host.env", Data: d}}
}

// Packages are those that setup makes sure of on the host, as apt-get takes them,
// sorted.
func Packages(h *topology.Host) []string {
	list := slices.Clone(basePackages)
	for _, s := range h.Services() {
		if s.Packaged() {
			list = append(append(list, s.Kind.Packages...), provingPackage)
		}
	}
	for _, a := range h.Apps {
		if db := a.Storage.RelStorage; db != nil {
			list = append(list, db.Database().Packages...)
		}
		if len(a.Voltos) > 0 {
			list = append(list, "make") // by which Volto builds
		}
		if len(a.Voltos) == 0 || len(a.Units()) > len(a.Voltos) {
			list = append(list, containerPackages(a)...)
		}
		if len(a.MemcachedServers) > 0 {
			list = append(list, cachePackages...)
		}
		for _, p := range a.Config.OSPackages {
			list = append(list, aptPackage(p))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// aptPackage writes a package as apt-get takes it.
func aptPackage(p schema.Package) string {
	if p.Version == "" {
		return strings.Replace(p.Name, "==", "=", 1)
	}
	return p.Name + "=" + p.Version
}

// pipPackage writes a package as pip and uv take it.
func pipPackage(p schema.Package) string {
	if p.Version == "" {
		return p.Name
	}
	return p.Name + "==" + strings.TrimLeft(p.Version, "=")
}

// appConf is what the scripts know of an app that no release is made of: a
// change of it needs no deploy.
type appConf struct {
	*topology.App
	Units        []string // in the order in which they start
	ZeoUnit      string
	ClientUnits  []string // what balancers send requests to: the frontend's processes too
	Addresses    []string // of these, in the same order
	Ports        []string
	Filestorage  string
	BlobDir      string
	Supervisor   string
	GlobalTmp    bool
	HealthURL    string
	RestartDelay int
	Settle       int
	Delays       []delay // of other processes
	PartNames    []partName
	ZeoAddress   string   // where another app, or another host, serves the database; empty: none does
	ZeoServer    []string // the host and the app that do; empty: none of the stack's
}

// A delay is the pause before a restart of a process that runs, in seconds.
type delay struct {
	Unit    string
	Seconds int
}

// A partName is what a project calls a part.
type partName struct{ Key, Name string }

// partNames are those of the parts that make programs of the host's work, where a project
// calls one otherwise.
func partNames(p schema.PartNames) []partName {
	all := []partName{{"backup", p.Backup}, {"zodbpack", p.Zodbpack}, {"zodbpack-pack", p.ZodbpackPack}, {"zodbpack-prepack", p.ZodbpackPrepack}}
	return slices.DeleteFunc(all, func(n partName) bool { return n.Name == n.Key })
}

func appConfs(h *topology.Host) []Instance {
	var all []Instance
	for _, a := range h.Apps {
		d := appConf{App: a, PartNames: partNames(a.Config.Parts), Units: a.Units(), BlobDir: a.BlobDir(), HealthURL: healthURL(h), Settle: settle(h)}
		serves := func(p *topology.Process) {
			d.ClientUnits = append(d.ClientUnits, p.Unit)
			d.Addresses = append(d.Addresses, p.Address)
			d.Ports = append(d.Ports, strconv.Itoa(p.Port))
		}
		if s := h.Stack.PloneInstances; s != nil {
			d.RestartDelay = seconds(s.RestartDelay)
		}
		if h.Stack.Tmpdir != nil {
			d.GlobalTmp = h.Stack.Tmpdir.GlobalTmp
		}
		if a.Zeo == nil {
			d.ZeoAddress = a.Storage.ZeoAddress
			if zeo := a.Storage.Zeo; zeo != nil {
				d.ZeoServer = []string{zeo.App.Host.Name, zeo.App.Name}
			}
		}
		for _, c := range a.Commands {
			if c.Delay > 0 {
				d.Delays = append(d.Delays, delay{c.Unit, seconds(c.Delay)})
			}
		}
		if a.Zeo != nil {
			d.Filestorage = a.Zeo.FilestorageDir
			if !a.Supervised() {
				d.ZeoUnit = a.Zeo.Unit
			}
		}
		if a.Supervised() {
			d.Supervisor = a.Units()[0]
		} else {
			for _, c := range a.Clients {
				serves(&c.Process)
			}
		}
		for _, v := range a.Voltos {
			serves(&v.Process)
		}
		all = append(all, Instance{Path: appDir(a) + "/app.conf", Data: d})
	}
	return all
}

// settle is the seconds that a balancer may take to see a client up that has
// come back: its health checks, and an agent check where nobody tells it. The next
// client waits for that long at least.
func settle(h *topology.Host) int {
	p := h.Stack.Haproxy
	if p == nil {
		return 0
	}
	d := max(time.Duration(p.CheckInterval)*time.Duration(p.Rise), agentInter) + time.Second
	return int((d + time.Second - 1) / time.Second)
}

// buildConf is what a release is made of, besides its deploy.cfg. What its
// variables that begin with BUILD_ say is an input of its builder, too.
type buildConf struct {
	*topology.App
	Buildout    string   // the version to install where the repository asks for none
	Python      string   // its version; empty: the host's own
	Packages    []string // as pip takes them
	Shared      []string // directories of shared, and what each is called in
	Links       []string // the release
	Purge       []string
	Dirs        []string
	Needs       []string // what the builder has to make, relative to the release
	Storage     string
	Secrets     []string // files that deploy.cfg extends
	Files       []string // of a release, beside its commit's: "SUM PATH", and
	SecretFiles []string // those of them that are secrets
	Processes   []string // whose configuration is held against the stack; see expected.go
	Expected    []string
	Archives    struct{ URLs, Paths, Users, Passwords, Purge []string }
}

// Setuptools is what pip is asked for beside that zc.buildout, for that Plone.
func (b buildConf) Setuptools() string {
	from, _ := builder.Setuptools(b.Buildout)
	if from = cmp.Or(from, b.Plone.Setuptools); from != "" {
		return "setuptools<" + from
	}
	return "setuptools"
}

func buildConfs(h *topology.Host) []Instance {
	var all []Instance
	for _, a := range h.Apps {
		c := a.Config
		d := buildConf{App: a, Buildout: c.BuildoutVersion, Python: c.PythonMajorVersion, Storage: a.Database()}
		if d.Python == "" && !a.WSGI {
			d.Python = "2.7"
		}
		if d.Buildout == "" {
			d.Buildout = a.Plone.Buildout
		}
		for _, p := range c.Packages {
			d.Packages = append(d.Packages, pipPackage(p))
		}
		for _, shared := range slices.Sorted(maps.Keys(c.SymlinkBeforeMigrate)) {
			d.Shared = append(d.Shared, shared)
			d.Links = append(d.Links, c.SymlinkBeforeMigrate[shared])
		}
		d.Purge = c.PurgeBeforeSymlink
		d.Dirs = c.CreateDirsBeforeSymlink
		d.Needs = needs(a)
		d.Processes, d.Expected = expected(a)
		d.Secrets = secretConfigs(a)
		for _, name := range slices.Sorted(maps.Keys(c.Files)) {
			if f := c.Files[name]; f.Secret.IsSet() {
				d.SecretFiles = append(d.SecretFiles, name)
			} else {
				d.Files = append(d.Files, fmt.Sprintf("%x %s", sha256.Sum256([]byte(f.Text)), name))
			}
		}
		for i, c := range c.BuildoutCacheArchives {
			d.Archives.URLs = append(d.Archives.URLs, c.URL)
			d.Archives.Paths = append(d.Archives.Paths, c.Path)
			d.Archives.Users = append(d.Archives.Users, c.User)
			d.Archives.Passwords = append(d.Archives.Passwords, archivePassword(i, c))
			purge := ""
			if c.Purge {
				purge = "1"
			}
			d.Archives.Purge = append(d.Archives.Purge, purge)
		}
		all = append(all, Instance{Path: appDir(a) + "/build.conf", Effects: []string{"deploy:" + a.Name}, Data: d})
	}
	return all
}

// Venv are the options for making the virtualenv.
func (b buildConf) Venv() ([]string, error) {
	words, err := escape.Words(b.Config.VenvOptions)
	return slices.DeleteFunc(words, func(o string) bool {
		return o == "--no-site-packages" // virtualenv's old default, which venv does not know
	}), err
}

// needs lists the programs that the units run: a release without them is never
// switched to.
func needs(a *topology.App) []string {
	var files []string
	if len(a.Voltos) > 0 {
		files = append(files, builder.Volto.Needs())
	}
	if a.Supervised() {
		return append(files, a.Builder().Supervisor.For(a.Config.BuildoutSupervisorPart))
	}
	if a.Zeo != nil {
		files = append(files, a.Builder().Zeo.For(a.Config.Parts.Zeoserver))
	}
	for _, c := range a.Clients {
		files = append(files, a.Builder().Client.For(c.Name))
	}
	for _, c := range a.Commands {
		if !strings.HasPrefix(c.Cmd, "/") {
			files = append(files, c.Cmd)
		}
	}
	return files
}

// archivePassword is the variable of archives.env that holds the password of
// the i-th archive; empty where it has none.
func archivePassword(i int, c schema.CacheArchive) string {
	if !c.Password.IsSet() {
		return ""
	}
	return fmt.Sprintf("ARCHIVE_PASSWORD_%d", i+1)
}

// appEnvs gives each app's environment, less its secrets, as its processes and
// its buildout find it.
func appEnvs(h *topology.Host) []Instance {
	type variable struct{ Name, Value string }
	var all []Instance
	for _, a := range h.Apps {
		var vars []variable
		if toldOfCache(a) {
			vars = append(vars, variable{cacheVar, ""})
		}
		environment := map[string]schema.EnvValue{}
		if !a.Builder().Decides { // no configuration of a project's tells these
			maps.Copy(environment, partners(a))
		}
		maps.Copy(environment, a.Config.Environment)
		for _, name := range slices.Sorted(maps.Keys(environment)) {
			if v := environment[name]; !v.Secret.IsSet() {
				vars = append(vars, variable{name, v.Text})
			}
		}
		all = append(all, Instance{Path: appDir(a) + "/app.env", Effects: []string{"deploy:" + a.Name}, Data: vars})
	}
	return all
}

func logrotates(h *topology.Host) []Instance {
	var all []Instance
	for _, a := range h.Apps {
		if len(a.Units()) > 0 {
			// Without the app's dots: logrotate passes over some endings.
			name := "plonec-" + strings.ReplaceAll(a.Name, ".", "_")
			all = append(all, Instance{Path: "/etc/logrotate.d/" + name, Data: a.Config})
		}
	}
	return all
}

func needrestarts(h *topology.Host) []Instance {
	if len(h.Apps) == 0 {
		return nil
	}
	return []Instance{{Path: "/etc/needrestart/conf.d/plonec.conf"}}
}

// DeployKey is the file of the ssh key that reads an app's repository; empty: it has none.
func DeployKey(a *topology.App) string {
	if !a.Config.SCM.SSHKey.IsSet() {
		return ""
	}
	return appDir(a) + "/deploy_key"
}

// hostSecrets gives what an app's sources are fetched with. None of it needs
// anything done: the next deploy reads it.
func hostSecrets(h *topology.Host) []SecretFile {
	var files []SecretFile
	for _, a := range h.Apps {
		scm := a.Config.SCM
		if key := DeployKey(a); key != "" {
			files = append(files, SecretFile{
				Path: key, Mode: 0o600, Owner: a.Config.User + ":" + a.Config.Group,
				Format: "raw", Entries: []SecretEntry{entry("", scm.SSHKey)},
			})
		}
		if scm.Password.IsSet() {
			files = append(files, SecretFile{
				Path: appDir(a) + "/scm.env", Mode: 0o600, Owner: "root:root",
				Format: "env", Entries: []SecretEntry{entry("SCM_PASSWORD", scm.Password)},
			})
		}
		f := SecretFile{Path: appDir(a) + "/archives.env", Mode: 0o600, Owner: "root:root", Format: "env"}
		for i, c := range a.Config.BuildoutCacheArchives {
			if key := archivePassword(i, c); key != "" {
				f.Entries = append(f.Entries, entry(key, c.Password))
			}
		}
		if len(f.Entries) > 0 {
			files = append(files, f)
		}
	}
	return files
}
