package project

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/diag"
)

// A view is what buildout makes of a project and the deploy.cfg of a group.
type view struct {
	*group
	*read
	version  string             // of zc.buildout
	files    map[string]*source // by what the reader calls them; deploy.cfg is not among them
	held     map[string]pin     // see held
	required map[string]pin
	texts    map[[2]string]string // what known found, by section and option
	room     int                  // bytes that it may still put together
}

// folder is where the reader has a release.
const folder = "/tmp/plonec-release"

func newView(g *group, r *read, version string) *view {
	v := &view{group: g, read: r, version: version, files: map[string]*source{}, held: held(r), required: g.closure.required(), texts: map[[2]string]string{}, room: maxKnown}
	for _, s := range g.closure.sources {
		v.files[s.flat] = s
	}
	return v
}

// value is what an option comes to, references put in; empty where there is none.
func (v *view) value(section, name string) string { return v.Effective[section][name] }

// parts are those that buildout makes, as far as they are known.
func (v *view) parts() []string {
	var parts []string
	for _, p := range strings.Fields(v.value("buildout", "parts")) {
		if !slices.Contains(parts, p) {
			parts = append(parts, p)
		}
	}
	return parts
}

// recipe is that of a section, without the entry point behind a colon.
func (v *view) recipe(section string) string {
	recipe := v.value(section, "recipe")
	if recipe == "" {
		recipe = v.Own[section]["recipe"].Value
	}
	recipe, _, _ = strings.Cut(recipe, ":")
	return strings.TrimSpace(recipe)
}

// made are the parts whose recipe a pattern matches.
func (v *view) made(recipe *regexp.Regexp) []string {
	var parts []string
	for _, p := range v.parts() {
		if recipe.MatchString(v.recipe(p)) {
			parts = append(parts, p)
		}
	}
	return parts
}

// macros are the sections that a section takes options from, in their order.
func (v *view) macros(section string) []string {
	var names []string
	for line := range strings.Lines(v.Own[section]["<"].Value) {
		if line = strings.TrimSpace(line); line != "" {
			names = append(names, line)
		}
	}
	return names
}

// holder is the section in which an option stands that a section has: its own, or the
// last of its macros'. Empty: none.
func (v *view) holder(section, name string) string {
	return v.holderIn(section, name, map[string]bool{})
}

func (v *view) holderIn(section, name string, seen map[string]bool) string {
	if _, ok := v.Own[section][name]; ok {
		return section
	}
	if seen[section] {
		return "" // a circle of macros, of which buildout says so itself, or one that is named again
	}
	seen[section] = true
	for _, macro := range slices.Backward(v.macros(section)) {
		if h := v.holderIn(macro, name, seen); h != "" {
			return h
		}
	}
	return ""
}

// maxKnown is how many bytes known reads and puts in for a whole project: far more than
// any has of what is asked.
const maxKnown = 1 << 20

var toOption = regexp.MustCompile(`\$\{([^:{}]*):([^{}]+)\}`)

// known is what an option comes to as far as that is known, of a section that buildout
// cannot read too. A reference to nothing is left as it is, and one that leads back to the
// option is empty; so is every option that is asked for once maxKnown is used up.
func (v *view) known(section, name string) string {
	at := [2]string{section, name}
	if text, found := v.texts[at]; found {
		return text
	}
	v.texts[at] = "" // for a reference that leads back here
	own := v.Own[v.holder(section, name)][name].Value
	if v.room -= len(own); v.room < 0 {
		return ""
	}
	text := toOption.ReplaceAllStringFunc(own, func(reference string) string {
		m := toOption.FindStringSubmatch(reference)
		of, text := cmp.Or(m[1], section), reference
		if v.holder(of, m[2]) != "" {
			text = v.known(of, m[2])
		} else if of == "buildout" && m[2] == "directory" {
			text = folder
		}
		if v.room -= len(text); v.room < 0 {
			return ""
		}
		return text
	})
	if v.room < 0 {
		return "" // half of it would be another value
	}
	v.texts[at] = text
	return text
}

// at is the line of the project that gave an option its value, or part of it: that with
// the text, where one is given. It has no place where the line is not the project's.
func (v *view) at(section, name, text string) diag.Span {
	section = v.holder(section, name)
	for _, h := range slices.Backward(v.Own[section][name].History) {
		s := v.files[h.File]
		if s == nil || text != "" && wordIn(h.Value, text) < 0 {
			continue
		}
		if o, ok := optionOf(s.cfg, section, name); ok {
			if text != "" {
				return wordSpan(s.file, o, text)
			}
			return lineSpan(s.file, o.Line)
		}
	}
	return diag.Span{}
}

// optionOf is the last option of that name.
func optionOf(cfg *builder.CfgFile, section, name string) (o builder.CfgOption, ok bool) {
	for _, s := range cfg.Sections {
		if s.Name != section {
			continue
		}
		for _, other := range s.Options {
			if other.Name == name {
				o, ok = other, true
			}
		}
	}
	return o, ok
}

// header is the place of a section's first header in the project.
func (v *view) header(section string) diag.Span {
	for _, s := range v.closure.sources {
		for _, h := range s.cfg.Sections {
			if h.Name == section {
				return lineSpan(s.file, h.Line)
			}
		}
	}
	return diag.Span{}
}

// sets tells whether deploy.cfg itself sets an option of a section.
func (v *view) sets(section, name string) bool {
	_, ok := optionOf(v.main.cfg, section, name)
	return ok
}

// pin is the version of a package that buildout is held to: by its versions, else by the
// project's requirements.txt.
func (v *view) pin(names ...string) (pin, bool) {
	for _, pins := range []map[string]pin{v.held, v.required} {
		for _, name := range names {
			if p, ok := pins[name]; ok {
				return v.placed(p), true
			}
		}
	}
	return pin{}, false
}

// held are the pins of buildout's versions, by canonical name.
func held(r *read) map[string]pin {
	pins := map[string]pin{}
	section := r.Own[r.Own["buildout"]["versions"].Value]
	for _, name := range slices.Sorted(maps.Keys(section)) {
		if _, known := pins[canonical(name)]; !known && numbered.MatchString(section[name].Value) {
			pins[canonical(name)] = pin{name: name, version: section[name].Value}
		}
	}
	return pins
}

// placed is a pin with its place.
func (v *view) placed(p pin) pin {
	if p.span.File == nil {
		p.span = v.at(v.Own["buildout"]["versions"].Value, p.name, "")
	}
	return p
}
