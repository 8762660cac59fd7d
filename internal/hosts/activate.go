package hosts

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/remote"
)

// activate brings the staged files in, or with held what was held back of those
// that are there, and confirms that the host can still be worked with.
func (m *member) activate(ctx context.Context, session string, held bool) error {
	f := m.fleet
	generation := ""
	err := m.step(ctx, "activate", func(ctx context.Context) error {
		script := plan.StateDir + "/stage/" + session + "/root" + plan.ScriptDir + "/transaction"
		argv := []string{"/bin/bash", script, "activate", "--seconds", strconv.Itoa(int(f.options.Confirm.Seconds()))}
		if held {
			argv[1] = plan.StateDir + "/gen/" + m.Seen.Generation + "/root" + plan.ScriptDir + "/transaction"
			argv = append(argv, "--held")
		} else {
			for _, note := range []string{"tree=" + f.tree.Disk.Sum, "commit=" + f.options.Commit, "by=" + f.options.Who} {
				argv = append(argv, "--note", note)
			}
		}
		if f.options.Force {
			argv = append(argv, "--force")
		}
		if !held {
			argv = append(argv, session)
		}
		status, err := m.job(ctx, activateTime, argv, false, nil, m.output("activate"), func(word string) {
			if n, ok := strings.CutPrefix(word, "generation "); ok {
				generation = n
			}
		})
		switch {
		case err != nil:
			return err
		case status == 4:
			m.outcome = Reverted
			return diag.WithRemedy("the change did not take effect and was reverted", "the host is unchanged; see the error above")
		case status == 6:
			m.outcome = Unknown
			return diag.WithRemedy("the change did not take effect, and reverting it failed too", "the host tries again every few seconds; see: host status, journalctl -u plonec-guard")
		case status != 0:
			return diag.WithRemedy("the host did not start the change", "the host is unchanged; see the error above")
		}
		return nil
	})
	if err == nil {
		err = m.step(ctx, "confirm", func(ctx context.Context) error { return m.confirm(ctx, generation, held) })
	}
	if errors.Is(err, remote.ErrUnknown) {
		m.outcome = Unknown
	}
	switch {
	case err == nil:
		m.outcome = Done
		text := "generation " + generation
		if held {
			text += ", with what waited for the clients"
		} else {
			text += m.Waiting()
		}
		m.note(Result, text, "")
	case m.outcome == Reverted:
		m.note(Result, "reverted: the host is as it was before", "")
	case m.outcome == Unknown:
		m.note(Result, "the host's state is not known", "check with: plonec status --host "+m.Name)
	default:
		m.note(Result, "not changed", "")
	}
	return err
}

// confirm tells the host, over a login of its own, that all is well. Where that
// cannot be said in time the host takes the change back by itself, and this
// waits until it has.
func (m *member) confirm(ctx context.Context, generation string, held bool) error {
	script := `[[ -e $1 ]] || { echo "the host has already reverted the change" >&2; exit 4; }; exec /bin/bash "$@"`
	argv := []string{plan.StateDir + "/gen/" + generation + "/root" + plan.ScriptDir + "/transaction", "confirm", generation, m.Seen.Boot}
	until := time.Now().Add(m.fleet.options.Confirm - 5*time.Second)
	var last error
	waits := false
	for {
		try, cancel := context.WithTimeout(ctx, 20*time.Second)
		last = m.conn.RunFresh(try, remote.Command{Script: script, Argv: argv, Line: m.output("confirm")})
		cancel()
		if last == nil {
			return nil
		}
		var exit *remote.ExitError
		if errors.As(last, &exit) || time.Now().After(until) {
			break
		}
		if !waits {
			waits = true
			m.note(Note, "no new login to confirm the change yet ("+last.Error()+"): trying again", "")
		}
		time.Sleep(time.Second)
	}
	m.note(Note, "not confirmed ("+last.Error()+"): waiting for the host to revert the change", "")
	end := time.Now().Add(m.fleet.options.Confirm + remote.ReconnectTime)
	for time.Now().Before(end) {
		if o, err := m.observe(ctx, m.conn.AskAnew, plan.Questions{Sums: []string{plan.Balancing}}); err == nil && o.Unconfirmed == "" {
			if o.Generation == generation && (!held || m.BroughtIn(o)) {
				return nil // the answer was lost, not the question
			}
			m.outcome = Reverted
			return diag.WithRemedy("the change was not confirmed in time and was reverted: "+last.Error(), "check what blocks logins: the change or the network")
		}
		time.Sleep(2 * time.Second)
	}
	return fmt.Errorf("%w: %w", remote.ErrUnknown, last)
}
