package project

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/words"
	"github.com/plonec/plonec/schema"
)

// rules are what is looked for, each with the code of what it finds. One that misses
// something is asked only of a project that could be read whole.
var rules = []struct {
	code   string
	find   func(*view, func(at diag.Span, message, remedy string))
	misses bool
}{
	{"project-unread", (*view).unread, true},
	{"missing-part", (*view).missingParts, true},
	{"missing-section", (*view).missingSections, true},
	{"other-storage", (*view).otherStorage, false},
	{"lost-option", (*view).lostOptions, false},
	{"beaten-option", (*view).beatenOptions, false},
	{"beside-checkout", (*view).besideCheckout, false},
	{"dead-address", (*view).deadAddresses, false},
	{"source-key", (*view).sourceKeys, false},
	{"refused-pin", (*view).refusedPins, false},
	{"untried-database", (*view).untriedDatabase, false},
	{"dropped-line", (*view).droppedLines, false},
	{"stuck-writers", (*view).stuckWriters, false},
	{"cron-part", (*view).cronParts, false},
}

// judge is what all rules find. A place of the project is named once, by the first rule
// that has something to say of it.
func (v *view) judge() diag.List {
	var list diag.List
	said := map[diag.Span]bool{}
	for _, r := range rules {
		if r.misses && v.partial {
			continue
		}
		r.find(v, func(at diag.Span, message, remedy string) {
			if at.File != nil && said[at] {
				return
			}
			said[at] = true
			d := diag.Diagnostic{Code: r.code, Span: at, Message: message, Remedy: remedy}
			if at.File == nil {
				d.Path = "deploy." + v.app.Name
			}
			list.Add(d)
		})
	}
	return list
}

var (
	zopeRecipe   = regexp.MustCompile(`^plone\.recipe\.zope2instance$|^collective\.recipe\.zope2instance`)
	cronRecipe   = regexp.MustCompile(`^z3c\.recipe\.usercrontab$`)
	serverRecipe = regexp.MustCompile(`^plone\.recipe\.zeoserver$|^plone\.recipe\.zope2zeoserver$`)
)

// kinds are the parts that deploy.cfg asks for: what they are in deploy.<app>.parts, what
// that calls them, and by which recipes a project makes such ones.
var kinds = []struct {
	key    string
	called func(schema.PartNames) string
	recipe *regexp.Regexp
}{
	{"zeoserver", func(p schema.PartNames) string { return p.Zeoserver }, serverRecipe},
	{"backup", func(p schema.PartNames) string { return p.Backup }, regexp.MustCompile(`^collective\.recipe\.backup$`)},
	{"backupcronjob", func(p schema.PartNames) string { return p.Backupcronjob }, cronRecipe},
	{"packcronjob", func(p schema.PartNames) string { return p.Packcronjob }, cronRecipe},
	{"pack-config", func(p schema.PartNames) string { return p.PackConfig }, regexp.MustCompile(`^collective\.recipe\.template$`)},
	{"zodbpack", func(p schema.PartNames) string { return p.Zodbpack }, nothing},
	{"zodbpack-prepack", func(p schema.PartNames) string { return p.ZodbpackPrepack }, nothing},
	{"zodbpack-pack", func(p schema.PartNames) string { return p.ZodbpackPack }, nothing},
	{"zodb-clear-refs", func(p schema.PartNames) string { return p.ZodbClearRefs }, nothing},
}

// nothing matches no recipe: parts of many make such ones.
var nothing = regexp.MustCompile(`^$a`)

// kindOf finds the key of deploy.<app>.parts that a part has its name from, and the recipes of
// its kind; the key is empty for one that is asked for in another way.
func (v *view) kindOf(part string) (key string, recipe *regexp.Regexp) {
	if slices.ContainsFunc(v.app.Clients, func(c *topology.Client) bool { return c.Name == part }) {
		return "client", zopeRecipe
	}
	for _, k := range kinds {
		if k.called(v.app.Config.Parts) == part {
			return k.key, k.recipe
		}
	}
	return "", nothing
}

func (v *view) unread(say func(diag.Span, string, string)) {
	if v.Error == "" {
		return
	}
	if strings.HasPrefix(v.Error, "MemoryError") {
		say(diag.Span{}, fmt.Sprintf("buildout needs more memory for reading the project than the %d GiB that it gets", readMemory>>30), tooLong)
		return
	}
	text := strings.TrimSpace(strings.ReplaceAll(v.Error, folder+"/", ""))
	say(diag.Span{}, "buildout cannot read the project: "+strings.Join(strings.Fields(text), " "), "fix what it names in the project")
}

func (v *view) missingParts(say func(diag.Span, string, string)) {
	said := map[string]bool{}
	for _, part := range v.parts() {
		if v.recipe(part) != "" || v.Errors[part] != nil {
			continue
		}
		asks, remedy := "parts has", fmt.Sprintf("add a section [%s] with a recipe, or take it out of parts", part)
		at := v.at("buildout", "parts", part)
		if at.File == nil {
			asks, remedy = "deploy.cfg asks for", ""
		}
		what := "which the project does not have"
		if own := v.header(part); own.File != nil {
			at, what = own, "which has no recipe in the project"
		}
		key, recipe := v.kindOf(part)
		switch like := v.closest(recipe); {
		case key == "" || remedy != "":
		case said[key]: // client1 and its like are one
			continue
		case like != "":
			at = v.header(like)
			remedy = fmt.Sprintf("the project has [%s] with %s: write deploy.%s.parts: {%q: %q}", like, v.recipe(like), v.app.Name, key, like)
		case key == "client" || key == "zeoserver":
			remedy = fmt.Sprintf("add a section [%s] with a recipe to the project, or write into deploy.%s.parts what the project calls it: {%q: \"NAME\"}", part, v.app.Name, key)
		default:
			remedy = fmt.Sprintf("add a section [%s] with a recipe to the project, or write into deploy.%s.parts what the project calls it: {%[3]q: \"NAME\"}, {%[3]q: \"\"} for none", part, v.app.Name, key)
		}
		said[key] = key != ""
		if remedy == "" {
			remedy = fmt.Sprintf("add a section [%s] with a recipe to the project, or take it out of deploy.%s.buildout_parts_to_include", part, v.app.Name)
		}
		say(at, fmt.Sprintf("%s the part %s, %s", asks, part, what), remedy)
	}
}

// closest is a section of the project whose recipe a pattern matches: one that the
// project makes itself before one that it does not, then in the order of the files.
func (v *view) closest(recipe *regexp.Regexp) string {
	var found []string
	made := map[string]bool{}
	for _, s := range v.closure.sources {
		for _, section := range s.cfg.Sections {
			if recipe.MatchString(v.recipe(section.Name)) && !slices.Contains(found, section.Name) {
				found = append(found, section.Name)
			}
			for _, o := range section.Options {
				if section.Name == "buildout" && o.Name == "parts" {
					for _, p := range strings.Fields(o.Value) {
						made[p] = true
					}
				}
			}
		}
	}
	slices.SortStableFunc(found, func(a, b string) int {
		switch {
		case made[a] == made[b]:
			return 0
		case made[a]:
			return -1
		}
		return 1
	})
	if len(found) == 0 {
		return ""
	}
	return found[0]
}

func (v *view) missingSections(say func(diag.Span, string, string)) {
	for _, part := range v.parts() {
		e := v.Errors[part]
		if e == nil {
			continue
		}
		message := fmt.Sprintf("buildout cannot read [%s]: %s", part, strings.Join(strings.Fields(strings.Join(e[1:], " ")), " "))
		remedy, text := "correct what it refers to", ""
		switch {
		case e[0] == "MemoryError":
			message = fmt.Sprintf("[%s] has more than %d MiB of text once its references are put in", part, maxSection>>20)
			remedy = tooLong
		case e[0] == "MissingSection" && len(e) > 1:
			text = "${" + e[1] + ":"
			message = fmt.Sprintf("[%s] refers to [%s], which the project does not have", part, e[1])
			remedy = fmt.Sprintf("add [%s], or correct the name", e[1])
		case e[0] == "MissingOption" && len(e) > 3:
			text = "${" + e[2] + ":" + e[3] + "}"
			message = fmt.Sprintf("[%s] refers to the option %s of [%s], which it does not have", part, e[3], e[2])
			remedy = "add the option, or correct the name"
		case strings.HasPrefix(e[len(e)-1], "The substitution, "):
			text = "${" + strings.TrimSuffix(strings.TrimPrefix(strings.SplitN(e[len(e)-1], ",\n", 2)[0], "The substitution, ${"), "}")
			message = fmt.Sprintf("[%s] has a reference that buildout does not take: %s}", part, text)
			remedy = "write ${SECTION:OPTION}, or $${ where no reference is meant"
		case strings.HasPrefix(e[len(e)-1], "No section named "):
			text = strings.Trim(strings.TrimPrefix(e[len(e)-1], "No section named "), `'"`)
			message = fmt.Sprintf("[%s] takes its options from [%s], which the project does not have", part, text)
			remedy = fmt.Sprintf("add [%s], or correct the name behind <=", text)
		}
		say(v.mentions(part, text), message, remedy)
	}
}

// mentions is the line of the project where a text stands: in a section, else anywhere.
func (v *view) mentions(section, text string) diag.Span {
	if text == "" {
		return v.header(section)
	}
	for _, s := range append([]string{section}, slices.Sorted(maps.Keys(v.Own))...) {
		for _, name := range slices.Sorted(maps.Keys(v.Own[s])) {
			if strings.Contains(v.Own[s][name].Value, text) {
				if at := v.at(s, name, text); at.File != nil {
					return at
				}
			}
		}
	}
	return v.header(section)
}

func (v *view) lostOptions(say func(diag.Span, string, string)) {
	for _, section := range slices.Sorted(maps.Keys(v.Own)) {
		for _, name := range slices.Sorted(maps.Keys(v.Own[section])) {
			o := v.Own[section][name]
			if len(o.History) < 2 || o.History[0].File != "IMPLICIT_VALUE" {
				continue
			}
			for _, macro := range slices.Backward(v.macros(section)) {
				holder := v.holder(macro, name)
				if holder == "" {
					continue
				}
				file := "deploy.cfg"
				if s := v.files[o.History[len(o.History)-1].File]; s != nil {
					file = s.file.Name
				}
				say(v.at(holder, name, ""), fmt.Sprintf("%s += of [%s] in %s takes the place of what [%s] has here", name, section, file, holder),
					fmt.Sprintf("write %s = ${%s:%s} into [%s] of the project: buildout then adds to that", name, holder, name, section))
				break
			}
		}
	}
}

// takeOut says where an option is to be taken out.
func (v *view) takeOut(section, name string) string {
	if v.sets(section, name) {
		return "take it out of deploy." + v.app.Name + ".buildout_additional_config"
	}
	return "take it out of the project"
}

// ofEachClient are options that each client's section has for itself.
var ofEachClient = []string{"<", "recipe", "http-address", "zeo-client-client"}

func (v *view) beatenOptions(say func(diag.Span, string, string)) {
	v.partsThatStay(say)
	if len(v.app.Clients) == 0 {
		return
	}
	first := v.app.Clients[0].Name
	for _, c := range v.app.Clients[1:] {
		if v.Effective[c.Name] == nil {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(v.Own[first])) {
			o, _ := optionOf(v.main.cfg, first, name)
			switch {
			case o.Name == "" || slices.Contains(ofEachClient, name) || v.holder(c.Name, name) != c.Name:
			case o.Op == "=" && v.value(c.Name, name) != v.value(first, name):
				say(v.at(c.Name, name, ""), fmt.Sprintf("%s of [%s] beats that of deploy.cfg, which gives it to all clients in [%s]", name, c.Name, first),
					v.takeOut(c.Name, name))
			case o.Op == "+=" && !hasLines(v.value(c.Name, name), o.Value):
				say(v.at(c.Name, name, ""), fmt.Sprintf("%s of [%s] does not have what deploy.cfg adds in [%s]", name, c.Name, first),
					fmt.Sprintf("add ${%s:%s} to it as its last line", first, name))
			}
		}
	}
	if o, ok := optionOf(v.main.cfg, "buildout", "eggs"); ok && v.Effective[first] != nil && !hasLines(v.value(first, "eggs"), o.Value) {
		say(v.at(first, "eggs", ""), fmt.Sprintf("eggs of [%s] does not have what deploy.cfg adds to those of [buildout]: %s", first, strings.Join(strings.Fields(o.Value), ", ")),
			"write ${buildout:eggs} there")
	}
}

// partsThatStay are those that deploy.cfg leaves out of the base's, and that share a line with
// another one there: buildout takes whole lines out.
func (v *view) partsThatStay(say func(diag.Span, string, string)) {
	var out []string
	for _, s := range v.main.cfg.Sections {
		for _, o := range s.Options {
			switch {
			case s.Name != "buildout" || o.Name != "parts":
			case o.Op == "-=":
				out = append(out, strings.Fields(o.Value)...)
			default: // the stack's own text asks for it again
				out = slices.DeleteFunc(out, func(part string) bool { return slices.Contains(strings.Fields(o.Value), part) })
			}
		}
	}
	made := v.parts()
	out = slices.DeleteFunc(out, func(part string) bool { return !slices.Contains(made, part) })
	if len(out) == 0 {
		return
	}
	say(v.at("buildout", "parts", out[0]), fmt.Sprintf("deploy.cfg leaves out %s, which buildout makes all the same: it takes whole lines out of parts", strings.Join(out, ", ")),
		"write each part on a line of its own")
}

// hasLines tells whether a value has all lines of another one.
func hasLines(value, lines string) bool {
	var has []string
	for line := range strings.Lines(value) {
		has = append(has, strings.TrimSpace(line))
	}
	for line := range strings.Lines(lines) {
		if !strings.Contains(line, "${") && !slices.Contains(has, strings.TrimSpace(line)) {
			return false
		}
	}
	return true
}

// isOn is how recipes read a switch.
func isOn(value string) bool {
	return slices.Contains([]string{"yes", "true", "on", "1"}, strings.ToLower(value))
}

func (v *view) otherStorage(say func(diag.Span, string, string)) {
	storage := v.app.Storage
	for _, c := range v.app.Clients {
		e := v.Effective[c.Name]
		if e == nil || v.recipe(c.Name) == "" {
			continue
		}
		other := func(option, what string) {
			say(v.at(c.Name, option, ""), fmt.Sprintf("[%s] %s", c.Name, what), "take "+option+" out of that section: deploy.cfg gives it to all clients")
		}
		switch rel := storage.RelStorage; {
		case rel != nil && isOn(e["zeo-client"]):
			other("zeo-client", "is a client of a ZEO server, and the stack has RelStorage")
		case rel != nil && e["rel-storage"] == "":
			other("rel-storage", "has no rel-storage, and would open a Data.fs of its own")
		case rel != nil && rel.Host != "" && !strings.Contains(e["rel-storage"], rel.Host):
			other("rel-storage", "has a rel-storage that does not name the stack's database server, "+rel.Host)
		case rel != nil:
		case storage.ZeoAddress == "":
			if v.app.AllClients > 1 && !isOn(e["zeo-client"]) && e["rel-storage"] == "" {
				say(v.header(v.app.Config.Parts.Client), fmt.Sprintf("the clients open a Data.fs by themselves, and the stack has %d of them: a second one finds it locked, or another host's", v.app.AllClients),
					"give the stack a ZEO server: a host with the role zeo, or plone_instances.zeo.address; or have one client in all")
			}
		case !isOn(e["zeo-client"]):
			other("zeo-client", "has zeo-client = "+e["zeo-client"]+", and would open a database of its own instead of the stack's, "+storage.ZeoAddress)
		case e["zeo-address"] != storage.ZeoAddress:
			other("zeo-address", "connects to "+e["zeo-address"]+", and the stack's ZEO server is "+storage.ZeoAddress)
		}
		if first := v.app.Clients[0].Name; v.sets(first, "blob-storage") && e["blob-storage"] != v.value(first, "blob-storage") {
			other("blob-storage", "has its blobs in "+v.shown(e["blob-storage"])+", and the stack's are in "+v.shown(v.value(first, "blob-storage")))
		}
	}
	for _, part := range v.made(zopeRecipe) { // a client that no unit runs, and somebody's script may
		address := v.value(part, "zeo-address")
		if slices.ContainsFunc(v.app.Clients, func(c *topology.Client) bool { return c.Name == part }) {
			continue
		}
		if (storage.ZeoAddress != "" || storage.RelStorage != nil) && !isOn(v.value(part, "zeo-client")) && v.value(part, "rel-storage") == "" {
			say(v.header(part), fmt.Sprintf("[%s], which stays a part, opens a Data.fs by itself, and the stack has its database elsewhere", part), "take the part out of the project's parts, or make it from one of the clients: <= client1")
		}
		if storage.ZeoAddress != "" && isOn(v.value(part, "zeo-client")) && address != "" && address != storage.ZeoAddress {
			say(v.at(part, "zeo-address", ""), fmt.Sprintf("[%s], which stays a part, connects to %s, and the stack's ZEO server is %s", part, address, storage.ZeoAddress), "take the part out of the project's parts, or make it from one of the clients: <= client1")
		}
	}
	if v.app.Zeo == nil {
		return
	}
	for _, part := range v.made(serverRecipe) {
		if file := v.value(part, "file-storage"); file != "" && !within(file, v.app.Zeo.FilestorageDir) {
			say(v.at(part, "file-storage", ""), fmt.Sprintf("[%s] has its Data.fs at %s, and the stack's is in %s", part, v.shown(file), v.app.Zeo.FilestorageDir), "take file-storage out of the project")
		}
	}
}

// within tells whether a path is in a directory of the host's, or where a release has a
// link to it.
func within(place, dir string) bool {
	if !path.IsAbs(place) { // a recipe takes it below var
		return place == "filestorage/Data.fs"
	}
	place = path.Clean(place)
	below := func(dir string) bool { return dir != "" && (place == dir || strings.HasPrefix(place, dir+"/")) }
	return below(dir) || below(folder+"/var/filestorage")
}

// shown is a value as people know it.
func (v *view) shown(value string) string {
	return strings.ReplaceAll(value, folder, "${buildout:directory}")
}

// inFolder finds paths that begin in the release.
var inFolder = regexp.MustCompile(regexp.QuoteMeta(folder) + `/[^\s"',;:]+`)

// written are directories that buildout itself fills.
var written = regexp.MustCompile(`^(bin|parts|eggs|develop-eggs)-directory$|^(sources-dir|download-cache|installed)$`)

func (v *view) besideCheckout(say func(diag.Span, string, string)) {
	said := map[string]bool{}
	look := func(section, name, value, where string) {
		if said[where] {
			return
		}
		said[where] = true
		at := v.at(section, name, "..")
		if at.File == nil { // by a reference
			at = v.at(section, name, "")
		}
		remedy := fmt.Sprintf("bring it by deploy.%[1]s.files, or by a link of deploy.%[1]s.symlink_before_migrate, and name it by its path in the release", v.app.Name)
		if section == "buildout" && written.MatchString(name) {
			remedy = "take it out: each release has its own"
		}
		say(at, fmt.Sprintf("%s of [%s] is at %s, beside the checkout", name, section, where), remedy)
	}
	for _, section := range append([]string{"buildout"}, v.parts()...) {
		for _, name := range slices.Sorted(maps.Keys(v.Effective[section])) {
			value := v.Effective[section][name]
			for _, place := range inFolder.FindAllString(value, -1) {
				if rel, out := outside(strings.TrimPrefix(place, folder+"/")); out {
					look(section, name, value, rel)
				}
			}
			for line := range strings.Lines(value) { // which a recipe takes from where buildout runs
				if line = strings.TrimSpace(line); section != "buildout" && strings.HasPrefix(line, "../") && !strings.ContainsAny(line, " \t") {
					look(section, name, value, path.Clean(line))
				}
			}
			if section == "buildout" && slices.Contains([]string{"develop", "eggs-directory", "download-cache", "find-links", "sources-dir"}, name) {
				history := v.Own[section][name].History
				for i, h := range slices.Backward(history) {
					if h.Operation == "SET" || h.Operation == "OVERRIDE" { // what stood before it is gone
						history = history[i:]
						break
					}
				}
				for _, h := range history {
					for _, word := range strings.Fields(h.Value) {
						if rel, out := outside(word); out {
							look(section, name, word, rel)
						}
					}
				}
			}
		}
	}
}

// outside tells whether a path leads out of the release.
func outside(place string) (rel string, out bool) {
	rel = path.Clean(place)
	return rel, rel == ".." || strings.HasPrefix(rel, "../")
}

// bySSH finds a source that is fetched by ssh.
var bySSH = regexp.MustCompile(`^\S+\s+((?:git\+|hg\+|svn\+)?ssh://|(?:[\w.-]+@)?[\w.-]+:/?[^/])`)

func (v *view) sourceKeys(say func(diag.Span, string, string)) {
	if v.app.Config.SCM.SSHKey.IsSet() {
		return
	}
	section, names := v.checkouts()
	for _, name := range names {
		if bySSH.MatchString(v.known(section, name)) {
			say(v.at(section, name, ""), fmt.Sprintf("the source %s is fetched by ssh, and the stack has no key for it", name),
				fmt.Sprintf("give deploy.%s.scm.ssh_key one that may read it, or fetch it by https", v.app.Name))
		}
	}
}

// checkouts are the sources of mr.developer that a host fetches, and the section that
// they stand in.
func (v *view) checkouts() (section string, names []string) {
	if !strings.Contains(v.value("buildout", "extensions"), "mr.developer") {
		return "", nil
	}
	section = cmp.Or(v.value("buildout", "sources"), "sources")
	taken := strings.Fields(v.value("buildout", "auto-checkout"))
	for _, name := range slices.Sorted(maps.Keys(v.Own[section])) {
		if slices.ContainsFunc(taken, func(t string) bool { is, _ := path.Match(t, name); return is }) {
			names = append(names, name)
		}
	}
	return section, names
}

func (v *view) deadAddresses(say func(diag.Span, string, string)) {
	for _, option := range []string{"index", "find-links"} {
		for _, address := range strings.Fields(v.value("buildout", option)) {
			if message, remedy := topology.DeadAddress("", address); message != "" {
				say(v.at("buildout", option, address), address+": "+message, remedy)
			}
		}
	}
	section, names := v.checkouts()
	for _, name := range names {
		if words := strings.Fields(v.known(section, name)); len(words) > 1 {
			if message, remedy := topology.DeadAddress(words[0], words[1]); message != "" {
				say(v.at(section, name, ""), fmt.Sprintf("the source %s cannot be fetched: %s", name, message), remedy)
			}
		}
	}
}

func (v *view) refusedPins(say func(diag.Span, string, string)) {
	v.refusedSetuptools(say)
	if p, ok := v.pin("zc-recipe-egg"); ok && major(v.version) < 6 && major(p.version) >= 6 {
		say(p.span, fmt.Sprintf("zc.recipe.egg %s demands zc.buildout 6, and the project takes %s", p.version, v.version), "pin zc.recipe.egg below 6, or zc.buildout to 6")
	}
	if p, ok := v.pin("products-cmfplone", "plone"); ok {
		python := v.closure.python.Version.String()
		plone, known := topology.PloneOf(majorMinor.FindString(p.version))
		if known && !slices.Contains(plone.Pythons, python) {
			say(p.span, fmt.Sprintf("Plone %s is released for Python %s, and the host's is %s", p.version, words.Or(plone.Pythons), python),
				fmt.Sprintf("pin another Plone, or name one of these in deploy.%s.python_major_version", v.app.Name))
			return // the versions that go with it are no others' either
		}
	}
	for _, pins := range []map[string]pin{v.held, v.required} {
		for _, name := range slices.Sorted(maps.Keys(pins)) {
			p, python := pins[name], v.closure.python
			if pythons, other := refuses(name, p.version, python); pythons != "" {
				say(v.placed(p).span, fmt.Sprintf("%s %s is for Python %s, and the host's is %s", p.name, p.version, pythons, python),
					fmt.Sprintf("pin %s %s, or name another Python in the app's python_major_version", p.name, other))
			}
		}
	}
}

// withoutPkgResources is the first setuptools that does not bring pkg_resources.
const withoutPkgResources = "82"

// importing are packages by which clients and ZEO servers are started, with their first
// release that does not import pkg_resources.
var importing = []struct{ name, until string }{
	{"plone.recipe.zope2instance", "9"},
	{"zdaemon", "5.2.1"},
}

func (v *view) refusedSetuptools(say func(diag.Span, string, string)) {
	p, ok := v.pin("setuptools")
	if !ok {
		return
	}
	refused := func(without, who, other string) {
		say(p.span, fmt.Sprintf("setuptools %s has no %s, which %s", p.version, without, who), "pin setuptools below "+other)
	}
	from, without := builder.Setuptools(v.version)
	if from != "" && words.Compare(p.version, from) >= 0 {
		refused(without, "zc.buildout "+v.version+" needs", from+", or zc.buildout to 6")
		return
	}
	if words.Compare(p.version, withoutPkgResources) < 0 {
		return
	}
	for _, i := range importing {
		if q, ok := v.pin(canonical(i.name)); ok && compareReleases(q.version, i.until) < 0 {
			refused("pkg_resources", i.name+" "+q.version+" imports", withoutPkgResources+", or "+i.name+" to "+i.until+" or later")
		}
	}
	_, own := v.pin(canonical(importing[0].name))
	if q, ok := v.pin("products-cmfplone", "plone"); ok && !own {
		if plone, _ := topology.PloneOf(majorMinor.FindString(q.version)); plone.Setuptools != "" && words.Compare(p.version, plone.Setuptools) >= 0 {
			refused("pkg_resources", "the clients of Plone "+q.version+" import", plone.Setuptools+", or plone.recipe.zope2instance to 9 or later")
		}
	}
}

// majorMinor is how a version begins.
var majorMinor = regexp.MustCompile(`^[0-9]+\.[0-9]+`)

func major(version string) int {
	first, _, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(first)
	return n
}

// mysqlType is the line by which rel-storage has a database of that kind.
var mysqlType = regexp.MustCompile(`(?m)^\s*type\s+mysql\s*$`)

func (v *view) untriedDatabase(say func(diag.Span, string, string)) {
	p, pinned := v.pin("relstorage")
	if pinned && major(p.version) < 4 || v.closure.python.Major == 2 {
		return
	}
	for _, c := range v.app.Clients {
		if mysqlType.MatchString(v.value(c.Name, "rel-storage")) {
			at := p.span
			if at.File == nil {
				at = v.at(c.Name, "rel-storage", "")
			}
			say(at, "RelStorage 4 does not work with MariaDB, which is what Debian and Ubuntu install as MySQL", "see that the database server is MySQL 8 or later, or pin RelStorage to 3")
			return
		}
	}
}

func (v *view) droppedLines(say func(diag.Span, string, string)) {
	for _, c := range v.app.Clients {
		for line := range strings.Lines(v.value(c.Name, "rel-storage")) {
			if len(strings.Fields(line)) != 1 {
				continue
			}
			at := v.at(c.Name, "rel-storage", strings.TrimSpace(line))
			if at.File == nil { // by a reference
				at = v.mentions(c.Name, strings.TrimSpace(line))
			}
			remedy := "write a name, a blank and a value"
			if key, _, equals := strings.Cut(strings.TrimSpace(line), "="); equals {
				remedy = "write " + key + ", a blank and the value, without the equals sign"
			}
			say(at, fmt.Sprintf("this line of rel-storage, in [%s], has one word: the recipe leaves it out", c.Name), remedy)
		}
	}
}

func (v *view) stuckWriters(say func(diag.Span, string, string)) {
	const name = "transaction-timeout"
	line := regexp.MustCompile(`(?mi)^\s*(` + name + `)\s`) // ZConfig takes capitals too
	for _, part := range v.made(serverRecipe) {
		for _, option := range slices.Sorted(maps.Keys(v.Effective[part])) {
			value := v.Effective[part][option]
			switch {
			case option == name:
				say(v.at(part, option, ""), fmt.Sprintf("%s of [%s] can leave all writers waiting", name, part), v.takeOut(part, option))
			case line.MatchString(value):
				var at diag.Span
				if !v.sets(part, option) {
					at = v.mentions(part, line.FindStringSubmatch(value)[1])
				}
				say(at, fmt.Sprintf("%s in %s of [%s] can leave all writers waiting", name, option, part), v.takeOut(part, option))
			}
		}
	}
}

// copies finds commands that pack or back up.
var copies = regexp.MustCompile(`pack|backup|repozo`)

// cronParts names what packs or backs up by cron where the app has no database: nothing is
// left out there but what a timer of plonec's does.
func (v *view) cronParts(say func(diag.Span, string, string)) {
	here := v.app.Zeo != nil || v.app.Pack
	timer := v.app.Zeo != nil && v.app.Host.Stack.PloneZeoserver.PackAt != ""
	var asked []string // by deploy.cfg
	for _, s := range v.main.cfg.Sections {
		for _, o := range s.Options {
			if s.Name == "buildout" && o.Name == "parts" && o.Op != "-=" {
				asked = append(asked, strings.Fields(o.Value)...)
			}
		}
	}
	for _, part := range v.made(cronRecipe) {
		switch command := v.value(part, "command"); {
		case !copies.MatchString(command) || slices.Contains(asked, part) || here && slices.Contains(v.app.Config.Parts.Keep, part):
		case timer && strings.Contains(command, "pack"):
			say(v.header(part), fmt.Sprintf("[%s] packs by cron, and a timer of plonec's packs too", part),
				"take it out of the base's parts, or plone_zeoserver.pack_at out of the stack")
		case here:
			say(v.header(part), fmt.Sprintf("[%s], which packs or backs up by cron, stays: nothing of plonec's does the same here", part),
				"name it in deploy."+v.app.Name+".parts.keep where that is meant, else take it out of the base's parts")
		default:
			say(v.header(part), fmt.Sprintf("[%s] packs or backs up by cron on each of these hosts, and the database is on another", part),
				"take it out of the base's parts: on the ZEO host deploy.cfg asks for it by deploy."+v.app.Name+".parts, or a timer packs by plone_zeoserver.pack_at")
		}
	}
}
