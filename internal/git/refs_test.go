package git

import (
	"errors"
	"strings"
	"testing"
)

// A name is never taken for another's: not where a tag or a branch is called as a
// ref of another kind is.
func TestNames(t *testing.T) {
	dir := project(t)
	r := around(t, ".")
	sh(t, dir, `
git commit -q --allow-empty -m two
git tag -m note noted
git tag forged HEAD^
git update-ref refs/tags/refs/remotes/origin/HEAD HEAD^
git update-ref refs/heads/refs/remotes/origin/main HEAD^
git update-ref refs/remotes/up/topic HEAD
git tag up/topic HEAD
git update-ref refs/remotes/up/other HEAD
git tag up/other HEAD^
git tag main HEAD^
git update-ref refs/remotes/up/HEAD HEAD
git branch plain/below HEAD`)
	one, two := r.Ask("rev-parse", "HEAD^"), r.Ask("rev-parse", "HEAD")

	commits, err := r.Refs("refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/heads/main", "refs/heads/plain", "refs/heads/*", "refs/tags/noted")
	if err != nil || len(commits) != 2 || commits["refs/heads/main"] != two || commits["refs/tags/noted"] != two {
		t.Errorf("%v, %v", commits, err)
	}
	for _, c := range []struct{ name, commit, refs string }{
		{one, one, ""},
		{"noted", two, ""},
		{"forged", one, ""},
		{"up/topic", two, ""}, // two refs, one commit
		{"up", two, ""},
		{"heads/main", two, ""},
		{"refs/heads/main", two, ""},
		{"refs/tags/main", one, ""},
		{"refs/remotes/origin/main", "", ""},
		{"refs/remotes/origin/HEAD", "", ""},
		{"origin/main", "", ""},
		{"plain", "", ""},
		{"HEAD", "", ""},
		{"main^", "", ""},
		{"*", "", ""},
		{"--all", "", ""},
		{strings.Repeat("0", 40), "", ""},
		{"main", "", "refs/heads/main refs/tags/main"},
		{"up/other", "", "refs/remotes/up/other refs/tags/up/other"},
	} {
		commit, err := r.Named(c.name)
		var several *Ambiguous
		if errors.As(err, &several); commit != c.commit || (c.refs == "") != (err == nil) || several != nil && strings.Join(several.Refs, " ") != c.refs {
			t.Errorf("%s: %q, %v", c.name, commit, err)
		}
	}
	for text, want := range map[string]string{
		"HEAD": two, "@": two, "HEAD^1": one, "HEAD~1": one, one[:9]: one, one: one, "refs/heads/main~1": one, "noted^{commit}": two, "noted~1": one,
		"refs/remotes/origin/HEAD": "", "nothing": "", "--all": "", "HEAD^{/one}": one,
	} {
		if commit, err := r.Revision(text); err != nil || commit != want {
			t.Errorf("%s: %q, %v; want %q", text, commit, err, want)
		}
	}
	for _, text := range []string{"main", "main~1", "main^{commit}"} {
		if commit, err := r.Revision(text); err == nil {
			t.Errorf("%s: %q", text, commit)
		}
	}
}

// Where git is not to be had that is said, with what to do.
func TestNoGit(t *testing.T) {
	project(t)
	t.Setenv("PATH", t.TempDir())
	if _, err := around(t, ".").Run(nil, "status"); err == nil || err.Error() != "git is not on PATH: install it, or add its folder to PATH" {
		t.Errorf("%v", err)
	}
}
