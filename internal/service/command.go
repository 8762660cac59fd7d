package service

// Command is another process of an app: buildout_init_commands, Celery.
var Command = add(Service{Name: "command", Title: "command", Role: "clients", Place: 2, OfApp: true})
