// Plonec compiles the description of a Plone stack into the plain files that
// each of its hosts needs. verbs.go is the table of its commands; each is in the file of
// its name, those that do one thing to an app or host in app_verbs.go.
package main

import (
	"os"

	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/native"
)

func main() {
	input.RunChild()  // evaluates Jsonnet and CUE where this process was started for that
	native.RunChild() // asks the daemons where it was started for that
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}
