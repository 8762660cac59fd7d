package hosts

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/plonec/plonec/render/escape"
)

// An AppPlan is what a deploy, a restart or a start has to do for an app on a
// host, beside what a new commit would ask for.
type AppPlan struct {
	App         string   `json:"app"`
	Files       int      `json:"files,omitempty"`        // that wait for it
	Build       string   `json:"build,omitempty"`        // why there will be a new release; empty: there will not
	Source      string   `json:"source,omitempty"`       // the revision that a deploy looks at, where the tree says another one or another repository
	Restart     []string `json:"restart,omitempty"`      // units, one by one
	Maybe       []string `json:"maybe,omitempty"`        // units that restart where the new release has something else for them
	Start       []string `json:"start,omitempty"`        // units
	Stop        []string `json:"stop,omitempty"`         // units that go
	Agent       string   `json:"agent,omitempty"`        // start, restart or stop: what happens to plonec-agent.service, which speaks for the clients
	Moves       string   `json:"moves,omitempty"`        // the database, from where to where
	NewDatabase string   `json:"new_database,omitempty"` // where a first start has to find a Data.fs
	Unfinished  bool     `json:"unfinished,omitempty"`   // a switch was cut short
	Stopped     bool     `json:"stopped,omitempty"`      // by plonec stop
	HalfGone    bool     `json:"half_gone,omitempty"`    // an undeploy did not come to its end
}

// Command is what brings it about, less the name of the program and the app.
func (a *AppPlan) Command() string {
	switch {
	case a.Moves != "":
		return "deploy --allow-outage"
	case a.NewDatabase != "":
		return "deploy --new-database"
	case a.Build != "" || a.Source != "" || a.Unfinished:
		return "deploy"
	case a.Files > 0 || len(a.Restart)+len(a.Stop) > 0:
		return "restart --changed"
	}
	return "start"
}

// String says it in a few words, without the app's name.
func (a *AppPlan) String() string {
	var parts []string
	if a.Build != "" {
		parts = append(parts, "buildout ("+a.Build+")")
	} else if a.Source != "" {
		parts = append(parts, "buildout if "+a.Source+" leads to another commit")
	}
	if a.Unfinished {
		parts = append(parts, "the end of a switch that was cut short")
	}
	if a.Moves != "" {
		parts = append(parts, "stop of all, switch, start")
	} else {
		for _, what := range []struct {
			does  string
			units []string
		}{{"rolling restart of ", a.Restart}, {"perhaps restart of ", a.Maybe}, {"start of ", a.Start}} {
			if len(what.units) > 0 {
				parts = append(parts, what.does+a.units(what.units))
			}
		}
	}
	if len(a.Stop) > 0 {
		parts = append(parts, "stop of "+a.units(a.Stop))
	}
	if a.Agent != "" {
		parts = append(parts, a.Agent+" of the agent")
	}
	if a.Stopped {
		parts = append(parts, "it was stopped on purpose")
	}
	if a.HalfGone {
		parts = append(parts, "an undeploy of it is half done")
	}
	if len(parts) == 0 {
		parts = append(parts, plural(a.Files, "file"))
	}
	return strings.Join(parts, ", ")
}

// units names units as short as one can: up to four by name, more by number.
func (a *AppPlan) units(list []string) string {
	var clients, names []string
	for _, unit := range list {
		name := strings.TrimSuffix(strings.TrimPrefix(unit, "plone-"+a.App+"-"), ".service")
		if strings.HasPrefix(name, "client") {
			clients = append(clients, name)
		} else {
			names = append(names, name)
		}
	}
	if len(clients) > 4 {
		clients = []string{plural(len(clients), "client")}
	}
	return strings.Join(append(names, clients...), " ")
}

// daemons are those that configure looks after by itself: it compares what they
// were loaded with.
var daemons = []string{"haproxy.service", "nginx.service", "varnish.service", "plonec-agent.service"}

// effects lists what apply itself does to units, as in the manifest: stops
// first, then by unit.
func (m *member) effects() []string {
	known := m.known()
	wanted := map[string]bool{}
	for _, w := range m.want {
		for _, e := range w.Effects {
			_, unit, _ := strings.Cut(e, ":")
			wanted[unit] = true
		}
	}
	verbs := map[string]string{} // by unit
	for _, c := range m.live() {
		if unit := unitOf(c.Path); unit != "" && c.Kind == Removed {
			verbs[unit] = "stop"
		}
		for _, e := range c.Effects {
			verb, unit, _ := strings.Cut(e, ":")
			ours := slices.Contains(daemons, unit)
			switch {
			case verb == "deploy", unitApp(unit, m.apps()) != "", verbs[unit] == "stop":
			case c.Kind == Removed && !(ours && wanted[unit]):
			case c.Kind == ModeOnly && ours: // it reads the same bytes
			case ours && !known[unit]:
				verbs[unit] = "start"
			case verbs[unit] != "restart":
				verbs[unit] = verb
			}
		}
	}
	// Every host has the agent's script; where the agent runs, it runs that one.
	// As agent_up of processes.sh.
	agent := unitOf(agentUnit)
	_, there := m.seen.Files[agentUnit]
	if there && verbs[agent] == "" && slices.ContainsFunc(m.live(), func(c Change) bool { return c.Path == agentScript && (c.Kind == Changed || c.Kind == Added) }) {
		verbs[agent] = "restart"
	}
	down, stopped := m.dead()
	for _, d := range down {
		verbs[d.Unit] = "start"
	}
	for _, d := range stopped {
		delete(verbs, d.Unit)
	}
	list := []string{}
	for unit, verb := range verbs {
		list = append(list, verb+":"+unit)
	}
	sort.Slice(list, func(i, j int) bool {
		a, b := strings.HasPrefix(list[i], "stop:"), strings.HasPrefix(list[j], "stop:")
		if a != b {
			return a
		}
		return list[i] < list[j]
	})
	return list
}

// left lists the daemons whose last file goes: nobody stops them, or reloads
// what stood there before plonec.
func (m *member) left() []string {
	var list []string
	for _, unit := range daemons {
		names := func(effects []string) bool {
			return slices.ContainsFunc(effects, func(e string) bool { return strings.HasSuffix(e, ":"+unit) })
		}
		goes := slices.ContainsFunc(m.live(), func(c Change) bool { return c.Kind == Removed && unitOf(c.Path) != unit && names(c.Effects) })
		if goes && !slices.ContainsFunc(m.want, func(w wanted) bool { return names(w.Effects) }) {
			list = append(list, unit)
		}
	}
	return list
}

// unitOf is the unit that a file is, which is stopped where the file goes.
func unitOf(path string) string {
	name, ok := strings.CutPrefix(path, "/etc/systemd/system/")
	if ok && !strings.Contains(name, "/") {
		for _, kind := range []string{".service", ".timer", ".socket", ".mount", ".automount"} {
			if strings.HasSuffix(name, kind) {
				return name
			}
		}
	}
	return ""
}

// foretell says what is left to do for the host's apps when it has the tree's
// files. state is what its status says of it as it is. The same rules are in
// templates/host: verbs/deploy (due), and stale in processes.sh.
func (m *member) foretell(state map[string]string) []AppPlan {
	plans := []AppPlan{}
	for _, app := range m.apps() {
		a := AppPlan{App: app}
		environment := false
		restart := map[string]bool{}
		changed := map[string]bool{}
		for _, c := range m.changes {
			if c.Waits != app {
				continue
			}
			a.Files++
			changed[c.Path] = true
			if c.Path == agentUnit {
				a.Agent = map[ChangeKind]string{Added: "start", Removed: "stop"}[c.Kind]
				a.Agent = cmp.Or(a.Agent, "restart")
				continue
			}
			if unit := unitOf(c.Path); unit != "" && c.Kind == Removed {
				a.Stop = append(a.Stop, unit)
				continue
			}
			environment = environment || c.Path == "/etc/plonec/"+app+"/app.env"
			for _, e := range c.Effects {
				if verb, unit, _ := strings.Cut(e, ":"); verb == "restart" {
					restart[unit] = true
				}
			}
		}
		a.Build = m.whyBuild(app, state, changed)
		a.Source = m.otherSource(app)
		if a.Moves = m.moves(app, state); a.Moves != "" && a.Build == "" {
			a.Build = "its database moves"
		}
		zeo := m.value(app, "app.conf", "ZEO_UNIT")
		for _, unit := range m.values(app, "app.conf", "UNITS_OF_APP") {
			key := app + ".unit." + unit
			switch {
			case state[key+".state"] != "active":
				a.Start = append(a.Start, unit)
			case restart[unit] || state[key+".pending"] != "" || unit != zeo && (environment || a.Build != ""):
				a.Restart = append(a.Restart, unit)
			case a.Build != "":
				a.Maybe = append(a.Maybe, unit)
			}
		}
		if state[app+".release"] == "" || state[app+".release"] == "none" {
			a.NewDatabase = m.value(app, "app.conf", "FILESTORAGE_DIR")
		}
		a.Unfinished = state[app+".unfinished-switch"] != ""
		a.Stopped = state[app+".stopped"] != ""
		a.HalfGone = state[app+".unfinished-undeploy"] != ""
		if a.Files > 0 || a.Build != "" || len(a.Restart)+len(a.Start)+len(a.Stop) > 0 || a.Unfinished {
			plans = append(plans, a)
		}
	}
	return plans
}

// otherSource is the revision that the app is deployed from, where the tree says
// another one, or another repository, than what is there.
func (m *member) otherSource(app string) string {
	file := "/etc/plonec/" + app + "/build.conf"
	before, there := m.seen.Texts[file]
	if !there || bytes.Equal(linesWith(before, "SCM_"), linesWith(m.text(file), "SCM_")) {
		return ""
	}
	return cmp.Or(m.value(app, "build.conf", "SCM_REVISION"), "HEAD")
}

// whyBuild says why a deploy of the same commit would make a new release.
func (m *member) whyBuild(app string, state map[string]string, changed map[string]bool) string {
	release, mark, config := state[app+".release"], state[app+".state"], state[app+".config"]
	dir := "/etc/plonec/" + app
	secret := slices.ContainsFunc(m.values(app, "build.conf", "SECRET_CONFIGS"), func(name string) bool { return changed[dir+"/"+name] })
	files := ""
	switch {
	case changed[dir+"/deploy.cfg"]:
		files = "deploy.cfg changed"
	case changed[dir+"/build.conf"]:
		files = "what the buildout is run with changed"
	case secret:
		files = "a secret part of deploy.cfg changed"
	}
	switch {
	case release == "" || release == "none":
		return "there is no release yet"
	case mark != "good" && mark != "built":
		return "the current release is marked " + mark
	case config == "": // scripts that do not tell
		return files
	case config == m.configSum(app) && secret:
		return "a secret part of deploy.cfg changed"
	case config == m.configSum(app) && state[app+".other-secrets"] != "":
		return "the current release was built with other secret parts of deploy.cfg"
	case config == m.configSum(app):
		return ""
	case files == "":
		return "the current release was built with another deploy.cfg"
	}
	return files
}

// configSum is the first of the sums that config_sum of release.sh gives.
func (m *member) configSum(app string) string {
	text := slices.Clone(m.text("/etc/plonec/" + app + "/deploy.cfg"))
	return sum(append(text, linesWith(m.text("/etc/plonec/"+app+"/build.conf"), "BUILD_")...))
}

// linesWith are the lines that begin with one of the words.
func linesWith(text []byte, words ...string) []byte {
	var out []byte
	for line := range bytes.Lines(text) {
		if slices.ContainsFunc(words, func(w string) bool { return bytes.HasPrefix(line, []byte(w)) }) {
			out = append(out, line...)
		}
	}
	return out
}

// moves says from where to where a release with the tree's files moves the
// database; empty where it stays. As storage of release.sh, but that a DSN, a
// secret, does not show by its sum.
func (m *member) moves(app string, state map[string]string) string {
	before, after := state[app+".storage"], m.value(app, "build.conf", "STORAGE")
	if before == "" {
		if state[app+".storage-moves"] != "" { // scripts that do not tell
			return "to " + after
		}
		return ""
	}
	from, _, hadDSN := strings.Cut(before, " (")
	if !strings.Contains(after, "DSN") || !hadDSN {
		if from != after {
			return from + " → " + after
		}
		return ""
	}
	switch {
	case from != after:
		return from + " → " + after
	case !m.anotherDSN(app, state[app+".storage-moves"] != ""):
		return ""
	}
	return after + ", to another one"
}

// anotherDSN tells whether an app's next release gets another DSN than the current
// one has. The host says so of the files that wait there, or are in place; where
// the value is known here, it is compared with these.
func (m *member) anotherDSN(app string, byHost bool) bool {
	path := "/etc/plonec/" + app + "/secrets.env"
	text := m.text(path)
	if text == nil {
		return byHost
	}
	want := m.fleet.hide(sum(linesWith(text, "PLONEC_DSN=")))
	live, next := m.seen.DSNs[path], m.seen.DSNs[pendingPath(app, path)]
	switch want {
	case cmp.Or(next, live):
		return byHost
	case live:
		return false // the tree takes back what waits
	}
	return true
}

// values are the words that a file of an app assigns to a variable.
func (m *member) values(app, file, name string) []string {
	return assigned(m.text("/etc/plonec/"+app+"/"+file), name)
}

func (m *member) value(app, file, name string) string {
	return strings.Join(m.values(app, file, name), " ")
}

// assigned are the words of NAME='…' or NAME=('…' '…') in a text of the
// scripts' data.
func assigned(text []byte, name string) []string {
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), name+"="); ok {
			if strings.HasPrefix(rest, "(") {
				rest = strings.TrimSuffix(rest[1:], ")")
			}
			words, _ := escape.Words(rest)
			return words
		}
	}
	return nil
}

// setupSum is what setup_sum of generation.sh would give.
func (m *member) setupSum() string {
	text := slices.Concat(m.text(scriptDir+"/verbs/setup"), m.text("/etc/plonec/host.env"))
	for _, file := range []string{"app.conf", "build.conf"} {
		var paths []string
		for _, app := range m.apps() {
			paths = append(paths, "/etc/plonec/"+app+"/"+file)
		}
		slices.Sort(paths)
		for _, p := range paths {
			text = append(text, linesWith(m.text(p), "APP", "DEPLOY_TO", "FILESTORAGE_DIR", "BLOB_DIR", "BUILD_PYTHON")...)
		}
	}
	return sum(text)
}

// setupDue tells whether an apply would set the host up.
func (m *member) setupDue() bool { return m.setupSum() != m.seen.Setup }

// packages are those that setup makes sure of and that an earlier one did not.
func (m *member) packages() []string {
	list := hostPackages(m.text("/etc/plonec/host.env"))
	if m.seen.Setup != "" {
		before := hostPackages(m.seen.Texts["/etc/plonec/host.env"])
		list = slices.DeleteFunc(list, func(p string) bool { return slices.Contains(before, p) })
	}
	return list
}

func hostPackages(env []byte) []string {
	return strings.Fields(strings.Join(assigned(env, "PACKAGES"), " "))
}

// outage lists what of plans people would notice.
func (f *Fleet) outage(plans []HostPlan) []string {
	list := []string{}
	add := func(format string, words ...any) {
		if text := fmt.Sprintf(format, words...); !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	for _, h := range plans {
		for _, e := range h.Apply {
			verb, unit, _ := strings.Cut(e, ":")
			if unit = strings.TrimSuffix(unit, ".service"); unit != "plonec-agent" && (verb == "stop" || verb == "restart") {
				add("%s: apply %ss %s", h.Host, verb, unit)
			}
		}
		for _, a := range h.Deploy {
			if a.Moves != "" {
				add("the database of %s moves, %s: in a quiet hour stop the app, bring the data to its new place, then deploy --allow-outage", a.App, a.Moves)
				continue
			}
			for _, unit := range a.Restart {
				if strings.HasSuffix(unit, "-zeo.service") {
					add("%s: the ZEO server of %s restarts; its clients wait for it", h.Host, a.App)
				} else if f.clientsOf(a.App) == 1 && strings.HasPrefix(unit, "plone-"+a.App+"-client") {
					add("%s: %s has one client, which restarts", h.Host, a.App)
				}
			}
			for range a.Maybe {
				add("%s: the ZEO server of %s restarts if its own packages or configuration are others", h.Host, a.App)
			}
		}
	}
	return list
}

// clientsOf counts the clients of an app on all hosts that are online, chosen
// or not.
func (f *Fleet) clientsOf(app string) int {
	online := map[string]bool{}
	for _, h := range f.disk.Manifest.Hosts {
		online[h.Name] = h.Status == "online"
	}
	n := 0
	for _, file := range f.disk.Manifest.Files {
		if online[file.Host] && strings.HasPrefix(file.Path, "/etc/systemd/system/plone-"+app+"-client") && strings.HasSuffix(file.Path, ".service") {
			n++
		}
	}
	return n
}
