package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/plonec/plonec/internal/hosts"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/remote"
	"github.com/plonec/plonec/internal/report"
	"github.com/plonec/plonec/internal/secret"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/trust"
	"github.com/plonec/plonec/internal/words"
	"github.com/plonec/plonec/schema"
)

// fleetFlags are the flags of every command that works on hosts.
type fleetFlags struct {
	tree          string
	hosts, layers []string
	parallel      int
	acceptNew     bool
	sshConfig     string
	verbose       bool
	hostsOf       string // the revision whose tree says where hosts are
	newHosts      bool   // to connect to those that it has elsewhere, or not at all
	// choose gives the hosts where nobody did; nil: all of the tree.
	choose func(m *tree.Manifest, args []string) ([]string, error)
	// unasked says, for the arguments, what to do where some of the hosts cannot be worked with; nil: what holds for any.
	unasked func(s *session, args []string) string

	// Of those that push a tree.
	yes, force, allowDirty, allowRewind bool
	allowTwo                            bool // see hosts.Options
	confirm                             time.Duration
	plan                                string

	verb   *verb
	values report.Secrets // that it resolves: what runs on every pull request none, and nothing but what pushes runs commands
}

// given are those of the flags that choose hosts, for another command.
func (f *fleetFlags) given() string { return given(f.tree, f.hosts, f.layers) }

func given(tree string, hosts, layers []string) string {
	text := ""
	if tree != "build" {
		text += " --tree " + tree
	}
	if len(hosts) > 0 {
		text += " --host " + strings.Join(hosts, ",")
	}
	if len(layers) > 0 {
		text += " --layer " + strings.Join(layers, ",")
	}
	return text
}

func (f *fleetFlags) add(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.hosts, "host", nil, "only these `hosts`")
	flags.StringSliceVar(&f.layers, "layer", nil, "only the hosts of these `layers`")
	flags.IntVar(&f.parallel, "parallel", 10, "work on this many hosts at once")
	f.addReach(flags)
}

// addReach adds what says how hosts are reached, whichever they are.
func (f *fleetFlags) addReach(flags *pflag.FlagSet) {
	flags.StringVar(&f.tree, "tree", "build", "folder of the compiled `tree`")
	flags.BoolVar(&f.acceptNew, "accept-new", false, "trust the ssh key of a host that is not known yet")
	flags.StringVar(&f.sshConfig, "ssh-config", "", "`file` for ssh in place of ~/.ssh/config")
	flags.StringVar(&f.hostsOf, "hosts-of", "", "the git `revision` that is deployed from: a host that differs from it in address or keys, or that it does not have, is shown before anything connects to it (default origin/HEAD, origin/main or origin/master, as last fetched)")
	flags.BoolVar(&f.newHosts, "allow-new-hosts", false, "connect to such hosts without asking")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "show what the hosts print")
}

func (f *fleetFlags) addYes(flags *pflag.FlagSet) {
	flags.BoolVarP(&f.yes, "yes", "y", false, "do not ask")
}

// addAllowTwo adds the flag of commands that start what one host alone runs of an app.
func (f *fleetFlags) addAllowTwo(flags *pflag.FlagSet) {
	flags.BoolVar(&f.allowTwo, "allow-two", false, "start the scheduler of an app even if a host that may still run it cannot be reached")
}

func (f *fleetFlags) addPush(flags *pflag.FlagSet) {
	f.add(flags)
	f.addYes(flags)
	flags.BoolVar(&f.force, "force", false, "overwrite what was changed by hand on a host")
	flags.BoolVar(&f.allowDirty, "allow-dirty", false, "push a tree that is not committed")
	flags.BoolVar(&f.allowRewind, "allow-rewind", false, "push a commit that does not come after the one that a host has")
	flags.StringVar(&f.plan, "plan", "", "do what this `file` of plonec plan --out says, or nothing")
	flags.DurationVar(&f.confirm, "confirm-within", time.Minute, "how long a host waits for a change to be confirmed before it reverts the change")
}

// A session is one run of a command over hosts.
type session struct {
	*hosts.Fleet
	flags    *fleetFlags
	disk     *tree.Disk
	trust    *trust.Trust
	dirty    error // why apply would refuse the tree as git has it; reports only
	progress *terminal.Progress
	stdin    io.Reader
	out      io.Writer
}

// fleetCommand makes the body of a command over hosts: it opens the tree,
// looks at the hosts, and lets do work. What is asked for that is not so is an error before any host is
// touched. As JSON the last event says how it ended.
func (f *fleetFlags) fleetCommand(do func(ctx context.Context, s *session, args []string) error) func(*cobra.Command, []string) error {
	work := f.onFleet(do)
	return func(c *cobra.Command, args []string) error {
		err := work(c, args)
		if f.verb.format != "json" || f.verb.reports || f.verb.passes {
			return err
		}
		code, text := ending(err)
		fmt.Fprint(c.OutOrStdout(), words.JSONLine(newEnd(code, text)))
		if err != nil {
			err = &status{code, ""}
		}
		return err
	}
}

func (f *fleetFlags) onFleet(do func(ctx context.Context, s *session, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		v, fresh := f.verb, f.verb.needs.has(freshTree)
		if v.needs.has(secrets) {
			f.values = report.ByAllValues
		}
		disk, err := openTree(f.tree, fresh)
		if err != nil {
			return err
		}
		if v.arguments.hosts {
			f.hosts = append(f.hosts, args...)
		}
		if f.choose != nil {
			if f.hosts, err = f.choose(disk.Manifest, args); err != nil {
				return err
			}
		}
		options := hosts.Options{
			Hosts: f.hosts, Layers: f.layers, Parallel: f.parallel, Others: v.needs.has(allHosts), Fronts: v.needs.has(theFronts), Served: v.needs.has(theServed),
			SSH:   remote.Options{AcceptNew: f.acceptNew, SSHConfig: f.sshConfig},
			Force: f.force, AllowTwo: f.allowTwo, Confirm: f.confirm, Who: whoami(), Survey: v.reports || v.passes,
		}
		if fresh {
			options.Judge = func() error { return trust.Believe(disk, release) }
		}
		s := &session{flags: f, disk: disk, stdin: c.InOrStdin(), out: c.OutOrStdout()}
		looked := make(chan error, 1) // git is asked for two things at once
		go func() {
			var err error
			s.trust, err = trust.New(disk, f.hostsOf)
			looked <- err
		}()
		if v.needs.has(committed) {
			options.Commit, options.Descends, s.dirty = f.committed(disk)
			if s.dirty != nil && !v.reports {
				return s.dirty
			}
		}
		if f.plan != "" {
			if options.Plan, err = readPlan(f.plan); err != nil {
				return err
			}
		}
		var resolver *secret.Resolver
		if f.values != report.ByName {
			resolver = f.resolver(disk)
			resolver.NoCommands = f.values != report.ByAllValues
		}
		// Made here, so that it is there before the first event.
		sink := func(e hosts.Event) {
			if v.reports && e.Kind == hosts.Failed {
				return // the report says it
			}
			s.progress.Event(e)
		}
		if s.Fleet, err = hosts.New(disk, options, resolver, sink); err != nil {
			return err
		}
		defer s.Fleet.Close()
		if v.arguments.apps != nil {
			if err := s.Have(v.arguments.apps(args)); err != nil {
				return err
			}
		}
		out, format := s.out, v.format
		switch {
		case v.passes: // only what goes wrong is told beside what the hosts print
			out, format = io.Discard, "text"
		case v.reports:
			format = "report"
		}
		if err := <-looked; err != nil {
			return err
		}
		strangers, err := s.known(c.ErrOrStderr())
		if err != nil {
			return err
		}
		s.progress = terminal.NewProgress(out, c.ErrOrStderr(), format, s.Names(), v.name)
		s.progress.Verbose = f.verbose
		defer s.progress.Close()
		if strangers != "" && f.newHosts {
			s.progress.Event(hosts.Event{Time: time.Now(), Kind: hosts.Warning, Text: strangers})
		}
		for _, h := range s.Skipped {
			s.progress.Event(hosts.Event{Time: time.Now(), Kind: hosts.Note, Text: h.Name + " is " + h.Status + " in the stack: left out"})
		}
		if disk.Stale != nil {
			s.progress.Event(hosts.Event{Time: time.Now(), Kind: hosts.Warning, Text: "the tree is taken as it was built; " + disk.Stale.Error()})
		}
		ctx, stop := interruptible(c.Context(), s)
		defer stop()
		err = s.Look(ctx)
		var host *hosts.HostError
		switch {
		case err == nil:
			if err = do(ctx, s, args); err == nil {
				s.Idle()
			}
		case (v.reports || v.passes) && ctx.Err() == nil && errors.As(err, &host):
			var st *status
			if did := do(ctx, s, args); did != nil && !errors.As(did, &st) {
				err = did // it names these hosts too
			}
		case f.unasked != nil && ctx.Err() == nil && errors.As(err, &host):
			if text := f.unasked(s, args); text != "" {
				s.note("", text)
			}
		}
		s.progress.Close()
		return s.conclude(ctx, err)
	}
}

// An end is the last event of a run: what it came to.
type end struct {
	hosts.Event
	Exit int `json:"exit"` // the exit status
}

func newEnd(code int, text string) end {
	return end{hosts.Event{Time: time.Now(), Kind: "end", Text: text}, code}
}

// errInterrupted is why a context ended on Ctrl-C.
var errInterrupted = errors.New("interrupted")

// interruptible ends the context at the first Ctrl-C, so that what is at work
// is finished and nothing new is begun; the second one ends plonec at once. The
// hosts go on by themselves then.
func interruptible(parent context.Context, s *session) (context.Context, func()) {
	if parent == nil {
		parent = context.Background()
	}
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case <-signals:
			}
			if n > 0 {
				s.progress.Close()
				const text = "stopped; hosts finish or undo what they were doing on their own. Check with: plonec status"
				if s.flags.verb.format == "json" && !s.flags.verb.reports && !s.flags.verb.passes {
					fmt.Fprint(s.out, words.JSONLine(newEnd(exitInterrupted, text)))
				} else {
					fmt.Fprintln(os.Stderr, "plonec: "+text)
				}
				os.Exit(exitInterrupted)
			}
			s.progress.Event(hosts.Event{Time: time.Now(), Kind: hosts.Note, Text: "stopping after the current step; press Ctrl-C again to stop at once"})
			cancel(errInterrupted)
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}

// conclude turns what happened into an exit status.
func (s *session) conclude(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	number := s.Outcomes()
	var st *status
	switch {
	case errors.As(err, &st):
		return err
	case hosts.Locked(err):
		return &status{exitLocked, s.lastWords(err) + "; try again when it is done"}
	case s.flags.verb.reports && len(hosts.HostErrors(err)) > 0 && !errors.Is(err, errInterrupted):
		// The report has the errors themselves.
		return &status{exitUnknown, "the state of " + strings.Join(words.Runs(hostsOf(hosts.HostErrors(err))), ", ") + " is not known"}
	case number[hosts.Unknown] > 0:
		return &status{exitUnknown, "the state of a host is not known or could not be restored: plonec status"}
	case errors.Is(err, errInterrupted):
		return &status{exitInterrupted, "interrupted"}
	case errors.Is(err, hosts.ErrSplit):
		return &status{exitSplit, s.Redact(err.Error())}
	case errors.Is(err, hosts.ErrHalfDone):
		return &status{exitError, s.Redact(err.Error())}
	case number[hosts.Reverted] > 0:
		return &status{exitReverted, "a host was reverted"}
	case errors.Is(err, hosts.ErrRefused):
		return &status{exitError, hosts.ErrRefused.Error()}
	case errors.Is(err, hosts.ErrNotDeployed):
		return &status{exitError, hosts.ErrNotDeployed.Error() + "; see the errors above"}
	}
	return &status{exitError, s.lastWords(err)}
}

// lastWords shortens an error of hosts: the first, and how many other hosts
// there are. What no event has told of brings its remedy.
func (s *session) lastWords(err error) string {
	text := err.Error()
	if list := hosts.HostErrors(err); len(list) > 0 {
		text, _, _ = strings.Cut(list[0].Error(), "\n")
		text = strings.TrimSuffix(text, "\r")
		if n := len(hostsOf(list)) - 1; n > 0 {
			text += fmt.Sprintf(" (and %s more)", words.Count(n, "host"))
		}
	}
	if hint := s.Hint(err); hint != "" && !hosts.Told(err) {
		text += "; " + hint
	}
	return s.Redact(text)
}

// hostsOf names the hosts of errors, each once.
func hostsOf(list []*hosts.HostError) []string {
	var names []string
	for _, e := range list {
		if !slices.Contains(names, e.Host) {
			names = append(names, e.Host)
		}
	}
	return names
}

// asks tells whether somebody is to be asked.
func (s *session) asks() bool { return !s.flags.yes && s.attended() }

// attended tells whether somebody is there.
func (s *session) attended() bool {
	in, ok := s.stdin.(*os.File)
	return s.flags.verb.format != "json" && ok && term.IsTerminal(int(in.Fd()))
}

// yes judges an answer.
func yes(answer string) error {
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return &status{exitError, "nothing done"}
	}
	return nil
}

// agreed asks on a terminal whether to go on.
func (s *session) agreed(question string) error {
	if !s.asks() {
		return nil
	}
	return yes(s.answer(question + " [y/N] "))
}

// answer is the line that somebody at the terminal types.
func (s *session) answer(question string) string {
	s.progress.Clear()
	fmt.Fprint(s.out, question)
	line := terminal.Typed(s.stdin)
	s.progress = terminal.NewProgress(s.out, os.Stderr, s.flags.verb.format, s.Names(), s.progress.Title)
	s.progress.Verbose = s.flags.verbose
	return line
}

// note says something before it is done, of a host or of the run.
func (s *session) note(host, text string) {
	s.progress.Event(hosts.Event{Time: time.Now(), Host: host, Kind: hosts.Note, Text: text})
}

// whoami names the caller, for locks and histories.
func whoami() string {
	name := "someone"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	machine, _ := os.Hostname()
	return name + "@" + machine
}

// resolver gets the values of secrets, in the folders of the stack that the
// tree was built from.
func (f *fleetFlags) resolver(disk *tree.Disk) *secret.Resolver {
	in := disk.Manifest.Inputs
	var files []string
	for _, name := range in.Stack {
		files = append(files, filepath.Join(disk.Dir, filepath.FromSlash(name)))
	}
	r := &secret.Resolver{Dir: ".", Tree: disk.Dir}
	if len(files) > 0 {
		r.Dir = filepath.Dir(files[0])
	}
	// Several secrets are resolved at once.
	read := sync.OnceValues(func() (*input.Node, error) {
		read, diags := input.Load(files, input.Options{ExtStr: in.ExtStr, TLAStr: in.TLAStr, Mask: schema.Mask})
		if read.Tree == nil {
			return nil, fmt.Errorf("the stack cannot be read: %s", diags.Summary(""))
		}
		return read.Tree, nil
	})
	r.Stack = func(pointer string) (string, error) {
		stack, err := read()
		if err != nil {
			return "", err
		}
		value, ok := schema.SecretAt(stack, pointer)
		if !ok {
			return "", fmt.Errorf("the stack has no secret at %s", pointer)
		}
		return value, nil
	}
	return r
}
