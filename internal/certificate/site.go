package certificate

import (
	"fmt"
	"strings"
	"time"
)

// A Site is what the names of an app are served with by TLS, as far as it is known: texts in
// PEM form, empty where one is not.
type Site struct {
	Certificate string   // the site's own, and after it those of its issuers
	CA          string   // those of its issuers, where they are given apart
	Key         string   // of the site's own
	Names       []string // by which visitors come
}

// A Finding is what is wrong with a Site.
type Finding struct {
	Code            string // of package diag
	Attribute       string // of the app, such as ssl_certificate
	Refused         bool   // nginx does not start with it, whatever its configuration says
	Message, Remedy string // no part of a key is in either
}

// Chain reads the certificate and those of its issuers. It is nil where they are not known
// or cannot be looked into, and with the finding where they are none.
func (s Site) Chain() (Chain, *Finding) {
	if s.Certificate == "" {
		return nil, nil
	}
	chain, bad := Parse(s.Certificate)
	attribute := "ssl_certificate"
	if s.CA != "" {
		issuers, err := Parse(s.CA)
		if chain = append(chain, issuers...); bad == nil {
			bad, attribute = err, "ssl_certificate_ca"
		}
	}
	switch bad {
	case nil:
		return chain, nil
	case ErrOdd:
		return nil, nil
	}
	return nil, &Finding{"bad-certificate", attribute, true, bad.Error(), Remedy(bad)}
}

// Findings are all that is wrong. Whether a certificate has expired is not asked where now
// is zero.
func (s Site) Findings(now time.Time) []Finding {
	const wanted = "give the key that the certificate was requested with"
	var list []Finding
	if s.Key != "" {
		if err := Readable(s.Key); err != nil {
			list = append(list, Finding{"unusable-key", "ssl_certificate_key", err != errLocked, "the key " + err.Error(), wanted})
		}
	}
	chain, bad := s.Chain()
	if bad != nil {
		return append(list, *bad)
	}
	if chain == nil {
		return list
	}
	if what := chain.Disorder(); what != "" {
		list = append(list, Finding{"certificate-order", "ssl_certificate", false, what, "put the site's own certificate first, then the one that issued it, and so on"})
	}
	if missing := chain.Missing(s.Names); len(missing) > 0 {
		list = append(list, Finding{"certificate-names", "ssl_certificate", false,
			fmt.Sprintf("it is for %s, and not for %s", chain.Names(), strings.Join(missing, ", ")), "have it issued for all names of the site"})
	}
	if !now.IsZero() {
		if what := chain.Expiry(now); what != "" {
			list = append(list, Finding{"certificate-expiry", "ssl_certificate", false, what, "have it renewed"})
		}
	}
	if s.Key != "" {
		if err := chain.Fits(s.Key); err != nil {
			list = append(list, Finding{"bad-certificate", "ssl_certificate_key", true, "the key " + err.Error(), wanted})
		}
	}
	return list
}
