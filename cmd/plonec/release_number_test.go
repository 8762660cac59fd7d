package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/tree"
)

const releaseRecord = "../../testdata/golden/RELEASE"

// TestReleaseNumber holds the number of the release and what it writes together. A
// tree is judged by the plonec that its manifest names, so two that write different
// trees must not have one number. The commit that changes what comes out raises it;
// -update writes the record for another number alone.
func TestReleaseNumber(t *testing.T) {
	data, err := os.ReadFile(releaseRecord)
	if err != nil {
		t.Fatal(err)
	}
	number, sum, _ := strings.Cut(strings.TrimSpace(string(data)), " ")
	is := whatComesOut(t)
	why := releaseChange(number, sum, release, is)
	if why == "" {
		return
	}
	if *update && number != release {
		if err := os.WriteFile(releaseRecord, []byte(release+" "+is+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Error(why)
}

// releaseChange says what is wrong with a number and a sum, by those of the record;
// empty: nothing.
func releaseChange(number, sum, release, is string) string {
	switch {
	case number == release && sum == is:
		return ""
	case number == release:
		return fmt.Sprintf("what comes out of the examples is not what plonec %s writes: raise release in cmd/plonec/root.go, in this commit, then make update; or, on a branch that has raised it already: git checkout main testdata/golden/RELEASE, then make update", release)
	}
	return fmt.Sprintf("the record in testdata/golden/RELEASE is of plonec %s: make update writes that of %s", number, release)
}

func TestReleaseChange(t *testing.T) {
	for _, test := range []struct{ number, sum, release, is, want string }{
		{"1.0.0", "a", "1.0.0", "a", ""},
		{"1.0.0", "a", "1.0.0", "b", "raise release in cmd/plonec/root.go"},
		{"1.0.0", "a", "1.0.1", "b", "make update writes that of 1.0.1"},
		{"1.0.0", "a", "1.0.1", "a", "make update writes that of 1.0.1"},
	} {
		if got := releaseChange(test.number, test.sum, test.release, test.is); !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%v: got %q", test, got)
		}
	}
}

// whatComesOut is a sum over all that is made of the examples, and of the stacks in
// which every attribute shows.
func whatComesOut(t *testing.T) string {
	t.Helper()
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(examples)) {
		c, diags, err := compile.Stack(examples[name], &compile.Options{Tree: filepath.Join("../../testdata/golden", name), Release: release})
		if err != nil || c == nil {
			t.Fatal(err, diags)
		}
		fmt.Fprintln(h, outcome(c.Tree, contents(t, c)))
	}
	for _, base := range bases(t) {
		c, diags := compileJSON(t, base)
		if c == nil {
			t.Fatal(first(diags))
		}
		fmt.Fprintln(h, outcome(c.Tree, contents(t, c)))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// outcome is a sum over a tree, scripts included, less what it was made from and by
// which release.
func outcome(made *tree.Tree, contents *tree.Kept) string {
	h := sha256.New()
	m := *made.Manifest
	m.Plonec, m.Inputs = "", tree.Inputs{}
	said, err := m.Bytes()
	if err != nil {
		panic(err) // nothing in it can fail
	}
	fmt.Fprintf(h, "%q %q\n", said, made.Readme)
	for _, f := range made.Manifest.Files {
		fmt.Fprintf(h, "%q\n", contents.Content(f))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Each part of a tree counts: what lies on hosts, and what is said of it.
func TestOutcomeSeesAll(t *testing.T) {
	c, diags, err := compile.Stack(examples["zeo"], &compile.Options{Tree: "build", Release: release})
	if err != nil || c == nil {
		t.Fatal(err, diags)
	}
	m, contents := c.Tree.Manifest, contents(t, c)
	seen := map[string]string{outcome(c.Tree, contents): "nothing"}
	for what, change := range map[string]func(){
		"a script":         func() { contents.Content(m.Files[0])[5] ^= 1 },
		"a host's file":    func() { contents.Content(m.Files[len(m.Files)-1])[5] ^= 1 },
		"a mode":           func() { m.Files[0].Mode = "4755" },
		"an effect":        func() { m.Files[1].Effect = []string{"reload:x"} },
		"a secret's owner": func() { m.Secrets[0].Owner = "nobody:nogroup" },
		"how a host is":    func() { m.Hosts[0].Status = "x" },
		"the README":       func() { c.Tree.Readme = []byte("x") },
	} {
		change()
		sum := outcome(c.Tree, contents)
		if other, there := seen[sum]; there {
			t.Errorf("%s changes nothing that %s does not", what, other)
		}
		seen[sum] = what
	}
	if m.Files[0].Host != "*" || m.Files[len(m.Files)-1].Host == "*" {
		t.Error("the first file is no script, or the last one is")
	}
	before := outcome(c.Tree, contents)
	if m.Plonec = "9.9.9"; outcome(c.Tree, contents) != before {
		t.Error("the number itself counts")
	}
}
