package trust

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/words"
)

// A tree says where its hosts are, and a branch may say anything: whoever changes an
// address has what root is given there, and ssh's own known_hosts is a file of the
// branch too. So hosts are taken as the branch that is deployed from has them, and
// one that the tree at hand has elsewhere is shown before anything connects to it.
// That a branch descends from what hosts have proves nothing: every branch does.

// A reach is how ssh gets to a host, and by what it knows it.
type reach struct {
	Address    string `json:"ssh_address"`
	User       string `json:"user,omitempty"`
	Port       int    `json:"port,omitempty"`
	KnownHosts string `json:"known_hosts,omitempty"` // as the manifest names it
	Keys       string `json:"keys,omitempty"`        // the sum of its keys; empty: it has none, or is not the repository's
}

// A roll is what one place says of hosts.
type roll struct {
	Hosts map[string]reach  `json:"hosts"`
	Keys  map[string]string `json:"keys"` // lines of known_hosts files, by their sums

	keys func(name string) (string, bool)
	sums map[string]string // by the names of the files
}

// rollOf is what a manifest says of hosts. keys reads a known_hosts as the manifest
// names it; false: it is not there, or not the repository's.
func rollOf(list []tree.Host, keys func(name string) (string, bool)) *roll {
	r := &roll{Hosts: map[string]reach{}, Keys: map[string]string{}, keys: keys, sums: map[string]string{}}
	for _, h := range list {
		r.Hosts[h.Name] = r.reach(h)
	}
	return r
}

// reach says where a host is. Each known_hosts is read once.
func (r *roll) reach(h tree.Host) reach {
	file := h.SSH.KnownHosts
	sum, read := r.sums[file]
	if !read && file != "" {
		text, _ := r.keys(file)
		if lines := keyLines(text); len(lines) > 0 {
			text = strings.Join(lines, "\n") + "\n"
			sum = tree.Sum([]byte(text))
			r.Keys[sum] = text
		}
		r.sums[file] = sum
	}
	return reach{h.SSHAddress, h.SSH.User, h.SSH.Port, file, sum}
}

// A row is a line about hosts of which the same is to be said.
type row struct {
	hosts []string
	text  string
}

func (r row) String() string { return strings.Join(words.Runs(r.hosts), " ") + "  " + r.text }

// manyRows are so many that those which say the same become one.
const manyRows = 20

// strange says of which hosts a tree says otherwise than those who are trusted do:
// first where they were and are, then other keys, then those that are new; none: all is
// as it should be. Each entry of the list is judged by itself, as each is connected to,
// and none is left out however many there are. The first of trusted that knows a host
// says what it was.
func strange(list []tree.Host, at Location, now *roll, trusted ...*roll) []string {
	var changed []row
	var keys keyChanges
	var unknown []namedReach
	for _, h := range list {
		is := now.reach(h)
		if slices.ContainsFunc(trusted, func(r *roll) bool { was, known := r.Hosts[h.Name]; return known && was == is }) {
			continue
		}
		i := slices.IndexFunc(trusted, func(r *roll) bool { _, known := r.Hosts[h.Name]; return known })
		if i < 0 {
			unknown = append(unknown, namedReach{h.Name, is.shown(at)})
			continue
		}
		was := trusted[i].Hosts[h.Name]
		if changes := was.shown(at).changes(is.shown(at)); len(changes) > 0 {
			changed = append(changed, row{[]string{h.Name}, strings.Join(changes, ", ")})
		}
		if was.Keys != is.Keys {
			keys.add(h.Name, trusted[i].Keys[was.Keys], now.Keys[is.Keys], was, is)
		}
	}
	var lines []string
	if len(changed) > manyRows {
		changed = together(changed)
	}
	for _, r := range changed {
		lines = append(lines, r.String())
	}
	for _, k := range keys {
		lines = append(lines, row{k.hosts, "known_hosts holds other keys"}.String())
		for _, line := range k.lines() {
			lines = append(lines, "  "+line)
		}
	}
	for _, r := range newRows(unknown) {
		lines = append(lines, r.String())
	}
	return lines
}

// together makes one of rows that say the same.
func together(rows []row) []row {
	var list []row
	at := map[string]int{}
	for _, r := range rows {
		i, there := at[r.text]
		if !there {
			i, at[r.text] = len(list), len(list)
			list = append(list, row{text: r.text})
		}
		list[i].hosts = append(list[i].hosts, r.hosts...)
	}
	return list
}

// A namedReach is where a host is.
type namedReach struct {
	name string
	reach
}

// newRows tells of hosts that nobody knows. Of many, those that differ by their
// addresses alone are one row, which has them all.
func newRows(list []namedReach) []row {
	var rows []row
	if len(list) <= manyRows {
		for _, h := range list {
			rows = append(rows, row{[]string{h.name}, "new: " + h.String()})
		}
		return rows
	}
	var alike []reach // without their addresses
	addresses := map[reach][]string{}
	names := map[reach][]string{}
	for _, h := range list {
		key := h.reach
		key.Address, key.Keys = "", ""
		if _, there := names[key]; !there {
			alike = append(alike, key)
		}
		names[key], addresses[key] = append(names[key], h.name), append(addresses[key], h.Address)
	}
	for _, key := range alike {
		all := key
		all.Address = strings.Join(words.Runs(addresses[key]), " ")
		rows = append(rows, row{names[key], "new: " + all.String()})
	}
	return rows
}

// shown is the same for a reader: a known_hosts that is no file of the repository is
// called what it is.
func (r reach) shown(at Location) reach {
	if _, inside := at.inside(r.KnownHosts); !inside && r.KnownHosts != "" && at.Top != "" {
		r.KnownHosts += " (this machine's own, not compared)"
	}
	return r
}

// String is where ssh goes.
func (r reach) String() string {
	text := r.Address
	if r.User != "" {
		text = r.User + "@" + text
	}
	if r.Port != 0 {
		text += " port " + strconv.Itoa(r.Port)
	}
	if r.KnownHosts != "" {
		text += ", known_hosts " + r.KnownHosts
	}
	return text
}

// changes says in words what is another; but for the content of known_hosts.
func (r reach) changes(is reach) []string {
	port := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	var list []string
	for _, f := range []struct{ what, was, is string }{
		{"ssh address", r.Address, is.Address}, {"user", r.User, is.User}, {"port", port(r.Port), port(is.Port)},
		{"known_hosts", r.KnownHosts, is.KnownHosts},
	} {
		if f.was != f.is {
			list = append(list, fmt.Sprintf("%s %s → %s", f.what, cmp.Or(f.was, "not set"), cmp.Or(f.is, "not set")))
		}
	}
	return list
}
