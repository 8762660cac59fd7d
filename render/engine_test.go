package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// written is what a template makes of its data, which text/template itself has to make
// of them too.
func written(t testing.TB, template string, data any) string {
	t.Helper()
	var got, want bytes.Buffer
	err := programs.Execute(&got, template, data)
	standard := parsed.ExecuteTemplate(&want, template, data)
	if (err == nil) != (standard == nil) || err == nil && got.String() != want.String() {
		t.Errorf("%s: the engine and text/template differ: %v, %v\n%s\n---\n%s", template, err, standard, got.String(), want.String())
	}
	if err != nil {
		t.Fatal(err)
	}
	return got.String()
}

// The engine writes what text/template does: every template, for every host of the
// examples and of the cookbook's cases, and for those that other tests make up.
func TestEngineIsTextTemplate(t *testing.T) {
	purging := func(h *topology.Host) { h.Stack.VarnishPurge = []string{"http://10.0.0.1/", "http://10.0.0.2/"} }
	files := processHost()
	files.Apps[0].Config.Files = map[string]schema.EnvValue{"etc/a.txt": {Text: "a text\n"}}
	hosts := []*topology.Host{processHost(), files, frontHost(), frontHost(withTLS, purging)}
	every := map[string]any{"plone_zeoserver": map[string]any{"pack_at": "daily"}, "volto": map[string]any{"node": "24.21.0"},
		"deploy": map[string]any{"site": map[string]any{"domains": []any{"example.org"}}}}
	layers, instances := map[string]any{}, map[string]any{}
	for i, d := range topology.Roles() { // a host of each, so that a service more is seen here too
		name := fmt.Sprintf("host-%d", i)
		layers[name] = map[string]any{"roles": []any{string(d.Role)}}
		instances[name] = map[string]any{"layers": []any{name}, "address": fmt.Sprintf("10.0.9.%d", i+1), "cpus": 1, "status": "stopped"}
	}
	every["layers"], every["instances"] = layers, instances
	text, err := json.Marshal(every)
	if err != nil {
		t.Fatal(err)
	}
	hosts = append(hosts, resolvedText(t, base, string(text)).Hosts...)
	byUv := write(t, `{"deploy": {"site": {"builder": "uv", "groups": ["a"], "buildout_debug": true}, "database": {"builder": "uv"}},
	  "plone_instances": {"syslog_facility": "local3", "relstorage": {"enable_pack": true}}, "plone_zeoserver": {"syslog_facility": "local3"}}`)
	for _, example := range []string{"zeo", "relstorage"} {
		hosts = append(hosts, resolved(t, "../examples/"+example+"/stack.json", byUv).Hosts...)
	}
	for _, pattern := range []string{"../examples/*/stack.json", "../testdata/pasted/stack.json", "../testdata/parity/*.stack.json"} {
		stacks, err := filepath.Glob(pattern)
		if err != nil || len(stacks) == 0 {
			t.Fatal(pattern, err)
		}
		for _, stack := range stacks {
			hosts = append(hosts, resolved(t, stack).Hosts...)
		}
	}
	written(t, "daemons.conf.tmpl", daemonRows())
	for _, b := range builder.All() {
		written(t, "builder.conf.tmpl", b)
	}
	used := []string{"daemons.conf.tmpl", "builder.conf.tmpl", "README.md.tmpl"} // one a tree; the goldens hold the README
	for _, h := range hosts {
		for _, a := range artifacts {
			for _, i := range a.Each(h) {
				written(t, a.Template, i.Data)
				used = append(used, a.Template)
			}
		}
	}
	for _, tmpl := range parsed.Templates() {
		if filepath.Ext(tmpl.Name()) == ".tmpl" && !slices.Contains(used, tmpl.Name()) {
			t.Errorf("no host has %s", tmpl.Name())
		}
	}
}
