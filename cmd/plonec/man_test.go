package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

// TestManPages lets man and mandoc read every page.
func TestManPages(t *testing.T) {
	dir := t.TempDir()
	var said strings.Builder
	if code := run([]string{"man", dir}, &said, &said); code != exitDone {
		t.Fatal(said.String())
	}
	pages, err := filepath.Glob(dir + "/*.1")
	if err != nil || len(pages) < 20 {
		t.Fatalf("%d pages (%v)", len(pages), err)
	}
	out, _ := exec.Command("mandoc", append([]string{"-T", "lint", "-W", "warning"}, pages...)...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if !strings.Contains(line, "missing date") { // a test's program has no commit
			t.Error("mandoc: " + line)
		}
	}
	for _, page := range pages {
		cmd := exec.Command("man", "--warnings", "-l", page)
		cmd.Env = append(os.Environ(), "MANWIDTH=80", "LC_ALL=C.UTF-8", "MANROFFOPT=-Wbreak")
		var complaints strings.Builder
		cmd.Stderr = &complaints
		text, err := cmd.Output()
		if err != nil || complaints.Len() > 0 {
			t.Errorf("man: %s: %v (make tools installs it)\n%s", filepath.Base(page), err, complaints.String())
		}
		// What begins with a point is a line, and no command of roff's.
		if strings.HasSuffix(page, "plonec-run.1") && !strings.Contains(string(text), "plonec run pack") {
			t.Errorf("the page of run has no example:\n%s", text)
		}
	}
	if text := roff(".x\n'y\na\\b-c"); text != "\\&.x\n\\&'y\na\\eb\\-c" {
		t.Errorf("roff makes %q", text)
	}
}

// TestVersion reads what Go writes into a program.
func TestVersion(t *testing.T) {
	info := func(version string, settings ...string) *debug.BuildInfo {
		i := &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: version}}
		for n := 0; n < len(settings); n += 2 {
			i.Settings = append(i.Settings, debug.BuildSetting{Key: settings[n], Value: settings[n+1]})
		}
		return i
	}
	for want, got := range map[string]*debug.BuildInfo{
		release + ", go1.26.0": info("v" + release), // go install …@v0.1.0
		release + ", commit 0123456789ab, go1.26.0, linux/arm64":     info("v"+release, "vcs.revision", "0123456789abcdef", "vcs.modified", "false", "GOOS", "linux", "GOARCH", "arm64"),
		release + ", devel, commit 0123456789ab, modified, go1.26.0": info("v0.0.0-20260101000000-0123456789ab+dirty", "vcs.revision", "0123456789abcdef", "vcs.modified", "true"),
		release + ", devel, go1.26.0":                                info("(devel)"),
	} {
		if text := describe(got); text != want {
			t.Errorf("want %q, got %q", want, text)
		}
	}
}
