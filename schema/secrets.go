package schema

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// secretName matches the names of variables whose values nobody should see.
var secretName = regexp.MustCompile(`(?i)(PASSW|PASSPHRASE|SECRET|CREDENTIAL|(PRIVATE|API|ACCESS)_?KEY|TOKENS?(_|$)|(^|_)(KEY|PWD|PASS|DSN)$)`)

// plainSecret warns of a secret's value. One that was meant for a reference would
// be taken for the secret itself.
func (c *checker) plainSecret(n *input.Node, what string) {
	remedy := "write {\"$secret\": \"env:" + c.variableName() + "\"} instead"
	if bareReference.MatchString(n.Text) {
		what, remedy = "this is the secret itself, and looks like where one comes from", "write {\"$secret\": \"env:NAME\"}, as a map"
	}
	c.report("plain-secret", n.Span, what, remedy)
}

// bareReference is a reference to a secret without its map.
var bareReference = regexp.MustCompile(`^(env:[A-Za-z_][A-Za-z0-9_]*|(file|age|cmd):\S.*)$`)

// secret checks the value of a secret and masks it unless it is a reference.
func (c *checker) secret(a *Attr, n *input.Node) {
	switch n.Kind {
	case input.Map:
		c.reference(n)
	case input.String:
		n.Span.Mask()
		switch {
		case n.Text == "": // as OpsWorks wrote what was not set
		case !c.judge.accepts(a, n.Kind, n.Text):
			c.report("bad-value", n.Span, "this secret has a line break or a control character inside", "give it in one line, as {\"$secret\": \"env:"+c.variableName()+"\"}")
		default:
			c.origin[n] = Pointer(c.path)
			c.plainSecret(n, "a secret stands in the stack in plain")
		}
	default:
		maskAll(n)
		c.report("wrong-type", n.Span, "want a string or a reference, got "+n.Kind.String(), "write {\"$secret\": \"env:"+c.variableName()+"\"}")
	}
}

// variable checks a value of an app's environment, which is a secret when it
// says so or when its name does.
func (c *checker) variable(a *Attr, n *input.Node) {
	name := c.path[len(c.path)-1]
	secret := secretName.MatchString(name) || holdsPassword(n) || n.Kind == input.String && LooksSecret(name, n.Text)
	if n.Kind == input.Map {
		c.reference(n)
		return
	}
	maskAll(n) // also where neither name nor value tells
	switch {
	case !a.takes(n.Kind):
		c.wrongType(a, n)
	case !c.judge.accepts(a, n.Kind, n.Text):
		c.report("bad-value", n.Span, "want "+a.want, "")
	case secret && n.Kind != input.Bool && n.Text != "":
		c.origin[n] = Pointer(c.path)
		c.plainSecret(n, "a variable with this name or value is taken for a secret")
	}
}

// LooksSecret tells whether the value of a variable is one by its looks: an
// address with a password, a key, a token of a known form, a long random word. The
// name tells what is only a sum or an id.
func LooksSecret(name, value string) bool {
	what, _ := signIn(everywhere, value)
	return what != "" || looksRandom(name, value)
}

// pasted checks configuration that is pasted, piece by piece.
func (c *checker) pasted(a *Attr, n *input.Node) {
	if n.Kind != input.List {
		c.piece(a, n)
		return
	}
	text := false
	for i, piece := range n.Items {
		c.path = append(c.path, indexMark+strconv.Itoa(i))
		if text && piece.Kind == input.Map && a.def == "#PastedConfig" {
			c.report("secret-order", piece.Span, "buildout reads what deploy.cfg extends before deploy.cfg itself, so this cannot win over the text before it",
				"put the references first, and into them what has to come later")
		}
		text = text || piece.Kind == input.String && strings.TrimSpace(piece.Text) != ""
		c.piece(a.Item, piece)
		c.path = c.path[:len(c.path)-1]
	}
}

// piece checks a text or a reference.
func (c *checker) piece(a *Attr, n *input.Node) {
	switch n.Kind {
	case input.Map:
		c.reference(n)
	case input.String:
		c.scalar(a, n)
	case input.Null:
		c.report("wrong-type", n.Span, "want "+a.kindWords()+", got null", "take the null out of the list")
	default:
		c.wrongType(a, n)
	}
}

// piecesOf gives the pieces of a Pasted.
func piecesOf(n *input.Node) []*input.Node {
	if n == nil || n.Kind == input.List {
		return itemsOf(n)
	}
	return []*input.Node{n}
}

// betrays warns of a text that is to go into the tree as it is and looks as if
// it held a secret.
func (c *checker) betrays(a *Attr, n *input.Node, what string, line int) {
	where := "this"
	if strings.Contains(strings.TrimRight(n.Text, "\n"), "\n") {
		where = "line " + strconv.Itoa(line) + " of the text"
	}
	c.report("secret-in-text", n.Span, where+" looks like "+what+", and goes into the tree and into git as it is", c.keepOut(a, what))
}

// betrayal is what a text in the place of an attribute looks like, where it looks as
// if it held a secret, and the line, from 1.
func betrayal(a *Attr, n *input.Node) (what string, line int) {
	signs := everywhere
	switch {
	case n.Kind != input.String || len(n.Text) > maxText:
		return "", 0
	case a.holdsConfig():
		signs = inText
	case a.def == "#Words":
		signs = inWords
	case len(n.Text) < 20 && !strings.Contains(n.Text, "://"): // names and addresses of thousands of hosts
		return "", 0
	}
	return signIn(signs, n.Text)
}

// keepOut says what to write in the place of a text that holds a secret, which looks
// like what.
func (c *checker) keepOut(a *Attr, what string) string {
	ref := `{"$secret": "env:` + c.variableName() + `"}`
	switch {
	case a.def == "#Piece":
		return "take those lines out, and put " + ref + " that holds them into the list" + map[bool]string{true: ", before the texts"}[strings.HasPrefix(a.Path, "deploy")]
	case a.def == "#OwnText":
		return "take it out: no reference can stand in this text"
	case a.Pasted():
		if strings.HasPrefix(a.Path, "deploy") { // buildout's
			return `write a list, [` + ref + `, "…"]: the reference holds the section and those lines`
		}
		return `write a list, ["…", ` + ref + `, "…"]: the reference holds those lines`
	case a.def == "#Repository" && what == inQuery:
		return "take the query out, and give a token of the server's as scm.password, with the user that it goes with as scm.user"
	case strings.Contains(a.Path, ".index.find_links"):
		return "put the user and the password into .netrc of the app's user, or give the whole address as PIP_FIND_LINKS and as UV_FIND_LINKS of deploy.<app>.environment, both as " + ref
	case strings.Contains(a.Path, ".index."):
		return "put the user and the password into .netrc of the app's user, or give the whole address as PIP_INDEX_URL and as UV_DEFAULT_INDEX of deploy.<app>.environment, both as " + ref
	case a.def == "#URL" && what == inQuery:
		return "take the query out, and give the archive's user and password as attributes of their own, or have its server let the hosts in without"
	case a.def == "#Repository":
		return "give the user and the password as scm.user and scm.password"
	case a.def == "#URL":
		return "give the archive's user and password as attributes of their own"
	case strings.HasSuffix(a.Path, "flags"):
		return "put the option into buildout_additional_config, as a reference to a section with it"
	case a.def == "#FileText":
		return "give the whole text by reference: " + ref
	case a.def == "#Certificate":
		return `leave the key out of it, and give it as ssl_certificate_key, {"$secret": "file:PATH"}`
	case a.def == "#Words":
		return "have the program read it from its environment, and set deploy.<app>.environment.NAME to a reference"
	}
	return "references stand in secrets, in deploy.<app>.environment and in pasted configuration alone"
}

// reference checks a map in the place of a secret: {"$secret": "env:NAME"}.
func (c *checker) reference(n *input.Node) {
	ref := n.Get("$secret")
	good := ref != nil && ref.Kind == input.String && len(n.Fields) == 1 &&
		c.judge.accepts(c.schema.secretRef, input.String, ref.Text)
	if good {
		return
	}
	maskAll(n)
	c.report("secret-reference", n.Span, "this is no reference to a secret: want "+c.schema.secretRef.want,
		"write {\"$secret\": \"env:"+c.variableName()+"\"}")
}

// variableName makes the name of an environment variable from the path at
// hand; of a layer's custom_json or an app's environment only what tells them
// apart.
func (c *checker) variableName() string {
	path := c.path
	if base := c.base(); base >= 2 {
		path = append([]string{path[base-2]}, path[base:]...)
	}
	if n := len(path); n >= 4 && path[n-4] == "deploy" && strings.HasPrefix(path[n-2], "environment") {
		path = append(append([]string(nil), path[:n-4]...), path[n-3], path[n-1])
	}
	name := []byte(strings.ReplaceAll(strings.ToUpper(strings.Join(path, "_")), indexMark, ""))
	for i, b := range name {
		if (b < 'A' || b > 'Z') && (b < '0' || b > '9') {
			name[i] = '_'
		}
	}
	if len(name) == 0 || name[0] >= '0' && name[0] <= '9' {
		name = append([]byte("_"), name...)
	}
	return string(name[:min(len(name), 100)])
}

// Pointer is the JSON pointer (RFC 6901) of a path, as the sources of plain
// secrets have it.
func Pointer(path []string) string {
	var b strings.Builder
	for _, key := range path {
		b.WriteByte('/')
		b.WriteString(pointerEscaper.Replace(strings.TrimPrefix(key, indexMark)))
	}
	return b.String()
}

var (
	pointerEscaper   = strings.NewReplacer("~", "~0", "/", "~1")
	pointerUnescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

// SecretAt returns the plain secret that the manifest's source stack:POINTER
// stands for, in the merged tree of the stack; it reads through a custom_json
// that is a text.
func SecretAt(tree *input.Node, pointer string) (string, bool) {
	pointer = strings.TrimPrefix(pointer, "stack:")
	rest, ok := strings.CutPrefix(pointer, "/")
	if !ok {
		return "", false
	}
	n := tree
	for _, key := range strings.Split(rest, "/") {
		if n == nil {
			return "", false
		}
		if n.Kind == input.String { // a custom_json
			inner, err := parseJSON(n.Text)
			if err != nil {
				return "", false
			}
			n = inner
		}
		key = pointerUnescaper.Replace(key)
		if n.Kind == input.List {
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(n.Items) {
				return "", false
			}
			n = n.Items[i]
			continue
		}
		n = n.Get(key)
	}
	return plainText(n)
}

// A PlainSecret is a secret that a stack holds as it is.
type PlainSecret struct {
	Pointer string // where it stands: /haproxy/stats_password
	Value   string
	Span    diag.Span
}

// PlainSecrets gives the secrets that stand in the stack in plain, sorted by
// place, so that a build can make sure that none of them reaches the tree.
func (d *Decoded) PlainSecrets() []PlainSecret {
	var list []PlainSecret
	for n, pointer := range d.origin {
		if value, ok := plainText(n); ok {
			list = append(list, PlainSecret{pointer, value, n.Span})
		}
	}
	slices.SortFunc(list, func(a, b PlainSecret) int { return strings.Compare(a.Pointer, b.Pointer) })
	return list
}

// plainText returns a secret that is given as a text or a number.
func plainText(n *input.Node) (string, bool) {
	if n == nil || n.Kind != input.String && n.Kind != input.Number || n.Text == "" {
		return "", false
	}
	return n.Text, true
}

// Mask masks every secret and every unknown value of one file's tree, before
// trees are merged: a value that a later file replaces is still in its file.
func Mask(tree *input.Node) {
	if tree == nil {
		return
	}
	c := compile()
	c.mu.Lock()
	defer c.mu.Unlock()
	newChecker(c).stack(tree)
}
