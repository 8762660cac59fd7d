package topology_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// An app that deploy does not have under the name by which a host runs it is a
// mistake in the name, and the line of the name is shown.
func TestMisnamedApp(t *testing.T) {
	const site, intranet = `"site": {"scm": {"repository": "r"}, "domains": ["example.org"]}`, `"intranet": {"scm": {"repository": "r"}}`
	for _, test := range []struct {
		name, apps, settings string
		want                 []string
	}{
		{"the one app has another name", site, `"plone_instances": {"app_name":
  "plone"}, "plone_zeoserver": {"app_name": "site"}`, []string{
			`3: no-repository: deploy.plone: a runs the app plone, as plone_instances.app_name says, but deploy has no such app; write "site"`}},
		{"nobody named it", site, `"plone_instances": {"app_name":
  "site"}`, []string{
			`4: no-repository: deploy.zeoserver: a runs the app zeoserver, by the default of plone_zeoserver.app_name, but deploy has no such app; set plone_zeoserver.app_name to "site"`}},
		{"a slip of the pen", site + ", " + intranet, `"plone_instances": {"app_name":
  "sites"}, "plone_zeoserver": {"app_name": "intranet"}`, []string{
			`3: no-repository: deploy.sites: a runs the app sites, as plone_instances.app_name says, but deploy has no such app; write "site"`}},
		{"one of several", site + ", " + intranet, `"plone_instances": {"app_name":
  "plone"}, "plone_zeoserver": {"app_name": "intranet"}`, []string{
			`3: no-repository: deploy.plone: a runs the app plone, as plone_instances.app_name says, but deploy has no such app; write one of intranet, site; or add deploy.plone`,
			`4: unused-app: deploy.site: no host runs the app site; name it in plone_instances.app_name or plone_zeoserver.app_name, or take it out`}},
		{"the app is there and has no repository", `"site": {"domains": ["example.org"]}`, `"plone_instances": {"app_name":
  "site"}, "plone_zeoserver": {"app_name": "site"}`, []string{
			`4: no-repository: deploy.site: a runs the app site, which has no repository; give the buildout's: deploy.site.scm.repository`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, diags := resolve(t, `{"instances": {"a": {"layers": ["plone_instances", "zeoserver", "lb"], "address": "10.0.0.2", "cpus": 1}},
  `+test.settings+`, "haproxy": {"enable_stats": false}, "nginx_plone": {"zmi": []},
  "deploy": {`+test.apps+`}}`)
			var got []string
			for _, d := range diags.Sorted() {
				got = append(got, fmt.Sprintf("%d: %s: %s: %s; %s", d.Span.Line(), d.Code, d.Path, d.Message, d.Remedy))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

// An address that is no host's is refused, with one host and with several.
func TestNoAddressOfAHost(t *testing.T) {
	for _, test := range []struct{ facts, want string }{
		{`"address": "10.0.0.2", "ssh_address": "0.0.0.0"`, "instances.a.ssh_address: 0.0.0.0 is not the address of one host; give the address to log in at"},
		{`"address": "10.0.0.2", "ssh_address": "224.0.0.1"`, "instances.a.ssh_address: 224.0.0.1 is not the address of one host; give the address to log in at"},
		{`"address": "10.0.0.2", "ssh_address": "ff02::1"`, "instances.a.ssh_address: ff02::1 is not the address of one host; give the address to log in at"},
		{`"address": "255.255.255.255"`, "instances.a.address: 255.255.255.255 is not the address of one host; give its private address"},
		{`"address": "::"`, "instances.a.address: :: is not the address of one host; give its private address"},
		{`"address": "10.0.0.2", "ssh_address": "127.0.0.1"`, ""},
		{`"address": "127.0.0.1"`, ""},
	} {
		_, diags := resolve(t, `{"instances": {"a": {"layers": ["plone_instances"], `+test.facts+`, "cpus": 1}}, "plone_instances": {"zeo": {"address": "10.9.9.9:8001"}}, `+apps+`}`)
		got := ""
		for _, d := range diags {
			if d.Code == "no-host-address" {
				got += fmt.Sprintf("%s: %s; %s", d.Path, d.Message, d.Remedy)
			}
		}
		if got != test.want {
			t.Errorf("%s:\ngot  %q\nwant %q", test.facts, got, test.want)
		}
	}
}
