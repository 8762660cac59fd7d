package topology

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/schema"
)

// faults reports what can be compiled and could not run.
func (r *resolver) faults() {
	for _, h := range r.t.Hosts {
		r.addressFault(h)
		r.publicFault(h)
		r.appFaults(h)
		r.near = h
		r.portFaults(h)
		r.pathFaults(h)
		r.bindFaults(h)
	}
	r.near = nil
	r.unusedApps()
	base := r.d.Base
	r.jobFaults()
	for _, t := range []struct {
		name  string
		value schema.Millis
	}{
		{"server_timeout", base.Haproxy.ServerTimeout}, {"client_timeout", base.Haproxy.ClientTimeout},
		{"queue_timeout", base.Haproxy.QueueTimeout}, {"http_request_timeout", base.Haproxy.HTTPRequestTimeout},
	} {
		if time.Duration(t.value) < time.Second {
			r.report("short-timeout", []string{"haproxy", t.name}, "the time is less than a second: a number without a unit counts milliseconds", `give a unit: "900s"`)
		}
	}
}

// addressFault: an address at which no other host finds this one, or that is none of
// a host. Who logs in may do so by a port of the loopback that is led on.
func (r *resolver) addressFault(h *Host) {
	for _, a := range []struct{ name, is, remedy string }{
		{"address", h.Address, "give its private address"}, {"ssh_address", h.SSHAddress, "give the address to log in at"},
	} {
		ip, err := netip.ParseAddr(a.is)
		if err == nil && (ip.IsUnspecified() || ip.IsMulticast() || ip == broadcast) {
			r.report("no-host-address", []string{"instances", h.Name, a.name}, fmt.Sprintf("%s is not the address of one host", a.is), a.remedy)
			return
		}
	}
	address, err := netip.ParseAddr(h.Address)
	if err == nil && address.IsLoopback() && len(r.t.Hosts) > 1 {
		r.report("bad-address", []string{"instances", h.Name}, fmt.Sprintf("other hosts cannot reach it at %s", h.Address), "give its private address")
	}
}

// broadcast reaches every host of a network.
var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// reserved are names that HAProxy's configuration uses itself.
var reserved = []string{"plonec", "plonec-stats", "plonec-api", "http-in"}

func (r *resolver) appFaults(h *Host) {
	r.near = h
	defer func() { r.near = nil }()
	r.directoryFaults(h)
	for _, a := range h.Apps {
		c := a.Config
		r.homeFault(h, a)
		if c.User == "root" {
			r.once("bad-user", []string{"deploy", a.Name, "user"}, "an app does not run as root", `take a user of its own, such as "deploy"`)
		}
		if slices.Contains(reserved, a.Name) {
			r.once("reserved-name", []string{"deploy", a.Name}, fmt.Sprintf("%s is a name that plonec uses itself", a.Name), "give the app another name")
		}
		r.pythonFault(a)
	}
}

// homeFault: root works by path in deploy_to, so no app's user may own what is
// above it. Data may lie in a home: it is made as its owner.
func (r *resolver) homeFault(h *Host, a *App) {
	dir := a.Config.DeployTo
	for _, other := range h.Apps {
		if home := other.Config.Home; strings.HasPrefix(dir+"/", strings.TrimSuffix(home, "/")+"/") {
			r.once("in-home", []string{"deploy", a.Name, "deploy_to"}, fmt.Sprintf("%s lies in %s, the home of the user %s, who could redirect root there", dir, home, other.Config.User),
				fmt.Sprintf("write %q, or give deploy.%s.home another place", "/srv/www/"+a.Name, other.Name))
		}
	}
}

// pythonFault: a Python that the app's Plone does not run on, or that no system here brings.
func (r *resolver) pythonFault(a *App) {
	own, plone := a.Config.PythonMajorVersion, a.Plone
	where := []string{"deploy", a.Name, "python_major_version"}
	python := a.Python()
	two := strings.HasPrefix(python, "2")
	switch {
	case python == "" || len(plone.Pythons) == 0:
	case slices.Contains(plone.Pythons, python) && !two:
	case !plone.python3() && !two:
		r.once("wrong-python", where, fmt.Sprintf("Plone %s runs on Python 2.7", plone.Version), `write "2.7", or another plonec.plone_version`)
	case two && !slices.Contains(plone.Pythons, "2.7"):
		r.once("wrong-python", where, fmt.Sprintf("Plone %s does not run on Python 2", plone.Version), "leave it out, or give another plonec.plone_version")
	case two:
		r.once("old-python", []string{"plonec", "plone_version"}, fmt.Sprintf("Plone %s needs Python 2.7, which no supported system has", plone.Version),
			"put a python2.7 and its virtualenv into /usr/local/bin on the hosts")
	default:
		from := ""
		if own == "" {
			from = ", which " + a.Host.System.ID + " has"
		}
		r.once("unsupported-python", where, fmt.Sprintf("Plone %s is not released for Python %s%s", plone.Version, python, from),
			fmt.Sprintf(`write "python_major_version": %q: setup installs it, by apt or by uv`, plone.newest()))
	}
}

// portFaults: a port that the stack gives a daemon, and that something else of the
// host has, or would have with another attribute.
func (r *resolver) portFaults(h *Host) {
	type taken struct {
		first, last int
		who         string
	}
	told := service.Host{Stack: h.Stack, TLS: true, Balancers: 2}
	var all []taken
	var given []service.Port
	for _, role := range h.Roles {
		for _, s := range service.Of(string(role)) {
			if s.Ports == nil || s.Unit != "" && !s.Runs(h.Stack) {
				continue
			}
			for _, p := range s.Ports(told) {
				first, last := p.Range(maxClients)
				switch {
				case p.Path != "":
					given = append(given, p)
				case p.Each:
					all = append(all, taken{first, last, each(s)})
				default:
					all = append(all, taken{first, last, s.PortOf(p)})
				}
			}
		}
	}
	for _, p := range given {
		if i := slices.IndexFunc(all, func(t taken) bool { return t.first <= p.Number && p.Number <= t.last }); i >= 0 {
			r.once("port-clash", strings.Split(p.Path, "."), fmt.Sprintf("%d is the port of %s", p.Number, all[i].who), "leave it out, or give a port that is free")
		}
		all = append(all, taken{p.Number, p.Number, "another service, by " + p.Path})
	}
}

// each is whose the ports are of which a host has many.
func each(s *service.Service) string {
	if s == service.Volto {
		return "a process of Volto or its agent"
	}
	return "a client or its agent"
}

// pathFaults: what would meet on one path of a front end. nginx makes one slash of several.
func (r *resolver) pathFaults(h *Host) {
	taken := func(url string) bool {
		return url == "/" || strings.Contains(url, "//") || url == HealthPath || strings.HasPrefix(url, "/plonec/error") || strings.HasPrefix(url, "/plonec/maintenance")
	}
	if url := h.Stack.Haproxy.StatsURL; h.Front != nil && h.Front.Stats && taken(url) {
		r.once("path-clash", []string{"haproxy", "stats_url"}, fmt.Sprintf("the statistics cannot use %s", url), "take a path of its own, such as /balancer/stats")
	}
}

// bindLine is what HAProxy listens at, in text of the stack's own.
var bindLine = regexp.MustCompile(`(?m)^[ \t]*bind[ \t]+["']?(?:ipv[46]@)?([^\s"'#]+)`)

// bindFaults: HAProxy takes an address twice without a word, and each of the two then gets
// a part of the connections.
func (r *resolver) bindFaults(h *Host) {
	if h.Front == nil {
		return
	}
	own := []string{HostPort(h.Front.HaproxyBind, service.HaproxyPort)}
	if h.Front.APIBind != "" {
		own = append(own, HostPort(h.Front.APIBind, service.HaproxyPort))
	}
	if len(h.Front.Balancers) > 0 {
		own = append(own, HostPort(h.Address, service.PeersPort))
	}
	for _, found := range bindLine.FindAllStringSubmatch(h.Stack.Haproxy.AdditionalConfig, -1) {
		for _, at := range strings.Split(found[1], ",") {
			if at = strings.Replace(at, "localhost:", loopback+":", 1); slices.Contains(own, at) {
				r.once("port-clash", []string{"haproxy", "additional_config"}, at+" is where HAProxy takes requests already: each of the two would get a part of them", "give a port that is free")
			}
		}
	}
}

// unusedApps: apps that no host runs.
func (r *resolver) unusedApps() {
	used := map[string]bool{}
	for _, h := range r.t.Hosts {
		for _, a := range h.Apps {
			used[a.Name] = true
		}
		if h.Has(Solr) {
			used[h.Stack.PloneSolr.AppName] = true
		}
	}
	for _, name := range sortedKeys(r.d.Base.Deploy) {
		if !used[name] && !r.misnamed[name] {
			r.report("unused-app", []string{"deploy", name}, fmt.Sprintf("no host runs the app %s", name),
				"name it in plone_instances.app_name or plone_zeoserver.app_name, or take it out")
		}
	}
}

// oneClientApp: the layers of a host that make it run clients agree on their app.
func (r *resolver) oneClientApp(h *Host, makes func(layer string) bool) {
	first, from := "", ""
	for _, l := range h.Layers {
		if !makes(l) {
			continue
		}
		view, _ := r.d.View([]string{l})
		if view == nil || view.PloneInstances.AppName == "" {
			continue
		}
		switch app := view.PloneInstances.AppName; {
		case from == "":
			first, from = app, l
		case app != first:
			r.report("two-client-apps", []string{"instances", h.Name},
				fmt.Sprintf("the layer %s runs the clients of %s, the layer %s those of %s", from, first, l, app),
				"one host runs the clients of one app: put the layers on different hosts")
			return
		}
	}
}
