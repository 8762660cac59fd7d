package service

// Redis is the broker of Celery's tasks.
var Redis = add(Service{
	Name: "redis", Title: "Celery broker", Role: "redis", Use: Jobs, ByHand: "the Celery broker",
	Ports: func(h Host) []Port { return []Port{{Number: h.Stack.PloneInstances.Broker.Port, From: ClientHosts}} },
})
