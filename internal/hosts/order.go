package hosts

import (
	"slices"
	"sort"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/topology"
)

// Apps gives every app of the chosen hosts, in the order in which they are
// deployed: databases first.
func (f *Fleet) Apps() []string { return plan.Apps(planned(f.chosen())) }

// planned are hosts as plans see them.
func planned(members []*member) []*plan.Host {
	list := make([]*plan.Host, len(members))
	for i, m := range members {
		list[i] = m.Host
	}
	return list
}

// named makes sure that every app is one of the chosen hosts', and puts them in
// order; all of them where none is named.
func (f *Fleet) named(apps []string) ([]string, error) {
	all := f.Apps()
	if err := among(all, apps); err != nil {
		return nil, err
	}
	if len(apps) == 0 {
		return all, nil
	}
	return slices.DeleteFunc(all, func(app string) bool { return !slices.Contains(apps, app) }), nil
}

// with lists the chosen hosts that have an app, what others need first.
func (f *Fleet) with(app string) []*member {
	list := slices.DeleteFunc(f.chosen(), func(m *member) bool { return !slices.Contains(m.Apps(), app) })
	sort.SliceStable(list, func(i, j int) bool { return list[i].Rank < list[j].Rank })
	return list
}

// byRank sorts hosts into those that are changed at once, what others need first:
// storage, clients, front ends.
func byRank(members []*member, rank func(*member) topology.Rank) [][]*member {
	ranks := make([][]*member, len(topology.Ranks))
	for _, m := range members {
		ranks[rank(m)] = append(ranks[rank(m)], m)
	}
	return ranks
}
