package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/git"
	"github.com/plonec/plonec/internal/project"
	"github.com/plonec/plonec/internal/regular"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/words"
	"github.com/plonec/plonec/templates"
)

func initCommand(v *verb, c *cobra.Command) {
	var f initFlags
	c.Short = "write what a repository needs: CI files, .gitattributes, .gitignore; a stack from OpsWorks or for a buildout"
	c.Long = `Init writes files into the git repository around DIR, the folder with the stack (by
default this one): a workflow for GitHub Actions or jobs for GitLab, and the
.gitattributes and .gitignore that have git keep the tree as it is. On a pull
request the jobs check the stack, build it, and comment what the change would do; on
the main branch they deploy, after your tests. The files are yours from then on:
init never overwrites one.

Init --from-opsworks writes a stack into DIR instead: stack.cue, a report of what
is left to decide, and the values of secrets in files that are kept out of git.
FILE is the JSON that a host received, custom JSON, a CloudFormation template, or
what aws opsworks describe-stacks, -layers, -instances, -apps printed; each is
recognised by its content. The JSON of a host is also a stack as it is: plonec check
FILE reads it, and leaves out the same values that OpsWorks set by itself.

Init --buildout reads a checkout of a buildout's repository as plonec check --buildout
does, runs nothing of it, and writes a stack for it into DIR: stack.cue, with the
names that the project has for its parts, its Plone, its database and what else it
tells, on one host; and a report of what is left to decide, among it what check
--buildout says of the project with that stack.`
	c.Example = `  plonec init
  plonec init --from-opsworks stacks.json layers.json instances.json apps.json ops
  plonec init --buildout ../buildout ops
  plonec init ops --ci github,gitlab
  plonec init --print .github/workflows/plonec.yml`
	c.Args = func(_ *cobra.Command, args []string) error {
		if len(f.opsworks) > 0 && f.buildout != "" {
			return errors.New("plonec init takes --from-opsworks or --buildout, not both")
		}
		if len(f.opsworks) == 0 && len(args) > 1 {
			return fmt.Errorf("plonec init takes one folder, but was given %s", strings.Join(args, " "))
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(f.opsworks) > 0 {
			return initFromOpsWorks(newReporter(c, v.format), f.opsworks, args)
		}
		if f.buildout != "" {
			return initFromBuildout(newReporter(c, v.format), f.buildout, args)
		}
		return f.run(c.OutOrStdout(), c.ErrOrStderr(), cmp.Or(append(args, ".")[0], "."))
	}
	c.Flags().StringSliceVar(&f.ci, "ci", nil, "write for one or both of `github,gitlab`; by default for the one that the remote origin or the files that are there point to, else for both")
	c.Flags().StringVar(&f.tree, "tree", "build", "folder of the compiled `tree`, in DIR")
	c.Flags().StringVar(&f.print, "print", "", "write nothing, but print this `file` as init would write it")
	fromOpsWorksFlag(c.Flags(), &f.opsworks)
	c.Flags().StringVar(&f.buildout, "buildout", "", "make the stack for the buildout in that folder: `DIR`")
	format := c.Flags().Lookup("format")
	format.Usage = "with --from-opsworks and --buildout: " + format.Usage
}

type initFlags struct {
	ci, opsworks          []string
	tree, print, buildout string
}

// A scaffold is a file that init writes.
type scaffold struct {
	name     string // relative to the top of the repository, with slashes
	template string // in templates/ci
	// The lines that an existing file lacks; the rest is its owner's. None: init
	// has no say in it. content is what init would write.
	lacks func(before, content string) []string
	// How those lines get into a file that lacks them.
	mend string
}

// scaffolds are the files for each place where CI runs.
var scaffolds = map[string][]scaffold{
	"": {{
		name: ".gitattributes", template: "gitattributes.tmpl",
		lacks: func(before, content string) []string { return missingLines(before, words.Statements(content)) },
		mend:  addLines,
	}},
	"github": {{name: ".github/workflows/plonec.yml", template: "github.yml.tmpl"}},
	"gitlab": {
		{name: ".gitlab/plonec.yml", template: "gitlab.yml.tmpl"},
		{
			name: ".gitlab-ci.yml", template: "gitlab-ci.yml.tmpl",
			lacks: func(before, _ string) []string { return missingLines(before, []string{"local: " + gitlabJobs}) },
			mend:  "to add it: an entry \"- local: " + gitlabJobs + "\" in its include",
		},
	},
}

// ofBuildouts are files for the repository of a buildout, where that is not the stack's: they
// are printed, and not written here.
var ofBuildouts = []scaffold{
	{name: ".github/workflows/plonec-buildout.yml", template: "buildout-github.yml.tmpl"},
	{name: ".gitlab/plonec-buildout.yml", template: "buildout-gitlab.yml.tmpl"},
}

// addLines is how lines are added where they may stand at the end.
const addLines = "to add them: plonec init%s --print %s >> %s"

const gitlabJobs = "/.gitlab/plonec.yml"

// What the files are made from.
type scaffoldData struct {
	Folder  string // of the stack, relative to the top of the repository, with slashes
	Tree    string // relative to the top
	Branch  string // that is deployed
	Release string // of plonec
	Secrets []string
	Notes   []string // what whoever runs init has to know
	// What stands in a command where the tree is not in build.
	TreeFlag string
	Keep     []string // the patterns that keep the tree in git
	// The repository's top, from the stack's folder, where a buildout is there; and the
	// repository by the name that the forge has for it.
	Buildout, Stack string

	URL, Checkout, Image, Include string
}

// Install is the commands that install a release without Go: that of $PLONEC_RELEASE
// from $PLONEC_URL, into ~/.local/bin. Each line is indented by so many blanks.
func (d scaffoldData) Install(indent int) (string, error) {
	text, err := scaffold{template: "install.sh.tmpl"}.content(d)
	margin := strings.Repeat(" ", indent)
	return margin + strings.ReplaceAll(strings.TrimSuffix(string(text), "\n"), "\n", "\n"+margin) + "\n", err
}

// What the files pin, beside plonec.
const (
	pinnedCheckout = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
	pinnedImage    = "buildpack-deps:bookworm-scm" // has git, curl and ssh
)

// nameOnForge finds OWNER/REPOSITORY, or GROUP/…/PROJECT, in an address.
var nameOnForge = regexp.MustCompile(`^(?:https?://(?:[^/@]*@)?|ssh://(?:[^/@]*@)?|[\w.-]+@)[\w.-]+(?::[0-9]+)?[:/]([A-Za-z0-9_][\w.-]*(?:/[\w.-]+)*?/[\w.-]+?)(?:\.git)?/?$`)

// argumentOf is a folder as init is given it.
func argumentOf(dir string) string {
	if dir == "." {
		return ""
	}
	return " " + dir
}

// plainPath is what needs no quotes in YAML, a shell and .gitattributes.
var plainPath = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_./-]*$|^\.$`)

func (f *initFlags) run(stdout, stderr io.Writer, dir string) error {
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("there is no folder %s", dir)
	}
	repo, err := git.Around(dir)
	if err != nil {
		return err
	}
	if repo == nil {
		return fmt.Errorf("%s is in no git repository: git init, then plonec init again", dir)
	}
	data, err := f.data(repo, dir)
	if err != nil {
		return err
	}
	files, err := f.files(repo)
	if err != nil {
		return err
	}
	kept := f.kept(repo, filepath.Join(dir, f.tree), data)
	files = slices.Insert(files, 1, kept)
	if f.print != "" {
		return f.printOne(stdout, append(files, ofBuildouts...), data)
	}
	argument := argumentOf(dir)
	if f.tree != "build" {
		argument += " --tree " + f.tree
	}
	for _, s := range files {
		name := filepath.Join(repo.Top, filepath.FromSlash(s.name))
		if _, err := os.Stat(name); err == nil {
			continue // it is left alone
		}
		if err := git.WritesThrough(name); err != nil {
			return err
		}
	}
	var lacking []string
	asked := false // for the lines that keep the tree
	written := 0
	for _, s := range files {
		content, err := s.content(data)
		if err != nil {
			return err
		}
		name := filepath.Join(repo.Top, filepath.FromSlash(s.name))
		shown := terminal.Printable(git.FromHere(name))
		before, err := regular.Read(name, tree.MaxFile)
		switch {
		case errors.Is(err, os.ErrNotExist):
			if err := createFile(name, content); err != nil {
				return err
			}
			written++
			fmt.Fprintf(stdout, "+ %s\n", shown)
		case err != nil:
			return err
		case bytes.Equal(before, content):
			fmt.Fprintf(stdout, "= %s\n", shown)
		case s.lacks == nil:
			fmt.Fprintf(stdout, "= %s (yours: it differs from what this plonec writes, and stays)\n", shown)
			fmt.Fprintf(stderr, "plonec: to compare: plonec init%s --print %s | diff %s -\n", terminal.Printable(argument), s.name, shown)
		default:
			missing := s.lacks(string(before), string(content))
			if len(missing) == 0 {
				fmt.Fprintf(stdout, "= %s (yours, with what plonec needs)\n", shown)
				continue
			}
			mend := s.mend
			if strings.Contains(mend, "%s") {
				mend = fmt.Sprintf(mend, argument, s.name, shown)
			}
			asked = asked || s.name == kept.name
			lacking = append(lacking, fmt.Sprintf("%s is there, was left alone, and lacks\n    %s\n  %s", shown, strings.Join(missing, "\n    "), mend))
		}
	}
	if written > 0 {
		if len(f.ci) == 0 && both(files) {
			data.Notes = append(data.Notes, "nothing says whether the repository is on GitHub or on GitLab, so both have files: delete those of the other one")
		}
		sayWhatIsLeft(stderr, data)
	}
	if err := f.refuseIgnored(repo, filepath.Join(dir, f.tree)); err != nil && !asked {
		lacking = append(lacking, err.Error())
	}
	if len(lacking) > 0 {
		return errors.New(strings.Join(lacking, "\nplonec: "))
	}
	return nil
}

// kept is the file of patterns that keeps the tree in git. One that is there
// lacks its lines only where git would leave something of the tree out.
func (f *initFlags) kept(repo *git.Repository, dir string, data scaffoldData) scaffold {
	return scaffold{
		name: filepath.ToSlash(filepath.Join(filepath.Dir(data.Tree), ".gitignore")), template: "gitignore.tmpl",
		lacks: func(_, content string) []string {
			if f.refuseIgnored(repo, dir) == nil {
				return nil
			}
			return words.Statements(content)
		},
		mend: addLines,
	}
}

// refuseIgnored is an error where git would leave files of the tree out, or
// where there is none yet, such as every tree has.
func (f *initFlags) refuseIgnored(repo *git.Repository, dir string) error {
	names := []string{tree.ManifestName, "common/root/usr/local/lib/plonec/host", "hosts/app1/root/etc/plonec/app/deploy.cfg"}
	if m := earlier(dir); m != nil {
		names = m.Names()
	}
	return refuseIgnoredFiles(repo, dir, names)
}

// sayWhatIsLeft says what there is to do after files were written.
func sayWhatIsLeft(w io.Writer, data scaffoldData) {
	for _, text := range data.Notes {
		fmt.Fprintf(w, "plonec: note: %s\n", text)
	}
	fmt.Fprintf(w, "plonec: next: read them, put your tests into the job tests, do what their first lines ask for, and commit\n")
	if info, ok := debug.ReadBuildInfo(); !ok || info.Main.Version != "v"+data.Release {
		fmt.Fprintf(w, "plonec: note: this plonec is a development build; the files install plonec %s (their line PLONEC_RELEASE), which has to be released, and to build the same tree\n", data.Release)
	}
}

func (f *initFlags) data(repo *git.Repository, dir string) (scaffoldData, error) {
	d := scaffoldData{Release: release, Branch: mainBranch(repo), URL: releasesURL, Checkout: pinnedCheckout, Image: pinnedImage, Include: gitlabJobs}
	abs, err := filepath.Abs(dir)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return d, err
	}
	rel, err := filepath.Rel(repo.Top, abs)
	if err != nil {
		return d, err
	}
	d.Folder = filepath.ToSlash(rel)
	d.Tree = filepath.ToSlash(filepath.Join(rel, f.tree))
	for _, of := range []struct{ what, name string }{{"folder of the stack", d.Folder}, {"tree", d.Tree}, {"branch", d.Branch}} {
		if !plainPath.MatchString(of.name) || strings.HasPrefix(of.name, "..") {
			return d, fmt.Errorf("the %s, %q, is to be written into files of CI: give it a name of letters, digits, / . _ and -, inside the repository", of.what, of.name)
		}
	}
	if d.Tree == "." {
		return d, errors.New("the tree is a folder of the repository, not all of it: name one with --tree")
	}
	d.Keep = keepLines(d.Tree)
	d.Stack = "OWNER/REPOSITORY"
	if m := nameOnForge.FindStringSubmatch(repo.Ask("config", "--get", "remote.origin.url")); m != nil {
		d.Stack = m[1]
	}
	if project.IsBuildout(repo.Top) {
		up, err := filepath.Rel(abs, repo.Top)
		if err != nil {
			return d, err
		}
		d.Buildout = filepath.ToSlash(up)
	} else if f.print == "" {
		d.Notes = append(d.Notes, fmt.Sprintf("pull requests of a buildout's own repository are checked there by the file that plonec init%s --print %s writes, or %s", argumentOf(dir), ofBuildouts[0].name, ofBuildouts[1].name))
	}
	if f.tree != "build" {
		d.TreeFlag = " --tree " + filepath.ToSlash(f.tree)
	}
	m := earlier(filepath.Join(abs, f.tree))
	if m == nil {
		if !slices.ContainsFunc(compile.UsualStacks, func(name string) bool { _, err := os.Stat(filepath.Join(abs, name)); return err == nil }) {
			d.Notes = append(d.Notes, fmt.Sprintf("there is no %s in %s: where the stack is elsewhere, plonec init FOLDER", words.Or(compile.UsualStacks), git.FromHere(abs)))
		}
		d.Notes = append(d.Notes, fmt.Sprintf("%s has no tree yet: plonec build, then init, writes down which secrets CI needs", git.FromHere(filepath.Join(abs, f.tree))))
		return d, nil
	}
	var others []string
	d.Secrets, others = secretSources(m)
	for _, name := range d.Secrets {
		// A manifest is a branch's, and what it says goes into a workflow.
		if !plainVariable.MatchString(name) {
			return d, fmt.Errorf("the manifest takes a secret from %q, which is no name of a variable: run plonec build", "env:"+name)
		}
		if reservedVariable.MatchString(name) {
			return d, fmt.Errorf("the stack takes a secret from env:%s, which means something else to CI or to a shell: give the variable another name", name)
		}
	}
	if len(others) > 0 {
		d.Notes = append(d.Notes, "the job that deploys needs what these read, too: "+strings.Join(others, ", "))
	}
	return d, nil
}

var plainVariable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// reservedVariable is what no secret may be called where CI runs.
var reservedVariable = regexp.MustCompile(`^(PATH|HOME|SHELL|USER|ENV|IFS|PWD|BASH_.*|LD_.*|CI|(CI|GITHUB|GITLAB|RUNNER|ACTIONS)_.*|PLONEC_(RELEASE|URL|SHA256|SSH_KEY))$`)

// secretSources are the names that the stack refers to as env:NAME, and its other
// references, sorted.
func secretSources(m *tree.Manifest) (variables, others []string) {
	for _, s := range m.Secrets {
		for _, e := range s.Entries {
			if name, ok := strings.CutPrefix(e.Source, "env:"); ok {
				variables = append(variables, name)
			} else if !strings.HasPrefix(e.Source, "stack:") {
				others = append(others, e.Source)
			}
		}
	}
	slices.Sort(variables)
	slices.Sort(others)
	return slices.Compact(variables), slices.Compact(others)
}

// files are those for the places that were named, else for that of the
// repository's origin.
func (f *initFlags) files(repo *git.Repository) ([]scaffold, error) {
	places := f.ci
	if len(places) == 0 && f.print == "" {
		origin := repo.Ask("config", "--get", "remote.origin.url")
		for _, name := range []string{"github", "gitlab"} {
			if strings.Contains(origin, name) {
				places = append(places, name)
			}
		}
		if len(places) == 0 {
			places = usedIn(repo.Top)
		}
	}
	if len(places) == 0 {
		places = []string{"github", "gitlab"}
	}
	list := slices.Clone(scaffolds[""])
	for _, name := range []string{"github", "gitlab"} {
		if slices.Contains(places, name) {
			list = append(list, scaffolds[name]...)
		}
	}
	for _, name := range places {
		if name == "" || scaffolds[name] == nil {
			return nil, fmt.Errorf("--ci %s is not known: github or gitlab", name)
		}
	}
	return list, nil
}

// both tells whether there are files of both forges among some.
func both(files []scaffold) bool {
	of := func(place string) bool {
		return slices.ContainsFunc(files, func(s scaffold) bool { return s.name == scaffolds[place][0].name })
	}
	return of("github") && of("gitlab")
}

// usedIn are the forges whose files a repository has already.
func usedIn(top string) (places []string) {
	for _, forge := range []struct{ place, file string }{{"github", ".github"}, {"gitlab", ".gitlab"}, {"gitlab", ".gitlab-ci.yml"}} {
		if _, err := os.Lstat(filepath.Join(top, forge.file)); err == nil && !slices.Contains(places, forge.place) {
			places = append(places, forge.place)
		}
	}
	return places
}

func (f *initFlags) printOne(w io.Writer, files []scaffold, data scaffoldData) error {
	var names []string
	for _, s := range files {
		if s.name == filepath.ToSlash(filepath.Clean(f.print)) {
			content, err := s.content(data)
			if err == nil {
				_, err = w.Write(content)
			}
			return err
		}
		names = append(names, s.name)
	}
	return fmt.Errorf("--print %s is no file of plonec init; it writes %s", f.print, strings.Join(names, ", "))
}

// content is the file as this plonec writes it.
func (s scaffold) content(data scaffoldData) ([]byte, error) {
	t, err := template.New(s.template).Delims("[[", "]]").Option("missingkey=error").ParseFS(templates.FS, "ci/"+s.template)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, data)
	return b.Bytes(), err
}

// createFile writes a file that is not there, whole or not at all.
func createFile(name string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err != nil {
		os.Remove(name)
	}
	return err
}

// missingLines are those that an existing file does not have, quotes and the
// marks of a list aside.
func missingLines(content string, wanted []string) []string {
	has := map[string]bool{}
	for _, line := range words.Statements(content) {
		has[strings.NewReplacer(`"`, "", "'", "").Replace(strings.TrimPrefix(line, "- "))] = true
	}
	return slices.DeleteFunc(slices.Clone(wanted), func(line string) bool { return has[line] })
}

// mainBranch is the branch from which a repository deploys: that of its origin,
// else main or master where there is one, else the one that is checked out.
func mainBranch(repo *git.Repository) string {
	// Whole names: a short one is longer where a tag has it too.
	if head, of := strings.CutPrefix(repo.Ask("symbolic-ref", "refs/remotes/origin/HEAD"), "refs/remotes/origin/"); of {
		return head
	}
	there, _ := repo.Refs("refs/heads/main", "refs/heads/master") // an error is as none
	for _, name := range []string{"main", "master"} {
		if there["refs/heads/"+name] != "" {
			return name
		}
	}
	return cmp.Or(strings.TrimPrefix(repo.Ask("symbolic-ref", "HEAD"), "refs/heads/"), "main")
}

// earlier is the manifest of the tree in dir; nil where there is none that can
// be read.
func earlier(dir string) *tree.Manifest {
	data, err := tree.ReadManifest(dir)
	if err != nil {
		return nil
	}
	m, err := tree.Parse(data)
	if err != nil {
		return nil
	}
	return m
}
