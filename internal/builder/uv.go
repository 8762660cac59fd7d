package builder

// uv installs what a project's uv.lock has into a virtualenv of the release's own. A
// project has no configuration of Zope and ZEO: the builder lays out plonec's, at the
// paths at which buildout's recipes have theirs.
var uv = &Builder{
	Name:  "uv",
	Title: "uv build",
	Inputs: []Input{
		{File: "zope.conf", Words: "zope.conf"},
		{File: "wsgi.ini", Words: "wsgi.ini"},
		{File: "zeo.conf", Words: "zeo.conf"},
		{File: "zodbpack.conf", Words: "zodbpack.conf"},
		{File: "build.conf", Lines: "BUILD_", Words: "what uv is run with"},
	},
	Client: Program{Path: "bin/{name}", Args: "console"},
	Zeo:    Program{Path: "parts/zeoserver/bin/runzeo"},
	Celery: Program{Path: ".venv/bin/celery"},

	ClientConf: Program{Path: "parts/{name}/etc/zope.conf"},
	ClientIni:  Program{Path: "parts/{name}/etc/wsgi.ini"},
	ZeoConf:    Program{Path: "parts/zeoserver/etc/zeo.conf"},
	Differs:    "take out what the project's instance.yaml says beside the stack, or change the stack",

	Helpers: []Helper{
		{"pack", []string{"bin/zeopack", "bin/zodbpack", "bin/zodbpack-prepack bin/zodbpack-pack"}},
		{"backup", []string{"bin/backup"}},
	},
	Sources: true,
	Missing: "see which packages the project lacks in the log of its last deploy",
	Parts: []Part{
		{"parts", Host, true},                     // addresses, ports, directories
		{"bin", Host, true},                       // a program for each process, pack and backup
		{".venv", Kind, true},                     // its programs name its path
		{"requirements-mxdev.txt", Making, false}, // of mx.ini
		{"constraints-mxdev.txt", Making, false},
		{"var", Host, false}, // data and logs; a link into shared, unless the stack says otherwise
	},
}
