package hosts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/diag"
)

// Unasked says, where some of the chosen front ends could not be looked at, how maintenance
// is turned to what was asked on the others alone; empty: none could be looked at. A front
// end that is only out of plonec's reach goes on serving visitors, so that leaving it out is
// for somebody who knows.
func (f *Fleet) Unasked(want string) string {
	var away, others []*member
	for _, m := range f.chosen() {
		if m.failed != nil {
			away = append(away, m)
		} else {
			others = append(others, m)
		}
	}
	if len(away) == 0 || len(others) == 0 {
		return ""
	}
	names := make([]string, len(others))
	for i, m := range others {
		names[i] = m.Name
	}
	return fmt.Sprintf("nothing was switched. If no visitors reach %s: plonec maintenance %s --host %s; after it is back: plonec maintenance %[2]s", hostNames(away), want, strings.Join(names, ","))
}

// Maintenance shows visitors a page in place of the sites on all chosen front ends, or
// the sites again. Where one of them fails the others are set back: it is a state of all
// or of none.
func (f *Fleet) Maintenance(ctx context.Context, on bool) error {
	chosen := f.chosen()
	for _, m := range chosen {
		if !m.IsFront() {
			return diag.WithRemedy("no visitors come to "+m.Name, "choose front ends, or leave --host out for all")
		}
	}
	if err := f.prepare(ctx); err != nil {
		return err
	}
	want, back := "off", "on"
	if on {
		want, back = back, want
	}
	var turned []*member // those that were otherwise
	for _, m := range chosen {
		state, err := m.status(ctx)
		if err != nil {
			return &HostError{m.Name, "status", err}
		}
		if state["host.maintenance"] != "" != on {
			turned = append(turned, m)
		}
	}
	var failed []*member
	err := each(chosen, f.options.Parallel, func(m *member) error { return m.one(ctx, "maintenance", "maintenance", want) })
	for _, m := range chosen {
		if m.outcome != Done {
			failed = append(failed, m)
		}
	}
	if err == nil {
		return nil
	}
	undone := each(turned, f.options.Parallel, func(m *member) error {
		return m.one(context.WithoutCancel(ctx), "set back", "maintenance", back)
	})
	if undone != nil {
		return fmt.Errorf("maintenance could not be turned %s on %s, nor set back everywhere; plonec status shows where it is on: %w", want, hostNames(failed), errors.Join(err, undone))
	}
	others := slices.DeleteFunc(turned, func(m *member) bool { return slices.Contains(failed, m) })
	if len(others) == 0 {
		return fmt.Errorf("maintenance stays %s: %s failed: %w", back, hostNames(failed), err)
	}
	return fmt.Errorf("maintenance stays %s: %s failed; set back: %s: %w", back, hostNames(failed), hostNames(others), err)
}
