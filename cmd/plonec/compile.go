package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/git"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/render"
	"github.com/plonec/plonec/schema"
)

// stackFlags are the flags of every command that reads a stack.
type stackFlags struct {
	tree           string
	format         string
	extStr, tlaStr map[string]string
}

func (f *stackFlags) add(flags *pflag.FlagSet) {
	flags.StringVarP(&f.tree, "tree", "o", "build", "folder of the compiled `tree`")
	flags.StringVar(&f.format, "format", "text", "`text`, json, github (annotations) or sarif")
	f.addArguments(flags)
}

// addArguments adds what a stack in Jsonnet takes.
func (f *stackFlags) addArguments(flags *pflag.FlagSet) {
	flags.StringToStringVar(&f.extStr, "ext-str", nil, "Jsonnet's external variable `NAME=VALUE`")
	flags.StringToStringVar(&f.tlaStr, "tla-str", nil, "Jsonnet's top-level argument `NAME=VALUE`")
}

// compiled is what a stack becomes.
type compiled struct {
	text     *input.Node // the stack, merged from its files
	stack    *schema.Decoded
	secrets  []schema.PlainSecret // that stand in it in plain
	topology *topology.Topology
	tree     *tree.Tree
}

// compile reads, checks, resolves and renders a stack, in memory. compiled is
// nil where the list has errors; err is what is not the stack's own fault.
func compile(files []string, f *stackFlags) (*compiled, diag.List, error) {
	s, diags, err := readStack(files, f)
	if s == nil {
		return nil, diags, err
	}
	return s.compile()
}

// A stackText is a stack that was read, and not judged yet.
type stackText struct {
	files []string // as they were named
	flags *stackFlags
	read  *input.Result
	diags diag.List // of the reading
}

// readStack reads the files of a stack. It returns nil where one of them could
// not be read to its end.
func readStack(files []string, f *stackFlags) (*stackText, diag.List, error) {
	files, err := stackFiles(files, f)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range files {
		if _, err := git.Around(filepath.Dir(name)); err != nil {
			return nil, nil, err
		}
	}
	read, diags := input.Load(files, input.Options{ExtStr: f.extStr, TLAStr: f.tlaStr, Mask: schema.Mask})
	if read.Tree == nil {
		return nil, diags, nil
	}
	return &stackText{files, f, read, diags}, diags, nil
}

// compile makes the tree of a stack with values laid over it. The list holds
// what reading it found too.
func (s *stackText) compile(over ...*schema.Override) (*compiled, diag.List, error) {
	text := s.read.Tree
	for _, o := range over {
		text = o.Over(text)
	}
	inputs, err := treeInputs(s.files, s.read.Files, s.flags)
	if err != nil {
		return nil, s.diags, err
	}
	built, more, err := assemble(text, inputs, s.flags)
	diags := append(slices.Clone(s.diags), unexplained(more, s.diags)...)
	if diags.Errors() > 0 {
		return nil, diags, nil
	}
	return built, diags, err
}

// assemble makes a stack into a tree. compiled is nil where the list has errors.
func assemble(text *input.Node, inputs tree.Inputs, f *stackFlags) (*compiled, diag.List, error) {
	decoded, diags := schema.Load(text)
	t, more := topology.Resolve(decoded)
	diags = append(diags, unexplained(more, diags)...)
	if diags.Errors() > 0 {
		return nil, diags, nil
	}
	diags = append(diags, argumentsInTree(f)...)
	secrets := decoded.PlainSecrets()
	if diags = append(diags, secretArguments(f, secrets)...); diags.Errors() > 0 {
		return nil, diags, nil
	}
	readme, err := render.Readme(t, diags.Sorted())
	if err != nil {
		return nil, diags, err
	}
	built, err := tree.New(t, inputs, release, readme)
	if err != nil {
		return nil, diags, err
	}
	if diags = append(diags, secretsInTree(built, secrets)...); diags.Errors() > 0 {
		return nil, diags, nil
	}
	return &compiled{text, decoded, secrets, t, built}, diags, nil
}

// compiling is the body of a command that compiles a stack and then does
// something with it. Where the stack has errors it reports them and ends;
// outcome says what they prevented.
func (f *stackFlags) compiling(outcome string, do func(*reporter, *compiled, diag.List) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		out, err := newReporter(c, f.format)
		if err != nil {
			return err
		}
		built, diags, err := compile(args, f)
		if err != nil {
			return out.fail(err)
		}
		if files, err := stackFiles(args, f); err == nil && out.sarif != nil {
			out.sarif.Stack = files[0]
		}
		if built == nil {
			return out.finish(diags, outcome, result{})
		}
		return out.fail(do(out, built, diags))
	}
}

// unexplained leaves out what follows from a mistake that an earlier stage
// reported at or below the same place: no CPUs where "cpus" is misspelt.
func unexplained(list, earlier diag.List) diag.List {
	wrong := map[string]bool{}
	for _, d := range earlier {
		if d.Severity() != diag.Error {
			continue
		}
		for path := d.Path; path != ""; {
			wrong[path] = true
			path = path[:max(strings.LastIndexAny(path, ".["), 0)]
		}
	}
	var kept diag.List
	for _, d := range list {
		if !wrong[d.Path] {
			kept = append(kept, d)
		}
	}
	return kept
}

// stackFiles says which files make the stack: those given, those that the tree
// records, or the usual names in this folder. From the tree come Jsonnet's
// arguments too, unless some are given.
func stackFiles(files []string, f *stackFlags) ([]string, error) {
	if len(files) > 0 {
		return files, nil
	}
	data, err := tree.ReadManifest(f.tree)
	if err == nil {
		in, err := tree.ParseInputs(data)
		if err != nil {
			return nil, tree.Unreadable(filepath.Join(f.tree, tree.ManifestName), err)
		}
		for _, name := range in.Stack {
			if _, err := recorded(f.tree, name); errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("%s is not there, and %s was compiled from it: if it has another name now, say so once: plonec build STACK", filepath.Join(f.tree, filepath.FromSlash(name)), f.tree)
			} else if err != nil {
				return nil, err
			}
			files = append(files, filepath.Join(f.tree, filepath.FromSlash(name)))
		}
		if len(f.extStr)+len(f.tlaStr) == 0 {
			f.extStr, f.tlaStr = in.ExtStr, in.TLAStr
		}
		return files, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, name := range usualStacks {
		if _, err := os.Stat(name); err == nil {
			return []string{name}, nil
		}
	}
	return nil, errors.New("no STACK given, and here is no " + or(usualStacks))
}

// recorded is the absolute path of a file that the manifest of a tree names, with
// slashes and relative to the tree. Whoever wrote the branch wrote that name, so it
// is an error where it leads out of the repository that holds the tree, or without
// one out of the folder that does, also by a symbolic link; fs.ErrNotExist where
// nothing is there.
func recorded(dir, rel string) (string, error) {
	name, err := filepath.Abs(filepath.Join(dir, filepath.FromSlash(rel)))
	if err != nil {
		return "", err
	}
	repo, err := git.Around(dir)
	if err != nil {
		return "", err
	}
	top, what := "", "the repository"
	if repo != nil {
		top = repo.Top
	} else {
		what = "the folder that holds the tree"
		if top, err = filepath.Abs(dir); err == nil {
			top, err = git.Real(filepath.Dir(top))
		}
		if err != nil {
			return "", err
		}
	}
	// What lies outside is not even told to be missing.
	if real, err := git.Real(name); err != nil || !inFolder(top, real) {
		return "", fmt.Errorf("%s says that it was built from %s, which lies outside of %s: that is read only where the command line names it, plonec build STACK; plan, apply and deploy take none, so keep what they need in %s",
			filepath.Join(dir, tree.ManifestName), rel, what, what)
	}
	_, err = os.Stat(name)
	return name, err
}

// inFolder tells whether an absolute path lies in a folder.
func inFolder(top, name string) bool {
	rel, err := filepath.Rel(top, name)
	return err == nil && filepath.IsLocal(rel)
}

// usualStacks are where a stack is looked for where none is named.
var usualStacks = []string{"stack.cue", "stack.jsonnet", "stack.json"}

// treeInputs is what the manifest records of the files that were read, with
// paths relative to the tree.
func treeInputs(stack []string, read []input.Read, f *stackFlags) (tree.Inputs, error) {
	in := tree.Inputs{ExtStr: f.extStr, TLAStr: f.tlaStr, Names: map[string]string{}}
	for _, name := range stack {
		rel, err := relative(f.tree, name)
		if err != nil {
			return in, err
		}
		in.Stack = append(in.Stack, rel)
	}
	for _, r := range read {
		rel, err := relative(f.tree, r.Path)
		if err != nil {
			return in, err
		}
		in.Files = append(in.Files, tree.Input{Path: rel, Sum: r.Sum})
		in.Names[r.Path] = rel
	}
	slices.SortFunc(in.Files, func(a, b tree.Input) int { return strings.Compare(a.Path, b.Path) })
	return in, nil
}

func relative(dir, name string) (string, error) {
	absDir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	absName, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(absDir, absName)
	return filepath.ToSlash(rel), err
}
