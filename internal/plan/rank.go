package plan

import (
	"sort"
	"strings"
)

// Ranks is how many ranks there are.
const Ranks = 3

// Rank is where a host stands in the order of things: what others need comes
// first. Storage, clients, front ends.
func (m *Host) Rank() int {
	rank := 1
	for _, w := range m.Want {
		switch {
		case w.Path == HAProxy:
			return 2
		case strings.HasSuffix(w.Path, "-zeo.service"):
			rank = 0
		}
	}
	return rank
}

// Apps gives every app of hosts, in the order in which they are deployed: databases
// first.
func Apps(hosts []*Host) []string {
	first := map[string]int{}
	for _, m := range hosts {
		for _, app := range m.Apps() {
			if r, ok := first[app]; !ok || m.Rank() < r {
				first[app] = m.Rank()
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
