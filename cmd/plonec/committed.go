package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/git"
	"github.com/plonec/plonec/internal/tree"
)

// committed makes sure that the tree is what git has, and gives its commit and
// a test for whether that comes after an earlier one. Outside of a git
// repository there is neither.
func (f *fleetFlags) committed(disk *tree.Disk) (commit string, descends func(string) error, err error) {
	repo, err := git.Around(f.tree)
	if err != nil || repo == nil {
		return "", nil, err
	}
	if _, err := repo.Dir(); err != nil {
		if f.allowDirty && f.allowRewind {
			return "", nil, nil // git is asked for nothing
		}
		return "", nil, err
	}
	commit = repo.Ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if !f.allowDirty {
		if commit == "" {
			return "", nil, fmt.Errorf("%s is in a git repository without a commit: commit the tree, or give --allow-dirty", f.tree)
		}
		if err := refuseIgnored(f.tree, disk.Manifest.Names()); err != nil {
			return "", nil, err
		}
		changed, err := uncommitted(repo, commit, disk)
		if err != nil {
			return "", nil, err
		}
		if len(changed) > 0 {
			return "", nil, fmt.Errorf("%s has uncommitted changes: commit them, so that the hosts' files are in git, or give --allow-dirty\n  %s",
				f.tree, strings.Join(firstOf(changed, 10), "\n  "))
		}
	}
	if f.allowRewind {
		return commit, nil, nil
	}
	return commit, func(earlier string) error {
		if !git.IsID(earlier) {
			return fmt.Errorf("the host records %.40q, which is not a commit: check the host, or give --allow-rewind", earlier)
		}
		if _, err := repo.Run(nil, "cat-file", "-e", earlier+"^{commit}"); err != nil {
			return fmt.Errorf("the host has commit %.12s, which is not in this repository: run git fetch with the whole history (in CI: fetch-depth 0), or give --allow-rewind", earlier)
		}
		if _, err := repo.Run(nil, "merge-base", "--is-ancestor", earlier, commit); err != nil {
			return fmt.Errorf("the host has commit %.12s, and %.12s does not descend from it: merge it first, or go back on purpose with --allow-rewind", earlier, commit)
		}
		return nil
	}, nil
}

// uncommitted lists the files of a tree in which it differs from a commit, from
// the repository's top, with what git status would put before them. Their bytes
// are compared: the filters that attributes name, which git status runs, could
// make anything equal.
func uncommitted(repo *git.Repository, commit string, disk *tree.Disk) ([]string, error) {
	below, _ := repo.Rel(disk.Dir)
	blobs, err := repo.Blobs(commit, below)
	if err != nil {
		return nil, err
	}
	var changed []string
	for _, name := range disk.Manifest.Names() {
		data, err := disk.Read(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it stays among the blobs
		}
		if err != nil {
			return nil, err
		}
		at := strings.TrimPrefix(below+"/"+name, "./")
		blob, known := blobs[at]
		delete(blobs, at)
		switch {
		case !known:
			changed = append(changed, "?? "+at)
		case !git.IsBlob(data, blob):
			changed = append(changed, " M "+at)
		}
	}
	for _, at := range slices.Sorted(maps.Keys(blobs)) {
		changed = append(changed, " D "+at)
	}
	return changed, nil
}

// firstOf shortens a list for a message.
func firstOf(list []string, most int) []string {
	if more := len(list) - most; more > 0 {
		return append(slices.Clone(list[:most]), fmt.Sprintf("and %d more", more))
	}
	return list
}
