package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/regular"
	"github.com/plonec/plonec/internal/report"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/words"
)

func planCommand(v *verb, c *cobra.Command) {
	f := fleetFlags{verb: v}
	var out string
	var exitCode, noDiff, secrets bool
	c.Short = "show what apply and deploy would do to the hosts"
	c.Long = `Plan looks at the hosts as they are now, and shows what apply would do to each of
them and what is left to a deploy or a restart: files with their differences,
reloads, restarts, starts and stops, what would be refused, and what people would
notice. It changes nothing, and can run beside another plonec.

It resolves no secret: it sees that a secret file changes where the stack names
another source for a value, or where somebody changed the file on its host. With
--secrets it also compares the values of env:, file: and age: and those in the
stack, and never shows them; cmd: runs only in apply and deploy. Only deploy sees
whether an app's revision leads to a new commit.

It compiles the stack in memory, and refuses a tree that differs from the result, as
apply and deploy do.

With --out it also writes the plan. plonec apply --plan and plonec deploy --plan do
what that plan says, or nothing if the tree or a host has changed since.`
	c.Example = `  plonec plan
  plonec plan --out plan.json && plonec apply --plan plan.json`
	f.add(c.Flags())
	c.Flags().StringVar(&out, "out", "", "write the plan to this `file`, as JSON")
	c.Flags().BoolVar(&exitCode, "exit-code", false, "exit with status 2 where apply or deploy has anything to do")
	c.Flags().BoolVar(&noDiff, "no-diff", false, "name the files that change, without their differences")
	c.Flags().BoolVar(&secrets, "secrets", false, "resolve the secrets that can be read, and say which of their files change")
	work := f.fleetCommand(func(ctx context.Context, s *session, _ []string) error {
		p, failed := s.Plan(ctx, !noDiff)
		if s.dirty != nil {
			text, _, _ := strings.Cut(s.dirty.Error(), "\n")
			p.Refused = append(p.Refused, plan.Reason{Text: text})
		}
		r := report.Plan{Plan: p, Given: f.given(), Secrets: f.values, File: out, Color: terminal.UseColor(s.out)}
		var text string
		switch v.format {
		case "json":
			text = words.JSON(p)
		case "markdown":
			text = r.Markdown()
		default:
			text = r.Text()
		}
		if _, err := fmt.Fprint(s.out, text); err != nil {
			return err
		}
		if failed != nil {
			return failed
		}
		if out != "" {
			if err := regular.Write(out, []byte(words.JSON(p)), 0o600); err != nil {
				return err
			}
		}
		if exitCode && p.Due() {
			return &status{exitChanges, ""}
		}
		return nil
	})
	c.RunE = func(c *cobra.Command, args []string) error {
		if secrets {
			f.values = report.ByValue
		}
		return work(c, args)
	}
}

// readPlan reads a file of plonec plan --out.
func readPlan(name string) (*plan.Plan, error) {
	data, err := regular.Read(name, tree.MaxFile)
	if err != nil {
		return nil, err
	}
	p, err := plan.ReadPlan(data)
	if err != nil {
		return nil, fmt.Errorf("%s is not a plan that plonec plan --out wrote:  %w", name, err)
	}
	return p, nil
}

// preview is what a command would do, for a question; empty where nobody is
// asked.
func (s *session) preview(ctx context.Context) string {
	if !s.asks() {
		return ""
	}
	p, err := s.Plan(ctx, false)
	if err != nil {
		return "plonec: " + terminal.PrintableLines(err.Error()) + "\n"
	}
	r := report.Plan{Plan: p, Given: s.flags.given(), Secrets: s.flags.values, Color: terminal.UseColor(s.out)}
	return r.Summary()
}
