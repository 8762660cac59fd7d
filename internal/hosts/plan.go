package hosts

import (
	"context"
	"errors"
	"slices"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/plan"
)

// Plan foretells, for every chosen host, what Apply and Deploy would do. Look
// came before, of a survey. With diffs it reads the files that change.
func (f *Fleet) Plan(ctx context.Context, diffs bool) (*plan.Plan, error) {
	p := &plan.Plan{
		Format: plan.Format, Tree: f.tree.Disk.Sum, Commit: f.options.Commit, Hosts: make([]plan.HostPlan, len(f.members)),
		Apps: f.Apps(), Absent: []string{}, Refused: []plan.Reason{},
	}
	for _, h := range f.Skipped {
		p.Absent = append(p.Absent, h.Name+" is "+h.Status)
	}
	err := each(f.members, len(f.members), func(m *member) error {
		h := &p.Hosts[slices.Index(f.members, m)]
		if err := m.plan(ctx, h, diffs); err != nil && m.failed == nil {
			m.failed = &HostError{m.Name, "plan", err}
		}
		if m.failed != nil {
			*h = plan.HostPlan{Host: m.Name, Address: m.Address, Error: reason(m.failed), Refused: []plan.Reason{}, Files: []plan.FileChange{}, Apply: []string{}, Deploy: []plan.AppPlan{}}
		}
		return m.failed
	})
	plan.Rolls(f.tree.Disk, p.Hosts)
	p.Always, p.Outage = plan.Always(planned(f.members)), plan.Outage(f.tree.Disk, p.Hosts)
	return p, err
}

// reason takes an error apart.
func reason(err error) *plan.Reason {
	var he *HostError
	if errors.As(err, &he) {
		err = he.Err
	}
	return plan.ReasonOf(err)
}

func (m *member) plan(ctx context.Context, h *plan.HostPlan, diffs bool) error {
	if m.failed != nil {
		return m.failed
	}
	var show []string
	for _, c := range m.Changes {
		if c.Kind == plan.Changed && !c.Secret && !c.Foreign {
			show = append(show, c.Path)
		}
	}
	if err := m.look(ctx, show...); err != nil {
		return err
	}
	var state map[string]string
	var unsure error
	if len(m.Apps()) > 0 {
		state, unsure = m.status(ctx)
	}
	*h = m.Foresee(state, diffs)
	h.Digest, h.Lock, h.Refused = m.Seen.Digest(), m.Seen.Lock, m.refusals()
	if unsure != nil {
		h.Unsure, h.Deploy = reason(unsure), []plan.AppPlan{}
	}
	return nil
}

// refusals are why apply would not begin with a host as it is.
func (m *member) refusals() []plan.Reason {
	list := []plan.Reason{}
	if m.unfit != nil {
		list = append(list, *reason(m.unfit))
	}
	if err := m.Drifted(); err != nil && !m.fleet.options.Force {
		list = append(list, *reason(err))
	}
	if err := m.rewind(); err != nil {
		list = append(list, *reason(err))
	}
	return list
}

// unforeseen says what is not as the plan has it that apply was given.
func (f *Fleet) unforeseen() []error {
	if f.options.Plan == nil {
		return nil
	}
	var errs []error
	for _, s := range f.options.Plan.Unforeseen(planned(f.members)) {
		errs = append(errs, &HostError{s.Host, "plan", diag.WithRemedy(s.Text, "run plonec plan again")})
	}
	return errs
}
