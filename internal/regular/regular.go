// Package regular reads files that a stranger's branch may have put there: what
// waits for a writer, never ends or fills the memory is refused, not read.
package regular

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Read gives the content of a regular file of at most that many bytes, also of
// one that a symbolic link leads to. One that is not there is fs.ErrNotExist.
func Read(name string, most int64) ([]byte, error) {
	return read(name, most, 0)
}

// ReadHere is the same for a file in whose place no symbolic link may be.
func ReadHere(name string, most int64) ([]byte, error) {
	return read(name, most, syscall.O_NOFOLLOW)
}

// ReadBelow gives the content of a file below a folder, with its path from there.
// No symbolic link, of its own or of a folder on the way, may lead out of that
// folder, and what the kernel makes up as it is read, as in /proc, is refused: a
// branch may bring links to anything that whoever runs plonec can read.
func ReadBelow(top, rel string, most int64) ([]byte, error) {
	return readBelow(top, rel, most, true)
}

// ReadHereBelow is the same for a file in whose place no symbolic link may be.
func ReadHereBelow(top, rel string, most int64) ([]byte, error) {
	return readBelow(top, rel, most, false)
}

func readBelow(top, rel string, most int64, follow bool) ([]byte, error) {
	name := filepath.Join(top, rel)
	root, err := os.OpenRoot(top)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if info, err := root.Lstat(rel); err == nil && !follow && info.Mode()&fs.ModeSymlink != 0 {
		return nil, fmt.Errorf("%s is a symbolic link, not a file", name)
	}
	file, err := root.OpenFile(rel, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		if real, failed := filepath.EvalSymlinks(name); failed == nil && real != name {
			return nil, fmt.Errorf("%s leads to %s by a symbolic link, out of %s", name, real, top)
		}
	}
	data, err := content(name, file, err, most)
	if err == nil {
		if info, err := root.Stat(rel); err != nil || info.Size() != int64(len(data)) {
			return nil, fmt.Errorf("%s does not have the size of its content: it changed just now, or is not a file on a disk", name)
		}
	}
	return data, err
}

func read(name string, most int64, flags int) ([]byte, error) {
	// O_NONBLOCK: a FIFO is opened without waiting for its writer.
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|flags, 0)
	return content(name, file, err, most)
}

// content reads what was opened, or says why it was not.
func content(name string, file *os.File, err error, most int64) ([]byte, error) {
	switch {
	case errors.Is(err, syscall.ENXIO):
		return nil, fmt.Errorf("%s is a socket, not a file", name)
	case errors.Is(err, syscall.ELOOP):
		return nil, fmt.Errorf("%s is a symbolic link, not a file", name)
	case err != nil:
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is %s, not a file", name, kind(info.Mode()))
	}
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(data)) > most {
		return nil, fmt.Errorf("%s has more than %s", name, size(most))
	}
	return data, err
}

func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "no regular file"
}

func size(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}
