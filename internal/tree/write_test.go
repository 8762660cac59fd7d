package tree

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/topology"
)

// A fake is a tree of a few files, host:path to content.
type fake struct {
	Tree
	files map[string]string
}

func small(t *testing.T, files map[string]string) *fake {
	t.Helper()
	f := &fake{Tree{&Manifest{Format: Format, Plonec: "test"}, []byte("# stack\n")}, files}
	for _, key := range sorted(files) {
		host, path, _ := strings.Cut(key, ":")
		f.Manifest.Files = append(f.Manifest.Files, File{Host: host, Path: path, Sum: Sum([]byte(files[key])), Mode: "0644", Owner: "root:root", Effect: []string{}})
	}
	return f
}

// put gives all files to a stage.
func (f *fake) put(s *Stage) error {
	for _, file := range f.Manifest.Files {
		if err := s.Put(file, []byte(f.files[file.Host+":"+file.Path])); err != nil {
			return err
		}
	}
	return nil
}

func (f *fake) Write(dir string) (*Changes, error) {
	s, err := Begin(dir)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := f.put(s); err != nil {
		return nil, err
	}
	c, err := s.Finish(&f.Tree)
	if err != nil {
		return nil, err
	}
	return c, s.Close()
}

func (f *fake) Compare(dir string) (*Changes, error) {
	s := Against(dir)
	if err := f.put(s); err != nil {
		return nil, err
	}
	return s.Finish(&f.Tree)
}

func sorted(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	for i := range keys {
		for j := i + 1; j < len(keys); j++ {
			if keys[j] < keys[i] {
				keys[i], keys[j] = keys[j], keys[i]
			}
		}
	}
	return keys
}

// list gives every file below dir with its content.
func list(t *testing.T, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, name)
		if d.IsDir() {
			if entries, _ := os.ReadDir(name); len(entries) == 0 {
				got[rel+"/"] = "empty folder"
			}
			return nil
		}
		if rel != ManifestName && rel != "README.md" {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			got[rel] = string(data)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func mustWrite(t *testing.T, tree *fake, dir string) *Changes {
	t.Helper()
	c, err := tree.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWritePrunesByManifestOnly(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, small(t, map[string]string{"*:/lib/a": "a", "h1:/etc/b": "b", "h2:/etc/deep/c": "c"}), dir)
	mine := filepath.Join(dir, "hosts/h2/root/etc/notes")
	if err := os.WriteFile(mine, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := mustWrite(t, small(t, map[string]string{"*:/lib/a": "a", "h1:/etc/b": "B!"}), dir)
	want := &Changes{Changed: []string{"hosts/h1/root/etc/b", ManifestName}, Removed: []string{"hosts/h2/root/etc/deep/c"}, Same: 2}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("changes: got %+v, want %+v", c, want)
	}
	wantFiles := map[string]string{"common/root/lib/a": "a", "hosts/h1/root/etc/b": "B!", "hosts/h2/root/etc/notes": "mine"}
	if got := list(t, dir); !reflect.DeepEqual(got, wantFiles) {
		t.Errorf("files: got %v, want %v", got, wantFiles)
	}
}

func TestUnchangedFilesKeepTheirTimes(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{"h1:/etc/b": "b", "h1:/etc/c": "c"}
	mustWrite(t, small(t, files), dir)
	past := time.Now().Add(-time.Hour).Truncate(time.Second)
	for _, rel := range []string{"hosts/h1/root/etc/b", "hosts/h1/root/etc/c", ManifestName, "README.md"} {
		if err := os.Chtimes(filepath.Join(dir, rel), past, past); err != nil {
			t.Fatal(err)
		}
	}
	if c := mustWrite(t, small(t, files), dir); !c.None() {
		t.Errorf("an unchanged tree changed: %+v", c)
	}
	files["h1:/etc/c"] = "C"
	mustWrite(t, small(t, files), dir)
	for rel, kept := range map[string]bool{"hosts/h1/root/etc/b": true, "hosts/h1/root/etc/c": false, "README.md": true} {
		info, err := os.Stat(filepath.Join(dir, rel))
		if err != nil {
			t.Fatal(err)
		}
		if info.ModTime().Equal(past) != kept {
			t.Errorf("%s: time kept is %v, want %v", rel, !kept, kept)
		}
	}
}

func TestForeignFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "README.md")
	if err := os.WriteFile(name, []byte("my own"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := small(t, map[string]string{"h1:/etc/b": "b"}).Write(dir); err == nil || !strings.Contains(err.Error(), "not a tree") {
		t.Errorf("got %v", err)
	}
	if data, _ := os.ReadFile(name); string(data) != "my own" {
		t.Errorf("README.md was overwritten: %q", data)
	}
}

func TestNothingLeavesTheTree(t *testing.T) {
	outside := t.TempDir()
	victim := filepath.Join(outside, "etc", "b")
	os.MkdirAll(filepath.Dir(victim), 0o755)
	os.WriteFile(victim, []byte("precious"), 0o644)

	t.Run("a symlinked folder", func(t *testing.T) {
		dir := t.TempDir()
		mustWrite(t, small(t, map[string]string{"h1:/etc/b": "b"}), dir)
		root := filepath.Join(dir, "hosts/h1/root")
		if err := errors.Join(os.RemoveAll(root), os.Symlink(outside, root)); err != nil {
			t.Fatal(err)
		}
		for _, files := range []map[string]string{{"h1:/etc/b": "new"}, {"h2:/x": "x"}} {
			if _, err := small(t, files).Write(dir); err == nil {
				t.Errorf("%v: written through a symlink", files)
			}
		}
	})
	t.Run("a manifest with dots", func(t *testing.T) {
		for _, f := range []string{`"host":"..","path":"/x"`, `"host":"h1","path":"/../../../../etc/b"`, `"host":"a/b","path":"/x"`, `"host":"h1","path":"x"`} {
			dir := t.TempDir()
			os.WriteFile(filepath.Join(dir, ManifestName), []byte(`{"format":2,"files":[{`+f+`}]}`), 0o644)
			if _, err := small(t, map[string]string{"h2:/x": "x"}).Write(dir); err == nil {
				t.Errorf("accepted %s", f)
			}
		}
	})
	t.Run("a symlink in place of a file", func(t *testing.T) {
		dir := t.TempDir()
		mustWrite(t, small(t, map[string]string{"h1:/etc/b": "b"}), dir)
		name := filepath.Join(dir, "hosts/h1/root/etc/b")
		if err := errors.Join(os.Remove(name), os.Symlink(victim, name)); err != nil {
			t.Fatal(err)
		}
		mustWrite(t, small(t, map[string]string{"h1:/etc/b": "b"}), dir)
		if info, _ := os.Lstat(name); !info.Mode().IsRegular() {
			t.Error("the symlink is still there")
		}
	})
	if data, _ := os.ReadFile(victim); string(data) != "precious" {
		t.Errorf("a file outside the tree became %q", data)
	}
}

func TestManifestInConflict(t *testing.T) {
	git := func(dir string, args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil && args[0] != "merge" {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	for _, attributes := range []string{"", "build/manifest.json -merge\n"} {
		repo := t.TempDir()
		dir := filepath.Join(repo, "build")
		git(repo, "init", "-q")
		os.WriteFile(filepath.Join(repo, ".gitattributes"), []byte(attributes), 0o644)
		mustWrite(t, small(t, map[string]string{"h1:/etc/base": "1"}), dir)
		git(repo, "add", ".")
		git(repo, "commit", "-qm", "base")
		git(repo, "checkout", "-qb", "other")
		mustWrite(t, small(t, map[string]string{"h1:/etc/base": "1", "h1:/etc/theirs": "1"}), dir)
		git(repo, "add", ".")
		git(repo, "commit", "-qm", "theirs")
		git(repo, "checkout", "-q", "main")
		mustWrite(t, small(t, map[string]string{"h1:/etc/base": "1", "h1:/etc/ours": "1"}), dir)
		git(repo, "add", ".")
		git(repo, "commit", "-qm", "ours")
		git(repo, "merge", "-q", "other")
		if out, _ := exec.Command("git", "-C", repo, "ls-files", "--unmerged").Output(); len(out) == 0 {
			t.Fatalf("attributes %q: the manifests did not conflict, so the test shows nothing", attributes)
		}
		mustWrite(t, small(t, map[string]string{"h1:/etc/base": "1"}), dir)
		want := map[string]string{"hosts/h1/root/etc/base": "1"}
		if got := list(t, dir); !reflect.DeepEqual(got, want) {
			t.Errorf("attributes %q: got %v, want %v", attributes, got, want)
		}
	}
}

// killed leaves a tree as a build leaves it that is killed when everything is in its
// place but the manifest.
func killed(t *testing.T, f *fake, dir string) {
	t.Helper()
	s, err := Begin(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest := filepath.Join(dir, ManifestName)
	before, _ := os.ReadFile(manifest)
	if err := f.put(s); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Finish(&f.Tree); err != nil {
		t.Fatal(err)
	}
	s.half = true
	s.Close()
	if err := os.Remove(manifest); err != nil {
		t.Fatal(err)
	}
	if before != nil {
		if err := os.WriteFile(manifest, before, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestKilledBuildLeavesNoOrphan(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, small(t, map[string]string{"h1:/etc/b": "b"}), dir)
	killed(t, small(t, map[string]string{"h1:/etc/b": "b", "h1:/etc/new": "n"}), dir)
	if _, err := os.Stat(filepath.Join(dir, "hosts/h1/root/etc/new")); err != nil {
		t.Fatal(err)
	}
	// One that does not come to its end in between changes nothing about it.
	s, err := Begin(dir)
	if err == nil {
		err = s.Put(File{Host: "h3", Path: "/x"}, []byte("x"))
	}
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, small(t, map[string]string{"h1:/etc/b": "b"}), dir)
	want := map[string]string{"hosts/h1/root/etc/b": "b"}
	if got := list(t, dir); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Until the last file is put nothing of a tree is another, and one that was not there
// is not there.
func TestNothingIsTouchedBeforeTheEnd(t *testing.T) {
	top := t.TempDir()
	dir, fresh := filepath.Join(top, "build"), filepath.Join(top, "deep", "fresh")
	mustWrite(t, small(t, map[string]string{"h1:/etc/b": "b", "h2:/c": "c"}), dir)
	before := list(t, dir)
	for _, at := range []string{dir, fresh} {
		s, err := Begin(at)
		if err != nil {
			t.Fatal(err)
		}
		if err := small(t, map[string]string{"h1:/etc/b": "B", "h3:/d": "d"}).put(s); err != nil {
			t.Fatal(err)
		}
		for rel := range list(t, at) {
			if before[rel] == "" && !strings.HasPrefix(rel, stageName) || at == fresh && before[rel] != "" {
				t.Errorf("%s is there before the end", rel)
			}
		}
		if data, _ := os.ReadFile(filepath.Join(at, "hosts/h1/root/etc/b")); at == dir && string(data) != "b" {
			t.Errorf("a file changed before the end: %q", data)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := list(t, dir); !reflect.DeepEqual(got, before) {
		t.Errorf("something is left: %v", got)
	}
	if _, err := os.Lstat(filepath.Dir(fresh)); err == nil {
		t.Error("the folder of the tree that was not finished is left")
	}
}

func TestFailedWriteLeavesTheOldTree(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, small(t, map[string]string{"h1:/etc/b": "b"}), dir)
	before := list(t, dir)
	for name, files := range map[string]map[string]string{
		"a folder in the way": {"h1:/etc": "a file", "h1:/etc2": "x"},
		"a file in the way":   {"h1:/etc/b/c": "x"},
	} {
		if _, err := small(t, files).Write(dir); err == nil {
			t.Errorf("%s: no error", name)
		}
		if got := list(t, dir); !reflect.DeepEqual(got, before) {
			t.Errorf("%s: got %v, want %v", name, got, before)
		}
	}
}

// A tree that would be larger than 1 GiB is none: rendering ends, and what is there stays.
func TestTooLargeATree(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, small(t, map[string]string{"h1:/etc/b": "b"}), dir)
	before := list(t, dir)
	whole := maxSize
	t.Cleanup(func() { maxSize = whole })
	stack := &topology.Topology{}
	m, err := Render(stack, Inputs{}, "test", nil) // what is common to all hosts
	if err != nil {
		t.Fatal(err)
	}
	s, err := Begin(dir)
	if err != nil {
		t.Fatal(err)
	}
	maxSize = 10_000 // less than the scripts have
	if _, err := Render(stack, Inputs{}, "test", s.Put); !errors.Is(err, errTooLarge) {
		t.Errorf("%d files of more than %d bytes: %v", len(m.Files), maxSize, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := list(t, dir); !reflect.DeepEqual(got, before) {
		t.Errorf("got %v, want %v", got, before)
	}
}

// A rename that fails half way takes back those before it.
func TestFailedActivationLeavesTheOldTree(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, small(t, map[string]string{"h1:/a": "a", "h1:/b": "b", "h1:/c": "c"}), dir)
	before := list(t, dir)
	next := small(t, map[string]string{"h1:/a": "A", "h1:/b": "B", "h1:/d": "d", "h2:/e": "e"})
	s, err := Begin(dir)
	if err == nil {
		err = next.put(s)
	}
	if err == nil {
		err = os.Remove(filepath.Join(s.new, "hosts/h1/root/b"))
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Finish(&next.Tree); err == nil {
		t.Fatal("it went well")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := list(t, dir); !reflect.DeepEqual(got, before) {
		t.Errorf("got %v, want %v", got, before)
	}
}

func TestKilledFirstBuild(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "build")
	killed(t, small(t, map[string]string{"h1:/etc/b": "b"}), dir)
	mustWrite(t, small(t, map[string]string{"h2:/etc/c": "c"}), dir)
	if got, want := list(t, dir), map[string]string{"hosts/h2/root/etc/c": "c"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// One byte that is another is found, whatever its file's times and size say.
func TestOneByteIsFound(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{"h1:/etc/b": "0123456789"}
	mustWrite(t, small(t, files), dir)
	name := filepath.Join(dir, "hosts/h1/root/etc/b")
	info, err := os.Stat(name)
	if err == nil {
		err = os.WriteFile(name, []byte("0123x56789"), 0o644)
	}
	if err == nil {
		err = os.Chtimes(name, info.ModTime(), info.ModTime())
	}
	if err != nil {
		t.Fatal(err)
	}
	if c := mustWrite(t, small(t, files), dir); !reflect.DeepEqual(c.Changed, []string{"hosts/h1/root/etc/b"}) {
		t.Errorf("%+v", c)
	}
	if data, _ := os.ReadFile(name); string(data) != files["h1:/etc/b"] {
		t.Errorf("it is still %q", data)
	}
}

func TestCompareNamesForeignFiles(t *testing.T) {
	dir := t.TempDir()
	tree := small(t, map[string]string{"h1:/etc/b": "b"})
	mustWrite(t, tree, dir)
	if c, err := tree.Compare(dir); err != nil || !c.None() {
		t.Fatalf("%+v %v", c, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hosts/h1/root/etc/extra"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := tree.Compare(dir)
	if err != nil || !reflect.DeepEqual(c.Foreign, []string{"hosts/h1/root/etc/extra"}) {
		t.Errorf("%+v %v", c, err)
	}
}

func TestTwoBuildsAtOnce(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := small(t, map[string]string{"h1:/a": "a"}).Write(dir); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v", err)
	}
	unlock()
	mustWrite(t, small(t, map[string]string{"h1:/a": "a"}), dir)
}

func TestManifestRoundTrip(t *testing.T) {
	m := &Manifest{
		Format: Format, Plonec: "1.2.3",
		Inputs: Inputs{Stack: []string{"../stack.json"}, Files: []Input{{Path: "../stack.json", Sum: "00"}}},
		Hosts: []Host{{Name: "h1", Address: "10.0.0.1", SSHAddress: "h1.example.org", Layers: []string{"lb"}, Status: "online",
			Services: []Service{{Unit: "nginx.service", Kind: "nginx", Rank: 2}}, Apps: []App{{Name: "plone", Config: "00", Storage: "ZEO zeo1:8001"}}, Packages: []string{"nginx"}, Setup: "00"}},
		Files:   []File{{Host: "h1", Path: "/etc/<b>", Sum: "00", Mode: "0644", Owner: "root:root", Effect: []string{"reload:nginx.service"}}},
		Secrets: []Secret{{Host: "h1", Path: "/k", Mode: "0600", Owner: "root:root", Effect: []string{}, Format: "raw", Entries: []SecretEntry{{Source: "env:K"}}}},
	}
	data, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(data)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	if !reflect.DeepEqual(got, m) {
		t.Errorf("got %+v, want %+v", got, m)
	}
	if _, err := Parse([]byte(`{"format": 99}`)); err == nil {
		t.Error("a manifest of another format was accepted")
	}
}

func FuzzSides(f *testing.F) {
	f.Add([]byte("a\n<<<<<<< x\nb\n=======\nc\n>>>>>>> y\nd\n"))
	f.Add([]byte("<<<<<<< x\n||||||| \nb\n=======\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, side := range sides(data) {
			if len(side) > len(data) {
				t.Errorf("a side is longer than the whole: %q", side)
			}
		}
		if m, err := Parse(data); err == nil {
			for _, file := range m.Files {
				if rel := file.Rel(); !filepath.IsLocal(rel) {
					t.Errorf("%q leaves the tree", rel)
				}
			}
		}
	})
}

// TestManifestIsJudged gives a manifest what no build writes of what a host is: its
// words go into questions and commands.
func TestManifestIsJudged(t *testing.T) {
	for _, c := range []struct{ host, says string }{
		{`"apps":[{"name":"a b"}]`, "an app with an invalid name"},
		{`"apps":[{"name":"a"},{"name":"a"}]`, "the app a on h1 twice"},
		{`"services":[{"unit":"x\ny.service"}]`, "a service with an invalid unit"},
		{`"services":[{"unit":"nginx"}]`, "a service with an invalid unit"},
		{`"services":[{"unit":"x.service","kind":"nginx"},{"unit":"x.service","kind":"nginx"}]`, "x.service on h1 twice"},
		{`"services":[{"unit":"x.service","app":"b"}]`, "that h1 does not have"},
		{`"services":[{"unit":"x.service","server":"a b"}]`, "a server with an invalid name"},
	} {
		_, err := Parse([]byte(`{"format":2,"hosts":[{"name":"h1",` + c.host + `}]}`))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v", c.host, err)
		}
	}
	if m, err := Parse([]byte(`{"format":1,"hosts":[{"name":"h1"}]}`)); err != nil || len(m.Hosts) != 1 {
		t.Errorf("one of format 1: %v", err)
	}
}
