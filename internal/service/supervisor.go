package service

// Supervisor is the buildout's own, over all processes of an app.
var Supervisor = add(Service{Name: "supervisor", Title: "supervisor", Role: "clients", Place: 3, OfApp: true})
