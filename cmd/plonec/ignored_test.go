package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/tree"
)

// What the message says keeps every file of a tree in git, which git itself
// judges: the lines are written where it says, and everything is added.
func TestIgnoredTree(t *testing.T) {
	names := []string{"common/root/usr/local/lib/plonec/host", "hosts/app1/root/etc/haproxy/haproxy.cfg", "hosts/app1/root/etc/plonec/app/deploy.cfg"}
	m := &tree.Manifest{}
	for _, name := range names {
		host, path, _ := strings.Cut(strings.TrimPrefix(name, "hosts/"), "/root")
		if host == "common" {
			host = "*"
		}
		m.Files = append(m.Files, tree.File{Host: host, Path: path})
	}
	const again, takeOut = "include the tree again at the end of ", "take that line out of "
	for name, c := range map[string]struct {
		tree     string
		patterns map[string]string // by file
		remedy   string            // how it begins; empty: nothing is ignored
	}{
		"nothing":            {"build", map[string]string{".gitignore": "*.pyc\n/other/\n"}, ""},
		"a folder":           {"build", map[string]string{".gitignore": "build/\n"}, again + ".gitignore\n"},
		"a folder at a time": {"build", map[string]string{".gitignore": "/build"}, again + ".gitignore\n"}, // no line end
		"a folder below":     {"build", map[string]string{".gitignore": "lib/\n"}, again + ".gitignore\n"},
		"an ending":          {"build", map[string]string{".gitignore": "*.cfg\n"}, again + ".gitignore\n"},
		"anywhere":           {"build", map[string]string{".gitignore": "**/host*\n"}, again + ".gitignore\n"},
		"all":                {"build", map[string]string{".gitignore": "*\n"}, again + ".gitignore\n"},
		"all of it":          {"build", map[string]string{".gitignore": "/build/**\n"}, again + ".gitignore\n"},
		"several":            {"build", map[string]string{".gitignore": "build\nlib/\n*.cfg\n"}, again + ".gitignore\n"},
		"taken in too soon":  {"build", map[string]string{".gitignore": "!/build/\n!/build/**\nlib/\n"}, again + ".gitignore\n"},
		"taken in in part":   {"build", map[string]string{".gitignore": "*.cfg\n!deploy.cfg\n"}, again + ".gitignore\n"},
		"taken in":           {"build", map[string]string{".gitignore": "build/\nlib/\n!/build/\n!/build/**\n"}, ""},
		"by this clone":      {"build", map[string]string{".git/info/exclude": "lib/\n"}, again + ".gitignore\n"},
		"by this user":       {"build", map[string]string{"home/.config/git/ignore": "*.cfg\nhome/\n"}, again + ".gitignore\n"},
		"from above":         {"ops/build", map[string]string{".gitignore": "build/\n"}, again + "ops/.gitignore\n"},
		"from beside":        {"ops/build", map[string]string{"ops/.gitignore": "build\n", ".gitignore": "lib\n"}, again + "ops/.gitignore\n"},
		"its folder":         {"ops/build", map[string]string{".gitignore": "ops/\n"}, takeOut + ".gitignore, or build"},
		"from inside":        {"build", map[string]string{"build/hosts/.gitignore": "*.cfg\n"}, takeOut + "build/hosts/.gitignore"},
		"odd names":          {"b [*]' ?d", map[string]string{".gitignore": "b*\n"}, again + ".gitignore\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("HOME", filepath.Join(dir, "home"))
			t.Setenv("XDG_CONFIG_HOME", "")
			os.Unsetenv("XDG_CONFIG_HOME")
			t.Chdir(dir)
			command(t, dir, nil, "git", "init", "-q")
			put := func(name, content string) {
				name = filepath.Join(dir, name)
				file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
				if err != nil && os.MkdirAll(filepath.Dir(name), 0o755) == nil {
					file, err = os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
				}
				if err == nil {
					_, err = file.WriteString(content)
					file.Close()
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			put(filepath.Join(filepath.Dir(c.tree), "stack.json"), "{}")
			for name, patterns := range c.patterns {
				put(name, patterns)
			}
			at := filepath.Join(dir, c.tree)
			err := refuseIgnored(at, m.Names()) // before the first build, too
			if c.remedy == "" {
				if err != nil {
					t.Fatal(err)
				}
			} else {
				if err == nil {
					t.Fatal("it is not refused")
				}
				_, remedy, _ := strings.Cut(err.Error(), "hosts get only what is committed: ")
				if !strings.HasPrefix(remedy, c.remedy) {
					t.Fatalf("got %v", err)
				}
				if _, add, found := strings.Cut(remedy, "\n  "); found {
					command(t, dir, nil, "sh", "-c", add)
				} else {
					for name := range c.patterns {
						if err := os.Remove(filepath.Join(dir, name)); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			if err := refuseIgnored(at, m.Names()); err != nil {
				t.Fatalf("what is said does not help: %v", err)
			}
			for _, name := range m.Names() {
				put(filepath.Join(c.tree, name), "x")
			}
			command(t, dir, nil, "git", "add", ".")
			got := strings.Split(strings.TrimSuffix(command(t, dir, nil, "git", "ls-files", "-z", "--", ":(literal)"+c.tree), "\x00"), "\x00")
			for _, name := range m.Names() {
				if name = c.tree + "/" + name; !slices.Contains(got, name) {
					t.Errorf("git does not keep %s: %q", name, got)
				}
			}
		})
	}
}

// What was added all the same stays in git, and what git does not know yet does
// not come in by itself.
func TestIgnoredAndTracked(t *testing.T) {
	dir := t.TempDir()
	command(t, dir, nil, "git", "init", "-q")
	m := &tree.Manifest{Files: []tree.File{{Host: "*", Path: "/a.cfg"}}}
	for _, name := range append(m.Names(), "../.gitignore") {
		name = filepath.Join(dir, "build", name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("*.cfg\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	command(t, dir, nil, "git", "add", "-f", ".")
	if err := refuseIgnored(filepath.Join(dir, "build"), m.Names()); err != nil {
		t.Error(err)
	}
	m.Files = append(m.Files, tree.File{Host: "h", Path: "/b.cfg"})
	if err := refuseIgnored(filepath.Join(dir, "build"), m.Names()); err == nil || !strings.Contains(err.Error(), "build/hosts/h/root/b.cfg out of commits (.gitignore:1: *.cfg)") {
		t.Errorf("got %v", err)
	}
}
