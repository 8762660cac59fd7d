package service

// AgentPort: balancers connect there to hear of all clients of a host. Agent checks ask
// for client N on AgentPort+N.
const AgentPort = 9080

// Agent tells balancers how the clients of a host are, and its processes of Volto.
var Agent = add(Service{
	Name: "agent", Title: "drain agent", Role: "clients", Also: []string{"volto"}, Unit: "plonec-agent.service", Tells: true,
	Ports: func(Host) []Port {
		return []Port{{Number: AgentPort, From: FrontEnds}, {Number: AgentPort, Each: true, From: FrontEnds}}
	},
	Shows: func(Host) []Process { return nil }, // beside the clients
})
