package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/plonec/plonec/diag"
	"github.com/plonec/plonec/native"
)

// A reporter prints what a command found: diagnostics to standard error and
// results to standard output as text, or everything as one JSON object.
type reporter struct {
	json           bool
	color          bool
	stdout, stderr io.Writer
}

func newReporter(c *cobra.Command, format string) (*reporter, error) {
	r := &reporter{stdout: c.OutOrStdout(), stderr: c.ErrOrStderr()}
	switch format {
	case "text":
		r.color = useColor(r.stderr)
	case "json":
		r.json = true
	default:
		return nil, fmt.Errorf("unknown --format %q: text or json", format)
	}
	return r, nil
}

// useColor follows NO_COLOR and FORCE_COLOR, else asks whether w is a terminal.
func useColor(w io.Writer) bool {
	if os.Getenv("NO_COLOR") != "" {
		return false
	}
	if os.Getenv("FORCE_COLOR") != "" {
		return true
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// report prints what was found. A line of summary follows, with outcome
// where something was prevented.
func (r *reporter) report(list diag.List, outcome string) error {
	if err := (diag.Text{Color: r.color}).Format(r.stderr, list); err != nil {
		return err
	}
	if line := list.Summary(outcome); line != "" {
		fmt.Fprintf(r.stderr, "plonec: %s\n", line)
	}
	return nil
}

// A result is what a command prints with --format json.
type result struct {
	Diagnostics json.RawMessage `json:"diagnostics"`
	Hosts       int             `json:"hosts,omitempty"`
	Files       int             `json:"files,omitempty"`
	Added       []string        `json:"added,omitempty"`
	Changed     []string        `json:"changed,omitempty"`
	Removed     []string        `json:"removed,omitempty"`
	Foreign     []string        `json:"foreign,omitempty"`
	Left        []string        `json:"hosts_left,omitempty"` // hosts of the tree of before that are in none now
	Checkers    []native.Result `json:"checkers,omitempty"`

	// Of explain --set.
	Set          []setJSON    `json:"set,omitempty"`
	Changes      []changeJSON `json:"changes,omitempty"`
	HostsAdded   []string     `json:"hosts_added,omitempty"`
	HostsRemoved []string     `json:"hosts_removed,omitempty"`
}

// finish ends a command: it prints the diagnostics and, as JSON, the result.
// outcome says what the errors prevented.
func (r *reporter) finish(list diag.List, outcome string, res result) error {
	if r.json {
		var b bytes.Buffer
		if err := (diag.JSON{}).Format(&b, list); err != nil {
			return err
		}
		res.Diagnostics = b.Bytes()
		if err := r.encode(res); err != nil {
			return err
		}
	} else if err := r.report(list, outcome); err != nil {
		return err
	}
	if list.Errors() > 0 {
		return errReported
	}
	return nil
}

// encode prints a value as JSON.
func (r *reporter) encode(v any) error {
	_, err := io.WriteString(r.stdout, asJSON(v))
	return err
}
