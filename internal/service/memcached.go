package service

// Memcached has RelStorage's caches. What it is told stands in one file, which it
// reads as it starts; its package's unit gives it no right to a port below 1024.
var Memcached = add(Service{
	Name: "memcached", Title: "memcached", Role: "memcached", Use: Cache,
	Unit: "memcached.service", Program: "memcached", Packages: []string{"memcached"},
	Config:   "/etc/memcached.conf",
	Restarts: []string{"/etc/memcached.conf"},
	Ports: func(h Host) []Port {
		return []Port{{Number: h.Stack.Memcached.Port, Path: "memcached.port", From: ClientHosts}}
	},
})
