package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/plonec/plonec/child"
)

// git is what a command of git prints in a folder.
func git(dir string, stdin io.Reader, args ...string) ([]byte, error) {
	c := exec.Command("git", append([]string{"-C", dir}, args...)...)
	c.Stdin, c.Env = stdin, child.Git()
	out, err := c.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		said, _, _ := strings.Cut(string(exit.Stderr), "\n")
		err = fmt.Errorf("git %s: %s", args[0], cmp.Or(strings.TrimPrefix(said, "fatal: "), err.Error()))
	}
	return out, err
}

// askGit is the same, less the white space around it; empty where it fails.
func askGit(dir string, args ...string) string {
	out, err := git(dir, nil, args...)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// inRepository is the path of a file in its git work tree, with slashes, as
// annotations name it. One outside of any stays as it is.
func inRepository(name string) string {
	if top, ok := gitTop(filepath.Dir(name)); ok {
		if real, err := realPath(name); err == nil {
			if rel, err := filepath.Rel(top, real); err == nil && filepath.IsLocal(rel) {
				return filepath.ToSlash(rel)
			}
		}
	}
	return filepath.ToSlash(name)
}

// gitTop is the git work tree that holds a folder, without symbolic links.
func gitTop(dir string) (string, bool) {
	abs, err := filepath.Abs(dir)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return "", false
	}
	for {
		if _, err := os.Lstat(filepath.Join(abs, ".git")); err == nil {
			return abs, true
		}
		up := filepath.Dir(abs)
		if up == abs {
			return "", false
		}
		abs = up
	}
}

// realPath is absolute; the folders of it are no symbolic links.
func realPath(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
	return filepath.Join(dir, filepath.Base(abs)), err
}

// fromHere is a path as seen from the working directory.
func fromHere(name string) string {
	if wd, err := os.Getwd(); err == nil {
		if real, err := filepath.EvalSymlinks(wd); err == nil {
			wd = real
		}
		if rel, err := filepath.Rel(wd, name); err == nil {
			return rel
		}
	}
	return name
}

// A repository is the git repository around a folder, at a commit.
type repository struct {
	top, commit string
	blobs       map[string]string // by path from the top
}

// revision opens the commit at which the work here left a revision: their merge
// base, or the revision itself where they have none.
func revision(rev string) (r *repository, label string, err error) {
	top, inside := gitTop(".")
	if !inside {
		return nil, "", fmt.Errorf("--against %s: there is no tree in a folder of that name, and this is no git repository", rev)
	}
	r = &repository{top: top}
	commit, err := git(r.top, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		return nil, "", fmt.Errorf("--against %s: git knows no such revision, and there is no tree in a folder of that name (in CI, fetch it first: git fetch origin %s)", rev, rev)
	}
	r.commit = strings.TrimSpace(string(commit))
	label = rev
	if !strings.HasPrefix(r.commit, rev) {
		label += "@" + r.commit[:7]
	}
	if base, err := git(r.top, nil, "merge-base", r.commit, "HEAD"); err == nil {
		if b := strings.TrimSpace(string(base)); b != r.commit {
			r.commit = b
			label = fmt.Sprintf("%s@%s, where this left it", rev, b[:7])
		}
	}
	list, err := git(r.top, nil, "ls-tree", "-r", "-z", "--full-tree", r.commit)
	if err != nil {
		return nil, "", err
	}
	r.blobs = map[string]string{}
	for _, entry := range strings.Split(string(list), "\x00") {
		meta, name, _ := strings.Cut(entry, "\t")
		if f := strings.Fields(meta); len(f) == 3 && f[1] == "blob" && f[0] != "120000" {
			r.blobs[name] = f[2]
		}
	}
	return r, label, nil
}

// rel is a path from the top, with slashes; false for one outside.
func (r *repository) rel(name string) (string, bool) {
	real, err := realPath(name)
	if err != nil { // its folder is not there any more
		real, err = filepath.Abs(name)
	}
	if err != nil {
		return "", false
	}
	rel, err := filepath.Rel(r.top, real)
	return filepath.ToSlash(rel), err == nil && filepath.IsLocal(rel)
}

// extract writes files of the commit below work, at the absolute paths that
// they have in the work tree.
func (r *repository) extract(work string, want func(path string) bool) error {
	var names []string
	var ask strings.Builder
	for name, blob := range r.blobs {
		if want(name) {
			names = append(names, name)
			ask.WriteString(blob + "\n")
		}
	}
	out, err := git(r.top, strings.NewReader(ask.String()), "cat-file", "--batch")
	if err != nil {
		return err
	}
	from := bufio.NewReader(bytes.NewReader(out))
	for _, name := range names {
		head, err := from.ReadString('\n')
		f := strings.Fields(head)
		if err != nil || len(f) != 3 {
			return fmt.Errorf("git cat-file: %s: %s", name, strings.TrimSpace(head))
		}
		size, err := strconv.Atoi(f[2])
		if err != nil {
			return err
		}
		data := make([]byte, size)
		if _, err := io.ReadFull(from, data); err != nil {
			return err
		}
		from.Discard(1)
		if err := putBelow(work, filepath.Join(r.top, filepath.FromSlash(name)), data); err != nil {
			return err
		}
	}
	return nil
}
