package input

import (
	"reflect"
	"strings"
	"testing"
)

func tree(t *testing.T, content string) *Node {
	t.Helper()
	n, list := read(content)
	if n == nil {
		t.Fatalf("%s: %v", content, list)
	}
	return n
}

func TestMerge(t *testing.T) {
	for _, c := range []struct{ left, right, want string }{
		{`{}`, `{"a": 1}`, `{"a": 1}`},
		{`{"a": 1}`, `{}`, `{"a": 1}`},
		{`{"a": 1, "b": 2}`, `{"b": 3, "c": 4}`, `{"a": 1, "b": 3, "c": 4}`},
		{`{"a": {"b": 1, "c": 2}}`, `{"a": {"c": 3}}`, `{"a": {"b": 1, "c": 3}}`},
		{`{"a": [1, 2]}`, `{"a": [3]}`, `{"a": [3]}`},
		{`{"a": {"b": 1}}`, `{"a": 5}`, `{"a": 5}`},
		{`{"a": 5}`, `{"a": {"b": 1}}`, `{"a": {"b": 1}}`},
		{`{"a": {"b": 1}, "c": 1}`, `{"a": null}`, `{"c": 1}`},
		{`{"a": {"b": 1, "c": 2}}`, `{"a": {"b": null}}`, `{"a": {"c": 2}}`},
		{`{"a": null}`, `{"a": 1}`, `{"a": 1}`},
		{`{"a": null, "b": {"c": null}}`, `{}`, `{"b": {}}`},
		{`{"a": [null, {"b": null, "c": 1}]}`, `{}`, `{"a": [null, {"c": 1}]}`},
		{`{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0}`, `{"i": 1, "j": 2, "a": null}`, `{"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":1,"j":2}`},
	} {
		left, right := tree(t, c.left), tree(t, c.right)
		before := [2]any{plain(t, left), plain(t, right)}
		got := plain(t, WithoutNulls(Merge(left, right)))
		if want := plain(t, tree(t, c.want)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s + %s: got %v, want %v", c.left, c.right, got, want)
		}
		if after := [2]any{plain(t, left), plain(t, right)}; !reflect.DeepEqual(before, after) {
			t.Errorf("%s + %s: an argument was changed", c.left, c.right)
		}
	}
}

// TestMergeOrder holds the order of keys and that each value keeps its place.
func TestMergeOrder(t *testing.T) {
	left, right := tree(t, `{"z": 1, "a": {"x": 1}, "m": 2}`), tree(t, `{"n": 3, "a": {"y": 5}, "z": 4}`)
	merged := Merge(left, right)
	var keys []string
	for _, f := range merged.Fields {
		keys = append(keys, f.Key)
	}
	if got := strings.Join(keys, ""); got != "zamn" {
		t.Errorf("got the order %s", got)
	}
	for path, from := range map[string]*Node{"z": right, "m": left, "n": right, "a.x": left, "a.y": right} {
		key := strings.Split(path, ".")
		if merged.Lookup(key...) != from.Lookup(key...) {
			t.Errorf("%s is not the node that was given", path)
		}
	}
	if merged.Field("z").Span != right.Field("z").Span || merged.Span != right.Span {
		t.Error("a key that is given again does not stand where it was given last")
	}
}

// TestMergeShares holds that what is not touched is not copied.
func TestMergeShares(t *testing.T) {
	left := tree(t, `{"a": {"b": {"c": 1}}, "d": {"e": 1}}`)
	merged := WithoutNulls(Merge(left, tree(t, `{"d": {"e": 2}}`)))
	if merged.Get("a") != left.Get("a") || merged.Get("d") == left.Get("d") {
		t.Error("want a shared and d new")
	}
	if WithoutNulls(left) != left || Merge(left, tree(t, `{}`)) != left {
		t.Error("a tree without a change is not itself")
	}
}

// FuzzMerge holds the laws of merging: a tree over itself is itself; every
// value of the right side that is no map is in the result; what only the left
// side has is kept; no null remains in a map.
func FuzzMerge(f *testing.F) {
	f.Add(`{"a": {"b": 1}, "c": [1, null]}`, `{"a": {"b": null, "d": {}}, "c": {}}`)
	f.Add(`{"a": null}`, `{"a": {"a": {"a": null}}}`)
	f.Add(`{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":{}}`, `{"i":{"i":1},"":2}`)
	f.Fuzz(func(t *testing.T, l, r string) {
		left, list := read(l)
		if len(list) > 0 {
			return
		}
		right, list := read(r)
		if len(list) > 0 {
			return
		}
		before := plain(t, left)
		merged := Merge(left, right)
		if again := Merge(merged, right); !reflect.DeepEqual(plain(t, again), plain(t, merged)) {
			t.Errorf("%s + %s + %[2]s is not the same as without the last", l, r)
		}
		if self := Merge(left, left); !reflect.DeepEqual(plain(t, self), before) {
			t.Errorf("%s over itself is %v", l, plain(t, self))
		}
		checkWins(t, left, right, merged)
		checkNoNull(t, WithoutNulls(merged))
		if !reflect.DeepEqual(plain(t, left), before) {
			t.Errorf("%s was changed", l)
		}
	})
}

func checkWins(t *testing.T, left, right, merged *Node) {
	if left == nil || left.Kind != Map || right.Kind != Map {
		if !reflect.DeepEqual(plain(t, merged), plain(t, right)) {
			t.Errorf("got %v, want the later %v", plain(t, merged), plain(t, right))
		}
		return
	}
	for _, f := range right.Fields {
		checkWins(t, left.Get(f.Key), f.Value, merged.Get(f.Key))
	}
	for _, f := range left.Fields {
		if right.Get(f.Key) == nil && merged.Get(f.Key) != f.Value {
			t.Errorf("%q of the earlier file is lost", f.Key)
		}
	}
}

func checkNoNull(t *testing.T, n *Node) {
	for _, f := range n.Fields {
		if f.Value.Kind == Null {
			t.Errorf("%q is still null", f.Key)
		}
		checkNoNull(t, f.Value)
	}
	for _, item := range n.Items {
		checkNoNull(t, item)
	}
}
