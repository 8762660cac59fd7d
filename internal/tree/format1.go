package tree

import (
	"cmp"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/service"
)

// A manifest of format 1 names neither services nor apps. What a diff foretells
// begins from them, and so they are read from its paths and effects, as plonec 0.1
// wrote these. Sums of configurations and databases stay unknown.

// upgrade says what the hosts of a manifest of format 1 are.
func (m *Manifest) upgrade() {
	for i := range m.Hosts {
		h := &m.Hosts[i]
		for _, f := range m.Files {
			app, file, ok := strings.Cut(strings.TrimPrefix(f.Path, "/etc/plonec/"), "/")
			if f.Host == h.Name && ok && file == "app.conf" {
				h.Apps = append(h.Apps, App{Name: app})
			}
		}
		units := map[string]bool{}
		for _, f := range m.Files {
			for _, effect := range f.Effect {
				verb, unit, _ := strings.Cut(effect, ":")
				if f.Host != h.Name || verb == "deploy" || units[unit] {
					continue
				}
				units[unit] = true
				h.Services = append(h.Services, oldService(h, unit))
			}
		}
		slices.SortFunc(h.Services, func(a, b Service) int { return cmp.Compare(a.Unit, b.Unit) })
	}
}

// oldService is what a unit of plonec 0.1 was: plone-APP-NAME.service of an app, else
// the host's own.
func oldService(h *Host, unit string) Service {
	s := Service{Unit: unit, Kind: strings.TrimSuffix(strings.TrimPrefix(unit, "plonec-"), ".service")}
	for _, a := range h.Apps {
		name, is := strings.CutPrefix(strings.TrimSuffix(unit, ".service"), "plone-"+a.Name+"-")
		if !is || len(a.Name) < len(s.App) {
			continue
		}
		s.App, s.Kind = a.Name, service.Command.Name
		switch number := strings.TrimPrefix(name, "client"); {
		case name == service.Store().Name:
			s.Kind = service.Store().Name
		case number != name && strings.Trim(number, "0123456789") == "":
			s.Kind = service.Client.Name
		}
	}
	return s
}
