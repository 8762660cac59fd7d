// Package render turns a topology into the files of each host. It is pure: no
// clock, no randomness, no environment, no file system.
package render

import (
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// A File is one file of the tree.
type File struct {
	Path    string // absolute, on the host
	Mode    uint32 // 0644, 0755, …
	Owner   string // root:root, deploy:www-data
	Effects []string
	Content []byte
}

// A SecretFile is a file that apply alone makes, from secrets.
type SecretFile struct {
	Path    string
	Mode    uint32
	Owner   string
	Effects []string
	Format  string // raw, env or userlist
	Entries []SecretEntry
}

// A SecretEntry is one value of a SecretFile: Key is its variable or user, and
// empty in a raw file.
type SecretEntry struct {
	Key    string
	Source string // env:NAME, file:PATH, age:FILE#KEY, cmd:COMMAND, stack:POINTER
	File   string // in whose folder the Source's paths begin; empty: the first STACK
}

// entry is the entry of a secret.
func entry(key string, s schema.Secret) SecretEntry { return SecretEntry{key, s.Source, s.File} }

// An Artifact is one row of the table: which hosts have a file, where it goes,
// and the template in templates/ that writes it.
type Artifact struct {
	Template string // in templates/
	Mode     uint32 // 0644 unless said
	Owner    string // root:root unless said
	// Each gives the instances of the artifact on a host, none where it has none.
	Each func(h *topology.Host) []Instance
}

// An Instance is one file that an artifact makes on a host.
type Instance struct {
	Path    string
	Owner   string   // overrides the artifact's
	Effects []string // reload:UNIT, restart:UNIT, start:UNIT, stop:UNIT, deploy:APP: see IsEffect
	Data    any      // what the template sees as .
}

// effects are what a change of a file may do: a verb for a unit, or for an app.
var effects = []string{"reload", "restart", "start", "stop", "deploy"}

// IsEffect tells whether a text is an effect that plonec knows: one of its verbs,
// a colon, and the unit or the app.
func IsEffect(text string) bool {
	verb, what, _ := strings.Cut(text, ":")
	return what != "" && slices.Contains(effects, verb)
}
