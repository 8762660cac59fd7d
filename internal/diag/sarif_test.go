package diag_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/plonec/plonec/internal/diag"
)

// published is the JSON Schema of SARIF 2.1.0 as OASIS published it, which
// package sarif has as a constant of its own.
func published(t *testing.T) *jsonschema.Schema {
	t.Helper()
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif").Output()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "schema.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	literal := file.Scope.Lookup("schema").Decl.(*ast.ValueSpec).Values[0].(*ast.BasicLit).Value
	text, err := strconv.Unquote(literal)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	const id = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	if doc.(map[string]any)["id"] != id {
		t.Fatalf("another schema: %v", doc.(map[string]any)["id"])
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(id, doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(id)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestSARIF(t *testing.T) {
	const content = "{\n  \"stats_password\": \"hunter2hunter2\",\n  \"ä\": [\n2]}"
	file := &diag.File{Name: "a b:%.json", Content: []byte(content)}
	at := func(part string) diag.Span {
		start := strings.Index(content, part)
		return diag.Span{File: file, Start: start, End: start + len(part)}
	}
	at(`"hunter2hunter2"`).Mask()
	schema := published(t)
	list := diag.List{
		{Code: "plain-secret", Span: at(`"hunter2hunter2"`), Path: "stats_password", Message: "a secret in plain", Remedy: "write a reference"},
		{Code: "wrong-type", Span: at("[\n2]"), Path: "ä", Message: "want a \x1b number"},
		{Code: "syntax", Span: diag.Span{File: file}, Message: "the whole file"},
		{Code: "syntax", Span: diag.Span{File: file, Start: 49, End: 49}, Message: "at the end"},
		{Code: "no-file", Message: "none"},
	}
	for _, c := range []struct {
		name   string
		format diag.SARIF
		list   diag.List
	}{
		{"none", diag.SARIF{Version: "0.1.0"}, nil},
		{"all", diag.SARIF{Version: "0.1.0", Stack: "stack.json"}, list},
		{"no stack", diag.SARIF{Version: "0.1.0"}, list},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := c.format.Format(&out, c.list); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(out.String(), "hunter2") {
				t.Errorf("a secret comes out: %s", out.String())
			}
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(out.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(doc); err != nil {
				t.Errorf("%v in\n%s", err, out.String())
			}
			back, err := sarif.FromBytes(out.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if len(back.Runs) != 1 || len(back.Runs[0].Results) != len(c.list) {
				t.Errorf("another program reads %+v", back.Runs)
			}
			for _, r := range back.Runs[0].Results {
				if rule := back.Runs[0].Tool.Driver.Rules[r.RuleIndex]; *rule.ID != *r.RuleID {
					t.Errorf("the rule of %s is %s", *r.RuleID, *rule.ID)
				}
				if c.format.Stack != "" && (len(r.Locations) != 1 || r.Locations[0].PhysicalLocation == nil) {
					t.Errorf("%s has no place, which code scanning refuses", *r.Message.Text)
				}
			}
			if len(c.list) == 0 {
				return
			}
			for _, want := range []string{
				`"uri": "./a%20b:%25.json"`, // a colon in the first part would be a scheme
				`"startLine": 3`, `"startColumn": 8`, `"endLine": 4`, `"endColumn": 3`,
				`"text": "ä: want a \\x1b number"`, `"text": "stats_password: a secret in plain\nwrite a reference"`,
			} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %s in\n%s", want, out.String())
				}
			}
		})
	}
}
