package git

import (
	"os"
	"path/filepath"
)

// InRepository is the path of a file in its git work tree, with slashes, as
// annotations name it. One outside of any stays as it is.
func InRepository(name string) string {
	if repo, err := Around(filepath.Dir(name)); err == nil && repo != nil {
		if rel, inside := repo.Rel(name); inside {
			return rel
		}
	}
	return filepath.ToSlash(name)
}

// FromHere is a path as seen from the working directory.
func FromHere(name string) string {
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
