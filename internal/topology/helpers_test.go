package topology_test

import (
	"slices"
	"testing"
)

// A helper recipe is for the hosts that have what it works on.
func TestHelpers(t *testing.T) {
	const relstorage = `"plone_instances": {"enable_relstorage": true, "relstorage": {"db": {"name": "p", "host": "db"}}}`
	for _, test := range []struct {
		stack string
		want  map[string][]string
	}{
		{`{"instances": {"web": {"layers": ["lb"], "address": "10.0.0.1"}, "app": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1},
		   "db": {"layers": ["zeoserver"], "address": "10.0.0.3"}}, ` + apps + `}`,
			map[string][]string{"web": {"varnish-purge", "varnish-restart"}, "app": {}, "db": {"backup", "pack"}}},
		{`{"instances": {"a": {"layers": ["plone_instances"], "address": "10.0.0.1", "cpus": 1}, "b": {"layers": ["plone_instances", "packing"], "address": "10.0.0.2", "cpus": 1}},
		   "layers": {"packing": {"roles": ["pack"]}}, ` + relstorage + `, ` + apps + `}`,
			map[string][]string{"a": {}, "b": {"pack"}}},
		{`{"instances": {"a": {"layers": ["plone_instances"], "address": "10.0.0.1", "cpus": 1}, "b": {"layers": ["plone_instances", "packing"], "address": "10.0.0.2", "cpus": 1}},
		   "layers": {"packing": {"roles": [], "custom_json": {"plone_instances": {"relstorage": {"enable_pack": true}}}}}, ` + relstorage + `, ` + apps + `}`,
			map[string][]string{"a": {}, "b": {"pack"}}},
	} {
		got, diags := resolve(t, test.stack)
		if diags.Errors() > 0 {
			t.Fatalf("%+v", diags)
		}
		for _, h := range got.Hosts {
			if !slices.Equal(h.Helpers(), test.want[h.Name]) {
				t.Errorf("%s: %v, want %v", h.Name, h.Helpers(), test.want[h.Name])
			}
		}
	}
}
