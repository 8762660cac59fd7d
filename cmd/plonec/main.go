// Plonec compiles the description of a Plone stack into the plain files that
// each of its hosts needs.
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
