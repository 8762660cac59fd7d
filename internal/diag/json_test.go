package diag

import (
	"encoding/json"
	"testing"
)

func TestJSON(t *testing.T) {
	_, at := file("stack.json", "{\n  \"a\": 1,\n  \"ä\": [\n2]}")
	got := text(t, JSON{},
		Diagnostic{Code: "syntax", Span: at("[\n2]"), Path: "ä", Message: "<m> \u202e\u009b\U000E0001", Remedy: "r"},
		Diagnostic{Code: "no-file", Message: "none"})
	want := `[
  {
    "code": "syntax",
    "severity": "error",
    "file": "stack.json",
    "line": 3,
    "col": 8,
    "endLine": 4,
    "endCol": 3,
    "path": "ä",
    "message": "<m> \u202e\u009b\udb40\udc01",
    "remedy": "r"
  },
  {
    "code": "no-file",
    "severity": "error",
    "file": "",
    "line": 0,
    "col": 0,
    "endLine": 0,
    "endCol": 0,
    "path": "",
    "message": "none",
    "remedy": ""
  }
]
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var back []record
	if err := json.Unmarshal([]byte(got), &back); err != nil || back[0].Message != "<m> \u202e\u009b\U000E0001" {
		t.Errorf("%v does not read back: %v", back, err)
	}
	if got := text(t, JSON{}); got != "[]\n" {
		t.Errorf("got %q for an empty list", got)
	}
}
