package main

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/render/escape"
	"github.com/plonec/plonec/schema"
)

// A look is what people see of a build: by path below hosts/, the lines of each
// file. What a secret's file says is the source of each entry.
type look map[string][]string

func lookAt(c *compile.Built, files *tree.Kept) look {
	seen := look{}
	for _, f := range c.Tree.Manifest.Files {
		if f.Host != "*" {
			seen[f.Host+f.Path] = linesOf(f.Path, string(files.Content(f)))
		}
	}
	for _, s := range c.Tree.Manifest.Secrets {
		for _, e := range s.Entries {
			seen[s.Host+s.Path] = append(seen[s.Host+s.Path], e.Key+" "+e.Source)
		}
	}
	seen["README.md"] = strings.Split(string(c.Tree.Readme), "\n")
	for _, h := range c.Tree.Manifest.Hosts {
		text, err := json.Marshal(h)
		if err != nil {
			panic(err)
		}
		seen[tree.ManifestName] = append(seen[tree.ManifestName], string(text))
	}
	return seen
}

// linesOf are the lines of a file, each with the section that it stands in before
// it, where its syntax has sections, and what continues it behind it.
func linesOf(name, text string) []string {
	syntax := path.Ext(name)
	var lines []string
	section := ""
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		line = strings.TrimRight(line, "\n")
		word := strings.TrimSpace(line)
		indented := word != "" && line[0] == ' '
		switch {
		case word == "" || word[0] == '#':
		case syntax != ".cfg":
			lines = append(lines, word)
		case path.Base(name) == "haproxy.cfg" && !indented:
			section = word
			lines = append(lines, word)
		case path.Base(name) == "haproxy.cfg":
			lines = append(lines, section+" "+word)
		case strings.HasPrefix(line, "["):
			section = word
		case indented && len(lines) > 0:
			lines[len(lines)-1] += " " + word
		default:
			lines = append(lines, section+" "+word)
		}
	}
	return lines
}

// changed are the lines of the files of a name that one look has and the other has
// not. known tells whether there is such a file.
func (l look) changed(other look, file *regexp.Regexp) (now, before []string, known bool) {
	for name, lines := range l {
		if file.MatchString(name) {
			now, known = append(now, notIn(lines, other[name])...), true
		}
	}
	for name, lines := range other {
		if file.MatchString(name) {
			before, known = append(before, notIn(lines, l[name])...), true
		}
	}
	return now, before, known
}

func notIn(lines, others []string) []string {
	count := map[string]int{}
	for _, line := range others {
		count[line]++
	}
	var rest []string
	for _, line := range lines {
		if count[line]--; count[line] < 0 {
			rest = append(rest, line)
		}
	}
	return rest
}

// fileOf matches the paths of a FILE of @shows. APP and NAME stand for a name, N for
// a number.
func fileOf(name string) *regexp.Regexp {
	pattern := strings.NewReplacer("clientN", "client[0-9]+", "voltoN", "volto[0-9]+", "APP", "[^/]+", "NAME", "[^/]+").Replace(regexp.QuoteMeta(name))
	return regexp.MustCompile("(^|/)" + pattern + "$")
}

// shownIn says what is wrong with a place where an attribute is said to show, in a
// tree with a value of it and in one with another. It is nil where nothing is.
func shownIn(place string, a *schema.Attr, value *input.Node, now, before look) error {
	file, word, _ := strings.Cut(place, ": ")
	added, removed, known := now.changed(before, fileOf(file))
	switch {
	case !known:
		return fmt.Errorf("%s: there is no such file", place)
	case len(added)+len(removed) == 0:
		return fmt.Errorf("%s: the file does not change", place)
	case word == "" && !a.Secret && !a.Pasted():
		return nil
	}
	if word != "" {
		added, removed = having(added, word), having(removed, word)
	}
	if len(added)+len(removed) == 0 {
		return fmt.Errorf("%s: the word is in no line that changes", place)
	}
	for _, text := range written(a, value, file) {
		held := regexp.MustCompile(regexp.QuoteMeta(word) + `(.*[^0-9A-Za-z.])?` + regexp.QuoteMeta(text) + `($|[^0-9A-Za-z])`)
		if !held.MatchString(strings.Join(added, "\n")) {
			return fmt.Errorf("%s: no line with the word holds %s, but: %q", place, text, added)
		}
	}
	return nil
}

func having(lines []string, word string) []string {
	found := regexp.MustCompile(`(^|[^0-9A-Za-z_-])` + regexp.QuoteMeta(word) + `($|[^0-9A-Za-z_-])`)
	var kept []string
	for _, line := range lines {
		if found.MatchString(line) {
			kept = append(kept, line)
		}
	}
	return kept
}

// inMillis are the files whose syntax has units of time: a duration stands there in
// whole seconds, or else in milliseconds rounded up. All others hold seconds
// without a unit, rounded up.
var inMillis = map[string]bool{"haproxy.cfg": true, "nginx.conf": true, "default.vcl": true}

// written is what a line of a file holds of a value: of a truth value nothing but
// that the line is there, or is not.
func written(a *schema.Attr, value *input.Node, file string) []string {
	var texts []string
	switch value.Kind {
	case input.Bool, input.Null:
		return nil
	case input.List:
		if a.Pasted() {
			a = &schema.Attr{Item: a}
		}
		for _, item := range value.Items {
			texts = append(texts, written(a.Item, item, file)...)
		}
		return texts
	case input.Map:
		for _, f := range value.Fields {
			if f.Key == "$secret" && a.Secret {
				return []string{f.Value.Text}
			}
			if f.Key == "$secret" {
				return nil // it is in a file of its own
			}
			texts = append(texts, written(a.Key, &input.Node{Kind: input.String, Text: f.Key}, file)...)
			texts = append(texts, written(a.Elem, f.Value, file)...)
		}
		return texts
	}
	text := value.Text
	of, known := spelled[a.Path][text]
	switch {
	case known:
		text = of
	case a.Secret:
		text = "stack:" // a plain one
	case strings.HasPrefix(a.Type, "seconds"):
		text = inUnit(text, time.Second, file)
	case strings.HasPrefix(a.Type, "milliseconds"):
		text = inUnit(text, time.Millisecond, file)
	case a.Pasted() || strings.Contains(text, "\n"):
		return strings.Split(text, "\n")
	case strings.HasPrefix(a.Type, "a domain"):
		text = strings.ToLower(text)
	case strings.HasPrefix(a.Type, "words"):
		words, err := escape.Words(text)
		if err != nil {
			panic(err)
		}
		return words
	}
	if text == "" {
		return nil
	}
	return []string{text}
}

// inUnit writes a duration of a stack, whose bare number counts units.
func inUnit(text string, unit time.Duration, file string) string {
	days, isDays := strings.CutSuffix(text, "d")
	count, err := strconv.Atoi(days)
	d := time.Duration(count) * unit
	switch {
	case err == nil && isDays:
		d = time.Duration(count) * 24 * time.Hour
	case err != nil:
		if d, err = time.ParseDuration(text); err != nil {
			panic(err)
		}
	}
	up := func(unit time.Duration) string { return strconv.Itoa(int((d + unit - 1) / unit)) }
	switch {
	case !inMillis[file]:
		return up(time.Second)
	case d%time.Second == 0:
		return up(time.Second) + "s"
	}
	return up(time.Millisecond) + "ms"
}
