package project

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/regular"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// A source is a file of the project, or one that it extends by URL.
type source struct {
	place string // within the project, with slashes, or its URL
	flat  string // what the reader calls it
	file  *diag.File
	cfg   *builder.CfgFile
	text  string // for the reader: no expressions, and extends names flat files
	next  []*source
	list  diag.List // what is wrong in it
}

// A closure is all that the deploy.cfg files of an app extend, on hosts with one
// Python.
type closure struct {
	dir    string // of the project
	app    *topology.App
	python python
	texts  *texts

	number  int // among all closures
	sources []*source
	byPlace map[string]*source
}

// texts are the files of a project, each read once for all its closures.
type texts struct {
	fetch *fetcher
	files map[string]*diag.File // by place
	bytes int
}

// isURL is what buildout takes for one.
var isURL = regexp.MustCompile(`^[a-zA-Z0-9+.-]+://`).MatchString

// secretConfig are files of deploy.cfg's own, which hold secrets.
var secretConfig = regexp.MustCompile(`^plonec-secret-[0-9]+\.cfg$`).MatchString

// A reference is where a file is named.
type reference struct {
	in   *source
	span diag.Span
	path string // the attribute of the stack, where no file of the project does
	base string // folder, or URL, that it is relative to
}

// add reads a file and what it extends, and gives it; nil where it cannot be read, which
// is in the list of what names it, or has nothing to be read.
func (c *closure) add(name string, from reference, above []*source) *source {
	place, err := resolve(from.base, name)
	switch {
	case err != nil:
		from.refuse("project-file", fmt.Sprintf("%s is not in the project: %v", name, err),
			"copy it into the project and extend that, or give its text in deploy."+c.app.Name+".files under a path within the release")
		return nil
	case secretConfig(place):
		return nil
	}
	if s := c.byPlace[place]; s != nil {
		if slices.Contains(above, s) {
			from.refuse("project-file", place+" extends itself", "take it out of extends")
			return nil
		}
		return s
	}
	if len(c.sources) >= maxFiles {
		if len(c.sources) == maxFiles {
			from.refuse("project-file", fmt.Sprintf("the project extends more than %d files", maxFiles), "extend fewer")
		}
		return nil
	}
	file := c.read(name, place, from)
	if file == nil {
		return nil
	}
	s := &source{place: place, flat: fmt.Sprintf("%d-%d.cfg", c.number, len(c.sources)), file: file}
	c.sources = append(c.sources, s)
	c.byPlace[place] = s
	var bad []builder.BadLine
	s.cfg, bad = builder.ReadCfg(string(file.Content), func(expression string) (bool, error) { return holds(expression, c.python.Version) })
	for _, b := range bad {
		d := diag.Diagnostic{Code: "project-line", Span: lineSpan(file, b.N), Message: "buildout would refuse this line: " + b.What, Remedy: b.Remedy}
		if b.Remedy == "" {
			d.Code, d.Message = "project-expression", b.What
			d.Remedy = `compare one of those names, as in [NAME: python3] or [NAME: python_version < "3.11"], or put the section into a file of its own`
		}
		s.list.Add(d)
		s.cfg.Plain[b.N-1] = "#" // the rest can be read
	}
	c.follow(s, append(slices.Clone(above), s), nil)
	return s
}

// follow adds what a file extends, and writes its text for the reader. attribute
// gives that of the stack which has deploy.cfg extend a file; it is nil for others.
func (c *closure) follow(s *source, above []*source, attribute func(name string) string) {
	lines := slices.Clone(s.cfg.Plain)
	for i := range s.cfg.Sections {
		section := &s.cfg.Sections[i]
		for _, o := range section.Options {
			if section.Name != "buildout" || o.Op != "=" || o.Name != "extends" && o.Name != "optional-extends" {
				continue
			}
			var flat []string
			for _, name := range strings.Fields(o.Value) {
				from := reference{in: s, base: folderOf(s.place)}
				if attribute != nil {
					from.path = attribute(name)
				} else {
					from.span = wordSpan(s.file, o, name)
				}
				if o.Name == "optional-extends" && !c.has(name) {
					continue
				}
				if next := c.add(name, from, above); next != nil {
					s.next = append(s.next, next)
					flat = append(flat, next.flat)
				}
			}
			for n := o.Line; n < o.Last; n++ {
				lines[n] = "#"
			}
			lines[o.Line-1] = o.Name + " = " + strings.Join(flat, " ")
		}
	}
	s.text = strings.Join(lines, "\n") + "\n"
}

// has tells whether the project has a file: buildout looks from where it runs.
func (c *closure) has(name string) bool {
	if isURL(name) || path.IsAbs(name) {
		return false
	}
	_, err := regular.ReadBelow(c.dir, filepath.FromSlash(path.Clean(name)), maxFile)
	return err == nil
}

// read gives the content of a file that another one names; nil where it cannot be read, or a
// host alone has it.
func (c *closure) read(name, place string, from reference) *diag.File {
	f, err := c.load(place)
	switch link := c.linked(place); {
	case errors.Is(err, errSecret):
		return nil
	case errors.Is(err, fs.ErrNotExist) && link != "":
		from.refuse("beside-checkout", fmt.Sprintf("%s is not looked at: %s is a link into shared, whose files hosts alone have", place, link),
			"let the project have it, or deploy."+c.app.Name+".files")
		return nil
	case errors.Is(err, fs.ErrNotExist):
		remedy := "commit it, or give its text in deploy." + c.app.Name + ".files"
		if from.path != "" {
			remedy = "write a file that the project has into " + from.path
			if base, _, err := baseOf(c.dir); err == nil {
				remedy += ", such as " + base
			}
			if strings.HasSuffix(from.path, ".config") { // of RelStorage
				remedy = `write a file that the project has into ` + from.path + `, or "" where the base has what RelStorage needs`
			}
		}
		from.refuse("project-file", "the project does not have "+place, remedy)
		return nil
	case err != nil:
		remedy := "let it be a file of the project"
		if isURL(place) {
			remedy = "keep a copy of it in the project, and extend that"
		}
		from.refuse("project-file", fmt.Sprintf("%s cannot be read: %v", name, err), remedy)
		return nil
	}
	return f
}

var errSecret = errors.New("it is a secret of the stack's")

// load reads a file, once: the stack's own in the place of the project's.
func (c *closure) load(place string) (*diag.File, error) {
	if f := c.texts.files[place]; f != nil {
		return f, nil
	}
	var text []byte
	var err error
	shown := place
	given, isGiven := c.app.Config.Files[place]
	switch {
	case isGiven && given.Secret.IsSet():
		return nil, errSecret
	case isGiven:
		text = []byte(given.Text)
	case isURL(place):
		text, err = c.texts.fetch.fetch(place)
	default:
		shown = filepath.Join(c.dir, filepath.FromSlash(place))
		text, err = regular.ReadBelow(c.dir, filepath.FromSlash(place), maxFile)
	}
	c.texts.bytes += len(text)
	switch {
	case err != nil:
		return nil, err
	case !utf8.Valid(text):
		return nil, errors.New("it is not UTF-8")
	case c.texts.bytes > maxAll:
		return nil, fmt.Errorf("the project's files have more than %d MiB together", maxAll>>20)
	}
	f := &diag.File{Name: shown, Content: []byte(newlines.Replace(string(text))), Order: len(c.texts.files)}
	mask(f)
	c.texts.files[place] = f
	return f, nil
}

// linked is the link of the app's into shared that a path goes through.
func (c *closure) linked(place string) string {
	for _, link := range slices.Sorted(maps.Values(c.app.Config.SymlinkBeforeMigrate)) {
		if place == link || strings.HasPrefix(place, link+"/") {
			return link
		}
	}
	return ""
}

func (from reference) refuse(code, message, remedy string) {
	from.in.list.Add(diag.Diagnostic{Code: code, Span: from.span, Path: from.path, Message: message, Remedy: remedy})
}

// resolve is the place of a file that another one names.
func resolve(base, name string) (string, error) {
	switch {
	case isURL(name):
		if !strings.HasPrefix(name, "http://") && !strings.HasPrefix(name, "https://") {
			return "", errors.New("it is neither a path nor http or https")
		}
		return name, nil
	case path.IsAbs(name) || strings.HasPrefix(name, "~"):
		return "", errors.New("it is a path of one machine")
	case isURL(base):
		return base + "/" + name, nil
	}
	place := path.Join(base, name)
	if place == ".." || strings.HasPrefix(place, "../") {
		return "", errors.New("it lies beside the checkout")
	}
	return place, nil
}

func folderOf(place string) string {
	if isURL(place) {
		return place[:strings.LastIndex(place, "/")]
	}
	return path.Dir(place)
}

// lineSpan is a line without its indentation.
func lineSpan(f *diag.File, n int) diag.Span {
	start, end := f.Offset(n, 1), f.Offset(n, len(f.Content)+1)
	for start < end && (f.Content[start] == ' ' || f.Content[start] == '\t') {
		start++
	}
	return diag.Span{File: f, Start: start, End: max(end, start+1)}
}

// wordSpan is the first place of a word in an option's value.
func wordSpan(f *diag.File, o builder.CfgOption, word string) diag.Span {
	for n := o.Line; n <= o.Last; n++ {
		line := lineSpan(f, n)
		from := 0
		if n == o.Line {
			from = strings.IndexByte(string(f.Content[line.Start:line.End]), '=') + 1
		}
		if i := wordIn(string(f.Content[line.Start+from:line.End]), word); i >= 0 {
			line.Start += from + i
			line.End = line.Start + len(word)
			return line
		}
	}
	return lineSpan(f, o.Line)
}

// wordIn is where a text stands in a value, -1 for nowhere: a name not within another one.
func wordIn(value, text string) int {
	named := func(s string) bool { return s != "" && partName.MatchString(s) }
	for from := 0; ; {
		i := strings.Index(value[from:], text)
		if i < 0 {
			return -1
		}
		start, end := from+i, from+i+len(text)
		if !named(text) || !named(value[max(start-1, 0):start]) && !named(value[end:min(end+1, len(value))]) {
			return start
		}
		from = end
	}
}

// mask keeps lines that look as if they held a secret out of what is printed.
func mask(f *diag.File) {
	n := 0
	for line := range strings.Lines(string(f.Content)) {
		if n++; schema.SecretLine(strings.TrimSpace(line)) {
			lineSpan(f, n).Mask()
		}
	}
}

// wrong is what is wrong in a file and in all that it extends.
func (s *source) wrong() diag.List {
	list := slices.Clone(s.list)
	for _, next := range s.next {
		list = append(list, next.wrong()...)
	}
	return list
}
