package tree

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/regular"
)

// journalName lists, in the stage, the paths that a build adds or removes, so
// that the next one can finish where it was killed in between.
const journalName = "journal"

// Finish says what changes once the last file was put, and where the stage is one that
// writes brings the tree up to date. A file whose bytes are right is not touched; a file
// that an earlier manifest lists and this one does not is removed, and nothing else ever
// is. Where something fails, a full disk included, the tree stays as it was. The
// manifest comes last, so that a tree whose writing was cut short never matches it.
func (s *Stage) Finish(t *Tree) (*Changes, error) {
	if len(t.Readme) > MaxFile {
		return nil, errTooLarge
	}
	if err := s.put(readmeName, t.Readme); err != nil {
		return nil, err
	}
	unchanged, err := s.putManifest(t.Manifest)
	if err != nil {
		return nil, err
	}
	if err := s.leftOver(t.Manifest, unchanged); err != nil {
		return nil, err
	}
	c := &s.changes
	slices.Sort(c.Added)
	slices.Sort(c.Changed)
	slices.Sort(c.Removed)
	if s.new == "" {
		c.Foreign, err = foreign(s.dir, s.known(t.Manifest))
		return c, err
	}
	if c.None() {
		return c, nil
	}
	return c, s.activate()
}

// leftOver finds what earlier builds made and this one does not.
func (s *Stage) leftOver(m *Manifest, unchanged bool) error {
	var paths map[string]bool
	var err error
	if unchanged {
		s.earlier = m
		paths, err = unmergedPaths(s.dir)
	} else {
		s.earlier, paths, err = old(s.dir)
	}
	if err != nil {
		return err
	}
	maps.Copy(paths, s.left)
	if len(paths) == 0 {
		return nil
	}
	for _, f := range m.Files {
		delete(paths, f.Rel())
	}
	for _, rel := range slices.Sorted(maps.Keys(paths)) {
		there, err := s.there.visit(s.dir, path.Dir(rel))
		if err != nil {
			return err
		}
		if _, err := os.Lstat(filepath.Join(s.dir, rel)); there && err == nil {
			s.changes.Removed = append(s.changes.Removed, rel)
		}
	}
	return nil
}

// known are the files that belong to a tree, or will go.
func (s *Stage) known(m *Manifest) map[string]bool {
	known := map[string]bool{}
	for _, f := range m.Files {
		known[f.Rel()] = true
	}
	for _, rel := range slices.Concat(s.changes.Changed, s.changes.Removed) {
		known[rel] = true
	}
	return known
}

// journal gives the paths that a build which was killed may have added.
func journal(dir string) map[string]bool {
	paths := map[string]bool{}
	data, err := regular.ReadHere(filepath.Join(dir, stageName, journalName), MaxFile)
	if err != nil {
		return paths
	}
	for _, rel := range strings.Split(string(data), "\n") {
		if (strings.HasPrefix(rel, "hosts/") || strings.HasPrefix(rel, "common/")) && path.Clean(rel) == rel {
			paths[rel] = true
		}
	}
	return paths
}

// remove removes a file of the tree and the folders that this leaves empty.
func remove(dir, rel string) error {
	if err := os.Remove(filepath.Join(dir, rel)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for d := path.Dir(rel); d != "." && os.Remove(filepath.Join(dir, d)) == nil; d = path.Dir(d) {
	}
	return nil
}

// activate moves what waits to its places and removes what is no longer generated; the
// manifest goes last.
func (s *Stage) activate() error {
	if err := s.folder("."); err != nil {
		return err
	}
	list := filepath.Join(s.new, journalName)
	err := os.WriteFile(list, []byte(strings.Join(slices.Concat(s.changes.Added, s.changes.Removed), "\n")), 0o644)
	if err == nil {
		err = os.Rename(list, filepath.Join(s.dir, stageName, journalName))
	}
	if err != nil {
		return err
	}
	var moved []move
	for _, m := range s.moves() {
		if err = m.do(); err != nil {
			break
		}
		moved = append(moved, m)
	}
	if err != nil { // what was moved so far goes back
		for _, m := range slices.Backward(moved) {
			if failed := m.undo(); failed != nil {
				err, s.half = errors.Join(err, failed), true
			}
		}
		return err
	}
	// From here on the journal lets the next build finish what this one cannot.
	s.half = true
	for _, rel := range s.changes.Removed {
		if err := remove(s.dir, rel); err != nil {
			return err
		}
	}
	if slices.Contains(s.changes.Changed, ManifestName) || slices.Contains(s.changes.Added, ManifestName) {
		if err := os.Rename(filepath.Join(s.new, ManifestName), filepath.Join(s.dir, ManifestName)); err != nil {
			return err
		}
	}
	s.half, s.left = false, nil
	return nil
}

// A move brings a file, or a folder that the tree lacks with all that is in it, from
// the stage to its place.
type move struct {
	from, to string
	kept     string // where what it replaces is kept; empty: it replaces nothing
}

func (m move) do() error {
	if m.kept != "" {
		if err := os.Link(m.to, m.kept); err != nil {
			return err
		}
	}
	return os.Rename(m.from, m.to)
}

func (m move) undo() error {
	if m.kept != "" {
		return os.Rename(m.kept, m.to)
	}
	return os.Rename(m.to, m.from)
}

// moves are all that there is to do, less the manifest.
func (s *Stage) moves() []move {
	var list []move
	add := func(rel, kept string) {
		list = append(list, move{filepath.Join(s.new, rel), filepath.Join(s.dir, rel), kept})
	}
	whole := map[string]bool{}
	for _, rel := range s.changes.Added {
		if rel == ManifestName {
			continue
		}
		for up := path.Dir(rel); !s.there[up]; up = path.Dir(up) {
			rel = up
		}
		if !whole[rel] {
			whole[rel] = true
			add(rel, "")
		}
	}
	for i, rel := range s.changes.Changed {
		if rel != ManifestName {
			add(rel, filepath.Join(s.kept(), strconv.Itoa(i)))
		}
	}
	return list
}
