package topology

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/service"
)

// A Service is a unit that a host runs for good.
type Service struct {
	Unit   string           // its name in systemd
	Kind   *service.Service // what it is
	App    string           // whose process it is; empty: the host's own
	Server string           // what balancers call it; empty: they do not
}

// Rank is where the service stands in the order of things: what others need has a
// lower one.
func (s Service) Rank() Rank { return Role(s.Kind.Role).Duty().Rank }

// Packaged tells whether the service is a daemon of the system's packages.
func (s Service) Packaged() bool { return len(s.Kind.Packages) > 0 }

// Runs tells whether the host runs a service that it has one of.
func (h *Host) Runs(s *service.Service) bool {
	does := h.does(Role(s.Role)) || slices.ContainsFunc(s.Also, func(r string) bool { return h.does(Role(r)) })
	return does && s.Runs(h.Stack)
}

// does tells whether the host has a role, and something to do in it.
func (h *Host) does(r Role) bool {
	switch r {
	case Frontend:
		return h.Front != nil
	case Volto:
		return slices.ContainsFunc(h.Apps, func(a *App) bool { return len(a.Voltos) > 0 })
	case Clients:
		return slices.ContainsFunc(h.Apps, func(a *App) bool { return len(a.Clients) > 0 })
	}
	return h.Has(r)
}

// Services are what the host runs for good, in the order in which they start:
// what others need comes first.
func (h *Host) Services() []Service {
	var list []Service
	for _, rank := range Ranks {
		list = append(list, h.daemons(rank)...)
		if rank == RankClients {
			for _, a := range h.Apps {
				list = append(list, a.Services()...)
			}
		}
	}
	return list
}

// Daemons are the services that packages bring, in the order in which they start.
func Daemons() []*service.Service {
	var list []*service.Service
	for _, rank := range Ranks {
		for _, s := range startingIn(rank) {
			if len(s.Packages) > 0 {
				list = append(list, s)
			}
		}
	}
	return list
}

// daemons are the host's own services of a rank, in the order in which they start.
func (h *Host) daemons(rank Rank) []Service {
	var list []Service
	for _, s := range startingIn(rank) {
		if h.Runs(s) {
			list = append(list, Service{Unit: s.Unit, Kind: s})
		}
	}
	return list
}

// startingIn are the services of which a host has one, of a rank, in the order in
// which they start: what visitors reach comes last. They are not to be changed.
func startingIn(rank Rank) []*service.Service { return starting()[rank] }

// starting is made once: every host asks.
var starting = sync.OnceValue(func() map[Rank][]*service.Service {
	first, last := map[Rank][]*service.Service{}, map[Rank][]*service.Service{}
	for _, d := range roles {
		for _, s := range service.Of(string(d.Role)) {
			switch {
			case s.Unit == "" || slices.Contains(first[d.Rank], s):
			case s.Public:
				last[d.Rank] = append(last[d.Rank], s)
			default:
				first[d.Rank] = append(first[d.Rank], s)
			}
		}
	}
	for rank, list := range last {
		first[rank] = append(first[rank], list...)
	}
	return first
})

// Builder is what makes the app's releases.
func (a *App) Builder() *builder.Builder { return a.Config.MadeBy() }

// Supervised tells whether a supervisor of the releases' own runs all processes that the
// app's builder makes: one service stands for them then.
func (a *App) Supervised() bool {
	return a.Config.BuildoutSupervisorPart != "" && a.Builder().Supervisor.Path != ""
}

// Services are the app's processes on its host, in the order in which they start.
func (a *App) Services() []Service {
	var list []Service
	for _, v := range a.Voltos {
		list = append(list, Service{Unit: v.Unit, Kind: service.Volto, App: a.Name, Server: v.Server()})
	}
	return append(a.backend(), list...)
}

// backend are those of them that the app's builder makes.
func (a *App) backend() []Service {
	if a.Supervised() {
		return []Service{{Unit: unit(a.Name, "supervisor"), Kind: service.Supervisor, App: a.Name}}
	}
	var list []Service
	if a.Zeo != nil {
		list = append(list, Service{Unit: a.Zeo.Unit, Kind: service.Zeo, App: a.Name})
	}
	for _, c := range a.Clients {
		list = append(list, Service{Unit: c.Unit, Kind: service.Client, App: a.Name, Server: c.Server()})
	}
	for _, c := range a.Commands {
		list = append(list, Service{Unit: c.Unit, Kind: service.Command, App: a.Name})
	}
	return list
}

// A Span is the ports of processes that are alike, first and last.
type Span struct{ First, Last int }

// Processes are the app's here that take requests from balancers: a list of each kind that
// there is, clients first.
func (a *App) Processes() (kinds [][]*Process) {
	var clients, voltos []*Process
	for _, c := range a.Clients {
		clients = append(clients, &c.Process)
	}
	for _, v := range a.Voltos {
		voltos = append(voltos, &v.Process)
	}
	for _, kind := range [][]*Process{clients, voltos} {
		if len(kind) > 0 {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// Balanced are the ports of these processes.
func (a *App) Balanced() (spans []Span) {
	for _, kind := range a.Processes() {
		spans = append(spans, Span{kind[0].Port, kind[len(kind)-1].Port})
	}
	return spans
}

// Serves tells whether the app's database is kept by a process of it here.
func (a *App) Serves() bool { return a.Zeo != nil }

// Serves tells whether a database of some app is kept by a process here.
func (h *Host) Serves() bool { return slices.ContainsFunc(h.Apps, (*App).Serves) }

// DataDir is the directory of the Data.fs that the app serves here; empty: none.
func (a *App) DataDir() string {
	if a.Zeo == nil {
		return ""
	}
	return a.Zeo.FilestorageDir
}

// ServedBy is the app of the stack that serves the database of this one, on another
// host or on this one; nil: none does, or it does itself.
func (a *App) ServedBy() *App {
	if a.Zeo != nil || a.Storage.Zeo == nil {
		return nil
	}
	return a.Storage.Zeo.App
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
func (p *Process) Server() string { return p.App.Host.Name + "-" + p.Name }

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
