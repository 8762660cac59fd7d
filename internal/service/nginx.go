package service

import "github.com/plonec/plonec/schema"

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
		return ports
	},
})
