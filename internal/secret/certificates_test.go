package secret

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/tree"
)

// openssl makes certificates, and their keys, in a folder.
func openssl(t *testing.T, dir string, calls ...string) {
	t.Helper()
	for _, call := range calls {
		cmd := exec.Command("openssl", strings.Fields(call)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %s: %v\n%s", call, err, out)
		}
	}
}

// What is given by reference is looked into when its value is known: the pair, the
// certificate, the names and the end; a key of git's too. Nothing of a key is said.
func TestLook(t *testing.T) {
	dir := t.TempDir()
	const fresh = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -addext subjectAltName=DNS:www.example.com"
	openssl(t, dir,
		fresh+" -days 90 -keyout site.key -out site.crt", fresh+" -days 90 -keyout other.key -out other.crt",
		fresh+" -days 9 -keyout soon.key -out soon.crt", // soon: in a week
		"ec -in site.key -aes256 -passout pass:hidden -out locked.key", "pkey -in site.key -pubout -out site.pub")
	text := func(name string) string {
		data, err := os.ReadFile(dir + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	site, key := text("site.crt"), text("site.key")
	write(t, dir+"/both.pem", site+key, 0o600)
	write(t, dir+"/key-after.pem", site+text("site.pub")+key, 0o600)
	write(t, dir+"/damaged.crt", strings.Replace(site, "\n", "\n!", 2), 0o600)
	write(t, dir+"/words", "hiddenword\n", 0o600)
	const (
		crt, place = "/etc/nginx/ssl/site.crt", "lb1:/etc/nginx/ssl/site"
		cert       = "deploy.site.ssl_certificate: "
		pair       = "deploy.site.ssl_certificate_key: the key "
		ask        = " (for " + place + ".key): give the key that the certificate was requested with"
		noCommand  = "cmd:cat site.crt"
	)
	for name, c := range map[string]struct {
		cert, key, chain, ssh string // sources; cert tree: it stands there
		names                 string
		refused, warned       string
	}{
		"good":            {cert: "file:site.crt", key: "file:site.key", names: "www.example.com"},
		"in the tree":     {cert: "tree", key: "file:site.key"},
		"another's key":   {cert: "file:other.crt", key: "file:site.key", refused: pair + "does not belong to the certificate" + ask},
		"not the tree's":  {cert: "tree", key: "file:other.key", names: "told.by.check", refused: pair + "does not belong to the certificate" + ask},
		"of a chain":      {cert: "file:site.crt", key: "file:other.key", chain: "file:other.crt", refused: pair + "belongs to certificate 2 of 2, and nginx takes the first for the site's own" + ask},
		"no key":          {cert: "file:site.crt", key: "file:words", refused: pair + "is no private key in PEM form (-----BEGIN PRIVATE KEY-----)" + ask},
		"public":          {cert: "file:site.crt", key: "file:site.pub", refused: pair + "is no private key, but a public key" + ask},
		"passphrase":      {cert: "file:site.crt", key: "file:locked.key", warned: pair + "has a passphrase"},
		"after others":    {cert: "file:site.crt", key: "file:key-after.pem"},
		"damaged":         {cert: "file:damaged.crt", key: "file:site.key", refused: cert + "it is damaged: "},
		"no certificate":  {cert: "file:words", key: "file:site.key", refused: cert + "no certificate in PEM form"},
		"chain of words":  {cert: "file:site.crt", key: "file:site.key", chain: "file:words", refused: "deploy.site.ssl_certificate_ca: no certificate in PEM form (-----BEGIN CERTIFICATE-----) is in it (for " + place + ".crt chain)"},
		"key for all":     {cert: "file:both.pem", key: "file:site.key", refused: cert + "it holds a private key (for " + place + ".crt): leave the certificates alone in it"},
		"soon":            {cert: "file:soon.crt", key: "file:soon.key", warned: cert + "the certificate expires on "},
		"not so soon":     {cert: "file:soon.crt", key: "file:soon.key"},
		"soon, in a tree": {cert: "soon", key: "file:soon.key"},
		"names":           {cert: "file:site.crt", key: "file:site.key", names: "www.example.com example.com", warned: cert + "it is for www.example.com, and not for example.com (for " + place + ".crt): have it issued for all names of the site"},
		"by a command":    {cert: noCommand, key: "file:other.key"},
		"key by another":  {cert: "file:site.crt", key: "cmd:cat other.key"},
		"git":             {ssh: "file:site.pub", warned: "deploy.site.scm.ssh_key: the key is the public half: the private one is in the file without .pub (for lb1:/etc/plonec/site/deploy_key): give a private key"},
		"git's good one":  {ssh: "file:site.key"},
		"said by check":   {ssh: "stack:/key"},
	} {
		t.Run(name, func(t *testing.T) {
			h := tree.Host{Name: "lb1"}
			var list []tree.Secret
			add := func(path string, pairs ...string) {
				s := entries("lb1", "raw", pairs...)
				s.Path = path
				list = append(list, s)
			}
			at := time.Now()
			if strings.HasPrefix(name, "soon") {
				at = at.AddDate(0, 0, 7)
			}
			stands := map[string]string{"tree": site, "soon": text("soon.crt")}[c.cert]
			switch {
			case c.ssh != "":
				h.Apps = []tree.App{{Name: "site", Key: "/etc/plonec/site/deploy_key"}}
				add(h.Apps[0].Key, "", c.ssh)
			case c.chain != "":
				add(crt, "", c.cert, "chain", c.chain)
			case stands == "":
				add(crt, "", c.cert)
			}
			if c.key != "" {
				h.Certificates = []tree.Certificate{{App: "site", Path: crt, Key: "/etc/nginx/ssl/site.key", Names: strings.Fields(c.names)}}
				add(h.Certificates[0].Key, "", c.key)
			}
			r := &Resolver{Dir: dir, NoCommands: true, Stack: func(string) (string, error) { return text("site.pub"), nil }}
			files, _, err := r.Files(context.Background(), list, nil)
			if err != nil {
				t.Fatal(err)
			}
			refused, warned := Look(files, []tree.Host{h, {Name: "lb2", Certificates: h.Certificates}}, func(f tree.File) ([]byte, error) {
				if f.Rel() != "hosts/lb1/root"+crt || stands == "" {
					return nil, errors.New("it is not there")
				}
				return []byte("# Generated by plonec.\n" + stands), nil
			}, at)
			for i, got := range []Problems{refused, warned} {
				want := []string{c.refused, c.warned}[i]
				if text := got.Error(); want == "" && len(got) > 0 || !strings.HasPrefix(text, want) || strings.Count(text, "\n") > 0 {
					t.Errorf("got %q, want %q", text, want)
				}
				for line := range strings.Lines(key + text("other.key") + text("locked.key") + "hiddenword\n") {
					if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") && line != "" && strings.Contains(got.Error(), line) {
						t.Errorf("a line of a secret is shown: %s", got.Error())
					}
				}
			}
		})
	}
}
