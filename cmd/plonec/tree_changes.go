package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/plonec/plonec/hosts"
	"github.com/plonec/plonec/tree"
)

// treeChanges are the files of hosts that differ between two trees, as a plan
// shows them. What differs of a host in the manifest alone, such as how it is
// reached, is a change of the manifest. The files of a host that comes or goes
// are not among them.
func treeChanges(before, after *tree.Tree) *planReport {
	r := &planReport{Plan: &hosts.Plan{}}
	old, now := filesOf(before), filesOf(after)
	for _, h := range after.Manifest.Hosts {
		was := slices.IndexFunc(before.Manifest.Hosts, func(b tree.Host) bool { return b.Name == h.Name })
		if was < 0 {
			continue
		}
		p := hosts.HostPlan{Host: h.Name, Address: h.Address}
		if a, b := asJSON(before.Manifest.Hosts[was]), asJSON(h); a != b {
			c := change(hosts.Changed, tree.ManifestName, a, b)
			c.Diff = withoutContext(c.Diff)
			p.Files = append(p.Files, c)
		}
		p.Files = append(p.Files, changesOf(old[h.Name], now[h.Name])...)
		r.Hosts = append(r.Hosts, p)
	}
	return r
}

// A treeFile is a file of a host in a tree: its content, or where the values
// of a secret's file come from.
type treeFile struct {
	path, mode, content string
	secret              bool
}

// filesOf are the files of each host, in the order of the manifest.
func filesOf(t *tree.Tree) map[string][]treeFile {
	files := map[string][]treeFile{}
	for i, f := range t.Manifest.Files {
		files[f.Host] = append(files[f.Host], treeFile{f.Path, f.Mode + " " + f.Owner, string(t.Content(i)), false})
	}
	for _, s := range t.Manifest.Secrets {
		entries, _ := json.Marshal(s.Entries) // texts always marshal
		files[s.Host] = append(files[s.Host], treeFile{s.Path, s.Mode + " " + s.Owner, s.Format + string(entries), true})
	}
	return files
}

// changesOf compares the files of one host.
func changesOf(before, after []treeFile) []hosts.FileChange {
	var list []hosts.FileChange
	old := map[string]treeFile{}
	for _, f := range before {
		old[f.path] = f
	}
	for _, f := range after {
		was, there := old[f.path]
		delete(old, f.path)
		c := hosts.FileChange{Change: hosts.Change{Path: f.path, Secret: f.secret}}
		switch {
		case !there:
			c.Kind = hosts.Added
		case was == f:
			continue
		case f.secret || was.secret:
			c.Kind, c.Secret = hosts.Changed, true
		case was.content == f.content:
			c.Kind, c.Mode = hosts.ModeOnly, was.mode+" → "+f.mode
		default:
			c = change(hosts.Changed, f.path, was.content, f.content)
		}
		list = append(list, c)
	}
	for _, f := range before {
		if _, gone := old[f.path]; gone {
			list = append(list, hosts.FileChange{Change: hosts.Change{Path: f.path, Kind: hosts.Removed, Secret: f.secret}})
		}
	}
	return list
}

func change(kind hosts.ChangeKind, path, before, after string) hosts.FileChange {
	text := diff.Diff(path, []byte(before), path, []byte(after))
	for range 3 { // its head
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	return hosts.FileChange{Change: hosts.Change{Path: path, Kind: kind}, Diff: string(text)}
}

// withoutContext are the lines of a difference that are not on both sides.
func withoutContext(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if line[0] == '+' || line[0] == '-' {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// cropped is a text of at most most lines and a last one that counts the rest.
func cropped(text string, most int) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) <= most+1 {
		return text
	}
	return strings.Join(lines[:most], "\n") + fmt.Sprintf("\n  … %d more lines (--full)", len(lines)-most)
}
