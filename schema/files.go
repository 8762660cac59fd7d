package schema

import (
	"regexp"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// pemFile is what #PEMFile takes.
var pemFile = regexp.MustCompile(`^[A-Za-z0-9_.+@/][A-Za-z0-9_.+@/~ -]*\.[A-Za-z0-9]+$`)

// WithFiles gives the stack with the texts of the files that it names in the place of
// certificates, also in the custom_json of layers. read is called with the path as it
// stands there, where, and the attribute; where it gives none, the path stays. The tree
// is not changed.
func WithFiles(tree *input.Node, read func(path string, at diag.Span, attribute string) (text string, ok bool)) *input.Node {
	return (&filler{read}).fill(Root(), tree, nil)
}

type filler struct {
	read func(string, diag.Span, string) (string, bool)
}

func (f *filler) fill(a *Attr, n *input.Node, path []string) *input.Node {
	if a == nil || n == nil {
		return n
	}
	if a.def == "#Certificate" && n.Kind == input.String && pemFile.MatchString(n.Text) {
		if text, ok := f.read(n.Text, n.Span, showPath(path)); ok {
			return &input.Node{Kind: input.String, Span: n.Span, Text: text}
		}
		return n
	}
	inside := n
	if a.Layered {
		if a = Root(); n.Kind == input.String {
			parsed, err := parseJSONAt(n.Text, n.Span, new(int))
			if err != nil {
				return n
			}
			inside = parsed
		}
	}
	filled := inside
	for _, field := range fieldsOf(inside) {
		if value := f.fill(a.Field(field.Key), field.Value, append(path, field.Key)); value != field.Value {
			filled = with(filled, field.Key, value)
		}
	}
	if filled == inside {
		return n
	}
	return filled
}
