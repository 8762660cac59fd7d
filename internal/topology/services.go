package topology

import (
	"fmt"
	"strings"
)

// A Service is a unit that a host runs for good.
type Service struct {
	Unit   string // its name in systemd
	Kind   Kind
	App    string // whose process it is; empty: the host's own
	Server string // what balancers call it; empty: they do not
}

// A Kind says what a service is.
type Kind string

// The kinds of services.
const (
	KindNginx      Kind = "nginx"
	KindVarnish    Kind = "varnish"
	KindHaproxy    Kind = "haproxy"
	KindAgent      Kind = "agent"      // tells balancers of the clients on its host
	KindClient     Kind = "client"     // a Zope process
	KindZeo        Kind = "zeo"        // a ZEO server
	KindCommand    Kind = "command"    // another process of an app: buildout_init_commands, Celery
	KindSupervisor Kind = "supervisor" // the buildout's own, over all processes of an app
)

// kinds has the role to which each kind of service belongs.
var kinds = map[Kind]Role{
	KindZeo:   Zeo,
	KindAgent: Clients, KindClient: Clients, KindCommand: Clients, KindSupervisor: Clients,
	KindVarnish: Frontend, KindHaproxy: Frontend, KindNginx: Frontend,
}

// IsKind tells whether a text is a kind of service that plonec knows.
func IsKind(text string) bool {
	_, known := kinds[Kind(text)]
	return known
}

// Rank is where the service stands in the order of things: what others need has a
// lower one.
func (s Service) Rank() Rank { return kinds[s.Kind].Duty().Rank }

// Packaged tells whether the service is a daemon of the system's packages.
func (s Service) Packaged() bool { return s.App == "" && s.Kind != KindAgent }

// AgentUnit is the one responder to the balancers' agent checks on a host.
const AgentUnit = "plonec-agent.service"

// Services are the front end's daemons, in the order in which they start.
func (f *Front) Services() []Service {
	list := []Service{{Unit: "haproxy.service", Kind: KindHaproxy}, {Unit: "nginx.service", Kind: KindNginx}}
	if f.Cache {
		list = append([]Service{{Unit: "varnish.service", Kind: KindVarnish}}, list...)
	}
	return list
}

// Services are what the host runs for good, in the order in which they start:
// what others need comes first.
func (h *Host) Services() []Service {
	var list, apps []Service
	for _, a := range h.Apps {
		apps = append(apps, a.Services()...)
		if len(a.Clients) > 0 && len(list) == 0 {
			list = []Service{{Unit: AgentUnit, Kind: KindAgent}}
		}
	}
	list = append(list, apps...)
	if h.Front != nil {
		list = append(list, h.Front.Services()...)
	}
	return list
}

// Supervised tells whether the buildout's own supervisor runs all of the app's
// processes: one service stands for them then.
func (a *App) Supervised() bool { return a.Config.BuildoutSupervisorPart != "" }

// Services are the app's processes on its host, in the order in which they start.
func (a *App) Services() []Service {
	if a.Supervised() {
		return []Service{{Unit: unit(a.Name, "supervisor"), Kind: KindSupervisor, App: a.Name}}
	}
	var list []Service
	if a.Zeo != nil {
		list = append(list, Service{Unit: a.Zeo.Unit, Kind: KindZeo, App: a.Name})
	}
	for _, c := range a.Clients {
		list = append(list, Service{Unit: c.Unit, Kind: KindClient, App: a.Name, Server: c.Server()})
	}
	for _, c := range a.Commands {
		list = append(list, Service{Unit: c.Unit, Kind: KindCommand, App: a.Name})
	}
	return list
}

// Units are the names of the app's services.
func (a *App) Units() []string {
	var units []string
	for _, s := range a.Services() {
		units = append(units, s.Unit)
	}
	return units
}

// Server is what balancers call the client.
func (c *Client) Server() string { return c.App.Host.Name + "-" + c.Name }

// BlobDir is the directory of the app's blobs, where one is given that its
// processes on this host use.
func (a *App) BlobDir() string {
	s := a.Host.Stack
	switch {
	case a.Zeo != nil && a.Zeo.BlobDir != "":
		return a.Zeo.BlobDir
	case len(a.Clients) > 0 && s.PloneInstances.SharedBlobs && s.PloneBlobs != nil:
		return s.PloneBlobs.BlobDir
	}
	return ""
}

// Database says in words in which database the app's processes write. Where it
// differs from what a running process was started with, the two must not run
// side by side.
func (a *App) Database() string {
	var parts []string
	if a.Zeo != nil {
		parts = append(parts, "file storage "+a.Zeo.FilestorageDir)
	}
	if len(a.Clients) > 0 {
		switch db := a.Storage.RelStorage; {
		case db != nil && db.DSN.IsSet():
			parts = append(parts, "RelStorage by its DSN")
		case db != nil:
			parts = append(parts, fmt.Sprintf("RelStorage %s %s:%d/%s", db.Type, db.Host, db.Port, db.Name))
		case a.Storage.ZeoAddress != "":
			parts = append(parts, "ZEO "+a.Storage.ZeoAddress)
		}
	}
	if d := a.BlobDir(); d != "" {
		parts = append(parts, "blobs "+d)
	}
	return strings.Join(parts, ", ")
}
