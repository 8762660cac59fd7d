package builder

// A Frontend is the other half of a release, beside what its builder makes: the pages
// that visitors see, of the same commit.
type Frontend struct {
	Name   string // its script, among those of builders
	Dir    string // of a release, where its processes run
	Server string // what they run, within Dir
	Parts  []Part
}

// Volto is built by the project's own pnpm, from its lock and from the sources that
// mrs.developer.json names.
var Volto = &Frontend{
	Name:   "frontend",
	Dir:    ".volto",
	Server: "build/server.js",
	// What is made in the project's folder lies among the commit's files.
	Parts: []Part{{".volto", Kind, true}},
}

// Needs is what a release with the frontend has.
func (f *Frontend) Needs() string { return f.Dir + "/" + f.Server }
