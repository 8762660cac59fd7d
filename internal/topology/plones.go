package topology

import "slices"

// A Plone is a version of Plone, as plonec.plone_version has it.
type Plone struct {
	Version  string
	Python2  bool   // it runs on Python 2.7, under ZServer
	Python3  bool   // it runs on Python 3, under waitress
	Buildout string // the zc.buildout for a repository that asks for none
}

var plones = []Plone{
	{Version: "4.3", Python2: true, Buildout: "2.13.3"},
	{Version: "5.0", Python2: true, Buildout: "2.13.3"},
	{Version: "5.1", Python2: true, Buildout: "2.13.3"},
	{Version: "5.2", Python2: true, Python3: true, Buildout: "3.0.1"},
	{Version: "6.0", Python3: true, Buildout: "5.2.0"},
	{Version: "6.1", Python3: true, Buildout: "5.2.0"},
	{Version: "6.2", Python3: true, Buildout: "5.2.0"},
}

// Plones are all versions of Plone that files are written for, in their order.
func Plones() []Plone { return plones }

// ploneOf finds a version of Plone. ok is false for one that is not known.
func ploneOf(version string) (p Plone, ok bool) {
	i := slices.IndexFunc(plones, func(p Plone) bool { return p.Version == version })
	if i < 0 {
		return Plone{}, false
	}
	return plones[i], true
}
