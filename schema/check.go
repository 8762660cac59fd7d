package schema

import (
	"regexp"
	"strconv"
	"strings"

	"cuelang.org/go/cue"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// A checker walks a stack beside the schema, leaf by leaf, so that no mistake
// hides another. It masks what must not be printed as it goes.
type checker struct {
	schema *compiled
	judge  *judge
	list   diag.List
	path   []string // of the value at hand, as keys and indexes

	ignore map[string]bool        // top-level keys of other cookbooks
	origin map[*input.Node]string // where each plain secret stands, as a JSON pointer
	layers []layerJSON            // each custom_json, for the view of its hosts
	values int                    // in texts of JSON that were read
	hints  int                    // names that were looked for among the known ones
	more   bool                   // there were more findings than the list takes
	inside bool                   // a layer's custom_json is being walked
}

// Limits of one text and one key, far above what any attribute needs.
const (
	maxText = 1 << 20
	maxKey  = 512
)

// maxFindings is how many findings a run lists: more help nobody.
const maxFindings = 10_000

// A layerJSON is the custom_json of a layer.
type layerJSON struct {
	layer string
	short bool // from layers, not from opsworks.layers
	tree  *input.Node
}

func newChecker(c *compiled) *checker {
	return &checker{
		schema: c, judge: newJudge(c),
		ignore: map[string]bool{},
		origin: map[*input.Node]string{},
	}
}

// stack checks a whole stack.
func (c *checker) stack(tree *input.Node) {
	if tree.Kind != input.Map {
		c.report("wrong-type", tree.Span, "a stack is a map, got "+tree.Kind.String(), "")
		return
	}
	for _, n := range itemsOf(tree.Lookup("plonec", "ignore")) {
		if n.Kind != input.String {
			continue
		}
		if known := c.schema.root.fields[n.Text]; known != nil && !known.Sent {
			c.add(diag.Diagnostic{Code: "ignored-known", Span: n.Span, Path: "plonec.ignore",
				Message: "plonec knows the key " + strconv.Quote(n.Text), Remedy: "take it out of the list"})
			continue
		}
		c.ignore[n.Text] = true
	}
	c.fields(c.schema.root, tree)
	if c.more {
		c.add(diag.Diagnostic{Code: "too-many", Span: tree.Span, Message: "there are more than " + strconv.Itoa(maxFindings) + " findings", Remedy: "fix these first"})
	}
}

// value checks the value of an attribute; key is where its key stands.
func (c *checker) value(a *Attr, n *input.Node, key diag.Span) {
	before := len(c.list)
	switch {
	case n.Kind == input.Null: // not set
		return
	case a.Sent:
		maskAll(n)
		if a.kinds == cue.StringKind && n.Kind != input.String { // $schema
			c.wrongType(a, n)
		}
	case a.Layered:
		c.layered(a, n)
		return
	case a.Secret:
		c.secret(a, n)
	case a.def == "#EnvValue":
		c.variable(a, n)
	case a.Pasted():
		c.pasted(a, n)
	case a.def == "#Certificate" || a.def == "#FileText":
		c.piece(a, n)
	case !a.takes(n.Kind):
		c.wrongType(a, n)
	case n.Kind == input.Map:
		c.fields(a, n)
	case n.Kind == input.List:
		for i, item := range n.Items {
			c.item(a, item, i)
		}
	default:
		c.scalar(a, n)
	}
	if len(c.list) == before || n.Kind == input.Map || a.Secret {
		c.notices(a, n, key)
	}
}

func (c *checker) item(a *Attr, n *input.Node, i int) {
	c.path = append(c.path, indexMark+strconv.Itoa(i))
	if n.Kind == input.Null {
		c.report("wrong-type", n.Span, "want "+a.Item.kindWords()+", got null", "take the null out of the list")
	} else {
		c.value(a.Item, n, n.Span)
	}
	c.path = c.path[:len(c.path)-1]
}

// fields checks the keys and values of a map.
func (c *checker) fields(a *Attr, n *input.Node) {
	for i := range n.Fields {
		f := &n.Fields[i]
		if len(f.Key) > maxKey {
			maskAll(f.Value)
			c.report("bad-key", f.Span, "a key of more than "+strconv.Itoa(maxKey)+" bytes", "")
			continue
		}
		c.path = append(c.path, f.Key)
		known := a.fields[f.Key]
		switch {
		case known != nil:
			if c.inside && !c.allowedInside(f) {
				break
			}
			c.value(known, f.Value, f.Span)
		case a.Elem != nil:
			if !c.judge.accepts(a.Key, input.String, f.Key) {
				c.report("bad-key", f.Span, "want "+a.Key.want, c.mendKey(a.Key, f.Key))
			}
			c.value(a.Elem, f.Value, f.Span)
		default:
			maskAll(f.Value)
			if a != c.schema.root || !c.ignore[f.Key] {
				c.report("unknown-key", f.Span, "", c.didYouMean(a, f.Key))
			}
		}
		c.path = c.path[:len(c.path)-1]
	}
	for _, f := range a.Fields {
		if v := n.Get(f.Name); f.Required && (v == nil || v.Kind == input.Null) {
			c.report("missing-key", n.Span, "it needs "+f.Name, "add "+strconv.Quote(f.Name)+": "+f.name())
		}
	}
}

// scalar checks a text, a number or a truth value.
func (c *checker) scalar(a *Attr, n *input.Node) {
	what, line := betrayal(a, n)
	if what != "" || holdsPassword(n) {
		n.Span.Mask()
	}
	if c.judge.accepts(a, n.Kind, n.Text) {
		if what != "" {
			c.betrays(a, n, what, line)
		}
		return
	}
	code, got := "bad-value", ""
	if n.Kind == input.Number {
		code = "out-of-range"
		if a.kinds&cue.NumberKind == cue.IntKind && strings.ContainsAny(n.Text, ".eE") {
			code, got = "wrong-type", ", got one with a point or an exponent"
		}
	}
	remedy := c.mendValue(a, n)
	if what != "" { // what it would have one write may repeat the text
		remedy = c.keepOut(a, what)
	}
	c.report(code, n.Span, "want "+a.want+got, remedy)
}

func (c *checker) wrongType(a *Attr, n *input.Node) {
	maskBetrayed(a, n)
	remedy := ""
	switch what, _ := betrayal(a, n); {
	case a.Elem != nil && a.Elem.def == "#EnvValue":
		maskAll(n)
	case what != "": // what it would have one write may repeat the text
		remedy = c.keepOut(a, what)
	default:
		remedy = c.mendType(a, n)
	}
	c.report("wrong-type", n.Span, "want "+a.kindWords()+", got "+n.Kind.String(), remedy)
}

// notices reports what is well formed and still worth a word: attributes that
// nobody should set any more, and those that nothing renders yet. A value that
// says what the default says does no harm.
func (c *checker) notices(a *Attr, n *input.Node, key diag.Span) {
	if a.Deprecated == "" && a.Later == "" {
		return
	}
	set := differs(a, n)
	if a.Deprecated != "" && (set && n.Kind != input.Bool || isTrue(n)) {
		remedy := "take it out"
		if a.Use != "" {
			remedy = "set " + a.Use + " in its place"
		}
		c.report("deprecated", key, a.Deprecated, remedy)
	}
	if a.Later != "" && set {
		c.report("not-rendered", key, "nothing renders "+a.Later+" yet", "it is checked and kept, and has no effect")
	}
}

// differs tells whether a value says something else than leaving it out would.
func differs(a *Attr, n *input.Node) bool {
	switch {
	case n.Kind == input.Null:
		return false
	case a.Default != nil && a.Default.Kind != input.List:
		return !equal(a.Default, n)
	}
	switch n.Kind {
	case input.Map:
		for _, f := range n.Fields {
			known := a.fields[f.Key]
			if known == nil && a.Elem != nil && f.Value.Kind != input.Null {
				return true
			}
			if known != nil && !known.Sent && differs(known, f.Value) {
				return true
			}
		}
		return false
	case input.List:
		return len(n.Items) > 0 && !equal(a.Default, n)
	case input.Bool:
		return n.Text == "true"
	}
	return n.Text != ""
}

// equal compares two values, whatever the order of keys.
func equal(a, b *input.Node) bool {
	if a == nil || b == nil || a.Kind != b.Kind || a.Text != b.Text ||
		len(a.Items) != len(b.Items) || len(a.Fields) != len(b.Fields) {
		return a == b
	}
	for i := range a.Items {
		if !equal(a.Items[i], b.Items[i]) {
			return false
		}
	}
	for _, f := range a.Fields {
		if !equal(f.Value, b.Get(f.Key)) {
			return false
		}
	}
	return true
}

// report adds a diagnostic about the value at hand.
func (c *checker) report(code string, span diag.Span, message, remedy string) {
	if len(c.list) >= maxFindings {
		c.more = true
		return
	}
	c.add(diag.Diagnostic{Code: code, Span: span, Path: showPath(c.path), Message: message, Remedy: remedy})
}

func (c *checker) add(d diag.Diagnostic) { c.list.Add(d) }

// indexMark begins an index in a path, so that no key is taken for one.
const indexMark = "\x00"

// showPath writes a path as diagnostics do: a.b, a[0].
func showPath(path []string) string {
	shown := ""
	for _, key := range path {
		if index, ok := strings.CutPrefix(key, indexMark); ok {
			if i, err := strconv.Atoi(index); err == nil {
				shown = diag.JoinIndex(shown, i)
				continue
			}
		}
		shown = diag.JoinKey(shown, key)
	}
	return shown
}

// itemsOf returns the items of a list, none where n is no list.
func itemsOf(n *input.Node) []*input.Node {
	if n == nil || n.Kind != input.List {
		return nil
	}
	return n.Items
}

// maskAll masks a value and all inside it, whatever file that stands in.
func maskAll(n *input.Node) {
	n.Span.Mask()
	for _, item := range n.Items {
		maskAll(item)
	}
	for _, f := range n.Fields {
		maskAll(f.Value)
	}
}

// password in an address, as in https://user:password@host/ or
// https://token@host/.
var password = regexp.MustCompile(`://[^/\s@]*:[^/\s@]*@|\bhttps?://[^/\s@]+@`)

// holdsPassword tells whether a text holds a secret although its attribute is
// none: an address with a password, a private key.
func holdsPassword(n *input.Node) bool {
	return n.Kind == input.String && (len(n.Text) > maxText ||
		strings.Contains(n.Text, "://") && password.MatchString(n.Text) || strings.Contains(n.Text, "PRIVATE KEY-----"))
}

// maskBetrayed masks what looks as if it held a secret in a value of another kind
// than the attribute's.
func maskBetrayed(a *Attr, n *input.Node) {
	if what, _ := betrayal(a, n); what != "" || holdsPassword(n) {
		n.Span.Mask()
	}
	for _, item := range n.Items {
		maskBetrayed(a, item)
	}
	for _, f := range n.Fields {
		maskBetrayed(a, f.Value)
	}
}

func formatFloat(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
