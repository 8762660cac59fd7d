package project

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/plonec/plonec/internal/diag"
)

// BenchmarkCheck measures what --buildout adds to check for one layer of hosts, the writing
// of their deploy.cfg among it, beside
// what buildout's own reader takes for one of them, in turns. All times are of the CPU,
// user and system together, in milliseconds. The aim is an x-buildout of at most 1.5 for
// any number of hosts.
//
// BENCH=small stops at 100 hosts.
func BenchmarkCheck(b *testing.B) {
	sizes := []int{1, 10, 100, 1000}
	if os.Getenv("BENCH") == "small" {
		sizes = sizes[:3]
	}
	project := b.TempDir()
	if err := os.CopyFS(project, os.DirFS("../../examples/buildout")); err != nil {
		b.Fatal(err)
	}
	// As many pins as a Plone has.
	pins := "[versions]\n"
	for i := range 600 {
		pins += fmt.Sprintf("package.of.a.plone.%d = 1.%d.0\n", i, i%7)
	}
	pins += "\n[buildout]\nextends = cfg/base.cfg\nversions = versions\n"
	if err := os.WriteFile(filepath.Join(project, "pins.cfg"), []byte(pins), 0o644); err != nil {
		b.Fatal(err)
	}
	for _, n := range sizes {
		b.Run(fmt.Sprintf("hosts=%d", n), func(b *testing.B) {
			instances := map[string]any{"db1": map[string]any{"layers": []string{"zeoserver"}, "address": "10.255.0.1"}}
			for i := range n {
				instances[fmt.Sprintf("app%d", i)] = map[string]any{"layers": []string{"plone_instances"}, "address": fmt.Sprintf("10.0.%d.%d", i/250, i%250+1), "cpus": 4}
			}
			stack, err := json.Marshal(map[string]any{
				"instances":       instances,
				"plone_instances": map[string]any{"app_name": "site", "shared_blobs": false, "base_config": "pins.cfg"},
				"plone_zeoserver": map[string]any{"app_name": "data"},
				"deploy": map[string]any{
					"site": map[string]any{"scm": map[string]any{"repository": "https://git.example.com/buildout.git"}},
					"data": map[string]any{"scm": map[string]any{"repository": "https://git.example.com/buildout.git"}},
				},
			})
			if err != nil {
				b.Fatal(err)
			}
			name := filepath.Join(b.TempDir(), "stack.json")
			if err := os.WriteFile(name, stack, 0o644); err != nil {
				b.Fatal(err)
			}
			topo, deployCfg := stackOf(b, name)
			if err := os.WriteFile(filepath.Join(project, DeployCfg), []byte(deployCfg("app0", "site")), 0o644); err != nil {
				b.Fatal(err)
			}
			first := topo.Hosts[0].Apps[0]
			c := &closure{dir: project, app: first, texts: &texts{files: map[string]*diag.File{}}}
			venv, err := buildoutVenv(c.buildoutVersion())
			if err != nil {
				b.Fatal(err)
			}
			const rounds = 5
			for range b.N {
				var ours, theirs, times []float64
				for range rounds {
					ours = append(ours, used(b, func() error {
						deployCfg, err := DeployCfgs(topo)
						if err != nil {
							return err
						}
						list, err := Check(topo, map[string]string{"site": project}, deployCfg, false)
						if err == nil && len(list) > 0 {
							err = fmt.Errorf("%v", list)
						}
						return err
					}))
					theirs = append(theirs, used(b, func() error {
						c := exec.Command(venv+"/bin/python", "-c", `from zc.buildout.buildout import main; main(["-U", "-c", "deploy.cfg", "annotate"])`)
						c.Dir = project
						return c.Run()
					}))
					times = append(times, ours[len(ours)-1]/theirs[len(theirs)-1])
				}
				b.ReportMetric(median(ours), "ms-check")
				b.ReportMetric(median(theirs), "ms-buildout")
				b.ReportMetric(median(times), "x-buildout")
			}
		})
	}
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

// used is the time of the CPU that a function and its children take, in milliseconds.
func used(b *testing.B, do func() error) float64 {
	b.Helper()
	all := func() (ms float64) {
		for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
			var u syscall.Rusage
			if err := syscall.Getrusage(who, &u); err != nil {
				b.Fatal(err)
			}
			ms += float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
		}
		return ms
	}
	before := all()
	if err := do(); err != nil {
		b.Fatal(err)
	}
	return all() - before
}
