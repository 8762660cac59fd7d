package git

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Refs gives those of some refs that there are, with the commits that they lead
// to. Names are whole and taken as they are: elsewhere git looks for a name in
// several places, so that a tag called refs/remotes/origin/HEAD stands in for a
// branch that was not fetched.
func (r *Repository) Refs(names ...string) (map[string]string, error) {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !strings.HasPrefix(name, "refs/") || notInRefs.MatchString(name)
	})
	if len(names) == 0 {
		return nil, nil
	}
	out, err := r.Run(nil, append([]string{"for-each-ref", "--format=%(objectname) %(objecttype) %(refname)", "--"}, names...)...)
	if err != nil {
		return nil, err
	}
	commits := map[string]string{}
	for line := range strings.Lines(string(out)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
		if len(f) != 3 || !IsID(f[0]) || !slices.Contains(names, f[2]) { // also what lies below a name is listed
			continue
		}
		if f[1] != "commit" {
			f[0] = r.Ask("rev-parse", "--verify", "--quiet", "--end-of-options", f[0]+"^{commit}")
		}
		if IsID(f[0]) {
			commits[f[2]] = f[0]
		}
	}
	return commits, nil
}

// notInRefs are the characters that git lets into no ref's name; some of them are
// patterns to it.
var notInRefs = regexp.MustCompile(`[\x00-\x20\x7f~^:?*\[\\]`)

// An Ambiguous is the error of a name that leads to several commits.
type Ambiguous struct {
	Refs []string // whole names
}

func (e *Ambiguous) Error() string {
	return fmt.Sprintf("%s are different commits: give the whole name of the one that is meant", strings.Join(e.Refs, " and "))
}

// Named gives the commit of a name: a commit's whole id, a whole name in refs/, or
// one that a branch, a branch of a remote or a tag has. It is empty where nothing
// has that name, and an Ambiguous where several have it that are different commits.
func (r *Repository) Named(name string) (string, error) {
	if IsID(name) {
		if r.Ask("rev-parse", "--verify", "--quiet", "--end-of-options", name) == name {
			return r.Ask("rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}"), nil
		}
	}
	names := []string{name}
	if !strings.HasPrefix(name, "refs/") {
		names = []string{"refs/heads/" + name, "refs/remotes/" + name, "refs/tags/" + name, "refs/remotes/" + name + "/HEAD", "refs/" + name}
	}
	commits, err := r.Refs(names...)
	if err != nil {
		return "", err
	}
	var commit string
	there := &Ambiguous{}
	different := false
	for _, whole := range names {
		if at := commits[whole]; at != "" {
			different = different || commit != "" && at != commit
			commit, there.Refs = at, append(there.Refs, whole)
		}
	}
	if different {
		return "", there
	}
	return commit, nil
}

// ofGit are names that lie in git's own directory, where no branch and no tag is.
var ofGit = regexp.MustCompile(`^([A-Z_]*HEAD|@)$`)

// Revision gives the commit of any expression that git knows. The name with which
// one begins, as main in main~2, is looked up as Named does. It is empty where git
// knows none.
func (r *Repository) Revision(text string) (string, error) {
	name, rest := text, ""
	if i := strings.IndexAny(text, "~^"); i >= 0 {
		name, rest = text[:i], text[i:]
	}
	if !ofGit.MatchString(name) && !strings.ContainsAny(name, ":{") {
		commit, err := r.Named(name)
		if err != nil {
			return "", err
		}
		switch {
		case commit != "":
			text = commit + rest
		case strings.HasPrefix(name, "refs/"):
			return "", nil
		}
	}
	return r.Ask("rev-parse", "--verify", "--quiet", "--end-of-options", text+"^{commit}"), nil
}
