package plan

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/tree"
)

// What visitors are shown is in the report: until when, for which names, and what it lacks of
// those of the tree.
func TestCertificatesInStatus(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issueOf := func(life, days int, names ...string) string {
		c := &x509.Certificate{SerialNumber: big.NewInt(7), DNSNames: names, NotBefore: now.AddDate(0, 0, days-life), NotAfter: now.AddDate(0, 0, days)}
		der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	issue := func(days int, names ...string) string { return issueOf(398, days, names...) }
	m := host()
	m.Host.Certificates = []tree.Certificate{
		{App: "site", Path: "/etc/nginx/ssl/site.crt", Names: []string{"www.example.com", "example.com"}}, {App: "old", Path: "/etc/nginx/ssl/old.crt"},
	}
	got := m.Describe(map[string]string{
		"certificate.0": issue(90, "www.example.com") + " /etc/nginx/ssl/site.crt",
		"certificate.1": issue(-1, "old.example.com") + " /etc/nginx/ssl/old.crt",
		"certificate.2": issue(10, "a.example.com") + " /etc/own/a b=c.pem",
		"certificate.5": issueOf(47, 20, "b.example.com") + " /etc/own/b47.pem",
		"certificate.6": issueOf(6, 4, "b.example.com") + " /etc/own/b6-fresh.pem",
		"certificate.7": issueOf(6, 1, "b.example.com") + " /etc/own/b6.pem",
		"certificate.3": " /etc/own/gone.pem",
		"certificate.4": "*** /etc/own/no.pem",
	}, now).Certificates
	want := []string{
		"/etc/nginx/ssl/old.crt|old|old.example.com|2026-02-28|the certificate expired on 2026-02-28||",
		"/etc/nginx/ssl/site.crt|site|www.example.com|2026-05-30|||example.com",
		"/etc/own/a b=c.pem||a.example.com|2026-03-11|the certificate expires on 2026-03-11, in 10 days||",
		"/etc/own/b6-fresh.pem||b.example.com|2026-03-05|||",
		"/etc/own/b6.pem||b.example.com|2026-03-02|the certificate expires on 2026-03-02, in 1 day||",
		"/etc/own/b47.pem||b.example.com|2026-03-21|||",
		"/etc/own/gone.pem|||0001-01-01||no certificate in PEM form (-----BEGIN CERTIFICATE-----) is in it|",
		"/etc/own/no.pem|||0001-01-01||no certificate in PEM form (-----BEGIN CERTIFICATE-----) is in it|",
	}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i, c := range got {
		text := strings.Join([]string{c.Path, c.App, strings.Join(c.Names, " "), c.Expires.Format(time.DateOnly), c.Expiry, c.Fault, strings.Join(c.Missing, " ")}, "|")
		if text != want[i] {
			t.Errorf("got  %s\nwant %s", text, want[i])
		}
	}
}
