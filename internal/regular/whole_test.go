package regular

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestHoldsAndSum(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	long := bytes.Repeat([]byte("0123456789"), 10000) // more than a buffer
	for name, content := range map[string][]byte{"long": long, "empty": {}, "short": []byte("abc")} {
		if err := Create(at(name), content); err != nil {
			t.Fatal(err)
		}
		if err := Create(at(name), content); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s is written again: %v", name, err)
		}
		if good, err := Holds(at(name), content); !good || err != nil {
			t.Errorf("%s does not hold what it does: %v", name, err)
		}
		if sum, good, err := Sum(at(name), int64(len(content))); !good || err != nil || sum != sha256.Sum256(content) {
			t.Errorf("%s: %x %v %v", name, sum, good, err)
		}
	}
	other := bytes.Clone(long)
	other[len(other)-1] ^= 1
	for name, content := range map[string][]byte{"long": other, "empty": []byte("a"), "short": []byte("abcd")} {
		if good, err := Holds(at(name), content); good || err != nil {
			t.Errorf("%s holds something else: %v", name, err)
		}
	}
	if _, good, err := Sum(at("long"), int64(len(long))-1); good || err != nil {
		t.Errorf("a file that is too large: %v %v", good, err)
	}
	if err := errors.Join(os.Symlink("short", at("link")), syscall.Mkfifo(at("fifo"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if l, err := net.Listen("unix", at("socket")); err != nil {
		t.Fatal(err)
	} else {
		defer l.Close()
	}
	for _, name := range []string{"link", "fifo", "socket"} {
		if good, err := Holds(at(name), []byte("abc")); good || err != nil {
			t.Errorf("%s: %v %v", name, good, err)
		}
		if _, good, err := Sum(at(name), 100); good || err != nil {
			t.Errorf("%s: %v %v", name, good, err)
		}
	}
	for _, name := range []string{"nothing", "short/below"} {
		if _, err := Holds(at(name), nil); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Holds(dir, nil); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder: %v", err)
	}
}
