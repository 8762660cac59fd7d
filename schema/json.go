package schema

import (
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// Limits of a text that holds JSON: how deep it may nest, and how many values
// all such texts of a stack may hold.
const (
	maxDepth  = 64
	maxValues = 500_000
)

// parseJSON reads a JSON text that stands inside another file: a default of
// the schema, a layer's custom_json that is a string. Its nodes have no place.
func parseJSON(text string) (*input.Node, error) { return parseJSONAt(text, diag.Span{}, new(int)) }

// parseJSONAt is parseJSON with one place for every node; it adds to count how
// many there are.
func parseJSONAt(text string, span diag.Span, count *int) (*input.Node, error) {
	p := jsonParser{json.NewDecoder(strings.NewReader(text)), span, count}
	p.dec.UseNumber()
	n, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more follows the value")
	}
	return n, nil
}

type jsonParser struct {
	dec   *json.Decoder
	span  diag.Span
	count *int
}

func (p jsonParser) value(depth int) (*input.Node, error) {
	tok, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	if *p.count++; depth > maxDepth || *p.count > maxValues {
		return nil, errors.New("it is too deep or too long")
	}
	n := &input.Node{Span: p.span}
	switch tok := tok.(type) {
	case nil:
		n.Kind = input.Null
	case bool:
		n.Kind, n.Text = input.Bool, "false"
		if tok {
			n.Text = "true"
		}
	case json.Number:
		n.Kind, n.Text = input.Number, tok.String()
		if f, err := tok.Float64(); len(n.Text) > 40 || err != nil || f != f {
			return nil, errors.New("a number cannot be kept exactly")
		}
	case string:
		n.Kind, n.Text = input.String, tok
	case json.Delim:
		if tok == '[' {
			return p.list(n, depth)
		}
		return p.object(depth)
	}
	return n, nil
}

func (p jsonParser) list(n *input.Node, depth int) (*input.Node, error) {
	n.Kind = input.List
	for p.dec.More() {
		item, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.Items = append(n.Items, item)
	}
	_, err := p.dec.Token()
	return n, err
}

func (p jsonParser) object(depth int) (*input.Node, error) {
	var fields []input.Field
	seen := map[string]bool{}
	for p.dec.More() {
		tok, err := p.dec.Token()
		if err != nil {
			return nil, err
		}
		key := tok.(string) // the decoder lets nothing else through
		if seen[key] {
			return nil, errors.New("a key is given twice")
		}
		seen[key] = true
		value, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		fields = append(fields, input.Field{Key: key, Span: p.span, Value: value})
	}
	_, err := p.dec.Token()
	return input.NewMap(p.span, fields), err
}
