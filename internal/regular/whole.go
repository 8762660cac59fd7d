package regular

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"sync"
	"syscall"
)

// A tree has tens of thousands of small files. What is here takes each in as few
// calls of the kernel as there can be, and leaves no garbage.

// Holds tells whether a name is that of a regular file with just this content. It is
// fs.ErrNotExist where nothing is there, and another error where a folder is.
func Holds(name string, content []byte) (bool, error) {
	rest := content
	size, err := pass(name, func(size int64) bool { return size == int64(len(content)) }, func(data []byte) bool {
		if len(data) > len(rest) || !bytes.Equal(data, rest[:len(data)]) {
			return false
		}
		rest = rest[len(data):]
		return true
	})
	return err == nil && size == int64(len(content)) && len(rest) == 0, err
}

// Sum is the SHA-256 of a regular file of at most that many bytes; false where it is
// none. The errors are those of Holds.
func Sum(name string, most int64) (sum [sha256.Size]byte, good bool, err error) {
	h := hashes.Get().(hash.Hash)
	defer hashes.Put(h)
	h.Reset()
	read := int64(0)
	size, err := pass(name, func(size int64) bool { return size <= most }, func(data []byte) bool {
		h.Write(data)
		read += int64(len(data))
		return read <= most
	})
	h.Sum(sum[:0])
	return sum, err == nil && read == size, err
}

var hashes = sync.Pool{New: func() any { return sha256.New() }}

var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// pass gives the content of a regular file to take, piece by piece, until that says
// that it has seen enough. The size is -1 where it is not a regular file, or one whose
// size is not wanted.
func pass(name string, wanted func(size int64) bool, take func([]byte) bool) (size int64, err error) {
	fd, err := again(func() (int, error) {
		// O_NONBLOCK: a FIFO is opened without waiting for its writer.
		return syscall.Open(name, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	})
	switch {
	case errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.ENXIO): // a symbolic link, a socket
		return -1, nil
	case errors.Is(err, syscall.ENOTDIR):
		return -1, fs.ErrNotExist
	case err != nil:
		return -1, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer syscall.Close(fd)
	var info syscall.Stat_t
	if err := syscall.Fstat(fd, &info); err != nil {
		return -1, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	switch {
	case info.Mode&syscall.S_IFMT == syscall.S_IFDIR:
		return -1, fmt.Errorf("%s is a folder, but plonec writes a file there: move it away", name)
	case info.Mode&syscall.S_IFMT != syscall.S_IFREG || !wanted(info.Size):
		return -1, nil
	}
	b := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(b)
	for left := info.Size; left > 0; {
		n, err := again(func() (int, error) { return syscall.Read(fd, b[:]) })
		if err != nil {
			return -1, &fs.PathError{Op: "read", Path: name, Err: err}
		}
		if n == 0 || !take(b[:n]) {
			return -1, nil // it became shorter just now, or is not what is looked for
		}
		left -= int64(n)
	}
	return info.Size, nil
}

// Create writes a new file, with the rights that the umask leaves of 0644.
func Create(name string, content []byte) error {
	fd, err := again(func() (int, error) {
		return syscall.Open(name, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_EXCL|syscall.O_CLOEXEC, 0o644)
	})
	if err != nil {
		return &fs.PathError{Op: "create", Path: name, Err: err}
	}
	for err == nil && len(content) > 0 {
		var n int
		n, err = again(func() (int, error) { return syscall.Write(fd, content) })
		content = content[max(n, 0):]
	}
	// A file system may say only now that it is full.
	if failed := syscall.Close(fd); err == nil {
		err = failed
	}
	if err != nil {
		return &fs.PathError{Op: "write", Path: name, Err: err}
	}
	return nil
}

// again calls the kernel until no signal interrupts it.
func again(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != syscall.EINTR {
			return n, err
		}
	}
}
