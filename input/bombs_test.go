package input

import (
	"os"
	"path/filepath"
	"slices"
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

// TestBombs gives programs and texts that never end, or eat all memory. Each
// must end in a diagnostic with the code, within seconds.
func TestBombs(t *testing.T) {
	doublings := "x0: [1, 2, 3, 4, 5, 6, 7, 8]\n"
	for i := range 40 {
		doublings += strings.ReplaceAll(strings.ReplaceAll("xN: [for a in xM for b in [0, 1] {a}]\n", "N", string(rune('a'+i/10))+string(rune('0'+i%10))), "M", prev(i))
	}
	for _, bomb := range []struct {
		name, file, content string
		codes               []string
	}{
		{"range in CUE", "a.cue", "import \"list\"\nx: list.Range(0, 1e8, 1)\n", []string{"eval-limit"}},
		{"doublings in CUE", "a.cue", doublings, []string{"eval-limit"}},
		{"doubled texts in CUE", "a.cue", doubledTexts("x%d: x%d + x%d\n", "x0: \"0123456789\"\n", ""), []string{"eval-limit"}},
		{"recursion in CUE", "a.cue", "#L: {n: int, next: #L & {n: 1}}\nx: #L & {n: 0}\n", []string{"eval-error", "eval-limit", "incomplete"}},
		{"long sum in CUE", "a.cue", "x: " + strings.Repeat("1+", 2<<20) + "1\n", []string{"eval-limit", "too-large", "syntax"}},
		{"large exponent in CUE", "a.cue", "x: 1e4000000\n", []string{"bad-number"}},
		{"exponent beyond int in CUE", "a.cue", "x: 1e99999999999999999999\n", []string{"bad-number"}},
		{"computed exponent in CUE", "a.cue", "x: 1e300 * 1e300\n", []string{"bad-number"}},
		{"long number in CUE", "a.cue", "x: " + strings.Repeat("9", 5_000_000) + "\n", []string{"bad-number", "eval-limit"}},
		{"deep in CUE", "a.cue", "x: " + strings.Repeat("[", 1_000_000) + "\n", []string{"eval-limit", "too-large", "syntax"}},
		{"range in Jsonnet", "a.jsonnet", "std.range(1, 1e9)", []string{"eval-limit"}},
		{"doublings in Jsonnet", "a.jsonnet", doubledTexts("local x%d = x%d + x%d;\n", "local x0 = '0123456789';\n", "{ a: x40 }"), []string{"eval-limit"}},
		{"recursion in Jsonnet", "a.jsonnet", "local f(x) = f(x + 1) + 1; { a: f(0) }", []string{"eval-limit"}},
		{"endless object in Jsonnet", "a.jsonnet", "local a = { x: a, y: a }; a", []string{"eval-limit"}},
		{"tail calls in Jsonnet", "a.jsonnet", "local f(x) = f(x + 1) tailstrict; { a: f(0) }", []string{"eval-limit"}},
		{"long sum in Jsonnet", "a.jsonnet", "{ a: " + strings.Repeat("1+", 2<<20) + "1 }", []string{"eval-limit"}},
		{"large exponent in Jsonnet", "a.jsonnet", "{ a: 1e4000000 }", []string{"bad-number", "syntax"}},
		{"deep in Jsonnet", "a.jsonnet", strings.Repeat("[", 1_000_000), []string{"eval-limit", "syntax"}},
		{"long sum in JSON", "a.json", "{\"x\": " + strings.Repeat("1+", 2<<20) + "1}", []string{"syntax"}},
		{"large exponent in JSON", "a.json", "{\"x\": 1e4000000}", []string{"bad-number"}},
		{"deep in JSON", "a.json", strings.Repeat(`{"a":`, 1_000_000), []string{"too-large"}},
		{"many siblings in JSON", "a.json", "{\"x\": [0" + strings.Repeat(",0", 40_000) + "]}", []string{"too-large"}},
		{"many values in JSON", "a.json", "{\"x\": [" + strings.Repeat("[0"+strings.Repeat(",0", 9_999)+"],", 200) + "0]}", []string{"too-large"}},
		{"many duplicates in JSON", "a.json", "{\"x\": 0" + strings.Repeat(",\"x\":0", 1_000_000) + "}", []string{"duplicate-key"}},
		{"long number in JSON", "a.json", "{\"x\": " + strings.Repeat("9", 5_000_000) + "}", []string{"bad-number"}},
	} {
		t.Run(bomb.name, func(t *testing.T) {
			dir := newRepo(t, map[string]string{bomb.file: bomb.content})
			start := time.Now()
			_, list := Load([]string{filepath.Join(dir, bomb.file)}, Options{Timeout: 2 * time.Second})
			if took := time.Since(start); took > 15*time.Second {
				t.Errorf("took %v", took)
			} else {
				t.Logf("%v", took)
			}
			if len(list) == 0 || !slices.Contains(bomb.codes, list[0].Code) {
				t.Errorf("want one of %v", bomb.codes)
			}
			checkList(t, list)
		})
	}
}

func prev(i int) string {
	if i == 0 {
		return "0"
	}
	i--
	return string(rune('a'+i/10)) + string(rune('0'+i%10))
}

// doubledTexts writes 40 lines, each of which doubles the text before.
func doubledTexts(line, first, last string) string {
	var b strings.Builder
	b.WriteString(first)
	for i := 1; i <= 40; i++ {
		b.WriteString(sprintf(line, i, i-1, i-1))
	}
	return b.String() + last
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
			for _, f := range result.Files {
				if strings.Contains(string(f.Data), "s3cret") {
					t.Errorf("%s was read", f.Path)
				}
			}
			checkList(t, list)
		})
	}
}
