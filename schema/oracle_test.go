package schema

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// toExpr writes a tree as CUE; labels are quoted, so that _x and #x are data.
func toExpr(n *input.Node) ast.Expr {
	switch n.Kind {
	case input.Null:
		return ast.NewNull()
	case input.Bool:
		return ast.NewBool(n.Text == "true")
	case input.Number:
		return numberExpr(n.Text)
	case input.String:
		return &ast.BasicLit{Kind: token.STRING, Value: literal.String.Quote(n.Text)}
	case input.List:
		list := &ast.ListLit{}
		for _, item := range n.Items {
			list.Elts = append(list.Elts, toExpr(item))
		}
		return list
	}
	s := &ast.StructLit{}
	for _, f := range n.Fields {
		label := &ast.BasicLit{Kind: token.STRING, Value: literal.String.Quote(f.Key)}
		s.Elts = append(s.Elts, &ast.Field{Label: label, Value: toExpr(f.Value)})
	}
	return s
}

// oracle asks CUE for its verdict on a whole stack at once.
func oracle(t testing.TB, tree *input.Node) bool {
	t.Helper()
	c := compile()
	c.mu.Lock()
	defer c.mu.Unlock()
	stack := c.top.LookupPath(cue.ParsePath("#Stack"))
	return stack.Unify(c.ctx.BuildExpr(toExpr(tree))).Validate(cue.Concrete(true)) == nil
}

// judged are the codes whose cause CUE sees too.
var judged = map[string]bool{
	"unknown-key": true, "bad-key": true, "missing-key": true, "wrong-type": true,
	"bad-value": true, "out-of-range": true, "secret-reference": true,
}

// agree compares the walk with the oracle on a stack, and on each custom_json
// in it.
func agree(t *testing.T, name string, tree *input.Node) {
	t.Helper()
	tree = input.WithoutNulls(tree)
	c := newChecker(compile())
	c.stack(tree)
	good := true
	for _, d := range c.list {
		// CUE does not read a text that should hold JSON.
		good = good && (!judged[d.Code] || d.Code == "bad-value" && strings.HasSuffix(d.Path, ".custom_json"))
	}
	var list diag.List
	canon := &canonizer{list: &list}
	want := oracle(t, canon.names(Root(), without(tree, c.ignore)))
	for _, l := range c.layers {
		want = want && oracle(t, canon.names(Root(), without(l.tree, c.ignore)))
	}
	if good != want {
		t.Errorf("%s: the walk says %v, CUE as a whole says %v\n%s", name, good, want, printed(c.list))
	}
}

func without(tree *input.Node, keys map[string]bool) *input.Node {
	var kept []input.Field
	for _, f := range tree.Fields {
		if !keys[f.Key] {
			kept = append(kept, f)
		}
	}
	return input.NewMap(tree.Span, kept)
}

// TestOracle: the leaf by leaf walk and CUE's own validation agree on stacks.
func TestOracle(t *testing.T) {
	files, _ := filepath.Glob("../testdata/*/*.stack.json")
	more, _ := filepath.Glob("../examples/*/*.json")
	for _, file := range append(files, more...) {
		agree(t, file, read(t, file, mustRead(t, file)))
	}
	bad, _ := filepath.Glob("testdata/diagnostics/*.txtar")
	for _, file := range bad {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tree := read(t, file, string(archive.Files[0].Data))
		agree(t, file, tree)
		for _, f := range tree.Fields { // each part alone, so that one mistake is not hidden by another
			agree(t, file+": "+f.Key, input.NewMap(tree.Span, []input.Field{f}))
			for _, g := range fieldsOf(f.Value) {
				agree(t, file+": "+f.Key+"."+g.Key, input.NewMap(tree.Span, []input.Field{{Key: f.Key, Value: input.NewMap(f.Span, []input.Field{g})}}))
			}
		}
	}
}

// probes are values that some attribute takes and others refuse.
var probes = []string{
	`""`, `"a"`, `"A"`, `"a.b-c"`, `"-a"`, `"../a"`, `"/a/b"`, `"/a/"`, `"a b"`, `"a\nb"`, `"\u0000"`, `"10.0.0.1"`,
	`"10.0.0.256"`, `"fd00::1"`, `"fd00:::1"`, `"10.0.0.1:80"`, `"10.0.0.0/8"`, `"5"`, `"90s"`, `"1G"`, `"50%"`, `"INFO"`,
	`"https://e.org/x"`, `"3.11"`, `"name.cfg"`, `"[x]"`, `"$x"`, `"\u2028"`,
	`0`, `1`, `-1`, `3`, `0.5`, `2.0`, `1e3`, `65536`, `100000000000000000000`, `1e300`,
	`true`, `false`, `[]`, `["a"]`, `[1]`, `[null]`, `{}`, `{"a": "b"}`, `{"$secret": "env:A"}`, `{"$secret": "x"}`, `{"$secret": "env:A", "b": 1}`,
}

// TestOracleLeaves: they agree on each attribute with each probe.
func TestOracleLeaves(t *testing.T) {
	seen := map[string]bool{}
	leaves := 0
	Root().each(func(a *Attr) {
		path := strings.NewReplacer("<host>", "h", "<layer>", "l", "<app>", "x", "<variable>", "V", "<domain>", "d.org",
			"<event>", "setup", "<file>", "/f", "<package>", "p", "<directory>", "d", "<path>", "d", "<cookie>", "c", "<name>", "n").Replace(a.Path)
		if a.Sent || strings.Contains(path, "[]") || strings.Contains(path, "$") || path == "" || a.Layered {
			return
		}
		if key := a.def + a.Type; a.def != "" && seen[key] {
			return // one attribute of a type stands for all
		} else {
			seen[key] = true
		}
		leaves++
		for _, probe := range probes {
			text := probe
			keys := strings.Split(path, ".")
			if strings.Contains(a.Path, "<domain>") {
				keys = []string{"plone_instances", strings.Split(path, ".")[1], "d.org"}
			}
			for i := len(keys) - 1; i >= 0; i-- {
				text = "{" + strconv.Quote(keys[i]) + ": " + text + "}"
			}
			agree(t, path+" = "+probe, read(t, "probe.json", text))
		}
	})
	if leaves < 60 {
		t.Errorf("only %d attributes probed", leaves)
	}
}

// TestQuick: no attribute's texts and whole numbers need CUE, and the quick
// judges and CUE agree.
func TestQuick(t *testing.T) {
	c := compile()
	j := newJudge(c)
	texts := []string{"", "/", "10.0.0.1", "a", "ü", strings.Repeat("a", 64), strings.Repeat("a", 65), strings.Repeat("ü", 2000), "a\nb", "\t", "5s", "x_y", "-"}
	numbers := []int64{-1 << 63, -1, 0, 1, 2, 64, 65, 100, 101, 512, 513, 65535, 65536, 1000000, 1000001, 2147483647, 2147483648, 1<<63 - 1}
	counts := 0
	Root().each(func(a *Attr) {
		if a.Sent || a.Layered {
			return
		}
		cueSays := func(kind input.Kind, text string) bool {
			return a.value.Unify(j.literal(kind, text)).Validate(cue.Concrete(true)) == nil
		}
		q := j.quick(a)
		if a.takes(input.String) {
			for _, text := range texts {
				if q.text == nil || q.text(text) != cueSays(input.String, text) {
					t.Errorf("%s = %q: not as CUE says", a.Path, text)
				}
			}
		}
		if a.takes(input.Number) {
			counts++
			for _, n := range numbers {
				if q.count == nil || q.count(n) != cueSays(input.Number, strconv.FormatInt(n, 10)) {
					t.Errorf("%s = %d: not as CUE says", a.Path, n)
				}
			}
		}
	})
	if counts < 40 {
		t.Errorf("only %d numbers", counts)
	}
}
