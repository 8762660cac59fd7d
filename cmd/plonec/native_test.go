package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/native"
)

// testSystem is what the hosts of the tests run where testdata/systems says:
// the system whose programs judge.
var testSystem = os.Getenv("PLONEC_TEST_SYSTEM")

// TestExamplesNative lets the daemons judge every example, compiled for the
// system that they are of. A program that is not installed is a failure.
func TestExamplesNative(t *testing.T) {
	for name, stack := range examples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if testSystem != "" {
				over := filepath.Join(dir, "system.json")
				if err := os.WriteFile(over, fmt.Appendf(nil, `{"plonec": {"os": %q}}`, testSystem), 0o644); err != nil {
					t.Fatal(err)
				}
				stack = append(stack[:len(stack):len(stack)], over)
			}
			c, diags, err := compile.Stack(stack, &compile.Options{Tree: filepath.Join(dir, "build"), Release: release})
			if err != nil {
				t.Fatal(err)
			}
			if c == nil {
				t.Fatalf("%+v", diags)
			}
			results := judged(t, c)
			if len(results) < len(c.Tree.Manifest.Hosts) {
				t.Errorf("only %d results", len(results))
			}
			for _, r := range results {
				if r.Outcome != native.Good {
					t.Errorf("%s on %s: %s\n%s", r.Program, r.Host, r.Outcome, r.Output)
				}
			}
		})
	}
}

// TestPastedExampleNative lets the daemons judge the examples of docs/stack.md, the first
// of which names a host that nobody here can resolve.
func TestPastedExampleNative(t *testing.T) {
	doc, err := os.ReadFile("../../docs/stack.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"https://feed.example.org", "acl office", "\"cookies_vary\""} {
		at := bytes.Index(doc, []byte(word))
		if at < 0 {
			t.Fatalf("docs/stack.md has no example with %s any more", word)
		}
		const fence = "```json\n"
		begin := bytes.LastIndex(doc[:at], []byte(fence)) + len(fence)
		exampleNative(t, doc[begin:at+bytes.Index(doc[at:], []byte("```"))])
	}
}

// exampleNative lets the daemons judge an example beside a stack of one host.
func exampleNative(t *testing.T, example []byte) {
	t.Helper()
	dir := t.TempDir()
	stack := []string{filepath.Join(dir, "stack.json"), filepath.Join(dir, "example.json")}
	const base = `{
		"instances": {"web1": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}},
		"plone_instances": {"app_name": "site"},
		"plone_zeoserver": {"app_name": "site", "filestorage_dir": "/srv/data"},
		"plone_blobs": {"blob_dir": "/srv/blobs"},
		"haproxy": {"stats_password": {"$secret": "env:STATS"}},
		"deploy": {"site": {"domains": ["www.example.com"], "scm": {"repository": "https://example.org/b.git"}}}
	}`
	for i, text := range [][]byte{[]byte(base), example} {
		if err := os.WriteFile(stack[i], text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c, diags, err := compile.Stack(stack, &compile.Options{Tree: filepath.Join(dir, "build"), Release: release})
	if err != nil || c == nil {
		t.Fatalf("%v %+v", err, diags)
	}
	for _, r := range judged(t, c) {
		if r.Outcome != native.Good {
			t.Errorf("%s on %s: %s\n%s", r.Program, r.Host, r.Outcome, r.Output)
		}
	}
}

// judged lets the daemons judge a tree.
func judged(t *testing.T, c *compile.Built) []native.Result {
	t.Helper()
	hosts, common := native.Files(c.Tree.Manifest, contents(t, c))
	return judgedFiles(t, hosts, common)
}

// judgedFiles lets the daemons judge, apart from this machine where it can: that it
// can is what the tests of package native are for.
func judgedFiles(t *testing.T, hosts map[string]map[string][]byte, common map[string][]byte) []native.Result {
	t.Helper()
	for _, how := range []native.How{native.Apart, native.Here} {
		results, err := native.Judge(hosts, common, how)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(results, func(r native.Result) bool { return r.Outcome == native.NotAsked }) {
			return results
		}
	}
	t.Fatal("programs that were asked here were not asked")
	return nil
}
