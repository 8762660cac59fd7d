package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// needsInWords are what docs/commands.md says of needs, in its order.
var needsInWords = []struct {
	what needs
	text string
}{
	{aStack, "a stack"},
	{freshTree, "an up-to-date tree"},
	{aTree, "a tree"},
	{committed, "a commit of it"},
	{allHosts, "all hosts"},
	{theHosts, "the chosen hosts"},
	{theFronts, "the front ends"},
	{theServed, "the hosts that these serve"},
	{secrets, "the values of secrets"},
}

// commandsDoc is docs/commands.md.
func commandsDoc() string {
	var b strings.Builder
	b.WriteString("# Commands\n\n`plonec COMMAND --help` describes a command and its flags. `make update` writes this page.\n")
	group := ""
	for _, v := range verbs() {
		if v.group != group {
			group = v.group
			fmt.Fprintf(&b, "\n## %s\n\n| command | does | needs | `--format` |\n|---|---|---|---|\n", strings.ToUpper(group[:1])+group[1:])
		}
		var wants []string
		left := v.needs
		for _, n := range needsInWords {
			switch {
			case !left.has(n.what), n.what == committed && v.reports: // a report says where it is not
			case n.what == freshTree:
				left &^= aTree // said with it
				wants = append(wants, n.text)
			case n.what == allHosts:
				left &^= theHosts
				wants = append(wants, n.text)
			default:
				wants = append(wants, n.text)
			}
		}
		formats := strings.Join(v.formats, ", ")
		if v.group == onHosts && !v.reports && formats != "" {
			formats += " (a line for each event)"
		}
		short := v.command().Short
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", strings.ReplaceAll(v.line(), "|", `\|`), short, strings.Join(wants, ", "), formats)
	}
	b.WriteString("\n## Exit statuses\n\n| status | means |\n|---|---|\n")
	for _, e := range exits {
		fmt.Fprintf(&b, "| %d | %s |\n", e.code, e.text)
	}
	return b.String()
}

// docs/commands.md is the table of verbs, and the README's table names each of them.
func TestCommandsInTheDocumentation(t *testing.T) {
	const file = "../../docs/commands.md"
	want := commandsDoc()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != want {
		t.Errorf("%s is stale, make update rewrites it (%v)", file, err)
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if command, ok := strings.CutPrefix(line, "| `plonec "); ok {
			command, _, _ = strings.Cut(command, " | ")
			for _, word := range strings.FieldsFunc(command, func(r rune) bool { return strings.ContainsRune(" `,", r) }) {
				named[word] = true
			}
		}
	}
	for _, v := range verbs() {
		if !named[v.name] {
			t.Errorf("README.md says nothing of plonec %s", v.name)
		}
	}
}

// Every verb has what help, completion and the errors take from the table.
func TestVerbs(t *testing.T) {
	for _, v := range verbs() {
		c := v.command()
		if c.Short == "" || c.Long == "" || c.Example == "" || c.RunE == nil || v.group == "" {
			t.Errorf("%s: a part is missing", v.name)
		}
		if v.arguments.use != "" && v.arguments.such == "" {
			t.Errorf("%s: its arguments have no example", v.name)
		}
		if (c.Flags().Lookup("format") != nil) != (len(v.formats) > 0) {
			t.Errorf("%s: --format is not of the table", v.name)
		}
		if hosts := c.Flags().Lookup("host") != nil; hosts != v.needs.has(theHosts) {
			t.Errorf("%s: --host is not of the table", v.name)
		}
		if v.needs.has(committed) && !v.needs.has(freshTree|theHosts) {
			t.Errorf("%s: a commit is asked for where hosts get what a fresh tree has", v.name)
		}
		if len(v.formats) > 0 {
			var said strings.Builder
			if code := run([]string{v.name, "--format", "no-such"}, &said, &said); code != exitError || !strings.Contains(said.String(), "unknown --format") && !strings.Contains(said.String(), "as in: plonec ") && !strings.Contains(said.String(), "name an app") {
				t.Errorf("%s --format no-such: %d, %s", v.name, code, said.String())
			}
		}
	}
}
