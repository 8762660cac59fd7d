package hosts

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/remote"
)

var releaseName = regexp.MustCompile(`^[0-9]{14}$`)

// comparePackages warns of hosts that have other packages installed for an app
// than most of the hosts have: of one commit, without versions that are pinned,
// each may have built what was the newest then.
func (f *Fleet) comparePackages(ctx context.Context, members []*member, app string) {
	states := make([]map[string]string, len(members))
	each(members, len(members), func(m *member) error {
		states[slices.Index(members, m)], _ = m.status(ctx) // one that does not answer is not compared
		return nil
	})
	groups := map[string][]*member{}
	for i, m := range members {
		if packages := states[i][app+".packages"]; packages != "" {
			groups[packages] = append(groups[packages], m)
		}
	}
	if len(groups) < 2 {
		return
	}
	most := ""
	for i := range members { // of two that are as many, the one that comes first
		if packages := states[i][app+".packages"]; packages != "" && len(groups[packages]) > len(groups[most]) {
			most = packages
		}
	}
	there := f.installed(ctx, groups[most][0], app, states[slices.Index(members, groups[most][0])][app+".release"])
	for i, m := range members {
		packages := states[i][app+".packages"]
		if packages == "" || packages == most {
			continue
		}
		text := app + ": installed packages differ from those on " + hostNames(groups[most])
		if different := differences(f.installed(ctx, m, app, states[i][app+".release"]), there); different != "" {
			text += ": " + different
		}
		m.note(Warning, f.Redact(text), "pin the versions in the repository's requirements.txt or constraints.txt; plonec deploy --always "+app+" builds again on all hosts")
	}
}

// installed are the packages of a release as its host recorded them, versions
// by name; nil where it did not.
func (f *Fleet) installed(ctx context.Context, m *member, app, release string) map[string]string {
	if !releaseName.MatchString(release) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, remote.QuickTimeout)
	defer cancel()
	list := map[string]string{}
	err := m.conn.Run(ctx, remote.Command{Argv: []string{"/bin/cat", "--", plan.StateDir + "/" + app + "/releases/" + release + ".packages"}, Line: func(line string) {
		if name, version, ok := strings.Cut(line, "-"); ok { // NAME-VERSION.dist-info, NAME-VERSION-py3.11.egg
			version, _, _ = strings.Cut(strings.TrimSuffix(strings.TrimSuffix(version, ".dist-info"), ".egg"), "-py")
			list[name] = version
		}
	}})
	if err != nil {
		return nil
	}
	return list
}

// differences says how the packages of one host are not those of others, the
// first few of them; nothing where one of the two is not known.
func differences(here, there map[string]string) string {
	if len(here) == 0 || len(there) == 0 {
		return ""
	}
	all := maps.Clone(there)
	maps.Copy(all, here)
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		a, has := here[name]
		b, had := there[name]
		switch {
		case !had:
			parts = append(parts, name+" "+a+", which they do not have")
		case !has:
			parts = append(parts, "no "+name+", they have "+b)
		case a != b:
			parts = append(parts, name+" "+a+", there "+b)
		}
	}
	const shown = 5
	if more := len(parts) - shown; more > 0 {
		parts = append(parts[:shown], fmt.Sprintf("%d more", more))
	}
	return strings.Join(parts, "; ")
}
