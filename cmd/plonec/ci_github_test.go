package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
)

// What Actions does with a workflow, as far as plonec's goes: it decides by the
// expressions which jobs run, gives each step its environment, and runs the
// steps' commands with bash. actionlint reads workflow and expressions; what
// this does not know is a failure of the test.
type actions struct {
	*forge
	workflow *actionlint.Workflow
	github   map[string]any
	secrets  map[string]any
	ref      string            // that is checked out
	others   map[string]string // folders of other repositories, by name

	results map[string]*jobResult
}

type jobResult struct {
	ran, good    bool
	log, summary string
	outputs      map[string]any
	secrets      []string // that its expressions asked for
	environ      []string // of all its steps
}

func newActions(f *forge, ref string, github map[string]any) *actions {
	f.t.Helper()
	return newActionsOf(f, ".github/workflows/plonec.yml", ref, github)
}

func newActionsOf(f *forge, file, ref string, github map[string]any) *actions {
	f.t.Helper()
	text := f.git("show", ref+":"+file)
	w, errs := actionlint.Parse([]byte(text))
	if len(errs) > 0 {
		f.t.Fatal(errs)
	}
	github["repository"], github["token"] = "us/site", "t0ken-of-the-run"
	return &actions{
		forge: f, workflow: w, github: github, ref: ref, results: map[string]*jobResult{},
		secrets: map[string]any{"PLONEC_SSH_KEY": f.key, "HAPROXY_STATS_PASSWORD": "hunter2hunter2"},
	}
}

// triggered tells whether the workflow is one of the event's.
func (a *actions) triggered() bool {
	return slices.ContainsFunc(a.workflow.On, func(e actionlint.Event) bool {
		if e.EventName() != a.github["event_name"] {
			return false
		}
		hook, ok := e.(*actionlint.WebhookEvent)
		if !ok || hook.Branches == nil {
			return true
		}
		return slices.ContainsFunc(hook.Branches.Values, func(b *actionlint.String) bool { return b.Value == a.github["ref_name"] })
	})
}

// run runs all jobs in the order of their needs.
func (a *actions) run() map[string]*jobResult {
	a.t.Helper()
	if !a.triggered() {
		return a.results
	}
	for len(a.results) < len(a.workflow.Jobs) {
		before := len(a.results)
		for _, id := range slices.Sorted(maps.Keys(a.workflow.Jobs)) {
			job := a.workflow.Jobs[id]
			ready := a.results[id] == nil && !slices.ContainsFunc(job.Needs, func(n *actionlint.String) bool { return a.results[n.Value] == nil })
			if ready {
				a.results[id] = a.job(job)
			}
		}
		if len(a.results) == before {
			a.t.Fatal("the needs of the jobs never end")
		}
	}
	return a.results
}

func (a *actions) job(job *actionlint.Job) *jobResult {
	a.t.Helper()
	r := &jobResult{outputs: map[string]any{}}
	needs := map[string]any{}
	for _, n := range job.Needs {
		if !a.results[n.Value].good {
			return r
		}
		needs[n.Value] = map[string]any{"outputs": a.results[n.Value].outputs}
	}
	steps, vars := map[string]any{}, map[string]any{}
	for name, value := range a.variables {
		vars[name] = value
	}
	context := map[string]any{"github": a.github, "needs": needs, "steps": steps, "secrets": a.secrets, "vars": vars}
	if job.If != nil && !truth(a.expression(r, job.If.Value, context)) {
		return r
	}
	r.ran, r.good = true, true
	var (
		work = a.t.TempDir()
		temp = a.t.TempDir()
		path = a.path
		env  = map[string]string{
			"HOME": a.home, "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": work, "RUNNER_TEMP": temp, "LANG": "C.UTF-8",
			"GITHUB_REPOSITORY": "us/site", "GITHUB_API_URL": a.api, "GITHUB_EVENT_NAME": fmt.Sprint(a.github["event_name"]), "GITHUB_WORKFLOW": "plonec",
			"GITHUB_OUTPUT": filepath.Join(temp, "output"), "GITHUB_PATH": filepath.Join(temp, "path"), "GITHUB_STEP_SUMMARY": filepath.Join(temp, "summary"),
		}
		folder = work
	)
	if d := job.Defaults; d != nil && d.Run != nil && d.Run.WorkingDirectory != nil {
		folder = filepath.Join(work, d.Run.WorkingDirectory.Value)
	}
	a.fill(r, env, a.workflow.Env, context)
	a.fill(r, env, job.Env, context)
	for _, step := range job.Steps {
		if step.If != nil && !truth(a.expression(r, step.If.Value, context)) {
			continue
		}
		switch exec := step.Exec.(type) {
		case *actionlint.ExecAction:
			if !regexp.MustCompile(`^actions/checkout@[0-9a-f]{40}$`).MatchString(exec.Uses.Value) {
				a.t.Fatalf("the action %s", exec.Uses.Value)
			}
			inputs := map[string]string{}
			for name, in := range exec.Inputs {
				inputs[name] = a.text(r, in.Value.Value, context)
			}
			a.checkout(work, inputs)
		case *actionlint.ExecRun:
			for _, name := range []string{"GITHUB_OUTPUT", "GITHUB_PATH"} {
				if err := os.WriteFile(env[name], nil, 0o644); err != nil {
					a.t.Fatal(err)
				}
			}
			own := maps.Clone(env)
			a.fill(r, own, step.Env, context)
			own["PATH"] = path
			r.environ = append(r.environ, environ(own)...)
			log, good := a.bash(folder, exec.Run.Value, own)
			r.log += log
			if out, err := os.ReadFile(env["GITHUB_PATH"]); err == nil {
				for line := range strings.Lines(string(out)) {
					path = strings.TrimSpace(line) + ":" + path
				}
			}
			if step.ID != nil {
				steps[step.ID.Value] = map[string]any{"outputs": stepOutputs(a.t, env["GITHUB_OUTPUT"])}
			}
			if !good {
				r.good = false
			}
		}
		if !r.good {
			break
		}
	}
	for name, o := range job.Outputs {
		r.outputs[name] = a.text(r, o.Value.Value, context)
	}
	if summary, err := os.ReadFile(env["GITHUB_STEP_SUMMARY"]); err == nil {
		r.summary = string(summary)
	}
	return r
}

// checkout is what actions/checkout does with the inputs that the workflow has.
func (a *actions) checkout(work string, inputs map[string]string) {
	a.t.Helper()
	depth, from, ref := "1", a.dir, a.ref
	for name, value := range inputs {
		switch {
		case name == "fetch-depth":
			depth = value
		case name == "persist-credentials" && value == "false":
		case name == "path":
			work = filepath.Join(work, value)
			if err := os.MkdirAll(work, 0o755); err != nil {
				a.t.Fatal(err)
			}
		case name == "repository" && a.others[value] != "" && inputs["token"] == a.secrets["PLONEC_STACK_TOKEN"]:
			from, ref = a.others[value], "refs/heads/main"
		case name == "token" && inputs["repository"] != "":
		default:
			a.t.Fatalf("checkout with %s: %s", name, value)
		}
	}
	fetch := []string{"fetch", "-q", "file://" + from, "+" + ref + ":refs/remotes/pull"}
	if depth != "0" {
		fetch = slices.Insert(fetch, 1, "--depth="+depth)
	} else { // and every branch, but no origin/HEAD
		fetch = append(fetch, "+refs/heads/*:refs/remotes/origin/*")
	}
	for _, args := range [][]string{{"init", "-q", "."}, fetch, {"checkout", "-q", "--detach", "refs/remotes/pull"}} {
		if out, err := exec.Command("git", append([]string{"-C", work}, args...)...).CombinedOutput(); err != nil {
			a.t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
}

// fill puts the variables of an env block into an environment.
func (a *actions) fill(r *jobResult, env map[string]string, block *actionlint.Env, context map[string]any) {
	a.t.Helper()
	if block == nil {
		return
	}
	for _, v := range block.Vars {
		env[v.Name.Value] = a.text(r, v.Value.Value, context)
	}
}

var expressions = regexp.MustCompile(`\$\{\{(.*?)\}\}`)

// text is a value with its expressions replaced.
func (a *actions) text(r *jobResult, value string, context map[string]any) string {
	return expressions.ReplaceAllStringFunc(value, func(e string) string {
		got := a.expression(r, strings.TrimSuffix(strings.TrimPrefix(e, "${{"), "}}"), context)
		if got == nil {
			return ""
		}
		return fmt.Sprint(got)
	})
}

func (a *actions) expression(r *jobResult, text string, context map[string]any) any {
	a.t.Helper()
	node, err := actionlint.NewExprParser().Parse(actionlint.NewExprLexer(strings.TrimSpace(text) + "}}"))
	if err != nil {
		a.t.Fatalf("%s: %v", text, err)
	}
	var value func(actionlint.ExprNode) any
	value = func(node actionlint.ExprNode) any {
		switch n := node.(type) {
		case *actionlint.StringNode:
			return n.Value
		case *actionlint.VariableNode:
			v, ok := context[n.Name]
			if !ok {
				a.t.Fatalf("the context %s in %s", n.Name, text)
			}
			return v
		case *actionlint.ObjectDerefNode:
			if v, ok := n.Receiver.(*actionlint.VariableNode); ok && v.Name == "secrets" {
				r.secrets = append(r.secrets, strings.ToUpper(n.Property))
			}
			object, _ := value(n.Receiver).(map[string]any)
			for name, v := range object { // without regard to case
				if strings.EqualFold(name, n.Property) {
					return v
				}
			}
			return nil
		case *actionlint.CompareOpNode:
			equal := fmt.Sprint(value(n.Left)) == fmt.Sprint(value(n.Right))
			switch n.Kind {
			case actionlint.CompareOpNodeKindEq:
				return equal
			case actionlint.CompareOpNodeKindNotEq:
				return !equal
			}
		case *actionlint.LogicalOpNode:
			left := value(n.Left)
			if truth(left) == (n.Kind == actionlint.LogicalOpNodeKindOr) {
				return left
			}
			return value(n.Right)
		}
		a.t.Fatalf("%T in %s", node, text)
		return nil
	}
	return value(node)
}

func truth(v any) bool { return v != nil && v != false && v != "" }

// stepOutputs reads what a step wrote to $GITHUB_OUTPUT.
func stepOutputs(t *testing.T, name string) map[string]any {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	outputs := map[string]any{}
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		if key, end, ok := strings.Cut(string(line), "<<"); ok {
			value, after, found := bytes.Cut(rest, []byte("\n"+end+"\n"))
			if !found {
				t.Fatalf("the output %s does not end in %s", key, end)
			}
			outputs[key], data = string(value), after
			continue
		}
		key, value, ok := strings.Cut(string(line), "=")
		if !ok {
			t.Fatalf("the output %q", line)
		}
		outputs[key], data = value, rest
	}
	return outputs
}
