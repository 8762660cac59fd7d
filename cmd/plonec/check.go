package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/native"
	"github.com/plonec/plonec/internal/project"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/words"
)

func checkCommand(v *verb, c *cobra.Command) {
	var f stackFlags
	var how string
	var projects []string
	c.Short = "compile a stack in memory and report"
	c.Long = `Check compiles a stack in memory and reports every mistake. With --native it
also has the daemons that are installed here check what was generated:
` + strings.Join(native.Programs(), ", ") + `.

They run as the user nobody, in namespaces in which they see nothing of this
machine but its programs. That needs Linux 5.12, and root or namespaces for every
user; otherwise check names the daemons that it did not ask, and fails. With
--native=here they see this machine as you do: a stranger's configuration can make
them print its files.

With --buildout it also reads the buildout of the stack's apps, as zc.buildout
does, with the deploy.cfg of each host on top, and names what does not fit
together: parts without a recipe, options that are lost, a database that is not
the stack's. Nothing of the project is executed; what it extends by http and https
is fetched from public addresses. It needs Linux as --native does, and python3
with venv; --native=here has zc.buildout see this machine too. Of a project that
uv builds it reads pyproject.toml, uv.lock, mx.ini, requirements and instance.yaml,
which needs neither: whether the hosts' Python suits, what is missing, and what has
no effect.`
	c.Example = `  plonec check stack.json
  plonec check --buildout ../buildout
  sudo plonec check --native --format json`
	f.add(c.Flags())
	c.Flags().StringVar(&how, "native", "", "also run the installed daemons' own checkers: apart from this machine, or `here`")
	c.Flags().Lookup("native").NoOptDefVal = string(native.Apart)
	c.Flags().StringArrayVar(&projects, "buildout", nil, "also read the apps' buildout, or project for uv, in that folder: `DIR`, or APP=DIR for each app where they have several")
	compile := f.compiling(v, "", func(out *reporter, built *compile.Built, diags diag.List) error {
		diags, err := idle(built.Judged, diags)
		if err != nil {
			return err
		}
		diags = append(diags, topology.Expiring(built.Stack, built.Topology, time.Now())...)
		res := result{Hosts: len(built.Topology.Hosts), Files: len(built.Tree.Manifest.Files) + tree.Unlisted}
		var files tree.Kept
		if how != "" {
			if _, _, err := built.Render(files.Put); err != nil {
				return err
			}
		}
		if len(projects) > 0 {
			more, err := buildouts(built, projects, how == string(native.Here))
			if err != nil {
				return err
			}
			diags = append(diags, more...)
		}
		if how != "" {
			var err error
			if res.Checkers, err = native.Check(built.Tree.Manifest, &files, native.How(how)); err != nil {
				return err
			}
		}
		if err := out.finish(diags, "", res); err != nil {
			return err
		}
		w := out.stdout
		if !out.people() {
			w = io.Discard
		}
		refused, skipped := printCheckers(w, res.Checkers)
		switch {
		case refused > 0:
			return fmt.Errorf("%s refused", words.Count(refused, "configuration"))
		case len(skipped) > 0:
			return fmt.Errorf("%s could not be run apart from this machine: run plonec check with sudo, or with --native=here", strings.Join(skipped, ", "))
		}
		if out.people() {
			fmt.Fprintf(out.stdout, "%s, %s: good\n", words.Count(res.Hosts, "host"), words.Count(res.Files, "file"))
		}
		return nil
	})
	c.RunE = func(c *cobra.Command, args []string) error {
		if how != "" && how != string(native.Apart) && how != string(native.Here) {
			return fmt.Errorf("unknown --native=%s: write --native, or --native=here", how)
		}
		return compile(c, args)
	}
}

// buildouts is what is said of the folders of --buildout.
func buildouts(built *compile.Built, folders []string, here bool) (diag.List, error) {
	apps, err := buildoutFolders(built.Topology, folders)
	if err != nil {
		return nil, err
	}
	deployCfg, err := project.DeployCfgs(built.Topology)
	if err != nil {
		return nil, err
	}
	list, err := project.Check(built.Topology, apps, deployCfg, here)
	return list, withRemedy(err)
}

// withRemedy is an error as a command ends with it, its remedy on a line of its own.
func withRemedy(err error) error {
	if err == nil {
		return nil
	}
	text, remedy := diag.Remedy(err)
	if remedy == "" {
		return err
	}
	return errors.New(text + "\n  " + remedy)
}

// buildoutFolders are the folders by app. One without the name of an app is that of
// all, as long as they have one repository.
func buildoutFolders(t *topology.Topology, folders []string) (map[string]string, error) {
	repositories := map[string]string{} // by app
	for _, h := range t.Hosts {
		for _, a := range h.Apps {
			repositories[a.Name] = a.Config.SCM.Repository
		}
	}
	names, apps := slices.Sorted(maps.Keys(repositories)), map[string]string{}
	for _, folder := range folders {
		app, dir, named := strings.Cut(folder, "=")
		if _, err := os.Stat(folder); err == nil || !named {
			app, dir, named = "", folder, false
		}
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("--buildout: %s is not a folder: name a checkout of the apps' repository", dir)
		}
		if named && repositories[app] == "" {
			return nil, fmt.Errorf("--buildout: no host runs an app %s", app)
		}
		for _, name := range names {
			if !named && len(folders) == 1 && repositories[name] != repositories[names[0]] {
				return nil, fmt.Errorf("--buildout: %s have several repositories: write --buildout APP=DIR for each", strings.Join(names, ", "))
			}
			if !named && apps[name] == "" || name == app {
				apps[name] = dir
			}
		}
	}
	return apps, nil
}

// printCheckers says what each program said, in one line where it is good.
// It returns how many hosts' files were refused, and the programs that are here
// and were not asked.
func printCheckers(w io.Writer, results []native.Result) (refused int, skipped []string) {
	var outcomes []string
	programs := map[string][]string{} // by what they have in common
	for _, r := range results {
		outcome := ""
		switch r.Outcome {
		case native.Good:
			outcome = "accepted by "
		case native.Missing:
			outcome = "not installed here and not run: "
		case native.NotAsked:
			outcome = "not asked, " + r.Output + ": "
			skipped = append(skipped, r.Program)
		default:
			refused++
			fmt.Fprintf(w, "%s: %s refuses %s:\n    %s\n", r.Host, r.Program, cmp.Or(r.Attribute, "it"), strings.ReplaceAll(r.Output, "\n", "\n    "))
			for _, p := range r.Places {
				fmt.Fprintf(w, "    %s: %s\n", cmp.Or(p.From, fmt.Sprintf("%s line %d", p.Path, p.Line)), p.Text)
			}
			continue
		}
		if programs[outcome] == nil {
			outcomes = append(outcomes, outcome)
		}
		programs[outcome] = append(programs[outcome], r.Program)
	}
	slices.Sort(outcomes)
	for _, outcome := range outcomes {
		slices.Sort(programs[outcome])
		fmt.Fprintf(w, "%s%s\n", outcome, strings.Join(slices.Compact(programs[outcome]), ", "))
	}
	slices.Sort(skipped)
	return refused, slices.Compact(skipped)
}
