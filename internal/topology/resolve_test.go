package topology_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// resolve takes a stack as JSON. Stacks of these tests keep to one line an
// instance; app is a client app with a repository.
func resolve(t *testing.T, stack string) (*topology.Topology, diag.List) {
	t.Helper()
	tree, diags := input.ReadJSON(&diag.File{Name: "stack.json", Content: []byte(stack)})
	if len(diags) > 0 {
		t.Fatalf("%v", diags)
	}
	decoded, diags := schema.Load(tree)
	if diags.Errors() > 0 {
		t.Fatalf("%v", diags)
	}
	return topology.Resolve(decoded)
}

func codes(list diag.List) []string {
	var got []string
	for _, d := range list {
		if _, ok := diag.Codes[d.Code]; !ok {
			got = append(got, "NOT IN THE CATALOGUE: "+d.Code)
		}
		if d.Code == "unused-app" && !strings.HasSuffix(d.Path, "forgotten") {
			continue // the tests' apps
		}
		if d.Code == "open-zmi" {
			continue // of nearly all: TestOpenZMI
		}
		got = append(got, d.Code)
	}
	slices.Sort(got)
	return got
}

const apps = `"deploy": {"plone_instances": {"scm": {"repository": "https://example.org/b.git"}, "domains": ["example.org"]},
  "zeoserver": {"scm": {"repository": "https://example.org/b.git"}}, "intranet": {"scm": {"repository": "https://example.org/i.git"}, "domains": ["intra.example.org"]}},
  "haproxy": {"enable_stats": false}, "plone_blobs": {"blob_dir": "/srv/blobs"}`

// describe is a topology in a few words a host.
func describe(t *topology.Topology) string {
	var b strings.Builder
	for _, h := range t.Hosts {
		fmt.Fprintf(&b, "%s %v", h.Name, h.Roles)
		for _, a := range h.Apps {
			fmt.Fprintf(&b, " %s:", a.Name)
			for _, c := range a.Clients {
				fmt.Fprintf(&b, " %s=%s:%d", c.Name, c.Address, c.Port)
			}
			if a.Zeo != nil {
				fmt.Fprintf(&b, " zeo=%s:%d", a.Zeo.Address, a.Zeo.Port)
			}
			if a.Storage.ZeoAddress != "" {
				fmt.Fprintf(&b, " to=%s", a.Storage.ZeoAddress)
			}
			if r := a.Storage.RelStorage; r != nil {
				fmt.Fprintf(&b, " to=%s:%s@%s", r.Type, r.Name, r.Host)
			}
			if len(a.MemcachedServers) > 0 {
				fmt.Fprintf(&b, " cache=%v", a.MemcachedServers)
			}
			for _, c := range a.Commands {
				fmt.Fprintf(&b, " %s(%s %s)", c.Unit, c.Cmd, c.Args)
			}
			if a.Pack {
				b.WriteString(" packs")
			}
		}
		if f := h.Front; f != nil {
			for _, s := range f.Sites {
				fmt.Fprintf(&b, " site=%v/%s", s.Names, s.Path)
			}
			for _, be := range f.Backends {
				fmt.Fprintf(&b, " backend=%s%v", be.Name, be.Prefixes)
				for _, s := range be.Servers {
					fmt.Fprintf(&b, " %s=%s:%d", s.Name, s.Address, s.Port)
					if s.MaxConn != 4 {
						fmt.Fprintf(&b, "*%d", s.MaxConn)
					}
				}
			}
			fmt.Fprintf(&b, " purge=%v from %v", f.PurgeBind, f.PurgeFrom)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestResolve(t *testing.T) {
	for _, test := range []struct {
		name, stack, want string
		codes             []string
	}{
		{"three hosts and a database",
			`{"instances": {
			  "lb1":  {"layers": ["lb"], "address": "10.0.0.1"},
			  "app2": {"layers": ["plone_instances"], "address": "10.0.0.3", "cpus": 1},
			  "app1": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1},
			  "db1":  {"layers": ["zeoserver"], "address": "10.0.0.4"}}, ` + apps + `}`,
			`app1 [clients] plone_instances: client1=10.0.0.2:8081 client2=10.0.0.2:8082 to=10.0.0.4:8001
app2 [clients] plone_instances: client1=10.0.0.3:8081 client2=10.0.0.3:8082 to=10.0.0.4:8001
db1 [zeo] zeoserver: zeo=10.0.0.4:8001
lb1 [frontend] site=[example.org]/Plone backend=plone_instances[] app1-client1=10.0.0.2:8081 app1-client2=10.0.0.2:8082 app2-client1=10.0.0.3:8081 app2-client2=10.0.0.3:8082 purge=[127.0.0.1 10.0.0.1] from [10.0.0.2 10.0.0.3]
`, nil},
		{"everything on one host stays on the loopback",
			`{"instances": {"w": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}},
			  "plone_instances": {"per_cpu": 1}, ` + apps + `}`,
			`w [frontend clients zeo] plone_instances: client1=127.0.0.1:8081 to=127.0.0.1:8001 zeoserver: zeo=127.0.0.1:8001 site=[example.org]/Plone backend=plone_instances[] w-client1=127.0.0.1:8081 purge=[127.0.0.1] from []
`, nil},
		{"one app for clients and ZEO server",
			`{"instances": {"w": {"layers": ["plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}},
			  "plone_instances": {"per_cpu": 1}, "plone_zeoserver": {"app_name": "plone_instances"}, ` + apps + `}`,
			`w [clients zeo] plone_instances: client1=10.0.0.1:8081 zeo=127.0.0.1:8001 to=127.0.0.1:8001
`, nil},
		{"what is not online gets a tree and is not used",
			`{"instances": {
			  "lb1":  {"layers": ["lb"], "address": "10.0.0.1"},
			  "app1": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1, "status": "stopped"},
			  "app2": {"layers": ["plone_instances"], "address": "10.0.0.3", "cpus": 1},
			  "db0":  {"layers": ["zeoserver"], "address": "10.0.0.4", "status": "stopped"},
			  "db1":  {"layers": ["zeoserver"], "address": "10.0.0.5"}}, "plone_instances": {"instance_count": 1}, ` + apps + `}`,
			`app1 [clients] plone_instances: client1=10.0.0.2:8081 to=10.0.0.5:8001
app2 [clients] plone_instances: client1=10.0.0.3:8081 to=10.0.0.5:8001
db0 [zeo] zeoserver: zeo=10.0.0.4:8001
db1 [zeo] zeoserver: zeo=10.0.0.5:8001
lb1 [frontend] site=[example.org]/Plone backend=plone_instances[] app2-client1=10.0.0.3:8081 purge=[127.0.0.1 10.0.0.1] from [10.0.0.3]
`, nil},
		{"layers by another name",
			`{"instances": {
			  "a": {"layers": ["web"], "address": "10.0.0.1"}, "b": {"layers": ["zope"], "address": "10.0.0.2", "cpus": 1},
			  "c": {"layers": ["storage"], "address": "10.0.0.3"}},
			  "layers": {"web": {"custom_recipes": {"setup": ["plone_buildout::haproxy"]}}, "zope": {"roles": ["clients"]}, "storage": {}},
			  "plone_instances": {"zeo_layer": "storage", "per_cpu": 1}, ` + apps + `}`,
			`a [frontend] site=[example.org]/Plone backend=plone_instances[] b-client1=10.0.0.2:8081 purge=[127.0.0.1 10.0.0.1] from [10.0.0.2]
b [clients] plone_instances: client1=10.0.0.2:8081 to=10.0.0.3:8001
c [zeo] zeoserver: zeo=10.0.0.3:8001
`, nil},
		{"two apps, told apart by their names",
			`{"instances": {
			  "lb1": {"layers": ["lb"], "address": "10.0.0.1"}, "a": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1},
			  "b": {"layers": ["intra"], "address": "10.0.0.3", "cpus": 1}, "db1": {"layers": ["zeoserver"], "address": "10.0.0.4"}},
			  "layers": {"intra": {"roles": ["clients"], "custom_json": {"plone_instances": {"app_name": "intranet", "site_id": "intra"}}}},
			  "plone_instances": {"per_cpu": 1}, ` + apps + `}`,
			`a [clients] plone_instances: client1=10.0.0.2:8081 to=10.0.0.4:8001
b [clients] intranet: client1=10.0.0.3:8081 to=10.0.0.4:8001
db1 [zeo] zeoserver: zeo=10.0.0.4:8001
lb1 [frontend] site=[intra.example.org]/intra site=[example.org]/Plone backend=plone_instances[/VirtualHostBase/http/example.org:80/ /VirtualHostBase/https/example.org:443/] a-client1=10.0.0.2:8081 backend=intranet[/VirtualHostBase/http/intra.example.org:80/ /VirtualHostBase/https/intra.example.org:443/] b-client1=10.0.0.3:8081 purge=[127.0.0.1 10.0.0.1] from [10.0.0.2 10.0.0.3]
`, nil},
		{"RelStorage from the app's own database, with memcached and packing",
			`{"instances": {
			  "a": {"layers": ["plone_instances", "pack"], "address": "10.0.0.2", "cpus": 1}, "m": {"layers": ["memcached"], "address": "10.0.0.3"}},
			  "layers": {"pack": {"custom_recipes": {"configure": ["plone_buildout::enable_pack"]}}},
			  "plone_instances": {"per_cpu": 1, "enable_relstorage": true},
			  "deploy": {"plone_instances": {"scm": {"repository": "r"}, "database": {"adapter": "mysql2", "database": "p", "host": "db", "username": "u"}}}}`,
			`a [clients pack] plone_instances: client1=10.0.0.2:8081 to=mysql:p@db cache=[10.0.0.3:11211] packs
m [memcached]
`, nil},
		{"Celery where there is a broker",
			`{"instances": {
			  "a": {"layers": ["plone_instances", "celery_broker", "beat"], "address": "10.0.0.2", "cpus": 1}}, "layers": {"beat": {"roles": ["celerybeat"]}},
			  "plone_instances": {"per_cpu": 1, "enable_celery": true, "celery_args": "--loglevel=info", "zeo": {"address": "10.9.9.9:8100"}}, ` + apps + `}`,
			`a [clients redis celerybeat] plone_instances: client1=10.0.0.2:8081 to=10.9.9.9:8100 plone-plone_instances-celery.service(bin/celery worker --loglevel=info) plone-plone_instances-celerybeat.service(bin/celery beat)
`, nil},
		{"a client gets as many requests at once as it has threads",
			`{"instances": {"l1": {"layers": ["lb"], "address": "10.0.0.1"}, "l2": {"layers": ["lb"], "address": "10.0.0.2"}, "a": {"layers": ["plone_instances"], "address": "10.0.0.3", "cpus": 1}},
			  "plone_instances": {"per_cpu": 1, "zeo": {"address": "10.9.9.9:8001"}, "zserver_threads": 1}, ` + apps + `}`,
			`a [clients] plone_instances: client1=10.0.0.3:8081 to=10.9.9.9:8001
l1 [frontend] site=[example.org]/Plone backend=plone_instances[] a-client1=10.0.0.3:8081*1 purge=[127.0.0.1 10.0.0.1] from [10.0.0.3]
l2 [frontend] site=[example.org]/Plone backend=plone_instances[] a-client1=10.0.0.3:8081*1 purge=[127.0.0.1 10.0.0.2] from [10.0.0.3]
`, nil},
		{"roles: [] does nothing on purpose",
			`{"instances": {"a": {"layers": ["spare"], "address": "10.0.0.2"}}, "layers": {"spare": {"roles": []}}}`,
			"a []\n", nil},
		{"a layer that nothing says anything about",
			`{"instances": {"a": {"layers": ["spare"], "address": "10.0.0.2"}}, "layers": {"spare": {}}}`, "", []string{"idle-layer"}},
		{"two ZEO servers for one app",
			`{"instances": {"a": {"layers": ["zeoserver"], "address": "10.0.0.2"}, "b": {"layers": ["zeoserver"], "address": "10.0.0.3"}}, ` + apps + `}`,
			"", []string{"two-zeo-servers"}},
		{"two ZEO servers for one app by its commands",
			`{"instances": {"a": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1}, "b": {"layers": ["plone_instances"], "address": "10.0.0.3", "cpus": 1}},
			  "plone_instances": {"shared_blobs": false}, ` + servesItself + `}`,
			"", []string{"base-decides", "two-zeo-servers"}},
		{"a ZEO server of the app's own, and one of a layer",
			`{"instances": {"a": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1}, "b": {"layers": ["zeoserver"], "address": "10.0.0.3"}},
			  "plone_instances": {"shared_blobs": false}, ` + servesItself + `}`,
			"", []string{"two-zeo-servers"}},
		{"a ZEO server of the app's own, and one of another address",
			`{"instances": {"a": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1}},
			  "plone_instances": {"zeo": {"address": "10.9.9.9:8100"}}, ` + strings.Replace(servesItself, `, "zeoserver": {"scm": {"repository": "r"}}`, "", 1) + `}`,
			"", []string{"two-zeo-servers"}},
		{"a ZEO layer with nothing online",
			`{"instances": {"a": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1}, "b": {"layers": ["zeoserver"], "address": "10.0.0.3", "status": "stopped"}}, ` + apps + `}`,
			"", []string{"no-zeo-server"}},
		{"shared blobs that nothing shares",
			`{"instances": {"a": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1}, "b": {"layers": ["zeoserver"], "address": "10.0.0.3"}},
			  "deploy": {"plone_instances": {"scm": {"repository": "r"}}, "zeoserver": {"scm": {"repository": "r"}}}}`, "", []string{"unmounted-blobs"}},
		{"no CPUs, no repository, no address",
			`{"instances": {"a": {"layers": ["plone_instances"], "instance_type": "q9.huge"}}, "plone_instances": {"zeo": {"address": "10.9.9.9:8100"}}}`,
			"", []string{"no-address", "no-repository", "unknown-cpus"}},
		{"a ZEO server on an IPv6 address",
			`{"instances": {"a": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1}, "b": {"layers": ["zeoserver"], "address": "fd00::3"}}, ` + apps + `}`,
			"", []string{"zeo-ipv6"}},
		{"more clients than ports",
			`{"instances": {"a": {"layers": ["plone_instances", "zeoserver"], "address": "10.0.0.2", "cpus": 1000}}, "plone_instances": {"per_cpu": 2}, ` + apps + `}`,
			"", []string{"too-many-clients"}},
		{"no hosts", `{"plone_instances": {"per_cpu": 1}}`, "", []string{"no-hosts"}},
		{"an app that nobody runs", `{"instances": {"a": {"layers": ["plone_instances", "zeoserver"], "address": "10.0.0.2", "cpus": 1}}, ` + strings.Replace(apps, `"deploy": {`, `"deploy": {"forgotten": {},`, 1) + `}`,
			"", []string{"unused-app"}},
		{"two client apps on one host",
			`{"instances": {"a": {"layers": ["plone_instances", "zeoserver", "intra"], "address": "10.0.0.2", "cpus": 1}},
			  "layers": {"intra": {"roles": ["clients"], "custom_json": {"plone_instances": {"app_name": "intranet"}}}}, ` + apps + `}`, "", []string{"two-client-apps"}},
		{"a stack that is stopped",
			`{"instances": {"w": {"layers": ["lb"], "address": "10.0.0.1"}, "a": {"layers": ["plone_instances", "zeoserver"], "address": "10.0.0.2", "cpus": 1, "status": "stopped"}},
			  "plone_instances": {"per_cpu": 1}, ` + apps + `}`,
			`a [clients zeo] plone_instances: client1=10.0.0.2:8081 to=127.0.0.1:8001 zeoserver: zeo=127.0.0.1:8001
w [frontend] site=[example.org]/Plone backend=plone_instances[] purge=[127.0.0.1] from []
`, []string{"none-online"}},
		{"a scheduler and a pack for the whole stack",
			`{"instances": {"d": {"layers": ["plone_instances"], "address": "10.0.0.5", "cpus": 1}, "c": {"layers": ["plone_instances"], "address": "10.0.0.4", "cpus": 1}, "b": {"layers": ["plone_instances"], "address": "10.0.0.3", "cpus": 1},
			  "a": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1, "status": "stopped"}},
			  "plone_instances": {"per_cpu": 1, "enable_relstorage": true, "shared_blobs": false, "relstorage": {"enable_pack": true, "db": {"name": "p", "host": "10.0.0.9"}}, "enable_celery": true, "celerybeat": true, "broker": {"host": "10.0.0.8"}},
			  "deploy": {"plone_instances": {"scm": {"repository": "r"}}}}`,
			`a [clients] plone_instances: client1=10.0.0.2:8081 to=postgresql:p@10.0.0.9 plone-plone_instances-celery.service(bin/celery worker)
b [clients] plone_instances: client1=10.0.0.3:8081 to=postgresql:p@10.0.0.9 plone-plone_instances-celery.service(bin/celery worker) plone-plone_instances-celerybeat.service(bin/celery beat) packs
c [clients] plone_instances: client1=10.0.0.4:8081 to=postgresql:p@10.0.0.9 plone-plone_instances-celery.service(bin/celery worker)
d [clients] plone_instances: client1=10.0.0.5:8081 to=postgresql:p@10.0.0.9 plone-plone_instances-celery.service(bin/celery worker)
`, []string{"designated", "designated"}},
		{"a scheduler where all client hosts are stopped",
			`{"instances": {"b": {"layers": ["plone_instances"], "address": "10.0.0.3", "cpus": 1, "status": "stopped"}, "a": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1, "status": "stopped"}},
			  "plone_instances": {"per_cpu": 1, "enable_relstorage": true, "shared_blobs": false, "relstorage": {"db": {"name": "p", "host": "10.0.0.9"}}, "enable_celery": true, "celerybeat": true, "broker": {"host": "10.0.0.8"}},
			  "deploy": {"plone_instances": {"scm": {"repository": "r"}}}}`,
			`a [clients] plone_instances: client1=10.0.0.2:8081 to=postgresql:p@10.0.0.9 plone-plone_instances-celery.service(bin/celery worker) plone-plone_instances-celerybeat.service(bin/celery beat)
b [clients] plone_instances: client1=10.0.0.3:8081 to=postgresql:p@10.0.0.9 plone-plone_instances-celery.service(bin/celery worker)
`, []string{"designated"}},
		{"a host that is chosen by its role",
			`{"instances": {"c": {"layers": ["plone_instances", "chosen"], "address": "10.0.0.4", "cpus": 1}, "b": {"layers": ["plone_instances"], "address": "10.0.0.3", "cpus": 1}}, "layers": {"chosen": {"roles": ["pack"]}},
			  "plone_instances": {"per_cpu": 1, "enable_relstorage": true, "shared_blobs": false, "relstorage": {"enable_pack": true, "db": {"name": "p", "host": "10.0.0.9"}}},
			  "deploy": {"plone_instances": {"scm": {"repository": "r"}}}}`,
			`b [clients] plone_instances: client1=10.0.0.3:8081 to=postgresql:p@10.0.0.9
c [clients pack] plone_instances: client1=10.0.0.4:8081 to=postgresql:p@10.0.0.9 packs
`, nil},
		{"two hosts that are chosen",
			`{"instances": {"c": {"layers": ["plone_instances", "chosen"], "address": "10.0.0.4", "cpus": 1}, "b": {"layers": ["plone_instances", "chosen"], "address": "10.0.0.3", "cpus": 1}}, "layers": {"chosen": {"roles": ["pack"]}},
			  "plone_instances": {"per_cpu": 1, "enable_relstorage": true, "shared_blobs": false, "relstorage": {"db": {"name": "p", "host": "10.0.0.9"}}},
			  "deploy": {"plone_instances": {"scm": {"repository": "r"}}}}`, "", []string{"two-pack"}},
		{"an app of several whose hosts are stopped",
			`{"instances": {"w": {"layers": ["lb", "plone_instances"], "address": "10.0.0.1", "cpus": 1}, "a": {"layers": ["intra"], "address": "10.0.0.2", "cpus": 1, "status": "stopped"}},
			  "layers": {"intra": {"roles": ["clients"], "custom_json": {"plone_instances": {"app_name": "intra"}}}}, "haproxy": {"enable_stats": false},
			  "plone_instances": {"per_cpu": 1, "zeo": {"address": "10.9.9.9:8001"}, "shared_blobs": false},
			  "deploy": {"plone_instances": {"scm": {"repository": "r"}, "domains": ["example.org"]}, "intra": {"scm": {"repository": "r"}, "domains": ["intra.example.org"]}}}`,
			`a [clients] intra: client1=10.0.0.2:8081 to=10.9.9.9:8001
w [frontend clients] plone_instances: client1=127.0.0.1:8081 to=10.9.9.9:8001 site=[intra.example.org]/Plone site=[example.org]/Plone backend=plone_instances[/VirtualHostBase/http/example.org:80/ /VirtualHostBase/https/example.org:443/] w-client1=127.0.0.1:8081 backend=intra[/VirtualHostBase/http/intra.example.org:80/ /VirtualHostBase/https/intra.example.org:443/] purge=[127.0.0.1] from []
`, nil},
		{"two apps in one directory, one of them root's, at a loopback address",
			`{"instances": {"a": {"layers": ["plone_instances", "zeoserver"], "address": "127.0.0.1", "cpus": 1}, "b": {"layers": ["spare"], "address": "10.0.0.9"}}, "layers": {"spare": {"roles": []}},
			  "deploy": {"plone_instances": {"scm": {"repository": "r"}, "deploy_to": "/srv/x", "user": "root"}, "zeoserver": {"scm": {"repository": "r"}, "deploy_to": "/srv/x"}}}`,
			"", []string{"bad-address", "bad-user", "same-directory"}},
		{"directories of the system",
			`{"instances": {"a": {"layers": ["plone_instances", "zeoserver"], "address": "10.0.0.2", "cpus": 1}}, "plone_zeoserver": {"filestorage_dir": "/etc"},
			  "deploy": {"plone_instances": {"scm": {"repository": "r"}, "deploy_to": "/tmp/site"}, "zeoserver": {"scm": {"repository": "r"}}}}`,
			"", []string{"bad-directory", "bad-directory"}},
		{"an app in its user's home",
			`{"instances": {"a": {"layers": ["plone_instances", "zeoserver"], "address": "10.0.0.2", "cpus": 1}}, "plone_zeoserver": {"filestorage_dir": "/home/deploy/data"},
			  "deploy": {"plone_instances": {"scm": {"repository": "r"}, "deploy_to": "/home/deploy/site"}, "zeoserver": {"scm": {"repository": "r"}, "deploy_to": "/home/deployed/zeo"}}}`,
			"", []string{"in-home"}},
		{"an app in another app's home, and a home itself",
			`{"instances": {"a": {"layers": ["plone_instances", "zeoserver"], "address": "10.0.0.2", "cpus": 1}},
			  "deploy": {"plone_instances": {"scm": {"repository": "r"}, "deploy_to": "/srv/zeo/site"}, "zeoserver": {"scm": {"repository": "r"}, "deploy_to": "/srv/zeo", "home": "/srv/zeo"}}}`,
			"", []string{"in-home", "in-home", "others-directory"}},
		{"ports and paths that meet",
			`{"instances": {"w": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}}, "nginx_plone": {"proxy_port": 6082},
			  ` + strings.Replace(apps, `"enable_stats": false`, `"stats_password": {"$secret": "env:X"}, "stats_url": "/plonec/health", "server_timeout": 900`, 1) + `}`,
			"", []string{"open-stats", "path-clash", "port-clash", "short-timeout"}},
		{"the statistics where nginx has a page of its own",
			`{"instances": {"w": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}}, ` +
				strings.Replace(apps, `"enable_stats": false`, `"stats_password": {"$secret": "env:X"}, "stats_url": "/plonec/error/503"`, 1) + `}`,
			"", []string{"open-stats", "path-clash"}},
		{"the statistics where nginx looks for another address",
			`{"instances": {"w": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}}, ` +
				strings.Replace(apps, `"enable_stats": false`, `"stats_password": {"$secret": "env:X"}, "stats_url": "/balancer//stats"`, 1) + `}`,
			"", []string{"open-stats", "path-clash"}},
		{"text of HAProxy's own that takes requests where it does already",
			`{"instances": {"w": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}}, ` +
				strings.Replace(apps, `"enable_stats": false`, `"enable_stats": false, "additional_config": "listen own\n    bind 127.0.0.1:9099,localhost:8080 # as before\n"`, 1) + `}`,
			"", []string{"port-clash"}},
		{"such text that takes them elsewhere",
			`{"instances": {"w": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}}, ` +
				strings.Replace(apps, `"enable_stats": false`, `"enable_stats": false, "additional_config": "listen own\n    # bind 127.0.0.1:8080\n    bind 10.0.0.1:8080\n    bind ipv4@127.0.0.1:18080"`, 1) + `}`,
			"", nil},
		{"memcached where nginx tells its figures",
			`{"instances": {"w": {"layers": ["lb", "memcached", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}}, "memcached": {"port": 8079}, ` + apps + `}`,
			"", []string{"port-clash"}},
		{"HAProxy in the place of Varnish",
			`{"instances": {"w": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}}, "plone_instances": {"per_cpu": 1},
			  "nginx_plone": {"proxy_port": 8080}, "varnish": {"storage_size": "50%"}, "varnish_purge_urls": ["/"], ` + apps + `}`,
			`w [frontend clients zeo] plone_instances: client1=127.0.0.1:8081 to=127.0.0.1:8001 zeoserver: zeo=127.0.0.1:8001 site=[example.org]/Plone backend=plone_instances[] w-client1=127.0.0.1:8081 purge=[] from []
`, nil},
		{"an old Plone",
			`{"instances": {"a": {"layers": ["plone_instances", "zeoserver"], "address": "10.0.0.2", "cpus": 1}}, "plonec": {"plone_version": "4.3"}, ` + apps + `}`, "", []string{"old-python"}},
		{"systems whose Python a Plone does not run on",
			`{"instances": {"a": {"layers": ["plone_instances", "zeoserver"], "address": "10.0.0.2", "cpus": 1}}, "plonec": {"plone_version": "5.2"}, ` + apps + `}`, "", []string{"unsupported-python", "unsupported-python"}},
		{"one whose Python is too new, and one whose is not",
			`{"instances": {"a": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1, "os": "ubuntu26.04"}, "z": {"layers": ["zeoserver"], "address": "10.0.0.3"}}, "plonec": {"plone_version": "6.1"}, ` + apps + `}`, "", []string{"unsupported-python"}},
		{"a Python of its own, on which it runs",
			`{"instances": {"a": {"layers": ["plone_instances", "zeoserver"], "address": "10.0.0.2", "cpus": 1}}, "plonec": {"plone_version": "5.2"}, ` +
				strings.ReplaceAll(apps, `/b.git"}`, `/b.git"}, "python_major_version": "3.8"`) + `}`, "", nil},
		{"a Python of its own, on which it does not run",
			`{"instances": {"a": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1}}, "plone_instances": {"zeo": {"address": "10.9.9.9:8001"}},
			  "deploy": {"plone_instances": {"scm": {"repository": "r"}, "python_major_version": "3.9"}}}`, "", []string{"unsupported-python"}},
		{"the wrong Python",
			`{"instances": {"a": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1}}, "plone_instances": {"zeo": {"address": "10.9.9.9:8001"}},
			  "deploy": {"plone_instances": {"scm": {"repository": "r"}, "python_major_version": "2.7"}}}`, "", []string{"wrong-python"}},
		{"recipes that nothing comes of",
			`{"instances": {"a": {"layers": ["logs"], "address": "10.0.0.2"}}, "layers": {"logs": {"custom_recipes": {"setup": ["plone_buildout::papertrail"]}}}}`, "", []string{"unknown-recipe"}},
		{"one name for two sites",
			`{"instances": {"w": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}},
			  "plone_instances": {"subsites": {"example.org": "sub"}}, ` + apps + `}`, "", []string{"same-domain"}},
		{"all names below one",
			`{"instances": {"w": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}}, "plone_instances": {"per_cpu": 1, "subsites": {"*.news.example.org": "news"}},
			  "nginx_plone": {"canonical": ["Example.org"]}, ` + strings.Replace(apps, `"example.org"`, `".example.org"`, 1) + `}`,
			`w [frontend clients zeo] plone_instances: client1=127.0.0.1:8081 to=127.0.0.1:8001 zeoserver: zeo=127.0.0.1:8001 site=[example.org *.example.org]/Plone site=[*.news.example.org]/Plone/news backend=plone_instances[] w-client1=127.0.0.1:8081 purge=[127.0.0.1] from []
`, nil},
		{"one name among many for two sites",
			`{"instances": {"w": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}},
			  "plone_instances": {"subsites": {".example.org": "sub"}}, ` + apps + `}`, "", []string{"same-domain"}},
		{"a canonical name that no site has, and two of one",
			`{"instances": {"w": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}},
			  "nginx_plone": {"canonical": ["example.org", "a.example.org", "www.example.org"]}, ` + strings.Replace(apps, `"example.org"`, `"example.org", "www.example.org", "*.example.org"`, 1) + `}`, "", []string{"not-a-domain", "two-canonical"}},
		{"no name of its own, since another app has it",
			`{"instances": {"w": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}, "i": {"layers": ["intra"], "address": "10.0.0.2", "cpus": 1}},
			  "layers": {"intra": {"roles": ["clients"], "custom_json": {"plone_instances": {"app_name": "intranet", "zeo": {"address": "10.9.9.9:8001"}}}}}, ` + strings.Replace(apps, `"intra.example.org"`, `"example.org"`, 1) + `}`, "", []string{"same-domain"}},
		{"rules by the visitor's address, and a balancer in front that is not trusted",
			`{"instances": {"w": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}}, "plonec": {"public_scheme": "https"},
			  "nginx_plone": {"additional_config": "location /intern {\n  deny all; # allow 10.0.0.1;\n  allow 192.168.1.0/24;\n}", "default_config": "deny all;", "additional_servers": "geo $intern { default 0; 10.0.0.0/8 1; }"},
			  ` + strings.Replace(apps, `"enable_stats": false`, `"stats_password": {"$secret": "env:X"}, "stats_allow": ["10.0.0.0/8"]`, 1) + `}`,
			"", []string{"untrusted-balancer", "untrusted-balancer", "untrusted-balancer"}},
		{"such rules, and nginx is told by other means",
			`{"instances": {"w": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}}, "plonec": {"public_scheme": "https"},
			  "nginx_plone": {"additional_config": "set_real_ip_from 10.0.0.0/8;"},
			  ` + strings.Replace(apps, `"enable_stats": false`, `"stats_password": {"$secret": "env:X"}, "stats_allow": ["10.0.0.0/8"]`, 1) + `}`, "", nil},
		{"such rules, and the balancer in front is trusted, or there is none",
			`{"instances": {"w": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.1", "cpus": 1}}, "plonec": {"public_scheme": "https", "trusted_proxies": ["10.0.0.7"]},
			  ` + strings.Replace(apps, `"enable_stats": false`, `"stats_password": {"$secret": "env:X"}, "stats_allow": ["10.0.0.0/8"]`, 1) + `}`, "", nil},
		{"Solr without a host", `{"instances": {"a": {"layers": ["plone_instances", "zeoserver"], "address": "10.0.0.2", "cpus": 1}}, "plone_instances": {"solr_enabled": true}, ` + apps + `}`,
			"", []string{"no-solr"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, diags := resolve(t, test.stack)
			// What is set up by hand so far is TestByHand's.
			if c := slices.DeleteFunc(codes(diags), func(c string) bool { return c == "not-served" }); !slices.Equal(c, test.codes) {
				t.Errorf("codes: got %v, want %v", c, test.codes)
			}
			if d := describe(got); test.want != "" && d != test.want {
				t.Errorf("got:\n%s\nwant:\n%s", d, test.want)
			}
		})
	}
}

// Whoever leaves the ZMI open is told so, and not who says that nobody may.
func TestOpenZMI(t *testing.T) {
	for nginx, want := range map[string]bool{`{}`: true, `{"zmi": null}`: true, `{"zmi": []}`: false, `{"zmi": ["10.0.0.0/8"]}`: false} {
		_, diags := resolve(t, `{"instances": {"a": {"layers": ["lb", "plone_instances"], "address": "10.0.0.2", "cpus": 1}},
		  "plone_instances": {"zeo": {"address": "10.9.9.9:8001"}}, "nginx_plone": `+nginx+`, `+apps+`}`)
		if told := slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == "open-zmi" }); told != want {
			t.Errorf("%s: told %v", nginx, told)
		}
	}
}

// A header for Zope in pasted text that nginx does not send is reported.
func TestLostHeaders(t *testing.T) {
	for text, want := range map[string]bool{
		"proxy_set_header X-Own 1;":                                    true,
		"location /a {\n  return 204;\n}\n  proxy_set_header X-Own 1;": true,
		"location /a {\n  proxy_set_header X-Own 1;\n}":                false,
		"# proxy_set_header X-Own 1;\nadd_header X-Own 1;":             false,
		"location ~ ^/[a-z]{2}/ {\n  proxy_set_header X-Own 1;\n}\n#}": false,
	} {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		_, diags := resolve(t, `{"instances": {"a": {"layers": ["lb", "plone_instances"], "address": "10.0.0.2", "cpus": 1}},
		  "plone_instances": {"zeo": {"address": "10.9.9.9:8001"}}, "nginx_plone": {"additional_config": `+string(quoted)+`}, `+apps+`}`)
		if told := slices.Contains(codes(diags), "lost-header"); told != want {
			t.Errorf("%s: told %v", text, told)
		}
	}
}

// A server of the stack's own that passes requests on to the site, past the networks of
// nginx_plone.zmi, is reported.
func TestUnguardedServers(t *testing.T) {
	for text, want := range map[string]bool{
		"server {\n  listen 81;\n  location / { proxy_pass http://balancer/VirtualHostBase/http/a:81/Plone/VirtualHostRoot/; }\n}":   true,
		"server { listen 81; location / { proxy_pass http://cache; } }":                                                              true,
		"server { listen 81; location / { proxy_pass \"http://10.0.0.2:8081/VirtualHostBase/http/a:80/Plone/VirtualHostRoot/\"; } }": true,
		"server { listen 81; if ($plonec_zmi) { return 403; } location / { proxy_pass http://cache; } }":                             false,
		"server { listen 81; location / { proxy_pass http://cachet; } }":                                                             false,
		"# proxy_pass http://cache;\nserver { listen 81; return 404; }":                                                              false,
	} {
		for zmi, counts := range map[string]bool{`null`: false, `[]`: true, `["10.0.0.0/8"]`: true} {
			quoted, err := json.Marshal(text)
			if err != nil {
				t.Fatal(err)
			}
			_, diags := resolve(t, `{"instances": {"a": {"layers": ["lb", "plone_instances"], "address": "10.0.0.2", "cpus": 1}},
			  "plone_instances": {"zeo": {"address": "10.9.9.9:8001"}}, "nginx_plone": {"zmi": `+zmi+`, "additional_servers": `+string(quoted)+`}, `+apps+`}`)
			if told := slices.Contains(codes(diags), "unguarded-servers"); told != (want && counts) {
				t.Errorf("zmi %s, %s: told %v", zmi, text, told)
			}
			if slices.Contains(codes(diags), "servers-without-page") {
				t.Errorf("%s: told of a page that there is not", text)
			}
		}
	}
}

// With a page for errors, such a server needs a word, as it has none.
func TestServersWithoutPage(t *testing.T) {
	for text, want := range map[string]bool{
		"server { listen 81; location / { proxy_pass http://cache; } }":                                        true,
		"server { listen 81; proxy_ignore_headers X-Accel-Redirect; location / { proxy_pass http://cache; } }": false,
		"server { listen 81; location / { proxy_pass http://10.0.0.9; } }":                                     false,
	} {
		_, diags := resolve(t, `{"instances": {"a": {"layers": ["lb", "plone_instances"], "address": "10.0.0.2", "cpus": 1}},
		  "plone_instances": {"zeo": {"address": "10.9.9.9:8001"}}, "nginx_plone": {"error_page": "<p>x</p>", "additional_servers": "`+text+`"}, `+apps+`}`)
		if told := slices.Contains(codes(diags), "servers-without-page"); told != want {
			t.Errorf("%s: told %v", text, told)
		}
	}
}

// Whoever asks for a service that nothing sets up yet is told so, and nobody else.
func TestByHand(t *testing.T) {
	told := 0
	for _, d := range topology.Roles() {
		if d.Beside {
			continue
		}
		_, diags := resolve(t, `{"instances": {"a": {"layers": ["x"], "address": "10.0.0.2", "cpus": 1}}, "layers": {"x": {"roles": ["`+string(d.Role)+`"]}},
		  "plone_instances": {"zeo": {"address": "10.9.9.9:8001"}}, `+apps+`}`)
		if is := slices.Contains(codes(diags), "not-served"); is != d.ByHand() {
			t.Errorf("%s: by hand: %v, told: %v", d.Role, d.ByHand(), is)
		}
		if d.ByHand() {
			told++
		}
	}
	if told == 0 {
		t.Error("no service is set up by hand any more: this test, not-served and ByHand can go")
	}
}

func TestClientCount(t *testing.T) {
	three := 3
	for _, test := range []struct {
		count *int
		per   float64
		i     schema.Instance
		want  int
	}{
		{&three, 2, schema.Instance{Backends: 8, CPUs: 8}, 3},
		{nil, 2, schema.Instance{Backends: 8, CPUs: 64}, 2}, // the cookbook's: ceil(8 × 2 / 8)
		{nil, 2, schema.Instance{Backends: 5}, 2},
		{nil, 2, schema.Instance{CPUs: 4}, 8},
		{nil, 0.1, schema.Instance{CPUs: 30}, 3}, // not 4 for 3.0000000000000004
		{nil, 0.01, schema.Instance{CPUs: 1}, 1},
		{nil, 1, schema.Instance{InstanceType: "m5.large"}, 2},
		{nil, 1, schema.Instance{InstanceType: "c1.medium"}, 2},
		{nil, 1, schema.Instance{InstanceType: "c4.8xlarge"}, 36},
		{nil, 1, schema.Instance{InstanceType: "t3.nano"}, 2},
		{nil, 1, schema.Instance{InstanceType: "m1.small"}, 1},
		{nil, 1, schema.Instance{InstanceType: "hpc6a.48xlarge"}, 96},
		{nil, 1, schema.Instance{InstanceType: "r6g.16xlarge"}, 64},
	} {
		got, ok := topology.ClientCount(&schema.PloneInstances{InstanceCount: test.count, PerCPU: test.per}, test.i)
		if !ok || got != test.want {
			t.Errorf("%+v, per_cpu %v: got %d %v, want %d", test.i, test.per, got, ok, test.want)
		}
	}
	for _, i := range []schema.Instance{{}, {InstanceType: "q9.huge"}, {InstanceType: "m5.-4xlarge"}, {InstanceType: "m5.0xlarge"}, {InstanceType: "hpc9.48xlarge"}} {
		if n, ok := topology.ClientCount(&schema.PloneInstances{PerCPU: 2}, i); ok {
			t.Errorf("%+v: got %d from nothing", i, n)
		}
	}
}
