package service

// Client N of an app listens on ClientPort+N.
const ClientPort = HaproxyPort

// Client is a Zope process.
var Client = add(Service{
	Name: "client", Title: "client", Role: "clients", Place: 1, OfApp: true, Balanced: true,
	Ports: func(Host) []Port { return []Port{{Number: ClientPort, Each: true, From: FrontEnds}} },
})
