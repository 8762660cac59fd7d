package tree

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

func TestRecorded(t *testing.T) {
	repo := t.TempDir()
	if out, err := exec.Command("git", "init", "-q", repo).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dir := filepath.Join(repo, "build")
	files := map[string]string{}
	for i := range worthRecording {
		files[fmt.Sprintf("h1:/etc/%d", i)] = "0123456789"
	}
	f := small(t, files)
	key := func(is string) func() (string, error) { return func() (string, error) { return is, nil } }
	s, err := Begin(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.put(s); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Finish(&f.Tree); err != nil {
		t.Fatal(err)
	}
	s.Remember(key("k"), &f.Tree)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	recorded := func(is, readme string) bool {
		t.Helper()
		s, err := Begin(dir)
		if err != nil { // no tree at all, without its manifest
			return false
		}
		defer s.Close()
		names := s.Recorded(key(is), []byte(readme))
		if names != nil && len(names) != worthRecording+2 {
			t.Errorf("%d files", len(names))
		}
		return names != nil
	}
	readme := string(f.Readme)
	if !recorded("k", readme) {
		t.Fatal("the tree is not known")
	}
	if recorded("another", readme) || recorded("k", "another") {
		t.Error("a tree of other inputs is known")
	}
	for what, change := range map[string]func(name string) error{
		"one byte, with size and time set back": func(name string) error {
			info, err := os.Stat(name)
			if err == nil {
				err = os.WriteFile(name, []byte("0123x56789"), 0o644)
			}
			if err == nil {
				err = os.Chtimes(name, time.Time{}, info.ModTime())
			}
			return err
		},
		"a file that is gone": os.Remove,
		"a link to the same": func(name string) error {
			if err := os.Rename(name, filepath.Join(repo, "same")); err != nil {
				return err
			}
			return os.Symlink(filepath.Join(repo, "same"), name)
		},
		"a folder that is a link": func(name string) error {
			etc := filepath.Dir(name)
			if err := os.Rename(etc, filepath.Join(repo, "etc")); err != nil {
				return err
			}
			return os.Symlink(filepath.Join(repo, "etc"), etc)
		},
	} {
		for _, rel := range []string{"hosts/h1/root/etc/7", ManifestName} {
			if filepath.Dir(rel) == "." && what == "a folder that is a link" {
				continue
			}
			name := filepath.Join(dir, rel)
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := change(name); err != nil {
				t.Fatal(err)
			}
			if recorded("k", readme) {
				t.Errorf("%s: %s is not seen", rel, what)
			}
			if what == "a folder that is a link" {
				os.Remove(filepath.Dir(name))
				os.Rename(filepath.Join(repo, "etc"), filepath.Dir(name))
			}
			os.Remove(name)
			if err := os.WriteFile(name, content, 0o644); err != nil {
				t.Fatal(err)
			}
			if !recorded("k", readme) {
				t.Fatal("the tree is whole again, and is not known")
			}
		}
	}
}
