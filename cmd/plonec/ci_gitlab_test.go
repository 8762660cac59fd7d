package main

import (
	"cmp"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// What GitLab does with the jobs, as far as plonec's go: rules, extends, stages,
// needs, artifacts, and the commands with bash.
type gitlab struct {
	*forge
	ref       string
	file      string            // that .gitlab-ci.yml includes; empty: plonec's
	variables map[string]string // of the pipeline, and of the project's settings beside the forge's
	protected map[string]string // those that only protected branches have; a value that begins with file: is a file
}

type gitlabJob struct {
	Extends      string
	Image, Stage string
	Needs        []string
	Rules        []struct{ If string }
	Variables    map[string]string
	BeforeScript []string `yaml:"before_script"`
	Script       []string
	Artifacts    *struct {
		Expose string `yaml:"expose_as"`
		Paths  []string
	}
	Environment   struct{ Name string }
	ResourceGroup string `yaml:"resource_group"`
	Interruptible *bool
}

// run runs the jobs of a pipeline in the order of their stages and needs.
func (g *gitlab) run() map[string]*jobResult {
	g.t.Helper()
	jobs := map[string]gitlabJob{}
	included := cmp.Or(g.file, ".gitlab/plonec.yml")
	for _, name := range []string{".gitlab-ci.yml", included} {
		var file map[string]yaml.Node
		if err := yaml.Unmarshal([]byte(g.git("show", g.ref+":"+name)), &file); err != nil {
			g.t.Fatalf("%s: %v", name, err)
		}
		for id, node := range file {
			if id == "include" {
				var list []struct{ Local string }
				if err := node.Decode(&list); err != nil || len(list) != 1 || list[0].Local != "/"+included {
					g.t.Fatalf("include: %v %v", list, err)
				}
				continue
			}
			var job gitlabJob
			if err := node.Decode(&job); err != nil {
				g.t.Fatalf("%s: %v", id, err)
			}
			jobs[id] = job
		}
	}
	results := map[string]*jobResult{}
	artifacts := g.t.TempDir()
	order := slices.Collect(maps.Keys(jobs))
	rank := func(id string) int {
		return 10*slices.Index([]string{"test", "deploy"}, jobs[id].Stage) + len(jobs[id].Needs)
	}
	slices.SortFunc(order, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	failed := false
	for _, id := range order {
		job := jobs[id]
		if strings.HasPrefix(id, ".") {
			continue
		}
		if base := job.Extends; base != "" {
			if job.Image != "" || job.BeforeScript != nil || job.Variables != nil {
				g.t.Fatalf("%s overrides %s", id, base)
			}
			job.Image, job.BeforeScript, job.Variables = jobs[base].Image, jobs[base].BeforeScript, jobs[base].Variables
		}
		r := &jobResult{}
		results[id] = r
		if !slices.ContainsFunc(job.Rules, func(rule struct{ If string }) bool { return g.holds(rule.If) }) {
			continue
		}
		blocked := failed && job.Stage == "deploy"
		for _, n := range job.Needs {
			blocked = blocked || !results[n].good
		}
		if blocked {
			continue
		}
		r.ran = true
		g.job(job, r, artifacts)
		failed = failed || !r.good
	}
	return results
}

func (g *gitlab) job(job gitlabJob, r *jobResult, artifacts string) {
	g.t.Helper()
	work := g.t.TempDir()
	if job.Variables["GIT_STRATEGY"] != "none" {
		fetch := []string{"fetch", "-q", "file://" + g.dir, g.ref}
		if job.Variables["GIT_DEPTH"] != "0" {
			fetch = slices.Insert(fetch, 1, "--depth=20")
		} else { // and every branch, but no origin/HEAD
			fetch = append(fetch, "+refs/heads/*:refs/remotes/origin/*")
		}
		for _, args := range [][]string{{"init", "-q", "."}, fetch, {"checkout", "-q", "--detach", "FETCH_HEAD"}} {
			if out, err := exec.Command("git", append([]string{"-C", work}, args...)...).CombinedOutput(); err != nil {
				g.t.Fatalf("git %v: %v\n%s", args, err, out)
			}
		}
	}
	if err := os.CopyFS(work, os.DirFS(artifacts)); err != nil {
		g.t.Fatal(err)
	}
	env := map[string]string{"HOME": g.home, "PATH": g.path, "LANG": "C.UTF-8", "CI": "true", "GITLAB_CI": "true", "CI_PROJECT_DIR": work, "CI_API_V4_URL": g.api}
	for _, from := range []map[string]string{job.Variables, g.forge.variables, g.variables, g.protected} { // settings win
		for name, value := range from {
			if content, ok := strings.CutPrefix(value, "file:"); ok {
				value = filepath.Join(g.t.TempDir(), name)
				if err := os.WriteFile(value, []byte(content), 0o666); err != nil {
					g.t.Fatal(err)
				}
			}
			env[name] = value
		}
	}
	r.environ = environ(env)
	r.log, r.good = g.bash(work, strings.Join(slices.Concat(job.BeforeScript, job.Script), "\n"), env)
	if job.Artifacts == nil || !r.good {
		return
	}
	for _, name := range job.Artifacts.Paths {
		data, err := os.ReadFile(filepath.Join(work, name))
		if err != nil {
			g.t.Fatalf("an artifact: %v", err)
		}
		r.summary += string(data)
		if err := os.WriteFile(filepath.Join(artifacts, name), data, 0o644); err != nil {
			g.t.Fatal(err)
		}
	}
}

// holds judges the condition of a rule: comparisons and variables, all of which
// have to hold.
func (g *gitlab) holds(condition string) bool {
	value := func(word string) string {
		if name, ok := strings.CutPrefix(word, "$"); ok {
			return g.variables[name]
		}
		text, quoted := strings.CutPrefix(word, `"`)
		if !quoted {
			g.t.Fatalf("%q in the rule %s", word, condition)
		}
		return strings.TrimSuffix(text, `"`)
	}
	for _, part := range strings.Split(condition, " && ") {
		left, right, compared := strings.Cut(part, " == ")
		if compared && value(left) != value(right) || !compared && value(left) == "" {
			return false
		}
	}
	return true
}
