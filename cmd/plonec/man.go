package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plonec/plonec/internal/git"
	"github.com/plonec/plonec/internal/regular"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/words"
)

// Manual pages from what --help says. cobra's own generator takes the help for
// Markdown and writes what mandoc -T lint finds fault with.

func manCommand(_ *verb, c *cobra.Command) {
	c.Short = "write the manual pages into a folder"
	c.Long = "Man writes a manual page for plonec and one for each of its commands into a folder."
	c.Example = "  plonec man ~/.local/share/man/man1"
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := git.WritesThrough(args[0]); err != nil {
			return err
		}
		if err := os.MkdirAll(args[0], 0o755); err != nil {
			return err
		}
		pages := manPages(c.Root())
		for _, name := range slices.Sorted(maps.Keys(pages)) {
			if err := regular.Write(filepath.Join(args[0], name), []byte(pages[name]), 0o644); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintf(c.OutOrStdout(), "%s: %s\n", terminal.Printable(args[0]), words.Count(len(pages), "page"))
		return err
	}
}

// manPages are the pages of plonec and of all its verbs, by file name.
func manPages(root *cobra.Command) map[string]string {
	pages := map[string]string{}
	pages[pageName(root)+".1"] = manPage(root, "COMMAND")
	for _, v := range verbs() {
		c, _, err := root.Find([]string{v.name})
		if err != nil {
			panic(err) // root has them all
		}
		pages[pageName(c)+".1"] = manPage(c, v.arguments.use)
	}
	return pages
}

func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// exits are the exit statuses, for the page of plonec itself.
var exits = []struct {
	code int
	text string
}{
	{exitDone, "done"},
	{exitError, "an error, or a tree that build --check finds stale"},
	{exitChanges, "with --exit-code: something is to be done, or does not run"},
	{exitLocked, "another plonec is at work"},
	{exitReverted, "a host was reverted"},
	{exitSplit, "hosts are left on different releases"},
	{exitUnknown, "a host's state is not known"},
	{exitInterrupted, "interrupted"},
}

func manPage(c *cobra.Command, arguments string) string {
	c.InitDefaultHelpFlag()
	var b strings.Builder
	name := pageName(c)
	fmt.Fprintf(&b, ".TH %s 1 \"%s\" \"plonec %s\"\n", strings.ToUpper(roff(name)), commitDay(), release)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(name), roff(c.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(c.CommandPath()))
	fmt.Fprintf(&b, "%s\n", roff(strings.TrimSpace(arguments+" [FLAG...]")))
	b.WriteString(".SH DESCRIPTION\n")
	for i, paragraph := range strings.Split(c.Long, "\n\n") {
		switch {
		case strings.HasPrefix(paragraph, "  "):
			fmt.Fprintf(&b, ".PP\n.nf\n%s\n.fi\n", roff(paragraph))
			continue
		case i > 0:
			b.WriteString(".PP\n")
		}
		fmt.Fprintf(&b, "%s\n", roff(paragraph))
	}
	if !c.HasParent() {
		b.WriteString(".SH COMMANDS\n")
		for _, below := range c.Commands() {
			if below.GroupID != "" {
				fmt.Fprintf(&b, ".TP\n.BR %s (1)\n%s\n", roff(pageName(below)), roff(below.Short))
			}
		}
	}
	b.WriteString(".SH OPTIONS\n")
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			named, usage := flagLine(f)
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(strings.TrimSpace(named)), roff(usage))
		}
	})
	if !c.HasParent() {
		b.WriteString(".SH EXIT STATUS\n")
		for _, e := range exits {
			fmt.Fprintf(&b, ".TP\n.B %d\n%s\n", e.code, roff(e.text))
		}
	}
	fmt.Fprintf(&b, ".SH EXAMPLES\n.nf\n%s\n.fi\n", roff(c.Example))
	if c.HasParent() {
		b.WriteString(".SH SEE ALSO\n.BR plonec (1)\n")
	}
	return b.String()
}

// commitDay is the day of the commit that this program was built from, so that
// a page is the same whenever it is made; empty where that is not known.
func commitDay() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.time" {
				return s.Value[:min(len("2006-01-02"), len(s.Value))]
			}
		}
	}
	return ""
}

// roff keeps a text as it is: its backslashes and hyphens, and points and
// quotes at the beginnings of lines, mean nothing.
func roff(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		line = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(strings.TrimRight(line, " "))
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			line = `\&` + line
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}
