package render

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/topology"
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
	hosts := []*topology.Host{processHost(), frontHost(), frontHost(withTLS, purging)}
	hosts = append(hosts, resolvedText(t, base, `{"instances": {"cache1": {"layers": ["memcached"], "address": "10.0.3.11", "cpus": 1}},
		"plone_zeoserver": {"pack_at": "daily"}}`).Hosts...)
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
