package topology

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/plonec/plonec/internal/service"
)

// told is what the rows of services are told of the host.
func (h *Host) told() service.Host {
	t := service.Host{Stack: h.Stack}
	if h.Front != nil {
		t.Balancers = len(h.Front.Balancers)
		t.API = h.Front.APIBind != ""
		t.TLS = slices.ContainsFunc(h.Front.Sites, func(s *Site) bool { return s.TLS })
	}
	return t
}

// A Shown is a service that a picture shows on a host.
type Shown struct {
	*service.Service
	Processes []service.Process
	Ports     []service.Port
}

// Shown are the host's own services, those too that nothing sets up yet, as a
// request meets them: before its apps, and after them.
func (h *Host) Shown() (before, after []Shown) {
	for _, d := range roles {
		for _, s := range service.Of(string(d.Role)) {
			if !h.Runs(s) && (s.ByHand == "" || !h.Has(d.Role)) {
				continue
			}
			shown := Shown{s, s.Processes(h.told()), nil}
			if len(shown.Processes) == 0 {
				continue
			}
			if s.Ports != nil {
				shown.Ports = s.Ports(h.told())
			}
			if d.Role == Frontend {
				before = append(before, shown)
			} else {
				after = append(after, shown)
			}
		}
	}
	return before, after
}

// Shown are what a picture shows of the app on its host.
func (a *App) Shown() []service.Process {
	var list []service.Process
	add := func(what, at string) { list = append(list, service.Process{What: what, At: at}) }
	for _, kind := range a.Processes() {
		first, last := kind[0], kind[len(kind)-1]
		names := first.Name
		if last.N > 1 {
			names = fmt.Sprintf("%s–%d", first.Name, last.N)
		}
		add(a.Name+" "+names, span(first.Port, last.Port))
		add("drain agents", span(first.AgentPort, last.AgentPort))
	}
	if z := a.Zeo; z != nil {
		add("ZEO of "+a.Name, span(z.Port, z.Port))
		if z.FilestorageDir != "" {
			add("Data.fs", z.FilestorageDir)
		}
		if z.BlobDir != "" {
			add("blobs", z.BlobDir)
		}
	}
	for _, c := range a.Commands {
		add(c.Name+" of "+a.Name, "")
	}
	if a.Pack {
		add("packs the database", "")
	}
	return list
}

// span is a range of ports; empty where the first is 0.
func span(first, last int) string {
	switch first {
	case 0:
		return ""
	case last:
		return strconv.Itoa(first)
	}
	return fmt.Sprintf("%d–%d", first, last)
}
