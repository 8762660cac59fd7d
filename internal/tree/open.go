package tree

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/regular"
)

// A Disk is a tree as it was reviewed: on disk, whole, and with nothing else in
// it.
type Disk struct {
	Dir      string
	Manifest *Manifest
	Sum      string // of the manifest's bytes, SHA-256 in hex
	Stale    error  // inputs have changed since the build: the tree is whole, but not to be pushed
}

// Open reads a tree to push it. It is an error, which names every file at
// fault, where a file differs from what the manifest says or is not in it, or
// where an input has changed since the build: two branches can merge into a
// tree that no stack would give. release is plonec's own version: the scripts
// of the tree and the program that calls them have to be one.
func Open(dir, release string) (*Disk, error) {
	d, err := OpenOld(dir, release)
	if err == nil && d.Stale != nil {
		return nil, d.Stale
	}
	return d, err
}

// An OtherRelease is the error of a tree that another release of plonec built.
// What that wrote cannot be judged by this one.
type OtherRelease struct {
	Dir, Plonec string // the tree, and the release that its manifest names
	This        string
}

func (e *OtherRelease) Error() string {
	return fmt.Sprintf("%s was built by plonec %s, and this is plonec %s", e.Dir, e.Plonec, e.This)
}

// OpenOld reads a tree that need not be pushed: one that is whole but older
// than its inputs is no error.
func OpenOld(dir, release string) (*Disk, error) {
	d, err := Read(dir)
	if err != nil {
		return nil, err
	}
	m := d.Manifest
	if m.Plonec != release || m.Format != Format {
		return nil, &OtherRelease{dir, m.Plonec, release}
	}
	var stale []string
	for _, in := range m.Inputs.Files {
		// An input may be reached by a symbolic link.
		data, err := regular.Read(filepath.Join(dir, filepath.FromSlash(in.Path)), input.MaxBytes)
		if err != nil || Sum(data) != in.Sum {
			stale = append(stale, fmt.Sprintf("%s changed since the build", filepath.Clean(filepath.Join(dir, filepath.FromSlash(in.Path)))))
		}
	}
	faults, err := d.Faults()
	if err != nil {
		return nil, err
	}
	if len(faults) > 0 {
		return nil, faulty(dir+" is not what a build made", append(stale, faults...))
	}
	if len(stale) > 0 {
		d.Stale = faulty(dir+" is older than the stack", stale)
	}
	return d, nil
}

// Faults lists the files of a tree that are not what its manifest says, and those
// that it does not name; none where the tree is as a build made it.
func (d *Disk) Faults() ([]string, error) {
	m := d.Manifest
	known := map[string]bool{}
	for _, f := range m.Files {
		known[f.Rel()] = true
	}
	wrong := make([]bool, len(m.Files))
	parallel(len(m.Files), func(i int) error {
		data, err := d.Read(m.Files[i].Rel())
		wrong[i] = err != nil || Sum(data) != m.Files[i].Sum
		return nil
	})
	var faults []string
	for i, f := range m.Files {
		if wrong[i] {
			faults = append(faults, f.Rel()+" is not what the manifest says")
		}
	}
	foreign, err := foreign(d.Dir, known)
	for _, rel := range foreign {
		faults = append(faults, rel+" is not in the manifest")
	}
	return faults, err
}

// Read reads a tree of any release of plonec, to look at it: only its manifest
// is judged. Where there is none the error is fs.ErrNotExist.
func Read(dir string) (*Disk, error) {
	name := filepath.Join(dir, ManifestName)
	data, err := ReadManifest(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &noTree{dir}
	}
	if err != nil {
		return nil, err
	}
	apart, err := unmerged(dir)
	if err != nil {
		return nil, err
	}
	if len(sides(data)) > 1 || len(apart) > 0 {
		return nil, fmt.Errorf("%s is in conflict: run plonec build and commit what it makes", name)
	}
	m, err := Parse(data)
	if err != nil {
		return nil, Unreadable(name, err)
	}
	return &Disk{Dir: dir, Manifest: m, Sum: Sum(data)}, nil
}

// A noTree says that a folder holds no tree.
type noTree struct{ dir string }

func (e *noTree) Error() string {
	return fmt.Sprintf("%s has no tree: run plonec build, or give its folder with --tree", e.dir)
}

// Unwrap tells that it is not there.
func (e *noTree) Unwrap() error { return fs.ErrNotExist }

// faulty is the error of a tree that only a new build mends.
func faulty(what string, faults []string) error {
	const most = 10
	more := ""
	if n := len(faults) - most; n > 0 {
		faults, more = faults[:most], fmt.Sprintf("\n  and %d more", n)
	}
	return fmt.Errorf("%s: run plonec build, review and commit it\n  %s%s", what, strings.Join(faults, "\n  "), more)
}

// Path is where a file of the manifest lies.
func (d *Disk) Path(f File) string { return filepath.Join(d.Dir, f.Rel()) }

// Root is the folder of a host's own files, or with "*" of those of every
// host. It may not be there.
func (d *Disk) Root(host string) string {
	return filepath.Join(d.Dir, filepath.FromSlash(strings.TrimSuffix(File{Host: host}.Rel(), "/")))
}

// Read gives the content of a file of the tree, named relative to it. It is shown,
// so no folder on the way may be a symbolic link to somewhere else.
func (d *Disk) Read(rel string) ([]byte, error) {
	return regular.ReadHereBelow(d.Dir, filepath.FromSlash(rel), MaxFile)
}

// Sum is how the manifest has the sum of a file: SHA-256, in hex.
func Sum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// foreign lists what lies in a tree and is not known, sorted: files below common
// and hosts, and whatever else stands beside those. A .git is the repository's
// own, where the tree is all that it holds.
func foreign(dir string, known map[string]bool) ([]string, error) {
	top, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var list []string
	for _, e := range top {
		switch name := e.Name(); {
		case name == "common" || name == "hosts":
			below, err := foreignBelow(dir, name, known)
			if err != nil {
				return nil, err
			}
			list = append(list, below...)
		case name == ".git":
		case known[name], (name == ManifestName || name == readmeName) && e.Type().IsRegular():
		case e.IsDir():
			list = append(list, name+"/")
		default:
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list, nil
}

func foreignBelow(dir, below string, known map[string]bool) ([]string, error) {
	var list []string
	err := filepath.WalkDir(filepath.Join(dir, below), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if rel = filepath.ToSlash(rel); !known[rel] {
			list = append(list, rel)
		}
		return err
	})
	return list, err
}
