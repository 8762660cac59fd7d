package topology

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/plonec/plonec/schema"
)

// zopeForms is the largest form that Zope takes by itself, in bytes: the default of
// form-disk-limit in <dos_protection> of its own schema.
const zopeForms = 1 << 30

// uploads says how large an upload each app's clients are to take: what any front end lets
// through, or, where the stack has none, what the clients' own view would let through.
func (r *resolver) uploads() {
	defer func() { r.near = nil }()
	fronts := r.all[Frontend]
	for _, h := range r.all[Clients] {
		r.near = h
		size := largestUpload(fronts)
		if len(fronts) == 0 {
			size = largestUpload([]*Host{h})
		}
		for _, a := range h.Apps {
			a.MaxUpload = size
			if a.WSGI && a.Builder().Decides && len(a.Clients) > 0 && (size == 0 || size > zopeForms) && !mentions(a.Config.BuildoutAdditionalConfig, "form-disk-limit") {
				r.once("upload-limit", []string{"nginx_plone", "client_max_body_size"}, "Zope refuses forms over 1 GB, unless the buildout says otherwise",
					"put <dos_protection> with form-disk-limit ${client1:max-request-body-size} into zope-conf-additional of the buildout's [client1]")
			}
		}
	}
	for _, h := range fronts {
		r.near = h
		r.pastedUploads(h, largestUpload(fronts))
	}
}

// largestUpload is the largest that any of some hosts' views lets through, in bytes. 0: any.
func largestUpload(hosts []*Host) (largest int64) {
	for _, h := range hosts {
		size := schema.Bytes(h.Stack.NginxPlone.ClientMaxBodySize)
		if size == 0 {
			return 0
		}
		largest = max(largest, size)
	}
	return largest
}

func mentions(p schema.Pasted, word string) bool {
	return slices.ContainsFunc(p, func(piece schema.Piece) bool { return strings.Contains(piece.Text, word) })
}

// uploadLine is the line of nginx that bounds an upload.
var uploadLine = regexp.MustCompile(`(?m)^[^#\n]*\bclient_max_body_size\s+([0-9]+[kKmMgG]?)\s*;`)

// pastedUploads reports lines of a front end's pasted text that let more than limit through.
func (r *resolver) pastedUploads(h *Host, limit int64) {
	nginxTexts(h, func(text schema.Pasted, path ...string) {
		for _, piece := range text {
			for _, found := range uploadLine.FindAllStringSubmatch(piece.Text, -1) {
				if size := schema.Bytes(found[1]); limit > 0 && (size == 0 || size > limit) {
					r.once("upload-limit", path, fmt.Sprintf("nginx lets uploads of %s through, and Zope's server refuses more than nginx_plone.client_max_body_size", found[1]),
						fmt.Sprintf(`take the line out and set "client_max_body_size": %q`, found[1]))
				}
			}
		}
	})
}

// lostHeaders reports headers for Zope that pasted text has a server send: the location of
// the site has headers of its own, and nginx then takes none of the server's.
func (r *resolver) lostHeaders(h *Host) {
	nginxTexts(h, func(text schema.Pasted, path ...string) {
		for _, piece := range text {
			if found := inServer(piece.Text, "proxy_set_header"); found != "" {
				r.once("lost-header", path, fmt.Sprintf("%q does not reach Zope: nginx sends the site the headers of plonec's own location alone", found),
					"set it in varnish_plone.vcl.vcl_backend_fetch: set bereq.http.NAME = \"VALUE\";")
				return
			}
		}
	})
}

// inServer is the first line of nginx's in a server's text that begins with a word and is in
// no block; empty: none is.
func inServer(text, word string) string {
	depth := 0
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		if depth == 0 && strings.HasPrefix(line, word) {
			return line
		}
		depth += strings.Count(line, "{") - strings.Count(line, "}")
	}
	return ""
}

// nginxTexts looks at each text that the stack has pasted into the site's servers.
func nginxTexts(h *Host, look func(text schema.Pasted, path ...string)) {
	n := h.Stack.NginxPlone
	look(n.DefaultConfig, "nginx_plone", "default_config")
	look(n.DefaultSSLConfig, "nginx_plone", "default_ssl_config")
	look(n.AdditionalConfig, "nginx_plone", "additional_config")
	look(n.AdditionalSSLConfig, "nginx_plone", "additional_ssl_config")
	for _, name := range sortedKeys(h.Stack.PloneInstances.SubsiteConfig) {
		look(h.Stack.PloneInstances.SubsiteConfig[name], "plone_instances", "subsite_config", name)
	}
}
