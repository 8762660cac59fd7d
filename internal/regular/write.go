package regular

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/plonec/plonec/internal/git"
)

// Write writes a file as a whole or not at all.
func Write(name string, data []byte, mode fs.FileMode) error {
	fail := func(err error) error {
		var path *fs.PathError // of the file beside it, whose name says nothing
		var link *os.LinkError
		switch {
		case errors.As(err, &path):
			err = path.Err
		case errors.As(err, &link):
			err = link.Err
		}
		return fmt.Errorf("%s cannot be written: %w", name, err)
	}
	if err := git.WritesThrough(name); err != nil {
		return err
	}
	target := name
	if there, err := filepath.EvalSymlinks(name); err == nil {
		target = there
		if info, err := os.Stat(there); err == nil && !info.Mode().IsRegular() {
			return fail(errors.New("it is not a regular file"))
		}
	}
	t, err := os.CreateTemp(filepath.Dir(target), ".plonec-*")
	if err != nil {
		return fail(err)
	}
	defer os.Remove(t.Name())
	_, err = t.Write(data)
	if err == nil {
		err = t.Chmod(mode)
	}
	if closed := t.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(t.Name(), target)
	}
	if err != nil {
		return fail(err)
	}
	return nil
}
