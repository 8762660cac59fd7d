package certificate

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// An issuer is a certificate with its key.
type issuer struct {
	pem, keyPEM string
	cert        *x509.Certificate
	key         *ecdsa.PrivateKey
}

// issue makes a certificate that ends so many days after now; by is nil for one of itself.
func issue(t testing.TB, by *issuer, subject string, days int, names ...string) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: subject}, DNSNames: names,
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.Add(time.Duration(days)*24*time.Hour + time.Hour),
		IsCA: len(names) == 0, BasicConstraintsValid: true,
	}
	parent, parentKey := template, key
	if by != nil {
		parent, parentKey = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return &issuer{block("CERTIFICATE", der), block("PRIVATE KEY", private), cert, key}
}

// says is what is said of a key; empty: nothing.
func says(c Chain, key string) string {
	if err := cmp.Or(Readable(key), c.Fits(key)); err != nil {
		return err.Error()
	}
	return ""
}

func TestChain(t *testing.T) {
	root := issue(t, nil, "root", 3000)
	middle := issue(t, root, "middle", 20)
	site := issue(t, middle, "site", 90, "www.example.com", "*.example.org")
	other := issue(t, nil, "other", 90, "other.example.com")
	late := issue(t, root, "late", -3, "www.example.com")

	for name, test := range map[string]struct {
		text, domains, key string
		missing, disorder  string
		expiry, unfit      string
	}{
		"good":             {text: other.pem, domains: "other.example.com", key: other.keyPEM},
		"letters":          {text: other.pem, domains: "OTHER.Example.com"},
		"text between":     {text: "subject=site\n" + other.pem, domains: "other.example.com"},
		"wildcard":         {text: site.pem, domains: "a.example.org www.example.com example.org a.b.example.org", missing: "example.org a.b.example.org"},
		"chain":            {text: site.pem + middle.pem + root.pem, key: site.keyPEM, expiry: "certificate 2 of 3 expires on 2026-03-21, in 20 days"},
		"issuer first":     {text: middle.pem + site.pem, key: site.keyPEM, disorder: "the site's own is certificate 2 of 2, and nginx takes the first for it", expiry: "certificate 1 of 2 expires on 2026-03-21, in 20 days", unfit: "belongs to certificate 2 of 2, and nginx takes the first for the site's own"},
		"one left out":     {text: site.pem + root.pem, key: site.keyPEM, disorder: "certificate 1 of 2 is not issued by the one after it"},
		"another's key":    {text: other.pem, key: site.keyPEM, unfit: "does not belong to the certificate"},
		"expired":          {text: late.pem, expiry: "the certificate expired on 2026-02-26"},
		"certificate, key": {text: other.pem, key: other.pem, unfit: "is no private key, but a certificate"},
		"no key":           {text: other.pem, key: "hidden", unfit: "is no private key in PEM form (-----BEGIN PRIVATE KEY-----)"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Parse(test.text)
			if err != nil {
				t.Fatal(err)
			}
			unfit := ""
			if test.key != "" {
				unfit = says(c, test.key)
			}
			got := []string{strings.Join(c.Missing(strings.Fields(test.domains)), " "), c.Disorder(), c.Expiry(now), unfit}
			for i, want := range []string{test.missing, test.disorder, test.expiry, test.unfit} {
				if got[i] != want {
					t.Errorf("%q, want %q", got[i], want)
				}
			}
		})
	}
}

func TestExpiryByDays(t *testing.T) {
	const day = 24 * time.Hour
	for _, test := range []struct {
		life, left time.Duration
		want       string
	}{
		{397 * day, -day, "the certificate expired on 2026-02-28"},
		{397 * day, 0, "the certificate expired on 2026-03-01"},
		{397 * day, time.Hour, "the certificate expires on 2026-03-01, in 1 hour"},
		{397 * day, day, "the certificate expires on 2026-03-02, in 1 day"},
		{397 * day, 30*day - time.Second, "the certificate expires on 2026-03-31, in 29 days"},
		{397 * day, 30 * day, ""},
		{90*day - time.Second, 30 * day, ""},
		{90*day - time.Second, 29 * day, "the certificate expires on 2026-03-30, in 29 days"},
		{47 * day, 29 * day, ""},
		{47 * day, 16 * day, ""},
		{47 * day, 15 * day, "the certificate expires on 2026-03-16, in 15 days"},
		{6 * day, 6*day - time.Minute, ""},
		{6 * day, 2 * day, ""},
		{6 * day, 2*day - time.Hour, "the certificate expires on 2026-03-03, in 1 day"},
		{6 * day, 7 * time.Hour, "the certificate expires on 2026-03-01, in 7 hours"},
		{6 * day, -time.Second, "the certificate expired on 2026-03-01"},
	} {
		end := now.Add(test.left)
		c := Chain{{NotBefore: end.Add(-test.life), NotAfter: end}}
		if got := c.Expiry(now); got != test.want {
			t.Errorf("of %s %s left: %q, want %q", test.life, test.left, got, test.want)
		}
	}
	// Of several the first that is due, which need not be the first that ends.
	short := &x509.Certificate{NotBefore: now.Add(-day), NotAfter: now.Add(5 * day)}
	issuer := &x509.Certificate{NotBefore: now.Add(-700 * day), NotAfter: now.Add(20 * day)}
	if c := (Chain{short, issuer}); c.Expiry(now) != "certificate 2 of 2 expires on 2026-03-21, in 20 days" || !c.Expires().Equal(short.NotAfter) {
		t.Error(c.Expiry(now), c.Expires())
	}
	early, _ := Parse(issue(t, nil, "x", 90, "x.example").pem)
	if got := early.Expiry(now.AddDate(-1, 0, -1)); got != "the certificate is not valid before 2025-03-01" {
		t.Error(got)
	}
}

func TestParseRefuses(t *testing.T) {
	site := issue(t, nil, "x", 90, "x.example")
	for text, want := range map[string]string{
		"":     "no certificate in PEM form",
		"MIIB": "no certificate in PEM form",
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n":            "the certificate is damaged",
		site.pem + "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n": "certificate 2 of 2 is damaged",
		strings.TrimSuffix(site.pem, "-----END CERTIFICATE-----\n"):                 "a block does not end",
		strings.Replace(site.pem, "\n", "\n!", 2):                                   "a block does not end",
		site.pem + site.keyPEM: "it holds a private key",
		"-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n": "a request for a certificate",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %s", text, err, want)
		}
	}
	// What is whole and odd is left to openssl: a negative serial number.
	block, _ := pem.Decode([]byte(site.pem))
	der := []byte(strings.Replace(string(block.Bytes), "\x02\x01\x07", "\x02\x01\xf9", 1))
	if _, err := Parse(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))); !errors.Is(err, ErrOdd) {
		t.Error(err)
	}
}

// TestKeysAreThoseOfPrograms holds what is said of keys against openssl and ssh-keygen.
func TestKeysAreThoseOfPrograms(t *testing.T) {
	dir := t.TempDir()
	run := func(program string, args ...string) {
		t.Helper()
		c := exec.Command(program, args...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s %q: %v\n%s", program, args, err, out)
		}
	}
	run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "ed25519")
	run("ssh-keygen", "-q", "-t", "ed25519", "-N", "hidden", "-f", "locked")
	run("ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "", "-f", "pem")
	run("ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "hidden", "-f", "pem-locked")
	run("ssh-keygen", "-q", "-t", "ecdsa", "-m", "PKCS8", "-N", "", "-f", "pkcs8")
	run("ssh-keygen", "-q", "-t", "ecdsa", "-m", "PKCS8", "-N", "hidden", "-f", "pkcs8-locked")
	run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "site.key", "-out", "site.crt", "-subj", "/CN=x", "-days", "90")
	run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", "params.key") // parameters, then the key
	run("openssl", "pkey", "-in", "site.key", "-aes256", "-passout", "pass:hidden", "-out", "site-locked.key")
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	site, err := Parse(read("site.crt"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct{ ssh, tls string }{
		"ed25519":         {"", "is in the form of OpenSSH"},
		"ed25519.pub":     {"is the public half", "is no private key in PEM form"},
		"locked":          {"has a passphrase", "is in the form of OpenSSH"},
		"pem":             {"", "does not belong"},
		"pem-locked":      {"has a passphrase", "has a passphrase"},
		"pkcs8":           {"", "does not belong"},
		"pkcs8-locked":    {"has a passphrase", "has a passphrase"},
		"site.key":        {"", ""},
		"site.crt":        {"is a certificate", "is no private key, but a certificate"},
		"site-locked.key": {"has a passphrase", "has a passphrase"},
		"params.key":      {"-", "does not belong"},
	} {
		text := read(name)
		holds := func(what, got, want string) {
			t.Helper()
			if (want == "") != (got == "") || !strings.HasPrefix(got, want) || strings.Contains(got, "hidden") {
				t.Errorf("%s: %s: %q, want %q", name, what, got, want)
			}
		}
		holds("tls", says(site, text), want.tls)
		if want.ssh == "-" {
			continue
		}
		holds("ssh", SSHKey(text), want.ssh)
		// The program's own word: it asks for a passphrase in vain.
		file := filepath.Join(dir, "asked")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := exec.Command("ssh-keygen", "-y", "-P", "", "-f", file).Run(); (err == nil) != (want.ssh == "") {
			t.Errorf("%s: ssh-keygen -y says %v", name, err)
		}
	}
	if got := SSHKey("-----BEGIN OPENSSH PRIVATE KEY-----\nnot a real key\n-----END OPENSSH PRIVATE KEY-----\n"); !strings.HasPrefix(got, "is no private key") {
		t.Error(got)
	}
	if got := SSHKey("PuTTY-User-Key-File-3: ssh-ed25519\n"); !strings.Contains(got, "puttygen") {
		t.Error(got)
	}
}

func FuzzParse(f *testing.F) {
	site := issue(f, nil, "x", 90, "x.example")
	f.Add(site.pem, site.keyPEM)
	f.Add("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n")
	f.Fuzz(func(t *testing.T, text, key string) {
		said := SSHKey(key)
		if c, err := Parse(text); err == nil {
			said += c.Disorder() + c.Expiry(now) + strings.Join(c.Missing([]string{"x.example"}), "")
			said += says(c, key)
		}
		for line := range strings.Lines(key) {
			if line = strings.TrimSpace(line); len(line) > 40 && strings.Contains(said, line) {
				t.Errorf("a line of the key is in %q", said)
			}
		}
	})
}
