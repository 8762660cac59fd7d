package render

import (
	"encoding/base64"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// Status tells programs of the certificates that nginx.conf names, those of the stack's own
// text too, and never a byte of a key that stands beside them.
func TestCertificatesOfStatus(t *testing.T) {
	t.Parallel()
	certificate, key := selfSigned(t, "www.example.com")
	h := frontHost(func(h *topology.Host) {
		h.Front.Sites[0].TLS = true
		h.Stack.Deploy["plone"].SSLCertificate = schema.Certificate{Text: certificate}
		h.Stack.NginxPlone.AdditionalServers = texts("# ssl_certificate /etc/old.pem;\nserver { listen 8443 ssl; ssl_certificate \"tls/own.pem\"; ssl_certificate_key tls/own.pem; }\nserver {\n\tlisten 8444 ssl;\n\tssl_certificate $by_name;\n\tssl_certificate /etc/letsencrypt/x=y.pem;\n}")
	})
	r := newReleasesHost(t, nil)
	r.write(r.root+"/etc/nginx/nginx.conf", content(t, h, "/etc/nginx/nginx.conf"))
	r.write(r.root+"/etc/nginx/ssl/plone.crt", content(t, h, "/etc/nginx/ssl/plone.crt"))
	// One that does not end, and after it a key, with and without its first and last lines.
	const end = "-----END CERTIFICATE-----\n"
	head, _, _ := strings.Cut(certificate, "-----END")
	_, bare, _ := strings.Cut(key, "-----BEGIN PRIVATE KEY-----\n")
	open, _, _ := strings.Cut(key, "-----END")
	r.write(r.root+"/etc/nginx/tls/own.pem", key+strings.ReplaceAll(certificate, "\n", "\r\n")+head+key+certificate+head+key+end+head+bare+end+head+open+end)
	env, err := os.ReadFile(r.root + "/etc/plonec/host.env")
	if err != nil {
		t.Fatal(err)
	}
	status := func(env ...string) map[string]string {
		t.Helper()
		cmd := exec.Command(r.scripts+"/host", "status", "--porcelain")
		cmd.Env = append(append(os.Environ(), "PLONEC_ROOT="+r.root), env...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		found := map[string]string{}
		for line := range strings.Lines(string(out)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			if !strings.HasPrefix(name, "certificate.") {
				continue
			}
			text, path, _ := strings.Cut(value, " ")
			data, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				t.Error(err)
			}
			found[path] = string(data)
		}
		return found
	}
	const ask = "PLONEC_CERTIFICATES=1"
	if got := status(ask); len(got) > 0 {
		t.Errorf("of a host without a front end: %q", got)
	}
	r.write(r.root+"/etc/plonec/host.env", string(env)+"SERVICES='haproxy.service nginx.service'\n")
	if got := status(); len(got) > 0 {
		t.Errorf("nobody asked for %q", got)
	}
	want := map[string]string{"/etc/nginx/ssl/plone.crt": certificate, "/etc/nginx/tls/own.pem": certificate + certificate, "/etc/letsencrypt/x=y.pem": ""}
	got := status(ask)
	for path, text := range want {
		if sent, told := got[path]; !told || sent != text {
			t.Errorf("%s: %v, got %q", path, told, sent)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d files", len(got))
	}
	if err := os.Remove(r.root + "/etc/nginx/nginx.conf"); err != nil {
		t.Fatal(err)
	}
	if got := status(ask); len(got) > 0 {
		t.Errorf("without a configuration: %q", got)
	}
}
