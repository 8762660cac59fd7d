package service

import "github.com/plonec/plonec/schema"

// NginxStatusPort is where nginx tells its own figures.
const NginxStatusPort = 8079

// Nginx takes what visitors ask.
var Nginx = add(Service{
	Name: "nginx", Title: "nginx", Role: "frontend", Place: 1, Public: true,
	Unit: "nginx.service", Program: "nginx", Packages: []string{"nginx"},
	Config:  "/etc/nginx/nginx.conf",
	IPv6:    Switch{"nginx_plone.ipv6", func(s *schema.Stack) bool { return s.NginxPlone.IPv6 }},
	Reloads: []string{"/etc/nginx/nginx.conf", "/etc/nginx/ssl/*", "/etc/nginx/secrets/*"},
	Ports: func(h Host) []Port {
		ports := []Port{{Number: 80, From: Visitors}}
		if h.TLS {
			ports = append(ports, Port{Number: 443, From: Visitors})
		}
		from := ItsOwnHost
		if len(h.Stack.NginxPlone.Status) > 0 {
			from = Watchers
		}
		return append(ports, Port{Number: NginxStatusPort, For: "status", From: from})
	},
})
