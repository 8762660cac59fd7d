package schema

import (
	"fmt"
	"strings"
)

// Reference is the attribute reference, docs/attributes.md.
func Reference() string {
	var b strings.Builder
	b.WriteString(`# Attributes

<!-- Generated from schema/*.cue by go generate ./schema; do not edit. -->

Every key that a stack may hold. What is not here is an error, unless
` + "`plonec.ignore`" + ` lists it. ` + "`null`" + ` means not set. ` + "`plonec explain NAME`" + ` prints one of them.

Durations are numbers, or texts with a unit: us, ms, s, m, h, d. A secret is a
reference such as ` + "`{\"$secret\": \"env:NAME\"}`" + ` (also ` + "`file:PATH`, `age:FILE#KEY`, `cmd:COMMAND`" + `),
or, with a warning, a plain text.

`)
	root := Root()
	var sent []*Attr
	for _, a := range root.Fields {
		if a.Sent {
			sent = append(sent, a)
			continue
		}
		fmt.Fprintf(&b, "- [%s](#%s)\n", a.Name, a.Name)
	}
	b.WriteString("- [Types](#types)\n- [Accepted without effect](#accepted-without-effect)\n")
	for _, a := range root.Fields {
		if !a.Sent {
			a.section(&b, &sent)
		}
	}
	types(&b)
	b.WriteString("\n## Accepted without effect\n\nOpsWorks or the cookbook had these keys; they are read by nothing.\n\n")
	for _, a := range sent {
		fmt.Fprintf(&b, "- `%s`\n", a.Path)
	}
	return b.String()
}

// section writes a top-level key and the table of all below it.
func (a *Attr) section(b *strings.Builder, sent *[]*Attr) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n", a.Name, a.notes(a.Doc))
	var rows []*Attr
	var collect func(*Attr)
	collect = func(x *Attr) {
		switch {
		case x.Sent:
			*sent = append(*sent, x)
			return
		case x != a && !(x.Type == "a map" && (x.Name == "[]" || strings.HasPrefix(x.Name, "<"))) && x.Name != "[]":
			if x.Elem != nil || len(x.Fields) == 0 || x.Secret || x.Later != "" || x.Deprecated != "" || x.kindWords() != "a map" {
				rows = append(rows, x)
			}
		}
		for _, f := range x.Below() {
			collect(f)
		}
		for _, f := range x.Fields {
			if f.Sent {
				collect(f)
			}
		}
		if x.Elem != nil {
			for _, f := range x.Elem.Fields {
				if f.Sent {
					collect(f)
				}
			}
		}
	}
	if len(a.Fields) == 0 && (a.Elem == nil || len(a.Elem.Fields) == 0) {
		rows = append(rows, a)
	}
	collect(a)
	if len(rows) == 0 {
		return
	}
	b.WriteString("\n| Attribute | Type | Default | Meaning |\n|---|---|---|---|\n")
	for _, x := range rows {
		meaning := "see above"
		if x != a {
			meaning = x.notes(cell(x.Doc))
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", x.Path, cell(x.name()), x.defaultCell(), meaning)
	}
}

// types explains the short names of types.
func types(b *strings.Builder) {
	long := map[string]string{}
	Root().each(func(a *Attr) {
		if !a.Sent && a.short != "" && a.def != "" {
			long[a.short] = a.want
		}
	})
	b.WriteString("\n## Types\n\n| Type | Takes |\n|---|---|\n")
	for _, short := range sortedKeys(long) {
		fmt.Fprintf(b, "| %s | %s |\n", cell(short), cell(long[short]))
	}
}

// notes adds to the documentation what the marks say.
func (a *Attr) notes(doc string) string {
	var notes []string
	if doc != "" {
		notes = append(notes, doc)
	}
	if a.Deprecated != "" {
		notes = append(notes, "**Deprecated:** "+a.Deprecated+".")
	}
	if a.NotYet() != "" {
		notes = append(notes, "*Not rendered yet.*")
	}
	if len(a.Aliases) > 0 {
		notes = append(notes, "Also called `"+strings.Join(a.Aliases, "`, `")+"`.")
	}
	if a.Into != "" {
		notes = append(notes, "Sets the defaults of `"+a.Into+"`.")
	}
	if a.Required {
		notes = append(notes, "Must be given.")
	}
	if len(a.Shows) > 0 {
		notes = append(notes, "Shows in: "+a.ShownIn()+".")
	}
	return strings.Join(notes, " ")
}

func (a *Attr) defaultCell() string {
	switch {
	case a.Default != nil:
		return "`" + cell(a.DefaultText()) + "`"
	case a.Derived != "":
		return cell(a.Derived)
	}
	return ""
}

// cell writes a text into a table of Markdown.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "~", `\~`, "*", `\*`).Replace(s)
}
