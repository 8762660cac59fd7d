package topology

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/service"
)

// voltoRequests is how many requests a balancer sends a process of Volto at once. One of
// them computes while the others wait for the API; more wait better in the balancer, which
// can give them to another process.
const voltoRequests = 16

// voltos are the processes of Volto on a host.
func (r *resolver) voltos(h *Host) {
	v := h.Stack.Volto
	name := cmp.Or(v.AppName, h.Stack.PloneInstances.AppName)
	if name == "" {
		return
	}
	a := r.app(h, name, "volto.app_name")
	if v.Node == "" {
		r.once("volto-no-node", []string{"volto", "node"}, "nothing says which Node runs Volto", `name its version: "node": "24.19.0"`)
	}
	n := 1
	if h.CPUs > 0 {
		n = max(ceil(float64(h.CPUs)*v.PerCPU), 1)
	} else {
		r.report("unknown-cpus", []string{"instances", h.Name}, "the number of Volto's processes on this host is not known", `give its "cpus" or "instance_type"`)
	}
	if n > maxClients {
		r.once("too-many-clients", []string{"volto"}, fmt.Sprintf("%s would carry %d processes of Volto", h.Name, n),
			fmt.Sprintf("at most %d a host: look at volto.per_cpu and cpus", maxClients))
		n = 0
	}
	address := h.Address
	if r.allOn(h, Frontend) {
		address = loopback
	}
	for i := 1; i <= n; i++ {
		name := "volto" + strconv.Itoa(i)
		a.Voltos = append(a.Voltos, &VoltoProcess{Node: v.Node, Process: Process{
			App: a, N: i, Name: name, Unit: unit(a.Name, name),
			Address: address, Port: service.VoltoPort + i, AgentPort: service.VoltoAgentPort + i,
		}})
	}
}

// voltoBackends adds the processes of Volto to the backends of their apps. An app that no
// client host runs has none.
func (r *resolver) voltoBackends(byApp map[string]*Backend) {
	for _, h := range r.all[Volto] {
		for _, a := range h.Apps {
			b := byApp[a.Name]
			if len(a.Voltos) == 0 || b == nil {
				continue
			}
			b.Volto = true
			if !h.Online {
				continue
			}
			for _, v := range a.Voltos {
				b.Voltos = append(b.Voltos, &Server{Name: v.Server(), Address: v.Address, Port: v.Port, AgentPort: v.AgentPort, MaxConn: voltoRequests})
			}
		}
	}
}

// voltoPartners says at which balancer Volto asks the clients of its app, and for which
// site: its own host's balancer, else the first one.
func (r *resolver) voltoPartners() {
	fronts := r.online[Frontend]
	if len(fronts) == 0 {
		fronts = r.all[Frontend]
	}
	for _, h := range r.all[Volto] {
		for _, a := range h.Apps {
			if len(a.Voltos) == 0 {
				continue
			}
			front, address := h, loopback
			if h.Front == nil && len(fronts) > 0 {
				front, address = fronts[0], fronts[0].Address
			}
			site := front.siteOf(a.Name)
			if site == nil {
				r.once("volto-no-backend", []string{"deploy", a.Name}, fmt.Sprintf("the Volto of %s has no balancer with clients of %s to ask", a.Name, a.Name),
					"give the stack a front end, and a host that runs the app's clients")
				continue
			}
			if front != h {
				front.Front.APIBind = address
			}
			r.voltoAddress(front, site)
			for _, v := range a.Voltos {
				v.Site, v.Balancer = site, HostPort(address, service.HaproxyPort)
			}
		}
	}
}

// siteOf is an app's whole site on a front end.
func (h *Host) siteOf(app string) *Site {
	if h.Front == nil {
		return nil
	}
	i := slices.IndexFunc(h.Front.Sites, func(s *Site) bool { return s.App == app && s.Main })
	if i < 0 {
		return nil
	}
	return h.Front.Sites[i]
}

// PublicName is the one name by which visitors have the site; empty: there are several,
// or any.
func (s *Site) PublicName() string {
	switch {
	case s.Canonical != "":
		return s.Canonical
	case len(s.Names) == 1 && !strings.HasPrefix(s.Names[0], "*"):
		return s.Names[0]
	}
	return ""
}

// voltoAddress: what Volto writes into its pages is one address of the site, from which
// browsers ask the API. From another one they would not be let.
func (r *resolver) voltoAddress(front *Host, s *Site) {
	switch {
	case s.PublicName() == "":
		r.once("volto-one-address", []string{"deploy", s.App, "domains"}, fmt.Sprintf("Volto shows %s under one name, and the site has none or several", s.App),
			"list one domain; or name one of several in nginx_plone.canonical, to which the others are sent")
	case s.TLS && !front.Stack.NginxPlone.RedirectHTTPS:
		r.once("volto-one-address", []string{"nginx_plone", "redirect_https"}, fmt.Sprintf("Volto shows %s by HTTPS, and the site answers to HTTP too", s.App),
			"set nginx_plone.redirect_https to true")
	}
}

// voltoNames: the name of a balancer's backend that another app has.
func (r *resolver) voltoNames(backends []*Backend) {
	for _, b := range backends {
		if b.Volto && slices.ContainsFunc(backends, func(other *Backend) bool { return other.Name == b.VoltoName() }) {
			r.once("reserved-name", []string{"deploy", b.VoltoName()}, fmt.Sprintf("balancers have the Volto of %s under the name %s", b.Name, b.VoltoName()), "give the app another name")
		}
	}
}
