package topology

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/schema"
)

// maxServers bounds the lines that all balancers have for all clients.
const maxServers = 2_000_000

// fronts says what the front ends serve. Every balancer sees every client, so
// they share one list of backends unless their views differ.
func (r *resolver) fronts() {
	fronts := r.all[Frontend] // the offline ones too: they get their files
	if len(fronts) == 0 {
		return
	}
	backends := r.backends()
	if len(backends) == 0 {
		r.near = fronts[0]
		isUnknown := func(d diag.Diagnostic) bool { return d.Code == "unknown-layer" } // one of those may be theirs
		if len(r.all[Clients]) == 0 && !slices.ContainsFunc(r.diags, isUnknown) {
			r.report("no-clients", []string{"layers"}, "the front end has no host that runs clients",
				"put a host in the layer plone_instances, or give a layer the role clients")
		}
		r.near = nil
	}
	if len(r.all[Clients]) > 0 && len(r.online[Clients]) == 0 {
		r.report("none-online", []string{"instances", r.all[Clients][0].Name}, "no client host is online: visitors are answered 503",
			"write the status of those that run: \"status\": \"online\"")
	}
	r.voltoNames(backends)
	servers := 0
	for _, b := range backends {
		servers += len(b.Servers) + len(b.Voltos)
	}
	if len(fronts)*servers > maxServers {
		r.report("too-many-servers", []string{"layers"}, fmt.Sprintf("%d front ends would each list %d clients", len(fronts), servers), "a few front ends are enough: give the others another layer")
		return
	}
	var balancers []Balancer
	for _, h := range r.online[Frontend] {
		balancers = append(balancers, Balancer{Name: h.Name, Address: h.Address})
	}
	defer func() { r.near = nil }()
	for _, h := range fronts {
		r.near = h
		f := &Front{HaproxyBind: loopback, Cache: service.Varnish.Runs(h.Stack)}
		if f.Cache {
			r.cache(h, f)
		}
		f.Stats = h.Stack.Haproxy.EnableStats && h.Stack.Haproxy.StatsPassword.IsSet()
		if h.Stack.Haproxy.EnableStats && !f.Stats {
			r.once("no-stats-password", []string{"haproxy", "stats_password"},
				fmt.Sprintf("%s serves no statistics: no password is given", h.Stack.Haproxy.StatsURL),
				`give one: "stats_password": {"$secret": "env:HAPROXY_STATS_PASSWORD"}; or set haproxy.enable_stats to false`)
		}
		if f.Stats && len(h.Stack.Haproxy.StatsAllow) == 0 {
			r.once("open-stats", []string{"haproxy", "stats_password"},
				fmt.Sprintf("anyone can request the statistics at %s", h.Stack.Haproxy.StatsURL),
				`list the networks that may: haproxy.stats_allow: ["10.0.0.0/8"]`)
		}
		r.proxiedFault(h, f)
		r.ownServerFaults(h)
		r.lostHeaders(h)
		if h.Stack.NginxPlone.ZMI == nil && len(backends) > 0 {
			r.once("open-zmi", []string{"nginx_plone", "zmi"},
				"anyone can reach Zope's management interface (ZMI) and use Basic authentication",
				`list the networks that may: nginx_plone.zmi: ["10.0.0.0/8"]; or [] for nobody`)
		}
		sites := r.sites(h, backends)
		f.Backends = ownBackends(h.Stack, backends, sites)
		if len(balancers) > 1 {
			if slices.ContainsFunc(f.Backends, func(b *Backend) bool { return b.Sticky }) {
				f.Balancers = balancers
			}
		}
		f.Sites = sites
		h.Front = f
	}
}

// cache says where the Varnish of a front end listens, and who may purge.
func (r *resolver) cache(h *Host, f *Front) {
	f.VarnishBind, f.PurgeBind = loopback, []string{loopback}
	for _, c := range r.online[Clients] {
		if c != h {
			f.PurgeFrom = append(f.PurgeFrom, c.Address)
		}
	}
	if len(f.PurgeFrom) > 0 {
		f.PurgeBind = append(f.PurgeBind, h.Address)
	}
}

// backends gathers the clients of the online hosts by app, sorted. An app of which no host
// is online has a backend without servers: its visitors are answered 503, and not as if
// there were no such site.
func (r *resolver) backends() []*Backend {
	byApp := map[string]*Backend{}
	for _, h := range r.all[Clients] {
		for _, a := range h.Apps {
			if len(a.Clients) == 0 {
				continue
			}
			b := byApp[a.Name]
			if b == nil {
				b = &Backend{Name: a.Name}
				byApp[a.Name] = b
			}
			if !h.Online {
				continue
			}
			b.Sticky = b.Sticky || h.Stack.PloneInstances.StickySessions
			for _, c := range a.Clients {
				b.Servers = append(b.Servers, &Server{
					Name: c.Server(), Address: c.Address, Port: c.Port, AgentPort: c.AgentPort, MaxConn: c.Threads,
				})
			}
		}
	}
	r.voltoBackends(byApp)
	var backends []*Backend
	for _, name := range sortedKeys(byApp) {
		backends = append(backends, byApp[name])
	}
	return backends
}

// ownBackends gives the backends as a front end's view has them: the app that it names
// first, since requests go there that belong to no other, and, where there are
// several, each with the paths by which HAProxy tells them apart.
func ownBackends(view *schema.Stack, backends []*Backend, sites []*Site) []*Backend {
	var first, rest []*Backend
	for _, shared := range backends {
		b := *shared
		b.Sticky = b.Sticky || view.Haproxy.StickySessions
		for _, s := range sites {
			if s.App == b.Name && len(backends) > 1 {
				for _, name := range s.Names {
					if below, many := strings.CutPrefix(name, "*"); many {
						b.Patterns = append(b.Patterns, "^/VirtualHostBase/https?/[^/:]+"+regexp.QuoteMeta(below)+":(80|443)/")
						continue
					}
					b.Prefixes = append(b.Prefixes, "/VirtualHostBase/http/"+name+":80/", "/VirtualHostBase/https/"+name+":443/")
				}
			}
		}
		if b.Name == view.PloneInstances.AppName {
			first = append(first, &b)
		} else {
			rest = append(rest, &b)
		}
	}
	return append(first, rest...)
}

// sites are the virtual hosts of a front end: for each app its domains, and
// its subsites.
func (r *resolver) sites(front *Host, backends []*Backend) []*Site {
	var sites []*Site
	owner := map[string]string{}
	claim := func(name, app, path string) bool {
		if other, taken := owner[name]; taken {
			r.once("same-domain", strings.Split(path, "."), fmt.Sprintf("%s is already a name of the app %s", name, other), "give each name to one site")
			return false
		}
		owner[name] = app
		return true
	}
	for _, b := range backends {
		view := r.viewOf(b.Name, front)
		p, app := view.PloneInstances, view.App(b.Name)
		main := &Site{App: b.Name, Main: true, Volto: b.Volto, Path: joinPath(p.SiteID), TLS: app.SSLSupport, Scheme: view.Plonec.PublicScheme}
		if app.SSLSupport && (!app.SSLCertificate.IsSet() || !app.SSLCertificateKey.IsSet()) {
			r.once("no-certificate", []string{"deploy", b.Name, "ssl_support"}, "TLS is on, but its certificate or key is missing",
				"give ssl_certificate and ssl_certificate_key, or set ssl_support to false where a balancer in front terminates TLS")
		}
		for _, name := range app.Domains {
			for _, name := range siteNames(name) {
				if claim(name, b.Name, "deploy."+b.Name+".domains") {
					main.Names = append(main.Names, name)
				}
			}
		}
		switch {
		case len(app.Domains) > 0 || r.misnamed[b.Name]: // same-domain says what is wrong with these
		case len(backends) == 1:
			r.once("no-domains", []string{"deploy", b.Name, "domains"},
				"the site answers to every name that reaches the front end: no domain is listed",
				"list the site's public names: others are then refused")
		default:
			r.once("no-domain", []string{"deploy", b.Name, "domains"},
				fmt.Sprintf("visitors cannot reach %s: it has no name of its own among several apps", b.Name), "list its public names")
		}
		sites = append(sites, main)
		mine := len(sites) - 1
		for _, name := range sortedKeys(p.Subsites) {
			sub := &Site{
				App: b.Name, Path: joinPath(p.SiteID, p.Subsites[name]),
				TLS: app.SSLSupport, Extra: p.SubsiteConfig[name], Scheme: view.Plonec.PublicScheme,
			}
			for _, n := range siteNames(name) {
				if claim(n, b.Name, "plone_instances.subsites") {
					sub.Names = append(sub.Names, n)
				}
			}
			if len(sub.Names) > 0 {
				sites = append(sites, sub)
			}
		}
		if app.SSLSupport {
			if r.certificate(b.Name, app, sites[mine:]).SelfSigned() && front.Stack.NginxPlone.HSTS > 0 {
				r.once("hsts-untrusted", []string{"nginx_plone", "hsts"},
					"browsers are not told to keep to HTTPS for "+b.Name+": its certificate is self-signed, and whoever was told could not pass over that any more", "give a certificate that browsers trust, or leave it out")
				for _, s := range sites[mine:] {
					s.Distrusted = true
				}
			}
		}
	}
	r.canonical(front, sites)
	return sites
}

// siteNames are those that a domain of a stack stands for: .example.com for the name
// and all below it.
func siteNames(domain string) []string {
	domain = strings.ToLower(domain)
	if name, many := strings.CutPrefix(domain, "."); many {
		return []string{name, "*" + domain}
	}
	return []string{domain}
}

// canonical says to which of its names a site's other ones are sent.
func (r *resolver) canonical(front *Host, sites []*Site) {
	path := []string{"nginx_plone", "canonical"}
	for _, name := range front.Stack.NginxPlone.Canonical {
		lower := strings.ToLower(name)
		i := slices.IndexFunc(sites, func(s *Site) bool { return slices.Contains(s.Names, lower) })
		switch {
		case i < 0:
			r.once("not-a-domain", path, name+" is no domain of a site", "list it among the app's domains too, or write one that is there")
		case sites[i].Canonical == lower: // twice
		case sites[i].Canonical != "":
			r.once("two-canonical", path, fmt.Sprintf("%s and %s are names of one site", sites[i].Canonical, name), "keep the one to which the other is to be sent")
		default:
			sites[i].Canonical = lower
		}
	}
}

// viewOf is the view in which a front end reads an app: its own where that
// names the app, else that of the app's first client host.
func (r *resolver) viewOf(app string, front *Host) *schema.Stack {
	if front.Stack.PloneInstances.AppName == app {
		return front.Stack
	}
	for _, hosts := range [][]*Host{r.online[Clients], r.all[Clients]} {
		for _, h := range hosts {
			if h.Stack.PloneInstances.AppName == app {
				return h.Stack
			}
		}
	}
	return front.Stack
}

func joinPath(parts ...string) string {
	var clean []string
	for _, p := range parts {
		if p = strings.Trim(p, "/"); p != "" {
			clean = append(clean, p)
		}
	}
	return strings.Join(clean, "/")
}
