package topology_test

import (
	"fmt"
	"slices"
	"testing"
)

// The clients take what any front end lets through, and who asks for more than Zope
// takes is told.
func TestUploads(t *testing.T) {
	const hosts = `"instances": {"web": {"layers": ["lb"], "address": "10.0.0.1"}, "web2": {"layers": ["lb", "big"], "address": "10.0.0.3"}, "app": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1}}, `
	const alone = `"instances": {"app": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1}}, `
	big := func(size string) string {
		return `"layers": {"big": {"roles": [], "custom_json": {"nginx_plone": {"client_max_body_size": "` + size + `"}}}}, `
	}
	for _, test := range []struct {
		stack string
		want  int64
		told  bool
	}{
		{hosts + big("1k"), 128 << 20, false},
		{hosts + big("1g"), 1 << 30, false},
		{hosts + big("1025m"), 1025 << 20, true},
		{hosts + big("0"), 0, true},
		{alone, 128 << 20, false},
		{alone + `"nginx_plone": {"client_max_body_size": 77}, `, 77, false},
		{alone + `"nginx_plone": {"client_max_body_size": "999999999999g"}, `, 1 << 49, true},
		{alone + `"nginx_plone": {"client_max_body_size": 0}, "deploy_buildout": {"additional_config": "[client1]\nzope-conf-additional = <dos_protection>\n      form-disk-limit 9GB"}, `, 0, false},
		{alone + `"nginx_plone": {"client_max_body_size": 0}, "plonec": {"plone_version": "5.1"}, `, 0, false},
		{hosts + big("1m") + `"nginx_plone": {"additional_config": "client_max_body_size 127m;"}, `, 128 << 20, false},
		{hosts + big("1m") + `"nginx_plone": {"additional_config": "# client_max_body_size 200m;\nx;"}, `, 128 << 20, false},
		{hosts + big("1m") + `"nginx_plone": {"additional_config": "location /x { client_max_body_size 200m; }"}, `, 128 << 20, true},
		{hosts + big("1m") + `"nginx_plone": {"default_ssl_config": "x;\nclient_max_body_size\t0 ;"}, `, 128 << 20, true},
		{hosts + big("1m") + `"plone_instances": {"subsites": {"a.example.org": "a"}, "subsite_config": {"a.example.org": "client_max_body_size 2G;"}}, `, 128 << 20, true},
	} {
		got, diags := resolve(t, "{"+test.stack+apps+"}")
		if diags.Errors() > 0 {
			t.Errorf("%s: %+v", test.stack, diags)
			continue
		}
		for _, h := range got.Hosts {
			for _, a := range h.Apps {
				if a.MaxUpload != test.want {
					t.Errorf("%s: %d, want %d", test.stack, a.MaxUpload, test.want)
				}
			}
		}
		if told := slices.Contains(codes(diags), "upload-limit"); told != test.told {
			t.Errorf("%s: told %v, want %v: %s", test.stack, told, test.told, fmt.Sprint(diags))
		}
	}
}
