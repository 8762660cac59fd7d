package topology

import (
	"fmt"
	"net"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/schema"
)

const loopback = "127.0.0.1"

// apps says which apps each host runs, and which of their processes.
func (r *resolver) apps() {
	all := map[string]int{} // clients, by app
	for _, h := range r.t.Hosts {
		if h.Has(Clients) && h.Stack.PloneInstances.AppName != "" {
			r.clients(h)
		}
		if h.Has(Zeo) && h.Stack.PloneZeoserver.AppName != "" {
			r.zeoServer(h, r.app(h, h.Stack.PloneZeoserver.AppName, "plone_zeoserver.app_name"))
		}
		if h.Has(Volto) {
			r.voltos(h)
		}
		slices.SortFunc(h.Apps, func(a, b *App) int { return strings.Compare(a.Name, b.Name) })
		for _, a := range h.Apps {
			all[a.Name] += len(a.Clients)
			r.commands(a)
		}
	}
	for _, h := range r.t.Hosts {
		for _, a := range h.Apps {
			a.AllClients = all[a.Name]
		}
	}
}

// goodName is what the schema lets an app be called; it has reported others.
var goodName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// app gives the host's app of a name, which the attribute by says, made where there
// is none yet.
func (r *resolver) app(h *Host, name, by string) *App {
	for _, a := range h.Apps {
		if a.Name == name {
			return a
		}
	}
	a := &App{Name: name, Host: h, Config: h.Stack.App(name)}
	version := h.Stack.Plonec.PloneVersion
	plone, ok := PloneOf(version)
	if !ok {
		r.once("not-in-table", []string{"plonec", "plone_version"}, "plonec does not know what Plone "+version+" takes", "give another version")
	}
	a.Plone, a.WSGI = plone, plone.python3() && !(slices.Contains(plone.Pythons, "2.7") && strings.HasPrefix(a.Config.PythonMajorVersion, "2"))
	r.near = h
	defer func() { r.near = nil }()
	if !a.WSGI && !a.Builder().Decides {
		r.once("python2-builder", []string{"deploy", name, "builder"}, fmt.Sprintf("%s is built by %s, which takes no Python 2", name, a.Builder().Name),
			"give plonec.plone_version from 5.2 on, and no python_major_version that begins with 2")
	}
	if a.Config.SCM.Repository == "" && goodName.MatchString(name) {
		r.noRepository(h, name, by)
	}
	r.source(name, a.Config)
	h.Apps = append(h.Apps, a)
	return a
}

// noRepository reports an app without a repository: nobody gave it one, or by gives
// a name that no app of the stack has, and then it is the name that is wrong.
func (r *resolver) noRepository(h *Host, name, by string) {
	path := []string{"deploy", name}
	var apps []string
	for _, app := range sortedKeys(h.Stack.Deploy) {
		if h.Stack.Deploy[app].SCM.Repository != "" {
			apps = append(apps, app)
		}
	}
	if _, there := h.Stack.Deploy[name]; there || len(apps) == 0 {
		r.once("no-repository", path, fmt.Sprintf("%s runs the app %s, which has no repository", h.Name, name),
			fmt.Sprintf("give the buildout's: deploy.%s.scm.repository", name))
		return
	}
	right := schema.Nearest(name, apps)
	if len(apps) == 1 {
		right = apps[0]
	}
	choice, says, verb := strconv.Quote(right), "as "+by+" says", "write "
	if right == "" {
		choice = "one of " + strings.Join(apps, ", ") + "; or add deploy." + name
	}
	span := r.d.ViewSpan(h.Layers, strings.Split(by, ".")...)
	if !span.HasPlace() {
		says, verb = "by the default of "+by, "set "+by+" to "
		span = r.place([]string{"deploy", apps[0]})
	}
	r.misnamed[name], r.misnamed[right] = true, true
	r.onceAt(span, "no-repository", path, fmt.Sprintf("%s runs the app %s, %s, but deploy has no such app", h.Name, name, says), verb+choice)
}

// once reports what many hosts would repeat.
func (r *resolver) once(code string, path []string, message, remedy string) {
	r.onceAt(r.place(path), code, path, message, remedy)
}

// onceAt is once for what stands elsewhere than the path says.
func (r *resolver) onceAt(span diag.Span, code string, path []string, message, remedy string) {
	joined := strings.Join(path, ".")
	for _, d := range r.diags {
		if d.Code == code && d.Path == joined {
			return
		}
	}
	r.diags.Add(diag.Diagnostic{Code: code, Span: span, Path: joined, Message: message, Remedy: remedy})
}

// Worker threads of a client where the stack gives none: the defaults of
// plone.recipe.zope2instance under WSGI and under ZServer.
const (
	wsgiThreads    = 4
	zserverThreads = 2
)

// Limits on the number of clients: beyond the first the ports of a host's
// clients would meet those of its agents, and beyond the second a tree no
// longer fits into memory.
const (
	maxClients    = 900
	maxAllClients = 200_000
)

func (r *resolver) clients(h *Host) {
	p := h.Stack.PloneInstances
	a := r.app(h, p.AppName, "plone_instances.app_name")
	n, ok := ClientCount(p, r.d.Base.Instances[h.Name])
	if !ok {
		message, remedy := "the number of clients of this host is not known", "give its \"cpus\", \"backends\" or \"instance_type\", or plone_instances.instance_count"
		if t := r.d.Base.Instances[h.Name].InstanceType; t != "" {
			message = fmt.Sprintf("the CPUs of the instance type %s are not known", t)
			remedy = "give its \"cpus\" too"
		}
		r.report("unknown-cpus", []string{"instances", h.Name}, message, remedy)
	}
	if r.total += n; n > maxClients || r.total > maxAllClients {
		r.once("too-many-clients", []string{"plone_instances"},
			fmt.Sprintf("%s would carry %d clients, the stack %d or more", h.Name, n, r.total),
			fmt.Sprintf("at most %d a host and %d in all: look at per_cpu, cpus and backends", maxClients, maxAllClients))
		n = 0
	}
	threads := zserverThreads
	if a.WSGI {
		threads = wsgiThreads
	}
	if p.ZserverThreads != nil {
		threads = *p.ZserverThreads
	}
	address := h.Address
	if r.allOn(h, Frontend) {
		address = loopback
	}
	a.TrustedProxies = p.WaitressTrustedProxy
	if a.TrustedProxies == nil {
		a.TrustedProxies = r.balancersOf(h)
	}
	for i := 1; i <= n; i++ {
		name := "client" + strconv.Itoa(i)
		a.Clients = append(a.Clients, &Client{Threads: threads, Process: Process{
			App: a, N: i, Name: name, Unit: unit(a.Name, name),
			Address: address, Port: service.ClientPort + i, AgentPort: service.AgentPort + i,
		}})
	}
}

// balancersOf are the addresses from which balancers connect to the clients of h, in the
// order of their hosts. Those that are not online count too: one that comes back must
// not need every app built anew.
func (r *resolver) balancersOf(h *Host) []string {
	if r.allOn(h, Frontend) {
		return []string{loopback}
	}
	var list []string
	for _, f := range r.all[Frontend] {
		if f.Address != "" && !slices.Contains(list, f.Address) {
			list = append(list, f.Address)
		}
	}
	return list
}

// allOn tells whether every host of a role is h, so that the loopback is
// enough. Hosts that are not online count too: one that comes back must not
// need every client restarted. No host at all: somebody else's balancer.
func (r *resolver) allOn(h *Host, role Role) bool {
	hosts := r.all[role]
	return len(hosts) == 1 && hosts[0] == h
}

func (r *resolver) zeoServer(h *Host, a *App) {
	address := h.Address
	if r.allOn(h, Clients) {
		address = loopback
	}
	if strings.Contains(address, ":") {
		r.once("zeo-ipv6", []string{"instances", h.Name}, "plone.recipe.zeoserver cannot bind an IPv6 address", "give the host a DNS name as its address, or an IPv4 one")
	}
	a.Zeo = &ZeoServer{
		App: a, Unit: unit(a.Name, "zeo"), Address: address, Port: service.ZeoPort,
		FilestorageDir: h.Stack.PloneZeoserver.FilestorageDir, BlobDir: h.Stack.PloneBlobs.BlobDir,
	}
}

// unit is the name of an app's process in systemd.
func unit(app, process string) string { return "plone-" + app + "-" + process + ".service" }

// commands are the app's other processes. A ZEO server that the cookbook's
// single-host stacks started in this way (the part zeoserver and an init
// command for it) is a ZEO server like any other, with its guards.
func (r *resolver) commands(a *App) {
	for i, c := range a.Config.BuildoutInitCommands {
		if c.Eventlistener {
			continue // reported by the schema: systemd does that work
		}
		if isZeo(a, c) {
			if a.Zeo == nil { // else the host's role has it run already
				r.zeoServer(a.Host, a)
				a.Zeo.Commanded, a.Zeo.Port = true, 0 // the base configuration's
			}
			continue
		}
		name := c.Name
		if name == "" {
			name = strconv.Itoa(i)
		}
		r.command(a, name, c.Cmd, c.Args, c.Delay)
	}
}

// command adds a process to an app, unless its unit's name is taken.
func (r *resolver) command(a *App, name, cmd, args string, delay schema.Seconds) {
	c := &Command{App: a, Name: name, Unit: unit(a.Name, name), Cmd: cmd, Args: args, Delay: delay}
	taken := r.takenUnits(a.Host)
	if taken[c.Unit] {
		r.once("same-unit", []string{"deploy", a.Name, "buildout_init_commands"},
			fmt.Sprintf("two processes would use the unit %s", c.Unit), "give the command another name")
		return
	}
	taken[c.Unit] = true
	a.Commands = append(a.Commands, c)
}

// takenUnits are the names of the host's units so far; every app's ZEO server
// keeps its name, be there one or not.
func (r *resolver) takenUnits(h *Host) map[string]bool {
	if taken := r.units[h]; taken != nil {
		return taken
	}
	taken := map[string]bool{}
	for _, a := range h.Apps {
		taken[unit(a.Name, "zeo")] = true
		for _, p := range slices.Concat(a.Processes()...) {
			taken[p.Unit] = true
		}
	}
	r.units[h] = taken
	return taken
}

func isZeo(a *App, c schema.InitCommand) bool {
	control := a.Builder().ZeoControl.For(a.Config.Parts.Zeoserver)
	return control != "" && c.Cmd == control && slices.Contains(a.Config.BuildoutPartsToInclude, path.Base(control))
}

// HostPort joins an address and a port, with the brackets that IPv6 needs.
func HostPort(address string, port int) string {
	return net.JoinHostPort(address, strconv.Itoa(port))
}
