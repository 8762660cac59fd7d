package render

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
)

// A page is where nginx has a page that the front end shows of its own.
func pagePath(name string) string { return "/etc/nginx/pages/" + name + ".html" }

// plainPage is shown while maintenance is on and the stack has no page for that.
const plainPage = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Down for maintenance</title>
<style>body { font: 1.2em/1.5 sans-serif; max-width: 30em; margin: 20vh auto; padding: 0 1em; }</style>
</head>
<body>
<h1>Down for maintenance</h1>
<p>We are working on this site. Please try again in a few minutes.</p>
</body>
</html>`

// pages gives those of a front end. nginx reads them when it shows them.
func pages(h *topology.Host) []Instance {
	if !h.Runs(service.Nginx) {
		return nil
	}
	n := h.Stack.NginxPlone
	all := []Instance{{Path: pagePath("maintenance"), Data: cmp.Or(n.MaintenancePage, plainPage)}}
	if n.ErrorPage != "" {
		all = append(all, Instance{Path: pagePath("error"), Data: n.ErrorPage})
	}
	return all
}

// OwnPages matches what a server answers of its own, whatever the stack's own text does
// with other addresses: the pages that it shows, and whether there is a client.
func (v hostView) OwnPages(w webServer) string {
	var pages []string
	if w.Site != nil {
		pages = append(pages, `plonec/maintenance\.html`)
	}
	if v.ShowsErrors(w) {
		pages = append(pages, `plonec/error\.html`)
		for _, status := range failures {
			pages = append(pages, fmt.Sprint("plonec/error/", status))
		}
	}
	if w.Default {
		pages = append(pages, regexp.QuoteMeta(HealthPath[1:]))
	}
	return "^/(?:" + strings.Join(pages, "|") + `)\z`
}

// ShowsErrors tells whether a server has the stack's page for errors: it shows a site, or
// the stack's own text may pass requests on there.
func (v hostView) ShowsErrors(w webServer) bool {
	return v.Stack.NginxPlone.ErrorPage != "" && (w.Site != nil || len(w.Pasted) > 0)
}

// Page is where a page lies.
func (webServer) Page(name string) string { return pagePath(name) }

// failures are what the front end answers where a client does not.
var failures = []int{502, 503, 504}

func (webServer) Failures() []int { return failures }

// MaintenanceFile is there while maintenance is on: "host maintenance" makes it, and no
// apply, and it is there after a reboot.
func (hostView) MaintenanceFile() string { return "/etc/plonec/maintenance" }
