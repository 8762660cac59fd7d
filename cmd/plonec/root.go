package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/tree"
)

// release is the version of plonec: what the manifest of a tree records.
const release = "0.1.0"

// Exit statuses of every command.
const (
	exitDone   = 0
	exitError  = 1
	exitLocked = 3
)

// errReported ends a command whose diagnostics have been printed.
var errReported = errors.New("reported")

// run is the whole command line: it returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:   "plonec",
		Short: "compile the description of a Plone stack into the files of its hosts",
		Long: `plonec compiles the description of a Plone stack (JSON, Jsonnet or CUE) into
the plain files that each host needs: deploy.cfg, HAProxy, nginx and Varnish
configurations, systemd units and deploy scripts. They are committed and
reviewed like code.

STACK is one or more files, merged left to right; with none, those that the
tree was built from, else stack.cue, stack.jsonnet or stack.json in this folder.`,
		Example: `  plonec build examples/zeo/stack.json -o build
  git add build && git diff --staged`,
		Version:       release,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(buildCommand(), checkCommand(), explainCommand())
	err := root.Execute()
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errReported):
		return exitError
	case errors.Is(err, tree.ErrLocked):
		fmt.Fprintf(stderr, "plonec: %v; try again when it is done\n", err)
		return exitLocked
	}
	fmt.Fprintf(stderr, "plonec: %v\n", err)
	return exitError
}
