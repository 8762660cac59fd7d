package native

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/service"
)

// nginxSecrets is the folder of the secrets that nginx.conf includes.
const nginxSecrets = "/etc/nginx/secrets/"

var _ = add(checker{
	program: service.Nginx.Program, judges: under("/etc/nginx/"), run: nginx, includes: nginxSecrets,
	files: []string{"nginx/mime.types", "nginx/fastcgi.conf", "nginx/fastcgi_params", "nginx/proxy_params", "nginx/scgi_params", "nginx/uwsgi_params"},
	links: []string{"nginx/modules-enabled"}, own: []string{"var/log/nginx", "var/lib/nginx"},
})

// listen finds what nginx would bind; sockets in the stage stand in for it, so
// that neither root nor a free port is needed.
var listen = regexp.MustCompile(`(\blisten\s+)(\S+:)?(\d+)\b`)

// notRoot is what nginx remarks where the check is not run by root: on the
// user, and on the system's own log, which nginx before 1.19.5 opens whatever
// it is told.
var notRoot = regexp.MustCompile(`(?m)^.*(the "user" directive makes sense only|could not open error log file: ).*\n?`)

// nginx checks the configuration with the stage's folders for its own, and
// with a key and a certificate made for the moment.
func nginx(ctx context.Context, s *stage) (string, error) {
	cert, key, err := throwaway()
	if err != nil {
		return "", err
	}
	certPath, err := s.write("ssl/any.crt", cert, 0o644)
	if err != nil {
		return "", err
	}
	keyPath, err := s.write("ssl/any.key", key, 0o600)
	if err != nil {
		return "", err
	}
	text := string(s.files["/etc/nginx/nginx.conf"])
	for _, path := range slices.Sorted(maps.Keys(s.files)) {
		if strings.HasPrefix(path, nginxSecrets) {
			if _, err := s.write(path, s.files[path], 0o644); err != nil {
				return "", err
			}
		}
	}
	text = strings.ReplaceAll(text, "include "+nginxSecrets, "include "+s.dir+nginxSecrets)
	addresses := map[string]int{"": 0}
	text = listen.ReplaceAllStringFunc(text, func(m string) string {
		part := listen.FindStringSubmatch(m)
		if _, known := addresses[part[2]]; !known {
			addresses[part[2]] = len(addresses)
		}
		name := fmt.Sprintf("%s-%d", part[3], addresses[part[2]])
		return part[1] + "unix:" + filepath.Join(s.dir, name)
	})
	text = regexp.MustCompile(`/etc/nginx/ssl/\S+\.crt`).ReplaceAllString(text, certPath)
	text = regexp.MustCompile(`/etc/nginx/ssl/\S+\.key`).ReplaceAllString(text, keyPath)
	text = strings.NewReplacer(
		"/run/nginx.pid", filepath.Join(s.dir, "nginx.pid"),
		"/var/log/nginx/", s.dir+"/",
		"\nhttp {\n", "\nhttp { client_body_temp_path "+s.dir+"/body; proxy_temp_path "+s.dir+"/proxy; fastcgi_temp_path "+s.dir+"/f; uwsgi_temp_path "+s.dir+"/u; scgi_temp_path "+s.dir+"/s;\n",
	).Replace(text)
	conf, err := s.write(service.Nginx.Config, []byte(text), 0o644)
	if err != nil {
		return "", err
	}
	args := []string{"-t", "-q", "-c", conf}
	if knows(ctx, "-e filename", "nginx", "-h") {
		args = append(args, "-e", filepath.Join(s.dir, "error.log"))
	}
	out, err := command(ctx, nil, "nginx", args...)
	for range mostNames {
		m := notFound.FindStringSubmatch(out)
		if err == nil || m == nil {
			break
		}
		// A name that only the hosts can resolve; nginx knows no warning for it. An
		// address stands in for it where it is asked for.
		asked := regexp.MustCompile(`((?:_pass|\bserver)\s+["']?(?:[a-z]+://)?)` + regexp.QuoteMeta(m[1]) + `([\s:;/"'$])`)
		known := asked.ReplaceAllString(text, "${1}127.0.0.1${2}")
		if known == text {
			break
		}
		text = known
		if _, err := s.write(service.Nginx.Config, []byte(text), 0o644); err != nil {
			return "", err
		}
		out, err = command(ctx, nil, "nginx", args...)
	}
	out = notRoot.ReplaceAllString(out, "")
	if err == nil && strings.TrimSpace(out) != "" {
		err = errors.New("warnings")
	}
	return out, err
}

// notFound is what nginx says of the first name that it cannot resolve, and
// mostNames of how many it is asked again without.
var notFound = regexp.MustCompile(`host not found in upstream "([^":/\s]+)`)

const mostNames = 100

// throwaway makes a key and a certificate for itself.
func throwaway() (cert, key []byte, err error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		return nil, nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), nil
}
