package builder_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/templates"
)

// Each builder has its script, and the frontend, and each script is one's.
func TestScripts(t *testing.T) {
	files, err := fs.ReadDir(templates.FS, "builders")
	if err != nil {
		t.Fatal(err)
	}
	var scripts, names []string
	for _, f := range files {
		if name, ok := strings.CutSuffix(f.Name(), ".sh"); ok {
			scripts = append(scripts, name)
		}
	}
	for _, b := range builder.All() {
		names = append(names, b.Name)
	}
	names = append(names, builder.Volto.Name)
	slices.Sort(names)
	if !slices.Equal(names, scripts) {
		t.Errorf("there are the builders %v, and the scripts of %v", names, scripts)
	}
}

func TestRows(t *testing.T) {
	helpers := topology.JobNames()
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

func TestUvSays(t *testing.T) {
	b, _ := builder.Named("uv")
	if got := b.Changed(); got != "zope.conf, wsgi.ini, zeo.conf, zodbpack.conf, or what uv is run with, changed" {
		t.Errorf("%q", got)
	}
	for name, makes := range map[string]bool{"parts/client1": true, "bin": true, "var": true, "eggs": false, "src": false} {
		if b.Makes(name) != makes {
			t.Errorf("%s made: %v", name, !makes)
		}
	}
}

// Nobody but a builder's own files has the names in its row: the rest asks.
func TestTheRestAsks(t *testing.T) {
	var names []string
	for _, b := range builder.All() {
		names = append(names, b.Config())
		for _, p := range []builder.Program{b.Client, b.Zeo, b.Celery, b.Supervisor, b.ZeoControl} {
			names = append(names, strings.ReplaceAll(p.Path, "{name}", ""))
		}
		for _, h := range b.Helpers {
			for _, programs := range h.Programs {
				names = append(names, strings.Fields(programs)...)
			}
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
	// In Go in a string, where a shell has it anywhere; comments may say what they like.
	quoted := regexp.MustCompile(`["` + "`" + `](` + orOf(names) + `)`)
	bare := regexp.MustCompile(`(?m)(^|[^/\w])(` + orOf(names) + `)`)
	read := 0
	look := func(name string, word *regexp.Regexp, comment string) {
		t.Helper()
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		read++
		for line := range strings.Lines(string(text)) {
			if line, _, _ = strings.Cut(line, comment); word.MatchString(line) && !strings.HasPrefix(line, "#!") {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
	top := "../.."
	for _, pattern := range []string{"render/*.go", "internal/topology/*.go", "internal/graph/*.go", "internal/tree/*.go", "internal/plan/*.go", "internal/hosts/*.go", "internal/report/*.go", "internal/diff/*.go"} {
		files, err := filepath.Glob(filepath.Join(top, pattern))
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, name := range files {
			if !strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(filepath.Base(name), "deploycfg") && filepath.Base(name) != "instance.go" {
				look(name, quoted, "//")
			}
		}
	}
	err := filepath.WalkDir(filepath.Join(top, "templates/host"), func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			look(name, bare, "# ")
		}
		return err
	})
	if err != nil || read < 100 {
		t.Errorf("%d files: %v", read, err)
	}
}

// orOf is a pattern of each of the names, as they are.
func orOf(names []string) string {
	var all []string
	for _, name := range names {
		all = append(all, regexp.QuoteMeta(name))
	}
	return strings.Join(all, "|")
}
