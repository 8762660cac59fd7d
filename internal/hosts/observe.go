package hosts

import (
	"context"
	"fmt"
	"strings"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/remote"
)

// observe puts questions to the host over a way to ask it.
func (m *member) observe(ctx context.Context, ask func(context.Context, remote.Command) error, q plan.Questions) (*plan.Observation, error) {
	o := plan.NewObservation()
	whole := false
	err := ask(ctx, remote.Command{Script: m.fleet.scripts["observe"], Stdin: strings.NewReader(m.fleet.tree.Ask(q)), Line: func(line string) {
		whole = o.Read(strings.Split(line, "\t")) || whole
	}})
	if err == nil && !whole {
		err = fmt.Errorf("%s sent only a part of its state", m.Name)
	}
	return o, err
}
