package hosts

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A resolved is what a host says of the releases that a deploy could take.
type resolved struct {
	commit  string   // that the app's revision leads to, or that was asked for
	word    string   // whose word that is, where it is that of the app's user on that host
	current string   // release; empty: none
	fit     []string // of that commit and configuration: running, or built and newer than current
	bad     []string // of the same, but taken or rolled back
	failed  []string // of the same, but its buildout failed
	taken   []string // names of other releases
}

var fullCommit = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// IsCommit tells whether a name is a commit's in full: 40 hexadecimal digits,
// or 64. Part of one may be another commit on another host.
func IsCommit(name string) bool { return fullCommit.MatchString(name) }

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
		switch {
		case what == "commit" && IsCommit(name):
			r.commit = name
		case what == "word":
			r.word = strings.TrimPrefix(name, "of ")
		case !releaseName.MatchString(name):
			// It is none, and neither passed on to other hosts nor shown.
		case what == "current":
			r.current = name
		case what == "fit":
			r.fit = append(r.fit, name)
		case what == "bad":
			r.bad = append(r.bad, name)
		case what == "failed":
			r.failed = append(r.failed, name)
		case what == "taken":
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

// oneCommit is the commit that all hosts of an app build, with what each says of
// its releases. The first host asks the git server, as root; where it can only
// tell what the app's user says, every host is asked, and all have to say the
// same: none decides what others run.
func oneCommit(ctx context.Context, members []*member, app, asked string) (string, []resolved, error) {
	found := make([]resolved, len(members))
	ask := func(i int, commit string) (err error) {
		found[i], err = members[i].resolve(ctx, app, commit)
		return err
	}
	if err := ask(0, asked); err != nil {
		return "", nil, err
	}
	first := found[0]
	commit := first.commit
	if first.word != "" {
		commit = ""
	}
	err := each(members[1:], len(members), func(m *member) error { return ask(slices.Index(members, m), commit) })
	if err != nil {
		return "", nil, err
	}
	for i, r := range found {
		if r.commit != first.commit {
			return "", nil, &hinted{fmt.Sprintf("the user %s says %.12s on %s, and %.12s on %s", first.word, first.commit, members[0].Name, r.commit, members[i].Name),
				fmt.Sprintf("give the commit with --commit, or set deploy.%s.scm to a repository that plonec has a key for", app)}
		}
	}
	return first.commit, found, nil
}
