package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/parser"
	cuejson "cuelang.org/go/encoding/json"
)

// BenchmarkBuild measures whole builds, as a user starts them, at growing
// numbers of hosts of 4 clients, in two shapes: four layers, and every host
// with a custom_json of its own. Beside each stand its floors, measured in the
// same run: validating the same stack with bare CUE, and copying the same tree
// with cp -r. All times are of the CPU, user and system together, which other work on
// the machine disturbs least. The aims are, times the floor, x-build of at most 1.1 and
// x-known of at most 0.5, and x-memory, times bare CUE's, of at most 1.5; on tmpfs
// (TMPDIR=/dev/shm).
//
// BENCH=small stops at 100 hosts.
func BenchmarkBuild(b *testing.B) {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	sizes := []int{1, 10, 100, 1000, 5000}
	if os.Getenv("BENCH") == "small" {
		sizes = sizes[:3]
	}
	for _, shape := range []string{"layers", "views"} {
		for _, n := range sizes {
			b.Run(fmt.Sprintf("%s/hosts=%d", shape, n), func(b *testing.B) {
				const rounds = 5
				for range b.N {
					var all []round
					for range rounds {
						all = append(all, oneRound(b, self, benchStack(n, shape == "views")))
					}
					median := func(f func(round) float64) float64 {
						var list []float64
						for _, r := range all {
							list = append(list, f(r))
						}
						slices.Sort(list)
						return list[len(list)/2]
					}
					b.ReportMetric(median(func(r round) float64 { return r.first }), "ms-build")
					b.ReportMetric(median(func(r round) float64 { return r.peak }), "MB-peak")
					b.ReportMetric(median(func(r round) float64 { return r.second }), "ms-second")
					b.ReportMetric(median(func(r round) float64 { return r.known }), "ms-known")
					b.ReportMetric(median(func(r round) float64 { return r.cue }), "ms-cue")
					b.ReportMetric(median(func(r round) float64 { return r.cuePeak }), "MB-cue")
					b.ReportMetric(median(func(r round) float64 { return r.cp }), "ms-cp")
					b.ReportMetric(median(func(r round) float64 { return r.first / (r.cue + r.cp) }), "x-build")
					b.ReportMetric(median(func(r round) float64 { return r.peak / r.cuePeak }), "x-memory")
					b.ReportMetric(median(func(r round) float64 { return r.second / (r.cue + r.cp) }), "x-second")
					b.ReportMetric(median(func(r round) float64 { return r.known / (r.cue + r.cp) }), "x-known")
				}
			})
		}
	}
}

// A round is one measurement: milliseconds of the CPU, and megabytes of peak memory.
// first, and second with nothing changed, are outside of a git repository; known is with
// nothing changed in a checkout, which holds a record of large trees.
type round struct{ first, peak, second, known, cue, cuePeak, cp float64 }

func oneRound(b *testing.B, self string, stack []byte) round {
	dir := b.TempDir()
	name, tree := filepath.Join(dir, "stack.json"), filepath.Join(dir, "build")
	if err := os.WriteFile(name, stack, 0o644); err != nil {
		b.Fatal(err)
	}
	build := func() (ms, mb float64) { return timed(b, self, "PLONEC_BENCH=plonec", "build", name, "-o", tree) }
	var r round
	r.first, r.peak = build()
	r.cp, _ = timed(b, "cp", "", "-r", tree, tree+".copy")
	r.cue, r.cuePeak = timed(b, self, "PLONEC_BENCH=cue", name)
	r.second, _ = build()
	timed(b, "git", "", "init", "-q", dir)
	build()
	r.known, _ = build()
	for _, made := range []string{tree, tree + ".copy"} { // the memory is for the next round
		if err := os.RemoveAll(made); err != nil {
			b.Fatal(err)
		}
	}
	return r
}

// timed runs a command and gives the time that it and its children had of the CPU in
// milliseconds, and its peak memory in megabytes.
func timed(b *testing.B, name, env string, args ...string) (ms, mb float64) {
	b.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = os.Environ()
	if env != "" {
		cmd.Env = append(cmd.Env, env)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		b.Fatalf("%v: %v\n%s", cmd.Args, err, out.Bytes())
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return float64(used.Microseconds()) / 1000, float64(usage.Maxrss) / 1024
}

// benchStack is a stack of n hosts, most of which run 4 clients.
func benchStack(n int, views bool) []byte {
	instances, layers := map[string]any{}, map[string]any{}
	for i := range n {
		address := fmt.Sprintf("10.%d.%d.%d", i/62500, i/250%250, i%250+1)
		in, name := []string{"plone_instances"}, fmt.Sprintf("app%04d", i)
		switch {
		case i == 0 && n == 1:
			in = []string{"lb", "plone_instances", "zeoserver"}
		case i == 0:
			in, name = []string{"lb"}, "lb0"
			if n < 4 {
				in = append(in, "plone_instances")
			}
		case i == 1:
			in, name = []string{"zeoserver"}, "db0"
		}
		if views && (i > 1 || n < 3) { // elsewhere it would have no effect
			layer := fmt.Sprintf("own%04d", i)
			layers[layer] = map[string]any{
				"roles":       []string{},
				"custom_json": map[string]any{"plone_instances": map[string]any{"zodb_cache_size": 20000 + i}},
			}
			in = append(in, layer)
		}
		instances[name] = map[string]any{"layers": in, "address": address, "cpus": 2}
	}
	scm := map[string]any{"scm": map[string]any{"repository": "https://git.example.org/buildout.git"}}
	data, err := json.MarshalIndent(map[string]any{
		"instances": instances, "layers": layers,
		"plone_instances": map[string]any{"shared_blobs": false},
		"haproxy":         map[string]any{"stats_password": map[string]any{"$secret": "env:STATS"}},
		"deploy": map[string]any{
			"plone_instances": map[string]any{"domains": []string{"www.example.org"}, "scm": scm["scm"]}, "zeoserver": scm,
		},
	}, "", "  ")
	if err != nil {
		panic(err)
	}
	return data
}

// bareCUE validates a stack with nothing but CUE: the floor of the benchmark.
func bareCUE(stack string) {
	sources, err := filepath.Glob("../../schema/*.cue")
	if err != nil || len(sources) == 0 {
		panic("no schema")
	}
	inst := build.NewContext().NewInstance("", nil)
	for _, name := range sources {
		file, err := parser.ParseFile(name, nil, parser.ParseComments)
		if err == nil {
			err = inst.AddSyntax(file)
		}
		if err != nil {
			panic(err)
		}
	}
	if err := inst.Complete(); err != nil {
		panic(err)
	}
	ctx := cuecontext.New()
	schema := ctx.BuildInstance(inst).LookupPath(cue.ParsePath("#Stack"))
	data, err := os.ReadFile(stack)
	if err != nil {
		panic(err)
	}
	expr, err := cuejson.Extract(stack, data)
	if err != nil {
		panic(err)
	}
	if err := schema.Unify(ctx.BuildExpr(expr)).Validate(cue.Concrete(true), cue.Final()); err != nil {
		panic(err)
	}
}
