package render

import (
	"testing"

	"github.com/plonec/plonec/internal/topology"
)

// A release gets a setuptools with which both its zc.buildout and its clients start.
func TestSetuptools(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ plone, buildout, want string }{
		{"6.2", "5.2.0", "setuptools<82"},
		{"6.2", "6.0.1", "setuptools"},
		{"6.1", "6.0.1", "setuptools<82"},
		{"5.2", "3.0.1", "setuptools<80.3"},
	} {
		plone, _ := topology.PloneOf(test.plone)
		if got := (buildConf{App: &topology.App{Plone: plone}, Buildout: test.buildout}).Setuptools(); got != test.want {
			t.Errorf("Plone %s, zc.buildout %s: %s", test.plone, test.buildout, got)
		}
	}
}
