package render

import (
	"strings"

	"github.com/plonec/plonec/topology"
)

// A webServer is one server block of nginx.
type webServer struct {
	TLS     bool
	Default bool
	Name    string // the one name it answers to; empty in a default server
	App     string // whose certificate it shows
	Site    *publicSite
	Pasted  []pasted
}

// A publicSite is what a server shows, and under which address: the path is
// encoded, and scheme and port are those that the visitor sees.
type publicSite struct {
	Path   string
	Scheme string
	Port   int
}

// pasted is text of the stack's, and the attribute that it comes from.
type pasted struct{ From, Text string }

// Servers are nginx's servers: the plain ones, then those with TLS, in each
// case the default server first.
func (v frontView) Servers() []webServer {
	servers := v.servers(false)
	if len(tlsApps(v.Host)) > 0 {
		servers = append(servers, v.servers(true)...)
	}
	return servers
}

func (v frontView) servers(tls bool) []webServer {
	fallback := webServer{TLS: tls, Default: true}
	if tls {
		fallback.App = tlsApps(v.Host)[0]
	}
	var named []webServer
	for _, s := range v.Front.Sites {
		if tls && !s.TLS {
			continue
		}
		// HAProxy sends what it knows no app for to the first.
		if len(s.Names) == 0 && s.Main && len(v.Front.Backends) > 0 && s.App == v.Front.Backends[0].Name {
			fallback.Site = public(s, tls)
			if tls {
				fallback.App = s.App
			}
		}
		for _, name := range s.Names {
			named = append(named, webServer{
				TLS: tls, Name: strings.ToLower(name), App: s.App, Site: public(s, tls), Pasted: v.pasted(s.Main, tls, s.Extra),
			})
		}
	}
	fallback.Pasted = v.pasted(true, tls, "")
	return append([]webServer{fallback}, named...)
}

// public says under which address a site is seen.
func public(s *topology.Site, tls bool) *publicSite {
	p := &publicSite{Path: s.Path, Scheme: s.Scheme, Port: 80}
	if p.Scheme == "" {
		p.Scheme = "http"
		if tls {
			p.Scheme = "https"
		}
	}
	if p.Scheme == "https" {
		p.Port = 443
	}
	return p
}

// pasted gives the text that goes into a server. In the cookbook the default
// server was the main site's too: what is meant for the one is meant for the
// other.
func (v frontView) pasted(main, tls bool, extra string) []pasted {
	n := v.Stack.NginxPlone
	all := []pasted{
		{"nginx_plone.default_config", n.DefaultConfig},
		{"nginx_plone.additional_config", n.AdditionalConfig},
	}
	if tls {
		all = []pasted{
			{"nginx_plone.default_ssl_config", n.DefaultSSLConfig},
			{"nginx_plone.additional_ssl_config", n.AdditionalSSLConfig},
		}
	}
	if !main {
		all = all[1:]
	}
	all = append(all, pasted{"plone_instances.subsite_config", extra})
	var given []pasted
	for _, p := range all {
		if strings.TrimSpace(p.Text) != "" {
			given = append(given, pasted{p.From, strings.TrimRight(strings.TrimLeft(p.Text, "\n"), " \t\n")})
		}
	}
	return given
}

// AdditionalServers is pasted before the servers.
func (v frontView) AdditionalServers() string {
	return strings.TrimRight(strings.TrimLeft(v.Stack.NginxPlone.AdditionalServers, "\n"), " \t\n")
}

// TLS tells whether there is a TLS server.
func (v frontView) TLS() bool { return len(tlsApps(v.Host)) > 0 }

// AnyHost tells whether the site answers to names that the stack does not
// give.
func (v frontView) AnyHost() bool {
	for _, s := range v.Servers() {
		if s.Default && s.Site != nil {
			return true
		}
	}
	return false
}

func (w webServer) CertificatePath() string { return certificatePath(w.App) }
func (w webServer) KeyPath() string         { return keyPath(w.App) }

// HTTP2 says how this host's nginx is told of HTTP/2: by a directive of its
// own, or, before 1.25.1, on the listen line.
func (v frontView) HTTP2Directive() bool { return !versionsOf(v.OS).nginx.before(1, 25) }
