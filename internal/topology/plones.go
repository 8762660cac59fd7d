package topology

import "slices"

// A Plone is a version of Plone, as plonec.plone_version has it.
type Plone struct {
	Version  string
	Pythons  []string // it is released for, in their order: 2.7 under ZServer, others under waitress
	Buildout string   // the zc.buildout for a repository that asks for none
	// Setuptools is the first one with which its clients do not start, since their recipe
	// imports pkg_resources; empty: any will do.
	Setuptools string
}

var plones = []Plone{
	{"4.3", []string{"2.7"}, "2.13.3", "82"},
	{"5.0", []string{"2.7"}, "2.13.3", "82"},
	{"5.1", []string{"2.7"}, "2.13.3", "82"},
	{"5.2", []string{"2.7", "3.6", "3.7", "3.8"}, "3.0.1", "82"},
	{"6.0", []string{"3.8", "3.9", "3.10", "3.11", "3.12", "3.13"}, "5.2.0", "82"},
	{"6.1", []string{"3.10", "3.11", "3.12", "3.13"}, "5.2.0", "82"},
	{"6.2", []string{"3.10", "3.11", "3.12", "3.13", "3.14"}, "5.2.0", ""},
}

// on is the Python that an app gets for this Plone: its own, where it asks for one, else
// 2.7, where there is no other, else the host's. Empty: nobody knows.
func (p Plone) on(own string, s System) string {
	switch {
	case own != "":
		return own
	case !p.python3():
		return "2.7"
	case s.ID != "":
		return s.Python.String()
	}
	return ""
}

// Python is that of an app's releases, such as 3.11; empty: nobody knows.
func (a *App) Python() string { return a.Plone.on(a.Config.PythonMajorVersion, a.Host.System) }

// python3 tells whether a Plone runs on any Python 3. One that is not known does.
func (p Plone) python3() bool { return len(p.Pythons) == 0 || p.newest() != "2.7" }

// newest is the last Python that a Plone is released for.
func (p Plone) newest() string { return p.Pythons[len(p.Pythons)-1] }

// Plones are all versions of Plone that files are written for, in their order.
func Plones() []Plone { return plones }

// PloneOf finds a version of Plone. ok is false for one that is not known.
func PloneOf(version string) (p Plone, ok bool) {
	i := slices.IndexFunc(plones, func(p Plone) bool { return p.Version == version })
	if i < 0 {
		return Plone{}, false
	}
	return plones[i], true
}
