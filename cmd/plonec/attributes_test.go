package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/schema"
)

// compileJSON compiles a stack given as Go data.
func compileJSON(t testing.TB, stack any) (*compile.Built, diag.List) {
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
	c, diags, err := compile.Stack([]string{name}, &compile.Options{Tree: filepath.Join(dir, "build"), Release: release})
	if err != nil {
		t.Fatal(err)
	}
	return c, diags
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
	  "haproxy": {"stats_password": {"$secret": "env:STATS"}},
	  "varnish_purge_urls": ["^/old"]`
	const app = `{"scm": {"repository": "https://example.org/b.git"}, "domains": ["www.example.org"],
	    "ssl_support": true, "ssl_certificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "ssl_certificate_key": {"$secret": "env:KEY"},
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
	} {
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
		all = append(all, base)
	}
	return all
}

// samples are values for an attribute by what it takes, the first of which
// that differs from its default is tried.
var samples = []struct{ takes, values string }{
	{"one of debian12", `["debian13"]`},
	{"one of frontend", `["clients"]`},
	{"one of http, https", `["https"]`},
	{"one of ", ""}, // its own choices
	{"a truth value", `[true, false]`},
	{"a whole number", `[4, 5]`},
	{"a number", `[0.5, 3]`},
	{"a port", `[4711]`},
	{"seconds", `[17]`},
	{"milliseconds", `["17s"]`},
	{"a size such as 128m", `["77m"]`},
	{"a size", `["3G"]`},
	{"a name:", `["zeoserver", "site", "spare", "lb"]`},
	{"a user", `["plone"]`},
	{"an IP address", `["10.7.7.7"]`},
	{"an address or a network", `["10.7.0.0/16"]`},
	{"an address and a port", `["10.7.7.7:8100"]`},
	{"an EC2 instance type", `["m5.4xlarge"]`},
	{"an absolute path", `["/srv/elsewhere"]`},
	{"a path inside", `["var", "elsewhere"]`},
	{"a path below", `["shared/elsewhere"]`},
	{"a path of ids", `["Other"]`},
	{"a file of the buildout", `["cfg/other.cfg"]`},
	{"a file's name that ends in .cfg", `["other.cfg"]`},
	{"a database's name", `["other"]`},
	{"a buildout part's name", `["part"]`},
	{"a package", `["libxml2"]`},
	{"a version of Python", `["3.11"]`},
	{"a version", `["4.1.1"]`},
	{"a time zone", `["Europe/Berlin"]`},
	{"a domain", `["other.example.org"]`},
	{"a repository", `["https://example.org/other.git"]`},
	{"a branch", `["other"]`},
	{"a recipe", `["plone_buildout::instances-setup"]`},
	{"an http", `["https://example.org/other.tgz"]`},
	{"the path of an address", `["/other"]`},
	{"a certificate", `["-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n"]`},
	{"env:NAME", `["env:OTHER"]`},
	{"words", `["--other"]`},
	{"a text", `["other"]`},
}

// unseen are attributes that rightly leave the tree as it is, each with why.
var unseen = map[string]string{
	"plonec.ignore[]":            "it is about the stack's own text",
	"plonec.ssh.user":            "apply alone uses it, on the machine that pushes",
	"plonec.ssh.port":            "likewise",
	"plonec.ssh.known_hosts":     "likewise",
	"layers.<layer>.name":        "a title",
	"layers.<layer>.custom_json": "it holds attributes of its own",
	"plone_blobs.layer":          "it names the layer whose hosts export blobs, which nothing renders yet",
}

// TestEveryAttributeShows sets one attribute after another and looks for a
// difference in the tree. One that makes none must be marked @later, @sent or
// @deprecated in the schema, or stand in unseen.
func TestEveryAttributeShows(t *testing.T) {
	all := bases(t)
	var before []map[string]string
	for _, base := range all {
		c, _ := compileJSON(t, base)
		before = append(before, sums(c))
	}
	tried := 0
	eachLeaf(schema.Root(), func(a *schema.Attr) bool {
		return unseen[a.Path] != "" || a.Later != "" || a.Sent || a.Deprecated != "" || a.Into != "" || strings.HasPrefix(a.Path, "opsworks.")
	}, func(a *schema.Attr) {
		tried++
		if !shows(t, a, all, before) {
			t.Errorf("%s (%s): nothing in any tree changes with it", a.Path, a.Type)
		}
	})
	if tried < 120 {
		t.Errorf("only %d attributes were tried", tried)
	}
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

func shows(t *testing.T, a *schema.Attr, all []map[string]any, before []map[string]string) bool {
	t.Helper()
	var problems []string
	for i, base := range all {
		for _, value := range values(t, a) {
			stack := set(base, strings.Split(a.Path, "."), value)
			c, diags := compileJSON(t, stack)
			if c == nil {
				for _, d := range diags {
					if d.Severity() == diag.Error {
						problems = append(problems, fmt.Sprintf("%v: %s %s", value, d.Code, d.Path))
					}
				}
				continue
			}
			if !maps.Equal(before[i], sums(c)) {
				return true
			}
		}
	}
	slices.Sort(problems)
	t.Logf("%s: %v", a.Path, slices.Compact(problems))
	return false
}

func values(t *testing.T, a *schema.Attr) []any {
	t.Helper()
	for _, s := range samples {
		if !strings.HasPrefix(a.Type, s.takes) {
			continue
		}
		if s.values == "" {
			var list []any
			for _, e := range a.Enum {
				if strconv.Quote(e) != a.DefaultText() {
					list = append(list, e)
				}
			}
			return list
		}
		var list []any
		if err := json.Unmarshal([]byte(s.values), &list); err != nil {
			t.Fatal(err)
		}
		return list
	}
	t.Fatalf("%s takes %s: give a sample of that", a.Path, a.Type)
	return nil
}

// set gives a copy of a stack with one value in it; <app> and the like become
// names that the bases have.
func set(base any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	key, list := strings.CutSuffix(path[0], "[]")
	switch key {
	case "<app>":
		key = "site"
	case "<host>":
		key = "app1"
	case "<layer>":
		key = "spare"
	case "<domain>":
		key = "sub.example.org"
	case "<variable>":
		key = "VARIABLE"
	case "<event>":
		key = "setup"
	case "<package>":
		key = "libxml2"
	case "<directory>":
		key = "elsewhere"
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
