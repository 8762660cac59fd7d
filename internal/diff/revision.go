package diff

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/git"
	"github.com/plonec/plonec/internal/tree"
)

// A revision is what the git repository around the working directory holds at a
// commit.
type revision struct {
	*git.Repository
	commit string
	blobs  map[string]string // by path from the top
}

// openRevision opens the commit at which the work here left a revision: their
// merge base, or the revision itself where they have none.
func openRevision(rev string) (r *revision, label string, err error) {
	repo, err := git.Around(".")
	if err != nil {
		return nil, "", err
	}
	if repo == nil {
		return nil, "", fmt.Errorf("--against %s: this is not a git repository; for a folder with a tree write ./%s", rev, rev)
	}
	r = &revision{Repository: repo}
	r.commit, err = r.Revision(rev)
	if err != nil {
		return nil, "", fmt.Errorf("--against %s: %w", rev, err)
	}
	if r.commit == "" {
		return nil, "", fmt.Errorf("--against %s: git knows no such revision (in CI, fetch it first: git fetch origin %s); for a folder with a tree write ./%s", rev, rev, rev)
	}
	label = rev
	if !strings.HasPrefix(r.commit, rev) {
		label += "@" + r.commit[:7]
	}
	if base := r.Ask("merge-base", r.commit, "HEAD"); base != "" && base != r.commit {
		r.commit = base
		label = fmt.Sprintf("%s@%s, where this left it", rev, base[:7])
	}
	r.blobs, err = r.Blobs(r.commit, ".")
	return r, label, err
}

// extract writes files of the commit below work, at the absolute paths that
// they have in the work tree. What is larger than
// any file of a tree may be is left out.
func (r *revision) extract(work string, want func(path string) bool) error {
	var names, blobs []string
	for _, name := range slices.Sorted(maps.Keys(r.blobs)) {
		if want(name) {
			names = append(names, name)
			blobs = append(blobs, r.blobs[name])
		}
	}
	if len(blobs) == 0 {
		return nil
	}
	contents, err := r.Contents(blobs, tree.MaxFile)
	if err != nil {
		return err
	}
	for i, name := range names {
		if contents[i] == nil {
			continue
		}
		if err := putBelow(work, filepath.Join(r.Top, filepath.FromSlash(name)), contents[i]); err != nil {
			return err
		}
	}
	return nil
}
