package project

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/draft"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/render"
	"github.com/plonec/plonec/schema"
)

// ReportFile is the report that goes beside a proposed stack.
const ReportFile = "BUILDOUT.md"

// The names of what a proposed stack has.
const (
	siteName = "site" // its app
	hostName = "web1" // its host
)

// Propose reads the project in a folder and proposes a stack for it, on one host: each
// attribute that the project tells, and a report of what it does not tell. repository is
// where the folder is a checkout from; it may be empty. The error is why the project could
// not be read at all.
func Propose(dir, repository string) (*draft.Draft, error) {
	return propose(dir, repository, isPrivate)
}

func propose(dir, repository string, refused func(netip.Addr) bool) (*draft.Draft, error) {
	base, others, err := baseOf(dir)
	if err != nil {
		return nil, err
	}
	p := &proposal{dir: dir, base: base, stack: map[string]any{}, notes: map[string][]string{}}
	ctx, cancel := context.WithTimeout(context.Background(), maxTime)
	defer cancel()
	fetch := newFetcher(ctx, refused)
	if err := p.read(fetch); err != nil {
		return nil, err
	}
	others = slices.DeleteFunc(others, func(name string) bool { return p.v.closure.byPlace[name] != nil })
	if len(others) > 0 {
		p.decide("plone_instances.base_config", fmt.Sprintf("hosts build what %s says, and the project also has %s", base, strings.Join(others, ", ")),
			"write another one here, and into plone_zeoserver.base_config, where that is for production; plonec check --buildout says what it calls otherwise")
	}
	if p.versions() { // another Python: headers may ask for it
		if err := p.read(fetch); err != nil {
			return nil, err
		}
	}
	p.host()
	p.source(repository)
	p.client()
	p.storage()
	p.parts()
	p.directories()
	return p.finish(refused)
}

// A proposal is a stack as it grows.
type proposal struct {
	dir, base string
	v         *view // of the project, without a deploy.cfg
	made      string
	system    string
	stack     map[string]any
	notes     map[string][]string // comments, by draft.Key
	report    draft.Report
	secrets   []draft.Secret

	clientPart, serverPart string // what the project calls them; empty: it has none
	servesZeo              bool   // the host has a ZEO server of the app's
	twins                  []string
	asked                  []string // parts that deploy.cfg asks for on a ZEO host
	zeoOption              string   // by which its parts learn of the server
	addition               string   // buildout_additional_config
}

// set gives an attribute its value, and says why.
func (p *proposal) set(attribute string, value any, note string) {
	keys := strings.Split(attribute, ".")
	below := p.stack
	for _, k := range keys[:len(keys)-1] {
		next, ok := below[k].(map[string]any)
		if !ok {
			next = map[string]any{}
			below[k] = next
		}
		below = next
	}
	below[keys[len(keys)-1]] = value
	if note != "" {
		p.notes[draft.Key(keys)] = []string{note}
	}
}

// ofApp is an attribute of the app.
func ofApp(name string) string { return "deploy." + siteName + "." + name }

func (p *proposal) decide(attribute, what, remedy string) {
	p.report.Decide = append(p.report.Decide, draft.Finding{Path: attribute, Text: what, Remedy: remedy})
}

// bases are the names of a project's base configuration, the likeliest first: what is for
// production lies over what is for all.
var bases = []string{"cfg/base.cfg", "production.cfg", "prod.cfg", "deployment.cfg", "live.cfg", "buildout.cfg", "base.cfg"}

// ofDevelopers are configurations that are not for hosts, or hold pins alone.
var ofDevelopers = regexp.MustCompile(`(?i)dev|test|travis|versions|sources|local|^plonec`)

// baseOf finds the base configuration of a project, and what else might be.
func baseOf(dir string) (base string, others []string, err error) {
	top, err := filepath.Glob(filepath.Join(escapedGlob.Replace(dir), "*.cfg"))
	if err != nil {
		return "", nil, err
	}
	var names []string
	for _, name := range top {
		if name = filepath.Base(name); !ofDevelopers.MatchString(name) {
			names = append(names, name)
		}
	}
	for _, name := range bases {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err == nil {
			base = name
			break
		}
	}
	if base == "" && len(names) == 1 {
		base = names[0]
	}
	if base == "" {
		remedy := "name the folder of a checkout that has a buildout.cfg"
		if _, err := os.Stat(filepath.Join(dir, "pyproject.toml")); err == nil {
			remedy = "a project with pyproject.toml alone is built by uv, and needs a stack with deploy.<app>.builder: docs/uv.md"
		}
		return "", nil, diag.WithRemedy(fmt.Sprintf("%s has no buildout: it has none of %s", dir, strings.Join(bases, ", ")), remedy)
	}
	for _, name := range names {
		if name != base {
			others = append(others, name)
		}
	}
	return base, others, nil
}

// IsBuildout tells whether a folder has what a buildout is made from.
func IsBuildout(dir string) bool {
	_, _, err := baseOf(dir)
	return err == nil
}

var escapedGlob = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

// seed is a stack of one host, from which the project is read before its own is there.
const seed = `{"plonec": {"os": %q}, "instances": {"web1": {"layers": ["plone_instances", "zeoserver"], "address": "192.0.2.1", "cpus": 1}},
	"plone_instances": {"app_name": "site"}, "plone_zeoserver": {"app_name": "site"},
	"deploy": {"site": {"scm": {"repository": "https://git.example.com/site.git"}, "python_major_version": %s}}}`

// read reads the project by itself.
func (p *proposal) read(fetch *fetcher) error {
	p.system = cmp.Or(p.system, topology.Systems()[0].ID)
	python := "null"
	if p.made != "" {
		python = strconv.Quote(p.made)
	}
	text, list := input.ReadJSON(&diag.File{Name: draft.StackFile, Content: fmt.Appendf(nil, seed, p.system, python)})
	decoded, more := schema.Load(text)
	topo, again := topology.Resolve(decoded)
	if list = append(append(list, more...), again...); topo == nil || len(topo.Hosts) == 0 {
		return fmt.Errorf("plonec's own stack is not good: %v", list)
	}
	app := topo.Hosts[0].Apps[0]
	c := &closure{dir: p.dir, app: app, python: pythonOf(app), texts: &texts{fetch: fetch, files: map[string]*diag.File{}}, byPlace: map[string]*source{}}
	extended := p.base
	// The cookbook's buildouts have RelStorage in a file of its own.
	if config := app.Host.Stack.PloneInstances.Relstorage.Config; p.relStorage() && c.has(config) {
		extended += "\n    " + config
	}
	g := &group{app: app, closure: c, text: "[buildout]\nextends =\n    " + extended + "\n"}
	g.read(0)
	g.partial = g.main.wrong().Errors() > 0
	if len(c.sources) == 0 {
		return fmt.Errorf("%s cannot be read: %s", p.base, g.main.wrong()[0].Message)
	}
	version := c.buildoutVersion()
	files := map[string]string{g.main.flat: g.main.text}
	for _, s := range c.sources {
		files[s.flat] = s.text
	}
	reads, err := readAll(version, files, []string{g.main.flat}, false)
	if err != nil {
		return err
	}
	was := p.relStorage()
	p.v = newView(g, &reads[0], version)
	if p.clientPart = p.findClient(); p.relStorage() && !was && c.has(app.Host.Stack.PloneInstances.Relstorage.Config) {
		return p.read(fetch)
	}
	return nil
}

// text is what an option comes to, as far as it is known: of a section that buildout cannot
// read too.
func (p *proposal) text(section, name string) string {
	if p.v == nil {
		return ""
	}
	if e := p.v.Effective[section]; e != nil {
		return e[name]
	}
	return p.v.known(section, name)
}

// relStorage tells whether the client keeps its objects in a database.
func (p *proposal) relStorage() bool {
	return p.v != nil && p.clientPart != "" && strings.TrimSpace(p.text(p.clientPart, "rel-storage")) != ""
}

// findClient is the section that clients are made from.
func (p *proposal) findClient() string {
	const first = "client1"
	if zopeRecipe.MatchString(p.v.recipe(first)) {
		for _, macro := range slices.Backward(p.v.macros(first)) { // else += of deploy.cfg loses what the macro has
			if p.v.holder(first, "recipe") != first && p.v.holder(macro, "recipe") != "" {
				return macro
			}
		}
		return first
	}
	public := func(part string) bool { return !isOn(p.text(part, "debug-mode")) }
	for _, part := range p.v.made(zopeRecipe) {
		if public(part) {
			return part
		}
	}
	return p.v.closest(zopeRecipe)
}

// release finds the version of a Plone in the address of its list of versions.
var release = regexp.MustCompile(`^https?://dist\.plone\.org/release/([0-9]+\.[0-9]+)|^https?://(?:raw\.githubusercontent\.com|github\.com)/plone/buildout\.coredev/(?:raw/)?([0-9]+\.[0-9]+)`)

// versions says which Plone and which Python the project has; it tells whether that is
// another Python than the project was read for.
func (p *proposal) versions() bool {
	found, from := "", ""
	if pin, ok := p.v.pin("products-cmfplone", "plone"); ok {
		found, from = pin.version, p.shownAt(pin.span)
	}
	named := append([]string{}, p.urls()...)
	for _, url := range named {
		if m := release.FindStringSubmatch(url); m != nil && found == "" {
			found, from = cmp.Or(m[1], m[2]), url
		}
	}
	plone, known := topology.PloneOf(majorMinor.FindString(found))
	switch {
	case known:
		p.set("plonec.plone_version", plone.Version, "As "+from+" says.")
	default:
		last := topology.Plones()[len(topology.Plones())-1]
		plone = last
		p.set("plonec.plone_version", last.Version, "DECIDE: the Plone that the buildout has.")
		what := "the project does not say which Plone it has"
		if found != "" {
			what = "the project has Plone " + found + ", which plonec does not know"
		}
		p.decide("plonec.plone_version", what+"; "+last.Version+" is assumed", "write it: clients before 5.2 are configured differently")
	}
	before := cmp.Or(p.made, p.v.closure.python.Version.String())
	p.python(plone)
	return cmp.Or(p.made, p.v.closure.python.Version.String()) != before
}

// urls are the addresses that the project extends, fetched or not.
func (p *proposal) urls() (all []string) {
	for _, s := range p.v.closure.sources {
		for _, section := range s.cfg.Sections {
			for _, o := range section.Options {
				if section.Name == "buildout" && o.Name == "extends" {
					all = append(all, strings.Fields(o.Value)...)
				}
			}
		}
	}
	return all
}

// python chooses a Python, and a system that has it.
func (p *proposal) python(plone topology.Plone) {
	systems := topology.Systems()
	wanted, from := "", ""
	if f, err := p.v.closure.load(".python-version"); err == nil {
		wanted, from = majorMinor.FindString(strings.TrimSpace(string(f.Content))), ".python-version"
	}
	if wanted == "" && slices.Contains(plone.Pythons, systems[0].Python.String()) || len(plone.Pythons) == 1 && plone.Pythons[0] == "2.7" {
		return // what plonec takes by itself
	}
	if wanted == "" {
		wanted, from = plone.Pythons[len(plone.Pythons)-1], "Plone "+plone.Version
	}
	for _, s := range systems {
		if s.Python.String() == wanted {
			if s.ID != systems[0].ID {
				p.set("plonec.os", s.ID, "It has Python "+wanted+", which "+from+" asks for.")
			}
			p.system, p.made = s.ID, wanted
			return
		}
	}
	p.made = wanted
	p.set(ofApp("python_major_version"), wanted, "As "+from+" asks for.")
	p.decide(ofApp("python_major_version"), fmt.Sprintf("no system that plonec knows has Python %s of its own, which %s asks for", wanted, from),
		"see that the hosts can have it: setup installs it from the system's packages, else by uv where the host reaches its downloads")
}

// shownAt is a place as a report names it.
func (p *proposal) shownAt(span diag.Span) string {
	if span.File == nil {
		return "the project"
	}
	return fmt.Sprintf("%s:%d", filepath.ToSlash(span.File.Name), span.Line())
}

// host is the one that does everything, until somebody writes the real ones.
func (p *proposal) host() {
	p.set("instances."+hostName, map[string]any{"layers": []string{"lb", "plone_instances"}, "address": "192.0.2.1", "cpus": 2}, "")
	p.notes[draft.Key([]string{"instances"})] = []string{"INVENTED: one host that does everything, until you write the real ones."}
	p.decide("instances", "the project names no hosts: one that does everything is invented, at an address that is nobody's, with 2 CPUs",
		"write the real ones; more of them take layers of their own: lb, plone_instances, zeoserver")
}

// bySSHAt is a repository that is reached by ssh.
var bySSHAt = regexp.MustCompile(`^ssh://|^[\w.-]+@[\w.-]+:`)

// plainRepository is an address without a password, as deploy.<app>.scm.repository takes it.
var plainRepository = regexp.MustCompile(`^(https?://[A-Za-z0-9][A-Za-z0-9./:_~-]*|(ssh://)?[A-Za-z0-9_][\w.-]*@[\w./:~-]+|/[\w./-]+)$`)

// source is where the releases come from.
func (p *proposal) source(repository string) {
	const attribute = "deploy." + siteName + ".scm.repository"
	if plainRepository.MatchString(repository) {
		p.set(attribute, repository, "The origin of the checkout.")
	} else {
		what := "nothing says where the buildout comes from"
		if repository != "" {
			what = "the origin of the checkout is not a plain address, and is not written"
		}
		p.set(attribute, "https://git.example.com/buildout.git", "PLACEHOLDER: where the buildout comes from.")
		p.decide(attribute, what+"; the address written is a placeholder", "write the repository's address, without a password: deploy."+siteName+".scm.user and password take these")
	}
	what := ""
	if bySSHAt.MatchString(repository) {
		what = "the repository is fetched by ssh"
	}
	p.v.sourceKeys(func(at diag.Span, _, _ string) {
		if what == "" {
			what = "sources of mr.developer are fetched by ssh (" + p.shownAt(at) + ")"
		}
	})
	if what != "" {
		p.secret(ofApp("scm.ssh_key"), "ssh_key", "", what)
	}
}

// secret gives an attribute a reference to a file, whose value is that of the project or has
// to be written.
func (p *proposal) secret(attribute, name, value, why string) {
	name = siteName + "." + name
	p.set(attribute, map[string]any{"$secret": "file:" + draft.SecretsDir + "/" + name}, "")
	p.secrets = append(p.secrets, draft.Secret{Name: name, Path: attribute, Value: value, Withheld: value == ""})
	if value == "" {
		p.decide(attribute, why+", and the value is not in the project", "write it into "+draft.SecretsDir+"/"+name)
	}
}

var numberedPart = regexp.MustCompile(`^(.*?)[0-9]+$`)

// client says what the clients are made from, and how many there are.
func (p *proposal) client() {
	p.set("plone_instances.app_name", siteName, "")
	if p.base != schema.Lookup("plone_instances.base_config").Default.Text {
		p.set("plone_instances.base_config", p.base, "")
	}
	if p.clientPart == "" {
		p.decide(ofApp("parts.client"), "the project has no section with plone.recipe.zope2instance, from which clients are made", "add one to the project, and run init again")
		return
	}
	if p.clientPart != "client1" {
		p.set(ofApp("parts.client"), p.clientPart, "")
	}
	if stem := numberedPart.FindStringSubmatch(p.clientPart); stem != nil {
		for _, part := range p.v.made(zopeRecipe) {
			if m := numberedPart.FindStringSubmatch(part); part != p.clientPart && m != nil && m[1] == stem[1] {
				p.twins = append(p.twins, part)
			}
		}
	}
	if len(p.twins) > 0 {
		p.set("plone_instances.instance_count", len(p.twins)+1, fmt.Sprintf("As many as the project has: %s, %s.", p.clientPart, strings.Join(p.twins, ", ")))
	} else {
		p.set("plone_instances.per_cpu", 1, "")
	}
	for _, option := range []string{"threads", "zserver-threads"} {
		if n, err := strconv.Atoi(p.text(p.clientPart, option)); err == nil && n >= 1 && n <= 64 {
			p.set("plone_instances.zserver_threads", n, fmt.Sprintf("As %s of [%s]: deploy.cfg sets it.", option, p.clientPart))
			break
		}
	}
}

// abouts are the comments of sections whose documentation speaks of more.
var abouts = map[string]string{
	"plonec":    "The system of the hosts, and the version of Plone.",
	"instances": "The hosts: the others reach one at its address.",
}

// finish writes the stack, and reads it as check does.
func (p *proposal) finish(refused func(netip.Addr) bool) (*draft.Draft, error) {
	if p.addition != "" {
		p.set(ofApp("buildout_additional_config"), p.addition, "")
	}
	text, err := json.Marshal(p.stack)
	if err != nil {
		return nil, err
	}
	stack, list := input.ReadJSON(&diag.File{Name: draft.StackFile, Content: text})
	if list.Errors() > 0 {
		return nil, errors.New("the proposed stack is no JSON")
	}
	for _, s := range p.v.closure.sources {
		p.report.Sources = append(p.report.Sources, diag.Visible(filepath.ToSlash(s.file.Name), 200))
	}
	p.report.Count(stack)
	for i, f := range p.report.Decide {
		p.report.Decide[i] = draft.Finding{Path: f.Path, Text: diag.Visible(f.Text, 500), Remedy: diag.Visible(f.Remedy, 500)}
	}
	for _, notes := range p.notes {
		for i, note := range notes {
			notes[i] = diag.Visible(note, 500)
		}
	}
	d := &draft.Draft{
		Title: "What the buildout tells of a stack", By: "plonec init --buildout",
		Stack: draft.Write([]string{
			"A stack for the buildout in " + diag.Visible(filepath.ToSlash(p.dir), 200) + ", proposed by plonec init.",
			"What is left to decide: " + ReportFile + ". What an attribute means: plonec explain NAME.",
		}, stack, p.notes, abouts),
		Secrets: p.secrets, Report: p.report,
	}
	return d, p.judge(d, refused)
}

// judge has plonec check read what is proposed: its warnings, and what it says of the
// project, are for whoever has the project.
func (p *proposal) judge(d *draft.Draft, refused func(netip.Addr) bool) error {
	dir, err := os.MkdirTemp("", "plonec-init-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, draft.StackFile)
	if err := os.WriteFile(name, d.Stack, 0o600); err != nil {
		return err
	}
	judged, list, err := compile.Stack([]string{name}, &compile.Options{Tree: filepath.Join(dir, "build")})
	if err != nil {
		return err
	}
	if judged != nil && list.Errors() == 0 {
		built, more, err := judged.Render(nil)
		if err != nil {
			return err
		}
		list = append(list, more...)
		if built != nil {
			deployCfg, err := DeployCfgs(built.Topology)
			if err != nil {
				return err
			}
			found, err := check(built.Topology, map[string]string{siteName: p.dir}, deployCfg, refused, false)
			if err != nil {
				return err
			}
			for _, f := range found {
				where := f.Path
				if f.Span.File != nil {
					where = p.shownAt(f.Span)
				}
				d.Report.Decide = append(d.Report.Decide, draft.Finding{Path: where, Text: strings.TrimPrefix(f.Message, hostName+": "), Remedy: f.Remedy})
			}
		}
	}
	for _, w := range list.Sorted() {
		w.Span = diag.Span{} // of a file that is not the stack
		if w.Severity() == diag.Error {
			d.Left.Add(w)
		} else {
			d.Report.Decide = append(d.Report.Decide, draft.Finding{Path: w.Path, Text: w.Message, Remedy: w.Remedy})
		}
	}
	return nil
}

// DeployCfgs gives the deploy.cfg of each app on each host, empty where it has none.
func DeployCfgs(t *topology.Topology) (func(host, app string) string, error) {
	texts := map[[2]string]string{}
	for _, h := range t.Hosts {
		err := render.Some(h, func(name string) bool { return path.Base(name) == DeployCfg }, func(f render.File) error {
			texts[[2]string{h.Name, path.Base(path.Dir(f.Path))}] = string(f.Content)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return func(host, app string) string { return texts[[2]string{host, app}] }, nil
}
