package service

import "github.com/plonec/plonec/schema"

// PurgePort is where Varnish takes PURGE.
const PurgePort = 6082

// Varnish caches what visitors may share, unless nginx is told to ask HAProxy.
var Varnish = add(Service{
	Name: "varnish", Title: "Varnish", Role: "frontend", Place: 2,
	Unit: "varnish.service", Program: "varnishd", Packages: []string{"varnish"},
	On:      func(s *schema.Stack) bool { return s.NginxPlone.ProxyPort != HaproxyPort },
	Config:  "/etc/varnish/default.vcl",
	Reloads: []string{"/etc/varnish/default.vcl"},
	Ports: func(h Host) []Port {
		return []Port{{Number: h.Stack.NginxPlone.ProxyPort, Path: "nginx_plone.proxy_port", From: ItsOwnHost}, {Number: PurgePort, For: "purge", From: ClientHosts}}
	},
})
