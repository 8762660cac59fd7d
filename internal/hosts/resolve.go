package hosts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/remote"
)

// A resolved is what a host says of the releases that a deploy could take.
type resolved struct {
	commit  string   // that the app's revision leads to, or that was asked for
	word    string   // whose word that is, where it is that of the app's user on that host
	current string   // release; empty: none
	fit     []string // of that commit and configuration: running, or built after the current one
	bad     []string // of the same, but taken or rolled back
	failed  []string // of the same, but it could not be built
	taken   []string // names of other releases, the last one's whoever made it

	sources []string // NAME=COMMIT, where these were asked for

	revision string // of the app there, where the repository alone was asked; empty: the repository's own branch
}

// namedCommit is a source of another repository, at a commit.
var namedCommit = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*=([0-9a-f]{40}|[0-9a-f]{64})$`)

var fullCommit = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// IsCommit tells whether a name is a commit's in full: 40 hexadecimal digits,
// or 64. Part of one may be another commit on another host.
func IsCommit(name string) bool { return fullCommit.MatchString(name) }

// resolve asks a host, with options of "host resolve".
func (m *member) resolve(ctx context.Context, app string, options ...string) (resolved, error) {
	var r resolved
	argv := append([]string{plan.ScriptDir + "/host", "resolve"}, options...)
	limit := stageTimeout
	if slices.Contains(options, "--sources") { // mx.ini is in the repository
		limit = fetchTime
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := m.conn.Run(ctx, remote.Command{Argv: append(argv, app), Line: func(line string) {
		what, name, _ := strings.Cut(line, " ")
		switch {
		case what == "commit" && IsCommit(name):
			r.commit = name
		case what == "word":
			r.word = strings.TrimPrefix(name, "of ")
		case what == "source" && namedCommit.MatchString(name):
			r.sources = append(r.sources, name)
		case what == "revision":
			r.revision = name
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
	var exit *remote.ExitError
	switch {
	case errors.As(err, &exit) && exit.Status == 3:
		err = &remote.LockedError{Host: m.Name, Who: "another verb runs on the host"}
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
		return "", diag.WithRemedy("no name of a release comes after "+last+", which is on a host", "plonec status names it; rename that directory")
	}
	return next, nil
}

// oneCommit is the commit that all hosts of an app build, with what each says of
// its releases. The first host asks the git server, as root; where it can only
// tell what the app's user says, every host is asked, and all have to say the
// same: none decides what others run.
func oneCommit(ctx context.Context, members []*member, app, asked string) (string, []resolved, error) {
	found := make([]resolved, len(members))
	ask := func(i int, commit string) (err error) {
		var options []string
		if commit != "" { // it need not look for one
			options = []string{"--commit", commit}
		}
		found[i], err = members[i].resolve(ctx, app, options...)
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
			return "", nil, diag.WithRemedy(fmt.Sprintf("the user %s says %.12s on %s, and %.12s on %s", first.word, first.commit, members[0].Name, r.commit, members[i].Name),
				fmt.Sprintf("give the commit with --commit, or set deploy.%s.scm to a repository that plonec has a key for", app))
		}
	}
	return first.commit, found, nil
}

// oneOfSources asks one host where the sources of other repositories lead that a project
// names: one that has the release says what that was made of, else the first what it would
// be made of now. All hosts are told, as options of "host deploy"; each takes a commit from
// the repository that its own copy of the project names, and from no other.
func oneOfSources(ctx context.Context, members []*member, found []resolved, app, commit, release string) ([]string, error) {
	asked := max(slices.IndexFunc(found, func(r resolved) bool { return slices.Contains(r.fit, release) }), 0)
	var options []string
	err := members[asked].step(ctx, "resolve", func(ctx context.Context) error {
		r, err := members[asked].resolve(ctx, app, "--sources", release, "--commit", commit)
		for _, name := range r.sources {
			options = append(options, "--source", name)
		}
		return err
	})
	return options, err
}
