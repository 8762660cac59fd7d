package hosts

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/secret"
	"github.com/plonec/plonec/internal/tree"
)

// Look logs in to every host and asks how it is: the preflight of every
// command. It changes nothing. The error names each host that cannot be worked
// with; in a survey that is one that does not answer, and the others can be
// asked on. Where the tree is not to be believed that alone is the error.
func (f *Fleet) Look(ctx context.Context) error {
	believed := make(chan error, 1)
	if f.options.Judge != nil {
		go func() { believed <- f.options.Judge() }()
	} else if err := f.resolve(ctx); err != nil {
		return err
	}
	parallel := max(f.options.Parallel, 20)
	asked := each(f.members, parallel, func(m *member) error {
		ask := func(ctx context.Context) (err error) {
			m.Seen, err = m.inspect(ctx)
			return err
		}
		if !m.asked {
			return m.tried(ask(ctx))
		}
		return m.tried(m.step(ctx, "connect", ask))
	})
	if f.options.Judge != nil {
		if err := <-believed; err != nil {
			return err
		}
		if err := f.resolve(ctx); err != nil {
			return err
		}
		if asked != nil && !f.options.Survey {
			return asked
		}
	}
	weighed := each(f.members, parallel, func(m *member) error {
		if !m.conn.Connected() || m.failed != nil {
			return nil
		}
		err := m.weigh(ctx, m.Seen)
		if err != nil && m.asked {
			err = m.wrong("connect", err)
		}
		return m.tried(err)
	})
	f.members = slices.DeleteFunc(f.members, func(m *member) bool { return !m.asked && !m.conn.Connected() })
	return errors.Join(asked, weighed)
}

// tried keeps why a host cannot be worked with. One that nobody asked for is left
// out: the work goes on without it.
func (m *member) tried(err error) error {
	if err == nil {
		return nil
	}
	if m.asked {
		m.failed = err
		return err
	}
	m.note(Warning, "left out: "+err.Error(), "")
	m.conn.Close()
	return nil
}

// look asks the host how it is, and works out what apply would change. It gets
// the content of the files at show too.
func (m *member) look(ctx context.Context, show ...string) error {
	o, err := m.inspect(ctx, show...)
	if err != nil {
		return err
	}
	return m.weigh(ctx, o)
}

// inspect asks the host how it is. It gets the content of the files at show too.
func (m *member) inspect(ctx context.Context, show ...string) (*plan.Observation, error) {
	return m.observe(ctx, m.conn.Ask, m.Questions(show...))
}

// weigh works out what apply would change of a host that is so, and whether it can
// be worked with.
func (m *member) weigh(ctx context.Context, o *plan.Observation) error {
	if unread := m.Unread(o); len(unread) > 0 {
		more, err := m.observe(ctx, m.conn.Ask, plan.Questions{Texts: unread})
		if err != nil {
			return err
		}
		maps.Copy(o.Texts, more.Texts)
	}
	if err := m.See(o); err != nil {
		return err
	}
	if m.unfit = m.Fit(); m.fleet.options.Survey {
		return nil
	}
	return m.unfit
}

// resolve gets the values of the chosen hosts' secrets.
func (f *Fleet) resolve(ctx context.Context) error {
	if f.secrets == nil {
		return nil
	}
	chosen := map[string]bool{}
	for _, m := range f.members {
		chosen[m.Name] = true
	}
	commands := !f.secrets.NoCommands && slices.ContainsFunc(f.tree.Disk.Manifest.Secrets, func(s tree.Secret) bool {
		return chosen[s.Host] && slices.ContainsFunc(s.Entries, func(e tree.SecretEntry) bool { return strings.HasPrefix(e.Source, "cmd:") })
	})
	began := time.Now()
	if commands { // which may ask somebody, or a server
		f.sink(Event{Time: began, Kind: Started, Step: "secrets"})
	}
	files, warnings, err := f.secrets.Files(ctx, f.tree.Disk.Manifest.Secrets, chosen)
	if err != nil {
		return err
	}
	if commands {
		f.sink(Event{Time: time.Now(), Kind: Finished, Step: "secrets", Seconds: time.Since(began).Seconds()})
	}
	f.tree.Redactor = f.secrets.Redactor()
	read := func(file tree.File) ([]byte, error) { return f.tree.Disk.Read(file.Rel()) }
	refused, warned := secret.Look(files, f.tree.Disk.Manifest.Hosts, read, time.Now())
	for _, w := range slices.Concat(warnings, []secret.Problem(warned)) {
		f.sink(Event{Time: time.Now(), Kind: Warning, Text: w.String()})
	}
	if len(refused) > 0 {
		return refused
	}
	for _, m := range f.members {
		for _, s := range files {
			if s.Host == m.Name {
				m.Secrets = append(m.Secrets, s)
			}
		}
	}
	return nil
}
