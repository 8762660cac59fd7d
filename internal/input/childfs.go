package input

import (
	"bytes"
	"io/fs"
	"path"
	"path/filepath"
	"time"
)

// childFS shows the repo to CUE's loader: folders, and regular files, which
// are noted as read.
type childFS struct{ files *childFiles }

// Open implements fs.FS.
func (c childFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	info, err := c.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return c.files.repo.root.Open(filepath.FromSlash(name))
	}
	data, p := c.files.read(name)
	if p != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return &memFile{Reader: *bytes.NewReader(data), info: memInfo{path.Base(name), int64(len(data))}}, nil
}

// Stat implements fs.StatFS. A file that would not be read is not there.
func (c childFS) Stat(name string) (fs.FileInfo, error) {
	if i := c.files.index(name); i > 0 {
		return memInfo{path.Base(name), int64(len(c.files.reads[i-1].data))}, nil
	}
	local, err := filepath.Localize(name)
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrInvalid}
	}
	info, err := c.files.repo.root.Stat(local)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() && !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrPermission}
	}
	return info, nil
}

// A memFile is a file that was read.
type memFile struct {
	bytes.Reader
	info memInfo
}

// Stat implements fs.File.
func (f *memFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// Close implements fs.File.
func (f *memFile) Close() error { return nil }

type memInfo struct {
	name string
	size int64
}

func (i memInfo) Name() string     { return i.name }
func (i memInfo) Size() int64      { return i.size }
func (memInfo) Mode() fs.FileMode  { return 0o444 }
func (memInfo) ModTime() time.Time { return time.Time{} }
func (memInfo) IsDir() bool        { return false }
func (memInfo) Sys() any           { return nil }
