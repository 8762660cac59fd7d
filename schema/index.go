package schema

import (
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// A packageVariable is a variable by which pip or uv alone is told where packages come
// from. The rule is theirs: uv reads no PIP_ variable and no pip.conf, pip reads no UV_ one.
type packageVariable struct {
	name string
	// beside are the other program's: with one of them both are told. None: no program
	// knows the variable at all.
	beside []string
	index  string // the attribute of index that tells both
}

var packageVariables = []packageVariable{
	{"PIP_INDEX_URL", []string{"UV_DEFAULT_INDEX", "UV_INDEX_URL"}, "url"},
	{"UV_DEFAULT_INDEX", []string{"PIP_INDEX_URL"}, "url"},
	{"UV_INDEX_URL", []string{"PIP_INDEX_URL"}, "url"},
	{"PIP_FIND_LINKS", []string{"UV_FIND_LINKS"}, "find_links"},
	{"UV_FIND_LINKS", []string{"PIP_FIND_LINKS"}, "find_links"},
	{"PIP_NO_INDEX", []string{"UV_OFFLINE"}, "offline"},
	{"UV_NO_INDEX", nil, "offline"},
}

// packageVariablesOf warns of variables of an app's environment that tell pip or uv alone where
// packages come from, and of those in whose place index speaks.
func packageVariablesOf(app *input.Node, path string, list *diag.List) {
	for _, key := range []string{"environment", "environment_variables"} {
		given := app.Get(key)
		for _, v := range packageVariables {
			n := given.Field(v.name)
			if n == nil {
				continue
			}
			message := "uv does not read it, and fills the virtualenv"
			switch {
			case v.beside == nil:
				message = "no program knows it"
			case app.Lookup("index", v.index) != nil:
				message = "index." + v.index + " speaks in its place"
			case slices.ContainsFunc(v.beside, func(other string) bool { return given.Field(other) != nil }):
				continue
			case strings.HasPrefix(v.name, "UV_"):
				message = "pip does not read it, and buildout runs pip"
			}
			list.Add(diag.Diagnostic{Code: "package-variable", Span: n.Span, Path: diag.JoinKey(path+"."+key, v.name),
				Message: message, Remedy: "set " + path + ".index." + v.index + " in its place"})
		}
	}
}
