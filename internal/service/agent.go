package service

// AgentPort: the agent tells balancers of client N on AgentPort+N.
const AgentPort = 9080

// Agent answers the balancers' agent checks for all clients of a host.
var Agent = add(Service{
	Name: "agent", Title: "drain agent", Role: "clients", Unit: "plonec-agent.service",
	Ports: func(Host) []Port { return []Port{{Number: AgentPort, Each: true, From: FrontEnds}} },
	Shows: func(Host) []Process { return nil }, // beside the clients
})
