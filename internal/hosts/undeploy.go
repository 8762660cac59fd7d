package hosts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/remote"
	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
)

// ErrHalfDone says that a verb is done on some hosts and not on others.
var ErrHalfDone = errors.New("not done on all hosts")

// Start starts apps, what others need first.
func (f *Fleet) Start(ctx context.Context, apps []string) error {
	return f.rollServed(ctx, f.ranked(ctx, apps, "start", false))
}

// Stop stops apps, what others need last. They stay down over a reboot.
func (f *Fleet) Stop(ctx context.Context, apps []string) error {
	return f.ranked(ctx, apps, "stop", true)
}

// Undeploy stops apps and takes plonec's releases of them away; data stays, and so
// does what somebody else put among the releases. Where it is done on some hosts
// and not on others, the error is ErrSplit.
func (f *Fleet) Undeploy(ctx context.Context, apps []string) error {
	return f.ranked(ctx, apps, "undeploy", true)
}

// ranked runs a verb for apps on all of their hosts, rank by rank.
func (f *Fleet) ranked(ctx context.Context, apps []string, verb string, backwards bool) error {
	apps, err := f.named(apps)
	if err == nil {
		err = f.prepare(ctx)
	}
	if err != nil {
		return err
	}
	if backwards {
		slices.Reverse(apps)
	}
	for _, app := range apps {
		members, done := f.with(app), map[*member]bool{}
		ranks := byRank(members, func(m *member) topology.Rank { return m.Rank })
		if backwards {
			slices.Reverse(ranks)
		}
		for _, now := range ranks {
			failed := make([]error, len(now))
			err := each(now, f.options.Parallel, func(m *member) error {
				err := m.one(ctx, verb, verb, app)
				if err == nil && verb == "undeploy" {
					m.note(Result, m.did, "") // it says what stays
				}
				failed[slices.Index(now, m)] = err
				return err
			})
			for i, m := range now {
				done[m] = failed[i] == nil
			}
			if err != nil {
				return halfDone(verb, app, members, done, err)
			}
		}
	}
	return nil
}

// halfDone says where a verb was done before it failed.
func halfDone(verb, app string, members []*member, done map[*member]bool, err error) error {
	not := slices.DeleteFunc(slices.Clone(members), func(m *member) bool { return done[m] })
	if len(not) == len(members) {
		return err
	}
	is := slices.DeleteFunc(slices.Clone(members), func(m *member) bool { return !done[m] })
	text := fmt.Sprintf("%s of %s is half done: done on %s and not on %s; fix it and run it again", verb, app, hostNames(is), hostNames(not))
	if verb == "undeploy" {
		return fmt.Errorf("%w: %s: %w", ErrSplit, text, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrHalfDone, text, err)
}

// HostsOf lists the chosen hosts that have one of these apps; of any app where none
// is named.
func (f *Fleet) HostsOf(apps []string) []string {
	var names []string
	for _, m := range f.chosen() {
		if slices.ContainsFunc(m.Apps(), func(app string) bool { return len(apps) == 0 || slices.Contains(apps, app) }) {
			names = append(names, m.Name)
		}
	}
	return names
}

// Bereft says who loses the database where apps of the chosen hosts are stopped:
// a line for each database that goes while apps of other hosts, or other apps,
// which are not stopped with it, use it. It is so by the tree, whether they run or
// not: no host is asked.
func (f *Fleet) Bereft(apps []string) ([]string, error) {
	apps, err := f.named(apps)
	if err != nil {
		return nil, err
	}
	goes := func(host, app string) bool {
		return slices.Contains(apps, app) && slices.ContainsFunc(f.chosen(), func(m *member) bool { return m.Name == host })
	}
	type use struct{ server, on, app string }
	users := map[use][]string{}
	var uses []use
	for _, h := range f.tree.Disk.Manifest.Hosts {
		if h.Status != "online" {
			continue // one of these is not asked either
		}
		for _, app := range h.Apps {
			if app.ServedBy.Host == "" || goes(h.Name, app.Name) || !goes(app.ServedBy.Host, app.ServedBy.App) {
				continue
			}
			u := use{app.ServedBy.App, app.ServedBy.Host, app.Name}
			if users[u] == nil {
				uses = append(uses, u)
			}
			users[u] = append(users[u], h.Name)
		}
	}
	var lines []string
	for _, u := range uses {
		slices.Sort(users[u])
		lines = append(lines, fmt.Sprintf("%s on %s is the %s of %s on %s, which needs it as its database", u.server, u.on, service.Store().Title, u.app, strings.Join(users[u], ", ")))
	}
	slices.Sort(lines)
	return lines, nil
}

// A Foreign is what lies among an app's releases on a host and is not plonec's.
type Foreign struct {
	Host string
	Name string // as it may be shown: other characters than letters, digits and _.+@~- are "?"
	Size int64  // bytes; -1: not known
	Kept string // why it is not removed; empty: it may be
}

// Foreign lists what is not plonec's among an app's releases, on all of its
// chosen hosts. It changes nothing.
func (f *Fleet) Foreign(ctx context.Context, app string) ([]Foreign, error) {
	if _, err := f.named([]string{app}); err != nil {
		return nil, err
	}
	members := f.with(app)
	lists := make([][]Foreign, len(members))
	err := each(members, f.options.Parallel, func(m *member) error {
		return m.step(ctx, "look", func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, lookTime)
			defer cancel()
			argv := []string{plan.ScriptDir + "/host", "undeploy", "--foreign", "--list", app}
			at := slices.Index(members, m)
			return m.conn.Run(ctx, remote.Command{Argv: argv, Line: func(line string) {
				w := append(strings.SplitN(line, " ", 4), "", "", "")
				entry := Foreign{Host: m.Name, Name: w[2], Size: -1}
				if n, err := strconv.ParseInt(w[1], 10, 64); err == nil {
					entry.Size = n
				}
				switch w[0] {
				case "keep":
					entry.Kept = cmp.Or(w[3], "it is needed")
				case "take":
				default:
					return
				}
				lists[at] = append(lists[at], entry)
			}})
		})
	})
	return slices.Concat(lists...), err
}

// UndeployForeign removes from the releases of an app what plonec did not make, on
// all of its chosen hosts. What something needs stays: each host decides again, one
// by one, and says why.
func (f *Fleet) UndeployForeign(ctx context.Context, app string) error {
	if err := f.prepare(ctx); err != nil {
		return err
	}
	return each(f.with(app), f.options.Parallel, func(m *member) error {
		err := m.one(ctx, "undeploy", "undeploy", "--foreign", "--confirm", app, app)
		if err == nil {
			m.note(Result, m.did, "")
		}
		return err
	})
}
