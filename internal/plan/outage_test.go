package plan

import (
	"slices"
	"testing"

	"github.com/plonec/plonec/internal/tree"
)

// What one host alone runs and another one is to run is said to move.
func TestOutageNamesWhatMoves(t *testing.T) {
	const unit = "plone-site-celerybeat.service"
	disk := &tree.Disk{Manifest: &tree.Manifest{}}
	for _, test := range []struct {
		plans []HostPlan
		want  []string
	}{
		{[]HostPlan{{Host: "app1", Deploy: []AppPlan{{App: "site", Stop: []string{unit}}}}, {Host: "app2", Deploy: []AppPlan{{App: "site", Start: []string{unit}}}}},
			[]string{"plone-site-celerybeat moves from app1 to app2: it stops on the one before it starts on the other"}},
		{[]HostPlan{{Host: "app2", Deploy: []AppPlan{{App: "site", Start: []string{unit}}}}}, nil},
	} {
		if got := Outage(disk, test.plans); !slices.Equal(got, test.want) {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
