package schema

import (
	"fmt"
	"sync"
	"testing"
)

const layered = `{
  "haproxy": {"fall": 4, "stats_password": {"$secret": "env:A"}},
  "deploy": {"site": {"keep_releases": 3}, "other": {}},
  "opsworks": {"layers": {"web": {"custom_json": {"haproxy": {"rise": 7}, "memcached": {"port": 11300}}}}},
  "layers": {
    "web": {"custom_json": {"haproxy": {"fall": 9}}},
    "text": {"custom_json": "{\"zeoserver\": {\"app_name\": \"t\"}, \"plone_instances\": {\"app_name\": \"p\"}, \"opsworks_initial_setup\": {\"ephemeral_mount_point\": \"/mnt\"}}"},
    "apps": {"custom_json": {"deploy": {"site": {"always_build_on_deploy": true}, "new": {"user": "me"}}}},
    "build": {"custom_json": {"deploy_buildout": {"flags": "-N"}}},
    "same": {"custom_json": {"haproxy": {"fall": 9}}},
    "back": {"custom_json": {"haproxy": {"fall": null}}},
    "empty": {"custom_json": {}},
    "plain": {"roles": []}
  }
}`

func view(t *testing.T, d *Decoded, layers ...string) *Stack {
	t.Helper()
	s, list := d.View(layers)
	if len(list) > 0 {
		t.Fatalf("%v: %v", layers, list)
	}
	return s
}

// TestView lays the custom_json of layers over the stack and shares the rest.
func TestView(t *testing.T) {
	d := load(t, layered)
	if view(t, d) != d.Base || view(t, d, "plain", "no such layer") != d.Base {
		t.Error("a view of nothing is not Base")
	}

	web := view(t, d, "web")
	if h := web.Haproxy; h.Fall != 9 || h.Rise != 7 || h.StatsPassword.Ref != "env:A" || web.Memcached.Port != 11300 {
		t.Errorf("web: %+v", h)
	}
	if d.Base.Haproxy.Fall != 4 || d.Base.Haproxy.Rise != 2 || d.Base.Memcached.Port != 11211 {
		t.Error("a view changed Base")
	}
	if web.PloneInstances != d.Base.PloneInstances || web.Nginx != d.Base.Nginx {
		t.Error("untouched sections are not shared")
	}
	if view(t, d, "plain", "web", "web") != web {
		t.Error("equal sets of layers do not share a view")
	}
	if both := view(t, d, "same", "web"); both == web || both.Haproxy.Fall != 9 || both.Haproxy.Rise != 7 {
		t.Error("layers that agree")
	}

	text := view(t, d, "text")
	if text.PloneZeoserver.AppName != "t" || text.PloneZeoserver.FilestorageDir != "/mnt/shared/zodb/filestorage" ||
		text.Redis.Config.Dir != "/mnt/redis" || text.NewRelic.ApplicationMonitoring.AppName != "p" {
		t.Error("derived defaults do not follow the layer")
	}
	if d.Base.PloneZeoserver.FilestorageDir != "/shared/zodb/filestorage" || d.Base.Redis.Config.Dir != "/redis" {
		t.Error("a view changed Base's derived defaults")
	}

	apps := view(t, d, "apps")
	if !apps.Deploy["site"].AlwaysBuildoutOnDeploy || apps.Deploy["site"].KeepReleases != 3 || apps.Deploy["new"].Home != "/home/me" {
		t.Error("apps")
	}
	if d.Base.Deploy["site"].AlwaysBuildoutOnDeploy || len(d.Base.Deploy) != 2 || apps.Deploy["other"] != d.Base.Deploy["other"] {
		t.Error("apps that no layer touches are not shared")
	}
	build := view(t, d, "build")
	if build.App("site").BuildoutFlags != "-N" || build.App("any").BuildoutFlags != "-N" || build.App("site").KeepReleases != 3 || d.Base.App("any").BuildoutFlags != "" {
		t.Error("deploy_buildout in a layer")
	}
	if back := view(t, d, "back"); back.Haproxy.Fall != 3 {
		t.Errorf("null takes the stack's value back: got %d", back.Haproxy.Fall)
	}
	if line := d.ViewSpan([]string{"web"}, "haproxy", "fall").Line(); line != 6 {
		t.Errorf("web's fall stands on line %d", line)
	}
	if line := d.ViewSpan([]string{"web"}, "haproxy", "stats_password").Line(); line != 2 {
		t.Errorf("web's password stands on line %d", line)
	}
}

// TestViewDisagrees: a set of layers that no instance has is judged when it is
// asked for, once.
func TestViewDisagrees(t *testing.T) {
	d := load(t, `{"layers": {"a": {"custom_json": {"haproxy": {"fall": 1}}}, "b": {"custom_json": {"haproxy": {"fall": 2}}}}}`)
	s, list := d.View([]string{"b", "a"})
	if got := codes(list); got != "layers-disagree haproxy.fall" || s == nil {
		t.Errorf("got %q", got)
	}
	if _, list = d.View([]string{"a", "b"}); len(list) > 0 {
		t.Error("it is reported twice")
	}
}

// TestViewsTogether asks for views from many goroutines; go test -race judges.
func TestViewsTogether(t *testing.T) {
	d := load(t, layered)
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s, _ := d.View([]string{[]string{"web", "text", "apps", "build"}[i%4]})
			s.App(fmt.Sprint(i))
			Lookup("haproxy.fall").Rows()
			d.ViewSpan([]string{"same"}, "haproxy")
		}()
	}
	wg.Wait()
}
