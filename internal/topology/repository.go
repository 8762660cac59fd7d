package topology

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/certificate"
	"github.com/plonec/plonec/schema"
)

// source looks into where an app comes from and the key that reads it: not whether
// they are good, which only a host can tell, but whether they cannot be.
func (r *resolver) source(app string, c *schema.App) {
	scm := c.SCM
	at := func(name string) []string { return []string{"deploy", app, "scm", name} }
	if scm.Type == "git" {
		if message, remedy := badRepository(scm.Repository); message != "" {
			r.once("bad-repository", at("repository"), message, remedy)
		}
	}
	if message, remedy := DeadAddress(scm.Type, scm.Repository); message != "" {
		r.once("dead-address", at("repository"), message, remedy)
	}
	for _, address := range append([]string{c.Index.URL}, c.Index.FindLinks...) {
		if message, remedy := DeadAddress("", address); message != "" {
			r.once("dead-address", []string{"deploy", app, "index"}, message, remedy)
		}
	}
	if scm.Type == "git" && !scm.SSHKey.IsSet() && bySSH.MatchString(scm.Repository) {
		r.once("no-key", at("repository"), "the repository is read by ssh, and the stack has no key for it",
			fmt.Sprintf("give deploy.%s.scm.ssh_key one that may read it, or read it by https", app))
	}
	if key := scm.SSHKey.Plain; key != "" {
		if what := certificate.SSHKey(key); what != "" {
			r.once("unusable-key", at("ssh_key"), "the key "+what, `give a private key that has no passphrase, as {"$secret": "file:PATH"}`)
		}
	}
}

// gitSchemes are those of addresses that git itself takes.
var gitSchemes = []string{"file", "ftp", "ftps", "git", "git+ssh", "http", "https", "ssh", "ssh+git"}

var (
	withScheme = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*)://(.*)$`)
	// word is a path after a colon, as git@example.com:site.git has it.
	word = regexp.MustCompile(`^((?:[^/@:]+@)?[^/@:\[\]]+):([^/0-9][^:]*|[0-9]+[^/0-9:][^:]*)$`)
	// bySSH is an address of a repository that git reads by ssh.
	bySSH = regexp.MustCompile(`^(?:(?:git\+)?ssh(?:\+git)?://|[\w.-]+@[\w.-]+:)`)
	// withoutScheme is a host and a path: git takes it for a folder.
	withoutScheme = regexp.MustCompile(`^(?:([^/@:]+)@)?([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)/(.+)$`)
	// page is what comes after owner and name in the address of a page.
	page = regexp.MustCompile(`^/([^/]+/[^/]+?)(?:\.git)?/(?:tree|blob|commits?|src|pulls?|issues|releases|tags|branches|wiki|actions)(?:/([^/]+))?`)
	// gitlabPage is the same where projects lie in groups of any depth.
	gitlabPage = regexp.MustCompile(`^/(.+?)(?:\.git)?/-/(?:[a-z_]+)(?:/([^/]+))?`)
)

// forges are hosts where every repository is OWNER/NAME.
var forges = []string{"bitbucket.org", "codeberg.org", "github.com", "www.github.com"}

// badRepository says why git can read no repository at an address, and what to write;
// both are empty where that is not sure.
func badRepository(address string) (message, remedy string) {
	m := withScheme.FindStringSubmatch(address)
	if m == nil {
		return badPath(address)
	}
	scheme, rest := strings.ToLower(m[1]), m[2]
	if bare, ok := strings.CutPrefix(scheme, "git+"); ok && bare != "ssh" {
		return "git itself does not know git+, by which pip is told of it", "write " + bare + "://" + strings.SplitN(rest, "#", 2)[0] + ", and a branch or a tag after an @ as scm.revision"
	}
	if !slices.Contains(gitSchemes, scheme) {
		return "git knows no addresses that begin with " + scheme + "://", "write ssh://, https:// or git@HOST:PATH"
	}
	if w := word.FindStringSubmatch(rest); w != nil {
		remedy := "write " + w[1] + ":" + w[2] + ", or " + scheme + "://" + w[1] + "/" + w[2]
		if strings.HasPrefix(scheme, "http") {
			remedy = "write " + scheme + "://" + w[1] + "/" + w[2] + ", or git@" + w[1] + ":" + w[2]
		}
		return "after " + scheme + "://HOST: comes a port, and this is a path", remedy
	}
	if scheme != "file" && (rest == "" || rest[0] == '/') {
		return "it names no host", "write " + scheme + "://HOST/PATH"
	}
	u, err := url.Parse(address)
	if err != nil || scheme != "http" && scheme != "https" {
		return "", ""
	}
	p := gitlabPage.FindStringSubmatch(u.Path)
	if p == nil && slices.Contains(forges, u.Hostname()) {
		p = page.FindStringSubmatch(u.Path)
	}
	if p == nil {
		return "", ""
	}
	remedy = "write " + scheme + "://" + u.Host + "/" + p[1] + ".git"
	if p[2] != "" && (strings.Contains(u.Path, "/tree/") || strings.Contains(u.Path, "/commit/") || strings.Contains(u.Path, "/src/branch/")) {
		remedy += ", and the branch, tag or commit as scm.revision"
	}
	return "this is the address of a page, and not of the repository", remedy
}

// badPath is badRepository of an address without a scheme: HOST:PATH is good, and a path
// from the root, which is one on the hosts.
func badPath(address string) (message, remedy string) {
	before, _, slash := strings.Cut(address, "/")
	if !slash || before == "" || strings.Contains(before, ":") { // a word alone may be what git's own configuration has an address for
		return "", ""
	}
	const why = "git takes it for a folder beside the one in which it runs"
	if m := withoutScheme.FindStringSubmatch(address); m != nil {
		if m[1] != "" {
			return why, "write " + m[1] + "@" + m[2] + ":" + m[3] + ", with a colon after the host"
		}
		return why, "write https://" + m[2] + "/" + m[3]
	}
	return why, "write ssh://, https:// or git@HOST:PATH, or an absolute path on the hosts"
}
