package schema

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// TestDiagnostics compares what is said about bad stacks with what should be:
// testdata/diagnostics/*.txtar hold a stack.json and the text expected for it.
// The text never holds what is marked as a secret there: "hidden".
func TestDiagnostics(t *testing.T) {
	files, err := filepath.Glob("testdata/diagnostics/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(err, "no cases")
	}
	seen := map[string]bool{}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if len(archive.Files) == 1 {
				archive.Files = append(archive.Files, txtar.File{Name: "want"})
			}
			stack, want := archive.Files[0], &archive.Files[1]
			_, list := Load(read(t, stack.Name, string(stack.Data)))
			style(t, list)
			for _, d := range list {
				seen[d.Code] = true
			}
			got := []byte(printed(list))
			if bytes.Contains(got, []byte("hidden")) {
				t.Errorf("a secret is printed:\n%s", got)
			}
			if *update {
				want.Data = got
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(want.Data, got) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want.Data)
			}
		})
	}
	for _, code := range []string{
		"unknown-key", "bad-key", "missing-key", "wrong-type", "bad-value", "out-of-range", "secret-reference",
		"plain-secret", "set-twice", "ignored-known", "deprecated", "not-rendered", "not-in-layer", "layers-disagree",
		"instance-differs", "same-address", "two-blob-mounts", "rise-raised", "not-shared",
	} {
		if !seen[code] {
			t.Errorf("no case has %s", code)
		}
		if _, ok := diag.Codes[code]; !ok {
			t.Errorf("%s is not in the catalogue", code)
		}
	}
}

// TestNothingMasks: many mistakes at once are each reported, also beside an
// error in the same map.
func TestNothingMasks(t *testing.T) {
	_, list := Load(read(t, "stack.json", `{
  "haproxy": {"fall": 0, "rise": "x", "stats_pasword": 1, "balance": {"a": 1}},
  "plone_instances": [],
  "deploy": {"site": {"scm": {"repository": 5, "revision": "-x"}, "domains": ["a b", 7]}},
  "instances": {"UPPER": {"address": "300.1.1.1"}, "a": 5}
}`))
	want := `out-of-range haproxy.fall
wrong-type haproxy.rise
unknown-key haproxy.stats_pasword
wrong-type haproxy.balance
wrong-type plone_instances
wrong-type deploy.site.scm.repository
bad-value deploy.site.scm.revision
bad-value deploy.site.domains[0]
wrong-type deploy.site.domains[1]
bad-key instances.UPPER
bad-value instances.UPPER.address
wrong-type instances.a`
	if got := codes(list); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	style(t, list)
}

// TestHostile: stacks that are as large as may be are judged soon, with few words.
func TestHostile(t *testing.T) {
	many := func(n int, entry func(i int) string) string {
		var entries []string
		for i := range n {
			entries = append(entries, entry(i))
		}
		return strings.Join(entries, ",")
	}
	key := func(i int) string { return fmt.Sprintf("plone_instancez_%d", i) }
	for name, c := range map[string]struct{ stack, want string }{
		"unknown keys": {`{` + many(19_000, func(i int) string { return `"` + key(i) + `": 1` }) + `}`, "too-many"},
		"views": {`{"deploy": {` + many(15_000, func(i int) string { return fmt.Sprintf(`"a%d": {}`, i) }) + `}, "layers": {` +
			many(10_000, func(i int) string { return fmt.Sprintf(`"l%d": {"custom_json": {"deploy": {"x": {}}}}`, i) }) + `}, "instances": {` +
			many(10_000, func(i int) string { return fmt.Sprintf(`"h%d": {"layers": ["l%d"]}`, i, i) }) + `}}`, "too-many"},
		"layers of a host": {`{"instances": {"h": {"layers": [` + many(10_000, func(i int) string { return `"lb"` }) + `]}}}`, "bad-value"},
		"texts of JSON": {`{"layers": {` + many(100, func(i int) string {
			return fmt.Sprintf(`"l%d": {"custom_json": "{\"varnish_purge_urls\": [%s]}"}`, i, many(20_000, func(int) string { return `\"\"` }))
		}) + `}}`, "bad-value"},
		"long text": {`{"plone_instances": {"celery_args": "` + strings.Repeat("a://:", 8_000_000) + `", "per_cpu": "` + strings.Repeat("3", 8_000_000) + `"}}`, "bad-value"},
		"long keys": {`{"deploy": {"` + strings.Repeat("a", 8_000_000) + `": {"environment": {` + many(10_000, func(i int) string { return fmt.Sprintf(`"A%d_KEY": "x"`, i) }) + `}}},
			"` + strings.Repeat("b", 8_000_000) + `": {}, "instances": {"` + strings.Repeat("c", 8_000_000) + `": {"layers": ["` + strings.Repeat("d", 8_000_000) + `"], "address": "a"}}}`, "bad-key"},
		"deep text": {`{"layers": {"l": {"custom_json": "` + strings.Repeat("[", 100) + `"}}}`, "bad-value"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			d, list := Load(read(t, "stack.json", c.stack))
			for _, instance := range d.Base.Instances {
				d.View(instance.Layers)
			}
			if took := time.Since(start); took > time.Minute {
				t.Errorf("it took %v", took)
			}
			found := false
			for _, d := range list {
				found = found || d.Code == c.want
			}
			if !found || len(list) > 2*maxFindings {
				t.Errorf("%d findings, none of them %s", len(list), c.want)
			}
			t.Log(time.Since(start))
		})
	}
}

// TestMask masks secrets and unknown values in a file of its own, before it is
// merged with others.
func TestMask(t *testing.T) {
	tree := read(t, "first.json", `{"haproxy": {"stats_password": "hidden1", "x": {"y": ["hidden2"]}}, "other": "hidden3",
 "traceview": {"access_key": 5}, "deploy": {"a": {"environment": {"DB_PASSWORD": "hidden4", "LANG": "shown"}}},
 "layers": {"web": {"custom_json": "{\"haproxy\": {\"stats_password\": \"hidden5\"}}"}}, "instances": "shown2"}`)
	Mask(tree)
	var list diag.List
	for at := range tree.Span.File.Content {
		list.Add(diag.Diagnostic{Code: "bad-value", Span: diag.Span{File: tree.Span.File, Start: at, End: at + 1}})
	}
	text := printed(list)
	if strings.Contains(text, "hidden") {
		t.Error("a secret is printed")
	}
	if !strings.Contains(text, "shown") || !strings.Contains(text, "shown2") {
		t.Error("too much is masked")
	}
	Mask(nil)
	Mask(&input.Node{Kind: input.List})
}
