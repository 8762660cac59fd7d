package plan

import (
	"slices"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/tree"
)

// Takes lists the units that one host alone runs of an app, and that this host is to
// take over: it does not have them yet, or left them to another one since. state is what
// its status says of it.
func (m *Host) Takes(app string, state map[string]string) []string {
	var units []string
	for _, duty := range m.app(app).Duties {
		unit := topology.DutyUnit(app, duty)
		_, has := m.Seen.Live["/etc/systemd/system/"+unit]
		if unit != "" && (!has || state[app+".unit."+unit+".state"] == "") {
			units = append(units, unit)
		}
	}
	return units
}

// Rivals are the hosts of a tree, other than one, that may run what that host alone is to
// run of an app: those that have the app, online or not; none where it is to run nothing
// of that kind.
func Rivals(disk *tree.Disk, host, app string) []tree.Host {
	var rivals []tree.Host
	alone := false
	for _, h := range disk.Manifest.Hosts {
		for _, a := range h.Apps {
			switch {
			case a.Name != app:
			case h.Name != host:
				rivals = append(rivals, h)
			default:
				alone = slices.ContainsFunc(a.Duties, func(d topology.Role) bool { return topology.DutyUnit(app, d) != "" })
			}
		}
	}
	if !alone {
		return nil
	}
	return rivals
}
