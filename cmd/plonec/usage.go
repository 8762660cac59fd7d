package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plonec/plonec/internal/terminal"
)

// What cobra and pflag would say of a command line that is not right, and of
// flags, in plonec's own words.

// unknownCommand says which commands a word may have been meant for.
func unknownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := "unknown command " + args[0]
	if like := root.SuggestionsFor(args[0]); len(like) > 0 {
		slices.Sort(like)
		return errors.New(text + "; did you mean plonec " + strings.Join(like, " or plonec ") + "?")
	}
	return errors.New(text + "; plonec --help lists all")
}

// usageTemplate is what a command answers to --help below its description.
const usageTemplate = `Usage:
  {{.UseLine}}{{if not .HasParent}}
  plonec [command]{{end}}

Examples:
{{.Example}}
{{range $group := .Groups}}
{{.Title}}:
{{range $.Commands}}{{if eq .GroupID $group.ID}}  {{rpad .Name .NamePadding}} {{.Short}}
{{end}}{{end}}{{end}}
Flags:
{{flagUsages .LocalFlags}}{{if not .HasParent}}
Use "plonec [command] --help" for more information about a command.
{{end}}`

// setUsage makes root, and all below it, speak so. args are the command line.
func setUsage(root *cobra.Command, args []string) {
	cobra.AddTemplateFunc("flagUsages", flagUsages)
	root.SetUsageTemplate(usageTemplate)
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
