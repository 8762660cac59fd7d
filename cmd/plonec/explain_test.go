package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/schema"
)

// TestExplainFindsPlaces explains every attribute that the examples set: for
// each of them another value compiles, so that where it shows is known, and
// what it is documented to show in is among the files.
func TestExplainFindsPlaces(t *testing.T) {
	files := map[string]string{ // documented name: part of a path on the host
		"deploy.cfg:": "/deploy.cfg", "haproxy.cfg:": "/haproxy.cfg", "nginx.conf:": "/nginx.conf", "default.vcl:": "/default.vcl",
	}
	// What has no other value in some of these examples, since another one
	// would have to change with it.
	alone := []string{"plone_instances.app_name", "plone_zeoserver.app_name", "deploy.<app>.ssl_support"}
	for _, example := range []string{"zeo", "relstorage", "single-host", "opsworks-export"} {
		o := &compile.Options{Tree: t.TempDir(), Release: release}
		text, _, err := compile.Read([]string{"../../examples/" + example + "/stack.json"}, o)
		if err != nil {
			t.Fatal(err)
		}
		now, _, err := text.Compile()
		if err != nil {
			t.Fatal(err)
		}
		for _, leaf := range schema.Root().Leaves() {
			if leaf.Later != "" || leaf.Deprecated != "" || strings.HasPrefix(leaf.Path, "opsworks.") || slices.Contains(alone, leaf.Path) ||
				!slices.ContainsFunc(now.Stack.Settings(leaf.Path), func(s schema.Setting) bool { return s.Value != nil }) {
				continue
			}
			var w whereItShows
			w.search(text, now, leaf.Path)
			if len(w.Tried) == 0 {
				t.Errorf("%s: %s: no other value compiles", example, leaf.Path)
			}
			for name, part := range files {
				shown := slices.ContainsFunc(w.Shows, func(s shownFiles) bool {
					return slices.ContainsFunc(s.Paths, func(p string) bool { return strings.HasSuffix(p, part) })
				})
				if strings.HasPrefix(leaf.ShownIn(), name) && !shown {
					t.Errorf("%s: %s is documented to show in %s and does not; it was tried with %v", example, leaf.Path, leaf.Shows, w.Tried)
				}
			}
		}
	}
}
