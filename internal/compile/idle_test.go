package compile

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// judged reads and judges a stack of several texts, later ones winning.
func judged(t *testing.T, texts ...string) (*Judged, diag.List) {
	t.Helper()
	var files []string
	for i, text := range texts {
		name := filepath.Join(t.TempDir(), fmt.Sprintf("%d.json", i))
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
	}
	text, diags, err := Read(files, &Options{Tree: "build", Release: "test"})
	if err != nil || text == nil {
		t.Fatal(err, diags)
	}
	j, diags, err := text.Judge()
	if err != nil || j == nil {
		t.Fatal(err, diags)
	}
	return j, diags
}

func paths(list diag.List) []string {
	found := []string{}
	for _, d := range list {
		found = append(found, d.Path)
	}
	slices.Sort(found)
	return found
}

const idleBase = `{
  "instances": {
    "lb1": {"layers": ["lb"], "address": "10.0.0.1", "cpus": 2},
    "app1": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 2},
    "app2": {"layers": ["plone_instances", "more"], "address": "10.0.0.3", "cpus": 2},
    "db1": {"layers": ["zeoserver"], "address": "10.0.0.4", "cpus": 2}
  },
  "layers": {"more": {"roles": []}},
  "haproxy": {"stats_password": {"$secret": "env:STATS"}},
  "plone_instances": {"app_name": "site", "shared_blobs": false},
  "plone_zeoserver": {"app_name": "db"},
  "deploy": {
    "site": {"scm": {"repository": "https://git.example.com/b.git"}, "domains": ["www.example.com"]},
    "db": {"scm": {"repository": "https://git.example.com/b.git"}}
  }
}`

const onRelstorage = `{"instances": {"db1": null}, "deploy": {"db": null}, "plone_zeoserver": null,
  "plone_instances": {"enable_relstorage": true, "relstorage": {"db": {"name": "p", "host": "10.0.0.9"}}}}`

// What is set and changes nothing is found, and nothing else.
func TestIdle(t *testing.T) {
	for _, tt := range []struct {
		name  string
		texts []string
		want  []string
	}{
		{"nothing", nil, nil},
		{"blobs that come through the database", []string{onRelstorage, `{"plone_blobs": {"blob_dir": "/srv/blobs"}}`}, []string{"plone_blobs.blob_dir"}},
		{"blobs that a ZEO server keeps", []string{`{"plone_blobs": {"blob_dir": "/srv/blobs"}}`}, nil},
		{"shared blobs", []string{onRelstorage, `{"plone_blobs": {"blob_dir": "/srv/blobs"}, "plone_instances": {"shared_blobs": true}}`}, nil},
		{"what another attribute switches off", []string{`{"plone_instances": {"celery_args": "-v", "solr_host": "10.0.0.9", "syslog_level": "DEBUG", "relstorage": {"db": {"name": "p"}}}}`},
			[]string{"plone_instances.celery_args", "plone_instances.relstorage.db.name", "plone_instances.solr_host", "plone_instances.syslog_level"}},
		{"what every layer overrides", []string{`{"plone_instances": {"zodb_cache_size": 1000}, "layers": {"plone_instances": {"custom_json": {"plone_instances": {"zodb_cache_size": 2000}}}}}`},
			[]string{"plone_instances.zodb_cache_size"}},
		{"what one layer overrides", []string{`{"plone_instances": {"zodb_cache_size": 1000}, "layers": {"more": {"custom_json": {"plone_instances": {"zodb_cache_size": 2000}}}}}`}, nil},
		{"a layer's own", []string{`{"layers": {"zeoserver": {"custom_json": {"plone_instances": {"zodb_cache_size": 2000}}}}}`},
			[]string{"layers.zeoserver.custom_json.plone_instances.zodb_cache_size"}},
		{"the defaults, one in other words", []string{onRelstorage, `{"plone_instances": {"per_cpu": 2, "relstorage": {"db": {"type": "postgresql"}}, "zserver_threads": 4}, "plonec": {"plone_version": "6.2"}}`}, nil},
		{"a version that changes nothing yet", []string{`{"plonec": {"plone_version": "6.1"}}`}, nil},
		{"two of which one is enough", []string{`{"plone_instances": {"sticky_sessions": true}, "haproxy": {"sticky_sessions": true}}`}, []string{"haproxy.sticky_sessions"}},
		{"what answers a warning", []string{`{"haproxy": {"stats_password": null, "enable_stats": false}}`}, nil},
		{"a whole group", []string{`{"nginx_plone": {"proxy_port": 8080}, "varnish_plone": {"grace": 90, "default_ttl": 900}}`}, []string{"varnish_plone"}},
		{"workers without a broker, of which no-broker tells", []string{`{"plone_instances": {"enable_celery": true, "celerybeat": true, "celery_args": "-v"}}`},
			[]string{"plone_instances.celery_args", "plone_instances.celerybeat"}},
		{"what was reported before", []string{`{"deploy": {"old": {"keep_releases": 9}}}`}, nil},
		{"a certificate without TLS", []string{`{"deploy": {"site": {"ssl_certificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"}}}`}, []string{"deploy.site.ssl_certificate"}},
		{"a subsite that is none", []string{`{"plone_instances": {"subsite_config": {"sub.example.com": "add_header A b;"}}}`}, []string{`plone_instances.subsite_config."sub.example.com"`}},
		{"a variable, and what the service sent", []string{`{"deploy": {"site": {"environment": {"LANG": "C.UTF-8", "RAILS_ENV": "production"}}}}`}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j, known := judged(t, append([]string{idleBase}, tt.texts...)...)
			list, err := j.Idle(known)
			if err != nil {
				t.Fatal(err)
			}
			if got := paths(list); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			for _, d := range list {
				if d.Code != "no-effect" || !d.Span.HasPlace() || d.Remedy == "" {
					t.Errorf("%+v", d)
				}
			}
		})
	}
}

// Whoever takes out all that is reported has the same tree.
func TestIdleCanAllGo(t *testing.T) {
	j, known := judged(t, idleBase, `{"plone_instances": {"sticky_sessions": true, "celery_args": "-v", "beat_args": "-x"}, "haproxy": {"sticky_sessions": true}}`)
	list, err := j.Idle(known)
	if err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	text := j.Text
	for _, d := range list {
		text = input.Set(text, nil, strings.Split(d.Path, ".")...)
	}
	other, diags, err := Assemble(text, j.inputs, &Options{Tree: "build", Release: "test"})
	if err != nil || other == nil {
		t.Fatal(err, diags)
	}
	built, _, err := j.Render(nil)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(built.Tree.Manifest.Files)
	b, _ := json.Marshal(other.Tree.Manifest.Files)
	if string(a) != string(b) {
		t.Error("another tree")
	}
}

// A group of which nothing has an effect is told what all of it needs, if that is one thing.
func TestIdleGroupNeeds(t *testing.T) {
	for layer, want := range map[string]string{
		`{"celery_args": "-v", "solr_host": "10.0.0.9"}`:            "take it out",
		`{"relstorage": {"db": {"name": "p", "host": "10.0.0.9"}}}`: "set plone_instances.enable_relstorage too",
		`{"celery_args": "-v"}`:                                     "set plone_instances.enable_celery too, and give a broker: plone_instances.broker.host or a host in its layer",
	} {
		j, known := judged(t, idleBase, `{"layers": {"more": {"custom_json": {"plone_instances": `+layer+`}}}}`)
		list, err := j.Idle(known)
		if err != nil || len(list) != 1 || list[0].Remedy != want {
			t.Errorf("%s: %v, %v, want %q", layer, list, err, want)
		}
	}
}

// In a large stack the same is found as if each of its hosts were looked at.
func TestIdleOfAFewIsThatOfAll(t *testing.T) {
	defer func(n int) { manyLayers = n }(manyLayers)
	manyLayers = 10
	const n = 20
	instances, layers := map[string]any{}, map[string]any{}
	for i := range n {
		own := fmt.Sprintf("own%03d", i)
		attributes := map[string]any{"zodb_cache_size": 1000 + i, "celery_args": "-v"}
		if i%10 == 9 {
			attributes["app_name"] = "other"
		}
		layers[own] = map[string]any{"roles": []string{}, "custom_json": map[string]any{"plone_instances": attributes}}
		in, status := "plone_instances", "online"
		if i%7 == 6 {
			in, status = "zeoserver", "stopped"
		}
		instances[fmt.Sprintf("h%03d", i)] = map[string]any{"layers": []string{in, own}, "address": fmt.Sprintf("10.0.1.%d", i+1), "cpus": 1 + i%2, "status": status}
	}
	text, err := json.Marshal(map[string]any{
		"instances": instances, "layers": layers,
		"plone_instances": map[string]any{"zodb_cache_size": 5, "beat_args": "-x", "shared_blobs": false},
		"deploy": map[string]any{
			"site": map[string]any{"keep_releases": 3}, "other": map[string]any{"scm": map[string]any{"repository": "https://git.example.com/o.git"}, "domains": []string{"o.example.com"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	j, known := judged(t, idleBase, string(text))
	hosts, kinds := sample(j)
	if len(hosts) > n-5 {
		t.Fatalf("%d hosts stand for %d", len(hosts), len(j.Topology.Hosts))
	}
	few, err := j.idle(known, hosts, kinds)
	if err != nil {
		t.Fatal(err)
	}
	var every []string
	for _, h := range j.Topology.Hosts {
		every = append(every, h.Name)
	}
	all, err := j.idle(known, every, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := paths(few), paths(all); !slices.Equal(got, want) || len(want) < n {
		t.Errorf("%d found in a few, %d in all; a few:\n%q\nall:\n%q", len(got), len(want), got, want)
	}
}

// Where the few hosts do not compile without the others, all are looked at.
func TestIdleOfAFewThatDoNotCompile(t *testing.T) {
	j, known := judged(t, idleBase, `{"plone_instances": {"celery_args": "-v"}}`)
	list, err := j.idle(known, []string{"lb1"}, nil)
	if got := paths(list); err != nil || !slices.Equal(got, []string{"plone_instances.celery_args"}) {
		t.Errorf("got %q, %v", got, err)
	}
}

// A group of a layer that was not looked at is reported as one only where all of it is idle.
func TestIdleGroupOfAFew(t *testing.T) {
	defer func(n int) { manyLayers = n }(manyLayers)
	manyLayers = 3
	instances, layers := map[string]any{}, map[string]any{}
	var want []string
	for i := range 5 {
		own := fmt.Sprint("own", i)
		instances[own] = map[string]any{"layers": []string{"plone_instances", own}, "address": fmt.Sprintf("10.0.1.%d", i+1), "cpus": 1}
		layers[own] = map[string]any{"roles": []string{}, "custom_json": map[string]any{"plone_instances": map[string]any{
			"zodb_cache_size": 1000 + i, "celery_args": "-v", "solr_host": "10.0.0.9"}}}
		want = append(want, "layers."+own+".custom_json.plone_instances.celery_args", "layers."+own+".custom_json.plone_instances.solr_host")
	}
	text, err := json.Marshal(map[string]any{"instances": instances, "layers": layers})
	if err != nil {
		t.Fatal(err)
	}
	j, known := judged(t, idleBase, string(text))
	list, err := j.Idle(known)
	if got := paths(list); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}
