package main

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/secret"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/schema"
)

// TestWhatBuildsCanBeApplied leaves each key of each example out, and sets it to null,
// false and "": what compiles all the same is a tree that plan takes, with all of its
// secrets, as it would for hosts on which nothing is yet.
func TestWhatBuildsCanBeApplied(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("../../examples/*/stack.json")
	if err != nil || len(names) < 4 {
		t.Fatal(names, err)
	}
	stacks := map[string][]byte{"README.md": readmeStack(t)}
	for _, name := range names {
		if stacks[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	built := 0
	for _, name := range slices.Sorted(maps.Keys(stacks)) {
		var stack map[string]any
		if err := json.Unmarshal(stacks[name], &stack); err != nil {
			t.Fatal(name, err)
		}
		for what, changed := range changedKeys(stack) {
			if appliable(t, name+" "+what, changed) {
				built++
			}
		}
	}
	if built < 250 {
		t.Errorf("only %d stacks compiled", built)
	}
}

// readmeStack is the stack that the README begins with.
func readmeStack(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```json\n(.*?)```").FindSubmatch(text)
	if m == nil {
		t.Fatal("README.md has no stack")
	}
	return m[1]
}

// changedKeys gives the stack as it is, and with each of its keys left out, null, false
// and empty. What OpsWorks sent along, and nothing reads, is left as it is.
func changedKeys(stack map[string]any) map[string]any {
	all := map[string]any{"as it is": stack}
	var below func(path []string, m map[string]any)
	below = func(path []string, m map[string]any) {
		for key, value := range m {
			at := append(slices.Clone(path), key)
			name := schema.JoinKeys(at)
			all[name+" left out"] = without(stack, at)
			all[name+" null"] = set(stack, at, nil)
			all[name+" false"] = set(stack, at, false)
			all[name+` ""`] = set(stack, at, "")
			if inner, ok := value.(map[string]any); ok {
				below(at, inner)
			}
		}
	}
	below(nil, stack)
	return all
}

func without(m map[string]any, path []string) map[string]any {
	m = maps.Clone(m)
	if len(path) == 1 {
		delete(m, path[0])
	} else {
		m[path[0]] = without(m[path[0]].(map[string]any), path[1:])
	}
	return m
}

// appliable tells whether the stack compiles. It is an error where plan does not take
// what comes of it.
func appliable(t *testing.T, what string, stack any) bool {
	t.Helper()
	text, err := json.Marshal(stack)
	if err != nil {
		t.Fatal(err)
	}
	node, diags := input.ReadJSON(&diag.File{Name: "stack.json", Content: text})
	if diags.Errors() > 0 {
		t.Fatal(what, diags)
	}
	c, diags, err := compile.Assemble(node, tree.Inputs{}, &compile.Options{Release: release})
	if err != nil {
		t.Fatal(what, err)
	}
	if c == nil {
		if diags.Errors() == 0 {
			t.Errorf("%s: nothing was compiled, and nobody says why", what)
		}
		return false
	}
	written, err := c.Tree.Manifest.Bytes()
	if err != nil {
		t.Fatal(what, err)
	}
	m, err := tree.Parse(written)
	if err != nil {
		t.Errorf("%s: the manifest cannot be read: %v", what, err)
		return true
	}
	r := &secret.Resolver{
		Getenv: func(name string) (string, bool) { return "value of " + name, true },
		Stack: func(pointer string) (string, error) {
			value, ok := schema.SecretAt(node, pointer)
			if !ok {
				t.Errorf("%s: the stack has no secret at %s", what, pointer)
			}
			return value, nil
		},
	}
	for i := range m.Secrets {
		for j, e := range m.Secrets[i].Entries {
			if name, ok := strings.CutPrefix(e.Source, "file:"); ok {
				m.Secrets[i].Entries[j].Source = "env:" + strings.ToUpper(regexp.MustCompile(`\W`).ReplaceAllString(name, "_"))
			}
		}
	}
	files, _, err := r.Files(context.Background(), m.Secrets, nil)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return true
	}
	of := &plan.Tree{Disk: &tree.Disk{Manifest: m}, Values: true, Nonce: "n", Redactor: r.Redactor()}
	for _, h := range m.Hosts {
		host, err := plan.NewHost(of, h)
		if err != nil {
			t.Errorf("%s: %s: %v", what, h.Name, err)
			continue
		}
		for _, f := range files {
			if f.Host == h.Name {
				host.Secrets = append(host.Secrets, f)
			}
		}
		if err := host.See(plan.NewObservation()); err != nil {
			t.Errorf("%s: %s: %v", what, h.Name, err)
			continue
		}
		if p := host.Foresee(nil, false); len(p.Unasked) > 0 || !p.Due {
			t.Errorf("%s: %s: nothing would be done, or %v is not known", what, h.Name, p.Unasked)
		}
	}
	return true
}
