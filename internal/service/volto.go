package service

// The ports of Volto: process N listens on VoltoPort+N, and agent checks ask for it on
// VoltoAgentPort+N.
const (
	VoltoPort      = 3000
	VoltoAgentPort = 4000
)

// VoltoPath answers 200 while a process of Volto runs, whatever it reaches.
const VoltoPath = "/ok"

// Volto is a process of Node that shows visitors an app's pages.
var Volto = add(Service{
	Name: "volto", Title: "Volto", Process: "Volto process", Role: "volto", Place: 1, OfApp: true, Balanced: true, Frontend: true,
	Ports: func(Host) []Port {
		return []Port{{Number: VoltoPort, Each: true, From: FrontEnds}, {Number: VoltoAgentPort, For: "agent", Each: true, From: FrontEnds}}
	},
})
