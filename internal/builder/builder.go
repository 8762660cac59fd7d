// Package builder says how a release of an app comes about: a row for each way. What
// depends on the way asks the row, here and on the hosts, which get theirs as
// builders/NAME.conf, beside the script that makes a release, templates/builders/NAME.sh.
package builder

import (
	"path"
	"slices"
	"strings"
)

// A Builder makes releases from the commits of a repository.
type Builder struct {
	Name  string // as build.conf and the manifest have it, and its script
	Title string // in messages: "the buildout made no bin/client1"

	// Inputs are what a release is made of beside the commit and secrets: another
	// text of one makes another release. The first is the builder's own.
	Inputs []Input

	// What units run; empty: a release has none.
	Client     Program // of each client, by its name
	Zeo        Program // by its part's name
	Celery     Program
	Supervisor Program // over all processes of an app, by its part's name
	// ZeoControl is the program by which a stack may start the ZEO server as one more
	// command of an app. The part that makes it is of the same name, which
	// deploy.<app>.parts.zeoserver says.
	ZeoControl Program

	// What the clients and the ZEO server read, within the release: it is held against the
	// stack before a release is switched to. Empty: nothing is.
	ClientConf Program // zope.conf
	ClientIni  Program // wsgi.ini, of those that have one
	ZeoConf    Program // zeo.conf
	Differs    string  // what to do where it is not what the stack says
	// Decides tells that the project says itself what the stack leaves open, such as
	// where the database is.
	Decides bool

	// Sources tells that a project may name branches of other repositories: a deploy has
	// one host say where these lead, and all build that.
	Sources bool

	Helpers []Helper
	Missing string // what to do where a release has no program of a helper

	// Parts are what is made in a release. All else is the commit's, and the same
	// everywhere.
	Parts []Part
}

// An Input is a file of an app's in /etc/plonec/APP.
type Input struct {
	File  string
	Lines string // how those begin that count; empty: all of it
	Words string // what changes with it
}

// A Program is one of a release.
type Program struct {
	Path string // within the release, {name} in the place of a name
	Args string // as a unit's words
}

// For is the path of the program of that name.
func (p Program) For(name string) string { return strings.ReplaceAll(p.Path, "{name}", name) }

// A Helper is what plonec run NAME runs: the first of Programs that the release
// has. One of several programs runs them one after the other. {KEY} is what
// deploy.<app>.parts calls KEY; of a part that is left out there is none.
type Helper struct {
	Name     string
	Programs []string
}

// A Part is a file or folder that a release has from its builder.
type Part struct {
	Path  string // within the release; a pattern of path.Match
	Whose Whose
	// Apart: releases never share it, whatever the stack says, or the making of a new
	// one would change what the current one runs.
	Apart bool
}

// Whose says whom a part of a release is for.
type Whose string

const (
	// Host is what one host needs: its addresses, its processes, values of secrets.
	Host Whose = "host"
	// Kind is the same on all hosts of one system, machine type and Python, as long as
	// it lies at the same path: it could be made on one and travel to the others.
	// Compiled modules (*.pyc) hold the time of their source, and go with it.
	Kind Whose = "kind"
	// Making is what only the making of a release reads.
	Making Whose = "making"
)

var builders = []*Builder{buildout, uv}

// All are the builders. The first is that of a stack that asks for none.
func All() []*Builder { return builders }

// Default is the first of them.
func Default() *Builder { return builders[0] }

// Named finds a builder; without a name the default one. ok is false for one that
// is not known.
func Named(name string) (b *Builder, ok bool) {
	if name == "" {
		return Default(), true
	}
	i := slices.IndexFunc(builders, func(b *Builder) bool { return b.Name == name })
	if i < 0 {
		return nil, false
	}
	return builders[i], true
}

// Reads tells whether a file is one of the inputs.
func (b *Builder) Reads(file string) bool {
	return slices.ContainsFunc(b.Inputs, func(in Input) bool { return in.File == file })
}

// Files are the inputs' names.
func (b *Builder) Files() []string {
	var names []string
	for _, in := range b.Inputs {
		names = append(names, in.File)
	}
	return names
}

// Config is the builder's own input.
func (b *Builder) Config() string { return b.Inputs[0].File }

// Changed says that an input changed, though nobody knows which.
func (b *Builder) Changed() string {
	var all []string
	for _, in := range b.Inputs {
		all = append(all, in.Words)
	}
	last := len(all) - 1
	if last == 0 {
		return all[0] + " changed"
	}
	return strings.Join(all[:last], ", ") + ", or " + all[last] + ", changed"
}

// Part finds the part to which a path within a release belongs. ok is false for
// what the commit has.
func (b *Builder) Part(name string) (p Part, ok bool) {
	first, _, _ := strings.Cut(name, "/")
	parts := slices.Concat(b.Parts, Volto.Parts)
	i := slices.IndexFunc(parts, func(p Part) bool {
		is, _ := path.Match(p.Path, first)
		return is
	})
	if i < 0 {
		return Part{}, false
	}
	return parts[i], true
}

// Makes tells whether a path within a release is of one of its parts.
func (b *Builder) Makes(name string) bool {
	_, made := b.Part(name)
	return made
}

// Apart tells whether releases never share what lies at a path within them.
func (b *Builder) Apart(name string) bool {
	p, _ := b.Part(name)
	return p.Apart
}

// OfShell tells whether a shell reads a file of an app's in /etc/plonec/APP that ends in
// .conf or .env: not what some builder reads whole.
func OfShell(file string) bool {
	return !slices.ContainsFunc(builders, func(b *Builder) bool {
		return slices.ContainsFunc(b.Inputs, func(in Input) bool { return in.File == file && in.Lines == "" })
	})
}
