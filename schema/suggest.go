package schema

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode"

	"cuelang.org/go/cue"

	"github.com/plonec/plonec/internal/input"
)

// serviceOutputs are keys at the top of what aws opsworks describe-… prints, and of
// CloudFormation's templates.
var serviceOutputs = []string{
	"Stacks", "Layers", "Instances", "Apps", "Volumes", "ElasticIps", "RdsDbInstances", "ElasticLoadBalancers",
	"TimeBasedAutoScalingConfigurations", "LoadBasedAutoScalingConfigurations", "AWSTemplateFormatVersion", "Resources",
}

// maxHints is for how many names a near one is looked for, which takes a while.
const maxHints = 500

// didYouMean is the remedy for an unknown key: what it is known to mean, a near name
// in the same map, else the same name elsewhere, else a near name elsewhere.
func (c *checker) didYouMean(a *Attr, key string) string {
	if c.hints++; c.hints > maxHints {
		return ""
	}
	if a == c.schema.root && slices.Contains(serviceOutputs, key) {
		return "this is what aws opsworks or CloudFormation printed: plonec init --from-opsworks FILE… makes a stack of it"
	}
	if names := meantKeys[key]; len(names) > 0 && a.fields[names[0]] != nil {
		return "did you mean " + strings.Join(names, " or ") + "?"
	}
	if near := Nearest(key, a.names()); near != "" {
		return "did you mean " + a.fields[near].Name + "?"
	}
	if name := otherwiseJoined(a, key); name != "" {
		return "did you mean " + name + "?"
	}
	top := a == c.schema.root
	if path := meantPaths[key]; path != "" && !strings.HasPrefix(path, a.Path+".") {
		return elsewhere(path)
	}
	paths := c.schema.paths()
	if at := paths[key]; len(at) > 0 && len(at) <= 5 {
		for _, path := range at {
			if below, ok := strings.CutPrefix(path, a.Path+"."); ok && !top {
				return "did you mean " + below + "?"
			}
		}
		if at = slices.DeleteFunc(slices.Clone(at), func(path string) bool { return !top && !ofAll(path) }); len(at) > 0 {
			return elsewhere(strings.Join(at, " or "))
		}
	}
	if near := Nearest(key, sortedKeys(paths)); near != "" && len(paths[near]) == 1 && len(key) >= minFar && (top || ofAll(paths[near][0])) {
		return elsewhere(paths[near][0])
	}
	if top {
		return "list it in plonec.ignore if it belongs to another cookbook"
	}
	return c.listed(a, key)
}

// minFar is how many letters a name has of which a near one is looked for elsewhere: of
// shorter ones too many are near.
const minFar = 6

// ofAll tells whether an attribute is of the stack, an app or a host as a whole, so that it
// may be meant in the group of a daemon. What belongs to one daemon is not meant in the
// group of another: each has its port, its user and its storage.
func ofAll(path string) bool {
	group, name, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(path, "deploy.<app>."), "instances.<host>."), ".")
	switch group {
	case "plonec", "plone_instances", "plone_blobs", "layers":
		return !strings.Contains(name, ".")
	}
	return name == "" && group != "user" && group != "group"
}

// otherwiseJoined is the attribute that a key is with a dot in place of a _, or whose name
// it makes with that of its own group: plonec.ssh_user, plone_instances.relstorage.enable.
func otherwiseJoined(a *Attr, key string) string {
	for i, r := range key {
		if r != '_' {
			continue
		}
		if group := a.fields[key[:i]]; group != nil && group.fields[key[i+1:]] != nil {
			return key[:i] + "." + key[i+1:]
		}
	}
	i := strings.LastIndex(a.Path, ".")
	if i < 0 {
		return ""
	}
	if above := Lookup(a.Path[:i]); above != nil {
		for _, name := range []string{key + "_" + a.Path[i+1:], a.Path[i+1:] + "_" + key} {
			if above.fields[name] != nil {
				return a.Path[:i] + "." + name
			}
		}
	}
	return ""
}

// switchedOff are prefixes by which a key may say that something is off.
var switchedOff = []string{"disable_", "no_", "without_"}

// listed is the remedy for a key that is like none: what the group has, first those
// that share a word with it.
func (c *checker) listed(a *Attr, key string) string {
	for _, prefix := range switchedOff {
		rest, ok := strings.CutPrefix(key, prefix)
		for _, name := range []string{"enable_" + rest, rest} {
			if f := a.fields[name]; ok && f != nil && f.kinds == cue.BoolKind {
				return "did you mean " + strconv.Quote(f.Name) + ": false?"
			}
		}
	}
	names := a.names()
	words := strings.Split(key, "_")
	shares := func(name string) int {
		for _, word := range words {
			if len(word) > 2 && slices.Contains(strings.Split(name, "_"), word) {
				return 0
			}
		}
		return 1
	}
	slices.SortStableFunc(names, func(x, y string) int { return shares(x) - shares(y) })
	shown := strings.Join(names, ", ")
	if len(shown) > maxListed {
		cut := strings.LastIndex(shown[:maxListed], ", ")
		left := len(names) - strings.Count(shown[:cut], ", ") - 1
		shown = shown[:cut] + " and " + strconv.Itoa(left) + " more (plonec explain " + showPath(c.path[:len(c.path)-1]) + ")"
	}
	return "take it out, or write one of " + shown
}

// maxListed is how many bytes of names a remedy lists.
const maxListed = 200

func elsewhere(path string) string {
	if strings.Contains(path, ".") {
		return "did you mean " + path + "?"
	}
	return "did you mean " + path + ", at the top of the stack?"
}

// names are the keys that a map may have.
func (a *Attr) names() []string {
	names := make([]string, 0, len(a.fields))
	for name, f := range a.fields {
		if !f.Sent {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// byName finds attributes by their last name.
func (s *compiled) byName() map[string][]string {
	paths := map[string][]string{}
	s.root.each(func(a *Attr) {
		if !a.Sent && a.Into == "" && a.Name != "" && !strings.HasSuffix(a.Name, ">") && a.Name != "[]" &&
			!strings.HasPrefix(a.Path, "opsworks.") && !strings.HasPrefix(a.Path, "deploy_") {
			paths[a.Name] = append(paths[a.Name], a.Path)
			for _, alias := range a.Aliases {
				paths[alias] = append(paths[alias], a.Path)
			}
		}
	})
	return paths
}

// each calls f for the attribute and all below it, in the schema's order.
func (a *Attr) each(f func(*Attr)) {
	f(a)
	for _, field := range a.Fields {
		field.each(f)
	}
	if a.Elem != nil {
		a.Elem.each(f)
	}
	if a.Item != nil {
		a.Item.each(f)
	}
}

// Nearest returns the candidate that is most like a name, or "" where none is
// like enough: one edit in three letters, or one name beginning the other. What
// differs in a number or in a whole word, or says the opposite, is not like it.
func Nearest(name string, candidates []string) string {
	best, least := "", len(name)/3+1
	if len(name) > 64 {
		return ""
	}
	for _, candidate := range candidates {
		if d := distance(strings.ToLower(name), strings.ToLower(candidate), least); d < least && !apart(name, candidate) {
			best, least = candidate, d
		}
	}
	if best != "" || len(name) < 4 {
		return best
	}
	for _, candidate := range candidates {
		if (strings.HasPrefix(candidate, name) || len(candidate) >= 4 && strings.HasPrefix(name, candidate)) && !apart(name, candidate) {
			if best != "" {
				return ""
			}
			best = candidate
		}
	}
	return best
}

// distance is Levenshtein's, or limit where it is not less.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// mendType is the remedy for a value of another kind.
func (c *checker) mendType(a *Attr, n *input.Node) string {
	if n.Kind == input.Map && n.Get("$secret") != nil {
		return c.keepOut(a, "")
	}
	var try []candidate
	switch n.Kind {
	case input.String:
		text := strings.TrimSpace(n.Text[:min(len(n.Text), 100)])
		if isNumber(text) {
			try = append(try, candidate{input.Number, text})
		}
		switch strings.ToLower(text) {
		case "true", "yes", "on", "1":
			try = append(try, candidate{input.Bool, "true"})
		case "false", "no", "off", "0":
			try = append(try, candidate{input.Bool, "false"})
		}
	case input.Number:
		try = append(try, candidate{input.String, n.Text})
		switch n.Text {
		case "0":
			try = append(try, candidate{input.Bool, "false"})
		case "1":
			try = append(try, candidate{input.Bool, "true"})
		}
	case input.Bool:
		try = append(try, candidate{input.String, n.Text})
	}
	if mend := c.firstGood(a, try); mend != "" {
		return "write " + mend
	}
	if n.Kind == input.String && a.Item != nil && !holdsPassword(n) && c.judge.accepts(a.Item, n.Kind, n.Text) && len(n.Text) <= 40 {
		return "write [" + strconv.Quote(n.Text) + "]"
	}
	if a.want != a.kindWords() {
		return "want " + a.want
	}
	return ""
}

// mendValue is the remedy for a value of the right kind, where one is near.
func (c *checker) mendValue(a *Attr, n *input.Node) string {
	var try []candidate
	switch n.Kind {
	case input.Number:
		if f, err := strconv.ParseFloat(n.Text, 64); err == nil {
			if whole, ok := wholeNumber(f); ok {
				try = append(try, candidate{input.Number, whole})
			}
		}
		if a.kinds&cue.StringKind != 0 {
			try = append(try, candidate{input.String, n.Text})
		}
	case input.String:
		if len(n.Text) > maxText {
			return "shorten it to " + strconv.Itoa(maxText) + " bytes"
		}
		text := strings.TrimSpace(n.Text)
		switch {
		case inside.MatchString(n.Text) && a.holdsConfig():
			return c.keepOut(a, "")
		case holdsPassword(n) && (a.def == "#Repository" || a.def == "#URL"):
			return c.keepOut(a, "")
		case holdsPassword(n):
			return "take the secret out of it and give it as an attribute of its own"
		}
		spellings := []string{text}
		if mend := addresses[a.short]; mend != nil {
			spellings = append(spellings, mend(text)...)
		}
		// An id in Zope, a part of a buildout, or a path, is another one in other letters.
		if !slices.Contains([]string{"#ZopePath", "#FileText", "#Part"}, a.def) && !strings.HasPrefix(a.Path, "deploy.<app>.parts.") && !strings.Contains(text, "/") {
			spellings = append(spellings, strings.ToLower(text), strings.ToUpper(text))
		}
		if text != "" && !strings.Contains(text, "..") {
			spellings = append(spellings, path.Clean(text), strings.Trim(text, "/"), "/"+text)
		}
		if unit.MatchString(text) || len(a.Enum) > 0 {
			spellings = append(spellings, strings.ReplaceAll(text, " ", ""))
		}
		if a.def == "#Calendar" {
			spellings = append(spellings, strings.TrimSuffix(text, " UTC"))
		}
		for _, t := range spellings {
			try = append(try, candidate{input.String, t})
		}
		if near := nearChoice(a, text); near != "" {
			try = append(try, candidate{input.String, near})
		}
		if isNumber(text) {
			try = append(try, candidate{input.Number, text})
		}
	}
	if mend := c.firstGood(a, try); mend != "" {
		return "write " + mend
	}
	switch {
	case n.Kind != input.String:
	case rangeOf(a, n.Text) != "":
		return rangeOf(a, n.Text)
	case a.def == "#Domain" && strings.HasPrefix(strings.TrimPrefix(n.Text, "*"), "."):
		return "write one name: this stands for many"
	case (a.def == "#Address" || a.def == "#HostPort") && isNetwork(n.Text):
		return "a network is no host: write the address of one"
	case unseen(n.Text) != 0:
		return fmt.Sprintf("take the character U+%04X out, which nobody sees", unseen(n.Text))
	case (a.holdsConfig() || a.def == "#FileText") && strings.Contains(n.Text, "\r"):
		return "end its lines in \\n alone"
	case strings.ContainsAny(n.Text, "\r\n"):
		return "take the line break out"
	case a.def == "#Calendar":
		if m := inZone.FindStringSubmatch(n.Text); m != nil && c.judge.accepts(a, n.Kind, m[1]) {
			return "take the time zone " + m[2] + " away, and give the time that it is then in UTC"
		}
	}
	return ""
}

// unseen is the first character of a text that steers a terminal or changes the
// direction of writing, but for blanks and line breaks; 0: there is none.
func unseen(text string) rune {
	for _, r := range text {
		if unicode.IsControl(r) && !strings.ContainsRune("\t\r\n", r) || unicode.Is(unicode.Bidi_Control, r) {
			return r
		}
	}
	return 0
}

// inside matches a reference in a text, which nothing reads.
var inside = regexp.MustCompile(`\{\s*"?\$secret`)

// inZone matches a calendar in a time zone of its own.
var inZone = regexp.MustCompile(`^(.*) ([A-Z][A-Za-z0-9/_+-]*)$`)

// mendKey is the remedy for a key of an open map.
func (c *checker) mendKey(key *Attr, text string) string {
	lower := strings.ToLower(text)
	spellings := []string{lower, strings.ReplaceAll(lower, "_", "-"), strings.Trim(text, "/")}
	if mend := addresses[key.short]; mend != nil {
		spellings = append(spellings, mend(text)...)
	}
	for _, t := range spellings {
		if t != text && c.judge.accepts(key, input.String, t) {
			return "write " + strconv.Quote(t)
		}
	}
	return ""
}

// A candidate is a scalar that might do in place of another.
type candidate struct {
	kind input.Kind
	text string
}

// firstGood returns the first candidate that the attribute takes, as JSON.
func (c *checker) firstGood(a *Attr, try []candidate) string {
	for _, t := range try {
		if t.text == "" || len(t.text) > 60 || !c.judge.accepts(a, t.kind, t.text) {
			continue
		}
		if t.kind == input.String {
			return strconv.Quote(t.text)
		}
		return t.text
	}
	return ""
}

// unit matches a number with a unit that stands off.
var unit = regexp.MustCompile(`^[0-9]+ +[A-Za-z%]+$`)

var number = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?$`)

func isNumber(text string) bool { return number.MatchString(text) }
