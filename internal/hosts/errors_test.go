package hosts

import (
	"context"
	"testing"

	"github.com/plonec/plonec/internal/diag"
)

// An error that a step has told of need not be told again.
func TestTold(t *testing.T) {
	f := two(t)
	err := each(f.fleet.members, 2, func(m *member) error {
		return m.step(context.Background(), "look", func(context.Context) error { return diag.WithRemedy("no", "do") })
	})
	if list := HostErrors(err); !Told(err) || len(list) != 2 || list[1].Host != "app2" || list[1].Error() != "app2: look: no" {
		t.Errorf("%v: %v", err, list)
	}
}
