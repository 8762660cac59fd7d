package input

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/diag"
)

// loadAll writes the files, goes to their folder and loads the named ones.
func loadAll(t *testing.T, files map[string]string, opt Options, names ...string) (*Result, diag.List) {
	t.Helper()
	t.Chdir(newRepo(t, files))
	return Load(names, opt)
}

// places lists each value of a tree: path = text @ key's place, value's place,
// with the source text there.
func places(n *Node) []string {
	var out []string
	show := func(s diag.Span) string {
		if !s.HasPlace() {
			return "?"
		}
		at := s.File.Position(s.Start)
		source, _, _ := strings.Cut(string(s.File.Content[s.Start:s.End]), "\n")
		return fmt.Sprintf("%s:%d:%d %s", s.File.Name, at.Line, at.Col, source)
	}
	var walk func(path string, n *Node)
	walk = func(path string, n *Node) {
		for _, f := range n.Fields {
			inner := diag.JoinKey(path, f.Key)
			out = append(out, fmt.Sprintf("%s = %s @ %s @ %s", inner, f.Value.Text, show(f.Span), show(f.Value.Span)))
			walk(inner, f.Value)
		}
		for i, item := range n.Items {
			inner := diag.JoinIndex(path, i)
			out = append(out, fmt.Sprintf("%s = %s @ %s", inner, item.Text, show(item.Span)))
			walk(inner, item)
		}
	}
	walk("", n)
	return out
}

func checkPlacesOf(t *testing.T, result *Result, list diag.List, want string) {
	t.Helper()
	if len(list) > 0 {
		t.Fatal(printed(t, list))
	}
	if got := strings.Join(places(result.Tree), "\n"); got != strings.TrimSpace(want) {
		t.Errorf("got\n%s\nwant\n%s", got, strings.TrimSpace(want))
	}
}

func TestJsonnetPlaces(t *testing.T) {
	result, list := loadAll(t, map[string]string{
		"stacks/a.jsonnet": `local lib = import '../lib/l.libsonnet';
local pw = "s3cret";
function(env, n="1") lib + {
  a: 1.1,
  "b c": { x: pw, y: [1, { z: 3 }] },
  c+: { more: true },
  [env]: 5,
  hidden:: 3,
  branch: if n == "1" then { q: 1 } else {},
  ext: std.extVar("e"), pick: lib.c.first,
} + { d: std.length("x") / 3 }`,
		"lib/l.libsonnet": "{\n  base: 'v',\n  a: 7,\n  c: { first: 1 },\n}",
	}, Options{ExtStr: map[string]string{"e": "E"}, TLAStr: map[string]string{"env": "prod"}}, "stacks/a.jsonnet")
	// base may be overridden by the computed key, as far as the text shows.
	checkPlacesOf(t, result, list, `
a = 1.1 @ stacks/a.jsonnet:4:3 a @ stacks/a.jsonnet:4:6 1.1
"b c" =  @ stacks/a.jsonnet:5:3 "b c" @ stacks/a.jsonnet:5:10 { x: pw, y: [1, { z: 3 }] }
"b c".x = s3cret @ stacks/a.jsonnet:5:12 x @ stacks/a.jsonnet:2:12 "s3cret"
"b c".y =  @ stacks/a.jsonnet:5:19 y @ stacks/a.jsonnet:5:22 [1, { z: 3 }]
"b c".y[0] = 1 @ stacks/a.jsonnet:5:23 1
"b c".y[1] =  @ stacks/a.jsonnet:5:26 { z: 3 }
"b c".y[1].z = 3 @ stacks/a.jsonnet:5:28 z @ stacks/a.jsonnet:5:31 3
base = v @ ? @ ?
branch =  @ stacks/a.jsonnet:9:3 branch @ stacks/a.jsonnet:9:11 if n == "1" then { q: 1 } else {}
branch.q = 1 @ ? @ ?
c =  @ stacks/a.jsonnet:6:3 c @ lib/l.libsonnet:4:6 { first: 1 }
c.first = 1 @ lib/l.libsonnet:4:8 first @ lib/l.libsonnet:4:15 1
c.more = true @ stacks/a.jsonnet:6:9 more @ stacks/a.jsonnet:6:15 true
d = 0.3333333333333333 @ stacks/a.jsonnet:11:7 d @ stacks/a.jsonnet:11:10 std.length("x") / 3
ext = E @ stacks/a.jsonnet:10:3 ext @ stacks/a.jsonnet:10:8 std.extVar("e")
pick = 1 @ stacks/a.jsonnet:10:25 pick @ lib/l.libsonnet:4:15 1
prod = 5 @ ? @ ?`)
	checkReads(t, result, "stacks/a.jsonnet", "lib/l.libsonnet")
}

func checkReads(t *testing.T, result *Result, want ...string) {
	t.Helper()
	var got []string
	for _, f := range result.Files {
		got = append(got, f.Path)
		if sum := sha256.Sum256(f.Data); f.Sum != hex.EncodeToString(sum[:]) || len(f.Data) == 0 {
			t.Errorf("%s has the sum %s", f.Path, f.Sum)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
}

func TestCUEPlaces(t *testing.T) {
	result, list := loadAll(t, map[string]string{
		"cue.mod/module.cue": "module: \"example.org/x\"\nlanguage: version: \"v0.9.0\"\n",
		"lib/lib.cue":        "package lib\n#Host: {address: string, cpus: int | *2, layers: [...string]}\nbase: haproxy: {fall: 3}\n",
		"s/a.cue": `package stack
import "example.org/x/lib"
lib.base
instances: [string]: lib.#Host
instances: app1: {address: "10.0.0.1", layers: ["x"]}
for i in [1] { instances: "app\(i+1)": {address: "10.0.0.\(i)", layers: []} }
opt?: string
_hidden: 4
#Def: 3
float: 2.0
`,
		"s/b.cue":     "package stack\npw: \"s3cret\"\nfloat: number\n",
		"s/other.cue": "package stack\npw: \"not read into it\"\n",
	}, Options{}, "s/a.cue", "s/b.cue")
	checkPlacesOf(t, result, list, `
haproxy =  @ lib/lib.cue:3:7 haproxy @ lib/lib.cue:3:16 {fall: 3}
haproxy.fall = 3 @ lib/lib.cue:3:17 fall @ lib/lib.cue:3:23 3
instances =  @ s/a.cue:4:1 instances @ s/a.cue:4:12 [string]: lib.#Host
instances.app1 =  @ s/a.cue:5:12 app1 @ s/a.cue:5:18 {address: "10.0.0.1", layers: ["x"]}
instances.app1.address = 10.0.0.1 @ s/a.cue:5:19 address @ s/a.cue:5:28 "10.0.0.1"
instances.app1.cpus = 2 @ lib/lib.cue:2:26 cpus @ lib/lib.cue:2:32 int | *2
instances.app1.layers =  @ s/a.cue:5:40 layers @ s/a.cue:5:48 ["x"]
instances.app1.layers[0] = x @ s/a.cue:5:49 "x"
instances.app2 =  @ s/a.cue:6:27 "app\(i+1)" @ s/a.cue:6:40 {address: "10.0.0.\(i)", layers: []}
instances.app2.address = 10.0.0.1 @ s/a.cue:6:41 address @ s/a.cue:6:50 "10.0.0.\(i)"
instances.app2.cpus = 2 @ lib/lib.cue:2:26 cpus @ lib/lib.cue:2:32 int | *2
instances.app2.layers =  @ s/a.cue:6:65 layers @ s/a.cue:6:73 []
pw = s3cret @ s/b.cue:2:1 pw @ s/b.cue:2:5 "s3cret"
float = 2.0 @ s/a.cue:10:1 float @ s/a.cue:10:8 2.0`)
	checkReads(t, result, "s/a.cue", "s/b.cue", "cue.mod/module.cue", "lib/lib.cue")
}

// TestProgramMistakes holds what is said of programs that fail: our own words,
// the place, and nothing of the values.
func TestProgramMistakes(t *testing.T) {
	for _, c := range []struct{ file, content, want string }{
		{"a.jsonnet", "{\n  a: 's3cret'\n  b: 1 }", "a.jsonnet:3:3: error[syntax]: want a comma before this\n 3 |   b: 1 }\n   |   ^ put a comma before it\n"},
		{"a.jsonnet", "{\n  a: 's3cret,\n  b: 's3cret' }", "a.jsonnet:3:13: error[syntax]: the text is not closed\n 3 | ***\n   | ^^^ close it with the quote that it begins with\n"},
		{"a.jsonnet", "{ a: s3cret }", "a.jsonnet:1:6: error[syntax]: this name is not defined\n 1 | { a: *** }\n   |      ^^^ define it with local, or put a text in quotes\n"},
		{"a.jsonnet", "{ a: 's3cret' + error 'no ' + 'way' }", "a.jsonnet:1:17: error[eval-error]: the program says: no way\n 1 | { a: *** + error *** + *** }\n   |            ^^^^^^^^^^^^^^^\n"},
		{"a.jsonnet", "local x = 1;\nassert x == 2 : 'want 2';\n{}", "a.jsonnet:2:1: error[eval-error]: the program says: want 2\n 2 | assert x == 2 : ***;\n   | ^^^^^^^^^^^^^^^^^^^^\n"},
		{"a.jsonnet", "{ a: {}.b }", "a.jsonnet:1:6: error[eval-error]: the field does not exist\n"},
		{"a.jsonnet", "{ a: std.parseInt('s3cret') }", "a.jsonnet:1:6: error[eval-error]: the text is no whole number of base 10\n 1 | { a: std.parseInt(***) }\n   |      ^^^^^^^^^^^^^^^^^\n"},
		{"a.jsonnet", "{ a: 1 + std.length({}) - 's3cret' }", "a.jsonnet:1:6: error[eval-error]: want number, got string\n 1 | { a: 1 + std.length({}) - *** }\n   |      ^^^^^^^^^^^^^^^^^^^^^^^^\n"},
		{"a.jsonnet", "{ a: std.assertEqual('s3cret', 'y') }", "a.jsonnet:1:6: error[eval-error]: the two values of std.assertEqual are not equal\n 1 | { a: std.assertEqual(***, ***) }\n   |      ^^^^^^^^^^^^^^^^^^^^^^^^^\n"},
		{"a.jsonnet", "{ a: std.extVar('e') }", "a.jsonnet:1:6: error[eval-error]: an external variable is not given\n 1 | { a: std.extVar(***) }\n   |      ^^^^^^^^^^^^^^^ give it with --ext-str NAME=TEXT\n"},
		{"a.jsonnet", "function(env) { a: env }", "a.jsonnet: error[eval-error]: an argument is missing\n    for the function at the top of a file give it with --tla-str NAME=TEXT\n"},
		{"a.jsonnet", "{ a: 9007199254740993 }", "a.jsonnet:1:6: error[bad-number]: a number does not fit a 64-bit float\n 1 | { a: 9007199254740993 }\n   |      ^^^^^^^^^^^^^^^^ put it in quotes if a text is meant\n"},
		{"a.jsonnet", "{ a: std.pow(10, 300) }", "a.jsonnet: error[bad-number]: a: a number has more than 40 characters\n"},
		{"a.jsonnet", "['s3cret']", "a.jsonnet: error[not-a-map]: want a map, got a list\n    write {…}\n"},
		{"a.jsonnet", "{ a: function(x) x }", "error[eval-error]: a function stands where a value should"},
		{"a.jsonnet", "\xff", "a.jsonnet: error[syntax]: the file is not UTF-8\n    save it as UTF-8\n"},
		{"a.cue", "pw: \"s3cret\"\npw: \"s3cret2\"\n", "a.cue:2:5: error[conflict]: pw: the values do not agree; see a.cue:1:5\n 2 | pw: ***\n   |     ^^^ keep one of the two\n"},
		{"a.cue", "pw: \"s3cret\" & <\"a\"\n", "error[eval-error]: pw: the value is out of its bound\n"},
		{"a.cue", "pw: int\n", "a.cue:1:5: error[incomplete]: pw: the field has no value\n 1 | pw: int\n   |     ^^^ give it one\n"},
		{"a.cue", "a: {\"b c\": [1, _]}\n", "a.cue:1:16: error[incomplete]: a.\"b c\".1: the field has no value\n 1 | a: {***: [1, _]}\n   |              ^ give it one\n"},
		{"a.cue", "pw: s3cret\n", "a.cue:1:5: error[syntax]: pw: this name is not defined\n 1 | pw: ***\n   |     ^^^ define it, or put a text in double quotes\n"},
		{"a.cue", "pw: \"s3cret\nb: 1\n", "a.cue:1:5: error[syntax]: the text does not end on its line\n 1 | pw: ***\n   |     ^^^ close it with \"\n"},
		{"a.cue", "{a: 1\n", "error[syntax]: want '}' here\n"},
		{"a.cue", "#A: {x: int}\na: #A & {s: \"s3cret\"}\n", "a.cue:2:10: error[eval-error]: a.s: the definition has no such field\n 2 | a: #A & {s: ***}\n   |          ^\n"},
		{"a.cue", "a: 'bytes'\n", "a.cue:1:4: error[eval-error]: a: a stack has no bytes\n 1 | a: ***\n   |    ^^^ use double quotes for a text\n"},
		{"a.cue", "[1]\n", "a.cue: error[not-a-map]: want a map, got a list\n    write {…}\n"},
	} {
		t.Run(c.file+" "+c.content, func(t *testing.T) {
			result, list := loadAll(t, map[string]string{c.file: c.content}, Options{}, c.file)
			checkList(t, list)
			if got := printed(t, list); !strings.Contains(got, c.want) || result.Tree != nil && list[0].Code != "bad-number" {
				t.Errorf("%q: got\n%s\nwant\n%s", c.content, got, c.want)
			}
		})
	}
}

// TestImportedMistake holds that the place of a mistake is that of the
// imported file.
func TestImportedMistake(t *testing.T) {
	_, list := loadAll(t, map[string]string{"a.jsonnet": "import 'b.libsonnet'", "b.libsonnet": "{\n  a: }"}, Options{}, "a.jsonnet")
	if got := printed(t, list); !strings.HasPrefix(got, "b.libsonnet:2:6: error[syntax]") {
		t.Errorf("got\n%s", got)
	}
	_, list = loadAll(t, map[string]string{
		"a.cue": "import \"example.org/x/b\"\na: b.pw\n", "b/b.cue": "package b\npw: {\n",
		"cue.mod/module.cue": "module: \"example.org/x\"\nlanguage: version: \"v0.9.0\"\n",
	}, Options{}, "a.cue")
	if got := printed(t, list); !strings.HasPrefix(got, "b/b.cue:3:1: error[syntax]") {
		t.Errorf("got\n%s", got)
	}
	_, list = loadAll(t, map[string]string{
		"a.cue": "import \"example.org/x/b\"\na: b.pw\na: \"other\"\n", "b/b.cue": "package b\npw: \"s3cret\"\n",
		"cue.mod/module.cue": "module: \"example.org/x\"\nlanguage: version: \"v0.9.0\"\n",
	}, Options{}, "a.cue")
	checkList(t, list)
	if got := printed(t, list); !strings.Contains(got, "b/b.cue:2:5") || !strings.Contains(got, "a.cue:3:4") {
		t.Errorf("got\n%s", got)
	}
}

// TestMergeOfFormats holds the order of merging: CUE files unify, and stand
// where the first of them is named.
func TestMergeOfFormats(t *testing.T) {
	files := map[string]string{
		"1.json": `{"a": 1, "b": 1, "c": 1, "gone": 1}`, "2.cue": "b: 2\nc: 2\n", "3.jsonnet": `{ c: 3, d: 3, gone: null }`, "4.cue": "b: 2\nd: 4\n",
	}
	result, list := loadAll(t, files, Options{}, "1.json", "2.cue", "3.jsonnet", "4.cue")
	if len(list) > 0 {
		t.Fatal(printed(t, list))
	}
	var got []string
	for _, f := range WithoutNulls(result.Tree).Fields {
		got = append(got, f.Key+f.Value.Text)
	}
	if want := "a1 b2 c3 d3"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	checkReads(t, result, "1.json", "2.cue", "3.jsonnet", "4.cue")
}

// TestEveryFileReports holds that one run tells the mistakes of all files, and
// gives a tree beside those that leave it whole.
func TestEveryFileReports(t *testing.T) {
	files := map[string]string{"a.json": `{"a": 1, "a": 2}`, "b.json": `{`, "c.jsonnet": `{`, "d.cue": "{", "e.json": "[]"}
	result, list := loadAll(t, files, Options{}, "a.json", "b.json", "c.jsonnet", "d.cue", "e.json", "none.json")
	var got []string
	for _, d := range list.Sorted() {
		got = append(got, d.Span.File.Name+" "+d.Code)
	}
	if want := "a.json duplicate-key, b.json syntax, c.jsonnet syntax, d.cue syntax, e.json not-a-map, none.json no-file"; strings.Join(got, ", ") != want {
		t.Errorf("got %v", got)
	}
	if result.Tree != nil {
		t.Error("there is a tree though files could not be read")
	}
	if result, list := loadAll(t, files, Options{}, "a.json"); result.Tree == nil || list.Errors() != 1 {
		t.Error("want a tree beside a duplicate key")
	}
	if result, list := loadAll(t, files, Options{Stdin: strings.NewReader(`{"a": null}`)}, "-"); len(list) > 0 || result.Tree.Get("a").Kind != Null {
		t.Errorf("from standard input: %v", list)
	}
}

// TestChildEnvironment holds that a program's process sees nothing of this
// one's environment, and that a child which RunChild did not catch starts none.
func TestChildEnvironment(t *testing.T) {
	t.Setenv("CUE_REGISTRY", "registry.example.org")
	t.Setenv(childEnv, "1")
	result, list := loadAll(t, map[string]string{"a.jsonnet": "{}"}, Options{}, "a.jsonnet")
	if result.Tree != nil || len(list) != 1 || list[0].Code != "eval-error" {
		t.Errorf("got %v", list)
	}
}

// TestTimeout holds that several programs share one clock.
func TestTimeout(t *testing.T) {
	endless := "local f(x) = f(x + 1) tailstrict; f(0)"
	start := time.Now()
	_, list := loadAll(t, map[string]string{"a.jsonnet": endless, "b.jsonnet": endless}, Options{Timeout: 500 * time.Millisecond}, "a.jsonnet", "b.jsonnet")
	if took := time.Since(start); took > 5*time.Second || len(list) != 2 {
		t.Errorf("took %v: %v", took, list)
	}
}

// BenchmarkLoad evaluates a small program, which is mostly the child's start.
func BenchmarkLoad(b *testing.B) {
	dir := b.TempDir()
	for name, content := range map[string]string{"a.jsonnet": "{ a: 1 }", "a.cue": "a: 1\n"} {
		path := filepath.Join(dir, name)
		writeFile(b, path, content)
		b.Run(filepath.Ext(name), func(b *testing.B) {
			for b.Loop() {
				if _, list := Load([]string{path}, Options{}); len(list) > 0 {
					b.Fatal(list)
				}
			}
		})
	}
}
