package hosts

import (
	"context"
	"fmt"
	"time"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/remote"
	"github.com/plonec/plonec/internal/topology"
)

// Due lists the hosts on which apply has something to do.
func (f *Fleet) Due() []string {
	var names []string
	for _, m := range f.members {
		if m.Due() {
			names = append(names, m.Name)
		}
	}
	return names
}

// Apply makes every host as the tree has it, but for what waits for a deploy.
// Look came before. All hosts are staged and checked before the first one is
// changed; a host on which the change does not take effect, or that cannot be
// reached any more when it is to be confirmed, goes back to what it was, and
// those after it are not touched.
func (f *Fleet) Apply(ctx context.Context) error {
	if err := f.allowed(); err != nil {
		return err
	}
	var work []*member
	for _, m := range f.members {
		if m.Due() {
			work = append(work, m)
		} else {
			m.outcome = Done
			f.sink(Event{Time: time.Now(), Host: m.Name, Kind: Result, Text: "nothing to apply" + m.Waiting()})
		}
	}
	if len(work) == 0 {
		return nil
	}
	session := remote.NewID()
	if err := f.lockAll(ctx, work, session); err != nil {
		return err
	}
	err := each(work, f.options.Parallel, func(m *member) error {
		m.applied = true
		return m.stage(ctx, session)
	})
	if err != nil {
		f.unchanged(work, "not touched")
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	// From here on a host that is at work is not left in the middle.
	steady := context.WithoutCancel(ctx)
	for _, now := range byRank(work, func(m *member) topology.Rank { return m.Turn() }) {
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			f.unchanged(now, "not touched")
			continue
		}
		err = each(now, f.options.Parallel, func(m *member) error { return m.activate(steady, session, false) })
	}
	for _, m := range work {
		m.lock.Release()
		m.lock = nil
	}
	return err
}

// unchanged tells of hosts that are as they were.
func (f *Fleet) unchanged(members []*member, text string) {
	for _, m := range members {
		f.sink(Event{Time: time.Now(), Host: m.Name, Kind: Result, Text: text})
	}
}

// lockAll takes the locks of hosts: first that of the first one by name, so
// that of two pushers one gets all of them, then the others at once. A session
// makes room for its files.
func (f *Fleet) lockAll(ctx context.Context, members []*member, session string) error {
	take := func(m *member) error {
		return m.step(ctx, "lock", func(ctx context.Context) error {
			var err error
			m.lock, err = m.conn.Hold(ctx, f.scripts["hold"], f.options.Who, session)
			return err
		})
	}
	same := func(m *member) error {
		before := m.Seen.Digest()
		err := m.look(ctx)
		if err == nil && m.Seen.Digest() != before {
			err = diag.WithRemedy("the host changed after it was checked", "run plonec plan again")
		}
		if err == nil {
			return nil
		}
		err = &HostError{m.Name, "lock", err}
		f.report(err)
		return &told{err}
	}
	err := take(members[0])
	if err == nil {
		err = each(members[1:], len(members), take)
	}
	if err == nil {
		err = each(members, len(members), same)
	}
	if err != nil {
		for _, m := range members {
			m.lock.Release()
			m.lock = nil
		}
	}
	return err
}

// Outcomes counts what became of the hosts.
func (f *Fleet) Outcomes() map[Outcome]int {
	count := map[Outcome]int{}
	for _, m := range f.members {
		count[m.outcome]++
	}
	return count
}
