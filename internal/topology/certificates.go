package topology

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/certificate"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/schema"
)

// certificate looks into the certificate of an app that is served by TLS under some names.
// It is nil where there is none to look into: what apply gets by reference nobody looks
// into before nginx does. Whether it has expired is nothing that a tree follows from:
// check asks Expiring.
func (r *resolver) certificate(app string, config *schema.App, names []string) certificate.Chain {
	at := func(name string) []string { return []string{"deploy", app, name} }
	refuse := func(name, message, remedy string) { r.once("bad-certificate", at(name), message, remedy) }
	cert, ca := config.SSLCertificate, config.SSLCertificateCA
	if ca.IsSet() && cert.IsSet() && ca.Secret.IsSet() != cert.Secret.IsSet() {
		refuse("ssl_certificate_ca", "the certificate or its chain is a reference, and the other is not: both go into one file, which build or apply writes",
			"give both in one way, or put the chain after the certificate")
		return nil
	}
	key := config.SSLCertificateKey.Plain
	if key != "" {
		if err := certificate.Readable(key); err != nil {
			r.once("unusable-key", at("ssl_certificate_key"), "the key "+err.Error(), `give the key that the certificate was requested with, as {"$secret": "file:PATH"}`)
		}
	}
	chain := certificateOf(config, refuse)
	if chain == nil {
		return nil
	}
	if what := chain.Disorder(); what != "" {
		r.once("certificate-order", at("ssl_certificate"), what, "put the site's own certificate first, then the one that issued it, and so on")
	}
	var public []string
	for _, name := range names {
		if strings.Contains(name, ".") { // an app's short name, which OpsWorks put there, is no domain
			public = append(public, name)
		}
	}
	if missing := chain.Missing(public); len(missing) > 0 {
		r.once("certificate-names", at("ssl_certificate"), fmt.Sprintf("it is for %s, and not for %s", chain.Names(), strings.Join(missing, ", ")),
			"have it issued for all names of the site")
	}
	if err := chain.Fits(key); key != "" && err != nil {
		refuse("ssl_certificate_key", "the key "+err.Error(), "give the key that the certificate was requested with")
	}
	return chain
}

// certificateOf reads the certificate and its chain, where they stand in the stack; nil
// where they do not, or cannot be read. refuse is told what is wrong with them.
func certificateOf(config *schema.App, refuse func(name, message, remedy string)) certificate.Chain {
	if config.SSLCertificate.Secret.IsSet() || !config.SSLCertificate.IsSet() {
		return nil
	}
	chain, err := certificate.Parse(config.SSLCertificate.Text)
	bad := err
	name := "ssl_certificate"
	if config.SSLCertificateCA.IsSet() && !config.SSLCertificateCA.Secret.IsSet() {
		issuers, err := certificate.Parse(config.SSLCertificateCA.Text)
		if chain = append(chain, issuers...); bad == nil {
			bad, name = err, "ssl_certificate_ca"
		}
	}
	if bad != nil {
		if !errors.Is(bad, certificate.ErrOdd) {
			refuse(name, bad.Error(), certificate.Remedy(bad))
		}
		return nil
	}
	return chain
}

// Expiring warns of the certificates that stand in a stack and have expired, or do so
// soon: what ends within certificate.Soon days of now.
func Expiring(d *schema.Decoded, t *Topology, now time.Time) diag.List {
	var list diag.List
	seen := map[string]bool{}
	for _, h := range t.Hosts {
		if h.Front == nil {
			continue
		}
		for _, s := range h.Front.Sites {
			config := h.Stack.Deploy[s.App]
			if !s.TLS || config == nil || seen[s.App] {
				continue
			}
			seen[s.App] = true
			chain := certificateOf(config, func(_, _, _ string) {})
			if chain == nil {
				continue
			}
			if what := chain.Expiry(now); what != "" {
				path := []string{"deploy", s.App, "ssl_certificate"}
				list.Add(diag.Diagnostic{Code: "certificate-expiry", Span: d.KeySpan(path...), Path: strings.Join(path, "."),
					Message: what, Remedy: "have it renewed"})
			}
		}
	}
	return list
}
