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

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/tree"
)

// examples are the stacks of examples/, and one of testdata/ for what none of
// them has, by their golden tree.
var examples = map[string][]string{
	"zeo":             {"../../examples/zeo/stack.json"},
	"relstorage":      {"../../examples/relstorage/stack.json"},
	"single-host":     {"../../examples/single-host/stack.json"},
	"opsworks-export": {"../../examples/opsworks-export/stack.json"},
	"pasted":          {"../../testdata/pasted/stack.json"},
}

// TestGoldens compares the tree of every example with testdata/golden, less
// the scripts, which are templates/host word for word; -update writes it anew.
func TestGoldens(t *testing.T) {
	for name, stack := range examples {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("../../testdata/golden", name)
			c, diags, err := compile.Stack(stack, &compile.Options{Tree: dir, Release: release})
			if err != nil {
				t.Fatal(err)
			}
			if c == nil {
				t.Fatalf("%+v", diags)
			}
			want := golden(t, c)
			if *update {
				writeGolden(t, dir, want)
			}
			err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				rel, _ := filepath.Rel(dir, path)
				got, err := os.ReadFile(path)
				if string(got) != want[rel] {
					t.Errorf("%s is stale, make update rewrites it", path)
				}
				delete(want, rel)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			for rel := range want {
				t.Errorf("%s is missing, make update writes it", filepath.Join(dir, rel))
			}
		})
	}
}

// contents are the files of a tree.
func contents(t testing.TB, c *compile.Built) *tree.Kept {
	t.Helper()
	var kept tree.Kept
	if built, diags, err := c.Render(kept.Put); err != nil || built == nil {
		t.Fatal(err, diags)
	}
	return &kept
}

// golden is a tree without what every tree has.
func golden(t *testing.T, c *compile.Built) map[string]string {
	t.Helper()
	files := map[string]string{"README.md": string(c.Tree.Readme)}
	m := *c.Tree.Manifest
	m.Files = nil
	contents := contents(t, c)
	for _, f := range c.Tree.Manifest.Files {
		if f.Host != "*" {
			m.Files = append(m.Files, f)
			files[f.Rel()] = string(contents.Content(f))
		}
	}
	data, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	files["manifest.json"] = string(data)
	return files
}

func writeGolden(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for rel, content := range files {
		name := filepath.Join(dir, rel)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
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
	if len(dirs) == 0 {
		t.Error("no examples were found")
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
	c, diags, err := compile.Stack([]string{stack}, &compile.Options{Tree: "build", Release: release})
	if err != nil || c == nil {
		t.Fatal(err, diags)
	}
	m := sums(c)
	m["README.md"] = string(c.Tree.Readme)
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
