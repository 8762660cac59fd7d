package builder

import (
	"strconv"
	"strings"
)

// buildout runs zc.buildout in a virtualenv of the release's own. Which parts a host
// has, and their addresses, are in its deploy.cfg.
var buildout = &Builder{
	Name:  "buildout",
	Title: "buildout",
	Inputs: []Input{
		{File: "deploy.cfg", Words: "deploy.cfg"},
		{File: "build.conf", Lines: "BUILD_", Words: "what the buildout is run with"},
	},
	Client:     Program{Path: "bin/{name}", Args: "console"},
	Zeo:        Program{Path: "parts/{name}/bin/runzeo"},
	Celery:     Program{Path: "bin/celery"},
	Supervisor: Program{Path: "bin/{name}d", Args: "-n"},
	ZeoControl: Program{Path: "bin/{name}"},
	ClientConf: Program{Path: "parts/{name}/etc/zope.conf"},
	ClientIni:  Program{Path: "parts/{name}/etc/wsgi.ini"},
	ZeoConf:    Program{Path: "parts/{name}/etc/zeo.conf"},
	Differs:    "take out what wins over deploy.cfg, or change the stack; which file says so: .venv/bin/buildout -c deploy.cfg annotate PART",
	Decides:    true,
	Helpers: []Helper{
		// A ZEO server's, or RelStorage's, whole or in its two stages. A part may make programs
		// of its own name, or say which.
		{"pack", []string{"bin/zeopack", "bin/{zodbpack}", "bin/{zodbpack-prepack} bin/{zodbpack-pack}", "bin/zodbpack", "bin/zodbpack-prepack bin/zodbpack-pack"}},
		{"backup", []string{"bin/{backup}", "bin/backup"}},
	},
	Missing: "add the part that makes it to deploy.APP.buildout_parts_to_include, and deploy",
	Parts: []Part{
		{"deploy.cfg", Host, false}, // unless deploy.APP.buildout_config calls it otherwise
		{"plonec-secret-*.cfg", Host, false},
		{".installed.cfg", Host, false},    // what the parts were made with
		{".mr.developer.cfg", Host, false}, // with what buildout was called
		{"parts", Host, true},              // addresses, ports, directories
		{"bin", Host, true},                // a program for each part
		{"develop-eggs", Kind, true},       // where in src a package lies
		{"src", Kind, true},                // packages from repositories of their own
		{".venv", Kind, true},              // its programs name its path
		{"eggs", Kind, false},              // what the virtualenv lacks; a link into shared, unless the stack says otherwise
		{"var", Host, false},               // data and logs; the same
		{"downloads", Making, false},
		{"extends", Making, false},
	},
}

// lacking are the releases of setuptools with which a zc.buildout does not start: up to
// which of its own, from which of setuptools on, and what that lacks. docs/versions.md has
// what real ones did.
var lacking = []struct {
	last          int // of the major versions of zc.buildout
	from, without string
}{
	{3, "80.3", "package_index"},
	{5, "82", "pkg_resources"},
}

// Setuptools is the first release of setuptools with which that zc.buildout does not start,
// and what it lacks; both are empty where any does, or nobody knows.
func Setuptools(buildout string) (from, without string) {
	first, _, _ := strings.Cut(buildout, ".")
	major, err := strconv.Atoi(first)
	for _, l := range lacking {
		if err == nil && major <= l.last {
			return l.from, l.without
		}
	}
	return "", ""
}
