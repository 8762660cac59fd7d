// Package draft is a stack as plonec init writes one: the text, and the report of what
// was made of what, and what is left to decide.
//
// It is pure: texts go in, texts come out. No value of a secret is in the stack or the
// report.
package draft

import (
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// Names of what is written.
const (
	StackFile  = "stack.cue"
	SecretsDir = "secrets"
)

// A Draft is a stack that somebody has yet to look at.
type Draft struct {
	Title     string // of the report
	By        string // the command that wrote it
	OnSecrets string // what else there is to say of secrets

	Stack   []byte   // the text of StackFile
	Secrets []Secret // in the order in which the stack refers to them
	Report  Report
	// Left is what plonec check says against the stack as an error: what no
	// rule could mend. Usually it is empty.
	Left diag.List
}

// A Secret is a value that the stack refers to as file:secrets/NAME.
type Secret struct {
	Name     string // of its file in SecretsDir
	Path     string // the attribute
	Value    string
	Withheld bool // there is no value: somebody has to write it
}

// A Finding is one line of a report. Path is the attribute, or what is spoken of.
type Finding struct {
	Path, Text, Remedy string
}

// A Report says what became of what was read. No text in it is a secret, or
// the value of an attribute that plonec does not know.
type Report struct {
	Sources             []string // the files, and what each is
	Hosts, Layers, Apps int
	Attributes          int // those of the groups after hosts, layers and apps
	Decide              []Finding
	Changed             []Finding
	Dropped             []Finding
}

// Count counts what a stack has.
func (r *Report) Count(stack *input.Node) {
	number := func(name string) int {
		if n := stack.Get(name); n != nil {
			return len(n.Fields)
		}
		return 0
	}
	r.Hosts, r.Layers, r.Apps = number("instances"), number("layers"), number("deploy")
	for _, f := range stack.Fields {
		if isGroup(f.Key) {
			r.Attributes += leaves(f.Value)
		}
	}
}

// leaves counts what is below a value and no map: a list, and what is in it.
func leaves(n *input.Node) int {
	count := 0
	for _, f := range n.Fields {
		if f.Value.Kind != input.Map {
			count++
		}
		count += leaves(f.Value)
	}
	for _, item := range n.Items {
		if item.Kind != input.Map {
			count++
		}
		count += leaves(item)
	}
	return count
}

// Key is a path as the key of a map; entries of lists are Steps.
func Key(path []string) string { return strings.Join(path, "\x00") }

// Step is an entry of a list in a path.
func Step(i int) string { return "[" + strconv.Itoa(i) + "]" }

// Empty tells whether a value says nothing: null, or a map of nothing.
func Empty(n *input.Node) bool {
	return n == nil || n.Kind == input.Null || n.Kind == input.Map && len(n.Fields) == 0
}
