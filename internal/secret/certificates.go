package secret

import (
	"slices"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/certificate"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/schema"
)

// Look looks into the certificates, their keys and the keys of repositories that are among
// the files of hosts, as check does where they stand in the stack: refused is what the hosts
// would refuse, warned what is of no use there, or not for long. read gives a file of the
// tree: where a certificate stands there its key is held against it. Messages begin with the
// attribute.
func Look(files []File, hosts []tree.Host, read func(tree.File) ([]byte, error), now time.Time) (refused, warned Problems) {
	for _, h := range hosts {
		file := func(path string) *File {
			if i := slices.IndexFunc(files, func(f File) bool { return f.Host == h.Name && f.Path == path && len(f.values) > 0 }); i >= 0 {
				return &files[i]
			}
			return nil
		}
		add := func(to *Problems, f *File, entry int, message, remedy string, attribute ...string) {
			e := f.Entries[entry]
			if to == &refused || !strings.HasPrefix(e.Source, "stack:") { // check warns of what stands in the stack
				to.add(&fault{schema.JoinKeys(append([]string{"deploy"}, attribute...)) + ": " + message, remedy}, Place{h.Name, f.Path, e.Key, e.Source})
			}
		}
		for _, c := range h.Certificates {
			shown, key := file(c.Path), file(c.Key)
			for _, f := range site(c, h.Name, shown, key, read).Findings(now) {
				to, of, entry := &warned, shown, 0
				if f.Refused {
					to = &refused
				}
				switch f.Attribute {
				case "ssl_certificate_key":
					of = key
				case "ssl_certificate_ca":
					entry = 1
				}
				if of != nil { // else check has said it
					add(to, of, entry, f.Message, f.Remedy, c.App, f.Attribute)
				}
			}
		}
		for _, a := range h.Apps {
			if f := file(a.Key); f != nil {
				if what := certificate.SSHKey(f.values[0].plain()); what != "" {
					add(&warned, f, 0, "the key "+what, "give a private key that has no passphrase", a.Name, "scm", "ssh_key")
				}
			}
		}
	}
	return refused, warned
}

// site is what is known of what an app is served with on a host: by reference, in shown and
// key, or in the tree.
func site(c tree.Certificate, host string, shown, key *File, read func(tree.File) ([]byte, error)) certificate.Site {
	s := certificate.Site{Names: c.Names}
	if key != nil {
		s.Key = key.values[0].plain()
	}
	switch {
	case shown != nil: // the certificate, then the chain of its issuers
		s.Certificate = shown.values[0].plain()
		for _, v := range shown.values[1:] {
			s.CA += v.plain()
		}
	case key != nil:
		text, _ := read(tree.File{Host: host, Path: c.Path}) // none: it comes from a command that is not run here
		s.Certificate = string(text)
	}
	return s
}
