package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// TestNothingSteersATerminal gives files, folders, arguments and an edited tree names
// and texts that steer a terminal or change the direction of writing: nothing that
// plonec prints, or writes for a review, holds them.
func TestNothingSteersATerminal(t *testing.T) {
	const steers = "\u202e\u009b31m\x1b]0;x\x07"
	example, err := os.ReadFile("../../examples/single-host/stack.json")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", args[0], err, out)
		}
	}
	fit := func(what, text string) {
		t.Helper()
		for line := range strings.Lines(text) {
			if i := strings.IndexFunc(line, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }); i >= 0 {
				t.Errorf("%q: %q", what, line)
			}
		}
	}
	plonec := func(args ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		run(args, &out, &errs)
		fit(strings.Join(args, " "), out.String()+errs.String())
		if out.Len()+errs.Len() == 0 {
			t.Errorf("%q says nothing", args)
		}
	}

	git("init", "-q", "-b", "main")
	stack, dir := "s"+steers+".json", "t"+steers
	write(stack, string(example))
	write("trace.jsonnet", `std.trace("\u202e\u001b[31m", {k: 1})`)
	write("error.jsonnet", `error "\u202e\u001b[31m"`)
	write("bad.cue", "\"a\u202e\": 1 & 2\n")
	for _, args := range [][]string{
		{"build", stack}, {"build", stack, "-o", dir}, {"build", stack, "--format", "json"},
		{"check", stack}, {"check", stack, "--format", "json"}, {"check", stack, "--format", "github"}, {"check", stack, "--format", "sarif"},
		{"check", "no" + steers + ".json"}, {"check", "no" + steers + ".json", "--format", "github"},
		{"check", "trace.jsonnet"}, {"check", "error.jsonnet"}, {"check", "error.jsonnet", "--format", "json"}, {"check", "bad.cue"},
		{"explain", "x" + steers}, {"explain", "haproxy", stack}, {"x" + steers}, {"check", "--x" + steers},
		{"graph", stack}, {"graph", stack, "-o", "g" + steers + ".svg"},
		{"status", "--tree", dir, "--host", "nosuch"}, {"status", "--host", "x" + steers}, {"plan", "--layer", "x" + steers},
		{"init", "d" + steers}, {"init", "--from-opsworks", stack, "e" + steers}, {"man", "m" + steers},
	} {
		plonec(args...)
	}
	git("add", "-A")
	git("commit", "-q", "-m", "x"+steers)
	confs, _ := filepath.Glob("build/hosts/*/root/etc/nginx/nginx.conf")
	write(confs[0], "# "+steers+"\n")
	write("build/more"+steers, "")
	for _, args := range [][]string{
		{"diff"}, {"diff", "--full"}, {"diff", "--format", "json"}, {"diff", "--format", "markdown"}, {"diff", "--tree", dir}, {"diff", "--tree", dir, "--format", "markdown"},
		{"diff", "--against", "no" + steers}, {"build", "--check"}, {"build", "--check", "--format", "json"}, {"plan"}, {"apply", "--yes"},
	} {
		plonec(args...)
	}
	git("add", "-A")
	git("commit", "-q", "-m", "x"+steers)
	for _, args := range [][]string{{"diff", "--against", "HEAD"}, {"diff", "--against", "HEAD", "--format", "markdown"}, {"build"}} {
		plonec(args...)
	}

	for _, name := range []string{"build/README.md", "build/manifest.json", "e" + steers + "/MIGRATION.md", "e" + steers + "/stack.cue"} {
		text, err := os.ReadFile(filepath.FromSlash(name))
		if err != nil {
			t.Fatal(err)
		}
		fit(name, string(text))
	}
}
