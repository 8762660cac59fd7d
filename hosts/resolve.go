package hosts

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// A resolved is what a host says of the releases that a deploy could take.
type resolved struct {
	commit  string   // that the app's revision leads to, or that was asked for
	current string   // release; empty: none
	fit     []string // of that commit and configuration: running, or built and newer than current
	bad     []string // of the same, but taken or rolled back
	failed  []string // of the same, but its buildout failed
	taken   []string // names of other releases
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
// some have already, the newest that all can take, so that a deploy which was
// cut short leaves no two names of one thing; else a fresh one.
func commonRelease(hosts []resolved, fresh string) string {
	best := ""
	for _, h := range hosts {
		for _, name := range h.fit {
			if name > best && !slices.ContainsFunc(hosts, func(other resolved) bool {
				return !slices.Contains(slices.Concat(other.fit, other.bad, other.failed), name) &&
					(slices.Contains(other.taken, name) || name < other.current)
			}) {
				best = name
			}
		}
	}
	if best == "" {
		return fresh
	}
	return best
}
