package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/plonec/plonec/internal/regular"
)

// stageName is the folder inside a tree in which new versions of files wait
// until all of them are written. A build that was killed leaves it; the next
// one clears it.
const stageName = ".plonec-stage"

// journalName lists, in the stage, the paths that a build adds or removes, so
// that the next one can finish where it was killed in between.
const journalName = "journal"

// ErrLocked says that another build works on the tree.
var ErrLocked = errors.New("another plonec works on this tree")

// Changes is what a build changes in a tree. Paths are relative to it, sorted.
type Changes struct {
	Added, Changed, Removed []string
	Foreign                 []string // what no build made, below hosts and common; Compare alone looks
	Same                    int      // files that stay as they are
}

// None tells whether the tree is up to date.
func (c *Changes) None() bool {
	return len(c.Added)+len(c.Changed)+len(c.Removed)+len(c.Foreign) == 0
}

// A write is a file of the tree. A new one is written in its place, which costs
// half of what a rename does; one that replaces another goes through the stage.
type write struct {
	rel     string
	content []byte
	added   bool
}

// Compare says what Write would change, and what else lies in the tree.
func (t *Tree) Compare(dir string) (*Changes, error) {
	c, _, err := t.compare(dir)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, f := range t.Manifest.Files {
		known[f.Rel()] = true
	}
	for _, rel := range slices.Concat(c.Changed, c.Removed) {
		known[rel] = true
	}
	if c.Foreign, err = foreign(dir, known); err != nil {
		return nil, err
	}
	return c, nil
}

// Write brings the tree in dir up to date. A file whose bytes are right is not
// touched; a file that an earlier manifest lists and this one does not is
// removed, and nothing else ever is. Where something fails, a full disk
// included, before all new files are on disk, the tree stays as it was. The
// manifest comes last, so that a tree whose writing was cut short never
// matches it.
func (t *Tree) Write(dir string) (*Changes, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		if errors.Is(err, syscall.ENOTDIR) {
			return nil, fmt.Errorf("%s is a file: name a folder", dir)
		}
		return nil, err
	}
	unlock, err := lock(dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	changes, writes, err := t.compare(dir)
	if err != nil {
		return nil, err
	}
	stage := filepath.Join(dir, stageName)
	if changes.None() {
		return changes, os.RemoveAll(stage)
	}
	if err := fill(dir, changes, writes); err != nil {
		undo(dir, writes)
		return nil, err
	}
	if err := activate(dir, stage, changes, writes); err != nil {
		return nil, err
	}
	return changes, os.RemoveAll(stage)
}

// all gives every file of the tree by its place, the manifest last.
func (t *Tree) all() ([]write, error) {
	manifest, err := t.Manifest.Bytes()
	if err != nil {
		return nil, err
	}
	list := make([]write, 0, len(t.content)+2)
	for i, f := range t.Manifest.Files {
		list = append(list, write{rel: f.Rel(), content: t.content[i]})
	}
	list = append(list, write{rel: readmeName, content: t.Readme}, write{rel: ManifestName, content: manifest})
	if slices.ContainsFunc(list, func(w write) bool { return len(w.content) > MaxFile }) {
		return nil, errTooLarge // it could not be read again
	}
	return list, nil
}

func (t *Tree) compare(dir string) (*Changes, []write, error) {
	all, err := t.all()
	if err != nil {
		return nil, nil, err
	}
	paths, err := old(dir)
	if err != nil {
		return nil, nil, err
	}
	for rel := range journal(dir) {
		paths[rel] = true
	}
	there, err := look(dir, all, paths)
	if err != nil {
		return nil, nil, err
	}
	const same, added, changed = 0, 1, 2
	state := make([]byte, len(all))
	err = parallel(len(all), func(i int) error {
		if !there[path.Dir(all[i].rel)] {
			state[i] = added
			return nil
		}
		got, err := readPlain(filepath.Join(dir, all[i].rel), len(all[i].content))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			state[i] = added
		case err != nil:
			return err
		case !bytes.Equal(got, all[i].content):
			state[i] = changed
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	c := &Changes{}
	var writes []write
	for i, w := range all {
		delete(paths, w.rel)
		switch state[i] {
		case same:
			c.Same++
			continue
		case added:
			c.Added = append(c.Added, w.rel)
			w.added = w.rel != ManifestName
		case changed:
			c.Changed = append(c.Changed, w.rel)
		}
		writes = append(writes, w)
	}
	for rel := range paths {
		if _, err := os.Lstat(filepath.Join(dir, rel)); err == nil {
			c.Removed = append(c.Removed, rel)
		}
	}
	slices.Sort(c.Added)
	slices.Sort(c.Changed)
	slices.Sort(c.Removed)
	return c, writes, nil
}

// readPlain reads a regular file. One of another size than want is not read:
// any bytes that differ will do.
func readPlain(name string, want int) ([]byte, error) {
	info, err := os.Lstat(name)
	if err != nil {
		if errors.Is(err, syscall.ENOTDIR) {
			return nil, fs.ErrNotExist
		}
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s is a folder, where plonec writes a file: move it away", name)
	}
	if !info.Mode().IsRegular() || info.Size() != int64(want) {
		return make([]byte, want+1), nil
	}
	return regular.ReadHere(name, int64(want))
}

// folders tells of each folder of a tree, relative to it, whether it is there.
type folders map[string]bool

// look finds out which folders there are, each once and none below one that is
// not there. A symlink or a file in the place of one is an error, so that
// nothing is written or removed outside the tree.
func look(dir string, all []write, old map[string]bool) (folders, error) {
	f := folders{}
	var visit func(rel string) (bool, error)
	visit = func(rel string) (bool, error) {
		if is, known := f[rel]; known {
			return is, nil
		}
		if rel != "." {
			if above, err := visit(path.Dir(rel)); err != nil || !above {
				f[rel] = false
				return false, err
			}
		}
		info, err := os.Lstat(filepath.Join(dir, rel))
		if err == nil && !info.IsDir() && rel != "." {
			return false, fmt.Errorf("%s is not a folder: move it away", filepath.Join(dir, rel))
		}
		f[rel] = err == nil
		return f[rel], nil
	}
	for _, w := range all {
		if _, err := visit(path.Dir(w.rel)); err != nil {
			return nil, err
		}
	}
	for _, rel := range slices.Sorted(maps.Keys(old)) {
		if _, err := visit(path.Dir(rel)); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// make makes a folder and those above it.
func (f folders) make(dir, rel string) error {
	if f[rel] {
		return nil
	}
	if rel != "." {
		if err := f.make(dir, path.Dir(rel)); err != nil {
			return err
		}
	}
	f[rel] = true
	if err := os.Mkdir(filepath.Join(dir, rel), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// fill writes everything that is new: a file that replaces another into the
// stage, numbered, and one that replaces nothing in its place.
func fill(dir string, c *Changes, writes []write) error {
	stage := filepath.Join(dir, stageName)
	if err := os.RemoveAll(stage); err != nil {
		return err
	}
	if err := os.Mkdir(stage, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(stage, journalName), []byte(strings.Join(slices.Concat(c.Added, c.Removed), "\n")), 0o644); err != nil {
		return err
	}
	there, err := look(dir, writes, nil)
	if err != nil {
		return err
	}
	for _, w := range writes {
		if w.added {
			if err := there.make(dir, path.Dir(w.rel)); err != nil {
				return err
			}
		}
	}
	return parallel(len(writes), func(i int) error {
		if writes[i].added {
			return os.WriteFile(filepath.Join(dir, writes[i].rel), writes[i].content, 0o644)
		}
		return os.WriteFile(filepath.Join(stage, strconv.Itoa(i)), writes[i].content, 0o644)
	})
}

// undo takes back what fill did.
func undo(dir string, writes []write) {
	for _, w := range writes {
		if w.added {
			remove(dir, w.rel)
		}
	}
	os.RemoveAll(filepath.Join(dir, stageName))
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

// activate moves the staged files to their places and removes what is no
// longer generated; the manifest goes last.
func activate(dir, stage string, c *Changes, writes []write) error {
	kept := func(i int) string { return filepath.Join(stage, strconv.Itoa(i)+".old") }
	for i, w := range writes {
		if w.added || w.rel == ManifestName {
			continue
		}
		target := filepath.Join(dir, w.rel)
		err := os.Link(target, kept(i))
		if err == nil {
			err = os.Rename(filepath.Join(stage, strconv.Itoa(i)), target)
		}
		if err != nil { // what was moved so far goes back
			for j := range i {
				if !writes[j].added {
					err = errors.Join(err, os.Rename(kept(j), filepath.Join(dir, writes[j].rel)))
				}
			}
			undo(dir, writes)
			return err
		}
	}
	// From here on the journal lets the next build finish what this one cannot.
	for _, rel := range c.Removed {
		if err := remove(dir, rel); err != nil {
			return err
		}
	}
	if last := len(writes) - 1; last >= 0 && writes[last].rel == ManifestName {
		return os.Rename(filepath.Join(stage, strconv.Itoa(last)), filepath.Join(dir, ManifestName))
	}
	return nil
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

// lock keeps two builds apart. The kernel drops it when the process ends.
func lock(dir string) (func(), error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: %w", dir, ErrLocked)
		}
		return nil, err
	}
	return func() { f.Close() }, nil
}
