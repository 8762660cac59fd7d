package plan

import (
	"slices"
	"strconv"
	"strings"
)

// A Crontab is one that has entries of an app's releases, which recipes wrote. Nothing
// of their text leaves the host.
type Crontab struct {
	App      string   `json:"app"`
	User     string   `json:"user"`
	Entries  int      `json:"entries,omitempty"`  // that the next switch takes out
	Releases []string `json:"releases,omitempty"` // whose they are
	Left     string   `json:"left,omitempty"`     // why none is touched
}

// crontabs are those of which the next switch takes entries out, or cannot. Those of the
// current release go where there will be a new one.
func (m *Host) crontabs(state map[string]string, deploy []AppPlan) []Crontab {
	var list []Crontab
	for _, app := range m.Apps() {
		if user, why, ok := strings.Cut(state[app+".crontab-left"], " "); ok {
			list = append(list, Crontab{App: app, User: user, Left: why})
			continue
		}
		f := strings.Fields(state[app+".crontab"])
		if len(f) == 0 {
			continue
		}
		stays := state[app+".release"]
		if slices.ContainsFunc(deploy, func(a AppPlan) bool { return a.App == app && a.Build != "" }) {
			stays = ""
		}
		c := Crontab{App: app, User: f[0]}
		for _, word := range f[1:] {
			release, number, _ := strings.Cut(word, ":")
			if n, err := strconv.Atoi(number); err == nil && release != stays {
				c.Entries += n
				c.Releases = append(c.Releases, release)
			}
		}
		if c.Entries > 0 {
			list = append(list, c)
		}
	}
	return list
}
