package topology

import (
	"strings"
	"time"

	"github.com/plonec/plonec/internal/certificate"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/schema"
)

// certificate looks into the certificate of an app that is served by TLS, and whether it is
// for the names of the sites. It is nil where there is none to look into: what apply gets by
// reference is looked into then. Whether it has expired is nothing that a tree follows from:
// check asks Expiring.
func (r *resolver) certificate(app string, config *schema.App, sites []*Site) certificate.Chain {
	at := func(name string) []string { return []string{"deploy", app, name} }
	cert, ca := config.SSLCertificate, config.SSLCertificateCA
	if ca.IsSet() && cert.IsSet() && ca.Secret.IsSet() != cert.Secret.IsSet() {
		r.once("bad-certificate", at("ssl_certificate_ca"), "the certificate or its chain is a reference, and the other is not: both go into one file, which build or apply writes",
			"give both in one way, or put the chain after the certificate")
		return nil
	}
	site := written(config)
	site.Names = PublicNames(sites, app)
	for _, f := range site.Findings(time.Time{}) {
		r.once(f.Code, at(f.Attribute), f.Message, f.Remedy)
	}
	chain, _ := site.Chain()
	return chain
}

// written is what the stack itself says of an app's certificate.
func written(config *schema.App) certificate.Site {
	site := certificate.Site{Key: config.SSLCertificateKey.Plain}
	if cert := config.SSLCertificate; cert.IsSet() {
		site.Certificate = cert.Text
	}
	if ca := config.SSLCertificateCA; ca.IsSet() {
		site.CA = ca.Text
	}
	return site
}

// PublicNames are those of an app's sites that a certificate can be for, in their order.
func PublicNames(sites []*Site, app string) []string {
	names := []string{}
	for _, s := range sites {
		for _, name := range s.Names {
			if s.App == app && s.TLS && strings.Contains(name, ".") { // an app's short name, which OpsWorks put there, is no domain
				names = append(names, name)
			}
		}
	}
	return names
}

// Expiring warns of the certificates that stand in a stack and have expired, or do so
// soon, by certificate.Chain.Expiry.
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
			for _, f := range written(config).Findings(now) {
				if path := []string{"deploy", s.App, f.Attribute}; f.Code == "certificate-expiry" {
					list.Add(diag.Diagnostic{Code: f.Code, Span: d.KeySpan(path...), Path: strings.Join(path, "."), Message: f.Message, Remedy: f.Remedy})
				}
			}
		}
	}
	return list
}
