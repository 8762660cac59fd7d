package render

import (
	"errors"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

var _ = renders(nginxSecrets,
	Artifact{Template: "nginx.conf.tmpl", Each: of(service.Nginx, service.Nginx.Config)},
	Artifact{Template: "nginx.crt.tmpl", Each: certificates},
	Artifact{Template: "nginx.page.tmpl", Each: pages},
	Artifact{Template: "nginx.logrotate.tmpl", Each: of(service.Nginx, "/etc/logrotate.d/nginx")},
)

// certificates gives the certificate of each app that has a TLS server, unless apply is
// to get it. The key beside it is a secret.
func certificates(h *topology.Host) []Instance {
	var all []Instance
	for _, app := range tlsApps(h) {
		if h.Stack.Deploy[app].SSLCertificate.Secret.IsSet() {
			continue
		}
		all = append(all, Instance{
			Path:    certificatePath(app),
			Effects: service.Nginx.Effects(certificatePath(app)),
			Data:    h.Stack.Deploy[app],
		})
	}
	return all
}

// nginxSecrets gives the secrets that nginx.conf includes, and the keys of its
// certificates.
func nginxSecrets(h *topology.Host) []SecretFile {
	if h.Front == nil {
		return nil
	}
	files := includedSecrets(hostView{h})
	for _, app := range tlsApps(h) {
		if cert := h.Stack.Deploy[app].SSLCertificate.Secret; cert.IsSet() {
			f := SecretFile{
				Path: certificatePath(app), Mode: 0o644, Owner: "root:root", Effects: service.Nginx.Effects(certificatePath(app)), Format: "raw",
				Entries: []SecretEntry{entry("", cert)},
			}
			if chain := h.Stack.Deploy[app].SSLCertificateCA.Secret; chain.IsSet() {
				f.Entries = append(f.Entries, entry("chain", chain))
			}
			files = append(files, f)
		}
		if key := h.Stack.Deploy[app].SSLCertificateKey; key.IsSet() {
			files = append(files, SecretFile{
				Path: keyPath(app), Mode: 0o600, Owner: "root:root", Effects: service.Nginx.Effects(keyPath(app)), Format: "raw",
				Entries: []SecretEntry{entry("", key)},
			})
		}
	}
	return files
}

// tlsApps lists the apps with a TLS server, sorted.
func tlsApps(h *topology.Host) []string {
	if h.Front == nil {
		return nil
	}
	apps := map[string]bool{}
	for _, s := range h.Front.Sites {
		if s.TLS && h.Stack.Deploy[s.App] != nil {
			apps[s.App] = true
		}
	}
	return slices.Sorted(maps.Keys(apps))
}

// A Certificate is one that visitors of a host are shown.
type Certificate struct {
	App       string   // whose names it is for
	Path, Key string   // where it lies on the host, and its key
	Names     []string // by which visitors come; empty: by any
}

// Certificates are those of a host's apps, sorted by app.
func Certificates(h *topology.Host) []Certificate {
	var all []Certificate
	for _, app := range tlsApps(h) {
		all = append(all, Certificate{app, certificatePath(app), keyPath(app), topology.PublicNames(h.Front.Sites, app)})
	}
	return all
}

func certificatePath(app string) string { return "/etc/nginx/ssl/" + app + ".crt" }
func keyPath(app string) string         { return "/etc/nginx/ssl/" + app + ".key" }

// A webServer is one server block of nginx.
type webServer struct {
	TLS     bool
	Default bool
	Name    string // what it answers to, *.example.com for all names below one; empty in a default server
	App     string // whose certificate it shows
	Site    *publicSite
	Moved   moved
	HSTS    int64 // seconds; 0: not said
	Pasted  []pasted
}

// moved is where a server sends its visitors.
type moved struct {
	Scheme string // empty: nowhere
	Name   string // empty: the name that they came by
	When   string // the variable of nginx that is 301 or 308 where it does, by the request
}

// A publicSite is what a server shows, and under which address: the path is
// encoded, and scheme and port are those that the visitor sees.
type publicSite struct {
	Path   string
	Scheme string
	Port   int
	Volto  bool // Volto shows its pages
}

// Servers are nginx's servers: the plain ones, then those with TLS, in each
// case the default server first.
func (v hostView) Servers() []webServer {
	servers := v.servers(false)
	if len(tlsApps(v.Host)) > 0 {
		servers = append(servers, v.servers(true)...)
	}
	return servers
}

func (v hostView) servers(tls bool) []webServer {
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
			fallback.Moved, fallback.HSTS = v.move(s, "", tls), v.hsts(s, tls)
			if tls {
				fallback.App = s.App
			}
		}
		for _, name := range s.Names {
			site := public(s, tls)
			named = append(named, webServer{
				TLS: tls, Name: strings.ToLower(name), App: s.App, Site: site, Moved: v.move(s, name, tls), HSTS: v.hsts(s, tls),
				Pasted: v.pasted(s.Main, tls, pasted{schema.JoinKeys([]string{"plone_instances", "subsite_config", name}), "subsite_config." + strings.ToLower(name), inServer, s.Extra}),
			})
		}
	}
	fallback.Pasted = v.pasted(true, tls, pasted{})
	return append([]webServer{fallback}, named...)
}

// public says under which address a site is seen.
func public(s *topology.Site, tls bool) *publicSite {
	p := &publicSite{Path: s.Path, Scheme: s.Scheme, Port: 80, Volto: s.Volto}
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

// move says where a server of a name, or of any, sends its visitors: to the canonical
// name, or to HTTPS.
func (v hostView) move(s *topology.Site, name string, tls bool) moved {
	const always, byHTTP = "$plonec_moved", "$plonec_insecure"
	scheme, https := public(s, tls).Scheme, v.Stack.NginxPlone.RedirectHTTPS
	own := name
	if strings.HasPrefix(name, "*") {
		own = ""
	}
	plain := https && s.TLS && !tls
	if plain {
		scheme = "https"
	}
	switch {
	case s.Canonical != "" && s.Canonical != name:
		return moved{scheme, s.Canonical, always}
	case plain:
		return moved{scheme, own, always}
	case https && !s.TLS && scheme == "https": // a balancer in front has both
		return moved{scheme, own, byHTTP}
	}
	return moved{}
}

// Redirects are the ways of sending a visitor on: a browser sends a form again by the second.
func (hostView) Redirects() []int { return []int{301, 308} }

// Moves tells whether a server sends visitors elsewhere.
func (v hostView) Moves() bool {
	return slices.ContainsFunc(v.Servers(), func(w webServer) bool { return w.Moved.Scheme != "" })
}

// hsts is for how many seconds browsers are told to come by HTTPS alone.
func (v hostView) hsts(s *topology.Site, tls bool) int64 {
	if public(s, tls).Scheme != "https" || s.Distrusted {
		return 0
	}
	return int64(math.Ceil(time.Duration(v.Stack.NginxPlone.HSTS).Seconds()))
}

// pasted gives the text that goes into a server. In the cookbook the default
// server was the main site's too: what is meant for the one is meant for the
// other.
func (v hostView) pasted(main, tls bool, extra pasted) []pasted {
	n := v.Stack.NginxPlone
	all := []pasted{
		{"nginx_plone.default_config", "default_config", inServer, n.DefaultConfig},
		{"nginx_plone.additional_config", "additional_config", inServer, n.AdditionalConfig},
	}
	if tls {
		all = []pasted{
			{"nginx_plone.default_ssl_config", "default_ssl_config", inServer, n.DefaultSSLConfig},
			{"nginx_plone.additional_ssl_config", "additional_ssl_config", inServer, n.AdditionalSSLConfig},
		}
	}
	if !main {
		all = all[1:]
	}
	return slices.DeleteFunc(append(all, extra), func(p pasted) bool { return !p.pieces.IsSet() })
}

// A namesHash sizes nginx' table of the names of its servers.
type namesHash struct {
	Bucket  int // bytes of a bucket
	Buckets int // at most
}

// ServerNamesHash sizes that table so that nginx finds room for every name. A name
// takes its length and two bytes, both rounded up to a pointer's, and a pointer; a
// bucket holds one pointer more (ngx_hash.c). With twice as many buckets as names a
// bucket has to hold about half as many names as the number of names has bits: the
// fullest one of that many.
func (v hostView) ServerNamesHash() namesHash {
	const pointer, leastBucket, leastBuckets = 8, 128, 4096
	longest, names := 0, 1 // with the default server's
	for _, s := range v.Front.Sites {
		for _, name := range s.Names {
			longest, names = max(longest, len(name)), names+1
		}
	}
	size := func(name int) int { return pointer + (name+2+pointer-1)/pointer*pointer }
	return namesHash{
		Bucket:  max(leastBucket, powerOf2(pointer+size(longest)*(bits.Len(uint(names))/2+1))),
		Buckets: max(leastBuckets, powerOf2(2*names)),
	}
}

// powerOf2 is the least power of two that is not less than n.
func powerOf2(n int) int { return 1 << bits.Len(uint(n-1)) }

// inServer is the indentation of what stands in a server.
const inServer = "        "

// AdditionalServers is pasted before the servers.
func (v hostView) AdditionalServers() string { return v.additionalServers().Text() }

func (v hostView) additionalServers() pasted {
	return pasted{"nginx_plone.additional_servers", "additional_servers", "    ", v.Stack.NginxPlone.AdditionalServers}
}

// TLS tells whether there is a TLS server.
func (v hostView) TLS() bool { return len(tlsApps(v.Host)) > 0 }

// anyHost matches the names that a site answers to where the stack gives none.
const anyHost = "[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?"

func (hostView) AnyHostName() string { return anyHost }

// AnyHost tells whether a site answers to names that the stack does not give.
func (v hostView) AnyHost() bool {
	return slices.ContainsFunc(v.Servers(), func(w webServer) bool { return w.AnyName() && w.Site != nil })
}

// AnyName tells whether a server answers to more than one name.
func (w webServer) AnyName() bool { return w.Default || strings.HasPrefix(w.Name, "*") }

func (w webServer) CertificatePath() string { return certificatePath(w.App) }
func (w webServer) KeyPath() string         { return keyPath(w.App) }

// HTTP2 says how this host's nginx is told of HTTP/2: by a directive of its
// own, or, before 1.25.1, on the listen line.
func (v hostView) HTTP2Directive() (bool, error) {
	if v.System.ID == "" {
		return false, errors.New("nothing says which nginx " + v.Name + " has")
	}
	return !v.System.Nginx.Before(1, 25), nil
}
