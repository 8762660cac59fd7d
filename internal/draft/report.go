package draft

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/words"
)

// Markdown is the report as a file that goes beside the stack.
func (m *Draft) Markdown() string {
	var b strings.Builder
	r := &m.Report
	fmt.Fprintf(&b, "# %s\n\nWritten once by `%s`; tick off what is done, and delete this file at the end.\n\nThese files were read:\n\n", m.Title, m.By)
	for _, s := range r.Sources {
		fmt.Fprintf(&b, "- %s\n", escape(diag.Visible(s, 1000)))
	}
	fmt.Fprintf(&b, "\n`%s` has %s.\n", StackFile, r.Contents())

	b.WriteString("\n## Left for you to decide\n\n")
	for _, f := range m.Decided() {
		fmt.Fprintf(&b, "- [ ] %s\n", line(f))
	}
	if len(m.Secrets) > 0 {
		fmt.Fprintf(&b, "\n## Secrets\n\nThe stack refers to `%s/NAME`. That folder keeps itself out of git. Whoever runs `plonec apply` needs it,\nor other references: see Secrets in plonec's docs/stack.md.%s\n\n| attribute | file | value |\n|---|---|---|\n", SecretsDir, m.OnSecrets)
		for _, s := range m.Secrets {
			state := "taken over"
			if s.Withheld {
				state = "not in the files: write it"
			}
			fmt.Fprintf(&b, "| `%s` | `%s/%s` | %s |\n", escape(s.Path), SecretsDir, s.Name, state)
		}
	}
	for _, part := range []struct {
		title string
		list  []Finding
	}{{"Changed", r.Changed}, {"Left out", r.Dropped}} {
		if len(part.list) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n", part.title)
		for _, g := range together(part.list) {
			fmt.Fprintf(&b, "- %s: %s\n", escape(g.text), strings.Join(g.paths, ", "))
		}
	}
	return b.String()
}

// Contents counts what the stack holds, in words.
func (r *Report) Contents() string {
	return fmt.Sprintf("%s, %s, %s and %s", words.Count(r.Hosts, "host"), words.Count(r.Layers, "layer"), words.Count(r.Apps, "app"), words.Count(r.Attributes, "further attribute"))
}

// Decisions is the list of what is left to a person, a line each.
func (m *Draft) Decisions() []string {
	var lines []string
	for _, f := range m.Decided() {
		s := f.Path + ": " + f.Text
		if f.Remedy != "" {
			s += "\n    " + f.Remedy
		}
		lines = append(lines, s)
	}
	return lines
}

// Decided are those of the report, after what keeps the stack from being
// built; what is said of several attributes is said once.
func (m *Draft) Decided() []Finding {
	var list []Finding
	for _, d := range m.Left {
		list = append(list, Finding{d.Path, "plonec check refuses the stack: " + d.Message, d.Remedy})
	}
	for _, f := range m.Report.Decide {
		i := slices.IndexFunc(list, func(g Finding) bool { return g.Text == f.Text && g.Remedy == f.Remedy })
		switch {
		case i < 0:
			list = append(list, f)
		case !slices.Contains(strings.Split(list[i].Path, ", "), f.Path):
			list[i].Path += ", " + f.Path
		}
	}
	return list
}

func line(f Finding) string {
	s := "`" + strings.ReplaceAll(f.Path, ", ", "`, `") + "`: " + escape(f.Text)
	if f.Remedy != "" {
		s += " — " + escape(f.Remedy)
	}
	return s
}

// A group is what one thing was said of.
type group struct {
	text  string
	paths []string
}

// together puts the paths together of which the same is said.
func together(list []Finding) []*group {
	var groups []*group
	for _, f := range list {
		path := "`" + f.Path + "`"
		i := slices.IndexFunc(groups, func(g *group) bool { return g.text == f.Text })
		if i < 0 {
			groups = append(groups, &group{text: f.Text})
			i = len(groups) - 1
		}
		if !slices.Contains(groups[i].paths, path) {
			groups[i].paths = append(groups[i].paths, path)
		}
	}
	return groups
}

// escape keeps a text from being markup.
func escape(s string) string {
	return strings.NewReplacer("<", "&lt;", "*", `\*`, "|", `\|`, "[", `\[`, "\n", " ").Replace(s)
}
