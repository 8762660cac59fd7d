package topology

import (
	"os/exec"
	"strings"
	"testing"
)

func TestBadRepository(t *testing.T) {
	for address, want := range map[string]string{
		"":                                             "",
		"git@example.com:site.git":                     "",
		"https://github.com/plone/site.git":            "",
		"https://github.com/plone/site":                "",
		"https://git.example.com/tree/blob/x":          "", // some host's own folders
		"ssh://git@example.com:2222/site.git":          "",
		"ssh://git@[fd00::1]:22/site.git":              "",
		"https://example.com:8443/site.git":            "",
		"file:///srv/git/site.git":                     "",
		"/srv/git/site.git":                            "",
		"git+ssh://git@example.com/site.git":           "",
		"ssh://git@github.com:plone/site.git":          "write git@github.com:plone/site.git, or ssh://git@github.com/plone/site.git",
		"https://github.com:plone/site.git":            "write https://github.com/plone/site.git, or git@github.com:plone/site.git",
		"ssh://git@example.com:2020site.git":           "write git@example.com:2020site.git",
		"https://github.com/plone/site/tree/6.x":       "write https://github.com/plone/site.git, and the branch",
		"https://github.com/plone/site/pull/7":         "write https://github.com/plone/site.git",
		"https://gitlab.example.com/a/b/c/-/tree/main": "write https://gitlab.example.com/a/b/c.git, and the branch",
		"git+https://github.com/plone/site.git@main":   "write https://github.com",
		"htps://github.com/plone/site.git":             "write ssh://, https://",
		"github.com/plone/site":                        "write https://github.com/plone/site",
		"git@github.com/plone/site.git":                "write git@github.com:plone/site.git, with a colon",
		"https://":                                     "write https://HOST/PATH",
		"ssh:///srv/site":                              "write ssh://HOST/PATH",
		"example.com:site/x.git":                       "",
		"plone/site":                                   "write ssh://, https://",
		"../buildout":                                  "write ssh://, https://",
		"~/buildout":                                   "write ssh://, https://",
		"git@127.0.0.1/plone/site.git":                 "write git@127.0.0.1:plone/site.git",
	} {
		message, remedy := badRepository(address)
		if (message == "") != (want == "") || !strings.HasPrefix(remedy, want) || (remedy == "") != (want == "") {
			t.Errorf("%s: %q, %q, want %q", address, message, remedy, want)
		}
	}
	// What is said to be no address for git at all is refused by git before it asks anybody.
	for address, says := range map[string]string{
		"ssh://git@127.0.0.1:plone/site.git":  "",
		"https://127.0.0.1:plone/site.git":    "",
		"git+https://127.0.0.1:1/plone/s.git": "git+https",
		"htps://127.0.0.1:1/site.git":         "htps",
		"git@127.0.0.1/plone/site.git":        "does not appear to be a git repository",
		"~/no-such-buildout":                  "does not appear to be a git repository",
		"no-such/site":                        "does not appear to be a git repository",
	} {
		out, err := exec.Command("git", "ls-remote", address).CombinedOutput()
		if err == nil || !strings.Contains(string(out), says) {
			t.Errorf("git takes %s: %v %s", address, err, out)
		}
		if message, _ := badRepository(address); message == "" {
			t.Errorf("%s is taken, and git says %s", address, out)
		}
	}
}

func TestDeadAddress(t *testing.T) {
	for _, c := range []struct{ by, address, want string }{
		{"git", "git://github.com/collective/x.git", "GitHub has not answered git://"},
		{"git", "git://git.example.com/x.git", ""},
		{"git", "https://github.com/collective/x.git", ""},
		{"git", "git@github.com:collective/x.git", ""},
		{"svn", "https://github.com/collective/x/trunk", "GitHub has not answered Subversion"},
		{"svn", "svn://svn.zope.org/repos/main/x/trunk", "svn.zope.org is closed"},
		{"svn", "https://svn.example.com/x", ""},
		{"hg", "https://bitbucket.org/a/b", "Bitbucket has had no Mercurial"},
		{"git", "https://bitbucket.org/a/b.git", ""},
		{"", "http://pypi.python.org/simple", "PyPI answers over https alone"},
		{"", "http://pypi.org", "PyPI answers over https alone"},
		{"", "https://pypi.python.org/simple/", ""},
		{"", "http://pypi.example.org/simple/", ""},
	} {
		if message, remedy := DeadAddress(c.by, c.address); (message == "") != (c.want == "") || !strings.HasPrefix(message, c.want) || (remedy == "") != (message == "") {
			t.Errorf("%s %s: %q, %q", c.by, c.address, message, remedy)
		}
	}
}
