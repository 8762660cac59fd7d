package tree

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/plonec/plonec/internal/regular"
)

// stageName is the folder inside a tree in which what is new waits, at its place from
// there, until all of it is written. A build that was killed leaves it; the next
// one clears it.
const stageName = ".plonec-stage"

// ErrLocked says that another build works on the tree.
var ErrLocked = errors.New("another plonec is working on this tree")

// Changes is what a build changes in a tree. Paths are relative to it, sorted.
type Changes struct {
	Added, Changed, Removed []string
	Foreign                 []string // what no build made, below hosts and common; a comparison alone looks
	Same                    int      // files that stay as they are
}

// None tells whether the tree is up to date.
func (c *Changes) None() bool {
	return len(c.Added)+len(c.Changed)+len(c.Removed)+len(c.Foreign) == 0
}

// A Stage holds what is rendered against the tree in a folder, file by file. What the
// tree has already is forgotten; the rest waits in the folder stageName. Nothing else
// of the tree is touched before Finish.
type Stage struct {
	dir    string
	new    string          // where what is new waits; empty: nothing is written
	made   []string        // folders that were not there
	left   map[string]bool // what a build that was killed may have added
	unlock func()
	half   bool // the tree is half way: the next build needs the journal

	mu      sync.Mutex
	there   folders         // of the tree
	waiting map[string]bool // folders of new
	changes Changes
	earlier *Manifest
}

// Begin begins to bring the tree in a folder up to date, which need not be there.
// Whoever begins has to Close.
func Begin(dir string) (*Stage, error) {
	s := &Stage{dir: dir, new: filepath.Join(dir, stageName, "new"), there: folders{}, waiting: map[string]bool{}}
	if err := s.open(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Against is for a comparison with the tree in a folder: nothing is written.
func Against(dir string) *Stage {
	return &Stage{dir: dir, there: folders{}, left: journal(dir)}
}

func (s *Stage) open() error {
	for at := filepath.Clean(s.dir); ; at = filepath.Dir(at) {
		if _, err := os.Lstat(at); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		s.made = append(s.made, at)
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		if errors.Is(err, syscall.ENOTDIR) {
			return fmt.Errorf("%s is a file: name a folder", s.dir)
		}
		return err
	}
	var err error
	if s.unlock, err = lock(s.dir); err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Join(s.dir, ManifestName)); errors.Is(err, fs.ErrNotExist) {
		if err := refuseForeign(s.dir); err != nil {
			return err
		}
	}
	s.left = journal(s.dir)
	return nil
}

// Close ends the work. What was not finished leaves the tree as it was.
func (s *Stage) Close() error {
	if s.unlock == nil {
		return nil
	}
	defer func() { s.unlock(); s.unlock = nil }()
	if s.half {
		return nil
	}
	if len(s.left) > 0 { // the journal is still needed
		return errors.Join(os.RemoveAll(s.new), os.RemoveAll(s.kept()))
	}
	err := os.RemoveAll(filepath.Join(s.dir, stageName))
	for _, dir := range s.made {
		os.Remove(dir) // fails where there is a tree now
	}
	return err
}

// Earlier is the manifest that the tree had before Finish; nil where it had none, or
// one in conflict.
func (s *Stage) Earlier() *Manifest { return s.earlier }

// kept is where files are kept that are replaced.
func (s *Stage) kept() string { return filepath.Join(s.dir, stageName, "kept") }

// Put is told of a file of the tree.
func (s *Stage) Put(f File, content []byte) error { return s.put(f.Rel(), content) }

func (s *Stage) put(rel string, content []byte) error {
	at, err := s.compare(rel, content)
	if err != nil || at == same || s.new == "" {
		return err
	}
	return s.write(rel, content)
}

// How a file of the tree is on disk.
const (
	same = iota
	added
	changed
)

// compare finds that out, and counts it.
func (s *Stage) compare(rel string, content []byte) (int, error) {
	s.mu.Lock()
	there, err := s.there.visit(s.dir, path.Dir(rel))
	s.mu.Unlock()
	if err != nil {
		return 0, err
	}
	good := false
	if there {
		good, err = regular.Holds(filepath.Join(s.dir, rel), content)
	}
	return s.count(rel, there && !errors.Is(err, fs.ErrNotExist), good, err)
}

func (s *Stage) count(rel string, there, good bool, err error) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !there:
		s.changes.Added = append(s.changes.Added, rel)
		return added, nil
	case err != nil:
		return 0, err
	case !good:
		s.changes.Changed = append(s.changes.Changed, rel)
		return changed, nil
	}
	s.changes.Same++
	return same, nil
}

// write lets a file wait in the stage.
func (s *Stage) write(rel string, content []byte) error {
	if err := s.folder(path.Dir(rel)); err != nil {
		return err
	}
	return regular.Create(filepath.Join(s.new, rel), content)
}

// folder makes a folder of the stage and those above it.
func (s *Stage) folder(rel string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.waiting["."] {
		// The stage is made when the first file needs it. Of a build that was killed
		// the journal stays.
		for _, dir := range []string{s.new, s.kept()} {
			if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
				return err
			}
		}
		s.waiting["."] = true
	}
	return s.mkdir(rel)
}

func (s *Stage) mkdir(rel string) error {
	if s.waiting[rel] {
		return nil
	}
	if err := s.mkdir(path.Dir(rel)); err != nil {
		return err
	}
	s.waiting[rel] = true
	return os.Mkdir(filepath.Join(s.new, rel), 0o755)
}

// putManifest is Put for the manifest, which is never whole in memory. It tells whether
// the tree has it already.
func (s *Stage) putManifest(m *Manifest) (bool, error) {
	// Where another file changed so did the manifest, most likely.
	waits := s.new != "" && s.waiting["."]
	sum, err := s.writeManifest(m, waits)
	if err != nil {
		return false, err
	}
	got, good, err := regular.Sum(filepath.Join(s.dir, ManifestName), MaxFile)
	at, err := s.count(ManifestName, !errors.Is(err, fs.ErrNotExist), good && got == sum, err)
	if err == nil && at != same && s.new != "" && !waits {
		_, err = s.writeManifest(m, true)
	}
	return at == same && err == nil, err
}

// writeManifest gives the sum of the manifest, which waits in the stage or is forgotten.
func (s *Stage) writeManifest(m *Manifest, waits bool) (sum [sha256.Size]byte, err error) {
	h, size := sha256.New(), &counter{}
	to := io.MultiWriter(h, size)
	if waits {
		if err := s.folder("."); err != nil {
			return sum, err
		}
		file, err := os.Create(filepath.Join(s.new, ManifestName))
		if err != nil {
			return sum, err
		}
		defer file.Close()
		to = io.MultiWriter(to, file)
	}
	if err := m.write(to); err != nil {
		return sum, err
	}
	if size.n > MaxFile {
		return sum, errTooLarge // it could not be read again
	}
	h.Sum(sum[:0])
	return sum, nil
}

// A counter counts what is written to it.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// folders tells of folders of a tree, relative to it, whether they are there.
type folders map[string]bool

// visit finds out whether a folder is there, once, and looks for none below one that is
// not. A symlink or a file in the place of one is an error, so that nothing is written
// or removed outside the tree.
func (f folders) visit(dir, rel string) (bool, error) {
	if is, known := f[rel]; known {
		return is, nil
	}
	if rel != "." {
		if above, err := f.visit(dir, path.Dir(rel)); err != nil || !above {
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
