package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/secret"
	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/tree"
)

// A Tree is what hosts are compared with, and what is known of its secrets.
type Tree struct {
	Disk     *tree.Disk
	Values   bool             // values of secrets are known, or will be: what the hosts have is compared with them
	Nonce    string           // hides sums of secrets on their way here; empty: each host has its own
	Redactor *secret.Redactor // masks the values that are known in what is shown
	sources  bool             // secret files are what their sources are: no value and no host is asked
}

// A Host is one host of a tree: what it should have, and how it is.
type Host struct {
	tree.Host
	tree    *Tree
	Secrets []secret.File // whose values are known
	Want    []Wanted
	Seen    *Observation // how it is; nil: not asked yet
	Changes []Change     // what apply, and what follows it, changes there
}

// NewHost is a host of the tree that nobody has asked yet. It should have the files
// that the tree has for it.
func NewHost(t *Tree, h tree.Host) (*Host, error) {
	m := &Host{Host: h, tree: t}
	var err error
	m.Want, err = m.files(&Observation{})
	return m, err
}

// See takes how the host is, and works out what apply would change there. o has the
// content of what Unread names.
func (m *Host) See(o *Observation) error {
	m.Seen = o
	var err error
	if m.Want, err = m.files(o); err != nil {
		return err
	}
	hold, err := m.holds()
	if err != nil {
		return err
	}
	m.Changes = m.compare(hold)
	return nil
}

// Unread lists the files whose content See needs beside what was observed so far.
func (m *Host) Unread(o *Observation) []string {
	at := slices.IndexFunc(m.Want, func(w Wanted) bool { return w.Path == Balancing })
	if at < 0 || !m.replaces(o, m.Want[at]) || o.Texts[Balancing] != nil {
		return nil
	}
	return []string{Balancing}
}

// replaces tells whether a file is there as plonec put it, and is not what it should be.
func (m *Host) replaces(o *Observation, w Wanted) bool {
	live, ours := o.Live[w.Path]
	now := o.Files[w.Path]
	return ours && now.Sum != w.Sum && now.Sum == live.Sum
}

// Fit tells whether the host can be worked with.
func (m *Host) Fit() error {
	o := m.Seen
	const least = 200 << 10
	switch {
	case o.Missing != "":
		return diag.WithRemedy("the host has no "+strings.ReplaceAll(o.Missing, " ", ", "), "install rsync (apt-get install rsync) and a current systemd")
	case o.Unconfirmed != "":
		return diag.WithRemedy("an earlier change, generation "+o.Unconfirmed+", is waiting to be confirmed or reverted", "wait a minute, then try again")
	case o.FreeKiB < least:
		return diag.WithRemedy(fmt.Sprintf("the host has %d MiB free below /var/lib/plonec", o.FreeKiB>>10), "make room: 200 MiB at least")
	}
	for _, s := range m.Services {
		if s.IPv6 && o.NoIPv6 {
			return diag.WithRemedy("the kernel of the host has no IPv6, and "+s.Unit+" is to listen on IPv6", "set "+service.Named(s.Kind).IPv6.Path+" to false, then build, commit and apply")
		}
	}
	for _, w := range m.Want {
		if o.Odd[w.Path] {
			return diag.WithRemedy(w.Path+" is not a regular file", "remove it by hand, if it is not needed")
		}
	}
	return nil
}

// holds are the files that have to wait until clients of other hosts run: a
// balancer's configuration with servers that are not there yet.
func (m *Host) holds() (map[string]bool, error) {
	at := slices.IndexFunc(m.Want, func(w Wanted) bool { return w.Path == Balancing })
	if at < 0 || !m.replaces(m.Seen, m.Want[at]) {
		return nil, nil
	}
	text, err := m.tree.Disk.Read(m.Want[at].Rel)
	if err != nil {
		return nil, err
	}
	if sendsElsewhere(m.Seen.Texts[Balancing], text) {
		return map[string]bool{Balancing: true}, nil
	}
	return nil, nil
}

// files lists what the host should have, as it is: the content of some files
// depends on that.
func (m *Host) files(o *Observation) ([]Wanted, error) {
	var list []Wanted
	for _, file := range m.tree.Disk.Manifest.Files {
		if file.Host == "*" || file.Host == m.Name {
			list = append(list, Wanted{Path: file.Path, Sum: file.Sum, Mode: file.Mode, Owner: file.Owner, Effects: file.Effect, Rel: file.Rel()})
		}
	}
	for _, s := range m.secretFiles() {
		w := Wanted{Path: s.Path, Mode: s.Mode, Owner: s.Owner, Effects: s.Effect, Format: s.Format, Sources: sourcesSum(s)}
		at := slices.IndexFunc(m.Secrets, func(f secret.File) bool { return f.Path == s.Path })
		switch from := o.Sources[s.Path]; {
		case at >= 0:
			data, err := m.Secrets[at].Bytes(o.Texts[s.Path])
			if err != nil {
				return nil, err
			}
			w.Content, w.Sum = data, m.tree.hide(tree.Sum(data))
		case m.tree.sources:
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
func (m *Host) secretFiles() []tree.Secret {
	var list []tree.Secret
	for _, s := range m.tree.Disk.Manifest.Secrets {
		if s.Host == m.Name {
			list = append(list, s)
		}
	}
	return list
}

// pendingPath is where a file waits for an app.
func pendingPath(app, path string) string { return StateDir + "/pending/" + app + path }
