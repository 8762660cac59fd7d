package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// A pastedText is what is pasted into deploy.cfg, whole, and where each line is from.
type pastedText struct {
	text   string
	places []pastedLine
}

type pastedLine struct {
	piece *input.Node
	path  string
	line  int // from 1
}

// words name a line to whoever wrote the text.
func (p pastedLine) words() string {
	if strings.Contains(strings.TrimRight(p.piece.Text, "\n"), "\n") {
		return fmt.Sprintf("line %d of the text", p.line)
	}
	return "the text"
}

// pastedConfig puts the texts of a list together. What a reference holds nobody knows here.
func pastedConfig(n *input.Node, path string) pastedText {
	var p pastedText
	for i, piece := range piecesOf(n) {
		if piece.Kind != input.String || strings.TrimSpace(piece.Text) == "" {
			continue
		}
		at := path
		if n.Kind == input.List {
			at = diag.JoinIndex(path, i)
		}
		for k := range strings.Count(piece.Text, "\n") + 1 {
			p.places = append(p.places, pastedLine{piece, at, k + 1})
		}
		p.text += piece.Text + "\n"
	}
	return p
}

// added are options of a client's section that projects give it by a macro.
var added = []string{"eggs", "environment-vars", "extra-paths", "initialization", "rel-storage", "zcml", "zope-conf-additional"}

// pastedFaults reports the lines of a pasted text, or of the texts of a list, for which
// buildout would refuse deploy.cfg, or which do what nobody means: what undoes deploy.cfg,
// and what adds to the section that the clients are made from, where buildout adds to what
// the section has itself, and that takes the macro's place.
func pastedFaults(n *input.Node, path, client string, list *diag.List) {
	pasted := pastedConfig(n, path)
	add := func(code string, line int, does, remedy string) {
		p := pasted.places[line-1]
		list.Add(diag.Diagnostic{Code: code, Span: p.piece.Span, Path: p.path, Message: p.words() + ", " + does, Remedy: remedy})
	}
	bad := builder.BadLines(pasted.text)
	for _, b := range bad {
		add("bad-buildout", b.N, shortLine(b.Text)+", is refused by buildout: "+b.What, b.Remedy)
	}
	if len(bad) > 0 {
		return
	}
	for _, o := range builder.Overrides(pasted.text) {
		add(o.Code, o.N, shortLine(o.Text)+", "+o.What, o.Remedy)
	}
	for section, o := range builder.Pasted(pasted.text) {
		if section != client || o.Op != "+=" || !slices.Contains(added, o.Name) {
			continue
		}
		remedy := fmt.Sprintf("if it has it from a macro, name the macro in the app's parts.client, or write %s = ${MACRO:%s} and the new lines", o.Name, o.Name)
		if client != "client1" {
			remedy = "add in [client1], which has all that it has"
		}
		add("lost-addition", o.Line, fmt.Sprintf("\"%s +=\" in [%s], may lose what the section has from a macro (<=)", o.Name, client), remedy)
	}
}

var clientPart = regexp.MustCompile(`^client[0-9]+$`)

// samePart reports a part of the clients or of the ZEO server that another of an app's names
// of parts names too, as they are set or by default, and one that would take the name of a
// client. One part may pack and back up.
func samePart(parts *input.Node, path string, list *diag.List) {
	type named struct {
		key, name string
		set       *input.Node // nil: by default
	}
	add := func(n named, message, remedy string) {
		list.Add(diag.Diagnostic{Code: "bad-value", Span: n.set.Span, Path: path + "." + n.key, Message: message, Remedy: remedy})
	}
	same := func(n, other named) {
		add(n, fmt.Sprintf("%s is the name of %s too", n.name, other.key), "name another part of the project, or none: \"\"")
	}
	var all []named
	for _, a := range Lookup("deploy.<app>.parts").Fields {
		n := named{key: a.Name, set: parts.Get(a.Name)}
		value := n.set
		if value == nil || value.Kind == input.Null {
			n.set, value = nil, a.Default
		}
		if n.name, _ = text(value); n.name == "" || strings.Contains(n.name, ":") {
			continue
		}
		if n.set != nil && n.key != "client" && clientPart.MatchString(n.name) {
			add(n, n.name+" is what deploy.cfg calls a client", "give the part another name in the project")
		}
		for _, other := range all {
			switch {
			case other.name != n.name || other.key != "client" && other.key != "zeoserver": // the schema has these first
			case n.set != nil:
				same(n, other)
			case other.set != nil:
				same(other, n)
			}
		}
		all = append(all, n)
	}
}

// shortLine is a line as a message has it: *** for one that looks as if it held a secret.
func shortLine(line string) string {
	if SecretLine(line) {
		return hidden
	}
	const most = 40
	if r := []rune(line); len(r) > most {
		line = string(r[:most]) + "…"
	}
	return fmt.Sprintf("%q", line)
}
