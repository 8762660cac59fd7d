package plan

import (
	"path"
	"slices"
	"strings"
)

// appsOf lists the apps that a host has.
func appsOf(want []Wanted) []string {
	var apps []string
	for _, w := range want {
		if dir, file := path.Split(w.Path); file == "app.conf" && path.Dir(path.Clean(dir)) == "/etc/plonec" {
			apps = append(apps, path.Base(dir))
		}
	}
	return apps
}

// appOf is the app for whose next deploy or restart a file waits; empty for
// one that goes live at once.
func appOf(effects, apps []string) string {
	for _, e := range effects {
		verb, unit, _ := strings.Cut(e, ":")
		if verb == "deploy" && slices.Contains(apps, unit) {
			return unit
		}
		if verb == "restart" {
			if app := unitApp(unit, apps); app != "" {
				return app
			}
		}
	}
	return ""
}

// unitApp is the app that a unit belongs to: plone-APP-NAME.service.
func unitApp(unit string, apps []string) string {
	found := ""
	for _, app := range apps {
		if strings.HasPrefix(unit, "plone-"+app+"-") && len(app) > len(found) {
			found = app
		}
	}
	return found
}

// Apps lists the apps of a host.
func (m *Host) Apps() []string { return appsOf(m.Want) }

// Clients lists the clients of a host as balancers call them.
func (m *Host) Clients() []string {
	var names []string
	for _, w := range m.Want {
		if name, ok := strings.CutPrefix(w.Path, "/etc/systemd/system/"); ok {
			if server := m.Server(name); server != "" {
				names = append(names, server)
			}
		}
	}
	return names
}

// Server is what balancers call the client of a unit; empty for other units.
func (m *Host) Server(unit string) string {
	app := unitApp(unit, m.Apps())
	name := strings.TrimSuffix(strings.TrimPrefix(unit, "plone-"+app+"-"), ".service")
	if app == "" || !strings.HasPrefix(name, "client") {
		return ""
	}
	return m.Name + "-" + name
}

// IsFront tells whether a balancer runs on the host.
func (m *Host) IsFront() bool {
	return slices.ContainsFunc(m.Want, func(w Wanted) bool { return w.Path == HAProxy })
}
