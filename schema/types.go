package schema

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Secret is a value that never enters the tree. Exactly one of Ref and
// Plain is set, or neither.
type Secret struct {
	Ref    string // env:NAME, file:PATH, age:FILE#KEY or cmd:COMMAND
	Plain  string // the value as the stack gives it; never rendered, never printed
	Source string // what the manifest records: Ref, or stack:POINTER for a plain one
	File   string // that says a Ref whose paths begin in its folder, as it was named; empty: not known
}

// IsSet tells whether the stack gives the secret.
func (s Secret) IsSet() bool { return s.Ref != "" || s.Plain != "" }

// Seconds is a duration whose bare number in a stack counts seconds; a text
// may carry a unit (us, ms, s, m, h, d).
type Seconds time.Duration

// Millis is a duration whose bare number in a stack counts milliseconds, as
// HAProxy's own settings do; a text may carry a unit.
type Millis time.Duration

// A Package is one entry of os_packages or packages; Version is empty for any.
type Package struct{ Name, Version string }

// Packages decodes from a list of names or from a map of name to version,
// sorted by name in the second case.
type Packages []Package

// An EnvValue is a value of an app's environment: a text or a secret.
type EnvValue struct {
	Text   string
	Secret Secret
}

// A Certificate is one or several in PEM form: the text, or a secret in its place.
type Certificate struct {
	Text   string
	Secret Secret
}

// IsSet tells whether there is one.
func (c Certificate) IsSet() bool { return c.Secret.IsSet() || strings.TrimSpace(c.Text) != "" }

// Pasted is configuration of the stack's own, in pieces that follow each other.
type Pasted []Piece

// A Piece of a Pasted is a text, or a secret in its place.
type Piece struct {
	Text   string
	Secret Secret
}

// IsSet tells whether there is anything but blanks in it.
func (p Pasted) IsSet() bool {
	return slices.ContainsFunc(p, func(piece Piece) bool { return piece.Secret.IsSet() || strings.TrimSpace(piece.Text) != "" })
}

// maxBytes is what Bytes gives for all that is larger, 512 TiB: every daemon takes it.
const maxBytes = 1 << 49

// Bytes gives a size as #Size has it, such as 128m, in bytes.
func Bytes(size string) int64 {
	digits := strings.TrimRight(size, "kKmMgG")
	unit := map[string]int64{"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[strings.ToLower(size[len(digits):])]
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > maxBytes/unit {
		return maxBytes
	}
	return n * unit
}
