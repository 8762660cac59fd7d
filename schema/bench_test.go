package schema

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	cuejson "cuelang.org/go/encoding/json"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// bigStack writes a stack of as many hosts, in four layers, or each in a layer
// of its own with custom_json.
func bigStack(hosts int, ownLayers bool) string {
	layers, instances := map[string]any{}, map[string]any{}
	for i := range hosts {
		role := []string{"lb", "plone_instances", "zeoserver", "memcached"}[min(i, 3)]
		if i > 3 {
			role = "plone_instances"
		}
		in := []string{role}
		if ownLayers {
			own := fmt.Sprintf("own%d", i)
			layers[own] = map[string]any{"roles": []string{}, "custom_json": map[string]any{
				"plone_instances": map[string]any{"per_cpu": 1 + i%4, "zodb_cache_size": 10000 + i},
				"haproxy":         map[string]any{"fall": 1 + i%9},
			}}
			in = append(in, own)
		}
		instances[fmt.Sprintf("host%d", i)] = map[string]any{
			"layers": in, "address": fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), "cpus": 4, "instance_type": "m5.xlarge", "status": "online",
		}
	}
	text, err := json.MarshalIndent(map[string]any{
		"plonec":          map[string]any{"plone_version": "6.1"},
		"plone_instances": map[string]any{"app_name": "site", "site_id": "Plone"},
		"haproxy":         map[string]any{"stats_password": map[string]any{"$secret": "env:STATS"}, "rise": 3},
		"deploy":          map[string]any{"site": map[string]any{"scm": map[string]any{"repository": "https://git.example.com/site.git"}, "domains": []string{"www.example.com"}}},
		"instances":       instances, "layers": layers,
	}, "", "  ")
	if err != nil {
		panic(err)
	}
	return string(text)
}

// BenchmarkLoad compares reading, checking, decoding and every host's view with the
// floor: bare CUE on the same stack (Extract, BuildExpr, one Unify, Validate).
func BenchmarkLoad(b *testing.B) {
	compile()
	for _, own := range []bool{false, true} {
		shape := "four-layers"
		if own {
			shape = "own-layers"
		}
		for _, hosts := range []int{1, 10, 100, 1000, 5000} {
			text := bigStack(hosts, own)
			name := fmt.Sprintf("%s/hosts=%d/", shape, hosts)
			b.Run(name+"plonec", func(b *testing.B) {
				measure(b, func() {
					tree, list := input.ReadJSON(&diag.File{Name: "stack.json", Content: []byte(text)})
					if list.Errors() > 0 {
						b.Fatal(list)
					}
					d, list := Load(tree)
					if list.Errors() > 0 {
						b.Fatal(printed(list))
					}
					for _, instance := range d.Base.Instances {
						if _, list := d.View(instance.Layers); len(list) > 0 {
							b.Fatal(list)
						}
					}
				})
			})
			b.Run(name+"cue", func(b *testing.B) {
				measure(b, func() {
					if err := bareCUE(text); err != nil {
						b.Fatal(err)
					}
				})
			})
		}
	}
}

// measure runs f and reports what it allocates.
func measure(b *testing.B, f func()) {
	b.ReportAllocs()
	for b.Loop() {
		f()
	}
}

// bareCUE validates a stack as a whole.
func bareCUE(text string) error {
	c := compile()
	c.mu.Lock()
	defer c.mu.Unlock()
	expr, err := cuejson.Extract("stack.json", []byte(text))
	if err != nil {
		return err
	}
	stack := c.top.LookupPath(cue.ParsePath("#Stack"))
	return stack.Unify(c.ctx.BuildExpr(expr)).Validate(cue.Concrete(true), cue.Final())
}

// TestBenchmarkStack: the stacks that are measured are valid ones.
func TestBenchmarkStack(t *testing.T) {
	for _, own := range []bool{false, true} {
		text := bigStack(5, own)
		if err := bareCUE(text); err != nil {
			t.Error(err)
		}
		if d := load(t, text); len(d.Base.Instances) != 5 || strings.Contains(text, "own4") != own {
			t.Error("not the stack that was meant")
		}
	}
}
