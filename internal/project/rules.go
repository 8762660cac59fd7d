package project

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/topology"
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
	_, out := v.listed()
	made := v.parts()
	out = slices.DeleteFunc(out, func(part string) bool { return !slices.Contains(made, part) })
	if len(out) == 0 {
		return
	}
	say(v.at("buildout", "parts", out[0]), fmt.Sprintf("deploy.cfg leaves out %s, which buildout makes all the same: it takes whole lines out of parts", strings.Join(out, ", ")),
		"write each part on a line of its own")
}

// listed are the parts that deploy.cfg asks for, and those of the base's that it leaves out
// and does not ask for again.
func (v *view) listed() (asked, out []string) {
	for _, s := range v.main.cfg.Sections {
		for _, o := range s.Options {
			switch parts := strings.Fields(o.Value); {
			case s.Name != "buildout" || o.Name != "parts":
			case o.Op == "-=":
				out = append(out, parts...)
			default:
				asked = append(asked, parts...)
				out = slices.DeleteFunc(out, func(part string) bool { return slices.Contains(parts, part) })
			}
		}
	}
	return asked, out
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

// shown is a value as people know it.
func (v *view) shown(value string) string {
	return strings.ReplaceAll(value, folder, "${buildout:directory}")
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
	asked, _ := v.listed()
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
