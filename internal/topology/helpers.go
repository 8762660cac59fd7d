package topology

import "slices"

// A Helper is one of the cookbook's helper recipes that run on hosts as they
// are: plonec run NAME.
type Helper struct {
	Name string
	For  func(*Host) bool
	Host string // a host that it is for, in words
}

// helpers are all of them but those that make a release.
var helpers = []Helper{
	{"backup", anyApp(func(a *App) bool { return a.Zeo != nil }), "a host that runs a ZEO server"},
	{"pack", anyApp(func(a *App) bool { return a.Zeo != nil || a.Pack }), "a host that runs a ZEO server, or has the role pack"},
	{"varnish-purge", caches, "a front end with Varnish"},
	{"varnish-restart", caches, "a front end with Varnish"},
}

// Helpers are the helper recipes, by name.
func Helpers() []Helper { return helpers }

// Helpers are the names of the helper recipes that are for the host.
func (h *Host) Helpers() []string {
	names := []string{}
	for _, r := range helpers {
		if r.For(h) {
			names = append(names, r.Name)
		}
	}
	return names
}

func anyApp(is func(*App) bool) func(*Host) bool {
	return func(h *Host) bool { return slices.ContainsFunc(h.Apps, is) }
}

func caches(h *Host) bool { return h.Front != nil && h.Front.Cache }
