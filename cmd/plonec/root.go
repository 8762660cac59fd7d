package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/tree"
)

// release is the version of plonec: what the manifest of a tree records.
const release = "0.6.0"

// releasesURL is where releases lie: that of a number in a folder v and the number, with
// its archives and SHA256SUMS, as testdata/release makes them. The variable PLONEC_URL
// names another place, in the README's commands and in the files of init.
const releasesURL = "https://github.com/plonec/plonec/releases/download"

// Exit statuses of every command.
const (
	exitDone        = 0
	exitError       = 1
	exitChanges     = 2 // with --exit-code: there is something to do
	exitLocked      = 3
	exitReverted    = 4 // a host was reverted
	exitSplit       = 5 // hosts are left on different releases
	exitUnknown     = 6 // a host's state is not known, or its way back failed
	exitInterrupted = 130
)

// A status is an error with an exit status of its own.
type status struct {
	code int
	text string // empty: nothing to say
}

func (s *status) Error() string { return s.text }

// errReported ends a command whose diagnostics have been printed.
var errReported = errors.New("reported")

// run is the whole command line: it returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	root := rootCommand()
	setUsage(root, args)
	root.SetArgs(args)
	out := &output{Writer: stdout}
	root.SetOut(out)
	root.SetErr(stderr)
	code, text := ending(root.Execute())
	if text != "" {
		fmt.Fprintf(stderr, "plonec: %s\n", terminal.PrintableLines(text))
	}
	return out.cutShort(code, stderr)
}

// rootCommand is plonec with all its commands.
func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "plonec",
		Short: "compile the description of a Plone stack into the files of its hosts",
		Long: `plonec compiles the description of a Plone stack (JSON, Jsonnet or CUE) into
the plain files that each host needs: deploy.cfg, the configurations of its
daemons, systemd units and deploy scripts. They are committed and reviewed like
code.

STACK is one or more files, merged left to right; with none, those that the
tree was built from, else stack.cue, stack.jsonnet or stack.json in this folder.`,
		Example: `  plonec build examples/single-host/stack.json -o build
  git add build && git diff --staged`,
		Version:       versionText(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },

		SuggestionsMinimumDistance: 2,
	}
	root.SetVersionTemplate("plonec {{.Version}}\n")
	root.CompletionOptions.DisableDefaultCmd = true
	for _, group := range []string{onStack, onHosts, onSelf} {
		root.AddGroup(&cobra.Group{ID: group, Title: group})
	}
	for _, v := range verbs() {
		root.AddCommand(v.command())
	}
	return root
}

// ending is the exit status of a command that ended with err, and what is left
// to say.
func ending(err error) (code int, text string) {
	var st *status
	switch {
	case err == nil:
		return exitDone, ""
	case errors.Is(err, errReported):
		return exitError, ""
	case errors.As(err, &st):
		return st.code, st.text
	case errors.Is(err, tree.ErrLocked):
		return exitLocked, err.Error() + "; try again when it is done"
	}
	return exitError, err.Error()
}
