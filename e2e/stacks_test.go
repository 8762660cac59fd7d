package e2e

import (
	"testing"
	"time"
)

// zeoStack is a balancer, two client hosts with two clients each, a ZEO host.
func zeoStack(version string) map[string]any {
	host := func(layer, name string) map[string]any {
		return map[string]any{"layers": []string{layer}, "address": addresses[name], "cpus": 2}
	}
	scm := map[string]any{
		"repository": "ssh://admin@" + addresses["git"] + "/srv/buildout.git", "revision": "main", "ssh_key": map[string]any{"$secret": "file:deploy_key"},
	}
	return map[string]any{
		"plonec":    map[string]any{"plone_version": version, "ssh": map[string]any{"user": "admin"}, "memory_max": "1G", "drain_timeout": "30s"},
		"opsworks":  map[string]any{"stack": map[string]any{"name": "E2E"}},
		"instances": map[string]any{"lb1": host("lb", "lb1"), "app1": host("plone_instances", "app1"), "app2": host("plone_instances", "app2"), "db1": host("zeoserver", "db1")},
		"plone_instances": map[string]any{
			"app_name": "site", "per_cpu": 1, "shared_blobs": false, "restart_delay": 0, "zserver_threads": 5,
		},
		"plone_zeoserver": map[string]any{"app_name": "database", "filestorage_dir": "/srv/data/filestorage"},
		"plone_blobs":     map[string]any{"blob_dir": "/srv/data/blobstorage"},
		"haproxy":         map[string]any{"stats_password": map[string]any{"$secret": "env:STATS_PASSWORD"}},
		"nginx_plone":     map[string]any{},
		"deploy": map[string]any{
			"site": map[string]any{
				"domains": []string{"www.example.com"}, "buildout_extends": []string{"cfg/e2e.cfg"}, "scm": scm,
				"environment": map[string]any{"SITE_TOKEN": map[string]any{"$secret": "env:SITE_TOKEN"}},
			},
			"database": map[string]any{"buildout_extends": []string{"cfg/e2e.cfg"}, "scm": scm},
		},
	}
}

// at walks into a stack: at(stack, "deploy", "site").
func at(stack map[string]any, path ...string) map[string]any {
	for _, key := range path {
		stack = stack[key].(map[string]any)
	}
	return stack
}

// plone is a full Plone 6.2 with ZEO, for good and bad deploys.
func plone(t *testing.T) *cluster {
	stack := zeoStack("6.2")
	at(stack, "instances", "app2")["cpus"] = 1 // one client there, two on app1
	c := newCluster(t, "", "", stack, "lb1", "app1", "app2", "db1")
	c.bring("--new-database")
	return c
}

// zope is a Zope without Plone, whose clients start in two seconds, for
// faults that have nothing to do with what runs.
func zope(t *testing.T) *cluster {
	stack := zeoStack("6.2")
	at(stack, "haproxy")["health_check_url"] = "/@@e2e-page" // /ok is Plone's
	c := newCluster(t, "", "zope", stack, "lb1", "app1", "app2", "db1")
	c.bring("--new-database")
	return c
}

// plone61 and plone60 are the releases before, which bring other packages and constraints of
// their own.
func plone61(t *testing.T) *cluster { return older(t, "6.1", "plone61") }

func plone60(t *testing.T) *cluster { return older(t, "6.0", "plone60") }

func older(t *testing.T, version, flavour string) *cluster {
	stack := zeoStack(version)
	delete(at(stack, "instances"), "app2")
	c := newCluster(t, flavour, "", stack, "lb1", "app1", "db1")
	c.bring("--new-database")
	return c
}

// relstorage has the objects, and the blobs, in PostgreSQL on a host that
// is not plonec's.
func relstorage(t *testing.T) *cluster {
	stack := zeoStack("6.2")
	delete(at(stack, "instances"), "db1")
	delete(at(stack, "instances"), "app2")
	delete(at(stack, "deploy"), "database")
	delete(stack, "plone_zeoserver")
	delete(stack, "plone_blobs")
	clients := at(stack, "plone_instances")
	clients["enable_relstorage"] = true
	clients["relstorage"] = map[string]any{"db": map[string]any{
		"type": "postgresql", "host": addresses["pg"], "name": "plone", "user": "zodb", "password": map[string]any{"$secret": "env:PG_PASSWORD"},
	}}
	c := newCluster(t, "", "relstorage", stack, "lb1", "app1")
	c.start("pg")
	c.exec("pg", `apt-get install -y -q --no-install-recommends postgresql >/dev/null
		cd /etc/postgresql/*/main && echo "listen_addresses = '*'" >>postgresql.conf && echo "host plone zodb 10.77.0.0/24 scram-sha-256" >>pg_hba.conf
		systemctl restart postgresql
		runuser -u postgres -- psql -q -c "CREATE ROLE zodb LOGIN PASSWORD '`+pgPassword+`'" -c "CREATE DATABASE plone OWNER zodb"`)
	c.bring()
	if filled := c.exec("pg", "runuser -u postgres -- psql -At plone -c 'SELECT count(*) > 0 FROM object_state'"); filled != "t" {
		t.Fatalf("the objects are not in PostgreSQL: %s", filled)
	}
	return c
}

// bring deploys to bare hosts and makes a site there.
func (c *cluster) bring(options ...string) {
	c.t.Helper()
	c.first.options = options
	c.must(0, append([]string{"deploy"}, options...)...)
	c.site("app1")
	c.serving(time.Minute)
	c.sound()
}
