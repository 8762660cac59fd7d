package schema

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// validator judges by the JSON Schema.
var validator = sync.OnceValues(func() (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(JSONSchema())))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("stack.schema.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("stack.schema.json") // which judges the schema by that of JSON Schema 2020-12
})

// faults are the places that the JSON Schema finds at fault in a stack.
func faults(t testing.TB, text string) []string {
	t.Helper()
	v, err := validator()
	if err != nil {
		t.Fatal(err)
	}
	stack, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	err = v.Validate(stack)
	if err == nil {
		return nil
	}
	var places []string
	var walk func(e *jsonschema.ValidationError, within string)
	walk = func(e *jsonschema.ValidationError, within string) {
		place := strings.Join(e.InstanceLocation, "/")
		if place == "" {
			place = within // a key has no place of its own
		}
		if len(e.Causes) == 0 {
			places = append(places, place)
		}
		for _, cause := range e.Causes {
			walk(cause, place)
		}
	}
	walk(err.(*jsonschema.ValidationError), "")
	return places
}

// takes makes sure that a stack without errors is valid by the JSON Schema.
func takes(t testing.TB, name, text string) {
	t.Helper()
	if places := faults(t, text); places != nil {
		t.Errorf("%s: the JSON Schema refuses %v", name, places)
	}
}

// TestJSONSchema holds docs/stack.schema.json against the schema.
func TestJSONSchema(t *testing.T) {
	const file = "../docs/stack.schema.json"
	text := string(JSONSchema())
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if mustRead(t, file) != text {
		t.Errorf("%s is stale: run go generate ./schema", file)
	}
	if string(JSONSchema()) != text {
		t.Error("it differs from one time to the next")
	}
	g := &generator{schema: compile(), defs: map[string]object{}}
	if g.stack(); g.left != nil {
		t.Errorf("left out: %q", g.left)
	}
	eachOwn(func(a *Attr) {
		if a.Default != nil && !strings.Contains(text, `"default": `+toJSON(a.Default)) || !strings.Contains(text, quote(a.hover())) && !strings.HasSuffix(a.Path, "]") && !strings.HasSuffix(a.Path, ">") {
			t.Errorf("%s: no default or description", a.Path)
		}
	})
}

// TestJSONSchemaTakes: what plonec takes is valid.
func TestJSONSchemaTakes(t *testing.T) {
	var files []string
	for _, glob := range []string{"../examples/*/*.json", "../testdata/*/*.stack.json", "../testdata/*/stack.json", "../e2e/*/*.json"} {
		more, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, more...)
	}
	if len(files) < 8 {
		t.Fatalf("only %d stacks", len(files))
	}
	for _, file := range files {
		takes(t, file, mustRead(t, file))
	}
	block := regexp.MustCompile("(?ms)^```json\n(.*?)^```")
	for _, file := range []string{"../README.md", "../docs/stack.md"} {
		for _, m := range block.FindAllStringSubmatch(mustRead(t, file), -1) {
			takes(t, file, m[1])
		}
	}
	takes(t, "ignored keys", `{"plonec": {"ignore": ["django"]}, "django": {"a": 1}, "layers": {"web": {"custom_json": {"django": 1}}}}`)
	takes(t, "nulls", `{"$schema": null, "plonec": null, "deploy": {"site": null, "other": {"scm": null, "domains": null, "packages": {"a": null}, "environment": {"A": null}}},
	  "haproxy": {"fall": null, "balance": null, "stats_password": null}, "layers": {"web": {"roles": null, "custom_json": {"haproxy": {"fall": null}}}}}`)
	takes(t, "other names", `{"$schema": "./stack.schema.json", "zeoserver": {"app_name": "x"}, "new_relic": {"infrastructure": true},
	  "layers": {"web": {"CustomJson": "{\"haproxy\": {}}", "CustomRecipes": {"Setup": ["a::b"]}}}, "deploy": {"site": {"environment_variables": {"A": 1, "B": true}}}}`)
}

// wider tells whether the JSON Schema may take what plonec refuses, as it says
// of itself.
func wider(path, probe string) bool {
	return probe == "2.0" || probe == "1e3" || probe == "1e300" || strings.HasSuffix(path, "custom_json") && strings.HasPrefix(probe, `"`)
}

// TestJSONSchemaProbes: plonec and the JSON Schema agree on each attribute with
// each probe and with its default, in the stack and in a custom_json.
func TestJSONSchemaProbes(t *testing.T) {
	names := strings.NewReplacer("<host>", "h", "<layer>", "l", "<app>", "x", "<variable>", "V", "<domain>", "domain",
		"<event>", "setup", "<file>", "/f", "<package>", "p", "<directory>", "d", "<path>", "d", "<cookie>", "c", "<name>", "n")
	valid, refused := 0, 0
	Root().each(func(a *Attr) {
		path := names.Replace(a.Path)
		if path == "" || strings.Contains(path, "$secret") {
			return
		}
		tried := append(slices.Clone(probes), "null")
		if a.Default != nil {
			tried = append(tried, toJSON(a.Default))
		}
		for _, probe := range tried {
			own := at(path, probe)
			for _, text := range []string{own, at("layers.l.custom_json", own)} {
				_, list := Load(read(t, "probe.json", text))
				good := !slices.ContainsFunc(list, func(d diag.Diagnostic) bool { return judged[d.Code] || d.Code == "not-in-layer" })
				if good {
					valid++
				} else {
					refused++
				}
				if got := faults(t, text) == nil; got != good && !(got && wider(path, probe)) {
					t.Errorf("%s: plonec says %v, the JSON Schema %v", text, good, got)
				}
			}
		}
	})
	if valid < 5000 || refused < 5000 {
		t.Errorf("only %d values that are valid, %d that are not", valid, refused)
	}
}

// at writes a stack that holds one value, and what a list's item needs beside.
func at(path, value string) string {
	needed := [][2]string{{"name", `"n"`}, {"cmd", `"c"`}, {"url", `"https://e.org/a.tar.gz"`}, {"path", `"shared/eggs"`}, {"bucket", `"abc"`}}
	kinds := map[string]string{"buildout_init_commands": "name cmd", "init_commands": "name cmd", "buildout_cache_archives": "url path", "cache_archives": "url path", "mounts": "bucket path"}
	keys := strings.Split(path, ".")
	for i, key := range slices.Backward(keys) {
		key, list := strings.CutSuffix(key, "[]")
		if list && i < len(keys)-1 {
			for _, n := range needed {
				if n[0] == "path" && key == "mounts" {
					n[1] = `"/mnt"`
				}
				if n[0] != keys[i+1] && slices.Contains(strings.Fields(kinds[key]), n[0]) {
					value = strings.TrimSuffix(value, "}") + ", " + strconv.Quote(n[0]) + ": " + n[1] + "}"
				}
			}
		}
		if list {
			value = "[" + value + "]"
		}
		value = "{" + strconv.Quote(key) + ": " + value + "}"
	}
	return value
}

// TestJSONSchemaParts: of stacks with mistakes, each part that has none is valid.
func TestJSONSchemaParts(t *testing.T) {
	files, _ := filepath.Glob("testdata/diagnostics/*.txtar")
	valid := 0
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tree := read(t, file, string(archive.Files[0].Data))
		for _, f := range tree.Fields {
			for _, g := range append(fieldsOf(f.Value), input.Field{Key: "", Value: f.Value}) {
				part := input.NewMap(f.Span, []input.Field{g})
				if g.Key == "" {
					part = f.Value
				}
				part = input.NewMap(tree.Span, []input.Field{{Key: f.Key, Value: part}})
				if _, list := Load(part); list.Errors() == 0 {
					valid++
					takes(t, file, toJSON(part))
				}
			}
		}
	}
	if valid < 20 {
		t.Errorf("only %d parts", valid)
	}
}

// TestJSONSchemaRefuses: what an editor should show, and where. plonec refuses
// each too.
func TestJSONSchemaRefuses(t *testing.T) {
	for _, c := range []struct{ name, place, stack string }{
		{"a misspelt key at the top", "haproxi", `{"haproxi": {}}`},
		{"in a section", "haproxy", `{"haproxy": {"stats_pasword": "x"}}`},
		{"in a section of plonec's own", "plonec/ssh", `{"plonec": {"ignore": ["x"], "ssh": {"prot": 22}}}`},
		{"in a section within a section", "plone_instances/relstorage/db", `{"plone_instances": {"relstorage": {"db": {"passwort": "x"}}}}`},
		{"of a host", "instances/app1", `{"instances": {"app1": {"adress": "10.0.0.1"}}}`},
		{"of a layer", "layers/web", `{"layers": {"web": {"rolls": []}}}`},
		{"of a host of OpsWorks", "opsworks/layers/lb/instances/h", `{"opsworks": {"layers": {"lb": {"instances": {"h": {"private": "10.0.0.1"}}}}}}`},
		{"of an app", "deploy/site", `{"deploy": {"site": {"buildout_extend": []}}}`},
		{"of an app's repository", "deploy/site/scm", `{"deploy": {"site": {"scm": {"repo": "x"}}}}`},
		{"in a list", "deploy/site/buildout_init_commands/0", `{"deploy": {"site": {"buildout_init_commands": [{"name": "a", "cmd": "b", "arg": "c"}]}}}`},
		{"in a custom_json", "layers/web/custom_json", `{"layers": {"web": {"custom_json": {"haproxi": {}}}}}`},
		{"deep in a custom_json", "opsworks/layers/web/CustomJson/haproxy", `{"opsworks": {"layers": {"web": {"CustomJson": {"haproxy": {"fal": 1}}}}}}`},
		{"of a reference", "haproxy/stats_password", `{"haproxy": {"stats_password": {"$secret": "env:A", "secret": "x"}}}`},
		{"beside ignored ones", "haproxy", `{"plonec": {"ignore": ["x"]}, "x": 1, "haproxy": {"y": 1}}`},
		{"a key that is missing", "s3fs_fuse/mounts/0", `{"s3fs_fuse": {"mounts": [{"bucket": "abc"}]}}`},
		{"a key that is no host's name", "instances", `{"instances": {"UPPER": {}}}`},
		{"a key that cannot differ from layer to layer", "layers/web/custom_json/instances", `{"layers": {"web": {"custom_json": {"instances": {}}}}}`},
		{"another", "layers/web/custom_json/plonec/ssh", `{"layers": {"web": {"custom_json": {"plonec": {"ssh": {}}}}}}`},
		{"a text for a number", "haproxy/fall", `{"haproxy": {"fall": "3"}}`},
		{"a number for a text", "plone_instances/site_id", `{"plone_instances": {"site_id": 3}}`},
		{"a text for a truth value", "deploy/site/ssl_support", `{"deploy": {"site": {"ssl_support": "true"}}}`},
		{"a text for a list", "deploy/site/domains", `{"deploy": {"site": {"domains": "www.example.com"}}}`},
		{"a list for a map", "haproxy", `{"haproxy": []}`},
		{"a number for the schema", "$schema", `{"$schema": 1}`},
		{"a null in a list", "deploy/site/domains/0", `{"deploy": {"site": {"domains": [null]}}}`},
		{"a list for a stack", "", `[]`},
		{"a number below its range", "haproxy/fall", `{"haproxy": {"fall": 0}}`},
		{"above it", "plone_instances/per_cpu", `{"plone_instances": {"per_cpu": 65}}`},
		{"at its open end", "plone_instances/per_cpu", `{"plone_instances": {"per_cpu": 0}}`},
		{"a port above its range", "memcached/port", `{"memcached": {"port": 65536}}`},
		{"a fraction", "haproxy/fall", `{"haproxy": {"fall": 1.5}}`},
		{"a duration above its range", "haproxy/check_interval", `{"haproxy": {"check_interval": 2147483648}}`},
		{"a value that is no choice", "haproxy/balance", `{"haproxy": {"balance": "leastcon"}}`},
		{"in a list", "layers/web/roles/0", `{"layers": {"web": {"roles": ["client"]}}}`},
		{"of a host", "instances/app1/status", `{"instances": {"app1": {"status": "up"}}}`},
		{"a text that does not fit its pattern", "instances/app1/address", `{"instances": {"app1": {"address": "10.0.0.300"}}}`},
		{"what it must not hold", "deploy/site/deploy_to", `{"deploy": {"site": {"deploy_to": "/srv/../etc"}}}`},
		{"a text that is too long", "deploy/site/deploy_to", `{"deploy": {"site": {"deploy_to": "/` + strings.Repeat("a", 1024) + `"}}}`},
		{"a duration's unit", "plonec/drain_timeout", `{"plonec": {"drain_timeout": "1w"}}`},
		{"two lines", "plone_instances/relstorage/db/user", `{"plone_instances": {"relstorage": {"db": {"user": "a\nb"}}}}`},
		{"a blank at the end", "plone_instances/relstorage/db/user", `{"plone_instances": {"relstorage": {"db": {"user": "a\u3000"}}}}`},
		{"a reference to nothing", "haproxy/stats_password/$secret", `{"haproxy": {"stats_password": {"$secret": "vault:x"}}}`},
	} {
		if places := faults(t, c.stack); !slices.Contains(places, c.place) {
			t.Errorf("%s: want a fault at %q, got %q", c.name, c.place, places)
		}
		if _, list := Load(read(t, "stack.json", c.stack)); list.Errors() == 0 {
			t.Errorf("%s: plonec takes it", c.name)
		}
	}
}

// TestECMA: a rewritten pattern matches what the original does, and is written
// in what all validators know.
func TestECMA(t *testing.T) {
	for pattern, want := range map[string]string{
		`^[^\s\pZ]$`:           "^[^\\t\\n\\x0c\\x0d \\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$",
		`\Aa.b\z`:              `^a[^\n]b$`,
		`(?i)kb`:               "[Kk\u212a][Bb]",
		`(?s)a.b`:              `a[\s\S]b`,
		`^[^\x00-\x1f\x{9f}]`:  `^[^\x00-\x1f\x9f]`,
		`^(ab|ac|x|)$`:         `^(?:a[bc]|x|)$`,
		`(a|b{2,3}?|(cd){2,})`: `(?:a|b{2,3}?|(?:cd){2,})`,
		`[\]^\\-]\.\[`:         `[\-\\-\^]\.\[`,
		`(ab)*c??d+`:           `(?:ab)*c??d+`,
		`\bx\B`:                `\bx\B`,
	} {
		got, ok := ecma(pattern)
		if !ok || got != want {
			t.Errorf("%s: got %s, want %s", pattern, got, want)
			continue
		}
		before, after := regexp.MustCompile(pattern), regexp.MustCompile(got)
		for _, text := range []string{"", "a", "ab", "ac", "x", "a\nb", "axb", "axb\n", "KB", "\u212ab", "kB", "\u3000", "\u00a0", "\x1f", "\u009f", "b", "bbb", "cdcd", "].[", "^.[", "\\.[", "-.[", "_.[", "abcd", "cd", "d", "x y", "xy"} {
			if before.MatchString(text) != after.MatchString(text) {
				t.Errorf("%s and %s differ on %q", pattern, got, text)
			}
		}
	}
	for _, pattern := range []string{`(?m)^a`, `[^\x00-\x{10ffff}]`, `(`} {
		if got, ok := ecma(pattern); ok {
			t.Errorf("%s became %s", pattern, got)
		}
	}
}
