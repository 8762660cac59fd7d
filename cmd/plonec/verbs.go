package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plonec/plonec/internal/words"
)

// A verb is a command of plonec, and what is known of it without running it. Help,
// completion, the checks of arguments and of --format, the manual pages and
// docs/commands.md are made from these.
type verb struct {
	name      string
	group     string
	arguments arguments
	needs     needs
	reports   bool                        // it prints one report, in place of what happens
	passes    bool                        // it passes on what hosts print, in place of what happens
	formats   []string                    // of --format, first the one that counts without it; nil: it has none
	fill      func(*verb, *cobra.Command) // adds its texts and its other flags, and says what it does

	format string // that was asked for, in this run
}

// The groups of verbs, in the order in which help lists them.
const (
	onStack = "The stack"
	onHosts = "The hosts"
	onSelf  = "plonec itself"
)

// needs are what a verb has to have before it does anything.
type needs int

const (
	aStack    needs = 1 << iota // which it compiles
	aTree                       // on disk
	freshTree                   // it is what its stack gives, byte for byte
	committed                   // in git, by a commit that comes after the hosts'
	theHosts                    // that were chosen
	theFronts                   // the front ends among the others take part
	theServed                   // the hosts whose databases these serve do
	allHosts                    // all the others do
	secrets                     // their values
)

func (n needs) has(what needs) bool { return n&what == what }

// The formats of reports.
var (
	events      = []string{"text", "json"}
	diagnostics = []string{"text", "json", "github", "sarif"}
	changes     = []string{"text", "json", "markdown"}
	pictures    = []string{"mermaid", "dot", "svg"}
)

// verbs are all of them. Each call makes new ones, for one run.
func verbs() []*verb {
	const push = aTree | freshTree | committed | theHosts | secrets
	return []*verb{
		{name: "init", group: onStack, arguments: oneFolder, formats: events, fill: initCommand},
		{name: "build", group: onStack, arguments: stackFiles, needs: aStack, formats: diagnostics, fill: buildCommand},
		{name: "check", group: onStack, arguments: stackFiles, needs: aStack, formats: diagnostics, fill: checkCommand},
		{name: "diff", group: onStack, arguments: stackFiles, needs: aStack, reports: true, formats: changes, fill: diffCommand},
		{name: "explain", group: onStack, arguments: attributeOrCode, formats: events, fill: explainCommand},
		{name: "schema", group: onStack, formats: []string{"json", "cue"}, fill: schemaCommand},
		{name: "graph", group: onStack, arguments: stackFiles, needs: aStack, formats: pictures, fill: graphCommand},

		{name: "plan", group: onHosts, needs: aTree | freshTree | committed | theHosts, reports: true, formats: changes, fill: planCommand},
		{name: "status", group: onHosts, needs: aTree | theHosts, reports: true, formats: events, fill: statusCommand},
		{name: "apply", group: onHosts, needs: push, formats: events, fill: applyCommand},
		{name: "deploy", group: onHosts, arguments: someApps, needs: push | allHosts, formats: events, fill: deployCommand},
		{name: "rollback", group: onHosts, arguments: oneApp, needs: aTree | theHosts | theFronts | theServed, formats: events, fill: rollbackCommand},
		{name: "restart", group: onHosts, arguments: appsOrAll, needs: aTree | theHosts | theFronts | theServed, formats: events, fill: restartCommand},
		{name: "start", group: onHosts, arguments: appsOrAll, needs: aTree | theHosts | theFronts | theServed, formats: events, fill: startCommand},
		{name: "stop", group: onHosts, arguments: appsOrAll, needs: aTree | theHosts, formats: events, fill: stopCommand},
		{name: "undeploy", group: onHosts, arguments: appsOrAll, needs: aTree | theHosts, formats: events, fill: undeployCommand},
		{name: "drain", group: onHosts, arguments: someHosts, needs: aTree | theHosts | theFronts, formats: events, fill: drainCommand},
		{name: "undrain", group: onHosts, arguments: someHosts, needs: aTree | theHosts, formats: events, fill: undrainCommand},
		{name: "maintenance", group: onHosts, arguments: onOrOff, needs: aTree | theHosts, formats: events, fill: maintenanceCommand},
		{name: "run", group: onHosts, arguments: recipe, needs: aTree | theHosts | allHosts, formats: events, fill: runCommand},
		{name: "exec", group: onHosts, arguments: appCommand, needs: aTree | theHosts, passes: true, fill: execCommand},
		{name: "logs", group: onHosts, arguments: oneApp, needs: aTree | theHosts, passes: true, formats: events, fill: logsCommand},

		{name: "completion", group: onSelf, arguments: oneShell, fill: completionCommand},
		{name: "man", group: onSelf, arguments: manFolder, fill: manCommand},
		{name: "version", group: onSelf, fill: versionCommand},
	}
}

// line is how the verb is written: plonec deploy [APP...].
func (v *verb) line() string { return strings.TrimSpace("plonec " + v.name + " " + v.arguments.use) }

// example is the verb with such arguments as it takes.
func (v *verb) example() string {
	return strings.TrimSpace("plonec " + v.name + " " + v.arguments.such)
}

// command is the verb as the command line has it.
func (v *verb) command() *cobra.Command {
	c := &cobra.Command{Use: strings.TrimPrefix(v.line(), "plonec "), GroupID: v.group}
	if len(v.formats) > 0 {
		c.Flags().StringVar(&v.format, "format", v.formats[0], formatsUsage(v.formats))
	}
	if v.arguments.all {
		c.Flags().Bool("all", false, "every app")
	}
	v.fill(v, c)
	if c.Args == nil {
		c.Args = func(c *cobra.Command, args []string) error { return v.arguments.judge(v, c, args) }
	}
	judge := c.Args
	c.Args = func(c *cobra.Command, args []string) error {
		if err := saysNothing(c, args); err != nil {
			return err
		}
		return judge(c, args)
	}
	run := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		if c.Flags().Changed("format") && !slices.Contains(v.formats, v.format) {
			return fmt.Errorf("unknown --format %q: %s", v.format, words.Or(v.formats))
		}
		return run(c, args)
	}
	v.complete(c)
	return c
}

// formatsUsage is what help says of --format.
func formatsUsage(formats []string) string {
	said := slices.Clone(formats)
	said[0] = "`" + said[0] + "`" // what the flag takes
	if i := slices.Index(said, "github"); i >= 0 {
		said[i] += " (annotations)"
	}
	return words.Or(said)
}
