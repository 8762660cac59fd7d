package native

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// haproxy checks with warnings as errors. Users come from a file that apply
// makes; an empty list stands in for it.
func haproxy(ctx context.Context, s *stage) (string, error) {
	cfg, err := s.write("haproxy.cfg", s.files["/etc/haproxy/haproxy.cfg"], 0o644)
	if err != nil {
		return "", err
	}
	users := s.files["/etc/haproxy/users.cfg"]
	if users == nil {
		users = []byte("userlist plonec\n    user nobody password $6$x$x\n")
	}
	usersCfg, err := s.write("users.cfg", users, 0o644)
	if err != nil {
		return "", err
	}
	env, err := s.environment("haproxy.service")
	if err != nil {
		return "", err
	}
	out, err := command(ctx, env, "haproxy", "-c", "-dW", "-f", cfg, "-f", usersCfg)
	if err != nil && unresolved.MatchString(out) {
		// A name that only the hosts can resolve; without -dW it is a warning.
		out, err = command(ctx, env, "haproxy", "-c", "-f", cfg, "-f", usersCfg)
	}
	return out, err
}

var environmentLine = regexp.MustCompile(`(?m)^Environment=(\w+)=(/\S+)$`)

// environment is what the drop-ins of a unit set; its files are those that the
// unit makes when it starts, and here they are the stage's.
func (s *stage) environment(unit string) ([]string, error) {
	var env []string
	for _, path := range slices.Sorted(maps.Keys(s.files)) {
		if !strings.HasPrefix(path, unitDir+unit+".d/") {
			continue
		}
		for _, m := range environmentLine.FindAllSubmatch(s.files[path], -1) {
			place, err := s.write(string(m[2]), []byte("1\n"), 0o644)
			if err != nil {
				return nil, err
			}
			env = append(env, string(m[1])+"="+place)
		}
	}
	slices.Sort(env)
	return env, nil
}

var unresolved = regexp.MustCompile(`could not resolve address`)

// varnish compiles the VCL.
func varnish(ctx context.Context, s *stage) (string, error) {
	vcl, err := s.write("default.vcl", s.files["/etc/varnish/default.vcl"], 0o644)
	if err != nil {
		return "", err
	}
	out, err := command(ctx, nil, "varnishd", "-C", "-f", vcl, "-n", filepath.Join(s.dir, "work"))
	if err == nil {
		return "", nil // it prints the C that it made
	}
	return out, err
}

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
		if strings.HasPrefix(path, includedSecrets) {
			if _, err := s.write(path, s.files[path], 0o644); err != nil {
				return "", err
			}
		}
	}
	text = strings.ReplaceAll(text, "include "+includedSecrets, "include "+s.dir+includedSecrets)
	text = listen.ReplaceAllStringFunc(text, func(m string) string {
		part := listen.FindStringSubmatch(m)
		name := part[3]
		if part[2] != "" {
			name += "-6"
		}
		return part[1] + "unix:" + filepath.Join(s.dir, name)
	})
	text = regexp.MustCompile(`/etc/nginx/ssl/\S+\.crt`).ReplaceAllString(text, certPath)
	text = regexp.MustCompile(`/etc/nginx/ssl/\S+\.key`).ReplaceAllString(text, keyPath)
	text = strings.NewReplacer(
		"/run/nginx.pid", filepath.Join(s.dir, "nginx.pid"),
		"/var/log/nginx/", s.dir+"/",
		"\nhttp {\n", "\nhttp {\nclient_body_temp_path "+s.dir+"/body; proxy_temp_path "+s.dir+"/proxy; fastcgi_temp_path "+s.dir+"/f; uwsgi_temp_path "+s.dir+"/u; scgi_temp_path "+s.dir+"/s;\n",
	).Replace(text)
	conf, err := s.write("nginx.conf", []byte(text), 0o644)
	if err != nil {
		return "", err
	}
	args := []string{"-t", "-q", "-c", conf}
	if help, _ := command(ctx, nil, "nginx", "-h"); strings.Contains(help, "-e filename") {
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
		if _, err := s.write("nginx.conf", []byte(text), 0o644); err != nil {
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

// baseUnits are those of systemd's own that ours refer to.
var baseUnits = []string{"basic.target", "sysinit.target", "shutdown.target", "multi-user.target", "network.target",
	"network-online.target", "local-fs.target", "paths.target", "slices.target", "sockets.target", "timers.target",
	"time-set.target", "umount.target", "tmp.mount", "systemd-tmpfiles-setup.service"}

// noProc is what systemd 249 remarks where there is no /proc.
var noProc = regexp.MustCompile(`(?m)^Failed to acquire watch file descriptor: .*\n?`)

var execLine = regexp.MustCompile(`(?m)^(Exec\w+=[-@:+!]*"?)(/[^" \n]+)`)

// systemd verifies the units among no more than they need; what they run is
// stood in for, in the stage (systemd-analyze before 250 knows no --root). It
// ends well on unknown settings, so any word counts as a refusal. Drop-ins
// need the unit of their package, which may not be here: they are left out.
func systemd(ctx context.Context, s *stage) (string, error) {
	const system = "/usr/lib/systemd/system/"
	for _, name := range baseUnits {
		content, err := os.ReadFile(system + name)
		if err != nil {
			continue
		}
		if _, err := s.write(system+name, content, 0o644); err != nil {
			return "", err
		}
	}
	args := []string{"verify", "--man=no"}
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		content := s.files[name]
		if strings.Contains(name, ".d/") {
			continue
		}
		for _, m := range execLine.FindAllSubmatch(content, -1) {
			if _, err := s.write(string(m[2]), []byte("#!/bin/sh\n"), 0o755); err != nil {
				return "", err
			}
		}
		place, err := s.write(name, execLine.ReplaceAll(content, []byte("${1}"+s.dir+"${2}")), 0o644)
		if err != nil {
			return "", err
		}
		args = append(args, place)
	}
	if len(args) == 2 {
		return "", nil
	}
	out, err := command(ctx, []string{"SYSTEMD_UNIT_PATH=" + s.dir + system}, "systemd-analyze", args...)
	out = noProc.ReplaceAllString(out, "")
	if err == nil && strings.TrimSpace(out) != "" {
		err = errors.New("warnings")
	}
	return out, err
}

// isScript: the files that a shell reads on the host.
func isScript(name string) bool {
	return strings.HasPrefix(name, "/usr/local/lib/plonec/") ||
		strings.HasPrefix(name, "/etc/plonec/") && (strings.HasSuffix(name, ".conf") || strings.HasSuffix(name, ".env"))
}

var shebang = regexp.MustCompile(`^#!.*\b(python3?|bash|sh)\b`)

// scripts parses them; nothing is run.
func scripts(ctx context.Context, s *stage) (string, error) {
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		content := s.files[name]
		if m := shebang.FindSubmatch(content); m != nil && strings.HasPrefix(string(m[1]), "python") {
			continue
		}
		place, err := s.write(name, content, 0o644)
		if err != nil {
			return "", err
		}
		if out, err := command(ctx, nil, "bash", "-n", place); err != nil {
			return out, err
		}
	}
	return "", nil
}
