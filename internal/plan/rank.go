package plan

import (
	"sort"

	"github.com/plonec/plonec/internal/topology"
)

// Apps gives every app of hosts, in the order in which they are deployed: databases
// first.
func Apps(hosts []*Host) []string {
	first := map[string]topology.Rank{}
	for _, m := range hosts {
		for _, app := range m.Apps() {
			if r, ok := first[app]; !ok || m.Rank < r {
				first[app] = m.Rank
			}
		}
	}
	var apps []string
	for app := range first {
		apps = append(apps, app)
	}
	sort.Slice(apps, func(i, j int) bool {
		if first[apps[i]] != first[apps[j]] {
			return first[apps[i]] < first[apps[j]]
		}
		return apps[i] < apps[j]
	})
	return apps
}
