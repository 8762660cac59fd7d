package render

import (
	"encoding/base64"
	"net/netip"
	"regexp"
	"slices"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/render/escape"
)

// A statsPage is how nginx guards HAProxy's statistics.
type statsPage struct {
	Allow     []string // networks that may ask; empty: everybody
	Rate      int      // requests a second that an address may make
	Burst     int      // of an address at once
	RateOfAll int      // requests a second of all addresses together, and so many at once
	TooLong   int      // characters of an Authorization header that no user of ours sends
	Locations []statsLocation
	Pattern   string // matches the name of the default server, and a path that is one of these
}

// A statsLocation is one under which the statistics are asked for.
type statsLocation struct{ Match, Path, To string }

// MaxPassword is the longest password of a user of HAProxy's, in bytes: a sum of
// one costs its thread the more the longer it is.
const MaxPassword = 128

// maxUser is the longest name that the schema lets such a user have.
const maxUser = 64

// StatsPage tells how nginx guards the statistics; nil: none are served.
func (v hostView) StatsPage() *statsPage {
	if !v.Front.Stats {
		return nil
	}
	h := v.Stack.Haproxy
	page := &statsPage{
		Allow: networks(h.StatsAllow), Rate: h.StatsRate, Burst: 5 * h.StatsRate, RateOfAll: 10 * h.StatsRate,
		TooLong: len("Basic ") + base64.StdEncoding.EncodedLen(maxUser+len(":")+MaxPassword) + 1,
		Pattern: "(?s)^_ " + regexp.QuoteMeta(h.StatsURL) + `(?:;.*)?\z`,
	}
	// What follows a semicolon is asked of the page: ;csv, ;norefresh.
	for _, l := range []statsLocation{{Match: "=", Path: h.StatsURL}, {Match: "^~", Path: h.StatsURL + ";"}} {
		l.To = "http://balancer" + escape.URLPath(h.StatsURL) + l.Path[len(h.StatsURL):]
		page.Locations = append(page.Locations, l)
	}
	return page
}

// StatusListen is where nginx tells its own figures: at the loopback, and for networks of
// the stack's at the host's private address.
func (v hostView) StatusListen() []string {
	all := []string{topology.HostPort("127.0.0.1", service.NginxStatusPort)}
	if own := topology.HostPort(v.Address, service.NginxStatusPort); len(v.Stack.NginxPlone.Status) > 0 && own != all[0] {
		all = append(all, own)
	}
	return all
}

// StatusAllow are the networks that may read them, the loopback among them.
func (v hostView) StatusAllow() []string {
	return networks(append([]string{"127.0.0.1"}, v.Stack.NginxPlone.Status...))
}

// TrustedProxies are the networks whose X-Forwarded-For counts.
func (v hostView) TrustedProxies() []string { return networks(v.Stack.Plonec.TrustedProxies) }

// networks writes networks as nginx takes them without a warning: the bits behind the mask
// are 0, none is there twice, and one of all addresses, which nginx takes for the default, is
// in halves. What is no network stays as it is.
func networks(list []string) []string {
	var all []string
	add := func(n string) {
		if !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	for _, n := range list {
		p, err := netip.ParsePrefix(n)
		if err != nil {
			a, err := netip.ParseAddr(n)
			if err != nil {
				add(n)
				continue
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		switch p = p.Masked(); {
		case p.IsSingleIP():
			add(p.Addr().String())
		case p.Bits() > 0:
			add(p.String())
		case p.Addr().Is4():
			add("0.0.0.0/1")
			add("128.0.0.0/1")
		default:
			add("::/1")
			add("8000::/1")
		}
	}
	return all
}
