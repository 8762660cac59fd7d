package topology

import "regexp"

// dead are addresses that were good once, in stacks and buildouts of those years: by
// what they are fetched ("" is what packages come from), what is wrong, what to write.
var dead = []struct {
	by       string
	is       *regexp.Regexp
	why, now string
}{
	{"git", regexp.MustCompile(`^git://(?:[^/@]+@)?(?:gist\.)?github\.com[/:]`), "GitHub has not answered git:// since 2022", "write https:// in place of git://"},
	{"svn", regexp.MustCompile(`^(?:svn|https?)://(?:[^/@]+@)?github\.com/`), "GitHub has not answered Subversion since 2024", "fetch it by git"},
	{"svn", regexp.MustCompile(`^(?:svn|svn\+ssh|https?)://(?:[^/@]+@)?svn\.zope\.org[/:]`), "svn.zope.org is closed", "fetch it by git from https://github.com/zopefoundation"},
	{"hg", regexp.MustCompile(`^(?:ssh|https?)://(?:[^/@]+@)?bitbucket\.org/`), "Bitbucket has had no Mercurial since 2020", "fetch it by git, from where the project is today"},
	{"", regexp.MustCompile(`^http://(?:test)?pypi(?:\.python)?\.org(?:[/:]|$)`), "PyPI answers over https alone", "write https://pypi.org/simple/, or nothing: it is the default"},
}

// DeadAddress says why nothing answers at an address any more, and what to write; both are
// empty where that is not known. by is git, svn or hg, or empty for an index of packages.
func DeadAddress(by, address string) (message, remedy string) {
	for _, d := range dead {
		if d.by == by && d.is.MatchString(address) {
			return d.why, d.now
		}
	}
	return "", ""
}
