package graph_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/graph"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// resolve takes a stack as JSON.
func resolve(t testing.TB, stack []byte) *topology.Topology {
	t.Helper()
	tree, diags := input.ReadJSON(&diag.File{Name: "stack.json", Content: stack})
	if len(diags) > 0 {
		t.Fatalf("%v", diags)
	}
	decoded, diags := schema.Load(tree)
	if diags.Errors() > 0 {
		t.Fatalf("%v", diags)
	}
	top, diags := topology.Resolve(decoded)
	for _, d := range diags {
		if d.Severity() == diag.Error {
			t.Fatalf("%+v", d)
		}
	}
	return top
}

type object = map[string]any

func host(address string, layers ...string) object {
	return object{"layers": layers, "address": address, "cpus": 2}
}

// fleet is a stack of n hosts. From 8 on it has blobs by NFS, Celery and hosts
// that are not online, from 60 on a second layer of clients and Solr.
func fleet(t testing.TB, n int) []byte {
	instances := object{"db1": host("10.0.2.11", "zeoserver")}
	plone := object{"app_name": "site", "per_cpu": 1, "shared_blobs": false}
	stack := object{
		"opsworks": object{"stack": object{"name": fmt.Sprintf("Stack of %d", n)}}, "instances": instances, "plone_instances": plone,
		"plone_zeoserver": object{"app_name": "database", "filestorage_dir": "/srv/data/filestorage"},
		"deploy": object{
			"site":     object{"domains": []string{"www.example.com", "example.com"}, "scm": object{"repository": "https://git.example.com/b.git"}},
			"database": object{"scm": object{"repository": "https://git.example.com/b.git"}},
		},
	}
	for i := range 1 + n/30 {
		instances[fmt.Sprintf("lb%d", i+1)] = host(fmt.Sprintf("10.0.0.%d", i+11), "lb")
	}
	if n >= 8 {
		instances["nfs1"] = host("10.0.2.21", "shared_blobs")
		instances["queue1"] = host("10.0.2.31", "celery_broker")
		plone["shared_blobs"], plone["nfs_blobs"], plone["enable_celery"] = true, true, true
		stack["plone_zeoserver"].(object)["nfs_blobs"] = true
	}
	if n >= 60 {
		instances["search1"] = host("10.0.2.41", "solr")
		plone["solr_enabled"] = true
		stack["layers"] = object{"editors": object{"roles": []string{"clients"}}}
	}
	for i := 1; len(instances) < n; i++ {
		layer := "plone_instances"
		if n >= 60 && i%8 == 7 {
			layer = "editors"
		}
		h := host(fmt.Sprintf("10.0.%d.%d", 10+i/200, 11+i%200), layer)
		switch {
		case n >= 8 && i == 2:
			h["status"] = "stopped"
		case n >= 60 && i == 17:
			h["status"] = "setup_failed"
		case n >= 60 && i%10 == 4:
			h["cpus"] = 8
		}
		instances[fmt.Sprintf("app%d", i)] = h
	}
	return encode(t, stack)
}

// mixed is a stack whose lines go every way: back, beside a column and below one.
func mixed(t testing.TB) []byte {
	return encode(t, object{
		"instances": object{
			"all1":   host("10.0.0.1", "lb", "plone_instances", "zeoserver"),
			"lb2":    host("10.0.0.2", "lb"),
			"app1":   host("10.0.0.3", "plone_instances"),
			"app2":   host("10.0.0.4", "plone_instances", "solr"),
			"queue1": host("10.0.0.5", "celery_broker"),
			"spare":  host("10.0.0.6", "idle"),
		},
		"layers":          object{"idle": object{"roles": []string{}}},
		"plone_instances": object{"app_name": "site", "shared_blobs": true, "enable_celery": true, "solr_enabled": true},
		"plone_blobs":     object{"blob_dir": "/srv/blobs"}, "plone_zeoserver": object{"app_name": "site"},
		"deploy": object{"site": object{"scm": object{"repository": "https://git.example.com/b.git"}}},
	})
}

// everywhere is a stack with a database on a host of its own, a cache on each
// client host, and two such hosts.
func everywhere(t testing.TB) []byte {
	web := func(address string) object { return host(address, "lb", "plone_instances", "memcached") }
	return encode(t, object{
		"instances": object{"web1": web("10.0.0.1"), "web2": web("10.0.0.2"), "db1": host("10.0.0.9", "postgres")},
		"layers":    object{"postgres": object{"roles": []string{}}},
		"plone_instances": object{"app_name": "site", "shared_blobs": false, "enable_relstorage": true, "relstorage": object{
			"enable_cache": true, "db": object{"host": "10.0.0.9", "name": "plone", "user": "zodb", "password": "correct horse battery"},
		}},
		"deploy": object{"site": object{"ssl_support": true, "ssl_certificate": "-----BEGIN CERTIFICATE-----\nMIIBoTCCAUagAwIBAgIBATAKBggqhkjOPQQDAjASMRAwDgYDVQQDDAdleGFtcGxl\nMCAXDTI2MTEzMDEyMDAzMloYDzIxMjYxMTA2MTIwMDMyWjASMRAwDgYDVQQDDAdl\neGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEvecX3QbVtWu3fAeSavrA\n1ObCVRA9nBqCUh16pI0c+0MK/dNZLNF5rH10rf2RtcURb+gdIc8wSpVPtR9JbUwm\nDqOBijCBhzAdBgNVHQ4EFgQUNcJZaCjq6GsMkTiwwSdaxUwiJQ4wHwYDVR0jBBgw\nFoAUNcJZaCjq6GsMkTiwwSdaxUwiJQ4wDwYDVR0TAQH/BAUwAwEB/zA0BgNVHREE\nLTArggtleGFtcGxlLm9yZ4INKi5leGFtcGxlLm9yZ4INKi5leGFtcGxlLmNvbTAK\nBggqhkjOPQQDAgNJADBGAiEAkkMgxBeS4spYaLYkSqjBOntqAlds3MWhUSX+rlrZ\nmZICIQCfaCjqiInBkltiH1DnBrxPaIyjmrOh5nwBlMHF5Ktzcg==\n-----END CERTIFICATE-----\n",
			"ssl_certificate_key": object{"$secret": "env:KEY"}, "scm": object{"repository": "https://git.example.com/b.git"}}},
	})
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// hostile are texts that mean something to one reader or another.
var hostile = []string{
	`</text><script>alert(1)</script>`, `<b>x</b> &amp; <!-- ]]>`, "`markdown` **bold** _x_ [a](javascript:alert(1))",
	`"]; click g1 call alert(1)`, `%%{init: {"theme":"forest"}}%% #quot; #35; ;`, "1. one", "- two", `\N \G \\ \" "`, "end", "subgraph", "a\x00b\x1b[31m\u202e\ufeffc",
	"\xff\xfe", "漢字漢字漢字漢字 Größe 𝔘𝔫𝔦 🎉 ﷽", "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww.example.com", " ",
}

// named is a topology all of whose names are one text; its hosts have a view of
// the attributes.
func named(view *schema.Stack, text string) *topology.Topology {
	t := &topology.Topology{Name: text}
	for i, role := range []topology.Role{topology.Frontend, topology.Clients, topology.Clients, topology.Solr} {
		h := &topology.Host{Name: text, Address: fmt.Sprintf("10.0.0.%d", i), Online: i != 2, Status: "stopped", Layers: []string{text}, Roles: []topology.Role{role}, Stack: view}
		switch role {
		case topology.Frontend:
			h.Front = &topology.Front{Sites: []*topology.Site{{Names: []string{text}}}, Backends: []*topology.Backend{{Name: text}}}
		case topology.Clients:
			a := &topology.App{Name: text, Host: h, SolrHost: text, Storage: topology.Storage{RelStorage: &topology.RelStorage{Type: "postgresql", Host: text, Name: text}}}
			a.Clients = []*topology.Client{{Process: topology.Process{App: a, N: 1, Name: "client1", Port: 8081, AgentPort: 9081}}}
			h.Apps = []*topology.App{a}
		}
		t.Hosts = append(t.Hosts, h)
	}
	return t
}

// topologies are what the pictures are tried with.
func topologies(t testing.TB) map[string]*topology.Topology {
	t.Helper()
	all := map[string]*topology.Topology{"mixed": resolve(t, mixed(t)), "everywhere": resolve(t, everywhere(t))}
	for _, n := range []int{3, 8, 60, 300} {
		all[fmt.Sprint("fleet", n)] = resolve(t, fleet(t, n))
	}
	for i, text := range hostile {
		all[fmt.Sprint("hostile", i)] = named(all["fleet3"].Hosts[0].Stack, text)
	}
	files, err := filepath.Glob("../../examples/*/stack.json")
	if err != nil || len(files) < 4 {
		t.Fatal(err, files)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(filepath.Dir(name))] = resolve(t, data)
	}
	return all
}

// texts are what a picture of a topology has to show: for each host its name,
// its address, and what it runs.
func texts(t *topology.Topology) []string {
	list := []string{t.Name}
	g := graph.New(t)
	for _, h := range t.Hosts {
		list = append(list, h.Name, h.Address)
		if !h.Online {
			list = append(list, h.Status)
		}
		for _, a := range h.Apps {
			for _, c := range a.Commands {
				list = append(list, c.Name)
			}
		}
	}
	for _, l := range g.Links {
		list = append(list, l.Label)
	}
	return list
}
