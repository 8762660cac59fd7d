package schema

import (
	"reflect"
	"testing"
	"time"
)

// TestDecode decodes each kind of value once.
func TestDecode(t *testing.T) {
	d := load(t, `{
  "plonec": {"plone_version": "6.0", "drain_timeout": "2m"},
  "plone_instances": {"subsites": {"News.Example.com": "news"}, "per_cpu": 1.5, "instance_count": 3, "restart_delay": "90s", "celery_enabled": true, "relstorage": {"db": {"port": 5433}}},
  "haproxy": {"global_max_connections": "4000", "server_timeout": 5000, "client_timeout": "1m", "connect_timeout": "500", "stats_password": {"$secret": "env:P"}},
  "zeoserver": {"enable_backup": true},
  "opsworks_initial_setup": {"ephemeral_mount_point": "/mnt"},
  "varnish_plone": {"grace": "1h"},
  "deploy": {"site": {
    "domains": ["WWW.Example.com", "www.example.com", "site"],
    "database": {"adapter": null, "host": ""},
    "os_packages": {"b": "1.2", "a": ""}, "packages": ["z", "y==2"],
    "environment": {"A": 5, "B": true, "C": "x", "D_TOKEN": "plain", "E": {"$secret": "file:f"}, "RAILS_ENV": "x"},
    "environment_variables": {"F": "y"},
    "symlink_before_migrate": {"media": "media", "parts": "parts"}, "purge_before_symlink": ["media", "var", "parts"],
    "buildout_cache_archives": [{"url": "https://example.com/e.tgz", "path": "shared/eggs", "password": "pw"}],
    "scm": {"ssh_key": "", "password": null}
  }}
}`)
	s := d.Base
	three, many := 3, 4000
	site := s.Deploy["site"]
	for i, check := range []struct{ got, want any }{
		{s.Plonec.OS, "debian12"},
		{s.Plonec.PloneVersion, "6.0"},
		{s.Plonec.DrainTimeout, Seconds(2 * time.Minute)},
		{s.PloneInstances.PerCPU, 1.5},
		{s.PloneInstances.Subsites, map[string]string{"news.example.com": "news"}},
		{s.PloneInstances.InstanceCount, &three},
		{s.PloneInstances.ZserverThreads, (*int)(nil)},
		{s.PloneInstances.RestartDelay, Seconds(90 * time.Second)},
		{s.PloneInstances.EnableCelery, true},
		{s.PloneInstances.Relstorage.DB.Port, 5433},
		{s.PloneInstances.Relstorage.DB.Type, "postgres"},
		{s.PloneInstances.Broker.Port, 6379},
		{s.Haproxy.GlobalMaxConnections, &many},
		{s.Haproxy.ServerTimeout, Millis(5 * time.Second)},
		{s.Haproxy.ClientTimeout, Millis(time.Minute)},
		{s.Haproxy.ConnectTimeout, Millis(500 * time.Millisecond)},
		{s.Haproxy.CheckInterval, Millis(5 * time.Second)},
		{s.Haproxy.StatsPassword, Secret{Ref: "env:P", Source: "env:P"}},
		{s.Haproxy.HealthCheckMethod + s.Haproxy.HealthCheckURL, "GET/ok"},
		{s.PloneZeoserver.EnableBackup, true},
		{s.PloneZeoserver.FilestorageDir, "/mnt/shared/zodb/filestorage"},
		{s.Redis.Config.Dir, "/mnt/redis"},
		{s.NewRelic.ApplicationMonitoring.AppName, "plone_instances"},
		{s.VarnishPlone.Grace, Seconds(time.Hour)},
		{site.DeployTo, "/srv/www/site"},
		{site.Home, "/home/deploy"},
		{site.Domains, []string{"www.example.com"}},
		{site.Database, (*Database)(nil)},
		{site.OSPackages, Packages{{"a", ""}, {"b", "1.2"}}},
		{site.Packages, Packages{{"z", ""}, {"y==2", ""}}},
		{site.Environment, map[string]EnvValue{
			"A": {Text: "5"}, "B": {Text: "true"}, "C": {Text: "x"}, "F": {Text: "y"},
			"D_TOKEN": {Secret: Secret{Plain: "plain", Source: "stack:/deploy/site/environment/D_TOKEN"}},
			"E":       {Secret: Secret{Ref: "file:f", Source: "file:f", File: "stack.json"}},
		}},
		{site.SymlinkBeforeMigrate, map[string]string{"downloads": "downloads", "eggs": "eggs", "extends": "extends", "var": "var", "media": "media"}},
		{site.PurgeBeforeSymlink, []string{"var", "eggs", "downloads", "extends", "media"}},
		{site.BuildoutCacheArchives[0].Password, Secret{Plain: "pw", Source: "stack:/deploy/site/buildout_cache_archives/0/password"}},
		{site.SCM.SSHKey.IsSet() || site.SCM.Password.IsSet(), false},
		{site.BuildoutConfig, "deploy.cfg"},
		{s.App("other").DeployTo, "/srv/www/other"},
		{s.App("other").KeepReleases, 5},
		{s.App("site") == site, true},
	} {
		if !reflect.DeepEqual(check.got, check.want) {
			t.Errorf("%d: got %#v, want %#v", i, check.got, check.want)
		}
	}
}

// Releases that uv makes share what they have of buildout's directories, and what the
// stack names.
func TestSharedByUv(t *testing.T) {
	d := load(t, `{"deploy": {"site": {"builder": "uv", "groups": [], "symlink_before_migrate": {"media": "media", "eggs": "eggs"}, "purge_before_symlink": ["old", "parts"]}, "other": {"builder": "uv"}}}`)
	site, other := d.Base.App("site"), d.Base.App("other")
	for i, check := range []struct{ got, want any }{
		{site.SymlinkBeforeMigrate, map[string]string{"var": "var", "media": "media", "eggs": "eggs"}},
		{other.SymlinkBeforeMigrate, map[string]string{"var": "var"}},
		{site.PurgeBeforeSymlink, []string{"var", "old"}},
		{other.CreateDirsBeforeSymlink, []string{"var"}},
		{site.Groups != nil, true},
		{other.Groups == nil, true},
	} {
		if !reflect.DeepEqual(check.got, check.want) {
			t.Errorf("%d: got %#v, want %#v", i, check.got, check.want)
		}
	}
}

// TestAppDefaults: deploy_buildout and deploy_python lie beneath every app.
func TestAppDefaults(t *testing.T) {
	d := load(t, `{
  "deploy_buildout": {"extends": ["cfg/a.cfg"], "flags": "-N", "version": "5.2.0", "create_dirs_before_symlink": ["one"]},
  "deploy_python": {"packages": ["p"], "create_dirs_before_symlink": ["two"]},
  "deploy": {"site": {"buildout_extends": ["cfg/b.cfg"], "create_dirs_before_symlink": ["three"]}}
}`)
	site, other := d.Base.App("site"), d.Base.App("other")
	for i, check := range []struct{ got, want any }{
		{site.BuildoutExtends, []string{"cfg/b.cfg"}},
		{other.BuildoutExtends, []string{"cfg/a.cfg"}},
		{site.BuildoutFlags, "-N"},
		{other.BuildoutVersion, "5.2.0"},
		{site.Packages, Packages{{"p", ""}}},
		{site.CreateDirsBeforeSymlink, []string{"var", "eggs", "downloads", "extends", "two", "one", "three"}},
	} {
		if !reflect.DeepEqual(check.got, check.want) {
			t.Errorf("%d: got %#v, want %#v", i, check.got, check.want)
		}
	}
}

// TestInstances: OpsWorks' hosts and the short form become one.
func TestInstances(t *testing.T) {
	d := load(t, `{
  "opsworks": {
    "layers": {
      "lb": {"name": "Front", "instances": {"web1": {"private_ip": "10.0.0.1", "ip": "1.2.3.4", "elastic_ip": null, "backends": "8"}}},
      "plone_instances": {"instances": {
        "web1": {"private_ip": "10.0.0.1", "ip": "1.2.3.4", "backends": 8, "instance_type": "m5.large"},
        "app1": {"private_ip": "", "private_dns_name": "app1.internal", "elastic_ip": "5.6.7.8", "ip": "9.9.9.9", "status": "stopped"}
      }, "custom_recipes": {"Setup": ["plone_buildout::instances-setup"], "setup": ["x::y"]}}
    },
    "instance": {"hostname": "new1", "layers": ["plone_instances"], "private_ip": "10.0.0.9", "backends": 4}
  },
  "instances": {"web1": {"cpus": 2, "os": "debian13"}, "db1": {"layers": ["zeoserver", "lb", "lb"], "address": "10.0.0.5"}},
  "layers": {"lb": {"roles": []}}
}`)
	want := map[string]Instance{
		"web1": {Layers: []string{"lb", "plone_instances"}, Address: "10.0.0.1", SSHAddress: "1.2.3.4", Backends: 8, CPUs: 2, InstanceType: "m5.large", OS: "debian13", Status: "online"},
		"app1": {Layers: []string{"plone_instances"}, Address: "app1.internal", SSHAddress: "5.6.7.8", Status: "stopped"},
		"new1": {Layers: []string{"plone_instances"}, Address: "10.0.0.9", Backends: 4, Status: "online"},
		"db1":  {Layers: []string{"lb", "zeoserver"}, Address: "10.0.0.5", Status: "online"},
	}
	if !reflect.DeepEqual(d.Base.Instances, want) {
		t.Errorf("got %+v", d.Base.Instances)
	}
	lb, plone := d.Base.Layers["lb"], d.Base.Layers["plone_instances"]
	if lb.Roles == nil || len(lb.Roles) != 0 || lb.Name != "Front" {
		t.Errorf("lb: %#v", lb)
	}
	if plone.Roles != nil || !reflect.DeepEqual(plone.CustomRecipes, map[string][]string{"setup": {"plone_buildout::instances-setup", "x::y"}}) {
		t.Errorf("plone_instances: %#v", plone)
	}
	if span := d.Span("instances", "app1", "address"); span.Line() != 7 {
		t.Errorf("app1's address stands on line %d", span.Line())
	}
	if span := d.KeySpan("instances", "db1"); span.Line() != 12 {
		t.Errorf("db1 stands on line %d", span.Line())
	}
	if d.Span("no", "such").HasPlace() || d.KeySpan().HasPlace() {
		t.Error("a place for what is not there")
	}
}

// TestSecretAt finds each plain secret where its source says, in the stack as
// it was read.
func TestSecretAt(t *testing.T) {
	text := `{
  "haproxy": {"stats_password": "one"},
  "deploy": {"a/b~c": {"x": 1}, "site": {"environment_variables": {"K_TOKEN": "two", "PIN_SECRET": 7}, "buildout_cache_archives": [{"url": "https://e.org/x", "path": "x", "password": "three"}]}},
  "layers": {"web": {"custom_json": {"haproxy": {"stats_password": "four"}}}, "text": {"custom_json": "{\"haproxy\": {\"stats_password\": \"five\"}}"}}
}`
	tree := read(t, "stack.json", text)
	d, _ := Load(tree)
	web, _ := d.View([]string{"web"})
	byText, _ := d.View([]string{"text"})
	site := d.Base.Deploy["site"]
	for _, s := range []Secret{
		d.Base.Haproxy.StatsPassword, site.Environment["K_TOKEN"].Secret, site.Environment["PIN_SECRET"].Secret,
		site.BuildoutCacheArchives[0].Password, web.Haproxy.StatsPassword, byText.Haproxy.StatsPassword,
	} {
		if got, ok := SecretAt(tree, s.Source); !ok || got != s.Plain || got == "" {
			t.Errorf("%s: got %q, want %q", s.Source, got, s.Plain)
		}
	}
	for _, pointer := range []string{"", "stack:", "stack:/", "stack:/haproxy", "stack:/no/such", "stack:/deploy/site/buildout_cache_archives/1/password", "stack:/deploy/a~1b~0c/x/y", "stack:/haproxy/stats_password/x"} {
		if got, ok := SecretAt(tree, pointer); ok {
			t.Errorf("%q: got %q", pointer, got)
		}
	}
	if _, ok := SecretAt(nil, "stack:/x"); ok {
		t.Error("a secret in nothing")
	}
}
