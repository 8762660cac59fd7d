package schema

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestReference holds docs/attributes.md against the schema.
func TestReference(t *testing.T) {
	const file = "../docs/attributes.md"
	want := Reference()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if mustRead(t, file) != want {
		t.Errorf("%s is stale: run go generate ./schema", file)
	}
	eachOwn(func(a *Attr) {
		if !strings.HasSuffix(a.Path, ">") && !strings.HasSuffix(a.Path, "[]") && a.kindWords() != "a map" && !strings.Contains(want, "| `"+a.Path+"` |") {
			t.Errorf("%s is not in the reference", a.Path)
		}
	})
}

// TestExplain looks an attribute up in each way that people write it.
func TestExplain(t *testing.T) {
	for path, want := range map[string][2]string{
		"plone_instances.per_cpu":             {"default", "2"},
		"deploy.site.scm.ssh_key":             {"secret", "it never enters the tree"},
		"deploy.site.always_build_on_deploy":  {"also called", "always_build_on_deploy"},
		"zeoserver.nfs_blobs":                 {"not yet", "nothing renders NFS mounts so far"},
		"haproxy.httpclose":                   {"deprecated", "http_server_close takes its place"},
		`instances."app1.example.com".cpus`:   {"type", "a whole number, 1 to 1024"},
		"deploy.x.buildout_init_commands.cmd": {"type", Lookup("deploy.<app>.buildout_init_commands[].cmd").Type},
		"layers.big.custom_json.haproxy.fall": {"default", "3"},
		"deploy.site.parts.zeo_address":       {"type", `"" or an option of the buildout, such as "zeo:zeo-address"; not in a section of buildout's or plonec's own`},
		"deploy.site.parts.backup":            {"shows in", "deploy.cfg: parts"},
		"plone_instances.subsites":            {"type", `a map of domain to "" or "/" or a path of ids in Zope, such as news/archive`},
	} {
		if a := Lookup(path); a == nil || !slices.Contains(a.Rows(), want) {
			t.Errorf("%s: want %q", path, want)
		}
	}
	for _, f := range Lookup("deploy.site.parts").Fields {
		if f.Name != "keep" && !strings.Contains(f.Doc, `"": `) && !strings.HasSuffix(f.Doc, "It cannot be left out.") {
			t.Errorf("%s does not say what \"\" does: %s", f.Path, f.Doc)
		}
	}
	for _, n := range needs { // of attributes that one builder reads: which
		if remedy := Lookup(n.path).Needs(); strings.Contains(remedy, "builder") && !strings.HasPrefix(remedy, "only uv reads it") && !strings.HasPrefix(remedy, "only buildout reads it") {
			t.Errorf("%s: %s", n.path, remedy)
		}
	}
	for path, want := range map[string]string{
		"per_cpu":       "did you mean plone_instances.per_cpu or volto.per_cpu?",
		"haproxy.stats": "there is no attribute haproxy.stats",
		"wrong-tpye":    "did you mean wrong-type?",
		"haprxy.fall":   "did you mean haproxy.fall?",
		"instanses":     "did you mean instances",
		"":              "there is no attribute, group or code ",
	} {
		if Lookup(path) != nil {
			t.Errorf("%q is an attribute", path)
		}
		if text := NotFound(path, []string{"wrong-type"}); !strings.Contains(text, want) {
			t.Errorf("%q: want %q in %q", path, want, text)
		}
	}
}
