// Package certificate looks into the certificates that nginx shows and their keys, and
// into the keys by which repositories are read. It is given texts and the time, and no
// part of a key is in what it answers.
package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/words"
)

// soon is how long before its end a certificate is spoken of: 30 days, or a third of its
// life where that is less, since those of public authorities are renewed by then.
func soon(c *x509.Certificate) time.Duration {
	return min(30*24*time.Hour, c.NotAfter.Sub(c.NotBefore)/3)
}

// A Chain is what stands in one file for nginx: the site's own certificate, then those
// of its issuers. It has one at least.
type Chain []*x509.Certificate

// ErrOdd is the error of what openssl may take although it could not be read here: an
// odd serial number, an unusual curve.
var ErrOdd = errors.New("it cannot be looked into")

// Parse reads the certificates of a text in PEM form; text between them is passed over.
// The error says what is wrong with the text, as what follows its name, and is ErrOdd
// where that is not sure.
func Parse(text string) (Chain, error) {
	blocks, err := Blocks(text)
	if err != nil {
		return nil, err
	}
	var chain Chain
	for i, der := range blocks {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			var whole struct{ Body, Algorithm, Signature asn1.RawValue }
			if rest, bad := asn1.Unmarshal(der, &whole); bad == nil && len(rest) == 0 {
				return nil, ErrOdd
			}
			return nil, errors.New(nth(i, len(blocks)) + " is damaged: what stands between its lines BEGIN and END is no certificate")
		}
		chain = append(chain, c)
	}
	return chain, nil
}

// Blocks are the certificates of a text in PEM form, undecoded; one at least where there
// is no error. A private key among them is an error.
func Blocks(text string) ([][]byte, error) {
	if strings.Contains(text, "PRIVATE KEY-----") {
		return nil, errKey
	}
	var all [][]byte
	begun := strings.Count(text, "-----BEGIN ")
	rest := []byte(text)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		begun--
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE":
			all = append(all, block.Bytes)
		case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
			return nil, errors.New("it holds a request for a certificate, which an authority has to sign first")
		}
	}
	switch {
	case begun > 0:
		return nil, errors.New("it is damaged: a block does not end, or holds other characters than base64 has")
	case len(all) == 0:
		return nil, errNone
	}
	return all, nil
}

var (
	errKey  = errors.New("it holds a private key")
	errNone = errors.New("no certificate in PEM form (-----BEGIN CERTIFICATE-----) is in it")
)

// Remedy says what to do about an error of Parse or Text; it may be empty.
func Remedy(err error) string {
	switch err {
	case errKey:
		return `leave the certificates alone in it, and give the key as ssl_certificate_key: {"$secret": "file:PATH"}`
	case errNone:
		return "openssl x509 -inform DER -in FILE writes one that is in DER form in PEM form"
	}
	return ""
}

// Text is what of a text is certificates, in PEM form: the rest of a file is nobody's
// business.
func Text(text string) (string, error) {
	blocks, err := Blocks(text)
	var b strings.Builder
	for _, der := range blocks {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return b.String(), err
}

// nth names one of several certificates.
func nth(i, of int) string {
	if of == 1 {
		return "the certificate"
	}
	return fmt.Sprintf("certificate %d of %d", i+1, of)
}

// Missing are those of some domains that the site's certificate is not for.
func (c Chain) Missing(domains []string) []string {
	var missing []string
	for _, name := range domains {
		if c[0].VerifyHostname(name) != nil {
			missing = append(missing, name)
		}
	}
	return missing
}

// SelfSigned tells whether the site's certificate is its own issuer, which no browser
// trusts by itself.
func (c Chain) SelfSigned() bool { return len(c) > 0 && issued(c[0], c[0]) }

// For are the names and addresses that the site's certificate is for.
func (c Chain) For() []string {
	names := append([]string{}, c[0].DNSNames...)
	for _, ip := range c[0].IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// Names are these as people read them.
func (c Chain) Names() string {
	names := c.For()
	if len(names) == 0 {
		return "no name"
	}
	const most = 5
	if more := len(names) - most; more > 0 {
		names = append(names[:most], fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

// Disorder says what is wrong with the order; empty: each certificate is issued by the
// one after it.
func (c Chain) Disorder() string {
	if i := c.first(); i > 0 {
		return fmt.Sprintf("the site's own is %s, and nginx takes the first for it", nth(i, len(c)))
	}
	for i := range c[:len(c)-1] {
		if !issued(c[i+1], c[i]) {
			return fmt.Sprintf("%s is not issued by the one after it", nth(i, len(c)))
		}
	}
	return ""
}

func issued(by, c *x509.Certificate) bool {
	return string(c.RawIssuer) == string(by.RawSubject)
}

// first is the place of the site's own certificate by what is issued by which; -1 where
// that does not tell.
func (c Chain) first() int {
	at := -1
	for i := range c {
		if !slices.ContainsFunc(c, func(o *x509.Certificate) bool { return o != c[i] && issued(c[i], o) }) {
			if at >= 0 {
				return -1
			}
			at = i
		}
	}
	return at
}

// Expiry says of a certificate that it has ended, or does soon: within 30 days, and within a
// third of its life. Of several it is the one that ends first; empty: none does.
func (c Chain) Expiry(now time.Time) string {
	at := -1
	for i, one := range c {
		if now.Before(one.NotBefore) {
			return fmt.Sprintf("%s is not valid before %s", nth(i, len(c)), day(one.NotBefore))
		}
		if one.NotAfter.Sub(now) < soon(one) && (at < 0 || one.NotAfter.Before(c[at].NotAfter)) {
			at = i
		}
	}
	if at < 0 {
		return ""
	}
	end := c[at].NotAfter
	if !now.Before(end) {
		return fmt.Sprintf("%s expired on %s", nth(at, len(c)), day(end))
	}
	left := words.Count(int(end.Sub(now).Hours()/24), "day")
	if end.Sub(now) < 24*time.Hour {
		left = words.Count(int(end.Sub(now).Hours()), "hour")
	}
	return fmt.Sprintf("%s expires on %s, in %s", nth(at, len(c)), day(end), left)
}

// Expires is when the certificate that ends first does.
func (c Chain) Expires() time.Time {
	return slices.MinFunc(c, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) }).NotAfter.UTC()
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// Fits says that a key in PEM form is not that of the site's certificate, as what follows
// the word key; nil: it is, or it is none that Readable takes, or of a kind not known here.
func (c Chain) Fits(key string) error {
	var encoded []byte
	for _, one := range c {
		encoded = append(encoded, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: one.Raw})...)
	}
	if _, err := tls.X509KeyPair(encoded, []byte(key)); err == nil || !strings.Contains(err.Error(), "does not match") {
		return nil
	}
	for i := range c[1:] {
		if (Chain{c[i+1]}).Fits(key) == nil {
			return fmt.Errorf("belongs to %s, and nginx takes the first for the site's own", nth(i+1, len(c)))
		}
	}
	return errors.New("does not belong to the certificate")
}

// errLocked is of a key that nginx could read where its configuration names a file with the
// passphrase.
var errLocked = errors.New("has a passphrase, which nobody can type there: openssl pkey -in FILE writes it without")

// Readable says why a text is no private key that nginx can read by itself, as what follows
// the word key; nil: it may be one. What stands before it in PEM form is passed over, as
// nginx does.
func Readable(key string) error {
	var found *pem.Block
	for block, rest := pem.Decode([]byte(key)); block != nil; block, rest = pem.Decode(rest) {
		private := strings.HasSuffix(block.Type, "PRIVATE KEY")
		if found == nil || private {
			found = block
		}
		if private {
			break
		}
	}
	switch {
	case found == nil:
		return errors.New("is no private key in PEM form (-----BEGIN PRIVATE KEY-----)")
	case found.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(found.Headers["Proc-Type"], "ENCRYPTED"):
		return errLocked
	case found.Type == "OPENSSH PRIVATE KEY":
		return errors.New("is in the form of OpenSSH, which nginx does not read")
	case !strings.HasSuffix(found.Type, "PRIVATE KEY"):
		return fmt.Errorf("is no private key, but %s", shownType(found.Type))
	}
	return nil
}

// shownType is the type of a block, or nothing of it where it may be anything.
func shownType(kind string) string {
	if slices.Contains([]string{"CERTIFICATE", "CERTIFICATE REQUEST", "PUBLIC KEY", "RSA PUBLIC KEY", "DH PARAMETERS"}, kind) {
		return "a " + strings.ToLower(kind)
	}
	return "something else in PEM form"
}
