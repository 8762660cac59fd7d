package topology_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// check warns of the end of a certificate 30 days before it, and of one that does not live
// for 90 in the last third of its life.
func TestExpiring(t *testing.T) {
	const day = 24 * time.Hour
	begins := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for life, least := range map[time.Duration]time.Duration{397 * day: 30 * day, 90 * day: 30 * day, 47 * day: 376 * time.Hour, 6 * day: 2 * day} {
		c := &x509.Certificate{SerialNumber: big.NewInt(7), DNSNames: []string{"example.org"}, NotBefore: begins, NotAfter: begins.Add(life)}
		der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
		if err != nil {
			t.Fatal(err)
		}
		tree, diags := input.ReadJSON(&diag.File{Name: "stack.json", Content: []byte(`{"instances": {"w": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}},
		  "haproxy": {"enable_stats": false}, "deploy": {"plone_instances": {"scm": {"repository": "https://example.org/b.git"}, "domains": ["example.org"],
		  "ssl_support": true, "ssl_certificate": ` + string(text) + `, "ssl_certificate_key": {"$secret": "env:K"}}}}`)})
		if len(diags) > 0 {
			t.Fatal(diags)
		}
		decoded, diags := schema.Load(tree)
		if diags.Errors() > 0 {
			t.Fatal(diags)
		}
		resolved, _ := topology.Resolve(decoded)
		for left, want := range map[time.Duration]bool{life: false, least: false, least - time.Minute: true, time.Minute: true, -time.Minute: true} {
			if list := topology.Expiring(decoded, resolved, begins.Add(life-left)); len(list) == 1 != want {
				t.Errorf("of %s %s left: %v", life, left, list)
			}
		}
	}
}
