package project

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/words"
)

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
