package e2e

import (
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
)

// voltoServer stands for what Volto builds: it asks the API inside for what it shows, and
// says what showed it.
const voltoServer = `const http = require('http');
const api = new URL(process.env.RAZZLE_INTERNAL_API_PATH);
http.createServer((req, res) => {
  if (req.url === '/ok') return res.end('ok');
  const headers = { ...req.headers, host: api.host };
  delete headers.connection;
  const asked = http.request({ host: api.hostname, port: api.port, path: api.pathname + req.url, method: req.method, headers }, (got) => {
    res.writeHead(got.statusCode, { ...got.headers, 'x-shown-by': 'WORD' });
    got.pipe(res);
  });
  asked.on('error', (e) => { console.error(e.message); res.writeHead(502); res.end(); });
  req.pipe(asked);
}).listen(process.env.PORT, process.env.RAZZLE_BIND_ADDRESS);
`

const voltoLock = `lockfileVersion: '9.0'

settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false

importers:

  .:
    dependencies:
      '@plone/volto':
        specifier: workspace:*
        version: link:core/packages/volto

  core/packages/volto: {}
`

// A site gets a frontend on a host of its own: Node by its version, the project's pnpm, the
// sources that mrs.developer.json names, and a server where Volto has its. The pages come
// by it from then on, deploys and rollbacks take both halves under load, the backend
// first and last, and a build that makes no server leaves what runs alone.
var _ = onCluster("TestZope", scenario{"a site with Volto", projects, long, func(s *trial) {
	const host = "app3"
	ssh := "ssh -F " + s.runDir() + "/ssh_config"
	brought := s.sh(top, top+"/testdata/volto") // testdata/e2e has fetched it
	found, err := filepath.Glob(brought + "/*.whl")
	if err != nil || len(found) != 1 {
		s.t.Fatal(found, err)
	}
	s.start(host)
	s.sh(work, "rsync", "-e", ssh, found[0], brought+"/pnpm-10.20.0.tgz", "admin@"+host+":/tmp/")
	s.exec(host, "install -d /var/cache/plonec/wheels && install -m 644 /tmp/*.whl /var/cache/plonec/wheels/")
	// A registry of one package.
	packed, err := os.ReadFile(brought + "/pnpm-10.20.0.tgz")
	if err != nil {
		s.t.Fatal(err)
	}
	sum := sha512.Sum512(packed)
	s.exec(host, `apt-get install -y -q --no-install-recommends python3 && mkdir -p /srv/npm && cd /srv/npm && cp /tmp/pnpm-10.20.0.tgz . && cat >pnpm <<END
{"name": "pnpm", "dist-tags": {"latest": "10.20.0"}, "versions": {"10.20.0": {"name": "pnpm", "version": "10.20.0", "bin": {"pnpm": "bin/pnpm.cjs"},
 "dist": {"tarball": "http://127.0.0.1:4873/pnpm-10.20.0.tgz", "integrity": "sha512-`+base64.StdEncoding.EncodeToString(sum[:])+`"}}}}
END
systemd-run -q --unit e2e-npm python3 -m http.server --bind 127.0.0.1 --directory /srv/npm 4873`)
	core := s.t.TempDir()
	write := func(dir, name, text string) {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
	write(core, "packages/volto/package.json", `{"name": "@plone/volto", "version": "19.0.0", "scripts": {"build": "node build.cjs"}}`)
	write(core, "packages/volto/build.cjs", `const fs = require('fs');
fs.mkdirSync('build');
fs.writeFileSync('build/server.js', fs.readFileSync('server.cjs', 'utf8').replace('WORD', fs.readFileSync('../../../word', 'utf8').trim()));
const list = (dir) => { try { return fs.readdirSync(dir); } catch (e) { return [e.code]; } };
const tried = (what) => { try { what(); return 'yes'; } catch (e) { return e.code; } };
fs.writeFileSync('build/tried.json', JSON.stringify({
  token: process.env.SITE_TOKEN || '', releases: list('/srv/www/site/releases').length,
  shared: list('/srv/www/site/shared').join(), outside: tried(() => fs.writeFileSync('/srv/www/site/shared/x', '')), nice: require('os').getPriority(),
  init: fs.readFileSync('/proc/1/cmdline', 'utf8').includes('systemd') ? 'systemd' : 'own', others: fs.readdirSync('/proc').filter((n) => /^[0-9]+$/.test(n)).length < 20 ? 'few' : 'many',
  root: tried(() => fs.readdirSync('/proc/1/root/srv/www/site/shared/var')),
}));
`)
	write(core, "packages/volto/server.cjs", voltoServer)
	s.sh(core, "git", "init", "-q", "-b", "main")
	s.sh(core, "git", "add", "-A")
	s.sh(core, "git", "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "one")
	s.sh(core, "git", "tag", "19.0.0")
	s.exec("git", "git init -q --bare -b main /srv/volto.git && chown -R admin:admin /srv/volto.git")
	s.sh(core, "env", "GIT_SSH_COMMAND="+ssh, "git", "push", "-q", "ssh://admin@git/srv/volto.git", "main", "19.0.0")

	const project = `{"name": "site-dev", "private": true, "packageManager": "pnpm@10.20.0", "dependencies": {"@plone/volto": "workspace:*"},
  "scripts": {"build": "pnpm --filter @plone/volto build"}}
`
	s.push(func(dir string) {
		write(dir, "frontend/package.json", project)
		write(dir, "frontend/pnpm-workspace.yaml", "packages:\n  - 'core/packages/*'\n")
		write(dir, "frontend/pnpm-lock.yaml", voltoLock)
		write(dir, "frontend/mrs.developer.json", `{"core": {"output": "./", "package": "@plone/volto", "url": "ssh://admin@`+addresses["git"]+`/srv/volto.git", "tag": "19.0.0"}}`)
		write(dir, "frontend/word", "one\n")
	})
	shownBy := func() string {
		out, _ := s.try("lb1", "curl -s -o /dev/null -D - -H 'Host: www.example.com' 'http://"+addresses["lb1"]+"/@@e2e-page' | tr -d '\\r' | sed -n 's/^[Xx]-[Ss]hown-[Bb]y: //p'")
		return out
	}
	s.change(func(st map[string]any) {
		at(st, "instances")[host] = map[string]any{"layers": []string{"volto"}, "address": addresses[host], "cpus": 2}
		st["volto"] = map[string]any{"node": "24.19.0", "memory": "512M"}
		at(st, "deploy", "site", "environment")["npm_config_registry"] = "http://127.0.0.1:4873/"
	})
	s.must(0, "deploy")
	first := s.release("app1")
	if now := s.release(host); now != first {
		s.t.Errorf("the halves are releases %s and %s", first, now)
	}
	if got := shownBy(); got != "one" {
		s.t.Errorf("a page is shown by %q", got)
	}
	if out, _ := s.try("lb1", "curl -s -o /dev/null -D - -H 'Host: www.example.com' 'http://"+addresses["lb1"]+"/++api++/@@e2e-page'"); strings.Contains(strings.ToLower(out), "x-shown-by") {
		s.t.Errorf("Volto answers for the API:\n%s", out)
	}
	how := s.exec(host, `pid=$(systemctl show -p MainPID --value plone-site-volto1); tr '\0' ' ' </proc/$pid/cmdline; echo; readlink /proc/$pid/cwd; ss -Hltn; cat /srv/www/site/current/.volto/build/tried.json; systemctl list-units --all --plain 'plonec-build*'; ls -d /srv/www/site/current/.venv /srv/www/site/current/bin; true`)
	for _, want := range []string{"/opt/plonec/node/24.19.0/bin/node build/server.js \n", "/srv/www/site/releases/" + first + "/frontend/core/packages/volto\n", addresses[host] + ":3001", addresses[host] + ":3002",
		`"token":"","releases":1,"shared":"node","outside":"EROFS","nice":19,"init":"own","others":"few","root":"ENOENT"}`} {
		if !strings.Contains(how, want) {
			s.t.Errorf("no %q in\n%s", want, how)
		}
	}
	if strings.Contains(how, "plonec-build-") || strings.Contains(how, ".venv\n") {
		s.t.Errorf("left of a build, or built for nothing:\n%s", how)
	}
	if out := s.must(0, "status"); strings.Contains(out, "different packages") {
		s.t.Errorf("status finds fault:\n%s", out)
	}

	// Both halves, the backend first, and the other way round on the way back.
	switched := func(h string) string {
		return s.exec(h, "stat -c %.9Z /srv/www/site/current")
	}
	s.push(func(dir string) { write(dir, "frontend/word", "two\n") })
	s.must(0, "deploy")
	second := s.release("app1")
	if second == first || s.release(host) != second || shownBy() != "two" {
		s.t.Errorf("%s after %s, %s on %s, shown by %s", second, first, s.release(host), host, shownBy())
	}
	if a, b, v := switched("app1"), switched("app2"), switched(host); v < a || v < b {
		s.t.Errorf("the frontend was switched at %s, the backend at %s and %s", v, a, b)
	}
	s.must(0, "rollback", "site")
	if s.release(host) != first || s.release("app1") != first || shownBy() != "one" {
		s.t.Errorf("after the rollback %s and %s, shown by %s", s.release("app1"), s.release(host), shownBy())
	}
	if a, b, v := switched("app1"), switched("app2"), switched(host); v > a || v > b {
		s.t.Errorf("the frontend went back at %s, the backend at %s and %s", v, a, b)
	}

	// What builds nothing ends well for pnpm.
	s.push(func(dir string) {
		write(dir, "frontend/package.json", strings.Replace(project, "--filter @plone/volto", "--filter @plone/another", 1))
	})
	if out := s.must(1, "deploy"); !strings.Contains(out, "there is no build/server.js") {
		s.t.Errorf("nothing was built: %s", out)
	}
	if s.release(host) != first || shownBy() != "one" {
		s.t.Errorf("after that %s runs, shown by %s", s.release(host), shownBy())
	}

	// Built where plonec runs, in sight of nothing of the hosts, and brought: of one commit
	// with the backend. Git gets to the hosts' addresses by this run's ssh.
	npm := s.t.TempDir()
	s.sh(npm, "cp", brought+"/pnpm-10.20.0.tgz", ".")
	registry := httptest.NewServer(http.FileServer(http.Dir(npm)))
	defer registry.Close()
	write(npm, "pnpm", `{"name": "pnpm", "dist-tags": {"latest": "10.20.0"}, "versions": {"10.20.0": {"name": "pnpm", "version": "10.20.0", "bin": {"pnpm": "bin/pnpm.cjs"},
 "dist": {"tarball": "`+registry.URL+`/pnpm-10.20.0.tgz", "integrity": "sha512-`+base64.StdEncoding.EncodeToString(sum[:])+`"}}}}`)
	for name, value := range map[string]string{
		"GIT_SSH_COMMAND": ssh, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "url.ssh://admin@git/.insteadOf", "GIT_CONFIG_VALUE_0": "ssh://admin@" + addresses["git"] + "/",
		"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": brought, "XDG_CACHE_HOME": s.t.TempDir(),
	} {
		s.t.Setenv(name, value)
	}
	s.push(func(dir string) {
		write(dir, "frontend/package.json", project)
		write(dir, "frontend/word", "three\n")
	})
	s.change(func(st map[string]any) {
		at(st, "volto")["build_on"] = "here"
		at(st, "deploy", "site", "environment")["npm_config_registry"] = registry.URL + "/"
	})
	if out := s.must(0, "deploy"); !strings.Contains(out, "is built here") {
		s.t.Errorf("it is not said where it was built:\n%s", out)
	}
	third := s.release("app1")
	if third == first || s.release(host) != third || shownBy() != "three" {
		s.t.Errorf("%s, %s on %s, shown by %s", third, s.release(host), host, shownBy())
	}
	how = s.exec(host, "sed -n s/^frontend=//p /var/lib/plonec/site/releases/"+third+"; ls /var/lib/plonec/site; cat /srv/www/site/current/.volto/build/tried.json")
	if !strings.HasPrefix(how, "sha256=") || strings.Contains(how, "\nfrontend\n") || !strings.Contains(how, `"token":"","releases":1,"shared":"ENOENT"`) {
		s.t.Errorf("brought was:\n%s", how)
	}
	// A build that fails leaves the hosts as they are, with a change of the stack that waits.
	confirmed := s.exec(host, "cat /var/lib/plonec/confirmed")
	s.push(func(dir string) {
		write(dir, "frontend/package.json", strings.Replace(project, "--filter @plone/volto", "--filter @plone/another", 1))
	})
	s.change(func(st map[string]any) { at(st, "volto")["memory"] = "600M" })
	if out := s.must(1, "deploy"); !strings.Contains(out, "there is no build/server.js") {
		s.t.Errorf("nothing was built: %s", out)
	}
	if now := s.exec(host, "cat /var/lib/plonec/confirmed"); now != confirmed || s.release(host) != third || shownBy() != "three" {
		s.t.Errorf("after that %s runs, shown by %s; %s was %s", s.release(host), shownBy(), now, confirmed)
	}
	s.must(0, "rollback", "site", "--to", first)
	if s.release(host) != first || shownBy() != "one" {
		s.t.Errorf("after the rollback %s, shown by %s", s.release(host), shownBy())
	}

	s.push(func(dir string) {
		if err := os.RemoveAll(dir + "/frontend"); err != nil {
			s.t.Fatal(err)
		}
	})
	s.change(func(st map[string]any) {
		delete(at(st, "instances"), host)
		delete(st, "volto")
		delete(at(st, "deploy", "site", "environment"), "npm_config_registry")
	})
	s.must(0, "deploy")
	if got := shownBy(); got != "" {
		s.t.Errorf("without it a page is shown by %q", got)
	}
	s.exec(host, fmt.Sprintf("systemctl stop e2e-npm; systemctl stop %s || true", "'plone-site-volto*'"))
	s.lab("forget", run, host)
}})
