package compile

import (
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/schema"
)

// An argument of Jsonnet's is in the manifest: one that looks like a secret is
// warned of by its name.
func TestArgumentsThatLookSecret(t *testing.T) {
	const secret = "S3NT1NEL"
	for value, warned := range map[string]bool{"https://me:" + secret + "@example.org/": true, "https://example.org/": false} {
		list := argumentsInTree(&Options{ExtStr: map[string]string{"url": value, "size": "4"}, TLAStr: map[string]string{"url": value}})
		if got := len(list) == 2; got != warned {
			t.Errorf("%s: %+v", value, list)
		}
		for _, d := range list {
			if d.Severity() != diag.Warning || strings.Contains(d.Message+d.Remedy, secret) || !strings.Contains(d.Message, "str url") {
				t.Errorf("%+v", d)
			}
		}
	}
}

// A file with a plain secret in it is not put, and of several the first in the order
// of the manifest is named.
func TestFinderKeepsSecretsBack(t *testing.T) {
	found := newFinder([]schema.PlainSecret{{Pointer: "/a", Value: "long-enough"}, {Pointer: "/b", Value: "short"}, {Pointer: "/c", Value: "nowhere-at-all"}})
	var put []string
	take := found.before(func(f tree.File, _ []byte) error {
		put = append(put, f.Rel())
		return nil
	})
	for _, f := range []struct{ host, path, text string }{
		{"h2", "/a", "x long-enough"}, {"h1", "/z", "long-enough"}, {"h1", "/b", "it is short"}, {"h1", "/y", "=long-enough="},
	} {
		if err := take(tree.File{Host: f.host, Path: f.path}, []byte(f.text)); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(put, []string{"hosts/h1/root/b"}) {
		t.Errorf("put: %v", put)
	}
	list := found.diags()
	if len(list) != 1 || !strings.Contains(list[0].Message, "hosts/h1/root/y") || list[0].Path != "a" {
		t.Errorf("%+v", list)
	}
}
