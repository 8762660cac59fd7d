package diff

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	pathpkg "path"
	"path/filepath"
	"strings"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/git"
	"github.com/plonec/plonec/internal/regular"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/words"
)

// A Side is one of the two states that a diff compares.
type Side struct {
	Label   string
	Disk    *tree.Disk     // nil: there is nothing yet
	Built   *compile.Built // what this plonec makes of its stack; nil: the stack is not known
	unknown string         // why it is not
	prefix  string         // of the paths of its stack's files, which lie in a folder of their own
}

// Earlier is what a diff begins from: the tree on disk, another tree, or
// what a git revision holds. work is an empty folder.
func Earlier(files []string, o *compile.Options, against, work string) (*Side, error) {
	// The top of a repository, above which nothing is read.
	if err := os.MkdirAll(filepath.Join(work, ".git"), 0o755); err != nil {
		return nil, err
	}
	switch {
	case against == "":
		return treeSide(o.Tree, o.Release, work)
	case writtenAsPath(against):
		if _, err := os.Stat(filepath.Join(against, tree.ManifestName)); err != nil {
			return nil, fmt.Errorf("--against %s: that folder has no tree", against)
		}
		return treeSide(against, o.Release, work)
	}
	return revisionSide(files, o, against, work)
}

// writtenAsPath tells whether a name is that of a folder by how it begins, which
// no revision does. What else there is of that name has no say: a branch could
// bring a folder that is called like the revision that it is compared with.
func writtenAsPath(name string) bool {
	first, _, _ := strings.Cut(filepath.ToSlash(name), "/")
	return filepath.IsAbs(name) || first == "." || first == ".."
}

// treeSide is a tree on disk, with the stack that it was built from, where that
// is still to be had.
func treeSide(dir, release, work string) (*Side, error) {
	s := &Side{Label: dir, prefix: work}
	disk, err := tree.Read(dir)
	if errors.Is(err, fs.ErrNotExist) {
		s.Label += " (nothing yet)"
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	s.Disk = disk
	repo, err := git.Around(dir)
	if err != nil {
		return nil, err
	}
	for _, in := range disk.Manifest.Inputs.Files {
		name, err := compile.Recorded(dir, in.Path)
		if errors.Is(err, fs.ErrNotExist) { // git may have it
			name, err = filepath.Abs(filepath.Join(dir, filepath.FromSlash(in.Path)))
		}
		if err != nil {
			return nil, err
		}
		data, found := asBuilt(repo, name, in.Sum)
		if !found {
			s.unknown = fmt.Sprintf("the %s that %s was built from is neither here nor in git", filepath.Base(name), dir)
			return s, nil
		}
		if err := putBelow(work, name, data); err != nil {
			return nil, err
		}
	}
	return s, s.compile(dir, release)
}

// asBuilt finds the content of a file that has a sum: as it is, staged, or
// committed last. repo is nil where there is none.
func asBuilt(repo *git.Repository, name, sum string) ([]byte, bool) {
	good := func(data []byte) bool {
		s := sha256.Sum256(data)
		return hex.EncodeToString(s[:]) == sum
	}
	if data, err := regular.Read(name, tree.MaxFile); err == nil && good(data) {
		return data, true
	}
	if repo == nil {
		return nil, false
	}
	rel, inside := repo.Rel(name)
	for _, at := range []string{":0:", "HEAD:"} {
		if !inside {
			break
		}
		if data, err := repo.Run(nil, "cat-file", "blob", at+rel); err == nil && good(data) {
			return data, true
		}
	}
	return nil, false
}

// compile builds the stack of a tree that lies in dir, from the copies of its
// inputs below the prefix.
func (s *Side) compile(dir, release string) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	in := s.Disk.Manifest.Inputs
	var files []string
	for _, name := range in.Stack {
		// Joined to the folder first: no ".." leads above the copies.
		files = append(files, filepath.Join(s.prefix, filepath.Join(abs, filepath.FromSlash(name))))
	}
	return s.compileFiles(files, &compile.Options{Tree: filepath.Join(s.prefix, abs), Release: release, ExtStr: in.ExtStr, TLAStr: in.TLAStr})
}

func (s *Side) compileFiles(files []string, o *compile.Options) error {
	built, diags, err := compile.Stack(files, o)
	if s.Built = built; built == nil && err == nil {
		s.unknown = fmt.Sprintf("plonec %s finds %s in the stack of %s", o.Release, words.Count(diags.Errors(), "error"), s.Label)
	}
	return err
}

// putBelow writes a file below a folder, at its absolute path.
func putBelow(work, name string, data []byte) error {
	name = filepath.Join(work, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

// revisionSide is what a git revision holds: its tree, or where it has none what
// this plonec makes of its stack.
func revisionSide(files []string, o *compile.Options, rev, work string) (*Side, error) {
	r, label, err := openRevision(rev)
	if err != nil {
		return nil, err
	}
	s := &Side{Label: label, prefix: work}
	dir, inside := r.Rel(o.Tree)
	if _, has := r.blobs[dir+"/"+tree.ManifestName]; inside && has {
		err := r.extract(work, func(path string) bool { return strings.HasPrefix(path, dir+"/") })
		if err != nil {
			return nil, err
		}
		at := filepath.Join(r.Top, filepath.FromSlash(dir))
		if s.Disk, err = tree.Read(filepath.Join(work, at)); err != nil {
			// It is told of where it would be, not in the copy.
			return nil, fmt.Errorf("%s of %s: %s", o.Tree, label, strings.ReplaceAll(err.Error(), work, ""))
		}
		needed := map[string]bool{}
		for _, h := range s.Disk.Manifest.Hosts {
			needed[pathpkg.Join(dir, h.SSH.KnownHosts)] = true
		}
		if err := r.extract(work, func(path string) bool { return needed[path] }); err != nil {
			return nil, err
		}
		clear(needed)
		for _, in := range s.Disk.Manifest.Inputs.Files {
			name, inside := r.Rel(filepath.Join(at, filepath.FromSlash(in.Path)))
			if _, has := r.blobs[name]; !inside || !has {
				s.unknown = fmt.Sprintf("%s, from which %s was built, is not in %s", filepath.Base(in.Path), o.Tree, label)
				return s, nil
			}
			needed[name] = true
		}
		if err := r.extract(work, func(path string) bool { return needed[path] }); err != nil {
			return nil, err
		}
		return s, s.compile(at, o.Release)
	}
	if files, err = compile.StackFiles(files, o); err != nil {
		return nil, err
	}
	var then []string
	for _, name := range files {
		path, inside := r.Rel(name)
		if _, has := r.blobs[path]; !inside || !has {
			s.Label += " (no stack yet)"
			return s, nil
		}
		then = append(then, filepath.Join(work, r.Top, filepath.FromSlash(path)))
	}
	s.Label += " (no tree there: built now)"
	if err := r.extract(work, func(string) bool { return true }); err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(o.Tree)
	if err != nil {
		return nil, err
	}
	if err := s.compileFiles(then, &compile.Options{Tree: filepath.Join(work, abs), Release: o.Release, ExtStr: o.ExtStr, TLAStr: o.TLAStr}); err != nil {
		return nil, err
	}
	if s.Built == nil {
		return nil, fmt.Errorf("%s, and there is no tree either: nothing to compare with", s.unknown)
	}
	s.Disk, err = OnDisk(s.Built, filepath.Join(work, abs))
	return s, err
}

// OnDisk writes what was built into a folder, and reads it from there.
func OnDisk(built *compile.Built, dir string) (*tree.Disk, error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, err
	}
	stage, err := tree.Begin(dir)
	if err != nil {
		return nil, err
	}
	defer stage.Close()
	if _, _, err = built.Render(stage.Put); err == nil {
		_, err = stage.Finish(built.Tree)
	}
	if err == nil {
		err = stage.Close()
	}
	if err != nil {
		return nil, err
	}
	return tree.Read(dir)
}
