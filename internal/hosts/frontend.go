package hosts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/frontend"
	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/remote"
	"github.com/plonec/plonec/internal/tree"
)

// frontendStep is what a run is at while it builds one.
const frontendStep = "frontend"

// BuildFrontends builds those of apps that are built where plonec runs, of the commit that
// the deploy that follows takes then. It changes no host, so that nothing was changed
// where it fails.
func (f *Fleet) BuildFrontends(ctx context.Context, apps []string, o DeployOptions) error {
	apps, err := f.named(apps)
	if err != nil {
		return err
	}
	f.frontends = map[string]*frontend.Built{}
	for _, app := range apps {
		members := slices.DeleteFunc(f.with(app), func(m *member) bool { return !m.frontendHere(app) })
		if len(members) == 0 {
			continue
		}
		began := time.Now()
		f.sink(Event{Time: began, Kind: Started, Step: frontendStep, Text: app})
		b, err := f.buildFrontend(ctx, app, members, o)
		if err != nil {
			return f.noFrontend(err)
		}
		f.frontends[app] = b
		text := fmt.Sprintf("%s: the frontend of commit %.12s is built here", app, b.Commit)
		switch {
		case b.Sum == "":
			text = fmt.Sprintf("%s: its frontend is of commit %.12s on all hosts already", app, b.Commit)
		case b.Kept:
			text = fmt.Sprintf("%s: the frontend of commit %.12s was built here before", app, b.Commit)
		}
		f.sink(Event{Time: time.Now(), Kind: Finished, Step: frontendStep, Seconds: time.Since(began).Seconds()})
		f.sink(Event{Time: time.Now(), Kind: Note, Text: text})
	}
	return nil
}

// noFrontend tells why there is none to switch to.
func (f *Fleet) noFrontend(err error) error {
	e := Event{Time: time.Now(), Kind: Failed, Step: frontendStep}
	e.Text, e.Hint = f.words(err)
	f.sink(e)
	return fmt.Errorf("%w: %w", ErrNotDeployed, err)
}

// frontendHere tells whether the host gets the app's frontend from here.
func (m *member) frontendHere(app string) bool {
	return slices.ContainsFunc(m.Host.Host.Apps, func(a tree.App) bool { return a.Name == app && a.FrontendHere })
}

func (f *Fleet) buildFrontend(ctx context.Context, app string, members []*member, o DeployOptions) (*frontend.Built, error) {
	here, err := frontend.Here()
	if err != nil {
		return nil, err
	}
	orders := make([]*frontend.Order, len(members))
	for i, m := range members {
		if orders[i], err = f.order(m, app); err != nil {
			return nil, err
		}
		if orders[i].Inputs() != orders[0].Inputs() {
			return nil, diag.WithRemedy(fmt.Sprintf("%s and %s would have different frontends of %s", members[0].Name, m.Name, app),
				frontend.Alike)
		}
	}
	err = each(members, len(members), func(m *member) error {
		theirs, err := m.machine(ctx)
		if err == nil {
			err = here.Suits(theirs)
		}
		if err != nil {
			return &HostError{m.Name, frontendStep, err}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	orders[0].Afresh = o.Always
	return orders[0].Make(ctx, here, o.Commit, func(commit string) bool { return o.Always || f.frontendDue(ctx, members, app, commit) })
}

// order is what the tree says of the app on a host, and its scripts.
func (f *Fleet) order(m *member, app string) (*frontend.Order, error) {
	order := &frontend.Order{
		App: app, Scripts: filepath.Join(f.tree.Disk.Root("*"), plan.ScriptDir), Files: map[string][]byte{}, Env: remote.Environ(f.tree.Disk.Manifest),
		Tell: func(line string) {
			f.sink(Event{Time: time.Now(), Kind: Output, Step: frontendStep, Text: f.Redact(line)})
		},
		Warn: func(text string) { f.sink(Event{Time: time.Now(), Kind: Warning, Step: frontendStep, Text: text}) },
	}
	for _, name := range []string{"app.conf", "build.conf", "app.env"} {
		text, err := os.ReadFile(filepath.Join(f.tree.Disk.Root(m.Name), "etc/plonec", app, name))
		if err != nil {
			return nil, err
		}
		order.Files[name] = text
	}
	return order, nil
}

// machine asks a host for what programs are compiled there.
func (m *member) machine(ctx context.Context) (frontend.Machine, error) {
	ctx, cancel := context.WithTimeout(ctx, remote.QuickTimeout)
	defer cancel()
	var lines []string
	err := m.conn.Run(ctx, remote.Command{Script: frontend.Ask, Argv: []string{"machine"}, Line: func(line string) { lines = append(lines, line) }})
	return frontend.Read(lines), err
}

// frontendDue tells whether some host needs a release of the commit: it does unless it
// says that the current one is that, made of what the tree has.
func (f *Fleet) frontendDue(ctx context.Context, members []*member, app, commit string) bool {
	return slices.ContainsFunc(members, func(m *member) bool {
		state, err := m.status(ctx)
		is := func(a tree.App) bool {
			return a.Name == app && !a.Always && a.Config == state[app+".config"] && state[app+".other-secrets"] == ""
		}
		return err != nil || state[app+".commit"] != commit || state[app+".state"] != "good" || !slices.ContainsFunc(m.Host.Host.Apps, is)
	})
}

// bringFrontend copies what was built here to where the builds of hosts look for it that
// have no such release yet, and gives the options that name it to them.
func (f *Fleet) bringFrontend(ctx context.Context, app string, members []*member, found []resolved, release string) ([]string, error) {
	b := f.frontends[app]
	if b == nil || b.Sum == "" {
		return nil, nil
	}
	var takers []*member
	for i, m := range members {
		if m.frontendHere(app) && !slices.Contains(found[i].fit, release) {
			takers = append(takers, m)
		}
	}
	return []string{"--frontend", b.Sum}, each(takers, f.options.Parallel, func(m *member) error {
		return m.step(ctx, frontendStep, func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, fetchTime)
			defer cancel()
			return m.conn.Rsync(ctx, []string{b.Folder}, plan.StateDir+"/"+app+"/frontend", "")
		})
	})
}

// sameFrontend is an error where hosts built a release's frontend from different things: a
// branch that moved, or another Node at the path that the stack names.
func (f *Fleet) sameFrontend(ctx context.Context, app string, members []*member, found []resolved, release string) error {
	if !slices.ContainsFunc(found, func(r resolved) bool { return r.current != release }) {
		return nil // it runs everywhere
	}
	members = slices.DeleteFunc(slices.Clone(members), func(m *member) bool { return m.halves(app) == backendHalf })
	if len(members) < 2 {
		return nil
	}
	made := make([][]string, len(members))
	err := each(members, len(members), func(m *member) error {
		return m.step(ctx, "compare", func(ctx context.Context) (err error) {
			made[slices.Index(members, m)], err = m.madeOf(ctx, app, release)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotDeployed, err)
	}
	for i, m := range members[1:] {
		theirs, first := without(made[i+1], made[0]), without(made[0], made[i+1])
		if len(theirs)+len(first) > 0 {
			return f.noFrontend(diag.WithRemedy(
				fmt.Sprintf("%s and %s built different frontends of %s: %s, and %s", members[0].Name, m.Name, app, cmp.Or(strings.Join(first, " "), "nothing else"), cmp.Or(strings.Join(theirs, " "), "nothing else")),
				frontend.Fixed+"; then: plonec deploy --always "+app))
		}
	}
	return nil
}

// madeWord is a word of what a frontend was made of.
var madeWord = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*=[A-Za-z0-9_.-]+$`)

// madeOf is what the host recorded of a release's frontend: its sources, its lock and Node.
func (m *member) madeOf(ctx context.Context, app, release string) (made []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, remote.QuickTimeout)
	defer cancel()
	err = m.conn.Run(ctx, remote.Command{Argv: []string{"/bin/grep", "^frontend=", plan.StateDir + "/" + app + "/releases/" + release}, Line: func(line string) {
		for _, word := range strings.Fields(strings.TrimPrefix(line, "frontend=")) {
			if madeWord.MatchString(word) {
				made = append(made, word)
			}
		}
	}})
	var exit *remote.ExitError
	if errors.As(err, &exit) && exit.Status == 1 {
		err = nil // an earlier plonec recorded nothing
	}
	return made, err
}

// without are the words of a list that another one does not have.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(word string) bool { return slices.Contains(other, word) })
}
