package schema

import (
	"fmt"
	"strings"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// badLines reports the lines of a pasted text, or of the texts of a list, for which
// buildout would refuse deploy.cfg, or which do what nobody means. What a reference holds
// nobody knows here.
func badLines(n *input.Node, path string, list *diag.List) {
	type place struct {
		piece *input.Node
		path  string
		line  int // from 1
	}
	var text strings.Builder
	var places []place // of each line
	for i, piece := range piecesOf(n) {
		if piece.Kind != input.String || strings.TrimSpace(piece.Text) == "" {
			continue
		}
		at := path
		if n.Kind == input.List {
			at = diag.JoinIndex(path, i)
		}
		for k := range strings.Count(piece.Text, "\n") + 1 {
			places = append(places, place{piece, at, k + 1})
		}
		text.WriteString(piece.Text + "\n")
	}
	add := func(code string, bad builder.BadLine, does string) {
		p := places[bad.N-1]
		where := "the text"
		if strings.Contains(strings.TrimRight(p.piece.Text, "\n"), "\n") {
			where = fmt.Sprintf("line %d of the text", p.line)
		}
		list.Add(diag.Diagnostic{Code: code, Span: p.piece.Span, Path: p.path,
			Message: fmt.Sprintf("%s, %s, %s", where, shortLine(bad.Text), does), Remedy: bad.Remedy})
	}
	bad := builder.BadLines(text.String())
	for _, b := range bad {
		add("bad-buildout", b, "is refused by buildout: "+b.What)
	}
	if len(bad) == 0 {
		for _, o := range builder.Overrides(text.String()) {
			add(o.Code, o.BadLine, o.What)
		}
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
