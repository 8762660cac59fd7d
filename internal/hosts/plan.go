package hosts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"
)

// planFormat is the version of a written plan's layout.
const planFormat = 1

// A Plan foretells what Apply and Deploy would do to hosts as they are now. It
// holds no secret.
type Plan struct {
	Format  int        `json:"format"`
	Tree    string     `json:"tree"`             // the sum of its manifest
	Commit  string     `json:"commit,omitempty"` // of the tree, where it is in a git repository
	Hosts   []HostPlan `json:"hosts"`
	Apps    []string   `json:"apps"`    // of the hosts, in the order in which they are deployed
	Outage  []string   `json:"outage"`  // what does not go by unnoticed
	Absent  []string   `json:"absent"`  // hosts that were left out: not online in the stack
	Always  []string   `json:"always"`  // apps of which every deploy makes a new release
	Refused []Reason   `json:"refused"` // why apply would begin with no host at all
}

// A HostPlan is what would happen on one host. Apply is what apply does, Deploy
// what is left to a deploy or a restart.
type HostPlan struct {
	Host    string       `json:"host"`
	Address string       `json:"address"`
	Digest  string       `json:"digest,omitempty"`  // stands for the host as it was
	Error   *Reason      `json:"error,omitempty"`   // it could not be asked: nothing else is known
	Unsure  *Reason      `json:"unsure,omitempty"`  // why it is not known what runs there; Deploy is empty then
	Lock    string       `json:"lock,omitempty"`    // who else is at work there
	Refused []Reason     `json:"refused"`           // why apply would not begin with it
	Due     bool         `json:"due"`               // apply has something to do
	Unasked []string     `json:"unasked,omitempty"` // secret files whose values are not known here: they may change too
	Renamed []string     `json:"renamed,omitempty"` // secret files that stay as they are, and come from other sources
	Setup   bool         `json:"setup,omitempty"`
	Install []string     `json:"packages,omitempty"` // that setup installs where they are not there
	Files   []FileChange `json:"files"`
	Apply   []string     `json:"apply"`              // effects, as in the manifest
	Stages  int          `json:"stages,omitempty"`   // files that apply brings, and that wait
	Unstage int          `json:"unstages,omitempty"` // files that waited and do no longer
	Down    []Daemon     `json:"down,omitempty"`     // daemons that do not run; apply starts them
	Stopped []Daemon     `json:"stopped,omitempty"`  // daemons that somebody disabled or masked; they stay so
	Left    []string     `json:"left,omitempty"`     // daemons that nothing of the tree configures any more, and that run on
	Deploy  []AppPlan    `json:"deploy"`
	Added   []string     `json:"servers_added,omitempty"` // of its haproxy.cfg
	Gone    []string     `json:"servers_removed,omitempty"`
}

// A Reason is what is wrong, and what to do about it.
type Reason struct {
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
}

// A FileChange is a Change and what of it can be shown.
type FileChange struct {
	Change
	Mode    string `json:"mode,omitempty"`    // what it is, and what it becomes, where that alone changes
	Diff    string `json:"diff,omitempty"`    // hunks of a unified diff, from what is there to the tree's
	Unshown string `json:"unshown,omitempty"` // why there is none for a changed file
	Differs int    `json:"differs,omitempty"` // lines that somebody added or took away by hand; 0: not known
}

// Held tells whether a front end's configuration waits for the clients.
func (h *HostPlan) Held() bool {
	return slices.ContainsFunc(h.Files, func(c FileChange) bool { return c.Waits == Front })
}

// DeployDue tells whether something of the host is left to a deploy or a
// restart.
func (h *HostPlan) DeployDue() bool { return len(h.Deploy) > 0 || h.Held() }

// Due tells whether apply, or what follows it, has anything to do.
func (p *Plan) Due() bool {
	return slices.ContainsFunc(p.Hosts, func(h HostPlan) bool { return h.Due || h.DeployDue() })
}

// Plan foretells, for every chosen host, what Apply and Deploy would do. Look
// came before, of a survey. With diffs it reads the files that change.
func (f *Fleet) Plan(ctx context.Context, diffs bool) (*Plan, error) {
	p := &Plan{
		Format: planFormat, Tree: f.disk.Sum, Commit: f.options.Commit, Hosts: make([]HostPlan, len(f.members)),
		Apps: f.Apps(), Absent: []string{}, Refused: []Reason{},
	}
	for _, h := range f.Skipped {
		p.Absent = append(p.Absent, h.Name+" is "+h.Status)
	}
	err := each(f.members, len(f.members), func(m *member) error {
		h := &p.Hosts[slices.Index(f.members, m)]
		if err := m.plan(ctx, h, diffs); err != nil && m.failed == nil {
			m.failed = &HostError{m.Name, "plan", err}
		}
		if m.failed != nil {
			*h = HostPlan{Host: m.Name, Address: m.Address, Error: reason(m.failed), Refused: []Reason{}, Files: []FileChange{}, Apply: []string{}, Deploy: []AppPlan{}}
		}
		return m.failed
	})
	p.Always, p.Outage = f.always(), f.outage(p.Hosts)
	return p, err
}

// always lists the apps of which every deploy makes a new release.
func (f *Fleet) always() []string {
	list := []string{}
	for _, m := range f.members {
		for _, app := range m.apps() {
			if m.value(app, "build.conf", "ALWAYS_BUILDOUT") != "" && !slices.Contains(list, app) {
				list = append(list, app)
			}
		}
	}
	return list
}

// reason takes an error apart.
func reason(err error) *Reason {
	var he *HostError
	if errors.As(err, &he) {
		err = he.Err
	}
	var h *hinted
	if errors.As(err, &h) {
		return &Reason{h.text, h.hint}
	}
	return &Reason{err.Error(), ""}
}

func (m *member) plan(ctx context.Context, h *HostPlan, diffs bool) error {
	if m.failed != nil {
		return m.failed
	}
	show := []string{"/etc/plonec/host.env"}
	for _, c := range m.changes {
		if c.Kind == Changed && !c.Secret && !c.Foreign {
			show = append(show, c.Path)
		}
	}
	if err := m.look(ctx, show...); err != nil {
		return err
	}
	var state map[string]string
	var unsure error
	if len(m.apps()) > 0 {
		state, unsure = m.status(ctx)
	}
	*h = m.foresee(state, diffs)
	h.Digest, h.Lock, h.Refused = m.seen.digest(), m.seen.Lock, m.refusals()
	if unsure != nil {
		h.Unsure, h.Deploy = reason(unsure), []AppPlan{}
	}
	return nil
}

// foresee says what would happen to the host as it was seen, with its apps in a
// state that status gave.
func (m *member) foresee(state map[string]string, diffs bool) HostPlan {
	h := HostPlan{
		Host: m.Name, Address: m.Address, Refused: []Reason{}, Due: m.due(), Files: []FileChange{},
		Apply: m.effects(), Left: m.left(), Deploy: m.foretell(state),
	}
	for _, c := range m.changes {
		h.Files = append(h.Files, m.shown(c, diffs))
	}
	for _, w := range m.want {
		if w.Local == "" && w.content == nil && !m.fleet.sources {
			h.Unasked = append(h.Unasked, w.Path)
		}
	}
	if h.Due {
		h.Renamed = m.renamed()
	}
	h.Down, h.Stopped = m.dead()
	h.Stages, h.Unstage = m.staging()
	if h.Due && m.setupDue() {
		h.Setup, h.Install = true, m.packages()
	}
	if before, there := m.seen.Texts[haproxy]; there {
		h.Added, h.Gone = moreServers(before, m.text(haproxy)), moreServers(m.text(haproxy), before)
	}
	return h
}

// refusals are why apply would not begin with a host as it is.
func (m *member) refusals() []Reason {
	list := []Reason{}
	if m.unfit != nil {
		list = append(list, *reason(m.unfit))
	}
	if err := m.drifted(); err != nil && !m.fleet.options.Force {
		list = append(list, *reason(err))
	}
	if err := m.rewind(); err != nil {
		list = append(list, *reason(err))
	}
	return list
}

// staging counts the files that apply would bring and leave to wait, and those
// that would wait no longer.
func (m *member) staging() (more, less int) {
	waits := m.waits()
	for p, w := range waits {
		if m.seen.Waits[p] != w {
			more++
		}
	}
	for p := range m.seen.Waits {
		if _, still := waits[p]; !still {
			less++
		}
	}
	if m.heldOld() {
		more++
	}
	return more, less
}

// largest is the size in bytes up to which a file's differences are shown; the
// host gives none of a larger one.
const largest = 1 << 20

// shown adds to a change what can be shown of it.
func (m *member) shown(c Change, diffs bool) FileChange {
	fc := FileChange{Change: c}
	at := slices.IndexFunc(m.want, func(w wanted) bool { return w.Path == c.Path })
	now := m.seen.Files[c.Path]
	switch {
	case c.Kind == ModeOnly:
		fc.Mode = fmt.Sprintf("%s %s → %s %s", now.Mode, now.Owner, m.want[at].Mode, m.want[at].Owner)
	case c.Kind != Changed || !diffs:
	case c.Secret:
		fc.Unshown = "secret"
	case c.Foreign:
		fc.Unshown = "what is there is not plonec's" // and may hold a secret that nobody here knows
	case c.Drift:
		fc.Unshown, fc.Differs = "changed by hand", m.seen.Differs[c.Path] // and so may this
	default:
		before, there := m.seen.Texts[c.Path]
		after := m.text(c.Path)
		switch {
		case !there || len(after) > largest:
			fc.Unshown = "large"
		case binary(before) || binary(after):
			fc.Unshown = "binary"
		default:
			fc.Diff = m.fleet.redact.Redact(hunks(c.Path, before, after))
		}
	}
	return fc
}

func binary(text []byte) bool { return bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text) }

// hunks is a unified diff without its head.
func hunks(path string, before, after []byte) string {
	text := diff.Diff(path, before, path, after)
	for range 3 {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	return string(text)
}

// text is the content of a file that the host should have; nil where it should
// have none.
func (m *member) text(path string) []byte {
	at := slices.IndexFunc(m.want, func(w wanted) bool { return w.Path == path })
	if at < 0 {
		return nil
	}
	return m.want[at].text()
}

// moreServers lists the names of servers that after has more than before,
// sorted.
func moreServers(before, after []byte) []string {
	old := servers(before)
	var names []string
	for s := range servers(after) {
		name, _, _ := strings.Cut(s, " ")
		if !old[s] && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// ReadPlan reads what plonec plan --out wrote.
func ReadPlan(data []byte) (*Plan, error) {
	var p Plan
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, err
	}
	if p.Format != planFormat {
		return nil, fmt.Errorf("its format is %d and this plonec reads format %d", p.Format, planFormat)
	}
	return &p, nil
}

// changes are those of its files.
func (h *HostPlan) changes() []Change {
	var list []Change
	for _, f := range h.Files {
		list = append(list, f.Change)
	}
	return list
}

// foreseen is what has to be as it was foretold of changes: less the secret files
// of which a plan without values could not tell.
func (h *HostPlan) foreseen(changes []Change) []string {
	var list []string
	for _, c := range changes {
		if !slices.Contains(h.Unasked, c.Path) {
			list = append(list, fmt.Sprintf("%s %s %s", c.Path, c.Kind, c.Waits))
		}
	}
	return list
}

// unforeseen says what is not as the plan has it: hosts, or what would happen
// on one.
func (f *Fleet) unforeseen() []error {
	if f.options.Plan == nil {
		return nil
	}
	var errs []error
	add := func(host, text string) {
		errs = append(errs, &HostError{host, "plan", &hinted{text, "run plonec plan again"}})
	}
	planned := map[string]HostPlan{}
	for _, h := range f.options.Plan.Hosts {
		planned[h.Host] = h
		if !slices.Contains(f.Names(), h.Host) {
			add(h.Host, "it was planned for, and is not one of the hosts now")
		}
	}
	for _, m := range f.members {
		h, ok := planned[m.Name]
		switch {
		case !ok:
			add(m.Name, "it was not planned for")
		case h.Digest != m.seen.digest():
			add(m.Name, "the host has changed since it was planned for")
		case !slices.Equal(h.foreseen(h.changes()), h.foreseen(m.changes)):
			add(m.Name, "other files change than was planned for: are the secrets the same?")
		}
	}
	return errs
}
