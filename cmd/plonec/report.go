package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/git"
	"github.com/plonec/plonec/internal/native"
	"github.com/plonec/plonec/internal/report"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/words"
)

// A reporter prints what a command found. For people, diagnostics go to
// standard error and results to standard output; with github, annotations go
// there too. For programs all is one object: json has the results, sarif the
// diagnostics alone.
type reporter struct {
	json, github   bool
	sarif          *diag.SARIF // nil: another format
	color          bool
	stdout, stderr io.Writer
}

// people tells whether the report is read by people.
func (r *reporter) people() bool { return !r.json && r.sarif == nil }

// newReporter makes one for a format; what it does not know, such as a picture's, is
// for people.
func newReporter(c *cobra.Command, format string) *reporter {
	r := &reporter{stdout: c.OutOrStdout(), stderr: c.ErrOrStderr()}
	switch format {
	case "json":
		r.json = true
	case "github":
		r.github = true
	case "sarif":
		r.sarif = &diag.SARIF{Version: release, Path: git.InRepository}
	default:
		r.color = terminal.UseColor(r.stderr)
	}
	return r
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
	WrittenBy   string          `json:"written_by,omitempty"` // the plonec of the tree of before, where it was another
	Checkers    []native.Result `json:"checkers,omitempty"`

	Effect *report.Diff `json:"effect,omitempty"` // of explain --set
}

// finish ends a command: it prints the diagnostics and, as JSON, the result.
// outcome says what the errors prevented.
func (r *reporter) finish(list diag.List, outcome string, res result) error {
	switch {
	case r.sarif != nil:
		if err := r.sarif.Format(r.stdout, list); err != nil {
			return err
		}
	case r.json:
		var b bytes.Buffer
		if err := (diag.JSON{}).Format(&b, list); err != nil {
			return err
		}
		res.Diagnostics = b.Bytes()
		if err := r.encode(res); err != nil {
			return err
		}
	default:
		if r.github {
			if err := (diag.GitHub{Path: git.InRepository}).Format(r.stdout, list); err != nil {
				return err
			}
		}
		if err := r.report(list, outcome); err != nil {
			return err
		}
	}
	if list.Errors() > 0 {
		return errReported
	}
	return nil
}

// encode prints a value as JSON.
func (r *reporter) encode(v any) error {
	_, err := io.WriteString(r.stdout, words.JSON(v))
	return err
}

// fail makes an error that is no diagnostic an annotation too.
func (r *reporter) fail(err error) error {
	if _, text := ending(err); r.github && text != "" {
		fmt.Fprint(r.stdout, diag.GitHubError(terminal.PrintableLines(text)))
	}
	return err
}
