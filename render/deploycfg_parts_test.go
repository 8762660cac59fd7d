package render

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// project makes a folder with a buildout of one file.
func project(t *testing.T, base string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "cfg"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"base.cfg", "relstorage.cfg"} {
		text := base
		if name == "relstorage.cfg" {
			text = "[buildout]\n"
		}
		if err := os.WriteFile(filepath.Join(dir, "cfg", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// withInstance is a buildout as Plone's documentation has it: one instance, its ZEO
// server, and what serves a site on one machine. Where its data are is written into it.
const withInstance = `[buildout]
eggs = Zope
parts =
    instance
    zeo
    zopepy
    supervisor
    nginx
    haproxy
    zeopack-cron

[instance]
recipe = plone.recipe.zope2instance
user = admin:
eggs =
    Zope
    my.package
zcml = my.package
http-address = 8080
zeo-client = on
zeo-address = 127.0.0.1:8100
zeo-storage = main
shared-blob = on
blob-storage = /somewhere/blobs
file-storage = /somewhere/Data.fs
initialization = import site
environment-vars =
    zope_i18n_compile_mo_files true
    OF_THE_PROJECT yes
zope-conf-additional = <product-config x>
    </product-config>

[zeo]
recipe = plone.recipe.zeoserver
eggs = ${buildout:eggs}
zeo-address = 127.0.0.1:8100
file-storage = /somewhere/Data.fs
blob-storage = /somewhere/blobs
storage-number = main

[zopepy]
recipe = zc.recipe.egg
eggs = Zope

[zeopack-cron]
recipe = zc.recipe.egg
eggs = Zope

[supervisor]
recipe = zc.recipe.egg
[nginx]
recipe = zc.recipe.egg
[haproxy]
recipe = zc.recipe.egg
`

const ownNames = `{
  "plone_instances": {"shared_blobs": false, "instance_count": 2},
  "deploy": {
    "site": {"environment": {"OF_THE_STACK": "yes"}, "parts": {"client": "instance", "zeoserver": "zeo", "zeo_address": "zeo:zeo-address"}},
    "db":   {"parts": {"client": "instance", "zeoserver": "zeo", "zeo_address": "", "packcronjob": "zeopack-cron", "backup": ""}}
  }
}`

// TestProjects lays deploy.cfg over buildouts with names of their own: what the stack says
// counts, and of what they said themselves nothing is lost.
func TestProjects(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, base, over, host, app string
		want                        map[string]string // by "section option", each line trimmed
	}{
		{"an instance", withInstance, ownNames, "app1", "site", map[string]string{
			"buildout parts":               "zopepy zeopack-cron client1 client2",
			"client1 zeo-client":           "on",
			"client1 zeo-address":          "10.0.2.11:8001",
			"client1 zeo-storage":          "1",
			"client1 http-address":         "10.0.1.11:8081",
			"client1 file-storage":         "",
			"client1 rel-storage":          "",
			"client1 shared-blob":          "no",
			"client1 blob-storage":         "/release/var/blobcache",
			"client1 eggs":                 "Zope my.package",
			"client1 zcml":                 "my.package",
			"client1 recipe":               "plone.recipe.zope2instance",
			"client1 <":                    "",
			"zeo zeo-address":              "10.0.2.11:8001",
			"client2 http-address":         "10.0.1.11:8082",
			"client2 zeo-address":          "10.0.2.11:8001",
			"client2 environment-vars":     "zope_i18n_compile_mo_files true OF_THE_PROJECT yes OF_THE_STACK yes",
			"client1 environment-vars":     "zope_i18n_compile_mo_files true OF_THE_PROJECT yes OF_THE_STACK yes",
			"client1 zope-conf-additional": "<product-config x> </product-config>",
			"instance zeo-address":         "127.0.0.1:8100",
		}},
		{"its ZEO server", withInstance, ownNames, "db1", "db", map[string]string{
			"buildout parts":     "zeo zopepy zeopack-cron zeo zeopack-cron",
			"zeo zeo-address":    "10.0.2.11:8001",
			"zeo storage-number": "1",
			"zeo file-storage":   "/release/var/filestorage/Data.fs",
			"zeo blob-storage":   "/somewhere/blobs",
		}},
		{"a timer of plonec's packs", withInstance, ownNames + `{"plone_zeoserver": {"pack_at": "daily"}}`, "db1", "db", map[string]string{
			"buildout parts": "zeo zopepy zeo",
		}},
		{"what stays", withInstance, ownNames + `{"deploy": {"site": {"parts": {"keep": ["nginx"]}}}}`, "app1", "site", map[string]string{
			"buildout parts": "zopepy nginx zeopack-cron client1 client2",
		}},
		{"a client1 that is made from a macro", `[buildout]
parts =
    instance1
    client1
    zeoclient1
[zope]
recipe = plone.recipe.zope2instance
eggs = Zope
environment-vars = OF_THE_PROJECT yes
[instance1]
<= zope
zcml += one
environment-vars += OF_INSTANCE1 yes
[client1]
<= instance1
zcml += two
zeo-address = 127.0.0.1:8100
[zeoclient1]
<= instance1
`, `{"deploy": {"site": {"environment": {"OF_THE_STACK": "yes"}, "parts": {"client": "instance1"}}}}`, "app1", "site", map[string]string{
			"buildout parts":           "client1 zeoclient1 client1",
			"client1 environment-vars": "OF_THE_PROJECT yes OF_INSTANCE1 yes OF_THE_STACK yes",
			"client1 zcml":             "one two",
			"client1 zeo-address":      "10.0.2.11:8001",
		}},
		{"RelStorage", `[buildout]
parts = instance
eggs =
[instance]
recipe = plone.recipe.zope2instance
eggs = ${buildout:eggs}
zeo-client = on
rel-storage =
    type mysql
    dsn dbname='other' host='elsewhere'
    keep-history false
    cache-local-mb 100
`, `{"plone_instances": {"enable_relstorage": true, "relstorage": {"db": {"name": "plone", "host": "db.example.com"}}},
		     "plone_blobs": {"blob_dir": "/srv/blobs"}, "deploy": {"site": {"parts": {"client": "instance"}}}}`, "app1", "site", map[string]string{
			"buildout parts":       "client1",
			"client1 zeo-client":   "off",
			"client1 blob-storage": "/srv/blobs",
			"client1 rel-storage": "type mysql dsn dbname='other' host='elsewhere' keep-history false cache-local-mb 100 " +
				"type postgresql dsn dbname='plone' host='db.example.com' blob-dir /srv/blobs shared-blob-dir true",
		}},
	}
	texts := map[string]buildoutText{}
	for _, tt := range tests {
		dir := project(t, tt.base)
		over := strings.ReplaceAll(tt.over, "}{", "}\x00{")
		texts[tt.name] = buildoutText{Text: cfg(t, resolvedText(t, append([]string{base}, strings.Split(over, "\x00")...)...), tt.host, tt.app), Base: &dir}
	}
	read := readByBuildout(t, texts)
	for _, tt := range tests {
		if e := read[tt.name].Error; e != "" {
			t.Errorf("%s: %s\n%s", tt.name, e, texts[tt.name].Text)
			continue
		}
		for name, want := range tt.want {
			section, option, _ := strings.Cut(name, " ")
			if got := strings.Join(strings.Fields(read[tt.name].Effective[section][option]), " "); got != want {
				t.Errorf("%s: [%s] %s is %q, want %q", tt.name, section, option, got, want)
			}
		}
	}
}

// TestBuildoutInstance builds the clients of such a project for real: Zope's own schema
// reads where they go.
func TestBuildoutInstance(t *testing.T) {
	t.Parallel()
	python3, err := venv()
	if err != nil {
		t.Fatal(err)
	}
	text := cfg(t, resolvedText(t, base, ownNames), "app1", "site")
	dir := project(t, strings.NewReplacer("    my.package\n", "", "zcml = my.package\n", "",
		"zope-conf-additional = <product-config x>\n    </product-config>\n", "zodb-temporary-storage = off\n", "[buildout]\n", "[buildout]\nnewest = false\n").Replace(withInstance))
	if err := os.WriteFile(filepath.Join(dir, "deploy.cfg"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(python3+"/bin/buildout", "-c", "deploy.cfg")
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("buildout: %v\n%s\n%s", err, out, text)
	}
	var programs []string
	for _, pattern := range []string{"bin/client*", "bin/instance", "parts/*/bin/runzeo"} {
		found, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, name := range found {
			programs = append(programs, strings.TrimPrefix(name, dir+"/"))
		}
	}
	if !slices.Equal(programs, []string{"bin/client1", "bin/client2"}) {
		t.Errorf("it made %q", programs)
	}
	var conf map[string]struct {
		Environment map[string]string
		Kind, Error string
		Storage     map[string]any
	}
	python(t, "conf.py", map[string]string{"1": dir + "/parts/client1/etc/zope.conf", "2": dir + "/parts/client2/etc/zope.conf"}, &conf)
	for name, c := range conf {
		got := fmt.Sprint(c.Error, c.Kind, c.Storage["server"], c.Storage["blob_dir"], c.Storage["shared_blob_dir"], c.Environment["OF_THE_PROJECT"], c.Environment["OF_THE_STACK"])
		if want := fmt.Sprint("", "zeoclient", []string{"10.0.2.11:8001"}, dir+"/var/blobcache", false, "yes", "yes"); got != want {
			t.Errorf("client%s: %s, want %s", name, got, want)
		}
	}
}
