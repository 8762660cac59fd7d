package regular

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(os.WriteFile(at("file"), []byte("1234"), 0o644), os.Symlink("file", at("link")), os.Symlink("fifo", at("to-fifo")),
		os.Symlink("/dev/zero", at("to-zero")), os.Symlink("self", at("self")), os.Mkdir(at("folder"), 0o755), syscall.Mkfifo(at("fifo"), 0o644)); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", at("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for _, c := range []struct{ name, follow, here string }{
		{"file", "", ""},
		{"link", "", "a symbolic link"},
		{"self", "a symbolic link", "a symbolic link"},
		{"folder", "a folder", "a folder"},
		{"fifo", "a FIFO", "a FIFO"},
		{"to-fifo", "a FIFO", "a symbolic link"},
		{"to-zero", "a device", "a symbolic link"},
		{"socket", "a socket", "a socket"},
	} {
		for _, by := range []struct {
			read func(string, int64) ([]byte, error)
			want string
		}{{Read, c.follow}, {ReadHere, c.here}} {
			data, err := by.read(at(c.name), 4)
			if by.want == "" && (err != nil || string(data) != "1234") || by.want != "" && (err == nil || !strings.Contains(err.Error(), " is "+by.want+",")) {
				t.Errorf("%s: %q, %v; want %q", c.name, data, err, by.want)
			}
		}
	}
	if _, err := Read(at("file"), 3); err == nil || !strings.HasSuffix(err.Error(), "has more than 3 bytes") {
		t.Errorf("a file that is too large: %v", err)
	}
	if _, err := Read(at("no"), 3); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// Below a folder nothing is read that lies elsewhere, nor what is no file of a disk.
func TestReadBelow(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	top := filepath.Join(dir, "top")
	at := func(name string) string { return filepath.Join(top, name) }
	if err := errors.Join(os.MkdirAll(at("folder"), 0o755), os.WriteFile(at("folder/file"), []byte("1234"), 0o644), os.WriteFile(filepath.Join(dir, "secret"), []byte("1234"), 0o644),
		os.Symlink("folder/file", at("link")), os.Symlink("folder", at("to-folder")), os.Symlink("../secret", at("out")), os.Symlink("..", at("up")),
		os.Symlink(filepath.Join(dir, "secret"), at("absolute")), os.Symlink("/proc/self", at("proc")), syscall.Mkfifo(at("fifo"), 0o644)); err != nil {
		t.Fatal(err)
	}
	const leads, link = "by a symbolic link, out of ", "is a symbolic link, "
	for _, c := range []struct{ name, follow, here string }{
		{"folder/file", "", ""},
		{"to-folder/file", "", ""},
		{"link", "", link},
		{"out", leads, link},
		{"absolute", leads, link},
		{"up/secret", leads, leads},
		{"proc/status", leads, leads},
		{"../secret", "path escapes", "path escapes"},
		{"fifo", "a FIFO", "a FIFO"},
	} {
		for _, by := range []struct {
			read func(top, rel string, most int64) ([]byte, error)
			want string
		}{{ReadBelow, c.follow}, {ReadHereBelow, c.here}} {
			data, err := by.read(top, c.name, 4)
			if by.want == "" && (err != nil || string(data) != "1234") || by.want != "" && (err == nil || !strings.Contains(err.Error(), by.want)) {
				t.Errorf("%s: %q, %v; want %q", c.name, data, err, by.want)
			}
		}
	}
	if _, err := ReadBelow(top, "no", 4); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := ReadBelow(top, "folder/file", 3); err == nil || !strings.HasSuffix(err.Error(), "has more than 3 bytes") {
		t.Errorf("a file that is too large: %v", err)
	}
	if _, err := os.Stat("/proc/self/status"); err == nil {
		if data, err := ReadBelow("/proc/self", "status", 1<<20); err == nil || !strings.Contains(err.Error(), "is not a file on a disk") {
			t.Errorf("%q, %v", data, err)
		}
	}
}
