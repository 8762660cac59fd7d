package hosts

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrRefused says that hosts were not touched since something is not as
	// expected.
	ErrRefused = errors.New("no host was touched")
	// ErrNotDeployed says that no host was switched to another release.
	ErrNotDeployed = errors.New("nothing was deployed")
	// ErrSplit says that hosts are left on different releases.
	ErrSplit = errors.New("hosts are left on different releases")
)

// rewind is the error where the host has a commit that the tree's does not come
// after.
func (m *member) rewind() error {
	o := m.fleet.options
	if o.Descends == nil || m.Seen.Commit == "" || m.Seen.Commit == o.Commit {
		return nil
	}
	return o.Descends(m.Seen.Commit)
}

// allowed refuses, before any host is touched, what nobody wants by accident:
// to overwrite what was changed by hand, to go back behind a tree that was
// applied, or what was not foretold.
func (f *Fleet) allowed() error {
	errs := f.unforeseen()
	for _, m := range f.members {
		if err := m.Drifted(); err != nil && !f.options.Force {
			errs = append(errs, &HostError{m.Name, "drift", err})
		}
		if err := m.rewind(); err != nil {
			errs = append(errs, &HostError{m.Name, "rewind", err})
		}
	}
	for _, err := range errs {
		f.report(err)
	}
	if len(errs) > 0 {
		return fmt.Errorf("%w: %w", ErrRefused, errors.Join(errs...))
	}
	return nil
}

// report shows an error of a host that belongs to no step.
func (f *Fleet) report(err error) {
	var he *HostError
	if errors.As(err, &he) {
		e := Event{Time: time.Now(), Host: he.Host, Kind: Failed, Step: he.Step}
		e.Text, e.Hint = f.words(he.Err)
		f.sink(e)
	}
}
