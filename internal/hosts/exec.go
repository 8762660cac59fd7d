package hosts

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/remote"
	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/tree"
)

// HostFor is where a command of an app's runs if nobody says where: the first of its
// hosts by name that is online and has clients of it, else the first that has another
// process of it, of its frontend last.
func HostFor(m *tree.Manifest, app string) (string, error) {
	var with, without, shows []string
	for _, h := range m.Hosts {
		has := func(is func(*service.Service) bool) bool {
			return slices.ContainsFunc(h.Services, func(s tree.Service) bool {
				kind := service.Named(s.Kind)
				return s.App == app && kind != nil && is(kind)
			})
		}
		switch {
		case h.Status != "online":
		case has(func(s *service.Service) bool { return s.Balanced && !s.Frontend }):
			with = append(with, h.Name)
		case has(func(s *service.Service) bool { return !s.Frontend }):
			without = append(without, h.Name)
		case has(func(*service.Service) bool { return true }):
			shows = append(shows, h.Name)
		}
	}
	slices.Sort(with)
	slices.Sort(without)
	slices.Sort(shows)
	list := slices.Concat(with, without, shows)
	if len(list) == 0 {
		return "", diag.WithRemedy("no host that is online has a process of "+app, "plonec status shows what runs where")
	}
	return list[0], nil
}

// Exec runs a command in the release of an app on the one chosen host, and returns
// its exit status. Where ctx ends before it does, it is stopped.
func (f *Fleet) Exec(ctx context.Context, app string, command []string, s remote.Streams) (int, error) {
	m := f.chosen()[0]
	if m.failed != nil {
		return 0, m.failed
	}
	if m.Seen.Generation == "" {
		return 0, &HostError{m.Name, "exec", diag.WithRemedy("nothing was applied there yet", "plonec apply")}
	}
	id := remote.NewID()
	argv := append([]string{plan.ScriptDir + "/host", "exec", "--id", id, app}, command...)
	status, err := m.conn.Attach(ctx, argv, s)
	switch {
	case ctx.Err() != nil:
		quick, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*remote.QuickTimeout)
		defer cancel()
		m.conn.Run(quick, remote.Command{Argv: []string{"systemctl", "stop", "plonec-exec-" + id + ".service"}})
		return 0, err
	case err != nil && remote.IsLost(err):
		text, do := diag.Remedy(err)
		return 0, &HostError{m.Name, "exec", diag.WithRemedy(text, strings.TrimPrefix(do+"; it may still run there: systemctl stop plonec-exec-"+id, "; "))}
	case err != nil:
		return 0, &HostError{m.Name, "exec", err}
	}
	return status, nil
}

// A LogLine is a line of the journal of an app's process.
type LogLine struct {
	Time int64  // microseconds since 1970, by the host's clock
	Host string // its name
	Unit string
	Text string // without the secrets of that host
}

// LogOptions say which lines are wanted.
type LogOptions struct {
	Follow bool   // go on until ctx ends
	Lines  int    // the last ones: of all hosts together, with Follow of each; 0: all
	Since  string // as journalctl takes it, in UTC; empty: from the beginning
}

// Logs shows the journals of an app's processes on the chosen hosts, in the order of
// time. A host that could not be asked is told of, and the others are shown.
func (f *Fleet) Logs(ctx context.Context, app string, o LogOptions, show func(LogLine)) error {
	members := slices.DeleteFunc(f.with(app), func(m *member) bool { return m.failed != nil })
	argv := []string{plan.ScriptDir + "/host", "logs", "--porcelain"}
	if o.Follow {
		argv = append(argv, "--follow")
	}
	if o.Lines > 0 {
		argv = append(argv, "--lines", fmt.Sprint(o.Lines))
	}
	if o.Since != "" {
		argv = append(argv, "--since", o.Since)
	}
	merge := newMerge(show, o.Follow)
	err := each(members, len(members), func(m *member) error {
		if m.Seen.Generation == "" {
			return nil // it has no processes
		}
		err := m.conn.Run(ctx, remote.Command{Argv: append(slices.Clone(argv), app), Stdin: untilDone(ctx), Line: func(line string) {
			if l, ok := logLine(m.Name, line); ok {
				merge.add(l)
			}
		}})
		if err == nil || ctx.Err() != nil {
			return nil // whoever asked has enough
		}
		return m.wrong("logs", err)
	})
	merge.end(o.Lines)
	return cmp.Or(err, context.Cause(ctx))
}
