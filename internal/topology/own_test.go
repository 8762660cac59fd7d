package topology_test

import (
	"fmt"
	"strings"
	"testing"
)

// servesItself are apps of which the clients' one starts the buildout's own ZEO server.
const servesItself = `"deploy": {"plone_instances": {"scm": {"repository": "r"}, "domains": ["example.org"],
  "buildout_parts_to_include": ["zeoserver"], "buildout_init_commands": [{"name": "zeo", "cmd": "bin/zeoserver", "args": "fg"}]}, "zeoserver": {"scm": {"repository": "r"}}}`

// One ZEO server, be it started by a command, by a role, or by both.
func TestOwnZeoServer(t *testing.T) {
	one := `"instances": {"a": {"layers": [%s], "address": "10.0.0.2", "cpus": 1}}, ` + strings.Replace(servesItself, `, "zeoserver": {"scm": {"repository": "r"}}`, "", 1)
	for _, test := range []struct{ stack, want string }{
		{`{` + fmt.Sprintf(one, `"plone_instances"`) + `}`, "127.0.0.1:0 "},
		{`{"plone_instances": {"zeo": {"address": "127.0.0.1:8100"}}, ` + fmt.Sprintf(one, `"plone_instances"`) + `}`, "127.0.0.1:8100 127.0.0.1:8100"},
		{`{"plone_zeoserver": {"app_name": "plone_instances"}, ` + fmt.Sprintf(one, `"plone_instances", "zeoserver"`) + `}`, "127.0.0.1:8001 127.0.0.1:8001"},
	} {
		got, diags := resolve(t, test.stack)
		a := got.Hosts[0].Apps[0]
		if len(got.Hosts[0].Apps) != 1 || a.Zeo == nil {
			t.Errorf("%s: %+v", test.stack, diags)
			continue
		}
		if s := fmt.Sprintf("%s:%d %s", a.Zeo.Address, a.Zeo.Port, a.Storage.ZeoAddress); s != test.want || len(a.Commands) != 0 {
			t.Errorf("%s: %s, %d commands, want %s", test.stack, s, len(a.Commands), test.want)
		}
	}
}

// Where there are two the message names both.
func TestTwoZeoServersAreNamed(t *testing.T) {
	_, diags := resolve(t, `{"instances": {"a": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1}, "b": {"layers": ["zeoserver"], "address": "10.0.0.3"}},
	  "plone_instances": {"shared_blobs": false}, `+servesItself+`}`)
	const want = "the app plone_instances has two ZEO servers: the one of plone_instances on a, by deploy.plone_instances.buildout_init_commands, " +
		"and the one of zeoserver on b, by the host's role zeo, to which its clients connect"
	for _, d := range diags {
		if d.Code == "two-zeo-servers" && d.Message == want {
			return
		}
	}
	t.Errorf("%+v", diags)
}
