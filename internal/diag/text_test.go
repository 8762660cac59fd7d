package diag

import (
	"strings"
	"testing"
)

// file makes a file and a function that finds the span of a part of it.
func file(name, content string) (*File, func(part string) Span) {
	f := &File{Name: name, Content: []byte(content)}
	return f, func(part string) Span {
		start := strings.Index(content, part)
		if start < 0 {
			panic(part)
		}
		return Span{f, start, start + len(part)}
	}
}

func text(t *testing.T, format Formatter, list ...Diagnostic) string {
	t.Helper()
	var b strings.Builder
	if err := format.Format(&b, list); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestText(t *testing.T) {
	lines := strings.Repeat("\n", 17) + `    "per_cpu": "3",` + strings.Repeat("\n", 6) +
		`    "stats_pasword": "hunter2",` + strings.Repeat("\n", 17) + `    "app2": {"address": "10.0.1.11"}` + "\n"
	_, at := file("stack.json", lines)
	at(`"hunter2"`).Mask()
	got := text(t, Text{},
		Diagnostic{Code: "syntax", Span: at(`"10.0.1.11"`), Path: "instances.app2.address", Message: "app1 has it (line 36)", Remedy: "give each host its own"},
		Diagnostic{Code: "syntax", Span: at(`"3"`), Path: "plone_instances.per_cpu", Message: "want a number, got a string", Remedy: "write 3"},
		Diagnostic{Code: "syntax", Span: at(`"stats_pasword"`), Path: "haproxy.stats_pasword", Remedy: "did you mean stats_password?"},
		Diagnostic{Code: "syntax", Span: at(`"3"`), Path: "plone_instances.per_cpu", Message: "want a number, got a string", Remedy: "write 3"},
	)
	want := `stack.json:18:16: error[syntax]: plone_instances.per_cpu: want a number, got a string
 18 |     "per_cpu": "3",
    |                ^^^ write 3
stack.json:24:5: error[syntax]: haproxy.stats_pasword
 24 |     "stats_pasword": ***,
    |     ^^^^^^^^^^^^^^^ did you mean stats_password?
stack.json:41:25: error[syntax]: instances.app2.address: app1 has it (line 36)
 41 |     "app2": {"address": "10.0.1.11"}
    |                         ^^^^^^^^^^^ give each host its own
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSnippet(t *testing.T) {
	long := `{"a": "` + strings.Repeat("x", 300) + `", "b": 1, "c": "` + strings.Repeat("y", 300) + `"}`
	for _, c := range []struct {
		name, content, part string
		masks               []string
		want                string // the source line and the caret line
	}{
		{"masked value after", `{"a": 1, "b": "secret"}`, `1`, []string{`"secret"`}, "{\"a\": 1, \"b\": ***}\n      ^"},
		{"masked value before", `{"a": "secret", "b": 1}`, `1`, []string{`"secret"`}, "{\"a\": ***, \"b\": 1}\n                ^"},
		{"masked itself", `{"a": "secret"}`, `"secret"`, []string{`"secret"`}, "{\"a\": ***}\n      ^^^"},
		{"inside a mask", `{"a": "secret"}`, `cre`, []string{`"secret"`}, "{\"a\": ***}\n      ^^^"},
		{"around a mask", `{"a": "secret", "b": 1}`, `"a": "secret", "b"`, []string{`"secret"`}, "{\"a\": ***, \"b\": 1}\n ^^^^^^^^^^^^^"},
		{"mask of several lines", "a: '''\nline\nend''' + b", "b", []string{"'''\nline\nend'''"}, "*** + b\n      ^"},
		{"line within a mask", "a: '''\nline\nend'''", "in", []string{"'''\nline\nend'''"}, "***\n^^^"},
		{"masks that touch", `{"a": "bc"}`, `{`, []string{`"b`, `c"`}, "{\"a\": ***}\n^"},
		{"masks that overlap", `{"a": "bcd"}`, `{`, []string{`"bc`, `cd"`, `b`}, "{\"a\": ***}\n^"},
		{"tab", "\ta\tb", "b", nil, "  a  b\n     ^"},
		{"wide", `{"日本": 1}`, `1`, nil, "{\"日本\": 1}\n         ^"},
		{"wide caret", `{"日本": 1}`, `日本`, nil, "{\"日本\": 1}\n  ^^^^"},
		{"combining", "{\"e\u0301\": 1}", `1`, nil, "{\"e\u0301\": 1}\n      ^"},
		{"escape sequence", "{\"\x1b[31m\": 7}", `7`, nil, "{\"\\x1b[31m\": 7}\n             ^"},
		{"direction", "{\"\u202e\": 1}", `1`, nil, "{\"\\u202e\": 1}\n           ^"},
		{"bad UTF-8", "{\"\xff\xc3\": 1}", `1`, nil, "{\"\\xff\\xc3\": 1}\n             ^"},
		{"carriage returns", "{\r\n\"a\": 1\r\n}", `1`, nil, "\"a\": 1\n     ^"},
		{"lone carriage return", "{\"a\": 1,\r\"b\": 2}", `2`, nil, "{\"a\": 1,\\r\"b\": 2}\n               ^"},
		{"several lines", "{\"a\": {\n1}}", "{\n1}", nil, "{\"a\": {\n      ^"},
		{"end of line", "{\"a\": 1\n}", "\n", nil, "{\"a\": 1\n       ^"},
		{"cropped on both sides", long, `"b"`, nil, "…xxx\", \"b\": 1, \"c\": \"…\n       ^^^"},
		{"cropped behind", long, `"a"`, nil, "{\"a\": \"xxxxxxxxxxxxx…\n ^^^"},
		{"cropped before", long, `"}`, nil, "…yyyyyyyyyyyyyyyyyy\"}\n                   ^^"},
		{"cropped caret", long, strings.Repeat("x", 300), nil, "…\"a\": \"xxxxxxxxxxxxxx…\n       ^^^^^^^^^^^^^^"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, at := file("f", c.content)
			for _, m := range c.masks {
				at(m).Mask()
			}
			width := 100
			if strings.HasPrefix(c.name, "cropped") {
				width = 20
			}
			line, indent, carets := snippet(at(c.part), width)
			got := line + "\n" + strings.Repeat(" ", indent) + strings.Repeat("^", carets)
			if got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestTextWithoutPlace(t *testing.T) {
	f := &File{Name: "stack.jsonnet", Content: []byte("{}")}
	for _, c := range []struct {
		d    Diagnostic
		want string
	}{
		{Diagnostic{Code: "syntax", Span: Span{File: f}, Path: "a.b", Message: "want a number"}, "stack.jsonnet: error[syntax]: a.b: want a number\n"},
		{Diagnostic{Code: "syntax", Path: "a.b", Message: "want a number", Remedy: "write 3"}, "error[syntax]: a.b: want a number\n    write 3\n"},
		{Diagnostic{Code: "syntax", Message: "bell \a and \x1b[2J\nline"}, "error[syntax]: bell \\x07 and \\x1b[2J\\nline\n"},
		{Diagnostic{Code: "syntax", Path: strings.Repeat("k", 300)}, "error[syntax]: " + strings.Repeat("k", 200) + "…\n"},
	} {
		if got := text(t, Text{}, c.d); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestColor(t *testing.T) {
	_, at := file("f", "{}")
	got := text(t, Text{Color: true}, Diagnostic{Code: "syntax", Span: at("}"), Message: "m"})
	want := "f:1:2: \x1b[1;31merror[syntax]\x1b[0m: m\n 1 | {}\n   |  \x1b[1;31m^\x1b[0m\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOrder(t *testing.T) {
	first, second := &File{Name: "b", Content: []byte("xyz"), Order: 1}, &File{Name: "a", Content: []byte("xyz"), Order: 2}
	list := List{
		{Code: "syntax", Message: "none"},
		{Code: "syntax", Span: Span{second, 0, 1}, Message: "second file"},
		{Code: "syntax", Span: Span{first, 2, 3}, Message: "later"},
		{Code: "syntax", Span: Span{first, 1, 2}, Message: "earlier"},
		{Code: "syntax", Span: Span{File: first}, Message: "whole"},
		{Code: "syntax", Span: Span{first, 1, 2}, Message: "earlier"},
	}
	var got []string
	for _, d := range list.Sorted() {
		got = append(got, d.Message)
	}
	if want := "whole earlier later second file none"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if got, want := list.Summary("nothing written"), "5 errors, nothing written; more: plonec explain CODE"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := (List{}).Summary("built"); got != "" {
		t.Errorf("got %q for an empty list", got)
	}
}
