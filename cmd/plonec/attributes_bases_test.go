package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/schema"
)

// compileJSON compiles a stack given as Go data.
func compileJSON(t testing.TB, stack any) (*compile.Built, diag.List) {
	t.Helper()
	c, _, diags := compileFiles(t, stack)
	return c, diags
}

// compileFiles is compileJSON, and gives the files too, which are rendered once.
func compileFiles(t testing.TB, stack any) (*compile.Built, *tree.Kept, diag.List) {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "stack.json")
	data, err := json.Marshal(stack)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{"tls/site.pem": exampleCertificate(t), "pages/error.html": "<!DOCTYPE html>\n<title>Of a file</title>\n"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var files tree.Kept
	var judged *compile.Judged
	var c *compile.Built
	read, diags, err := compile.Read([]string{name}, &compile.Options{Tree: filepath.Join(dir, "build"), Release: release})
	if read != nil {
		judged, diags, err = read.Judge()
	}
	if judged != nil {
		var more diag.List
		c, more, err = judged.Render(files.Put)
		diags = append(diags, more...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c, &files, diags
}

// exampleCertificate is the text of the file that the schema's example names.
func exampleCertificate(t testing.TB) string {
	t.Helper()
	for _, n := range schema.Lookup("deploy.<app>.ssl_certificate").Examples {
		if strings.HasPrefix(n.Text, "-----BEGIN") {
			return n.Text
		}
	}
	t.Fatal("the schema has no example of a certificate's text")
	return ""
}

// A base is a stack in which attributes are tried; between them the bases
// switch everything on.
func bases(t *testing.T) []map[string]any {
	t.Helper()
	const common = `
	  "opsworks": {"stack": {"name": "Try"}},
	  "instances": {
	    "lb1":   {"layers": ["lb"], "address": "10.0.0.1", "cpus": 2},
	    "app1":  {"layers": ["plone_instances", "more"], "address": "10.0.0.2", "cpus": 2},
	    "app2":  {"layers": ["plone_instances"], "address": "10.0.0.3", "cpus": 2},
	    "db1":   {"layers": ["zeoserver", "shared_blobs", "solr", "celery_broker", "memcached"], "address": "10.0.0.4", "cpus": 2},
	    "idle":  {"layers": ["spare"], "address": "10.0.0.5", "cpus": 2}},
	  "layers": {"spare": {"roles": []}, "more": {"roles": []}},
	  "haproxy": {"stats_password": {"$secret": "env:STATS"}, "stats_allow": ["10.0.0.0/8"]},
	  "nginx_plone": {"zmi": ["10.0.0.0/8"]},
	  "varnish_purge_urls": ["/old"]`
	const app = `{"scm": {"repository": "https://example.org/b.git"}, "domains": ["www.example.org"],
	    "ssl_support": true, "ssl_certificate": "-----BEGIN CERTIFICATE-----\nMIIBoTCCAUagAwIBAgIBATAKBggqhkjOPQQDAjASMRAwDgYDVQQDDAdleGFtcGxl\nMCAXDTI2MTEzMDEyMDAzMloYDzIxMjYxMTA2MTIwMDMyWjASMRAwDgYDVQQDDAdl\neGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEvecX3QbVtWu3fAeSavrA\n1ObCVRA9nBqCUh16pI0c+0MK/dNZLNF5rH10rf2RtcURb+gdIc8wSpVPtR9JbUwm\nDqOBijCBhzAdBgNVHQ4EFgQUNcJZaCjq6GsMkTiwwSdaxUwiJQ4wHwYDVR0jBBgw\nFoAUNcJZaCjq6GsMkTiwwSdaxUwiJQ4wDwYDVR0TAQH/BAUwAwEB/zA0BgNVHREE\nLTArggtleGFtcGxlLm9yZ4INKi5leGFtcGxlLm9yZ4INKi5leGFtcGxlLmNvbTAK\nBggqhkjOPQQDAgNJADBGAiEAkkMgxBeS4spYaLYkSqjBOntqAlds3MWhUSX+rlrZ\nmZICIQCfaCjqiInBkltiH1DnBrxPaIyjmrOh5nwBlMHF5Ktzcg==\n-----END CERTIFICATE-----\n", "ssl_certificate_key": {"$secret": "env:KEY"},
	    "buildout_init_commands": [{"name": "d", "cmd": "bin/d", "args": "run"}],
	    "buildout_cache_archives": [{"url": "https://example.org/eggs.tgz", "path": "shared/eggs"}]}`
	var all []map[string]any
	for _, text := range []string{
		`{` + common + `, "plone_instances": {"app_name": "site", "enable_celery": true, "celerybeat": false, "solr_enabled": true,
		    "syslog_facility": "local3", "subsites": {"sub.example.org": "sub"}, "sticky_sessions": false},
		  "plone_zeoserver": {"syslog_facility": "local3"}, "deploy": {"site": ` + app + `, "zeoserver": ` + app + `}}`,
		`{` + common + `, "plone_instances": {"app_name": "site", "enable_relstorage": true, "shared_blobs": false,
		    "relstorage": {"db": {"name": "p", "host": "10.9.9.9", "user": "u"}, "enable_pack": false}},
		  "layers": {"more": {"roles": ["pack"]}, "spare": {"roles": []}}, "deploy": {"site": ` + app + `, "zeoserver": ` + app + `}}`,
		`{` + common + `, "plone_instances": {"app_name": "site", "enable_relstorage": true, "shared_blobs": false},
		  "layers": {"more": {"roles": ["pack", "celerybeat"]}, "spare": {"roles": []}}, "deploy": {"zeoserver": ` + app + `,
		    "site": {"scm": {"repository": "https://example.org/b.git"}, "domains": ["www.example.org"],
		    "buildout_init_commands": [{"name": "d", "cmd": "bin/d"}], "buildout_cache_archives": [{"url": "https://example.org/eggs.tgz", "path": "shared/eggs"}],
		    "database": {"adapter": "postgresql", "database": "p", "host": "10.9.9.9", "username": "u"}}}}`,
		`{` + common + `, "plone_instances": {"app_name": "site", "enable_celery": true, "celerybeat": true, "instance_count": 2},
		  "layers": {"more": {"roles": []}, "spare": {"roles": []}, "zeoserver": {"custom_json": {"plone_instances": {"celerybeat": false}}}},
		  "instances": {"app1": {"layers": ["plone_instances", "celery_broker", "more"], "address": "10.0.0.2", "cpus": 2},
		     "db1": {"layers": ["zeoserver"], "address": "10.0.0.4"}, "idle": {"layers": ["spare"], "address": "10.0.0.5"}, "lb1": {"layers": ["lb"], "address": "10.0.0.1"}},
		  "deploy": {"site": ` + app + `, "zeoserver": ` + app + `}}`,
		`{"instances": {"app1": {"layers": ["lb", "plone_instances"], "address": "10.0.0.1", "instance_type": "m5.large"},
		     "idle": {"layers": ["spare"], "address": "10.0.0.5", "cpus": 2}},
		  "layers": {"spare": {"custom_recipes": {"setup": ["plone_buildout::zeoserver-setup"]}}},
		  "plone_instances": {"app_name": "site", "enable_celery": true, "solr_enabled": true, "solr_layer": "lb"},
		  "deploy": {"site": ` + app + `, "zeoserver": ` + app + `}}`,
		`{"instances": {"app1": {"layers": ["lb", "plone_instances"], "address": "10.0.0.1", "cpus": 1}},
		  "plone_instances": {"app_name": "site", "enable_relstorage": true, "relstorage": {"db": {"name": "p", "host": "10.9.9.9"}}},
		  "deploy": {"site": ` + app + `, "zeoserver": ` + app + `}}`,
		`{"instances": {"app1": {"layers": ["lb", "volto", "plone_instances"], "address": "10.0.0.1", "cpus": 2},
		     "app2": {"layers": ["second"], "address": "10.0.0.2", "cpus": 2}, "db1": {"layers": ["zeoserver"], "address": "10.0.0.4", "cpus": 2}},
		  "layers": {"second": {"roles": ["clients"], "custom_json": {"plone_instances": {"app_name": "zeoserver"}}}},
		  "plone_instances": {"app_name": "site"}, "volto": {"node": "24.19.0"}, "haproxy": {"enable_stats": false}, "nginx_plone": {"redirect_https": true},
		  "deploy": {"site": ` + app + `, "zeoserver": {"scm": {"repository": "https://example.org/b.git"}, "domains": ["second.example.org"]}}}`,
	} {
		all = append(all, base(t, text))
	}
	return all
}

// opsworksBase is a base as OpsWorks itself described a stack, with one host that no
// layer lists and with defaults of every app.
func opsworksBase(t *testing.T) map[string]any {
	t.Helper()
	return base(t, `{"opsworks": {"stack": {"name": "Try"}, "instance": {"hostname": "app3", "layers": ["plone_instances"], "private_ip": "10.0.0.6", "backends": 4},
		    "layers": {"lb": {"instances": {"lb1": {"private_ip": "10.0.0.1"}}},
		      "plone_instances": {"instances": {"app1": {"private_ip": "10.0.0.2", "backends": 8}, "app2": {"private_ip": "10.0.0.3", "instance_type": "m5.large"}}},
		      "spare": {"roles": [], "instances": {"idle": {"private_ip": "10.0.0.5", "backends": 8}}},
		      "zeoserver": {"instances": {"db1": {"private_ip": "10.0.0.4"}}}}},
		  "plone_instances": {"app_name": "site"},
		  "deploy_buildout": {"init_commands": [{"name": "d", "cmd": "bin/d"}], "cache_archives": [{"url": "https://example.org/eggs.tgz", "path": "shared/eggs"}]},
		  "deploy": {"site": {"scm": {"repository": "https://example.org/b.git"}}, "zeoserver": {"scm": {"repository": "https://example.org/b.git"}}}}`)
}

// base reads a base, which compiles.
func base(t *testing.T, text string) map[string]any {
	t.Helper()
	var base map[string]any
	if err := json.Unmarshal([]byte(text), &base); err != nil {
		t.Fatal(err)
	}
	if testSystem != "" {
		base["plonec"] = map[string]any{"os": testSystem}
	}
	if c, diags := compileJSON(t, base); c == nil {
		t.Fatalf("a base does not compile: %+v", diags.Sorted())
	}
	return base
}

// set gives a copy of a stack with one value in it; <app> and the like become
// names that the bases have.
func set(base any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	key, list := strings.CutSuffix(path[0], "[]")
	if name := standIns[key]; name != "" {
		key = name
	}
	m := map[string]any{}
	if old, ok := base.(map[string]any); ok {
		maps.Copy(m, old)
	}
	if list {
		first := any(nil)
		if items, ok := m[key].([]any); ok && len(items) > 0 {
			first = items[0]
		}
		m[key] = []any{set(first, path[1:], value)}
		return m
	}
	m[key] = set(m[key], path[1:], value)
	return m
}

// eachLeaf visits every attribute below a that holds a value; stop keeps it
// out of what is below an attribute.
func eachLeaf(a *schema.Attr, stop func(*schema.Attr) bool, visit func(*schema.Attr)) {
	if stop(a) {
		return
	}
	if len(a.Fields) == 0 && a.Elem == nil && a.Item == nil {
		visit(a)
		return
	}
	for _, f := range a.Fields {
		eachLeaf(f, stop, visit)
	}
	for _, f := range []*schema.Attr{a.Elem, a.Item} {
		if f != nil {
			eachLeaf(f, stop, visit)
		}
	}
}

// sums is what a tree would do to its hosts: files, and the sources of secrets.
func sums(c *compile.Built) map[string]string {
	m := map[string]string{}
	for _, f := range c.Tree.Manifest.Files {
		m[f.Rel()] = fmt.Sprint(f.Sum, f.Mode, f.Owner, f.Effect)
	}
	for _, h := range c.Tree.Manifest.Hosts {
		m[h.Name] = fmt.Sprint(h)
	}
	for _, s := range c.Tree.Manifest.Secrets {
		m[s.Host+s.Path] = fmt.Sprint(s)
	}
	return m
}
