package service

// ZeoPort is that of a ZEO server.
const ZeoPort = 8001

// Zeo is the storage server of an app. It starts before the app's other processes.
var Zeo = add(Service{
	Name: "zeo", Title: "ZEO server", Role: "zeo", OfApp: true, Serves: true, Use: Database,
	Ports: func(Host) []Port { return []Port{{Number: ZeoPort, From: ClientHosts}} },
})
