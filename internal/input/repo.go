package input

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	pathpkg "path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/plonec/plonec/internal/diag"
)

// A repo is the folder that files are read from and never left: the git work
// tree around a stack, or the stack's own folder.
type repo struct {
	dir  string // absolute, without symbolic links
	root *os.Root
}

// A problem is why a file is not read.
type problem struct{ Code, Message, Remedy string }

func (p *problem) at(span diag.Span) diag.Diagnostic {
	return diag.Diagnostic{Code: p.Code, Span: span, Message: p.Message, Remedy: p.Remedy}
}

// repoDir finds the repo's folder for a file and the file's path in it, with
// slashes.
func repoDir(name string) (dir, rel string, _ *problem) {
	abs, err := filepath.Abs(filepath.Dir(name))
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return "", "", problemOf(err)
	}
	dir = abs
	for up := abs; ; up = filepath.Dir(up) {
		if up == filepath.Dir(up) { // the root of the file system is no repository to trust
			break
		}
		if _, err := os.Lstat(filepath.Join(up, ".git")); err == nil {
			dir = up
			break
		}
	}
	rel, err = filepath.Rel(dir, filepath.Join(abs, filepath.Base(name)))
	if err != nil {
		return "", "", problemOf(err)
	}
	return dir, filepath.ToSlash(rel), nil
}

// Beside reads a file that the value at a place names by its path, from the folder of
// the file that says the value; first is that file where the place does not tell. It is
// read as what a stack imports is: from within the repository alone.
func Beside(at diag.Span, first, path string) (Read, *diag.Diagnostic) {
	if at.File != nil {
		first = at.File.Name
	}
	refused := func(p *problem) (Read, *diag.Diagnostic) {
		d := p.at(at)
		d.Message = path + ": " + d.Message
		return Read{}, &d
	}
	if filepath.IsAbs(path) {
		return refused(&problem{"outside", "an absolute path is that of one machine", "copy the file into the repository, and write its path from the stack's folder"})
	}
	name := filepath.Join(filepath.Dir(first), filepath.FromSlash(path))
	dir, rel, p := repoDir(first)
	if p != nil {
		return refused(p)
	}
	rel = pathpkg.Join(pathpkg.Dir(rel), path)
	repo, p := openRepo(dir)
	if p != nil {
		return refused(p)
	}
	defer repo.root.Close()
	data, p := repo.read(rel)
	if p != nil {
		return refused(p)
	}
	return newRead(name, data, false), nil
}

func openRepo(dir string) (*repo, *problem) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, problemOf(err)
	}
	return &repo{dir, root}, nil
}

// read returns the content of a regular file, its path relative to the repo
// and with slashes. It waits for nothing: a FIFO or a device is refused.
func (r *repo) read(rel string) ([]byte, *problem) {
	local, err := filepath.Localize(rel)
	if err != nil {
		return nil, outside()
	}
	info, err := r.root.Stat(local)
	if err != nil {
		return nil, problemOf(err)
	}
	if p := notRegular(info); p != nil {
		return nil, p
	}
	if real, err := filepath.EvalSymlinks(filepath.Join(r.dir, local)); err != nil || insideGit(r.dir, real) {
		return nil, &problem{"outside", "git's own files are not read", ""}
	}
	file, err := r.root.OpenFile(local, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, problemOf(err)
	}
	defer file.Close()
	if info, err = file.Stat(); err != nil {
		return nil, problemOf(err)
	}
	if p := notRegular(info); p != nil {
		return nil, p
	}
	return readAll(file)
}

// readAll reads at most MaxBytes.
func readAll(from io.Reader) ([]byte, *problem) {
	data, err := io.ReadAll(io.LimitReader(from, MaxBytes+1))
	switch {
	case err != nil:
		return nil, problemOf(err)
	case len(data) > MaxBytes:
		return nil, &problem{"too-large", fmt.Sprintf("the file has more than %d MiB", MaxBytes>>20), ""}
	}
	return data, nil
}

func insideGit(dir, real string) bool {
	rel, err := filepath.Rel(dir, real)
	return err != nil || slices.Contains(strings.Split(rel, string(filepath.Separator)), ".git")
}

func notRegular(info fs.FileInfo) *problem {
	what := ""
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		what = "a folder"
	case mode&fs.ModeNamedPipe != 0:
		what = "a FIFO"
	case mode&fs.ModeDevice != 0:
		what = "a device"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	default:
		what = "no regular file"
	}
	return &problem{"no-file", "want a regular file, got " + what, ""}
}

func outside() *problem {
	return &problem{"outside", "the file lies outside the repository", "copy it into the repository"}
}

// problemOf says what a system error means, without the paths in it.
func problemOf(err error) *problem {
	var pathError *fs.PathError
	if errors.As(err, &pathError) && strings.Contains(pathError.Err.Error(), "escapes") {
		return outside() // package os has no exported error for it
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return &problem{"no-file", "no such file", ""}
	case errors.Is(err, fs.ErrPermission):
		return &problem{"no-file", "this user may not read the file", ""}
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return &problem{"no-file", "the file cannot be read: " + strings.ToLower(errno.Error()), ""}
	}
	return &problem{"no-file", "the file cannot be read", ""}
}
