package topology_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/topology"
)

// What a buildout may leave to its base has to be in the stack where uv makes the
// releases, and what only a buildout has is not asked for.
func TestBuilders(t *testing.T) {
	for _, test := range []struct{ name, uv, buildout, stack string }{
		{"no database", "no-storage", "base-decides", `"instances": {"a": {"layers": ["plone_instances"], "address": "10.0.0.1", "cpus": 1}}`},
		{"a fixed one", "", "", `"instances": {"a": {"layers": ["plone_instances"], "address": "10.0.0.1", "cpus": 1}}, "plone_instances": {"zeo": {"address": "10.0.0.9:8001"}}`},
		{"Python 2", "python2-builder", "", `"instances": {"a": {"layers": ["plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}}, "plonec": {"plone_version": "5.1"}`},
		{"large uploads", "", "upload-limit", `"instances": {"a": {"layers": ["plone_instances", "zeoserver", "lb"], "address": "10.0.0.1", "cpus": 1}}, "nginx_plone": {"client_max_body_size": "2g"}`},
		{"MySQL by a DSN", "no-database", "", `"instances": {"a": {"layers": ["plone_instances", "memcached"], "address": "10.0.0.1", "cpus": 1}}, "plone_instances": {"enable_relstorage": true, "shared_blobs": false,
		   "relstorage": {"db": {"type": "mysql", "dsn": {"$secret": "env:DSN"}}}}`},
	} {
		for builder, want := range map[string]string{"uv": test.uv, "buildout": test.buildout} {
			stack := "{" + test.stack + ", " + strings.ReplaceAll(apps, `"scm":`, `"builder": "`+builder+`", "scm":`) + "}"
			got, diags := resolve(t, stack)
			seen := codes(diags)
			for _, code := range []string{test.uv, test.buildout} {
				if code != "" && slices.Contains(seen, code) != (code == want) {
					t.Errorf("%s, by %s: %v, want %q", test.name, builder, seen, want)
				}
			}
			if cached := len(got.Hosts[0].Apps[0].MemcachedServers) > 0; cached != (builder == "buildout" && got.Hosts[0].Has(topology.Memcached)) {
				t.Errorf("%s, by %s: memcached is asked: %v", test.name, builder, cached)
			}
		}
	}
}
