package input

import (
	"testing"

	"github.com/plonec/plonec/internal/diag"
)

func parsed(t *testing.T, text string) *Node {
	t.Helper()
	n, list := ReadJSON(&diag.File{Name: "stack.json", Content: []byte(text)})
	if list.Errors() > 0 {
		t.Fatalf("%s: %v", text, list)
	}
	return n
}

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`{"a": 1, "b": [true, "x"]}`, `{ "b": [true, "x"], "a": 1}`, true},
		{`{"a": 1}`, `{"a": "1"}`, false},
		{`{"a": 1}`, `{"b": 1}`, false},
		{`{"a": 1}`, `{"a": 1, "b": null}`, false},
		{`[1, 2]`, `[2, 1]`, false},
		{`null`, `null`, true},
	} {
		if got := Equal(parsed(t, c.a), parsed(t, c.b)); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
	if Equal(nil, parsed(t, `null`)) || !Equal(nil, nil) {
		t.Error("nil")
	}
}

func TestSet(t *testing.T) {
	const text = `{"a": {"b": 1, "c": 2}, "d": 3}`
	tree := parsed(t, text)
	for _, c := range []struct {
		path  []string
		value string // empty: none
		want  string
	}{
		{[]string{"a", "b"}, `"x"`, `{"a": {"b": "x", "c": 2}, "d": 3}`},
		{[]string{"a", "b"}, "", `{"a": {"c": 2}, "d": 3}`},
		{[]string{"a"}, "", `{"d": 3}`},
		{[]string{"e", "f"}, "4", `{"a": {"b": 1, "c": 2}, "d": 3, "e": {"f": 4}}`},
		{[]string{"d", "f"}, "4", text},
	} {
		var value *Node
		if c.value != "" {
			value = parsed(t, c.value)
		}
		if got := Set(tree, value, c.path...); !Equal(got, parsed(t, c.want)) {
			t.Errorf("%v to %q: got something else than %s", c.path, c.value, c.want)
		}
	}
	if !Equal(tree, parsed(t, text)) {
		t.Error("the tree itself was changed")
	}
}
