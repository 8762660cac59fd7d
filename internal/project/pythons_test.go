package project

import (
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/topology"
)

// requires-python is judged as far as what is known of a Python tells.
func TestMayBe(t *testing.T) {
	thirteen := topology.Version{Major: 3, Minor: 13}
	for specifiers, want := range map[string]bool{
		">=3.13": true, ">=3.13.4": true, ">=3.14": false, ">3.12": true, ">=3.10,<3.13": false, ">=3.10, <3.14": true, "<3.13.2": true, "<3.13": false,
		"<=3.12": false, "<=3.13": true, "==3.13.*": true, "==3.12.*": false, "==3.13.1": true, "==3.*": true, "!=3.13.*": false, "!=3.13.1": true, "!=3.12.*": true,
		"~=3.12": true, "~=3.14": false, "~=3.12.1": false, "~=3.13.1": true, ">=2.7,<3": false, "<4": true, "": true, ">=4": false, "in 3.13": true,
	} {
		if got := mayBe(specifiers, python{thirteen, 0}); got != want {
			t.Errorf("%q: %v", specifiers, got)
		}
	}
	for specifiers, want := range map[string]bool{
		">=3.13": true, ">=3.13.5": true, ">=3.13.6": false, ">3.13.4": true, ">3.13.5": false, "<3.13.5": false, "<3.13.6": true, "<=3.13.4": false, "<=3.13.5": true,
		"==3.13.5": true, "==3.13.4": false, "==3.13.*": true, "!=3.13.5": false, "!=3.13.4": true, "!=3.13.*": false, "~=3.13.4": true, "~=3.13.6": false, "~=3.12": true, ">=3.14.1": false, ">=3.12.9,<3.14": true,
	} {
		if got := mayBe(specifiers, python{thirteen, 5}); got != want {
			t.Errorf("%q of 3.13.5: %v", specifiers, got)
		}
	}
}

// A release of a package is judged by the last step before it, and the message names what
// to pin in its place.
func TestRefuses(t *testing.T) {
	for _, test := range []struct {
		name, version  string
		python         python
		pythons, other string
	}{
		{"soupsieve", "3.0.2", python{debian12, 2}, ">=3.11.5", "below 3.0.2"},
		{"soupsieve", "3.0.2", python{debian12, 0}, "", ""},
		{"soupsieve", "3.0.10", python{debian12, 2}, ">=3.11.5", "below 3.0.2"},
		{"soupsieve", "3.0.1", python{debian12, 2}, "", ""},
		{"soupsieve", "3.0.2", python{topology.Version{Major: 3, Minor: 10}, 0}, ">=3.11.5", "below 3.0"},
		{"soupsieve", "3", python{topology.Version{Major: 3, Minor: 10}, 0}, ">=3.11", "below 3.0"},
		{"soupsieve", "0.3", python{topology.Version{Major: 2, Minor: 7}, 0}, "", ""},
		{"restrictedpython", "5.1", python{debian12, 2}, "<3.10", "to 6.0 or later"},
		{"restrictedpython", "99.0", python{topology.Version{Major: 3, Minor: 99}, 0}, "", ""},
		{"nobody-has-looked-it-up", "1.0", python{debian12, 2}, "", ""},
	} {
		if pythons, other := refuses(test.name, test.version, test.python); pythons != test.pythons || other != test.other {
			t.Errorf("%s %s on %s: %q, %q", test.name, test.version, test.python, pythons, other)
		}
	}
	for name, steps := range wanting() {
		if canonical(name) != name || len(steps) == 0 {
			t.Errorf("%s has %d steps", name, len(steps))
		}
		for i, s := range steps {
			if i > 0 && compareReleases(steps[i-1].from, s.from) >= 0 || !numbered.MatchString(s.from) || s.pythons == "" {
				t.Errorf("%s: %+v", name, s)
			}
		}
	}
}

// A setuptools without pkg_resources is refused where what is started imports that: real
// clients and ZEO servers, see docs/versions.md.
func TestRefusedSetuptools(t *testing.T) {
	for _, test := range []struct{ buildout, pins, want string }{
		{"5.2.0", "setuptools 84.2.1", "setuptools 84.2.1 has no pkg_resources, which zc.buildout 5.2.0 needs"},
		{"6.0.1", "setuptools 84.2.1", ""},
		{"6.0.1", "setuptools 84.2.1, plone 6.2.2, plone-recipe-zope2instance 9.1.0, zdaemon 5.2.1", ""},
		{"6.0.1", "setuptools 84.2.1, plone 6.2.2, plone-recipe-zope2instance 9.1.0, zdaemon 5.1", "setuptools 84.2.1 has no pkg_resources, which zdaemon 5.1 imports"},
		{"6.0.1", "setuptools 84.2.1, plone 6.1.5, plone-recipe-zope2instance 8.0.1", "setuptools 84.2.1 has no pkg_resources, which plone.recipe.zope2instance 8.0.1 imports"},
		{"6.0.1", "setuptools 84.2.1, plone 6.1.5, plone-recipe-zope2instance 9.1.0", ""},
		{"6.0.1", "setuptools 84.2.1, plone 6.1.5", "setuptools 84.2.1 has no pkg_resources, which the clients of Plone 6.1.5 import"},
		{"6.0.1", "setuptools 81.0.0, plone 6.1.5", ""},
		{"6.0.1", "setuptools 84.2.1, plone 6.2.2", ""},
	} {
		v := &view{read: &read{}, version: test.buildout, required: map[string]pin{}}
		for p := range strings.SplitSeq(test.pins, ", ") {
			name, version, _ := strings.Cut(p, " ")
			v.required[name] = pin{name, version, diag.Span{File: &diag.File{}}}
		}
		got := ""
		v.refusedSetuptools(func(_ diag.Span, message, _ string) { got += message })
		if got != test.want {
			t.Errorf("zc.buildout %s, %s: %q", test.buildout, test.pins, got)
		}
	}
}
