package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// examples are the stacks of examples/, by their golden tree.
var examples = map[string][]string{
	"zeo":             {"../../examples/zeo/stack.json"},
	"relstorage":      {"../../examples/relstorage/stack.json"},
	"single-host":     {"../../examples/single-host/stack.json"},
	"opsworks-export": {"../../examples/opsworks-export/stack.json"},
}

// TestGoldens compares the tree of every example with testdata/golden; -update
// builds them anew.
func TestGoldens(t *testing.T) {
	for name, stack := range examples {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("../../testdata/golden", name)
			c, diags, err := compile(stack, &stackFlags{tree: dir})
			if err != nil {
				t.Fatal(err)
			}
			if c == nil {
				t.Fatalf("%+v", diags)
			}
			if *update {
				if _, err := c.tree.Write(dir); err != nil {
					t.Fatal(err)
				}
			}
			changes, err := c.tree.Compare(dir)
			if err != nil {
				t.Fatal(err)
			}
			if !changes.None() {
				t.Errorf("the golden is stale, make update rewrites it: %+v", changes)
			}
			// Nothing lies there that a build would not make.
			want := map[string]bool{"README.md": true, "manifest.json": true}
			for _, f := range c.tree.Manifest.Files {
				want[f.Rel()] = true
			}
			err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if rel, _ := filepath.Rel(dir, path); err == nil && !d.IsDir() && !want[rel] {
					t.Errorf("%s: nothing makes it", path)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Every stack in examples/ has a golden.
func TestEveryExampleHasAGolden(t *testing.T) {
	dirs, err := filepath.Glob("../../examples/*/stack.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, stack := range dirs {
		if name := filepath.Base(filepath.Dir(stack)); examples[name] == nil {
			t.Errorf("%s has no golden", name)
		}
	}
	if len(dirs) != len(examples) {
		t.Errorf("%d examples, %d goldens", len(dirs), len(examples))
	}
}

// TestOrderOfKeysNeverShows builds each example from the same stack with its
// keys in other orders.
func TestOrderOfKeysNeverShows(t *testing.T) {
	for name, stack := range examples {
		data, err := os.ReadFile(stack[0])
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(data, &value); err != nil {
			t.Fatal(err)
		}
		want := trees(t, stack[0])
		for seed := range uint64(5) {
			file := filepath.Join(t.TempDir(), "stack.json")
			var b bytes.Buffer
			shuffled(&b, value, rand.New(rand.NewPCG(seed, 1)))
			if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			got := trees(t, file)
			for path, sum := range want {
				if got[path] != sum {
					t.Errorf("%s: %s differs with another order of keys", name, path)
				}
			}
			if len(got) != len(want) {
				t.Errorf("%s: %d files, then %d", name, len(want), len(got))
			}
		}
	}
}

func trees(t *testing.T, stack string) map[string]string {
	t.Helper()
	c, diags, err := compile([]string{stack}, &stackFlags{tree: "build"})
	if err != nil || c == nil {
		t.Fatal(err, diags)
	}
	m := sums(c)
	m["README.md"] = string(c.tree.Readme)
	return m
}

// shuffled writes a value as JSON with its keys in a random order.
func shuffled(b *bytes.Buffer, v any, r *rand.Rand) {
	switch v := v.(type) {
	case map[string]any:
		keys := slices.Sorted(maps.Keys(v))
		r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		b.WriteByte('{')
		for i, k := range keys {
			if i > 0 {
				b.WriteByte(',')
			}
			key, _ := json.Marshal(k)
			b.Write(key)
			b.WriteByte(':')
			shuffled(b, v[k], r)
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			shuffled(b, item, r)
		}
		b.WriteByte(']')
	default:
		text, _ := json.Marshal(v)
		b.Write(text)
	}
}
