package service

// SyncSocket is a socket of HAProxy's own for Statesync: what operators have may not let
// states be set (haproxy.stats_socket_level).
const SyncSocket = "/run/plonec-haproxy/sync.sock"

// SyncProgram is what runs. It is on front ends alone.
const SyncProgram = "/usr/local/lib/plonec/statesync"

// Statesync hears from the agents of client hosts which clients drain, and takes them
// out of the HAProxy of its host.
var Statesync = add(Service{
	Name: "statesync", Title: "state sync", Role: "frontend", Place: 4,
	Unit: "plonec-statesync.service", Program: "python3", Packages: []string{"python3"},
	Config:   "/etc/systemd/system/plonec-statesync.service",
	Restarts: []string{"/etc/systemd/system/plonec-statesync.service", SyncProgram},
	Shows:    func(Host) []Process { return nil }, // beside HAProxy
})
