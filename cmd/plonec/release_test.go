package main

import (
	"archive/zip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// command runs a program and returns what it prints.
func command(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), env...)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// sources is the git repository of plonec; of sources that came as an archive one
// is made.
func sources(t *testing.T) string {
	t.Helper()
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(repo, ".git")); err == nil {
		return repo
	}
	made := t.TempDir()
	command(t, made, nil, "sh", "-euc", `tar -C "$1" --exclude=./.cache -cf - . | tar -xf - && git init -q && git add . &&
		git -c user.name=t -c user.email=t@example.com commit -q -m sources`, "sh", repo)
	return made
}

// TestRelease makes the archive for this system twice, in two clones of the
// last commit that lie in different places, installs it, and runs what is in it.
func TestRelease(t *testing.T) {
	t.Parallel()
	repo := sources(t)
	platform := runtime.GOOS + "/" + runtime.GOARCH
	var sums [2]string
	var dist string
	for i := range sums {
		clone := filepath.Join(t.TempDir(), strings.Repeat("deep/", i)+"plonec")
		command(t, repo, nil, "git", "clone", "-q", "--no-hardlinks", repo, clone)
		dist = filepath.Join(clone, "dist")
		command(t, clone, nil, "testdata/release", "dist", platform)
		sum, err := os.ReadFile(filepath.Join(dist, "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = string(sum)
	}
	if sums[0] != sums[1] {
		t.Errorf("two builds of one commit differ:\n%s%s", sums[0], sums[1])
	}
	command(t, dist, nil, "sha256sum", "--check", "--strict", "SHA256SUMS")
	name := "plonec-" + release + "-" + runtime.GOOS + "-" + runtime.GOARCH
	list := command(t, dist, nil, "tar", "-xvzf", name+".tar.gz")
	for _, file := range []string{"plonec", "LICENSE", "README.md", "LICENSES-OF-LIBRARIES", "man/plonec-build.1", "completions/plonec.bash", "completions/_plonec", "completions/plonec.fish"} {
		if !strings.Contains(list, name+"/"+file+"\n") {
			t.Errorf("the archive has no %s:\n%s", file, list)
		}
	}
	installsFrom(t, dist)
	program := filepath.Join(dist, name, "plonec")
	commit := strings.TrimSpace(command(t, repo, nil, "git", "rev-parse", "HEAD"))
	if text := command(t, dist, nil, program, "version"); !strings.Contains(text, "commit "+commit[:12]) || strings.Contains(text, "modified") {
		t.Errorf("version says %s, of the commit %s", text, commit)
	}
	stack, err := filepath.Abs("../../examples/zeo/stack.json")
	if err != nil {
		t.Fatal(err)
	}
	command(t, t.TempDir(), nil, program, "build", stack, "-o", "build")
	notices, err := os.ReadFile(filepath.Join(dist, name, "LICENSES-OF-LIBRARIES"))
	if err != nil || !strings.Contains(string(notices), "== cuelang.org/go v") || !strings.Contains(string(notices), "== github.com/spf13/cobra v") {
		t.Errorf("the licences of libraries are not all there (%v)", err)
	}
}

// TestGoInstall installs a release from a module proxy, as go install does.
func TestGoInstall(t *testing.T) {
	t.Parallel()
	repo := sources(t)
	const module = "github.com/plonec/plonec"
	version := "v" + release
	proxy := t.TempDir()
	dir := filepath.Join(proxy, filepath.FromSlash(module), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(repo, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"list": version + "\n", version + ".info": `{"Version": "` + version + `"}`, version + ".mod": string(mod)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	archive, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(archive)
	for _, name := range strings.Split(strings.TrimSuffix(command(t, repo, nil, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"), "\x00"), "\x00") {
		info, err := os.Lstat(filepath.Join(repo, name))
		if err != nil || !info.Mode().IsRegular() {
			continue // removed and not committed, or a link
		}
		text, err := os.ReadFile(filepath.Join(repo, name))
		if err != nil {
			t.Fatal(err)
		}
		w, err := z.Create(module + "@" + version + "/" + name)
		if err == nil {
			_, err = w.Write(text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	others := strings.TrimSpace(command(t, repo, nil, "go", "env", "GOPROXY"))
	cache := strings.TrimSpace(command(t, repo, nil, "go", "env", "GOMODCACHE"))
	// A cache of its own: another try of this version must not count. What is
	// in the real one serves as a proxy too, and with -trimpath what go compiled of it
	// before serves again: else the folder of each package would be in its debug information.
	own := t.TempDir()
	env := []string{
		"GOBIN=" + bin, "GOMODCACHE=" + own, "GOFLAGS=-modcacherw -trimpath", "GONOSUMDB=" + module,
		"GOPROXY=file://" + proxy + ",file://" + cache + "/cache/download," + others,
	}
	command(t, t.TempDir(), env, "go", "install", module+"/cmd/plonec@"+version)
	text := command(t, bin, nil, filepath.Join(bin, "plonec"), "version")
	if want := "plonec " + release + ", go"; !strings.HasPrefix(text, want) {
		t.Errorf("version says %q, want %q…", text, want)
	}
	command(t, bin, nil, filepath.Join(bin, "plonec"), "build", filepath.Join(repo, "examples/zeo/stack.json"), "-o", filepath.Join(bin, "build"))
}
