package builder_test

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/templates"
)

// Each builder has its script, and each script is one's.
func TestScripts(t *testing.T) {
	files, err := fs.ReadDir(templates.FS, "builders")
	if err != nil {
		t.Fatal(err)
	}
	var scripts, names []string
	for _, f := range files {
		scripts = append(scripts, strings.TrimSuffix(f.Name(), ".sh"))
	}
	for _, b := range builder.All() {
		names = append(names, b.Name)
	}
	slices.Sort(names)
	if !slices.Equal(names, scripts) {
		t.Errorf("there are the builders %v, and the scripts of %v", names, scripts)
	}
}

func TestRows(t *testing.T) {
	var helpers []string
	for _, h := range topology.Helpers() {
		helpers = append(helpers, h.Name)
	}
	for _, b := range builder.All() {
		if got, ok := builder.Named(b.Name); got != b || !ok {
			t.Errorf("%s is found as %v", b.Name, got)
		}
		// What else a release is made of is in build.conf, whoever makes it.
		if i := slices.IndexFunc(b.Inputs, func(in builder.Input) bool { return in.File == "build.conf" }); i < 0 || b.Inputs[i].Lines != "BUILD_" {
			t.Errorf("%s: another build.conf makes no other release", b.Name)
		}
		for _, h := range b.Helpers {
			if !slices.Contains(helpers, h.Name) {
				t.Errorf("%s: nothing runs the helper %s", b.Name, h.Name)
			}
		}
		for _, p := range b.Parts {
			if _, err := path.Match(p.Path, ""); err != nil || strings.Contains(p.Path, "/") {
				t.Errorf("%s: %q is no file or folder of a release: %v", b.Name, p.Path, err)
			}
			if !slices.Contains([]builder.Whose{builder.Host, builder.Kind, builder.Making}, p.Whose) {
				t.Errorf("%s: nobody knows whose %s is: %q", b.Name, p.Path, p.Whose)
			}
		}
	}
	if b, ok := builder.Named(""); b != builder.Default() || !ok {
		t.Errorf("without a name: %v", b)
	}
	if b, ok := builder.Named("make"); b != nil || ok {
		t.Errorf("one that is not known: %v", b)
	}
}

// What a host's scripts say, and what a stack may share.
func TestBuildout(t *testing.T) {
	b := builder.Default()
	if got := b.Changed(); got != "deploy.cfg, or what the buildout is run with, changed" {
		t.Errorf("%q", got)
	}
	for name, apart := range map[string]bool{
		"parts": true, "bin/client1": true, ".venv/lib": true, "src": true, "develop-eggs": true,
		"eggs": false, "var": false, "partsbin": false, "media/bin": false,
	} {
		if b.Apart(name) != apart {
			t.Errorf("%s apart: %v", name, !apart)
		}
	}
	if p, ok := b.Part("plonec-secret-12.cfg"); !ok || p.Whose != builder.Host {
		t.Errorf("a secret configuration: %+v", p)
	}
}
