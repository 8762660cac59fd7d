package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/plonec/plonec/internal/terminal"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// What cobra and pflag would say of a command line that is not right, and of
// flags, in plonec's own words.

// noArgs is for commands that take no arguments.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no arguments, and was given %s; see %s --help", c.CommandPath(), strings.Join(args, " "), c.CommandPath())
	}
	return nil
}

// wanting makes sure of at least one argument, and of no more than most; what
// says what it is. 0: as many as one likes.
func wanting(what string, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return fmt.Errorf("%s wants %s, as in: %s", c.CommandPath(), what, example(c))
		case most > 0 && len(args) > most:
			return fmt.Errorf("%s wants %s and was given %s, not as in: %s", c.CommandPath(), what, strings.Join(args, " "), example(c))
		}
		return nil
	}
}

// oneOf makes sure of one argument that is among names; what says what it is.
func oneOf(what string, names []string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 || !slices.Contains(names, args[0]) {
			return fmt.Errorf("%s wants %s, one of %s, as in: %s", c.CommandPath(), what, strings.Join(names, ", "), example(c))
		}
		return nil
	}
}

// example is the first of a command's examples.
func example(c *cobra.Command) string {
	first, _, _ := strings.Cut(strings.TrimSpace(c.Example), "\n")
	return first
}

// oneOrAll is for commands that take apps, or --all.
func oneOrAll(c *cobra.Command, args []string, all bool) error {
	switch {
	case len(args) == 0 && !all:
		return fmt.Errorf("name an app, or give --all, as in: %s", example(c))
	case len(args) > 0 && all:
		return fmt.Errorf("name apps or give --all, not both: %s was given --all and %s", c.CommandPath(), strings.Join(args, " "))
	}
	return nil
}

// unknownCommand says which commands a word may have been meant for.
func unknownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := "there is no command " + args[0]
	if like := root.SuggestionsFor(args[0]); len(like) > 0 {
		slices.Sort(like)
		return errors.New(text + "; did you mean plonec " + strings.Join(like, " or plonec ") + "?")
	}
	return errors.New(text + "; plonec --help lists all")
}

// setUsage makes root, and all below it, speak so. args are the command line.
func setUsage(root *cobra.Command, args []string) {
	cobra.AddTemplateFunc("flagUsages", flagUsages)
	t := root.UsageTemplate()
	for _, of := range []string{".LocalFlags", ".InheritedFlags"} {
		t = strings.ReplaceAll(t, of+".FlagUsages", "flagUsages "+of)
	}
	root.SetUsageTemplate(t)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if i := slices.IndexFunc(args, func(a string) bool { return !strings.HasPrefix(a, "-") }); c == root && i >= 0 {
			return unknownCommand(root, args[i:]) // whose flag it is is not known
		}
		return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
	})
}

// flagUsages is a line for each flag: its name, what it takes, and its default
// where it has one.
func flagUsages(flags *pflag.FlagSet) string {
	var lines [][2]string
	width := 0
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name, usage := flagLine(f)
		width = max(width, utf8.RuneCountInString(name))
		lines = append(lines, [2]string{name, usage})
	})
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(terminal.Pad(line[0], width) + "   " + line[1] + "\n")
	}
	return b.String()
}

// flagLine is a flag's name with what it takes, and what it does.
func flagLine(f *pflag.Flag) (name, usage string) {
	takes, usage := pflag.UnquoteUsage(f)
	name = "      --" + f.Name
	if f.Shorthand != "" {
		name = "  -" + f.Shorthand + ", --" + f.Name
	}
	if takes != "" {
		name += " " + takes
	}
	if !slices.Contains([]string{"", "false", "[]", "0", "0s"}, f.DefValue) {
		usage += " (default " + f.DefValue + ")"
	}
	return name, usage
}
