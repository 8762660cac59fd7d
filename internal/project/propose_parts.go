package project

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/plonec/plonec/render"
	"github.com/plonec/plonec/schema"
)

// supervisorRecipe makes what starts processes, as systemd does on a host of plonec's.
var supervisorRecipe = regexp.MustCompile(`^collective\.recipe\.supervisor$`)

// parts says what the project calls the parts of a ZEO host, and which of the base's own are
// not for a host.
func (p *proposal) parts() {
	if p.servesZeo {
		p.upkeep()
	}
	var wanted, unwanted, kept []string
	by := map[string]string{} // why not
	for _, part := range p.v.parts() {
		switch why := p.unwanted(part); {
		case why != "":
			unwanted = append(unwanted, part)
			by[part] = why
		default:
			wanted = append(wanted, part)
		}
	}
	left, alone := render.NotOnHosts(p.clientPart), p.alone()
	inherits := true
	for _, part := range unwanted {
		inherits = inherits && slices.Contains(left, part) && slices.Contains(alone, part)
	}
	if inherits {
		why := "These make scripts, and are not the servers that have such names elsewhere."
		for _, part := range wanted {
			switch {
			case slices.Contains(left, part) && slices.Contains(alone, part):
				kept = append(kept, part)
			case cronRecipe.MatchString(p.v.recipe(part)) && copies.MatchString(p.text(part, "command")) && !slices.Contains(p.asked, part):
				kept, why = append(kept, part), "These stay: some pack or back up by cron, and nothing of plonec's does the same."
			}
		}
		if len(kept) > 0 {
			p.set(ofApp("parts.keep"), kept, why)
		}
		return
	}
	p.set(ofApp("buildout_inherit_parts"), false, "Of the base's parts those below are for a host.")
	include := []string{}
	for _, part := range wanted {
		if part != p.serverPart && !slices.Contains(p.asked, part) {
			include = append(include, part)
		}
	}
	if len(include) > 0 {
		p.set(ofApp("buildout_parts_to_include"), include, "")
	}
	var whys []string
	for _, part := range unwanted {
		whys = append(whys, part+" "+by[part])
	}
	p.decide(ofApp("buildout_inherit_parts"), "of the base's parts these are left out: "+strings.Join(whys, "; "), "see that no other is missing in deploy."+siteName+".buildout_parts_to_include")
	for _, part := range unwanted {
		if programs := p.text(part, "programs"); supervisorRecipe.MatchString(p.v.recipe(part)) && programs != "" {
			p.decide(ofApp("buildout_init_commands"), fmt.Sprintf("[%s] starts these: %s", part, p.v.shown(strings.Join(strings.Fields(programs), " "))),
				"clients and the ZEO server have units already; give a command for what else is needed")
		}
	}
}

// upkeep are the parts that pack and back up.
func (p *proposal) upkeep() {
	backup, pack := "backup", "packcronjob"
	if p.v.recipe(backup) == "" {
		backup = p.madeOr(regexp.MustCompile(`^collective\.recipe\.backup$`), nil)
		p.set(ofApp("parts.backup"), backup, "")
	}
	if part := p.madeOr(cronRecipe, regexp.MustCompile(`backup|repozo`)); part != "" {
		p.set("plone_zeoserver.enable_backup", true, fmt.Sprintf("[%s] backs up by cron.", part))
		if part != "backupcronjob" {
			p.set(ofApp("parts.backupcronjob"), part, "")
		}
		p.asked = append(p.asked, part)
	}
	if p.v.recipe(pack) == "" {
		pack = p.madeOr(cronRecipe, regexp.MustCompile(`pack`))
		p.set(ofApp("parts.packcronjob"), pack, "")
	}
	p.asked = append(p.asked, backup, pack)
	if pack == "" {
		p.decide("plone_zeoserver.pack_at", "nothing in the project packs the database, which then only grows", `write when a timer does, in UTC, such as "pack_at": "Sun 03:00"`)
	}
}

// madeOr is a part with a recipe, and with a command where one is asked for: one that the
// base makes before one that it does not; empty: there is none.
func (p *proposal) madeOr(recipe, command *regexp.Regexp) string {
	parts := p.v.made(recipe)
	for _, s := range p.v.closure.sources {
		for _, section := range s.cfg.Sections {
			if recipe.MatchString(p.v.recipe(section.Name)) {
				parts = append(parts, section.Name)
			}
		}
	}
	for _, part := range parts {
		if partName.MatchString(part) && (command == nil || command.MatchString(p.text(part, "command"))) {
			return part
		}
	}
	return ""
}

// partName is what deploy.<app>.parts takes for one.
var partName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// unwanted says why a part of the base is not for a host; empty: it is.
func (p *proposal) unwanted(part string) string {
	recipe := p.v.recipe(part)
	switch {
	case recipe == "" && p.v.Errors[part] == nil && !p.v.partial:
		return "has no recipe"
	case part == p.clientPart || slices.Contains(p.twins, part):
		return "is one of the clients"
	case supervisorRecipe.MatchString(recipe):
		return "is systemd's work"
	case strings.HasPrefix(recipe, "zc.recipe.egg"): // scripts
		return ""
	}
	for _, e := range render.DoneElsewhere {
		if slices.Contains(e.Names, part) {
			return e.Why
		}
	}
	if zopeRecipe.MatchString(recipe) && !p.follows(part) {
		return "would connect to another ZEO server than the clients"
	}
	return ""
}

// follows tells whether a part that is a client of a ZEO server learns where that is from
// what deploy.cfg writes.
func (p *proposal) follows(part string) bool {
	holder := p.v.holder(part, "zeo-address")
	if holder == "" || !isOn(p.text(part, "zeo-client")) || holder == "client1" && p.clientPart == "client1" {
		return true
	}
	return p.zeoOption != "" && strings.TrimSpace(p.v.Own[holder]["zeo-address"].Value) == "${"+p.zeoOption+"}"
}

// alone are the base's parts that have a line of their own: buildout compares whole lines
// for -=.
func (p *proposal) alone() []string {
	var names []string
	for line := range strings.Lines(p.v.Own["buildout"]["parts"].Value) {
		if words := strings.Fields(line); len(words) == 1 {
			names = append(names, words[0])
		}
	}
	return names
}

// beside are options of [buildout] that a project may have beside its checkout, and the
// link into shared that a release has for each.
var beside = []struct{ option, link string }{{"eggs-directory", "eggs"}, {"download-cache", "downloads"}}

// keptIn are options of parts that say where data are.
var keptIn = []string{"blob-storage", "file-storage", "location", "snapshotlocation", "ziplocation", "blobbackuplocation", "blobsnapshotlocation", "blobziplocation", "zeo-var", "var"}

// directories says what lies beside a checkout, and what a new release has to find again.
func (p *proposal) directories() {
	cfg := ""
	for _, b := range beside {
		value := p.v.Own["buildout"][b.option].Value
		if place, out := outside(strings.TrimPrefix(p.v.known("buildout", b.option), folder+"/")); value != "" && (out || path.IsAbs(place)) {
			cfg += b.option + " = ${buildout:directory}/" + b.link + "\n"
		}
	}
	if cfg != "" && p.addition != "" {
		cfg += "\n"
	}
	p.addition = cfg + p.addition
	links := map[string]string{}
	for _, part := range append(p.v.parts(), p.serverPart, p.clientPart) {
		for _, name := range keptIn {
			place, in := strings.CutPrefix(path.Clean(p.text(part, name)), folder+"/")
			first, _, _ := strings.Cut(place, "/")
			if in && relDir.MatchString(first) && !slices.Contains([]string{"var", "eggs", "downloads", "extends", "parts", "bin", "src", "develop-eggs"}, first) {
				links[first] = first
			}
		}
	}
	if len(links) > 0 {
		p.set(ofApp("symlink_before_migrate"), links, "The project has data there: each release is a new directory, and these are links into shared.")
		p.decide(ofApp("symlink_before_migrate"), "the project has data in "+strings.Join(slices.Sorted(maps.Keys(links)), ", ")+", which become links into shared", "copy what is there today into shared before the first deploy")
	}
	if _, err := p.v.closure.load(schema.Lookup("deploy.<app>.buildout_config").Default.Text); err == nil {
		p.set(ofApp("buildout_config"), "plonec.cfg", "The project has a deploy.cfg of its own.")
	}
}

var relDir = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
