package project

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/regular"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/words"
)

// Of a project without a buildout check reads the files that the builder uv reads, line by
// line, and says what a host would say only when it builds.

// maxLock bounds a uv.lock: that of Plone has 0.7 MB.
const maxLock = 8 << 20

// uvRules are what is looked for, the Python first: where it does not suit, all else is a
// consequence.
var uvRules = []struct {
	code string
	find func(*uvProject, func(at diag.Span, message, remedy string))
}{
	{"refused-python", (*uvProject).suits},
	{"missing-lock", (*uvProject).missing},
	{"untested-lock", (*uvProject).untested},
	{"mx-reference", (*uvProject).references},
	{"fetched-requirements", (*uvProject).fetched},
	{"dead-address", (*uvProject).deadAddresses},
	{"source-key", (*uvProject).sourceKeys},
	{"instance-key", (*uvProject).instanceKeys},
}

// A uvProject is the project of an app that uv builds, on hosts with one Python.
type uvProject struct {
	dir    string
	app    *topology.App
	python python
	files  map[string]*diag.File // by their path in the repository; shared by all apps of it
	err    error                 // why one could not be read
}

// checkUv reads the projects of apps that uv builds, in folders by app.
func checkUv(t *topology.Topology, folders map[string]string) (diag.List, error) {
	found := &findings{hosts: map[diag.Diagnostic][]string{}}
	files := map[string]map[string]*diag.File{}
	for _, h := range t.Hosts {
		for _, a := range h.Apps {
			dir := folders[a.Name]
			if dir == "" || a.Builder().Reads(DeployCfg) {
				continue
			}
			if files[dir] == nil {
				files[dir] = map[string]*diag.File{}
			}
			p := &uvProject{dir: dir, app: a, python: pythonOf(a), files: files[dir]}
			for _, r := range uvRules {
				r.find(p, func(at diag.Span, message, remedy string) {
					d := diag.Diagnostic{Code: r.code, Span: at, Message: message, Remedy: remedy}
					if at.File == nil {
						d.Path = "deploy." + a.Name
					}
					found.add(&group{hosts: []string{h.Name}}, d)
				})
			}
			if p.err != nil {
				return nil, p.err
			}
		}
	}
	return found.list(), nil
}

// read gives a file of the repository; nil where there is none, as outside of it.
func (p *uvProject) read(name string, most int64) *diag.File {
	name = path.Clean(name)
	if !filepath.IsLocal(name) {
		return nil
	}
	if f, known := p.files[name]; known {
		return f
	}
	text, err := regular.ReadBelow(p.dir, filepath.FromSlash(name), most)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.files[name] = nil
		return nil
	case err == nil && !utf8.Valid(text):
		err = errors.New("it is not UTF-8")
	}
	if err != nil {
		p.err = fmt.Errorf("%s cannot be read: %w", filepath.Join(p.dir, filepath.FromSlash(name)), err)
		return nil
	}
	f := &diag.File{Name: filepath.Join(p.dir, filepath.FromSlash(name)), Content: []byte(newlines.Replace(string(text))), Order: len(p.files)}
	mask(f)
	p.files[name] = f
	return f
}

// own gives a file beside pyproject.toml.
func (p *uvProject) own(name string) *diag.File {
	return p.read(path.Join(p.app.Config.BackendDir, name), maxFile)
}

// A line of a file with sections.
type line struct {
	section string
	text    string
	at      diag.Span
}

var header = regexp.MustCompile(`^\[+([^\[\]]+)\]+\s*(?:#.*)?$`)

// linesOf are the lines of a file of the forms of TOML and of mx.ini, without comments.
func linesOf(f *diag.File) []line {
	if f == nil {
		return nil
	}
	var all []line
	section, n := "", 0
	for text := range strings.Lines(string(f.Content)) {
		n++
		text = strings.TrimRight(text, " \t\n")
		switch m := header.FindStringSubmatch(text); {
		case m != nil:
			section = strings.TrimSpace(m[1])
			all = append(all, line{section, "", lineSpan(f, n)})
		case text != "" && !strings.HasPrefix(strings.TrimSpace(text), "#"):
			all = append(all, line{section, text, lineSpan(f, n)})
		}
	}
	return all
}

var requiresPython = regexp.MustCompile(`^requires-python\s*=\s*(?:"([^"]*)"|'([^']*)')`)

func (p *uvProject) suits(say func(diag.Span, string, string)) {
	for _, l := range linesOf(p.own("pyproject.toml")) {
		m := requiresPython.FindStringSubmatch(l.text)
		if l.section != "project" || m == nil || mayBe(m[1]+m[2], p.python) {
			continue
		}
		wanted, remedy := m[1]+m[2], fmt.Sprintf("name one that suits in deploy.%s.python_major_version", p.app.Name)
		var systems []string
		for _, s := range topology.Systems() {
			if mayBe(wanted, python{s.Python, s.Patch}) {
				systems = append(systems, fmt.Sprintf("%s with Python %s", s.ID, s.Python))
			}
		}
		if len(systems) > 0 {
			remedy += ", or in plonec.os a system that has it: " + words.Or(systems)
		}
		say(l.at, fmt.Sprintf("the project wants Python %s, and the host's is %s", wanted, p.python), remedy)
	}
}

// missing: without one of these there is nothing to install.
func (p *uvProject) missing(say func(diag.Span, string, string)) {
	app := p.app.Config
	named := func(attribute, name string) {
		if name != "" && p.read(name, maxLock) == nil {
			say(diag.Span{}, "the project has no "+name, fmt.Sprintf("commit it, or change deploy.%s.%s", p.app.Name, attribute))
		}
	}
	named("lock", app.Lock)
	named("requirements", app.Requirements)
	named("constraints", app.Constraints)
	named("instance", app.Instance)
	for _, l := range p.mx().absent {
		p.lacks(say, l, "mx.ini includes")
	}
	_, absent := p.taken()
	for _, l := range absent {
		p.lacks(say, l, "this line takes")
	}
	if app.Requirements != "" {
		return
	}
	pyproject, requirements := p.own("pyproject.toml"), p.mxRequirements()
	switch {
	case p.own("mx.ini") != nil && p.uvLock() == nil:
		if requirements != "" && p.read(requirements, maxFile) == nil {
			say(lineSpan(p.own("mx.ini"), 1), "the project has no "+requirements+", from which mx.ini takes versions",
				"fetch Plone's constraints into the repository, and commit that file, with -c constraints.txt in it; or write requirements-in = into mx.ini, for none")
		}
	case pyproject == nil:
		say(diag.Span{}, "the project has no "+path.Join(app.BackendDir, "pyproject.toml"), fmt.Sprintf("name its folder in deploy.%s.backend_dir", p.app.Name))
	case app.Lock == "" && p.uvLock() == nil:
		say(lineSpan(pyproject, 1), "the project has no "+path.Join(app.BackendDir, "uv.lock"),
			fmt.Sprintf("write it with uv lock, in the folder of pyproject.toml, and commit it; or name a requirements file in deploy.%s.requirements", p.app.Name))
	}
}

// lacks says of a line that what it names is not in the repository.
func (p *uvProject) lacks(say func(diag.Span, string, string), l line, does string) {
	remedy := "commit that file, or take the line out"
	if rel, err := filepath.Rel(p.dir, filepath.Join(filepath.Dir(l.at.File.Name), l.text)); path.IsAbs(l.text) || err != nil || !filepath.IsLocal(rel) {
		remedy = "put a copy of it into the repository, and name that"
	}
	say(l.at, "the project has no "+l.text+", which "+does, remedy)
}

// mxRequirements is the file in the repository from which mx.ini takes packages; empty: none.
func (p *uvProject) mxRequirements() string {
	if p.own("mx.ini") == nil {
		return ""
	}
	name := p.mx().get("settings", "requirements-in", "requirements.txt")
	if name == "" {
		return ""
	}
	return path.Join(p.app.Config.BackendDir, name)
}

// An mxConfig is mx.ini with all that it includes, as builders/mx-ini reads it.
type mxConfig struct {
	options map[mxKey][]line // the lines of the value; of several of a key the last
	keys    []mxKey          // in the order in which they were read
	absent  []line           // includes of what the repository does not have
	fetched []line           // includes of what is on the net
	room    int              // bytes that references may still put in
}

type mxKey struct{ section, name string }

// get is the first line of an option, references put in, else another value.
func (c *mxConfig) get(section, name, otherwise string) string {
	if o, ok := c.options[mxKey{section, name}]; ok {
		text, _ := c.expand(section, o[0].text, 1)
		return text
	}
	return otherwise
}

// mxDollar is what Python's ExtendedInterpolation looks at.
var mxDollar = regexp.MustCompile(`\$(?:\$|\{[^}]+\})?`)

// expand puts in what ${OPTION} and ${SECTION:OPTION} refer to, ten deep at most, as Python
// does; a section has what [settings] has. ok is false where that is not there, or a $ begins
// no reference, and the text has an empty one there.
func (c *mxConfig) expand(section, text string, depth int) (expanded string, ok bool) {
	ok = depth <= 10
	expanded = mxDollar.ReplaceAllStringFunc(text, func(m string) string {
		switch {
		case !ok:
			return ""
		case m == "$$":
			return "$"
		}
		of, name := section, strings.Trim(m, "${}")
		if s, option, named := strings.Cut(name, ":"); named {
			of, name = s, option
		}
		lines, known := c.options[mxKey{of, name}]
		if !known {
			lines, known = c.options[mxKey{"settings", name}]
		}
		if !known {
			ok = m != "$" && name == "directory" // which mxdev sets
			return "."
		}
		var texts []string
		for _, l := range lines {
			texts = append(texts, l.text)
		}
		text, good := c.expand(of, strings.Join(texts, "\n"), depth+1)
		c.room -= 1 + len(text)
		ok = good && c.room > 0
		return text
	})
	return expanded, ok
}

// references names what refers to nothing: hosts refuse the whole of mx.ini for it.
func (p *uvProject) references(say func(diag.Span, string, string)) {
	c := p.mx()
	for _, k := range c.keys {
		for _, l := range c.options[k] {
			if _, ok := c.expand(k.section, l.text, 1); !ok {
				say(l.at, fmt.Sprintf("%s of [%s] refers to an option that is not there, or to itself, or has a $ without one", k.name, k.section), "write ${SECTION:OPTION}, or $$ for a $")
			}
		}
	}
}

var mxTrue = regexp.MustCompile(`^(?i:true|on|yes|1)$`)

// sources are the lines with the addresses of what hosts fetch by git.
func (c *mxConfig) sources() []line {
	var all []line
	for _, k := range c.keys {
		used := mxTrue.MatchString(c.get(k.section, "use", c.get("settings", "default-use", "true")))
		if k.name == "url" && k.section != "settings" && used && c.get(k.section, "vcs", "git") == "git" {
			l := c.options[k][0]
			l.text, _ = c.expand(k.section, l.text, 1)
			all = append(all, l)
		}
	}
	return all
}

// mx reads mx.ini after what it includes, each file beside the one that names it.
func (p *uvProject) mx() *mxConfig {
	c := &mxConfig{options: map[mxKey][]line{}, room: maxKnown}
	files := 0
	var follow func(name string)
	follow = func(name string) {
		if files++; files > maxFiles { // where one includes itself, which hosts refuse
			return
		}
		keys, values := mxOptions(p.read(name, maxFile))
		for i, k := range keys {
			l := values[i]
			if k.section != "settings" || !strings.EqualFold(k.name, "include") || l.text == "" {
				continue
			}
			other := path.Join(path.Dir(name), l.text)
			switch {
			case strings.Contains(l.text, "://"):
				c.fetched = append(c.fetched, l)
			case path.IsAbs(l.text) || p.read(other, maxFile) == nil:
				c.absent = append(c.absent, l)
			default:
				follow(other)
			}
		}
		for i, k := range keys {
			if i > 0 && keys[i-1] == k { // goes on
				c.options[k] = append(c.options[k], values[i])
				continue
			}
			if _, known := c.options[k]; !known {
				c.keys = append(c.keys, k)
			}
			c.options[k] = []line{values[i]}
		}
	}
	follow(path.Join(p.app.Config.BackendDir, "mx.ini"))
	return c
}

// mxOptions are the lines of the values of a file, and whose they are.
func mxOptions(f *diag.File) (keys []mxKey, values []line) {
	name := ""
	for _, l := range linesOf(f) {
		text := strings.TrimSpace(l.text)
		goesOn := text != l.text && name != ""
		i := strings.IndexAny(text, "=:")
		switch {
		case text == "": // a section begins
			name = ""
			continue
		case text[0] == ';' || !goesOn && i < 0:
			continue
		case !goesOn:
			name, text = strings.TrimSpace(text[:i]), strings.TrimSpace(text[i+1:])
		}
		l.text = text
		keys, values = append(keys, mxKey{l.section, name}), append(values, l)
	}
	return keys, values
}

// uvLock is the lock: that of the stack, else the one beside pyproject.toml or above it.
func (p *uvProject) uvLock() *diag.File {
	if p.app.Config.Lock != "" {
		return p.read(p.app.Config.Lock, maxLock)
	}
	for dir := path.Clean(p.app.Config.BackendDir); ; dir = path.Dir(dir) {
		if f := p.read(path.Join(dir, "uv.lock"), maxLock); f != nil || dir == "." {
			return f
		}
	}
}

func (p *uvProject) untested(say func(diag.Span, string, string)) {
	if p.app.Config.Requirements != "" {
		return
	}
	var plone diag.Span
	for _, l := range linesOf(p.uvLock()) {
		switch {
		case l.section == "manifest" && strings.HasPrefix(l.text, "constraints = "):
			return
		case l.text == `name = "products-cmfplone"`:
			plone = l.at
		}
	}
	if plone.File != nil {
		say(plone, "the lock was made without Plone's constraints, so it has versions that were never tested together",
			"put them into constraint-dependencies of [tool.uv] in "+path.Join(p.app.Config.BackendDir, "pyproject.toml")+", and run uv lock")
	}
}

var takesFile = regexp.MustCompile(`^\s*(?:-r|-c|--requirement|--constraint)(?:\s*=\s*|\s*)([^\s#]+)`)

func (p *uvProject) fetched(say func(diag.Span, string, string)) {
	net, _ := p.taken()
	for _, l := range append(p.mx().fetched, net...) {
		say(l.at, "this file is taken from the net, where it may be another one tomorrow", "put a copy of it into the repository, and name that")
	}
}

// taken are the lines of requirements that take a file from the net, and those that take one
// that the repository does not have.
func (p *uvProject) taken() (net, absent []line) {
	seen := map[string]bool{}
	// Files of mx.ini are looked for beside the one that names them, then in the project.
	mx := p.app.Config.Requirements == "" && p.uvLock() == nil
	var follow func(name string)
	follow = func(name string) {
		if name == "" || seen[name] || len(seen) == maxFiles {
			return
		}
		seen[name] = true
		for _, l := range linesOf(p.read(name, maxFile)) {
			m := takesFile.FindStringSubmatch(l.text)
			if m == nil {
				continue
			}
			l.text = m[1]
			other := path.Join(path.Dir(name), l.text)
			if mx && p.read(other, maxFile) == nil {
				other = path.Join(p.app.Config.BackendDir, l.text)
			}
			switch {
			case isURL(l.text):
				net = append(net, l)
			case path.IsAbs(l.text) || p.read(other, maxFile) == nil:
				absent = append(absent, l)
			default:
				follow(other)
			}
		}
	}
	if mx {
		follow(p.mxRequirements())
	}
	follow(p.app.Config.Requirements)
	follow(p.app.Config.Constraints)
	return net, absent
}

func (p *uvProject) deadAddresses(say func(diag.Span, string, string)) {
	for _, l := range p.mx().sources() {
		if message, remedy := topology.DeadAddress("git", l.text); message != "" {
			say(l.at, fmt.Sprintf("the source %s cannot be fetched: %s", l.section, message), remedy)
		}
	}
}

func (p *uvProject) sourceKeys(say func(diag.Span, string, string)) {
	if p.app.Config.SCM.SSHKey.IsSet() {
		return
	}
	for _, l := range p.mx().sources() {
		if bySSH.MatchString("git " + l.text) {
			say(l.at, fmt.Sprintf("the source %s is fetched by ssh, and the stack has no key for it", l.section),
				fmt.Sprintf("give deploy.%s.scm.ssh_key one that may read it, or fetch it by https", p.app.Name))
		}
	}
}

// taken are the keys of instance.yaml that a release heeds, or that say nothing of it; the
// initial user's are in each file that cookieplone makes.
var (
	taken  = regexp.MustCompile(`^(zcml_|initial_user_)|^(load_zcml|environment|db_relstorage_keep_history|target|location_clienthome|location_log|environment_paths)$`)
	yamlOf = regexp.MustCompile(`^( *)["']?([A-Za-z0-9_]+)["']?\s*:`)
)

func (p *uvProject) instanceKeys(say func(diag.Span, string, string)) {
	if len(p.app.Clients) == 0 {
		return
	}
	file := p.own("instance.yaml")
	if p.app.Config.Instance != "" {
		file = p.read(p.app.Config.Instance, maxFile)
	}
	within, depth := false, 0
	for _, l := range linesOf(file) {
		m := yamlOf.FindStringSubmatch(l.text)
		switch {
		case m == nil:
		case m[1] == "":
			within, depth = m[2] == "default_context", 0
		case within && (depth == 0 || len(m[1]) == depth):
			if depth = len(m[1]); !taken.MatchString(m[2]) {
				say(l.at, m[2]+" has no effect: the stack decides it", "take it out; the attributes of plone_instances and plone_zeoserver say it")
			}
		}
	}
}
