package topology_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/diag"
)

// A job is for the hosts that have what it works on.
func TestJobs(t *testing.T) {
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
			if !slices.Equal(h.Jobs(), test.want[h.Name]) {
				t.Errorf("%s: %v, want %v", h.Name, h.Jobs(), test.want[h.Name])
			}
		}
	}
}

// A timer does what has its time, and the part of the buildout that did it is told of.
func TestTimedJobs(t *testing.T) {
	const hosts = `"instances": {"app": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1}, "db": {"layers": ["zeoserver"], "address": "10.0.0.3"}}, ` + apps
	for _, test := range []struct {
		stack string
		timed string // on which host, what, and when
		codes []string
	}{
		{`{` + hosts + `}`, "", nil},
		{`{"plone_zeoserver": {"pack_at": "Sun 01:00"}, ` + hosts + `}`, "db plone-zeoserver-pack Sun 01:00", []string{"replaced-part"}},
		{`{"plone_zeoserver": {"pack_at": "daily", "enable_pack": false}, ` + hosts + `}`, "", []string{"no-effect"}},
		{`{"plone_zeoserver": {"pack_at": "daily"}, "plone_instances": {"zeo": {"address": "10.0.0.9:8001"}},
		   "instances": {"app": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1}}, ` + apps + `}`, "", []string{"no-effect"}},
		{`{"layers": {"zeoserver": {"custom_json": {"plone_zeoserver": {"pack_at": "daily"}}}}, ` + hosts + `}`, "db plone-zeoserver-pack daily", []string{"replaced-part"}},
		{`{"plone_zeoserver": {"pack_at": "daily", "app_name": "intranet"}, ` + strings.Replace(hosts, `"domains": ["intra.example.org"]`, `"buildout_init_commands": [{"name": "pack", "cmd": "bin/x"}]`, 1) + `}`,
			"db plone-intranet-pack daily", []string{"replaced-part", "same-unit"}},
	} {
		got, diags := resolve(t, test.stack)
		var timed []string
		for _, h := range got.Hosts {
			for _, a := range h.Apps {
				for _, j := range a.TimedJobs() {
					timed = append(timed, h.Name+" "+j.Unit()+" "+j.Calendar)
				}
				if want := []string{"packcronjob"}[:min(1, len(a.TimedJobs()))]; !slices.Equal(a.Replaced(), want) {
					t.Errorf("%s: of %s on %s the parts %v are replaced", test.stack, a.Name, h.Name, a.Replaced())
				}
			}
		}
		if s := strings.Join(timed, ", "); s != test.timed || !slices.Equal(codes(diags), test.codes) {
			t.Errorf("%s:\n%s, %v\n%+v", test.stack, s, codes(diags), diags)
		}
	}
	_, diags := resolve(t, `{"plone_zeoserver": {"pack_at": "daily"}, `+strings.Replace(hosts, `"zeoserver": {`, `"zeoserver": {"buildout_parts_to_include": ["packcronjob"], `, 1)+`}`)
	if !slices.ContainsFunc(diags, func(d diag.Diagnostic) bool {
		return d.Code == "replaced-part" && strings.Contains(d.Message, "the part packcronjob does, which is in deploy.zeoserver.buildout_parts_to_include")
	}) {
		t.Errorf("%+v", diags)
	}
}
