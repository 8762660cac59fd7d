package topology_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

func systems() (ids []string) {
	for _, s := range topology.Systems() {
		ids = append(ids, s.ID)
	}
	return ids
}

// What the schema takes is in the tables, and nothing else is.
func TestTablesAreTheSchemas(t *testing.T) {
	var plones, databases, builders []string
	for _, b := range builder.All() {
		builders = append(builders, b.Name)
	}
	for _, p := range topology.Plones() {
		plones = append(plones, p.Version)
	}
	for _, d := range topology.Databases() {
		databases = append(append(databases, d.Type), d.Names...)
	}
	for path, table := range map[string][]string{"plonec.os": systems(), "instances.x.os": systems(), "plonec.plone_version": plones, "deploy.x.builder": builders} {
		if enum := schema.Lookup(path).Enum; !slices.Equal(enum, table) {
			t.Errorf("%s takes %v, the table has %v", path, enum, table)
		}
	}
	for _, name := range schema.Lookup("plone_instances.relstorage.db.type").Enum {
		if !slices.Contains(databases, name) {
			t.Errorf("no database is called %s", name)
		}
	}
	derived := schema.Lookup("deploy.x.buildout_version").Derived
	for _, p := range topology.Plones() {
		if !strings.Contains(derived, p.Buildout) {
			t.Errorf("deploy.<app>.buildout_version is said to be %q, and is %s for Plone %s", derived, p.Buildout, p.Version)
		}
	}
}

// A value that is in no table is an error, and not one of the known ones.
func TestNotInTheTables(t *testing.T) {
	tree, _ := input.ReadJSON(&diag.File{Name: "stack.json", Content: []byte(`{
  "plonec": {"os": "plan9", "plone_version": "9.9"},
  "instances": {
    "a": {"layers": ["plone_instances"], "address": "10.0.0.1", "cpus": 1},
    "b": {"layers": ["x"], "address": "10.0.0.2", "os": "debian99"},
    "c": {"layers": ["plone_instances"], "address": "10.0.0.3", "cpus": 1}
  },
  "layers": {"x": {"roles": ["clock"]}}, ` + apps + `}`)})
	decoded, _ := schema.Load(tree)
	_, diags := topology.Resolve(decoded)
	var got []string
	for _, d := range diags.Sorted() {
		if d.Code == "not-in-table" {
			got = append(got, d.Path)
		}
	}
	if want := []string{"plonec.os", "plonec.plone_version", "instances.b.os", "layers.x.roles"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// The tests that ask a system's own programs know the systems, and what
// docs/versions.md says that they ran is what the files are written for.
func TestSystemsAreTested(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	script, versions := read("../../testdata/systems"), read("../../docs/versions.md")
	if want := "\nsystems='" + strings.Join(systems(), " ") + "'\n"; !strings.Contains(script, want) {
		t.Errorf("testdata/systems has no line %q", want)
	}
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([0-9]+\\.[0-9]+)\\S* \\| ([0-9]+\\.[0-9]+)\\S* \\| ([0-9]+\\.[0-9]+)\\S* \\| ([0-9]+)\\S* \\| \\S+ \\| ([0-9]+\\.[0-9]+)\\.([0-9]+)").FindAllStringSubmatch(versions, -1)
	var told []string
	for _, row := range rows {
		told = append(told, row[1])
		s, ok := topology.SystemOf(row[1])
		if ok && (row[2] != s.Haproxy.String() || row[3] != s.Nginx.String() || row[4] != s.Varnish.String() || row[5] != strings.TrimSuffix(s.Systemd.String(), ".0") || row[6] != s.Python.String() || s.Patch > 0 && row[7] != strconv.Itoa(s.Patch)) {
			t.Errorf("docs/versions.md has %v, files are written for %+v", row[1:], s)
		}
	}
	if !slices.Equal(told, systems()) {
		t.Errorf("docs/versions.md has %v, the table %v", told, systems())
	}
	for _, p := range topology.Plones() {
		setuptools := "any"
		if p.Setuptools != "" {
			setuptools = "below " + p.Setuptools
		}
		if row := fmt.Sprintf("\n| %s | %s | %s | %s |", p.Version, strings.Join(p.Pythons, ", "), p.Buildout, setuptools); !strings.Contains(versions, row) {
			t.Errorf("docs/versions.md has no row %q", row[1:])
		}
	}
	for _, s := range topology.Systems() {
		if !strings.Contains(script, "\n\t"+s.ID+") echo "+s.Suite+" ") {
			t.Errorf("testdata/systems does not make %s from %s", s.ID, s.Suite)
		}
	}
}
