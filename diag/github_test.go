package diag

import (
	"path"
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
