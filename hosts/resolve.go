package hosts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A resolved is what a host says of the releases that a deploy could take.
type resolved struct {
	commit  string   // that the app's revision leads to, or that was asked for
	current string   // release; empty: none
	fit     []string // of that commit and configuration: running, or built after the current one
	bad     []string // of the same, but taken or rolled back
	failed  []string // of the same, but its buildout failed
	taken   []string // names of other releases, the last one's whoever made it
}

// resolve asks a host; with a commit it need not look for one.
func (m *member) resolve(ctx context.Context, app, commit string) (resolved, error) {
	var r resolved
	argv := []string{scriptDir + "/host", "resolve"}
	if commit != "" {
		argv = append(argv, "--commit", commit)
	}
	ctx, cancel := context.WithTimeout(ctx, stageTimeout)
	defer cancel()
	err := m.conn.run(ctx, command{argv: append(argv, app), line: func(line string) {
		what, name, _ := strings.Cut(line, " ")
		switch what {
		case "commit":
			r.commit = name
		case "current":
			r.current = name
		case "fit":
			r.fit = append(r.fit, name)
		case "bad":
			r.bad = append(r.bad, name)
		case "failed":
			r.failed = append(r.failed, name)
		case "taken":
			r.taken = append(r.taken, name)
		}
	}})
	var exit *exitError
	switch {
	case errors.As(err, &exit) && exit.status == 3:
		err = &lockedError{m.Name, "another verb runs on the host"}
	case err == nil && r.commit == "":
		err = errors.New("it gave no commit")
	}
	return r, err
}

// commonRelease is the name that a release has on all hosts: of those that
// some have already, the last that all can take, so that a deploy which was
// cut short leaves no two names of one thing; else a fresh one.
func commonRelease(hosts []resolved, fresh string) string {
	best := ""
	for _, h := range hosts {
		for _, name := range h.fit {
			if name > best && !slices.ContainsFunc(hosts, func(other resolved) bool {
				return !slices.Contains(slices.Concat(other.fit, other.bad, other.failed), name) && name <= other.last()
			}) {
				best = name
			}
		}
	}
	return cmp.Or(best, fresh)
}

// last is the last name of a release there, whoever made it: a new one is called
// by a later one.
func (r *resolved) last() string {
	return slices.Max(append(slices.Concat(r.fit, r.bad, r.failed, r.taken), r.current))
}

// freshRelease is a name that comes after all that the hosts have: the time, unless
// some clock was ahead.
func freshRelease(hosts []resolved, now string) (string, error) {
	last := ""
	for _, h := range hosts {
		last = max(last, h.last())
	}
	if now > last {
		return now, nil
	}
	n, err := strconv.ParseInt(last, 10, 64)
	next := fmt.Sprintf("%0*d", len(now), n+1)
	if err != nil || len(next) != len(now) {
		return "", &hinted{"no name of a release comes after " + last + ", which is on a host", "plonec status names it; rename that directory"}
	}
	return next, nil
}
