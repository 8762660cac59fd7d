package schema

import (
	"regexp"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// A Content is what a file beside the stack holds.
type Content int

// The contents.
const (
	Certificates Content = iota
	HTML
)

// named are the types whose values may be the path of a file: what is in it, and which
// texts are paths, as #PEMFile and #PageFile take them.
var named = map[string]struct {
	content Content
	path    *regexp.Regexp
}{
	"#Certificate": {Certificates, regexp.MustCompile(`^[A-Za-z0-9_.+@/][A-Za-z0-9_.+@/~ -]*\.[A-Za-z0-9]+$`)},
	"#Page":        {HTML, regexp.MustCompile(`^[A-Za-z0-9_.+@/][A-Za-z0-9_.+@/~ -]*\.html?$`)},
}

// A Reader gives the text of a file: what is to be in it, the path as it stands in the
// stack, where, and the attribute. Where it gives none, the path stays.
type Reader func(content Content, path string, at diag.Span, attribute string) (text string, ok bool)

// WithFiles gives the stack with the texts of the files that it names in the place of
// their paths, also in the custom_json of layers. The tree is not changed.
func WithFiles(tree *input.Node, read Reader) *input.Node {
	return (&filler{read}).fill(Root(), tree, nil)
}

type filler struct{ read Reader }

func (f *filler) fill(a *Attr, n *input.Node, path []string) *input.Node {
	if a == nil || n == nil {
		return n
	}
	if kind, may := named[a.def]; may && n.Kind == input.String && kind.path.MatchString(n.Text) {
		if text, ok := f.read(kind.content, n.Text, n.Span, showPath(path)); ok {
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
