package compile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/git"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/tree"
)

// StackFiles says which files make the stack: those given, those that the tree
// records, or the usual names in this folder. From the tree come Jsonnet's
// arguments too, unless some are given.
func StackFiles(files []string, o *Options) ([]string, error) {
	if len(files) > 0 {
		return files, nil
	}
	data, err := tree.ReadManifest(o.Tree)
	if err == nil {
		in, err := tree.ParseInputs(data)
		if err != nil {
			return nil, tree.Unreadable(filepath.Join(o.Tree, tree.ManifestName), err)
		}
		for _, name := range in.Stack {
			if _, err := Recorded(o.Tree, name); errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("%s is missing, and %s was compiled from it: if it was renamed, run plonec build with its new name", filepath.Join(o.Tree, filepath.FromSlash(name)), o.Tree)
			} else if err != nil {
				return nil, err
			}
			files = append(files, filepath.Join(o.Tree, filepath.FromSlash(name)))
		}
		if len(o.ExtStr)+len(o.TLAStr) == 0 {
			o.ExtStr, o.TLAStr = in.ExtStr, in.TLAStr
		}
		return files, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, name := range UsualStacks {
		if _, err := os.Stat(name); err == nil {
			return []string{name}, nil
		}
	}
	return nil, errors.New("no STACK given, and this directory has no " + strings.Join(UsualStacks[:len(UsualStacks)-1], ", ") + " or " + UsualStacks[len(UsualStacks)-1])
}

// Recorded is the absolute path of a file that the manifest of a tree names, with
// slashes and relative to the tree. Whoever wrote the branch wrote that name, so it
// is an error where it leads out of the repository that holds the tree, or without
// one out of the folder that does, also by a symbolic link; fs.ErrNotExist where
// nothing is there.
func Recorded(dir, rel string) (string, error) {
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
		return "", fmt.Errorf("%s was built from %s, which is outside of %s: plonec reads it only where the command line names it (plonec build STACK), and plan, apply and deploy take no STACK; move what they need into %s",
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

// UsualStacks are where a stack is looked for where none is named.
var UsualStacks = []string{"stack.cue", "stack.jsonnet", "stack.json"}

// treeInputs is what the manifest records of the files that were read, with
// paths relative to the tree.
func treeInputs(stack []string, read []input.Read, o *Options) (tree.Inputs, error) {
	in := tree.Inputs{ExtStr: o.ExtStr, TLAStr: o.TLAStr, Names: map[string]string{}}
	for _, name := range stack {
		rel, err := relative(o.Tree, name)
		if err != nil {
			return in, err
		}
		in.Stack = append(in.Stack, rel)
	}
	for _, r := range read {
		rel, err := relative(o.Tree, r.Path)
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
