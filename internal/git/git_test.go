package git

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// sh runs a script in a folder, with a git that knows nobody's configuration.
func sh(t *testing.T, dir, script string) string {
	t.Helper()
	c := exec.Command("bash", "-euc", script)
	c.Dir = dir
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.com", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.com")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// project makes a repository with a commit and goes there.
func project(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sh(t, dir, `git init -qb main; mkdir build; echo one >build/file; git add .; git commit -qm one`)
	t.Chdir(dir)
	return dir
}

func around(t *testing.T, dir string) *Repository {
	t.Helper()
	r, err := Around(dir)
	if err != nil || r == nil {
		t.Fatalf("%s: %v, %v", dir, r, err)
	}
	return r
}

func TestAround(t *testing.T) {
	dir := project(t)
	sh(t, dir, `git worktree add -q ../`+filepath.Base(dir)+`.tree; mkdir elsewhere; git init -q ../`+filepath.Base(dir)+`.other; ln -s ../`+filepath.Base(dir)+`.other out`)
	t.Cleanup(func() { os.RemoveAll(dir + ".tree"); os.RemoveAll(dir + ".other") })
	for _, c := range []struct{ here, of, top string }{
		{".", ".", dir},
		{".", "build", dir},
		{"build", "..", dir},
		{".", "not/there/yet", dir},
		{"elsewhere", "../build", dir},
		{".", dir + ".tree/build", dir + ".tree"},
		{dir + ".tree/build", ".", dir + ".tree"},
		{".", dir + ".other/build", dir + ".other"},
		{"/", dir + "/build", dir},
	} {
		if !filepath.IsAbs(c.here) {
			c.here = filepath.Join(dir, c.here)
		}
		t.Chdir(c.here)
		if r := around(t, c.of); r.Top != c.top {
			t.Errorf("in %s, around %s: %s", c.here, c.of, r.Top)
		}
	}
	t.Chdir("/")
	if r, err := Around(filepath.Dir(dir)); r != nil || err != nil {
		t.Errorf("where there is none: %v, %v", r, err)
	}
	t.Chdir(dir)
	if _, err := Around("out/build"); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("a link that leads out: %v", err)
	}
	// A worktree's .git is a file; its commit is its own.
	tree := around(t, dir+".tree")
	sh(t, dir+".tree", `echo two >build/file; git commit -qam two`)
	if got, want := tree.Ask("rev-parse", "HEAD"), strings.TrimSpace(sh(t, dir+".tree", `git rev-parse HEAD`)); got != want {
		t.Errorf("of a worktree: %q, not %q", got, want)
	}
}

// A folder that git would take for a repository is an error wherever it lies
// between the top and the folder that is looked at.
func TestRepositoryInside(t *testing.T) {
	dir := project(t)
	sh(t, dir, `
		mkdir -p bare/build && git init -q --bare bare
		mkdir -p linked/build && cp .git/HEAD linked/ && echo ../.git >linked/commondir
		git init -q own && mkdir own/build
		git init -q --bare build/x/y.git`)
	for _, of := range []string{"bare", "bare/build", "linked/build", "own/build", "build/x/y.git/z"} {
		if _, err := Around(of); err == nil || !strings.Contains(err.Error(), "is a git repository of its own") {
			t.Errorf("%s: %v", of, err)
		}
	}
	around(t, "build/x")
	t.Chdir("own") // the user's own
	around(t, "build")
	// The top itself is one only by its .git.
	sh(t, ".", `cp -r .git/* .; rm -r .git/*`)
	if out, err := around(t, ".").Run(nil, "rev-parse", "HEAD"); err == nil {
		t.Errorf("the top is taken for a repository: %s", out)
	}
}

// Nothing that a branch brings, and no variable of the caller, makes git run a
// program.
func TestRunsNothing(t *testing.T) {
	dir := project(t)
	ran := filepath.Join(dir, "ran")
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho \"$0 $*\" >>"+ran+"\ncat\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	sh(t, dir, `
		# the user's own configuration includes a file of the work tree, as some do
		git config include.path ../.gitconfig
		git config -f .gitconfig core.fsmonitor `+program+`
		git config -f .gitconfig core.pager `+program+`
		git config -f .gitconfig diff.external `+program+`
		git config -f .gitconfig filter.x.clean `+program+`
		git config -f .gitconfig diff.x.textconv `+program+`
		mkdir hooks; cp `+program+` hooks/post-index-change
		git config -f .gitconfig core.hooksPath hooks
		echo '* filter=x diff=x' >.gitattributes
		touch build/file`)
	t.Setenv("GIT_DIR", filepath.Join(dir, "elsewhere"))
	t.Setenv("GIT_INDEX_FILE", filepath.Join(dir, "no-index"))
	t.Setenv("GIT_EXTERNAL_DIFF", program)
	t.Setenv("GIT_CONFIG_COUNT", "1")
	t.Setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
	t.Setenv("GIT_CONFIG_VALUE_0", program)
	r := around(t, "build")
	commit := r.Ask("rev-parse", "HEAD")
	blobs, err := r.Blobs(commit, "build")
	if err != nil || len(blobs) != 1 {
		t.Fatalf("%v, %v", blobs, err)
	}
	contents, err := r.Contents([]string{blobs["build/file"]}, 100)
	if err != nil || string(contents[0]) != "one\n" {
		t.Errorf("%q, %v", contents, err)
	}
	if got := r.Ask("ls-files", "build"); got != "build/file" {
		t.Errorf("ls-files: %q", got)
	}
	if got := r.Ask("ls-files", ":(top)"); got != "" {
		t.Errorf("a path was taken for more: %q", got)
	}
	r.Ask("merge-base", commit, "HEAD")
	if said, err := os.ReadFile(ran); err == nil {
		t.Errorf("it ran %s", said)
	}
	// The same repository makes git run it where it is called as usual.
	c := exec.Command("git", "status")
	c.Dir, c.Env = dir, []string{"PATH=" + os.Getenv("PATH")}
	c.Run()
	if _, err := os.ReadFile(ran); err != nil {
		t.Error("git status ran nothing, so the test shows nothing")
	}
}

// What a partial clone lacks is not fetched: that runs what the remote's
// configuration names.
func TestFetchesNothing(t *testing.T) {
	dir := project(t)
	clone := filepath.Join(t.TempDir(), "clone")
	sh(t, dir, `git config uploadpack.allowFilter true; git clone -q --no-checkout --filter=blob:none file://`+dir+` `+clone)
	t.Chdir(clone)
	r := around(t, ".")
	blobs, err := r.Blobs(r.Ask("rev-parse", "HEAD"), "build")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Contents([]string{blobs["build/file"]}, 100); err == nil {
		t.Error("the blob was fetched")
	}
	sh(t, clone, `git cat-file blob `+blobs["build/file"]) // git alone does
}

func TestBlobs(t *testing.T) {
	dir := project(t)
	sh(t, dir, `ln -s file build/link; printf '\0\r\n' >"build/a b"; seq 1000 >build/large; mkdir 'build/:(top)'; echo x >'build/:(top)/x'; git add .; git commit -qm two`)
	r := around(t, ".")
	blobs, err := r.Blobs("HEAD", "build")
	if err != nil || len(blobs) != 4 {
		t.Fatalf("%v, %v", blobs, err)
	}
	if odd, err := r.Blobs("HEAD", "build/:(top)"); err != nil || len(odd) != 1 {
		t.Errorf("a path with magic: %v, %v", odd, err)
	}
	contents, err := r.Contents([]string{blobs["build/large"], blobs["build/a b"], blobs["build/file"]}, 100)
	if err != nil || contents[0] != nil || string(contents[1]) != "\x00\r\n" || string(contents[2]) != "one\n" {
		t.Errorf("%q, %v", contents, err)
	}
	for name, blob := range blobs {
		data, err := os.ReadFile(name)
		if err != nil || !IsBlob(data, blob) || IsBlob(append(data, '\n'), blob) {
			t.Errorf("%s: not %s (%v)", name, blob, err)
		}
	}
	if !IsID(blobs["build/file"]) || IsID("--help") || IsID("HEAD") || IsID(blobs["build/file"]+"\n") {
		t.Error("IsID")
	}
	if _, err := r.Run(nil, "cat-file", "-e", "HEAD:no"); err == nil || !strings.HasPrefix(err.Error(), "git cat-file: ") {
		t.Errorf("an error of git: %v", err)
	}
	var failed *Error
	if _, err := r.Run(nil, "merge-base", "--is-ancestor", blobs["build/file"], "HEAD"); !errors.As(err, &failed) || failed.Status == 0 {
		t.Errorf("an error of git: %v", err)
	}
}

// Git's own rule about folders of others holds, though it is told which they are.
func TestOthersRepository(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give a folder away")
	}
	dir := project(t)
	t.Setenv("HOME", t.TempDir())
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Fatal("not root's")
	}
	sh(t, dir, `chown -R 12345 .`)
	if _, err := around(t, ".").Run(nil, "rev-parse", "HEAD"); err == nil || !strings.Contains(err.Error(), "safe.directory "+dir) {
		t.Errorf("got %v", err)
	}
}
