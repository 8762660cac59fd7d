package schema

import (
	"os"
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
	for path, want := range map[string]string{
		"plone_instances.per_cpu":             "default     2",
		"deploy.<app>.scm.repository":         "deploy.<app>.scm.repository",
		"deploy.site.scm.ssh_key":             "secret      it never enters the tree",
		"deploy.site.always_build_on_deploy":  "also called always_build_on_deploy",
		"zeoserver.nfs_blobs":                 "not yet     nothing renders NFS mounts so far",
		"haproxy.httpclose":                   "deprecated  http_server_close takes its place",
		"haproxy":                             "  stats_url: The path of that page",
		"deploy.x.buildout_init_commands.cmd": "The program, inside the release or absolute.",
	} {
		text, ok := Explain(path)
		if !ok || !strings.Contains(text, want) {
			t.Errorf("%s: want %q in:\n%s", path, want, text)
		}
	}
	for path, want := range map[string]string{
		"per_cpu":       "did you mean plone_instances.per_cpu?",
		"haproxy.stats": "no attribute is called haproxy.stats",
		"":              "no attribute is called ",
	} {
		if text, ok := Explain(path); ok || !strings.Contains(text, want) {
			t.Errorf("%q: want %q in %q", path, want, text)
		}
	}
}
