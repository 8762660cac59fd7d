package topology

import (
	"regexp"
	"slices"

	"github.com/plonec/plonec/schema"
)

// addressRule is text of nginx that goes by the address of who connects.
var addressRule = regexp.MustCompile(`(?m)^[^#\n]*(?:\b(?:allow|deny)\s+[0-9a-fA-F:.]+(?:/[0-9]+)?\s*;|\bgeo\s+\$|\b(?:map|limit_req_zone|limit_conn_zone)\s+\$(?:binary_)?remote_addr\b|\bif\s*\(\s*\$remote_addr\b)`)

// proxiedFault reports rules by the visitor's address where a balancer in front connects in
// place of the visitors, and nginx does not believe whom it connects for.
func (r *resolver) proxiedFault(h *Host, f *Front) {
	if h.Stack.Plonec.PublicScheme == "" || len(h.Stack.Plonec.TrustedProxies) > 0 {
		return
	}
	var rules [][]string
	if f.Stats && len(h.Stack.Haproxy.StatsAllow) > 0 {
		rules = append(rules, []string{"haproxy", "stats_allow"})
	}
	if len(h.Stack.NginxPlone.ZMI) > 0 {
		rules = append(rules, []string{"nginx_plone", "zmi"})
	}
	told := false // by the stack's own text
	look := func(text schema.Pasted, path ...string) {
		told = told || mentions(text, "set_real_ip_from")
		for _, piece := range text {
			if addressRule.MatchString(piece.Text) {
				rules = append(rules, path)
				return
			}
		}
	}
	look(h.Stack.NginxPlone.AdditionalServers, "nginx_plone", "additional_servers")
	nginxTexts(h, look)
	if told {
		return
	}
	for _, path := range rules {
		r.once("untrusted-balancer", path, "nginx compares the address of the balancer in front (plonec.public_scheme), not the visitor's",
			`list that balancer's addresses or networks: plonec.trusted_proxies: ["10.0.0.0/8"]`)
	}
}

// toTheSite is text of nginx by which a server passes requests on to the clients.
var toTheSite = regexp.MustCompile(`(?m)^[^#\n]*\bproxy_pass\s+["']?http://(?:(?:cache|balancer)\b|[^;\n]*/VirtualHostBase/)`)

// ownServerFaults reports servers of the stack's own that pass requests on to the site: past
// the networks of nginx_plone.zmi, and with no place for the page of nginx_plone.error_page, to
// which Varnish and HAProxy send nginx.
func (r *resolver) ownServerFaults(h *Host) {
	n := h.Stack.NginxPlone
	if !slices.ContainsFunc(n.AdditionalServers, func(p schema.Piece) bool { return toTheSite.MatchString(p.Text) }) {
		return
	}
	path := []string{"nginx_plone", "additional_servers"}
	if n.ZMI != nil && !mentions(n.AdditionalServers, "$plonec_zmi") {
		r.once("unguarded-servers", path, "nginx_plone.zmi does not guard the servers here, which pass requests on to the site",
			"begin each of them with: if ($plonec_zmi) { return 403; }")
	}
	if n.ErrorPage != "" && !mentions(n.AdditionalServers, "X-Accel-Redirect") {
		r.once("servers-without-page", path, "the servers here do not have nginx_plone.error_page: where HAProxy itself answers 503, visitors get 500",
			"write into each of them: proxy_ignore_headers X-Accel-Redirect;")
	}
}
