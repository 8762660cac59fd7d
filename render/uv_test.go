package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// A uvProject is a small project without a buildout: a package with a translation, its
// dependencies, and the lock that the real uv wrote for them.
type uvProject struct {
	t     *testing.T
	root  string
	repo  string
	uv    string
	files map[string]string
	taken int // frontends, by hosts
}

const uvPyproject = `[project]
name = "acme-site"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["Zope", "Paste"]

[dependency-groups]
test = ["iniconfig"]
container = ["ZEO"]

[tool.uv]
default-groups = ["test"]

[build-system]
requires = ["uv_build"]
build-backend = "uv_build"
`

func newUvProject(t *testing.T) *uvProject {
	t.Helper()
	p := &uvProject{t: t, root: t.TempDir()}
	p.repo = p.root + "/repo"
	lendUv(t, p.root)
	p.uv = p.root + "/opt/plonec/uv/bin/uv"
	p.files = map[string]string{
		"README.md":              "A project in a folder of its repository.\n",
		"backend/pyproject.toml": uvPyproject,
		"backend/instance.yaml": `default_context:
    initial_user_name: 'admin'
    initial_user_password: 'admin'
    zcml_package_includes: 'acme_site'
    environment:
        OF_PROJECT: "$5" # of its own
        ODD: the stack says it
    db_storage: direct
`,
		"backend/src/acme_site/__init__.py": "",
		"backend/src/acme_site/view.py": `import os
from Products.Five.browser import BrowserView

class View(BrowserView):
    def __call__(self):
        return "acme " + os.environ["OF_PROJECT"]
`,
		"backend/src/acme_site/configure.zcml": `<configure xmlns:browser="http://namespaces.zope.org/browser">
  <include package="Products.Five" file="meta.zcml" />
  <browser:page name="acme" for="*" class=".view.View" permission="zope2.Public" />
</configure>
`,
		"backend/src/acme_site/locales/de/LC_MESSAGES/acme.po": "msgid \"\"\nmsgstr \"\"\n\"Content-Type: text/plain; charset=UTF-8\\n\"\n\nmsgid \"yes\"\nmsgstr \"ja\"\n",
	}
	return p
}

// lock has uv write the lock of the project in a folder of the repository.
func (p *uvProject) lock(dir string, options ...string) {
	p.t.Helper()
	p.write()
	c := exec.Command(p.uv, append([]string{"lock", "-q"}, options...)...)
	c.Dir = filepath.Join(p.repo, dir)
	if out, err := c.CombinedOutput(); err != nil {
		p.t.Fatalf("uv lock: %v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(c.Dir, "uv.lock"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.files[filepath.Join(dir, "uv.lock")] = string(text)
}

func (p *uvProject) write() {
	p.t.Helper()
	os.RemoveAll(p.repo)
	for name, text := range p.files {
		path := filepath.Join(p.repo, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

// build makes a release of the project for a host's app by the real scripts.
func (p *uvProject) build(scripts string, h *topology.Host, a *topology.App, release string) (dir, said string, err error) {
	t := p.t
	t.Helper()
	p.write()
	commit := repository(t, p.repo, nil)
	me, group := tester(t)
	deployTo := p.root + "/srv/www/" + a.Name
	a.Config.DeployTo, a.Config.Home, a.Config.User, a.Config.Group = deployTo, p.root, me.Username, group.Name
	a.Config.SCM = schema.SCM{Type: "git", Repository: p.repo, Revision: "main"}
	a.Config.Environment = maps.Clone(a.Config.Environment)
	if a.Config.Environment == nil {
		a.Config.Environment = map[string]schema.EnvValue{}
	}
	maps.Copy(a.Config.Environment, reached())
	etc := p.root + "/etc/plonec/"
	os.RemoveAll(etc)
	files, err := Host(h)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasPrefix(f.Path, "/etc/plonec/") {
			os.MkdirAll(filepath.Dir(p.root+f.Path), 0o755)
			if err := os.WriteFile(p.root+f.Path, f.Content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd := exec.Command("/bin/bash", "-c", `LIB=$1; . "$LIB/lib.sh"; . "$LIB/source.sh"; load_host; load_app "$4"
		CACHE=$DEPLOY_TO/shared/cached-copy; mkdir -p "$DEPLOY_TO/shared" "$DEPLOY_TO/releases/$3"; fetch_commit "$2"
		[ -e "$DEPLOY_TO/shared/uv-cache" ] || ln -s "$ROOT/srv/www/site/shared/uv-cache" "$DEPLOY_TO/shared/uv-cache"
		: >"$ROOT/log"; "$LIB/build" "$4" "$3" "$2" "$ROOT/log"`, "bash", scripts, commit, release, a.Name)
	cmd.Env = append(os.Environ(), "PLONEC_ROOT="+p.root)
	out, err := cmd.CombinedOutput()
	log, _ := os.ReadFile(p.root + "/log")
	return deployTo + "/releases/" + release, string(out) + string(log), err
}

// uvHost is a host with two clients and their ZEO server, all of one app that uv builds,
// on addresses of this run's own.
func uvHost(t *testing.T, p *uvProject, n int, more ...string) (*topology.Host, *topology.App, string) {
	t.Helper()
	stack := []string{write(t, `{
	  "instances": {"one": {"layers": ["plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}},
	  "plone_instances": {"app_name": "site", "shared_blobs": false, "instance_count": 2, "waitress_trusted_proxy": ["127.0.0.1", "no.such.host.invalid"]},
	  "plone_zeoserver": {"app_name": "site"},
	  "deploy": {"site": {"builder": "uv", "backend_dir": "backend", "environment": {"ODD": "a $HOME $(d) $RELEASE %s"}, "scm": {"repository": "https://example.org/p.git"}}}
	}`)}
	for _, text := range more {
		stack = append(stack, write(t, text))
	}
	topo := resolved(t, stack...)
	h := topo.Hosts[0]
	a := h.Apps[0]
	address := fmt.Sprintf("127.%d.%d.%d", 1+os.Getpid()>>8%250, os.Getpid()%256, n)
	a.Zeo.Address, a.Storage.ZeoAddress = address, address+":8001"
	a.Zeo.FilestorageDir, a.Zeo.BlobDir = p.root+"/data/filestorage", p.root+"/data/blobs"
	for _, c := range a.Clients {
		c.Address = address
	}
	for _, dir := range []string{a.Zeo.FilestorageDir, a.Zeo.BlobDir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return h, a, address
}

// TestUv has the real script make a release of such a project, whose programs then run as
// their units start them.
func TestUv(t *testing.T) {
	t.Parallel()
	p := newUvProject(t)
	p.lock("backend")
	h, a, address := uvHost(t, p, 201)
	dir, said, err := p.build(hostScripts(t), h, a, "20260101000000")
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if !strings.Contains(said, "no.such.host.invalid does not resolve") {
		t.Errorf("nothing said of a balancer without an address:\n%s", said)
	}
	if !strings.Contains(said, "backend/instance.yaml: the stack decides, not this file: initial_user_name, initial_user_password, db_storage") {
		t.Errorf("nothing said of what the stack decides:\n%s", said)
	}

	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name := e.Name(); !a.Builder().Makes(name) && !slices.Contains([]string{".git", "README.md", "backend"}, name) {
			t.Errorf("%s is neither of the commit nor in the builder's table", name)
		}
	}
	// The group that the database needs is there, uv's default group is not, and what the
	// project has of its own is compiled.
	site, err := filepath.Glob(dir + "/.venv/lib/python*/site-packages")
	if err != nil || len(site) != 1 {
		t.Fatal(site, err)
	}
	for name, there := range map[string]bool{
		"ZEO": true, "iniconfig": false, "acme_site/locales/de/LC_MESSAGES/acme.mo": true, "acme_site/__pycache__": true,
	} {
		if _, err := os.Stat(site[0] + "/" + name); (err == nil) != there {
			t.Errorf("%s: %v", name, err)
		}
	}
	conf := readConfs(t, map[string]string{"client2": dir + "/parts/client2/etc/zope.conf", "zeo": dir + "/parts/zeoserver/etc/zeo.conf"})
	same := func(what string, got, want any) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	c := conf["client2"]
	same("error", c.Error+conf["zeo"].Error, "")
	same("environment", c.Environment["ODD"], "a $HOME $(d) $RELEASE %s")
	same("trusted", c.Trusted, []string{"127.0.0.1"})
	same("server", c.Storage["server"], []string{address + ":8001"})
	same("persistent cache", c.Storage["client"], "")
	same("zeo address", conf["zeo"].Address, []any{address, 8001})
	same("zeo file", conf["zeo"].Storage["path"], dir+"/var/filestorage/Data.fs")
	processes, rows := expected(a)
	same("rows that are held against the release", len(rows) > 8, true)
	for _, line := range compare(t, dir, nil, processes, rows, "var/filestorage="+a.Zeo.FilestorageDir) {
		if strings.HasPrefix(line, "differs ") {
			t.Error(line)
		}
	}
	if t.Failed() {
		return
	}

	server := start(t, dir, "parts/zeoserver/bin/runzeo")
	one := start(t, dir, "bin/client1", "console")
	answers(t, one, "http://"+address+":8081/")
	if got := output(t, dir, "curl", "-fsS", "http://"+address+":8081/@@acme"); got != "acme $5" {
		t.Errorf("the project's own page: %q", got)
	}
	script := filepath.Join(dir, "script.py")
	if err := os.WriteFile(script, []byte("import sys\nprint('beside it', sys.argv[1:], app.acl_users.getUserNames())\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	output(t, dir, "bin/admin", "adduser", "editor", "secret")
	if got := output(t, dir, "bin/client1", "run", script, "a b"); !strings.Contains(got, "beside it ['a b'] ['editor']") {
		t.Errorf("run beside a running client: %s", got)
	}
	if got := output(t, dir, "bin/client2", "debug"); strings.Contains(got, "Traceback") {
		t.Errorf("debug: %s", got)
	}
	if caches, _ := filepath.Glob(dir + "/var/*.zec"); len(caches) != 1 || filepath.Base(caches[0]) != "zeoclient-1-1.zec" {
		t.Errorf("caches that are kept: %v", caches)
	}
	output(t, dir, "bin/zeopack")
	output(t, dir, "bin/backup")
	if kept, _ := filepath.Glob(dir + "/var/backups/*.fsz"); len(kept) != 1 {
		t.Errorf("bin/backup left %v", kept)
	}
	one.end(t, syscall.SIGINT)
	server.end(t, syscall.SIGTERM)
	for _, log := range []string{"client1-access.log", "client1.log", "zeoserver.log"} {
		if text, err := os.ReadFile(dir + "/var/log/" + log); err != nil || len(text) == 0 {
			t.Errorf("%s: %v: empty", log, err)
		}
	}
}

// What a project lacks is said with its remedy, before anything else is made of it.
func TestUvRefuses(t *testing.T) {
	t.Parallel()
	const bare = "[project]\nname = \"acme-site\"\nversion = \"1.0\"\nrequires-python = \">=3.10\"\n"
	const built = "[build-system]\nrequires = [\"uv_build\"]\nbuild-backend = \"uv_build\"\n"
	p := newUvProject(t)
	p.files = map[string]string{"pyproject.toml": bare}
	p.lock("")
	fits := maps.Clone(p.files)
	// A wheel that hosts without an index have, and a lock of it.
	toy := t.TempDir()
	for name, text := range map[string]string{"pyproject.toml": strings.Replace(bare, "acme-site", "toy", 1) + built, "src/toy/__init__.py": "# a toy\n"} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(toy+"/"+name), 0o755), os.WriteFile(toy+"/"+name, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	wheels := p.root + "/srv/www/site/shared/wheels"
	output(t, "", p.uv, "build", "-q", "--wheel", "--out-dir", wheels, toy)
	of := bare + "dependencies = [\"toy\"]\n"
	p.files = map[string]string{"pyproject.toml": of}
	p.lock("", "--no-index", "--find-links", wheels)
	ofWheels := p.files["uv.lock"]
	scripts := hostScripts(t)
	for i, c := range []struct {
		name   string
		files  map[string]string // beside those; empty: not there
		config string
		want   []string
	}{
		{"Python", map[string]string{"pyproject.toml": strings.Replace(bare, ">=3.10", ">=3.99,<4", 1), "uv.lock": ""}, `{}`,
			[]string{"pyproject.toml wants Python >=3.99,<4, and here it is 3.", "set deploy.site.python_major_version"}},
		{"no project", nil, `{"backend_dir": "backend"}`, []string{"the commit has no backend/pyproject.toml", "deploy.site.backend_dir"}},
		{"no lock", map[string]string{"uv.lock": ""}, `{}`, []string{"the commit has no uv.lock", "uv lock"}},
		{"another lock", nil, `{"lock": "locks/uv.lock"}`, []string{"the commit has no locks/uv.lock", "deploy.site.lock"}},
		{"a lock that does not fit", map[string]string{"pyproject.toml": bare + "dependencies = [\"iniconfig\"]\n"}, `{}`, []string{"uv.lock does not fit pyproject.toml", "uv lock"}},
		{"a group that there is not", nil, `{"groups": ["other"]}`, []string{"roup `other` is not defined"}},
		{"a lock elsewhere, and no Zope", map[string]string{"locks/uv.lock": fits["uv.lock"], "uv.lock": ""}, `{"lock": "locks/uv.lock"}`,
			[]string{"installing what locks/uv.lock has", "Zope2 is not installed, which clients are"}},
		{"without Plone's constraints", map[string]string{"uv.lock": fits["uv.lock"] + "\n[[package]]\nname = \"products-cmfplone\"\nversion = \"6.2.2\"\nsource = { registry = \"https://example.org/simple\" }\n"}, `{"groups": ["other"]}`,
			[]string{"uv.lock was made without Plone's constraints"}},
		{"wheels alone", map[string]string{"pyproject.toml": of, "uv.lock": ofWheels}, `{"index": {"offline": true}}`, []string{"installing what uv.lock has", "Zope2 is not installed"}},
		{"an instance that there is not", nil, `{"instance": "other.yaml"}`, []string{"the commit has no other.yaml", "deploy.site.instance"}},
		{"constraints of the net", map[string]string{"requirements.txt": "-r more.txt\n", "more.txt": "\n-c https://example.org/constraints.txt\n"}, `{"requirements": "requirements.txt"}`,
			[]string{"more.txt:2 takes https://example.org/constraints.txt from the net", "put that file into the repository"}},
		{"constraints beside the repository", map[string]string{"requirements.txt": "-r in/more.txt\n", "in/more.txt": "-c ../../constraints.txt\n"}, `{"requirements": "requirements.txt"}`,
			[]string{"in/more.txt:1 takes ../../constraints.txt, which is not in the repository", "put a copy of it there"}},
		{"no constraints", map[string]string{"requirements.txt": "# none\n"}, `{"requirements": "requirements.txt", "constraints": "other.txt"}`, []string{"the commit has no other.txt"}},
		{"requirements", map[string]string{
			"uv.lock": "", "pyproject.toml": "", "backend/requirements.txt": "-c constraints.txt\n./toy\n", "backend/constraints.txt": "# none\n",
			"backend/toy/pyproject.toml": strings.Replace(bare, "acme-site", "toy", 1) + built, "backend/toy/src/toy/__init__.py": "# a toy\n",
		}, `{"backend_dir": "backend", "requirements": "backend/requirements.txt"}`, []string{"installing what backend/requirements.txt asks for", "Zope2 is not installed"}},
	} {
		p.files = maps.Clone(fits)
		for name, text := range c.files {
			if p.files[name] = text; text == "" {
				delete(p.files, name)
			}
		}
		h, a, _ := uvHost(t, p, 202, `{"deploy": {"site": {"backend_dir": null}}}`, `{"deploy": {"site": `+c.config+`}}`)
		dir, said, err := p.build(scripts, h, a, fmt.Sprintf("202601010000%02d", i))
		if err == nil {
			t.Errorf("%s: a release was made", c.name)
		}
		for _, want := range c.want {
			if !strings.Contains(said, want) {
				t.Errorf("%s: no %q in\n%s", c.name, want, said)
			}
		}
		if toys, _ := filepath.Glob(dir + "/.venv/lib/python*/site-packages/toy"); slices.Contains([]string{"requirements", "wheels alone"}, c.name) && len(toys) != 1 {
			t.Errorf("%s: the toy is not installed: %v", c.name, toys)
		}
	}
}

// instance.yaml is read as far as it says something plain, and nothing of it is run.
func TestInstanceYaml(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"default_context:\n  environment: &all\n":                "instance.yaml:2: plonec cannot read this value",
		"default_context:\n  environment:\n    A: \"{{ b }}\"\n": "instance.yaml: plonec cannot use the variable A of environment",
		"default_context:\n  a b\n":                              "instance.yaml:2: plonec cannot read this line",
		"default_context:\n  environment:\n    A-B: c\n":         "instance.yaml: plonec cannot use the variable A-B of environment",
		"default_context:\n- a\n":                                "instance.yaml: default_context is no mapping",
		"default_context:\n  load_zcml: a\n":                     "instance.yaml: load_zcml is no mapping",
		"- a\n":                                                  "instance.yaml:1: plonec cannot read this list",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(dir+"/instance.yaml", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		script, err := filepath.Abs("../templates/builders/uv-instance")
		if err != nil {
			t.Fatal(err)
		}
		c := exec.Command("/usr/bin/python3", "-I", script, "write", dir, "instance.yaml")
		c.Dir = dir
		if out, err := c.CombinedOutput(); err == nil || string(out) != "plonec: "+want+"\n" && !strings.HasPrefix(string(out), "plonec: "+want+":") {
			t.Errorf("%q: %v: %s", text, err, out)
		}
	}
}

// A readConf is what zope.conf or zeo.conf says, as its own schema reads it, and the
// wsgi.ini beside the former.
type readConf struct {
	Environment map[string]string
	CacheSize   int `json:"cache-size"`
	Kind, DSN   string
	Address     []any
	Debug       bool
	Verbose     bool
	Trusted     []string
	Forms       []int
	Storage     map[string]any
	Server      map[string]string // wsgi.ini's
	EventLog    map[string]string
	Loggers     map[string]string
	Error       string
}

func readConfs(t *testing.T, files map[string]string) map[string]readConf {
	t.Helper()
	var conf map[string]readConf
	python(t, "conf.py", files, &conf)
	return conf
}

// Attributes mean the same whoever makes the release: Zope reads the same of what buildout
// makes of the example, and of what plonec lays out where there is none.
func TestSameMeaning(t *testing.T) {
	t.Parallel()
	for name, stack := range map[string]string{
		"zeo": `{"deploy": {"site": {"environment": {"ODD": "a $HOME $(d) %s", "LATER": {"$secret": "env:LATER"}}, "buildout_debug": true}},
		  "plone_blobs": {"blob_dir": "/srv/place/of/blobs"}, "nginx_plone": {"client_max_body_size": "77m"},
		  "plone_instances": {"shared_blobs": true, "zodb_cache_size": 1234, "zserver_threads": 7, "syslog_facility": "local3", "syslog_level": "WARNING",
		    "waitress_trusted_proxy": ["127.0.0.9"]}}`,
		"relstorage": `{"plone_instances": {"enable_relstorage": true, "relstorage": {"db": {"name": "plone", "host": "10.9.9.9", "user": "zo'db", "port": 5433}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			byBuildout := resolved(t, "../examples/zeo/stack.json", write(t, stack), write(t, `{"deploy": {"site": {"buildout_extends": ["cfg/zope.cfg"],
			  "buildout_additional_config": "eggs -= psycopg2"}}}`))
			byUv := resolved(t, "../examples/zeo/stack.json", write(t, stack), write(t, `{"deploy": {"site": {"builder": "uv"}}}`))
			made := buildout(t, "app1", cfg(t, byBuildout, "app1", "site"))
			laid := layOut(t, byUv, "app1")
			if t.Failed() {
				return
			}
			conf := readConfs(t, map[string]string{"buildout": made + "/parts/client2/etc/zope.conf", "uv": laid + "/parts/client2/etc/zope.conf"})
			b, u := conf["buildout"], conf["uv"]
			// What the example's base adds, which is nobody's attribute, and what the script
			// build adds to zope.conf after its builder.
			for _, variable := range []string{"zope_i18n_compile_mo_files", "SOLR_URI", "BROKER_URL", "PYTHON_EGG_CACHE"} {
				delete(b.Environment, variable)
			}
			text := func(c readConf, release string) string {
				said, err := json.MarshalIndent(c, "", " ")
				if err != nil {
					t.Fatal(err)
				}
				return strings.ReplaceAll(string(said), release, "RELEASE")
			}
			if b, u := text(b, made), text(u, laid); b != u || !strings.Contains(u, "RELEASE/var") {
				t.Errorf("buildout's:\n%s\nuv's:\n%s", b, u)
			}
		})
	}
}

// RelStorage's own schema reads what packs, and the programs for it are the stack's.
func TestPackByUv(t *testing.T) {
	t.Parallel()
	for stack, want := range map[string][]string{
		`"pack_days": 3`: {"bin/zodbpack --days 3"},
		`"pack_days": 5, "two_stage_pack": true, "truncate_refs": true`: {"bin/zodb-clear-refs", "bin/zodbpack-pack --days 5 --use-prepack-state", "bin/zodbpack-prepack --days 5 --prepack"},
		`"pack_gc": false, "truncate_refs": true`:                       {"bin/zodbpack --days 7"},
	} {
		topo := resolved(t, "../examples/zeo/stack.json", write(t, `{"deploy": {"site": {"builder": "uv"}}, "layers": {"packing": {"roles": ["pack"]}}, "instances": {"app1": {"layers": ["plone_instances", "packing"]}},
		  "plone_instances": {"enable_relstorage": true, "relstorage": {`+stack+`, "db": {"name": "plone", "host": "10.9.9.9", "user": "zodb"}}}}`))
		release := layOut(t, topo, "app1")
		var got []string
		programs, err := os.ReadDir(release + "/bin")
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range programs {
			text, err := os.ReadFile(release + "/bin/" + p.Name())
			if err != nil || !strings.HasPrefix(p.Name(), "zodb") {
				continue
			}
			_, options, _ := strings.Cut(string(text), "/.venv/bin/zodbpack ")
			options, _, _ = strings.Cut(options, ` "$@"`)
			got = append(got, strings.TrimSpace("bin/"+p.Name()+" "+options))
			check := []string{"sh", "-n"}
			if p.Name() == "zodb-clear-refs" {
				check = []string{"python3", "-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())"}
			}
			output(t, release, append(check, "bin/"+p.Name())...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", stack, got, want)
		}
		dir, err := venv()
		if err != nil {
			t.Fatal(err)
		}
		said := output(t, "", dir+"/bin/python", "-c", `import io, sys, ZConfig, relstorage.zodbpack as z
c, _ = ZConfig.loadConfig(ZConfig.loadSchemaFile(io.StringIO(z.schema_xml)), sys.argv[1])
s = c.storages[0].config
print(s.pack_gc, s.keep_history, s.blob_dir, s.shared_blob_dir, s.adapter.config.dsn)`, release+"/parts/zodbpack.conf")
		if want := fmt.Sprintf("%s True %s/var/blobcache False dbname='plone' user='zodb' host='10.9.9.9'\n", map[bool]string{true: "False", false: "True"}[strings.Contains(stack, `"pack_gc": false`)], release); said != want {
			t.Errorf("%s: zodbpack.conf says %q, want %q", stack, said, want)
		}
	}
}

// What cookieplone's group container is compiled with is on each host that installs it,
// and services are told by the environment.
func TestUvHost(t *testing.T) {
	t.Parallel()
	for config, compiles := range map[string]bool{`"builder": "uv"`: true, `"builder": "uv", "groups": []`: false, `"builder": "uv", "requirements": "r.txt"`: false, `"builder": "buildout"`: false} {
		topo := resolved(t, "../examples/zeo/stack.json", write(t, `{"deploy": {"site": {`+config+`, "environment": {"SOLR_URI": "http://mine/"}}},
		  "plone_instances": {"solr_enabled": true, "solr_host": "10.0.0.8", "enable_celery": true, "broker": {"host": "10.0.0.9"}}}`))
		for _, h := range topo.Hosts {
			if h.Name != "app1" {
				continue
			}
			if got := slices.Contains(Packages(h), "libpq-dev"); got != compiles {
				t.Errorf("%s: libpq-dev %v", config, got)
			}
			env := content(t, h, "/etc/plonec/site/app.env")
			told := strings.Contains(env, "BROKER_URL=") && strings.Contains(env, "redis://10.0.0.9:6379/0")
			if told != strings.Contains(config, "uv") || !strings.Contains(env, "http://mine/") {
				t.Errorf("%s: app.env says\n%s", config, env)
			}
		}
	}
}

// layOut lays out the instance of a host's app as the builder uv does, by the Python of
// the tests' virtualenv.
func layOut(t *testing.T, topo *topology.Topology, host string) string {
	t.Helper()
	h := topo.Hosts[slices.IndexFunc(topo.Hosts, func(h *topology.Host) bool { return h.Name == host })]
	a := h.Apps[0]
	release := t.TempDir()
	if err := os.MkdirAll(release+"/var/log", 0o755); err != nil {
		t.Fatal(err)
	}
	var stdin strings.Builder
	files := []string{"zope.conf", "wsgi.ini"}
	if a.Pack {
		files = append(files, "zodbpack.conf")
	}
	for _, name := range files {
		fmt.Fprintf(&stdin, "%s\x00%s\x00", name, content(t, h, "/etc/plonec/site/"+name))
	}
	dir, err := venv()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(dir+"/bin/python", append([]string{"../templates/builders/uv-instance", "write", release, ""}, buildConf{App: a}.ClientAddresses()...)...)
	c.Stdin = strings.NewReader(stdin.String())
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return release
}
