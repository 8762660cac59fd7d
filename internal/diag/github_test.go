package diag

import (
	"path"
	"strings"
	"testing"
)

func TestGitHub(t *testing.T) {
	_, at := file("a,b:c%.json", "{\n  \"ä\": 1,\n  \"b\": [\n2]}")
	got := text(t, GitHub{Path: func(name string) string { return path.Join("ops", name) }},
		Diagnostic{Code: "syntax", Span: at(`1`), Path: "ä", Message: "100% of it, so: \r\n::error::m\x1b[2J", Remedy: "write 2"},
		Diagnostic{Code: "plain-secret", Span: at("[\n2]"), Message: "two lines"},
		Diagnostic{Code: "syntax", Span: Span{at("1").File, 0, 0}, Message: "the whole file"},
		Diagnostic{Code: "syntax", Span: Span{at("1").File, 24, 24}, Message: "at the end"},
		Diagnostic{Code: "no-file", Message: "none"})
	want := `::error file=ops/a%2Cb%3Ac%25.json,title=plonec syntax::the whole file
::error file=ops/a%2Cb%3Ac%25.json,line=2,endLine=2,col=8,endColumn=8,title=plonec syntax::ä: 100%25 of it, so: \r\n::error::m\x1b[2J%0Awrite 2
::warning file=ops/a%2Cb%3Ac%25.json,line=3,endLine=4,title=plonec plain-secret::two lines
::error file=ops/a%2Cb%3Ac%25.json,line=4,endLine=4,col=3,endColumn=3,title=plonec syntax::at the end
::error title=plonec no-file::none
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := GitHubError("50%\nmore"), "::error title=plonec::50%25%0Amore\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzGitHub writes any texts: it stays one line for a diagnostic, and a runner
// reads the file's name and the message back.
func FuzzGitHub(f *testing.F) {
	f.Add("ops/stack.json", "want a number", "write 3")
	f.Add("a,b:c%25.json", "::error::\r\n%0A", "50%")
	f.Add("\x1b\u202e\n", "::stop-commands::x", "\n::set-env name=PATH::/tmp")
	f.Fuzz(func(t *testing.T, name, message, remedy string) {
		out := text(t, GitHub{}, Diagnostic{Code: "syntax", Span: Span{File: &File{Name: name}}, Message: message, Remedy: remedy})
		line, rest, _ := strings.Cut(out, "\n")
		if rest != "" || strings.ContainsRune(line, '\r') {
			t.Fatalf("several lines: %q", out)
		}
		head, data, ok := strings.Cut(strings.TrimPrefix(line, "::error "), "::")
		file, title, two := strings.Cut(head, ",")
		if !ok || !two || title != "title=plonec syntax" {
			t.Fatalf("%q", line)
		}
		unescape := strings.NewReplacer("%25", "%", "%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",")
		if got, want := unescape.Replace(file), "file="+Visible(name, 4096); got != want {
			t.Errorf("the file reads back as %q, want %q", got, want)
		}
		want := Visible(message, maxMessage)
		if remedy != "" {
			want += "\n" + Visible(remedy, maxMessage)
		}
		if got := strings.NewReplacer("%25", "%", "%0D", "\r", "%0A", "\n").Replace(data); got != want {
			t.Errorf("the message reads back as %q, want %q", got, want)
		}
	})
}
