package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/schema"
)

// What the shells complete. Everything comes from the schema and from the
// tree's manifest: nothing is compiled or asked, and no value of a stack is
// looked at.

// shells are those that completion speaks to.
var shells = []string{"bash", "fish", "zsh"}

func completionCommand(_ *verb, c *cobra.Command) {
	c.Short = "print the completion of commands for bash, fish or zsh"
	c.Long = `Completion prints a script that lets a shell complete commands, flags, attributes,
and the hosts, layers and apps of the tree. In bash it needs bash-completion.

  bash  plonec completion bash > ~/.local/share/bash-completion/completions/plonec
  fish  plonec completion fish > ~/.config/fish/completions/plonec.fish
  zsh   plonec completion zsh > DIR/_plonec, where DIR is in $fpath`
	c.Example = "  source <(plonec completion bash)"
	c.RunE = func(c *cobra.Command, args []string) error {
		root, out := c.Root(), c.OutOrStdout()
		switch args[0] {
		case "bash":
			return root.GenBashCompletionV2(out, true)
		case "fish":
			return root.GenFishCompletion(out, true)
		}
		return root.GenZshCompletion(out)
	}
}

// A completer lists the words that may stand at a place; before are the
// arguments to the left, and word is what is there so far. The shell drops
// what does not begin with word.
type completer func(c *cobra.Command, before []string, word string) ([]string, cobra.ShellCompDirective)

// flagsOf are those of flags, wherever a verb has them.
var flagsOf = map[string]completer{
	"host": listed(inTree(hostNames)), "layer": listed(inTree(layerNames)),
	"tree": folders, "buildout": folders, "set": settings,
}

// complete makes a verb's command complete its arguments and flags.
func (v *verb) complete(c *cobra.Command) {
	c.ValidArgs = v.arguments.words
	if complete := v.arguments.complete; complete != nil && v.arguments.most == 1 {
		c.ValidArgsFunction = onlyOne(complete)
	} else if complete != nil {
		c.ValidArgsFunction = complete
	} else if c.ValidArgs == nil {
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
	flags := maps.Clone(flagsOf)
	flags["format"] = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { return v.formats, noFiles }
	for name, complete := range flags {
		if c.Flags().Lookup(name) != nil {
			_ = c.RegisterFlagCompletionFunc(name, complete) // it has the flag, and no other completion
		}
	}
}

const noFiles = cobra.ShellCompDirectiveNoFileComp

func stackNames(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"json", "jsonnet", "cue"}, cobra.ShellCompDirectiveFilterFileExt
}

func folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// onlyOne completes the first argument alone.
func onlyOne(complete completer) completer {
	return func(c *cobra.Command, before []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(before) > 0 {
			return nil, noFiles
		}
		return complete(c, before, word)
	}
}

// listed completes the last of several words with commas between them.
func listed(complete completer) completer {
	return func(c *cobra.Command, before []string, word string) ([]string, cobra.ShellCompDirective) {
		given, _ := strings.CutSuffix(word, word[strings.LastIndex(word, ",")+1:])
		names, directive := complete(c, strings.Split(given, ","), word)
		for i := range names {
			names[i] = given + names[i]
		}
		return names, directive
	}
}

// inTree completes names of the tree that are not there yet.
func inTree(names func(*tree.Manifest) []string) completer {
	return func(c *cobra.Command, before []string, _ string) ([]string, cobra.ShellCompDirective) {
		list := names(manifestOf(c))
		return slices.DeleteFunc(list, func(name string) bool { return slices.Contains(before, name) }), noFiles
	}
}

func apps(c *cobra.Command, before []string, word string) ([]string, cobra.ShellCompDirective) {
	return inTree(appNames)(c, before, word)
}

// firstApp completes an app, and nothing behind it.
func firstApp(c *cobra.Command, before []string, word string) ([]string, cobra.ShellCompDirective) {
	return onlyOne(apps)(c, before, word)
}

func recipes(c *cobra.Command, before []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(before) == 0 {
		return recipeNames(), noFiles
	}
	return apps(c, before[1:], word)
}

// manifestOf is the manifest of the tree that the command line names, empty
// where it cannot be read.
func manifestOf(c *cobra.Command) *tree.Manifest {
	dir := "build"
	if f := c.Flags().Lookup("tree"); f != nil {
		dir = f.Value.String()
	}
	data, err := tree.ReadManifest(dir)
	if err != nil {
		return &tree.Manifest{}
	}
	m, err := tree.Parse(data)
	if err != nil {
		return &tree.Manifest{}
	}
	return m
}

func hostNames(m *tree.Manifest) []string {
	var names []string
	for _, h := range m.Hosts {
		names = append(names, h.Name)
	}
	return names
}

func layerNames(m *tree.Manifest) []string {
	var names []string
	for _, h := range m.Hosts {
		names = append(names, h.Layers...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func appNames(m *tree.Manifest) []string {
	var names []string
	for _, h := range m.Hosts {
		for _, a := range h.Apps {
			names = append(names, a.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// explained completes an attribute or a code, and then files of a stack.
func explained(c *cobra.Command, before []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(before) > 0 || c.Flags().Changed("set") {
		return stackNames(c, before, word)
	}
	list := attributes(c, word)
	if !strings.Contains(word, ".") {
		for name, code := range diag.Codes {
			list = append(list, name+"\t"+code.Title)
		}
	}
	slices.Sort(list)
	return list, noFiles
}

// settings completes an attribute, and after its = the values to choose from.
func settings(c *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	if path, _, ok := strings.Cut(word, "="); ok {
		var list []string
		if a := schema.Lookup(path); a != nil && !a.Secret {
			values := a.Enum
			if a.Type == "a truth value" {
				values = []string{"true", "false"}
			}
			for _, value := range values {
				list = append(list, path+"="+value)
			}
		}
		return list, noFiles
	}
	list := attributes(c, word)
	for i, line := range list {
		path, doc, _ := strings.Cut(line, "\t")
		if a := schema.Lookup(path); a != nil && len(a.Below()) == 0 {
			list[i] = path + "=\t" + doc
		}
	}
	return list, noFiles | cobra.ShellCompDirectiveNoSpace
}

// attributes are the paths with as many words as there are in word, and those
// below it where it is a whole group, with what they do. <app> and the like
// are the names that the tree has.
func attributes(c *cobra.Command, word string) []string {
	list := below(c, word[:max(strings.LastIndex(word, "."), 0)])
	isIt := func(line string) bool { path, _, _ := strings.Cut(line, "\t"); return path == word }
	if slices.ContainsFunc(list, isIt) {
		list = append(list, below(c, word)...)
	}
	return list
}

// below are the paths right below a group, and what they do.
func below(c *cobra.Command, path string) []string {
	group, prefix := schema.Root(), ""
	if path != "" {
		if group = schema.Lookup(path); group == nil {
			return nil
		}
		prefix = path + "."
	}
	var list []string
	if group.Elem == nil {
		for _, a := range group.Below() {
			list = append(list, prefix+a.Name+"\t"+firstSentence(a.Doc))
		}
		return list
	}
	if names := map[string]func(*tree.Manifest) []string{"deploy": appNames, "instances": hostNames, "layers": layerNames}[group.Path]; names != nil {
		for _, name := range names(manifestOf(c)) {
			list = append(list, diag.JoinKey(path, name))
		}
	}
	return list
}
