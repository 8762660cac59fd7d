package input

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// newRepo makes a git work tree of the files, whose names may have folders,
// and returns it.
func newRepo(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestLimitsOfPrograms gives programs that are large or slow, but end, with each limit made
// so small that they cross it. With the usual limits all of them are read: it is
// the limit that stops them, and no input of this test harms any other program.
func TestLimitsOfPrograms(t *testing.T) {
	terms := "x: 1" + strings.Repeat("+1", 4_000) + "\n"
	for _, c := range []struct {
		name, file, content string
		small               Options
		message             string
	}{
		{"time in CUE", "a.cue", "import \"list\"\nx: len([for a in list.Range(0, 100, 1) for b in list.Range(0, 100, 1) {a + b}])\n",
			Options{Timeout: 20 * time.Millisecond}, "does not end within 20ms"},
		{"time in Jsonnet", "a.jsonnet", "{ a: std.foldl(function(a, b) a + b, std.range(1, 100000), 0) }",
			Options{Timeout: 20 * time.Millisecond}, "does not end within 20ms"},
		{"memory in CUE", "a.cue", "import \"list\"\nx: len(list.Range(0, 1000000, 1))\n",
			Options{limits: limits{Memory: 8 << 20}}, "memory"},
		{"memory in Jsonnet", "a.jsonnet", "{ a: std.length(std.range(1, 3000000)) }",
			Options{limits: limits{Memory: 8 << 20}}, "memory"},
		{"stack in CUE", "a.cue", terms, Options{limits: limits{Stack: 256 << 10}}, "is nested too deep"},
		{"stack in Jsonnet", "a.jsonnet", "{ " + terms + "}", Options{limits: limits{Stack: 256 << 10}}, "is nested too deep"},
		{"output of CUE", "a.cue", "x: " + strings.Repeat("1", 3) + "\ny: \"" + strings.Repeat("text ", 1000) + "\"\n",
			Options{limits: limits{Output: 1 << 10}}, "gives more than"},
		{"output of Jsonnet", "a.jsonnet", "{ a: std.repeat('text ', 1000) }", Options{limits: limits{Output: 1 << 10}}, "gives more than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := filepath.Join(newRepo(t, map[string]string{c.file: c.content}), c.file)
			if result, list := Load([]string{name}, Options{Timeout: 5 * time.Minute}); result.Tree == nil {
				t.Fatalf("with the usual limits: %v", list)
			}
			_, list := Load([]string{name}, c.small)
			if len(list) == 0 || list[0].Code != "eval-limit" || !strings.Contains(list[0].Message, c.message) {
				t.Errorf("want eval-limit, %s; got %v", c.message, list)
			}
			checkList(t, list)
		})
	}
}

// TestLargeTexts gives texts that are a little beyond what a stack may have.
func TestLargeTexts(t *testing.T) {
	for _, c := range []struct {
		name, file, content string
		code                string
	}{
		{"large exponent in CUE", "a.cue", "x: 1e400\n", "bad-number"},
		{"computed exponent in CUE", "a.cue", "x: 1e300 * 1e300\n", "bad-number"},
		{"long number in CUE", "a.cue", "x: " + strings.Repeat("9", MaxNumber+1) + "\n", "bad-number"},
		{"deep in CUE", "a.cue", "x: " + nested("[", "0", "]", MaxDepth+1) + "\n", "too-large"},
		{"calls in Jsonnet", "a.jsonnet", "local f(x) = if x == 0 then 0 else 1 + f(x - 1); { a: f(600) }", "eval-limit"},
		{"large exponent in Jsonnet", "a.jsonnet", "{ a: 1e400 }", "bad-number"},
		{"deep in Jsonnet", "a.jsonnet", nested("{a:", "0", "}", MaxDepth+1), "too-large"},
		{"a sum in JSON", "a.json", "{\"x\": 1+1}", "syntax"},
		{"large exponent in JSON", "a.json", "{\"x\": 1e400}", "bad-number"},
		{"deep in JSON", "a.json", nested(`{"a":`, "0", "}", MaxDepth+1), "too-large"},
		{"many siblings in JSON", "a.json", "{\"x\": [0" + strings.Repeat(",0", MaxSiblings) + "]}", "too-large"},
		{"many values in JSON", "a.json", "{\"x\": [" + strings.Repeat("[0"+strings.Repeat(",0", 9_999)+"],", MaxValues/10_000) + "0]}", "too-large"},
		{"many duplicates in JSON", "a.json", "{\"x\": 0" + strings.Repeat(",\"x\":0", 2*maxMistakes) + "}", "duplicate-key"},
		{"long number in JSON", "a.json", "{\"x\": " + strings.Repeat("9", MaxNumber+1) + "}", "bad-number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := filepath.Join(newRepo(t, map[string]string{c.file: c.content}), c.file)
			_, list := Load([]string{name}, Options{Timeout: time.Minute})
			if len(list) == 0 || list[0].Code != c.code {
				t.Errorf("want %s, got %v", c.code, list)
			}
			checkList(t, list)
		})
	}
}

func nested(open, inner, end string, depth int) string {
	return strings.Repeat(open, depth) + inner + strings.Repeat(end, depth)
}

// TestFilesThatAreNotRead names files and imports outside the repository, and
// those that are no regular files.
func TestFilesThatAreNotRead(t *testing.T) {
	outside := newRepo(t, map[string]string{
		"secret.json": `{"password": "s3cret"}`, "secret.libsonnet": `{ password: "s3cret" }`,
		"pkg/secret.cue": "package pkg\npassword: \"s3cret\"\n",
	})
	dir := newRepo(t, map[string]string{
		".git/config":         `{"token": "s3cret"}`,
		"absolute.jsonnet":    `importstr '/etc/shadow'`,
		"up.jsonnet":          `{ x: importstr '../../../../../../etc/shadow' }`,
		"fifo.jsonnet":        `import 'fifo'`,
		"device.jsonnet":      `import 'device'`,
		"folder.jsonnet":      `import 'sub'`,
		"link.jsonnet":        `import 'link.libsonnet'`,
		"linkdir.jsonnet":     `import 'linkdir/secret.libsonnet'`,
		"git.jsonnet":         `import '.git/config'`,
		"gitlink.jsonnet":     `import 'gitlink'`,
		"missing.jsonnet":     `import 'nosuch'`,
		"cue.mod/module.cue":  "module: \"example.org/x\"\nlanguage: version: \"v0.9.0\"\n",
		"linkdir.cue":         "package a\nimport \"example.org/x/linkdir/pkg\"\nx: pkg.password\n",
		"linkfile.cue":        "package a\nimport \"example.org/x/linkfile\"\nx: linkfile.password\n",
		"fifo.cue":            "package a\nimport \"example.org/x/fifos\"\nx: fifos.x\n",
		"remote.cue":          "package a\nimport \"github.com/example/remote\"\nx: remote.x\n",
		"embed.cue":           "@extern(embed)\npackage a\nx: _ @embed(file=\"absolute.jsonnet\",type=text)\n",
		"fifos/x.cue":         "package fifos\nx: 1\n",
		"sub/stack.json":      "{}",
		"unknown.yaml":        "a: 1",
		"sub/okfifo.jsonnet":  "{}",
		"linkfile/readme.txt": "",
	})
	for name, target := range map[string]string{
		"link.libsonnet": filepath.Join(outside, "secret.libsonnet"), "link.json": filepath.Join(outside, "secret.json"),
		"linkdir": outside, "gitlink": ".git/config", "loop.json": "loop.json",
		"linkfile/x.cue": filepath.Join(outside, "pkg/secret.cue"), "shadow.json": "/etc/shadow", "device.json": "/dev/zero", "device": "/dev/zero",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"fifo", "fifo.json", "fifos/y.cue"} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ file, code string }{
		{"absolute.jsonnet", "outside"}, {"up.jsonnet", "outside"}, {"fifo.jsonnet", "no-file"}, {"device.jsonnet", "outside"},
		{"folder.jsonnet", "no-file"}, {"link.jsonnet", "outside"}, {"linkdir.jsonnet", "outside"}, {"git.jsonnet", "outside"},
		{"gitlink.jsonnet", "outside"}, {"missing.jsonnet", "no-file"},
		{"linkdir.cue", "eval-error"}, {"linkfile.cue", "eval-error"}, {"fifo.cue", "eval-error"}, {"remote.cue", "eval-error"}, {"embed.cue", "eval-error"},
		{"link.json", "outside"}, {"shadow.json", "outside"}, {"device.json", "outside"}, {"fifo.json", "no-file"}, {"loop.json", "no-file"},
		{"sub", "unknown-format"}, {"nosuch.json", "no-file"}, {"nosuch/x.json", "no-file"}, {"unknown.yaml", "unknown-format"}, {"sub/stack.json/x.json", "no-file"},
	} {
		t.Run(strings.ReplaceAll(c.file, "/", " "), func(t *testing.T) {
			start := time.Now()
			result, list := Load([]string{filepath.Join(dir, c.file)}, Options{})
			if took := time.Since(start); took > 8*time.Second {
				t.Errorf("took %v", took)
			}
			if result.Tree != nil || len(list) == 0 || list[0].Code != c.code {
				t.Errorf("want %s and no tree, got %v", c.code, list)
			}
			if want := map[string]string{"sub": "it is a folder", "unknown.yaml": "plonec does not read YAML"}[c.file]; len(list) > 0 && want != "" && list[0].Message != want {
				t.Errorf("%s, want %s", list[0].Message, want)
			}
			for _, f := range result.Files {
				if strings.Contains(string(f.Data), "s3cret") {
					t.Errorf("%s was read", f.Path)
				}
			}
			checkList(t, list)
		})
	}
}
