package topology_test

import (
	"slices"
	"testing"

	"github.com/plonec/plonec/internal/diag"
)

// A repository that is read by ssh needs a key.
func TestKeyOfRepository(t *testing.T) {
	for scm, want := range map[string]bool{
		`{"repository": "git@example.com:site.git"}`:                                     true,
		`{"repository": "ssh://git@example.com/site.git"}`:                               true,
		`{"repository": "git@example.com:site.git", "ssh_key": {"$secret": "file:key"}}`: false,
		`{"repository": "https://example.com/site.git"}`:                                 false,
		`{"repository": "/srv/git/site.git"}`:                                            false,
		`{"repository": "git@example.com:site", "scm_type": "svn"}`:                      false,
	} {
		_, diags := resolve(t, `{"instances": {"a": {"layers": ["plone_instances"], "address": "10.0.0.1", "cpus": 1}}, "deploy": {"plone_instances": {"scm": `+scm+`}}}`)
		if got := slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == "no-key" }); got != want {
			t.Errorf("%s: %v, want %v: %+v", scm, got, want, diags)
		}
	}
}
