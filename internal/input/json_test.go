package input

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/plonec/plonec/internal/diag"
)

func read(content string) (*Node, diag.List) {
	return ReadJSON(&diag.File{Name: "s.json", Content: []byte(content)})
}

// TestMistakes holds the whole report of texts that are no JSON.
func TestMistakes(t *testing.T) {
	for _, c := range []struct{ content, want string }{
		{`{"a": 1,}`, "1:8: error[syntax]: no comma may follow the last entry\n 1 | {\"a\": 1,}\n   |        ^ take the comma away\n"},
		{`[1, 2,]`, "1:6: error[syntax]: no comma may follow the last entry\n 1 | [1, 2,]\n   |      ^ take the comma away\n"},
		{"{\"a\": 1 // why\n}", "1:9: error[syntax]: JSON has no comments\n 1 | {\"a\": 1 // ***\n   |         ^ take it away, or name the file .jsonnet\n"},
		{"# why\n{}", "1:1: error[syntax]: JSON has no comments\n 1 | # ***\n   | ^ take it away, or name the file .jsonnet\n"},
		{`{"a": 's3cret'}`, "1:7: error[syntax]: JSON has no single quotes\n 1 | {\"a\": ***}\n   |       ^^^ write \"…\"\n"},
		{`{'a': 1}`, "1:2: error[syntax]: JSON has no single quotes\n 1 | {'a': 1}\n   |  ^ write the key in double quotes: \"key\"\n"},
		{`{a: "s3cret"}`, "1:2: error[syntax]: a key must be in double quotes\n 1 | {a: ***}\n   |  ^ write \"key\"\n"},
		{`{"a": "s3cret" "b": 1}`, "1:16: error[syntax]: want a comma before this\n 1 | {\"a\": *** \"b\": 1}\n   |           ^ put a comma before it; a text must be in double quotes as a whole\n"},
		{"{\"a\": \"s3cret\"\n \"b\": 1}", "1:14: error[syntax]: want a comma after this\n 1 | {\"a\": ***\n   |       ^^^ put a comma after it\n"},
		{`{"a": "s3cret, "b": 1}`, "1:17: error[syntax]: want a comma before this\n 1 | {\"a\": ***\n   |       ^^^ put a comma before it; a text must be in double quotes as a whole\n"},
		{`{"a": "s3"cret", "b": 1}`, "1:11: error[syntax]: want a comma before this\n 1 | {\"a\": ***\n   |       ^^^ put a comma before it; a text must be in double quotes as a whole\n"},
		{`{"a" 1}`, "1:2: error[syntax]: want a colon after this key\n 1 | {*** 1}\n   |  ^^^ write \"key\": value\n"},
		{`{"a" = 1}`, "1:6: error[syntax]: want a colon after a key, got =\n 1 | {\"a\" = 1}\n   |      ^ write :\n"},
		{`{"a": s3cret}`, "1:7: error[syntax]: want a value, got a bare word\n 1 | {\"a\": ***}\n   |       ^^^ put a text in double quotes\n"},
		{`{"a": True}`, "1:7: error[syntax]: want a value, got a bare word\n 1 | {\"a\": True}\n   |       ^^^^ write true\n"},
		{`{"a": NaN}`, "1:7: error[syntax]: want a value, got a bare word\n 1 | {\"a\": NaN}\n   |       ^^^ JSON has no such number\n"},
		{`{"a": -Infinity}`, "1:7: error[syntax]: a minus wants a digit after it\n 1 | {\"a\": ***}\n   |       ^^^ write a number\n"},
		{`{"a": 080}`, "1:7: error[syntax]: no number begins with 0\n 1 | {\"a\": 080}\n   |       ^^^ take the 0 away, or put it in double quotes if a text is meant\n"},
		{`{"a": 5.}`, "1:7: error[syntax]: a point wants a digit after it\n 1 | {\"a\": 5.}\n   |       ^^ write 5.0 or 5\n"},
		{`{"a": 1e}`, "1:7: error[syntax]: an exponent wants a digit\n 1 | {\"a\": 1e}\n   |       ^^ write 1e3, or put it in double quotes if a text is meant\n"},
		{`{"a": 10.0.0.1}`, "1:7: error[syntax]: this is neither a number nor a text\n 1 | {\"a\": 10.0.0.1}\n   |       ^^^^^^^^ put it in double quotes if a text is meant\n"},
		{`{"a": 3s3cret}`, "1:7: error[syntax]: this is neither a number nor a text\n 1 | {\"a\": ***}\n   |       ^^^ put it in double quotes if a text is meant\n"},
		{`{"a": +5}`, "1:7: error[syntax]: this is no number of JSON\n 1 | {\"a\": +5}\n   |       ^ write digits first: 5, -5, 0.5\n"},
		{`{"a": }`, "1:7: error[syntax]: want a value, got }\n 1 | {\"a\": }\n   |       ^ write a value\n"},
		{`{"a": [1}`, "1:9: error[syntax]: want ], got }\n 1 | {\"a\": [1}\n   |         ^ write ]\n"},
		{"{\"a\": [1,\n", "1:7: error[syntax]: the file ends inside this list\n 1 | {\"a\": [1,\n   |       ^ close it with ]\n"},
		{`{"a"`, "1:2: error[syntax]: the file ends after this key\n 1 | {***\n   |  ^^^ write \"key\": value\n"},
		{`{"a": 1}}`, "1:9: error[syntax]: } closes nothing\n 1 | {\"a\": 1}}\n   |         ^ take it away\n"},
		{`{} {}`, "1:4: error[syntax]: the file goes on after its end\n 1 | {} {}\n   |    ^ one file holds one map; give several files to merge them\n"},
		{"\uFEFF{}", "1:1: error[syntax]: the file begins with a byte order mark\n 1 | ***{}\n   | ^^^ save it as UTF-8 without one\n"},
		{"\xff\xfe{\x00", " error[syntax]: the file is UTF-16\n    save it as UTF-8\n"},
		{"{\"a\": \"\xe4\"}", "1:8: error[syntax]: this is not UTF-8\n 1 | {\"a\": ***}\n   |       ^^^ save the file as UTF-8\n"},
		{" \n", " error[syntax]: the file is empty\n    write {}\n"},
		{`{"a": "\ud800s3cret"}`, "1:8: error[syntax]: half of a surrogate pair stands alone\n 1 | {\"a\": ***}\n   |       ^^^ write the character itself, or both halves: \\ud83d\\ude00\n"},
		{`{"a": "\ud800\ud800"}`, "1:8: error[syntax]: half of a surrogate pair stands alone\n 1 | {\"a\": ***}\n   |       ^^^ write the character itself, or both halves: \\ud83d\\ude00\n"},
		{`{"a": "\u12g4"}`, "1:8: error[syntax]: \\u wants four hexadecimal digits\n 1 | {\"a\": ***}\n   |       ^^^ write \\\\ for a backslash\n"},
		{`{"a": "c:\dir"}`, "1:10: error[syntax]: a backslash wants one of \" \\ / b f n r t u after it\n 1 | {\"a\": ***}\n   |       ^^^ write \\\\ for a backslash\n"},
		{"{\"a\": \"s3cret\n\"}", "1:7: error[syntax]: the text does not end on its line\n 1 | {\"a\": ***\n   |       ^^^ close it with \", or write \\n for a line break\n"},
		{"{\"a\": \"x\ty\"}", "1:9: error[syntax]: a tab stands in a text\n 1 | {\"a\": ***}\n   |       ^^^ write \\t\n"},
		{"{\"a\": \"x\x1by\"}", "1:9: error[syntax]: a control character stands in a text\n 1 | {\"a\": ***}\n   |       ^^^ write \\u001b\n"},
		{"{\"a\": 1e400, \"b\": [-1e-999], \"c\": 0e999}", "1:7: error[bad-number]: a: a number does not fit a 64-bit float\n 1 | {\"a\": 1e400, \"b\": [-1e-999], \"c\": 0e999}\n   |       ^^^^^\n" +
			"s.json:1:20: error[bad-number]: b[0]: a number does not fit a 64-bit float\n 1 | {\"a\": 1e400, \"b\": [-1e-999], \"c\": 0e999}\n   |                    ^^^^^^^\n"},
		{"{\"x.y\": {\"p\": \"s3cret\",\n \"p\": \"s3cret\"}, \"x.y\": 1}", "2:2: error[duplicate-key]: \"x.y\".p: given twice, first on line 1\n 2 |  \"p\": ***}, \"x.y\": 1}\n   |  ^^^ keep one of the two\n" +
			"s.json:2:18: error[duplicate-key]: \"x.y\": given twice, first on line 1\n 2 |  \"p\": ***}, \"x.y\": 1}\n   |             ^^^^^ keep one of the two\n"},
	} {
		_, list := read(c.content)
		checkList(t, list)
		want := "s.json:" + c.want
		if got := printed(t, list); got != want {
			t.Errorf("%q: got\n%s\nwant\n%s", c.content, got, want)
		}
	}
}

// TestRecovery holds that reading goes on after what leaves the rest readable,
// and that the last of two keys counts.
func TestRecovery(t *testing.T) {
	tree, list := read(`{"a": 1, "b": 1e999, "a": 2, "c": {"d": 1}, "c": {"e": 2}}`)
	if list.Errors() != 3 || tree == nil {
		t.Fatalf("got %v", list)
	}
	if got := tree.Get("a").Text; got != "2" || len(tree.Fields) != 3 || tree.Lookup("c", "e") == nil {
		t.Errorf("got a = %s, %d fields", got, len(tree.Fields))
	}
	var big strings.Builder
	for i := range 30 {
		fmt.Fprintf(&big, `"k%d": %d, `, i, i)
	}
	tree, list = read("{" + big.String() + `"k7": "again"}`)
	if len(list) != 1 || list[0].Path != "k7" || tree.Get("k7").Text != "again" || tree.Get("k8").Text != "8" {
		t.Errorf("in a map with an index: %v", list)
	}
}

func TestLimits(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	entries := func(n int) string { return "[0" + strings.Repeat(",0", n-1) + "]" }
	keys := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"k%d":0`, i)
		}
		return "{" + b.String()[1:] + "}"
	}
	for _, c := range []struct {
		name, content string
		ok            bool
	}{
		{"depth", nested(MaxDepth), true}, {"depth", nested(MaxDepth + 1), false},
		{"list", entries(MaxSiblings), true}, {"list", entries(MaxSiblings + 1), false},
		{"map", keys(MaxSiblings), true}, {"map", keys(MaxSiblings + 1), false},
		{"number", strings.Repeat("9", MaxNumber), true}, {"number", strings.Repeat("9", MaxNumber+1), false},
		{"hosts", string(bigStack(5000)), true},
	} {
		if _, list := read(c.content); (len(list) == 0) != c.ok {
			t.Errorf("%s: want ok %v, got %v", c.name, c.ok, list)
		}
	}
	if _, list := read(strings.Repeat(" ", MaxBytes+1)); len(list) != 1 || list[0].Code != "too-large" {
		t.Errorf("bytes: got %v", list)
	}
}

// TestLongLine holds that diagnostics deep in a long line are masked and stay
// quick, and that what surrounds them shows.
func TestLongLine(t *testing.T) {
	entry := `{"password": "s3cret", "port": 80, "port": 81}`
	content := "[" + strings.Repeat(entry+", ", 90) + `"` + strings.Repeat("s3cret", 2_000_000) + `", ` + entry + "]"
	_, list := read(content)
	if list.Errors() != 91 {
		t.Fatalf("got %d diagnostics", list.Errors())
	}
	text := printed(t, list)
	if strings.Contains(text, secret) || strings.Count(text, `"password": ***, "port": 80, "port": 81}`) < 90 {
		t.Errorf("got\n%.2000s", text)
	}
}

// FuzzReadJSON holds the reader against encoding/json: what it accepts the
// other accepts too, with the same value, and every place holds its value.
func FuzzReadJSON(f *testing.F) {
	for _, seed := range []string{
		`{"a": [1, -2.5e3, "x\u00e9\n\ud83d\ude00", true, null], "b": {"c": {}}}`, `{"a":1,"a":2}`, "\uFEFF{}", `{"a": "\ud800"}`,
		`[1,]`, `{"a" 1}`, `{'a': s3cret "x`, "{\"a\": \"\xff\"}", `{"a": 1e400}`, `// x`, `"`, `{"a":"b" "c":"d"`, `[[[[`, `-`, `0.`, `{"a":1}}`,
	} {
		f.Add([]byte(seed))
	}
	key := regexp.MustCompile(`s3cret[^,{}\[\]]*:`)
	f.Fuzz(func(t *testing.T, content []byte) {
		if key.Match(content) {
			return // keys are shown
		}
		file := &diag.File{Name: "f", Content: content}
		tree, list := ReadJSON(file)
		for _, d := range list {
			if s := d.Span; s.Start < 0 || s.Start > s.End || s.Start > len(content) {
				t.Errorf("place %d to %d of %d", s.Start, s.End, len(content))
			}
		}
		checkList(t, list)
		if tree == nil && len(list) == 0 {
			t.Fatal("neither a tree nor a diagnostic")
		}
		if len(list) > 0 {
			return
		}
		dec := json.NewDecoder(strings.NewReader(string(content)))
		dec.UseNumber()
		var want any
		if err := dec.Decode(&want); err != nil {
			t.Fatalf("encoding/json refuses it: %v", err)
		}
		if dec.More() {
			t.Fatal("encoding/json sees more")
		}
		if got := plain(t, tree); !reflect.DeepEqual(got, want) {
			t.Errorf("got %#v, want %#v", got, want)
		}
		checkPlaces(t, tree)
	})
}

// plain turns a tree into what encoding/json decodes to.
func plain(t *testing.T, n *Node) any {
	switch n.Kind {
	case Null:
		return nil
	case Bool:
		return n.Text == "true"
	case Number:
		if v, err := strconv.ParseFloat(n.Text, 64); err != nil || math.IsInf(v, 0) {
			t.Errorf("%s is no number", n.Text)
		}
		return json.Number(n.Text)
	case String:
		if !utf8.ValidString(n.Text) {
			t.Errorf("%q is not UTF-8", n.Text)
		}
		return n.Text
	case List:
		items := []any{}
		for _, item := range n.Items {
			items = append(items, plain(t, item))
		}
		return items
	}
	fields := map[string]any{}
	for _, f := range n.Fields {
		fields[f.Key] = plain(t, f.Value)
		if n.Get(f.Key) != f.Value {
			t.Errorf("Get(%q) is another value", f.Key)
		}
	}
	return fields
}

// checkPlaces holds that the text at each value's place decodes to it.
func checkPlaces(t *testing.T, n *Node) {
	source := func(s diag.Span) string { return string(s.File.Content[s.Start:s.End]) }
	inner, list := read(source(n.Span))
	if len(list) > 0 || !reflect.DeepEqual(plain(t, inner), plain(t, n)) {
		t.Errorf("%q stands where %v should", source(n.Span), plain(t, n))
	}
	for _, f := range n.Fields {
		if key, _ := read(source(f.Span)); key == nil || key.Text != f.Key {
			t.Errorf("%q stands where the key %q should", source(f.Span), f.Key)
		}
		checkPlaces(t, f.Value)
	}
	for _, item := range n.Items {
		checkPlaces(t, item)
	}
}
