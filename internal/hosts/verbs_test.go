package hosts

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/topology"
)

// A helper recipe runs on the hosts that the manifest names it for.
func TestRunWhereItBelongs(t *testing.T) {
	f := two(t)
	for _, m := range f.fleet.members {
		m.Helpers = map[string][]string{"app2": {"pack"}}[m.Name]
		m.Seen.Generation = "1"
	}
	if err := f.fleet.Run(context.Background(), "pack"); err != nil {
		t.Fatal(err)
	}
	if len(f.jobs) != 1 {
		t.Errorf("%d jobs", len(f.jobs))
	}
	for _, argv := range f.jobs {
		if !strings.HasSuffix(strings.Join(argv, " "), "/host run pack") {
			t.Errorf("%v", argv)
		}
	}
	err := f.fleet.Run(context.Background(), "backup")
	if err == nil || err.Error() != "none of the chosen hosts can run backup" || f.fleet.Hint(err) != "it is for a host that runs a ZEO server" {
		t.Errorf("%v: %s", err, f.fleet.Hint(err))
	}
	if err := f.fleet.Run(context.Background(), "packs"); err == nil || !strings.Contains(err.Error(), "there is no recipe packs: rebuild, develop-up, backup, pack, ") {
		t.Error(err)
	}
}

// Apps are deployed in the order of their hosts' ranks, whatever their names are.
func TestRanksOrderTheApps(t *testing.T) {
	f := served(t)
	for _, test := range []struct {
		db   topology.Rank
		want string
	}{{topology.RankStorage, "database site"}, {topology.RankFronts, "site database"}} {
		for _, m := range f.fleet.members {
			m.Rank = topology.RankClients
			if m.Name == "db1" {
				m.Rank = test.db
			}
		}
		if got := f.fleet.Apps(); strings.Join(got, " ") != test.want {
			t.Errorf("rank %d: %v", test.db, got)
		}
	}
	if !slices.IsSorted(topology.Ranks) {
		t.Error("the ranks are not in their order")
	}
}
