package service

// Memcached has RelStorage's caches.
var Memcached = add(Service{
	Name: "memcached", Title: "memcached", Role: "memcached", Use: Cache, ByHand: "memcached",
	Ports: func(h Host) []Port { return []Port{{Number: h.Stack.Memcached.Port, Path: "memcached.port"}} },
})
