package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/tree"
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
	Keys       string `json:"keys,omitempty"`        // the sum of that file; empty: it is not there, or not the repository's
}

// A roll is what one place says of hosts.
type roll struct {
	Hosts map[string]reach  `json:"hosts"`
	Keys  map[string]string `json:"keys"` // contents of known_hosts files, by their sums
}

// rollOf is what a manifest says of hosts. keys reads a known_hosts as the manifest
// names it; false: it is not there, or not the repository's.
func rollOf(list []tree.Host, keys func(name string) (string, bool)) *roll {
	r := &roll{Hosts: map[string]reach{}, Keys: map[string]string{}}
	sums := map[string]string{}
	for _, h := range list {
		file := h.SSH.KnownHosts
		sum, read := sums[file]
		if !read && file != "" {
			if text, ok := keys(file); ok {
				text = strings.ReplaceAll(text, "\r\n", "\n")
				sum = sumOf([]byte(text))
				r.Keys[sum] = text
			}
			sums[file] = sum
		}
		r.Hosts[h.Name] = reach{h.SSHAddress, h.SSH.User, h.SSH.Port, file, sum}
	}
	return r
}

// strange says of which hosts a tree says otherwise than those who are trusted do, a
// line for each; none: all is as it should be. The first of trusted that knows a
// host says what it was.
func strange(list []tree.Host, at *roll, trusted ...*roll) []string {
	var lines []string
	var keys keyChanges
	for _, h := range list {
		is := at.Hosts[h.Name]
		if slices.ContainsFunc(trusted, func(r *roll) bool { was, known := r.Hosts[h.Name]; return known && was == is }) {
			continue
		}
		i := slices.IndexFunc(trusted, func(r *roll) bool { _, known := r.Hosts[h.Name]; return known })
		if i < 0 {
			lines = append(lines, h.Name+"  new: "+is.String())
			continue
		}
		was := trusted[i].Hosts[h.Name]
		if changes := was.changes(is); len(changes) > 0 {
			lines = append(lines, h.Name+"  "+strings.Join(changes, ", "))
		}
		if was.Keys != is.Keys {
			keys.add(h.Name, trusted[i].Keys[was.Keys], at.Keys[is.Keys])
		}
	}
	for _, k := range keys {
		lines = append(lines, strings.Join(runs(k.hosts), " ")+"  known_hosts holds other keys")
		for _, line := range k.lines() {
			lines = append(lines, "  "+line)
		}
	}
	return lines
}

// keyChanges are known_hosts files whose content is another, each with the hosts that
// are known by it.
type keyChanges []keyChange

type keyChange struct {
	hosts         []string
	before, after string // contents
}

func (list *keyChanges) add(host, before, after string) {
	for i := range *list {
		if k := &(*list)[i]; k.before == before && k.after == after {
			k.hosts = append(k.hosts, host)
			return
		}
	}
	*list = append(*list, keyChange{[]string{host}, before, after})
}

// lines are those that the file got and lost, with fingerprints.
func (k keyChange) lines() []string {
	const most = 10
	was, is := sayingLines(k.before), sayingLines(k.after)
	var list []string
	for _, line := range without(was, is) {
		list = append(list, "- "+fingerprint(line))
	}
	for _, line := range without(is, was) {
		list = append(list, "+ "+fingerprint(line))
	}
	if more := len(list) - most; more > 0 {
		list = append(list[:most], fmt.Sprintf("and %s more", count(more, "line")))
	}
	return list
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

// fingerprint is a line of known_hosts with its key as ssh-keygen -l shows it.
func fingerprint(line string) string {
	words := strings.Fields(line)
	for i, word := range words {
		if key, err := base64.StdEncoding.DecodeString(word); err == nil && len(key) > 20 && i > 1 {
			sum := sha256.Sum256(key)
			return strings.Join(words[:i], " ") + " SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
		}
	}
	return line
}
