package plan

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/words"
)

// foretell says what is left to do for the host's apps when it has the tree's
// files. state is what its status says of it as it is. The same rules are in
// templates/host: verbs/deploy (due), and stale in processes.sh.
func (m *Host) foretell(state map[string]string) []AppPlan {
	plans := []AppPlan{}
	for _, app := range m.Apps() {
		a := AppPlan{App: app, Builder: m.app(app).Builder}
		environment := false
		restart := map[string]bool{}
		changed := map[string]bool{}
		for _, c := range m.Changes {
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
		for _, s := range m.servicesOf(app) {
			unit, key := s.Unit, app+".unit."+s.Unit
			switch {
			case state[key+".state"] != "active":
				a.Start = append(a.Start, unit)
			case restart[unit] || state[key+".pending"] != "" || !service.Named(s.Kind).Serves && (environment || a.Build != ""):
				a.Restart = append(a.Restart, unit)
			case a.Build != "":
				a.Maybe = append(a.Maybe, unit)
			}
		}
		a.Takes = m.Takes(app, state)
		if state[app+".release"] == "" || state[app+".release"] == "none" {
			a.NewDatabase = m.app(app).DataFS
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
func (m *Host) otherSource(app string) string {
	file := "/etc/plonec/" + app + "/build.conf"
	before, there := m.Seen.Texts[file]
	if !there || bytes.Equal(words.Beginning(before, "SCM_"), words.Beginning(m.text(file), "SCM_")) {
		return ""
	}
	return cmp.Or(m.app(app).Revision, "HEAD")
}

// whyBuild says why a deploy of the same commit would make a new release.
func (m *Host) whyBuild(app string, state map[string]string, changed map[string]bool) string {
	release, mark, config := state[app+".release"], state[app+".state"], state[app+".config"]
	by := m.app(app).MadeBy()
	secret := slices.ContainsFunc(m.Want, func(w Wanted) bool { return w.Secret() && changed[w.Path] && slices.Contains(w.Effects, "deploy:"+app) })
	files := ""
	if i := slices.IndexFunc(by.Inputs, func(in builder.Input) bool { return changed["/etc/plonec/"+app+"/"+in.File] }); i >= 0 {
		files = by.Inputs[i].Words + " changed"
	} else if secret {
		files = "a secret part of " + by.Config() + " changed"
	}
	switch {
	case release == "" || release == "none":
		return "there is no release yet"
	case mark != "good" && mark != "built":
		return "the current release is marked " + mark
	case config == "": // scripts that do not tell
		return files
	case config == m.app(app).Config && secret:
		return "a secret part of " + by.Config() + " changed"
	case config == m.app(app).Config && state[app+".other-secrets"] != "":
		return "the current release was built with other secret parts of " + by.Config()
	case config == m.app(app).Config:
		return ""
	case files == "":
		return "the current release was built with another " + by.Config()
	}
	return files
}
