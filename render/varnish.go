package render

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/render/escape"
	"github.com/plonec/plonec/schema"
)

var _ = renders(nil,
	Artifact{Template: "default.vcl.tmpl", Each: of(service.Varnish, service.Varnish.Config)},
	Artifact{Template: "varnish.service.tmpl", Each: of(service.Varnish, service.Varnish.DropIns()+"plonec.conf")},
	Artifact{Template: "varnish-purge.tmpl", Each: varnishPurge},
)

// varnishPurge gives what "plonec run varnish-purge" bans.
func varnishPurge(h *topology.Host) []Instance {
	if !h.Runs(service.Varnish) || len(h.Stack.VarnishPurge) == 0 {
		return nil
	}
	return []Instance{{Path: "/etc/plonec/varnish-purge", Data: h.Stack.VarnishPurge}}
}

// CacheUpstream is where nginx reaches Varnish.
func (v hostView) CacheUpstream() string {
	return topology.HostPort(reach(v.Front.VarnishBind), v.Stack.NginxPlone.ProxyPort)
}

// Upstream is nginx's name of what it sends requests to.
func (v hostView) Upstream() string {
	if v.Front.Cache {
		return "cache"
	}
	return "balancer"
}

// BalancerHost and BalancerUpstream are where HAProxy is reached.
func (v hostView) BalancerHost() string { return reach(v.Front.HaproxyBind) }

func (v hostView) BalancerUpstream() string {
	return topology.HostPort(v.BalancerHost(), service.HaproxyPort)
}

func (hostView) HaproxyPort() int { return service.HaproxyPort }

// VarnishListen and PurgeListen are Varnish's sockets, by name.
func (v hostView) VarnishListen() string {
	return "main=" + topology.HostPort(v.Front.VarnishBind, v.Stack.NginxPlone.ProxyPort)
}

func (v hostView) PurgeListen() []string {
	var all []string
	for _, a := range v.Front.PurgeBind {
		all = append(all, "purge="+topology.HostPort(a, service.PurgePort))
	}
	return all
}

// An aclEntry is a line of an ACL in VCL.
type aclEntry struct {
	Address string
	Mask    string // empty: one address
	Name    bool   // to be looked up; ignored where that fails
}

// Purgers are those who may purge, beside this host.
func (v hostView) Purgers() []aclEntry {
	var all []aclEntry
	for _, a := range v.Front.PurgeFrom {
		address, mask, _ := strings.Cut(a, "/")
		all = append(all, aclEntry{Address: address, Mask: mask, Name: isName(address)})
	}
	return all
}

// MemoryShare is the cache's part of the host's memory, in percent; empty where
// the stack gives its size.
func (v hostView) MemoryShare() string {
	share, ok := strings.CutSuffix(v.Stack.Varnish.StorageSize, "%")
	if !ok {
		return ""
	}
	return share
}

// Storage is varnishd's -s for a cache of a size.
func (v hostView) Storage() string { return "malloc," + v.Stack.Varnish.StorageSize }

// LoginCookies matches the Cookie header of who is logged in.
func (hostView) LoginCookies() string { return cookiePattern(schema.LoginCookies) }

// A cookieRule is what becomes of the Cookie header of a visitor who is not logged in, and
// whose request passes the cache.
type cookieRule struct {
	Pattern    string // matches the header
	CommaAsEnd substitution
	Others     string // matches each cookie that Zope does not get
}

// OwnCookies is the rule for varnish_plone.cookies; nil: it has none.
func (v hostView) OwnCookies() *cookieRule {
	names := v.Stack.VarnishPlone.Cookies
	if len(names) == 0 {
		return nil
	}
	return &cookieRule{cookiePattern(names), commaAsEnd, otherCookies(names)}
}

// Variants find the listed values of cookies by which pages differ.
func (v hostView) Variants() (all []substitution) {
	vary := v.Stack.VarnishPlone.CookiesVary
	for _, name := range slices.Sorted(maps.Keys(vary)) {
		if len(vary[name]) > 0 {
			all = append(all, cookieOf(name, vary[name]))
		}
	}
	return all
}

// OwnVCL is the stack's own text for a place of default.vcl.
func (v hostView) OwnVCL(place string) ownText {
	own := v.Stack.VarnishPlone.VCL
	text := map[string]string{
		"top": own.Top, "vcl_recv": own.Recv, "vcl_hash": own.Hash, "vcl_backend_fetch": own.BackendFetch,
		"vcl_backend_response": own.BackendResponse, "vcl_deliver": own.Deliver,
	}[place]
	return newOwnText("varnish_plone.vcl."+place, text)
}

func (hostView) LoginPattern() string { return loginPattern() }

// QuotedPath quotes a path as this host's nginx does.
func (v hostView) QuotedPath() []substitution { return quotedPath(!v.System.Nginx.Before(1, 22)) }

// MaxBody is the largest answer that is kept, in bytes.
func (v hostView) MaxBody() int64 { return schema.Bytes(v.Stack.VarnishPlone.MaxBody) }

// A root is what nginx writes before the paths of visitors.
type root struct {
	Text    string
	Pattern bool // a regular expression: the site answers to many names
}

// Roots are those of all sites. Servers of the stack's own text may have any.
func (v hostView) Roots() []root {
	var all []root
	for _, s := range v.Servers() {
		if s.Site == nil {
			continue
		}
		path := escape.URLPath(s.Site.Path)
		r := root{Pattern: s.AnyName()}
		if r.Pattern {
			below := strings.TrimPrefix(s.Name, "*") // empty in a default server
			r.Text = fmt.Sprintf("^/VirtualHostBase/%s/%s%s:%d/%s/VirtualHostRoot/$", s.Site.Scheme, anyHost, regexp.QuoteMeta(below), s.Site.Port, regexp.QuoteMeta(path))
		} else {
			r.Text = fmt.Sprintf("/VirtualHostBase/%s/%s:%d/%s/VirtualHostRoot/", s.Site.Scheme, escape.URLPath(s.Name), s.Site.Port, path)
		}
		all = append(all, r)
	}
	for _, text := range v.allPasted() {
		if slices.ContainsFunc(text.pieces, func(p schema.Piece) bool { return p.Secret.IsSet() || strings.Contains(p.Text, "VirtualHostBase") }) {
			return append(all, root{Text: "^/VirtualHostBase/.*/VirtualHostRoot/$", Pattern: true})
		}
	}
	return all
}

// WholeHead is the memory for the head of a request or of an answer, in KiB.
func (hostView) WholeHead() int { return headSize + headRoom }

// Workspace is the memory in which such a head is worked on, in KiB.
func (v hostView) Workspace() int { return 2*v.WholeHead() + 32 }

// Sick is how long Varnish goes on showing what it has while no client is up.
func (hostView) Sick() string { return "24h" }
