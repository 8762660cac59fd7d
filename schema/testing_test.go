package schema

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/diag/diagtest"
	"github.com/plonec/plonec/internal/input"
)

//go:generate go test . -run "^(TestReference|TestJSONSchema|TestDiagnostics)$" -update

var update = flag.Bool("update", false, "write docs/attributes.md, docs/stack.schema.json and the expected diagnostics anew")

// read makes a tree of a JSON text.
func read(t testing.TB, name, text string) *input.Node {
	t.Helper()
	tree, list := input.ReadJSON(&diag.File{Name: name, Content: []byte(text)})
	if list.Errors() > 0 {
		t.Fatalf("%s: %v", name, list)
	}
	return tree
}

// load decodes a stack that must be without errors.
func load(t testing.TB, text string) *Decoded {
	t.Helper()
	d, list := Load(read(t, "stack.json", text))
	if list.Errors() > 0 {
		t.Fatalf("unexpected errors:\n%s", printed(list))
	}
	if t, ok := t.(*testing.T); ok {
		takes(t, "stack.json", text)
	}
	return d
}

// printed writes diagnostics as people read them.
func printed(list diag.List) string {
	var b strings.Builder
	if err := (diag.Text{Width: 160}).Format(&b, list); err != nil {
		return err.Error()
	}
	return b.String()
}

// codes are the codes of a list with their paths, for short comparisons.
func codes(list diag.List) string {
	var lines []string
	for _, d := range list.Sorted() {
		lines = append(lines, d.Code+" "+d.Path)
	}
	return strings.Join(lines, "\n")
}

// style holds the texts of diagnostics to the common style.
func style(t testing.TB, list diag.List) {
	t.Helper()
	diagtest.Style(t, list)
}

func mustRead(t testing.TB, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
