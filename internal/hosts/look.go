package hosts

import (
	"context"
	"errors"
	"fmt"
	"os"
	pathpkg "path"
	"slices"
	"strings"
	"time"

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
			m.seen, err = m.inspect(ctx)
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
		if m.conn == nil || m.failed != nil {
			return nil
		}
		err := m.weigh(ctx, m.seen)
		if err != nil && m.asked {
			err = m.wrong("connect", err)
		}
		return m.tried(err)
	})
	f.members = slices.DeleteFunc(f.members, func(m *member) bool { return !m.asked && m.conn == nil })
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
	if m.conn != nil {
		m.conn.close()
		m.conn = nil
	}
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

// inspect asks the host how it is, for what the manifest says of it alone: no value
// of a secret is needed. It gets the content of the files at show too.
func (m *member) inspect(ctx context.Context, show ...string) (*observation, error) {
	q := questions{texts: show}
	values := m.fleet.secrets != nil // which the host's are compared with
	for _, s := range m.secretFiles() {
		if values && s.Format == "userlist" {
			q.salts = append(q.salts, s.Path)
		} else {
			q.secrets = append(q.secrets, s.Path)
		}
		if app, ok := strings.CutSuffix(s.Path, "/secrets.env"); ok && values {
			q.dsns = append(q.dsns, s.Path, pendingPath(pathpkg.Base(app), s.Path))
		}
	}
	var own []wanted
	for _, file := range m.fleet.disk.Manifest.Files {
		if file.Host != "*" && file.Host != m.Name {
			continue
		}
		own = append(own, wanted{Path: file.Path, Local: m.fleet.disk.Path(file)})
		if !slices.Contains(show, file.Path) {
			q.sums = append(q.sums, file.Path)
		}
	}
	q.units = m.unitsOf(own)
	return m.observe(ctx, q)
}

// weigh works out what apply would change of a host that is so, and whether it can
// be worked with.
func (m *member) weigh(ctx context.Context, o *observation) error {
	if err := m.saw(ctx, o); err != nil {
		return err
	}
	if m.unfit = m.fit(); m.fleet.options.Survey {
		return nil
	}
	return m.unfit
}

// saw works out what apply would change of a host that is so.
func (m *member) saw(ctx context.Context, o *observation) error {
	m.seen = o
	var err error
	if m.want, err = m.files(o); err != nil {
		return err
	}
	hold, err := m.holds(ctx)
	if err != nil {
		return err
	}
	m.changes = changes(m.want, o, hold)
	return nil
}

// fit tells whether the host can be worked with.
func (m *member) fit() error {
	o := m.seen
	const least = 200 << 10
	switch {
	case o.Missing != "":
		return &hinted{"the host has no " + strings.ReplaceAll(o.Missing, " ", ", "), "apt-get install rsync, and a systemd of this decade"}
	case o.Unconfirmed != "":
		return &hinted{"an earlier change, generation " + o.Unconfirmed + ", waits to be confirmed or taken back", "wait a minute, then try again"}
	case o.FreeKiB < least:
		return &hinted{fmt.Sprintf("the host has %d MiB free below /var/lib/plonec", o.FreeKiB>>10), "make room: 200 MiB at least"}
	}
	for _, w := range m.want {
		if o.Odd[w.Path] {
			return &hinted{w.Path + " is there, and is no plain file", "remove it by hand, if it is not needed"}
		}
	}
	return nil
}

// holds are the files that have to wait until clients of other hosts run: a
// balancer's configuration with servers that are not there yet.
func (m *member) holds(ctx context.Context) (map[string]bool, error) {
	at := slices.IndexFunc(m.want, func(w wanted) bool { return w.Path == haproxy })
	if at < 0 {
		return nil, nil
	}
	live, ours := m.seen.Live[haproxy]
	if !ours || m.seen.Files[haproxy].Sum == m.want[at].Sum || m.seen.Files[haproxy].Sum != live.Sum {
		return nil, nil
	}
	before, there := m.seen.Texts[haproxy]
	if !there {
		o, err := m.observe(ctx, questions{texts: []string{haproxy}})
		if err != nil {
			return nil, err
		}
		before = o.Texts[haproxy]
	}
	text, err := os.ReadFile(m.want[at].Local)
	if err != nil {
		return nil, err
	}
	if sendsElsewhere(before, text) {
		return map[string]bool{haproxy: true}, nil
	}
	return nil, nil
}

// pendingPath is where a file waits for an app.
func pendingPath(app, path string) string { return stateDir + "/pending/" + app + path }

// resolve gets the values of the chosen hosts' secrets.
func (f *Fleet) resolve(ctx context.Context) error {
	if f.secrets == nil {
		return nil
	}
	chosen := map[string]bool{}
	for _, m := range f.members {
		chosen[m.Name] = true
	}
	files, warnings, err := f.secrets.Files(ctx, f.disk.Manifest.Secrets, chosen)
	if err != nil {
		return err
	}
	f.redact = f.secrets.Redactor()
	for _, w := range warnings {
		f.sink(Event{Time: time.Now(), Kind: Warning, Text: w.String()})
	}
	for _, m := range f.members {
		for _, s := range files {
			if s.Host == m.Name {
				m.secrets = append(m.secrets, s)
			}
		}
	}
	return nil
}

// files lists what the host should have. o is how it is, nil where that is not
// known yet: the content of some files depends on it.
func (m *member) files(o *observation) ([]wanted, error) {
	if o == nil {
		o = &observation{}
	}
	var list []wanted
	for _, file := range m.fleet.disk.Manifest.Files {
		if file.Host == "*" || file.Host == m.Name {
			list = append(list, wanted{Path: file.Path, Sum: file.Sum, Mode: file.Mode, Owner: file.Owner, Effects: file.Effect, Local: m.fleet.disk.Path(file)})
		}
	}
	for _, s := range m.secretFiles() {
		w := wanted{Path: s.Path, Mode: s.Mode, Owner: s.Owner, Effects: s.Effect, Format: s.Format, Sources: sourcesSum(s)}
		at := slices.IndexFunc(m.secrets, func(f secret.File) bool { return f.Path == s.Path })
		switch from := o.Sources[s.Path]; {
		case at >= 0:
			data, err := m.secrets[at].Bytes(o.Texts[s.Path])
			if err != nil {
				return nil, err
			}
			w.content, w.Sum = data, m.fleet.hide(sum(data))
		case m.fleet.sources:
			w.Sum = w.Sources
		case from != "" && from != w.Sources:
			w.Sum = "of other sources" // as no file is
		default:
			w.Sum = o.recorded(s.Path)
		}
		list = append(list, w)
	}
	return list, nil
}

// secretFiles are those that the tree has for the host.
func (m *member) secretFiles() []tree.Secret {
	var list []tree.Secret
	if m.fleet.disk != nil {
		for _, s := range m.fleet.disk.Manifest.Secrets {
			if s.Host == m.Name {
				list = append(list, s)
			}
		}
	}
	return list
}
