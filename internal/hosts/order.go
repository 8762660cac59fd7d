package hosts

import (
	"cmp"
	"slices"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/service"
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

// with lists the chosen hosts that have an app, what others need first: a frontend asks
// the clients.
func (f *Fleet) with(app string) []*member {
	list := slices.DeleteFunc(f.chosen(), func(m *member) bool { return !slices.Contains(m.Apps(), app) })
	slices.SortStableFunc(list, func(a, b *member) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.halves(app), b.halves(app)))
	})
	return list
}

// Which halves of an app a host runs.
const (
	backendHalf = iota
	bothHalves
	frontendHalf
)

// halves says which ones.
func (m *member) halves(app string) int {
	has := map[bool]bool{}
	for _, s := range m.Services {
		if kind := service.Named(s.Kind); s.App == app && kind != nil {
			has[kind.Frontend] = true
		}
	}
	switch {
	case !has[true]:
		return backendHalf
	case has[false]:
		return bothHalves
	}
	return frontendHalf
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
