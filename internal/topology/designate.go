package topology

import (
	"fmt"
	"slices"
	"strings"
)

// AlwaysOn tells whether the host runs day and night: it is online, and nothing starts and
// stops it.
func (h *Host) AlwaysOn() bool { return h.Online }

// Duties are the roles that one host alone has for the app, and that this one has.
func (a *App) Duties() []Role {
	var list []Role
	for _, d := range roles {
		if d.OnApp != nil && *d.OnApp(a) {
			list = append(list, d.Role)
		}
	}
	return list
}

// DutyUnit is the unit that does what a role has one host alone do for an app; empty: no
// process runs for it.
func DutyUnit(app string, role Role) string {
	if role == Celerybeat {
		return unit(app, beatProcess)
	}
	return ""
}

// beatProcess is the name of Celery's scheduler among an app's processes.
const beatProcess = "celerybeat"

// designate gives each duty that one host has for an app to one of the hosts to which the
// stack as a whole gives it: one that has it by its role, else the first one by name; of
// those that are always on, where there is one. On OpsWorks each of them did the work.
func (r *resolver) designate() {
	for _, d := range roles {
		if d.OnApp == nil {
			continue
		}
		if d.wide(r.d.Base) {
			r.designateOne(d)
		}
	}
	for _, h := range r.all[Clients] {
		for _, a := range h.Apps {
			if a.Celerybeat {
				r.command(a, beatProcess, a.Builder().Celery.Path, strings.TrimSpace("beat "+h.Stack.PloneInstances.BeatArgs), 0)
			}
		}
	}
}

func (r *resolver) designateOne(d Duty) {
	byApp := map[string][]*App{}
	for _, h := range r.all[Clients] { // by name
		for _, a := range h.Apps {
			if *d.OnApp(a) {
				byApp[a.Name] = append(byApp[a.Name], a)
			}
		}
	}
	for _, name := range sortedKeys(byApp) {
		var one *App
		explicit, on := false, func(a *App) bool { return a.Host.AlwaysOn() }
		why := "the first by name that is always on"
		if !slices.ContainsFunc(byApp[name], on) { // a stack at night: one all the same when they start
			on, why = func(*App) bool { return true }, "the first by name, since none is online"
		}
		for _, a := range byApp[name] {
			if on(a) && (one == nil || a.Host.Has(d.Role) && !explicit) {
				one, explicit = a, a.Host.Has(d.Role)
			}
		}
		var others []string
		for _, a := range byApp[name] {
			if a != one && !(a.Host.Online && a.Host.Has(d.Role)) { // two roles are an error
				*d.OnApp(a) = false
				others = append(others, a.Host.Name)
			}
		}
		if len(others) > 0 && !explicit {
			r.report("designated", strings.Split(d.Wide, "."),
				fmt.Sprintf("one host of the app %s %s: %s, %s, and not %s", name, d.Title, one.Host.Name, why, shortList(others)),
				fmt.Sprintf("to choose another host, give a layer of its own the role %s", d.Role))
		}
	}
}

// shortList names up to four, and how many more there are.
func shortList(names []string) string {
	const most = 4
	if len(names) > most {
		names = append(names[:most:most], fmt.Sprintf("%d more", len(names)-most))
	}
	return strings.Join(names, ", ")
}
