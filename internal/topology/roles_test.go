package topology_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// The schema takes the roles of the table, and no other.
func TestRolesAreTheSchemas(t *testing.T) {
	var table []string
	for _, d := range topology.Roles() {
		table = append(table, string(d.Role))
	}
	for _, path := range []string{"layers.x.roles", "opsworks.layers.x.roles"} {
		if enum := schema.Lookup(path).Item.Enum; !slices.Equal(enum, table) {
			t.Errorf("%s takes %v, the table has %v", path, enum, table)
		}
	}
}

// Every row says what its readers need.
func TestRolesAreWhole(t *testing.T) {
	for _, d := range topology.Roles() {
		if d.Does == "" || d.Stage == topology.AtVisitors {
			t.Errorf("%s: the row lacks what it does, or its column", d.Role)
		}
		if len(d.Layers)+len(d.Recipes) == 0 && d.Names.Path == "" {
			t.Errorf("%s: no layer has it but by its roles", d.Role)
		}
		if !d.Beside && len(service.Of(string(d.Role))) == 0 {
			t.Errorf("%s: no service is the role's", d.Role)
		}
		if d.Names.Path != "" && schema.Lookup(d.Names.Path) == nil {
			t.Errorf("%s: there is no attribute %s", d.Role, d.Names.Path)
		}
		if _, known := diag.Codes["two-"+string(d.Role)]; d.OnApp != nil && !known {
			t.Errorf("%s: the catalogue has no two-%s", d.Role, d.Role)
		}
	}
}

// A layer's name, the attribute that names it and its recipes give it its role.
func TestRolesOfLayers(t *testing.T) {
	for _, d := range topology.Roles() {
		stacks := map[string]string{}
		for _, name := range d.Layers {
			stacks["the name "+name] = fmt.Sprintf(`{"instances": {"a": {"layers": [%q], "address": "10.0.0.1", "cpus": 1}}}`, name)
		}
		for _, recipe := range d.Recipes {
			recipe = strings.TrimSuffix(recipe, ":") + map[bool]string{true: ":x"}[strings.HasSuffix(recipe, ":")]
			stacks["the recipe "+recipe] = fmt.Sprintf(`{"instances": {"a": {"layers": ["x"], "address": "10.0.0.1", "cpus": 1}}, "layers": {"x": {"custom_recipes": {"Setup": [%q]}}}}`,
				recipe+map[bool]string{true: "x"}[strings.HasSuffix(recipe, "-")])
		}
		if section, key, ok := strings.Cut(d.Names.Path, "."); ok {
			stacks["the attribute "+d.Names.Path] = fmt.Sprintf(`{"instances": {"a": {"layers": ["x"], "address": "10.0.0.1", "cpus": 1}}, %q: {%q: "x"}}`, section, key)
		}
		for what, stack := range stacks {
			got, _ := resolve(t, stack)
			if h := got.Hosts[0]; !slices.Equal(h.Roles, []topology.Role{d.Role}) {
				t.Errorf("%s gives %v, not %s", what, h.Roles, d.Role)
			}
		}
	}
}

// What others need is set up first.
func TestRank(t *testing.T) {
	got, _ := resolve(t, `{"instances": {
	  "web":   {"layers": ["lb", "plone_instances"], "address": "10.0.0.1", "cpus": 1},
	  "app":   {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1},
	  "all":   {"layers": ["plone_instances", "zeoserver"], "address": "10.0.0.3", "cpus": 1},
	  "cache": {"layers": ["memcached"], "address": "10.0.0.4"},
	  "spare": {"layers": ["spare"], "address": "10.0.0.5"}}, "layers": {"spare": {"roles": []}}, `+apps+`}`)
	want := map[string]topology.Rank{
		"web": topology.RankFronts, "app": topology.RankClients, "all": topology.RankStorage, "cache": topology.RankStorage, "spare": topology.RankClients,
	}
	for _, h := range got.Hosts {
		if h.Rank() != want[h.Name] {
			t.Errorf("%s has the rank %d, not %d", h.Name, h.Rank(), want[h.Name])
		}
	}
}

// What an unknown layer explains is not said beside it.
func TestUnknownLayerOfClients(t *testing.T) {
	_, diags := resolve(t, `{"instances": {"a": {"layers": ["lb"], "address": "10.0.0.1"}, "b": {"layers": ["clients"], "address": "10.0.0.2"}}}`)
	if n := diags.Errors(); n != 1 || !slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == "unknown-layer" }) {
		t.Errorf("%+v", diags)
	}
}

// A layer that nothing names is an error, where the host names it.
func TestUnknownLayers(t *testing.T) {
	stack := `{"instances": {
  "a": {"layers": ["nowhere", "memcache"], "address": "10.0.0.1"},
  "b": {"layers": ["solr"], "address": "10.0.0.2"},
  "c": {"layers": ["search", "ebs_snapshots"], "address": "10.0.0.3"},
  "d": {"layers": ["zeo", "haproxy", "database", "clients"], "address": "10.0.0.4"}
}, "plone_instances": {"solr_layer": "search"}}`
	_, diags := resolve(t, stack)
	var got []string
	for _, d := range diags.Sorted() {
		if d.Code == "unknown-layer" {
			got = append(got, fmt.Sprintf("%d: %s: %s; %s", d.Span.Line(), d.Path, d.Message, d.Remedy))
		}
	}
	want := []string{
		`2: instances.a.layers: the layer "nowhere" does not exist; name it in layers, with its roles`,
		`2: instances.a.layers: the layer "memcache" does not exist; did you mean memcached?`,
		`3: instances.b.layers: the layer "solr" does not exist; did you mean search?`,
		`5: instances.d.layers: the layer "zeo" does not exist; did you mean zeoserver?`,
		`5: instances.d.layers: the layer "haproxy" does not exist; did you mean lb?`,
		`5: instances.d.layers: the layer "database" does not exist; did you mean zeoserver?`,
		`5: instances.d.layers: the layer "clients" does not exist; did you mean plone_instances?`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Many of them are found soon.
func TestManyUnknownLayers(t *testing.T) {
	var layers, instances []string
	for i := range 10_000 {
		layers = append(layers, fmt.Sprintf(`"plone_instancez_%d": {}`, i))
		instances = append(instances, fmt.Sprintf(`"h%d": {"layers": ["plone_instancez_%dx"], "address": "h%d"}`, i, i, i))
	}
	start := time.Now()
	_, diags := resolve(t, `{"layers": {`+strings.Join(layers, ",")+`}, "instances": {`+strings.Join(instances, ",")+`}}`)
	if took := time.Since(start); took > 20*time.Second || diags.Errors() != 10_000 {
		t.Errorf("%d errors in %v", diags.Errors(), took)
	}
}

// Each service belongs to a role that there is.
func TestServicesHaveRoles(t *testing.T) {
	for _, s := range service.All() {
		if !slices.ContainsFunc(topology.Roles(), func(d topology.Duty) bool { return string(d.Role) == s.Role }) {
			t.Errorf("%s: there is no role %q", s.Name, s.Role)
		}
	}
}
