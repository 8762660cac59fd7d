package hosts

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/remote"
)

// status is what "host status --porcelain" says, by key; nothing on a host
// where nothing was applied yet.
func (m *member) status(ctx context.Context) (map[string]string, error) { return m.statusWith(ctx) }

// statusWith is status with variables of the host's script.
func (m *member) statusWith(ctx context.Context, variables ...string) (map[string]string, error) {
	state := map[string]string{}
	if m.Seen.Generation == "" {
		return state, nil
	}
	ctx, cancel := context.WithTimeout(ctx, remote.QuickTimeout)
	defer cancel()
	err := m.conn.Run(ctx, remote.Command{Argv: append(variables, plan.ScriptDir+"/host", "status", "--porcelain"), Line: func(line string) {
		key, value, _ := strings.Cut(line, "=")
		if plan.IsAge(key) {
			age, err := strconv.Atoi(value)
			if err != nil {
				return
			}
			value = time.Now().Add(-time.Duration(age) * time.Second).UTC().Format(time.RFC3339)
		}
		state[key] = value
	}})
	return state, err
}

// Status says how each of the chosen hosts is. Look came before, of a survey.
// The error names those that did not answer; the list has all.
func (f *Fleet) Status(ctx context.Context) ([]plan.HostStatus, error) {
	list := make([]plan.HostStatus, len(f.members))
	err := each(f.members, len(f.members), func(m *member) error {
		var state map[string]string
		if m.failed == nil {
			var err error
			if state, err = m.statusWith(ctx, "/usr/bin/env", "PLONEC_SIZES=10", "PLONEC_CERTIFICATES=1"); err != nil {
				m.failed = &HostError{m.Name, "status", err}
			}
		}
		s := &list[slices.Index(f.members, m)]
		if m.failed != nil {
			*s = plan.HostStatus{Host: m.Name, Front: m.IsFront(), Error: reason(m.failed)}
		} else {
			*s = m.Describe(state, time.Now())
		}
		return m.failed
	})
	plan.Behind(list, f.tree.Disk.Manifest.Hosts)
	return list, err
}
