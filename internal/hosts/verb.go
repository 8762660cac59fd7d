package hosts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/remote"
)

// verb runs a verb of the host's scripts as a job.
func (m *member) verb(ctx context.Context, step string, limit time.Duration, argv []string, stop bool) error {
	clients, done := m.Clients(), 0
	last := ""
	m.did, m.restarts = "", 0
	answers := &remote.Answers{}
	line := func(line string) {
		last = m.fleet.Redact(line)
		m.output(step)(line)
	}
	status, err := m.job(ctx, limit, argv, stop, answers, line, func(word string) {
		what, text, _ := strings.Cut(word, " ")
		switch what {
		case "gate":
			number, question, _ := strings.Cut(text, " ")
			when, unit, _ := strings.Cut(question, " ")
			if when == "after" {
				done++
			}
			m.fleet.sink(Event{Time: time.Now(), Host: m.Name, Kind: Progress, Step: step, Text: unit, Done: done, Total: len(clients)})
			go func() { answers.Give(number + " " + m.fleet.gate(when, m.Server(unit))) }()
		case "restarting":
			m.restarts++
			m.serverRestarted(text)
		case "did":
			m.did = m.fleet.Redact(text)
		}
	})
	switch {
	case err != nil:
		if errors.Is(err, remote.ErrUnknown) {
			m.outcome = Unknown
		}
		return err
	case status == 4:
		m.outcome = Reverted
		return diag.WithRemedy("the host reverted it and runs what it ran before", "see the error above; on the host: journalctl -u UNIT")
	case status == 6:
		m.outcome = Unknown
		return diag.WithRemedy("it failed there, and reverting it failed too", "on the host: host status")
	case status == 3:
		return &remote.LockedError{Host: m.Name, Who: "another verb runs on the host"}
	case status != 0:
		// The remedy is in the last lines of its output, which are shown.
		return diag.WithRemedy(cmp.Or(m.did, strings.TrimSpace(last), "it failed there"), "")
	}
	return nil
}

// oneByOne runs a verb on one host after the other, and stops at the first
// where it fails: what had worked goes on serving. After is called behind each.
func (f *Fleet) oneByOne(ctx context.Context, members []*member, app, step string, argv func(*member) []string, after func(done int) error) error {
	for i, m := range members {
		done, rest := i, members[i:]
		err := context.Cause(ctx)
		if err == nil {
			rest = members[i+1:] // this one says itself how it is
			err = m.step(ctx, step, func(ctx context.Context) error {
				return m.verb(context.WithoutCancel(ctx), step, rollTime, argv(m), false)
			})
			if err == nil {
				m.outcome = Done
				m.note(Result, m.ran(app), "")
				done++
				if err = after(done); err == nil {
					continue
				}
			}
		}
		f.asBefore(ctx, rest, app)
		if done > 0 {
			err = fmt.Errorf("%w: %s of %s is done on %s and not on %s; fix it and run it again, or plonec rollback %s: %w", ErrSplit, step, app,
				hostNames(members[:done]), hostNames(members[done:]), app, err)
		}
		return err
	}
	return nil
}

// ran says in a few words what the last verb came to.
func (m *member) ran(app string) string {
	text := cmp.Or(m.did, app+" runs")
	switch m.restarts {
	case 0:
		return text + "; nothing had to restart"
	case 1:
		return text + "; 1 process restarted"
	}
	return fmt.Sprintf("%s; %d processes restarted", text, m.restarts)
}

// nothing is what there is to do between two hosts that restart.
func nothing(int) error { return nil }

func hostNames(members []*member) string {
	var names []string
	for _, m := range members {
		names = append(names, m.Name)
	}
	return strings.Join(names, ", ")
}
