package plan

import (
	"slices"
	"strings"
)

// SetupSum is what setup_sum of generation.sh would give.
func (m *Host) SetupSum() string {
	text := slices.Concat(m.text(ScriptDir+"/verbs/setup"), m.text("/etc/plonec/host.env"))
	for _, file := range []string{"app.conf", "build.conf"} {
		var paths []string
		for _, app := range m.Apps() {
			paths = append(paths, "/etc/plonec/"+app+"/"+file)
		}
		slices.Sort(paths)
		for _, p := range paths {
			text = append(text, linesWith(m.text(p), "APP", "DEPLOY_TO", "FILESTORAGE_DIR", "BLOB_DIR", "BUILD_PYTHON")...)
		}
	}
	return sum(text)
}

// SetupDue tells whether an apply would set the host up.
func (m *Host) SetupDue() bool { return m.SetupSum() != m.Seen.Setup }

// packages are those that setup makes sure of and that an earlier one did not.
func (m *Host) packages() []string {
	list := hostPackages(m.text("/etc/plonec/host.env"))
	if m.Seen.Setup != "" {
		before := hostPackages(m.Seen.Texts["/etc/plonec/host.env"])
		list = slices.DeleteFunc(list, func(p string) bool { return slices.Contains(before, p) })
	}
	return list
}

func hostPackages(env []byte) []string {
	return strings.Fields(strings.Join(assigned(env, "PACKAGES"), " "))
}
