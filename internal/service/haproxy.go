package service

import "strings"

// The ports of HAProxy.
const (
	HaproxyPort = 8080
	PeersPort   = 10000 // between balancers
)

// Haproxy spreads requests over the clients. Its configuration is one of all front
// ends' that name clients; socat asks it.
var Haproxy = add(Service{
	Name: "haproxy", Title: "HAProxy", Role: "frontend", Place: 3, Servers: haproxyServers,
	Unit: "haproxy.service", Program: "haproxy", Packages: []string{"haproxy", "socat"},
	Config:  "/etc/haproxy/haproxy.cfg",
	Reloads: []string{"/etc/haproxy/haproxy.cfg", "/etc/haproxy/users.cfg"},
	Ports: func(h Host) []Port {
		ports := []Port{{Number: HaproxyPort, From: ItsOwnHost}}
		if h.API {
			ports = append(ports, Port{Number: HaproxyPort, For: "API", From: VoltoHosts})
		}
		if h.Balancers > 1 {
			ports = append(ports, Port{Number: PeersPort, For: "peers", From: FrontEnds})
		}
		return ports
	},
})

// haproxyServers are the server lines of a haproxy.cfg: name and address.
func haproxyServers(config []byte) map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(string(config)) {
		if f := strings.Fields(line); len(f) >= 3 && f[0] == "server" {
			set[f[1]+" "+f[2]] = true
		}
	}
	return set
}
