package tree

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A Difference is one thing that two manifests do not say alike.
type Difference struct {
	Host string // "*": every one; empty: it is of the tree as a whole
	Path string // of a file on the host; empty: it is of the host itself
	What string // in words: owner, mode, source of KEY; empty: the file or host is in one of the two alone
	From string // in words; empty: nothing
	To   string
}

// Where names the host and the file that a difference is about.
func (d Difference) Where() string {
	host := d.Host
	if host == "*" {
		host = "every host"
	}
	return strings.TrimSpace(host + " " + d.Path)
}

// Source tells whether it is where the value of a secret comes from.
func (d Difference) Source() bool { return strings.HasPrefix(d.What, "source") }

// Differences lists what to says otherwise than from: first what is of the whole
// tree, then of hosts, of files and of secrets, each in the order of the manifests.
// A source that begins with "stack:" is a value in the stack itself.
func Differences(from, to *Manifest) []Difference {
	list := compareKeyed("", from.whole(), to.whole())
	list = append(list, compareLists(from.Hosts, to.Hosts, func(h Host) Difference { return Difference{Host: h.Name} }, hostFields)...)
	list = append(list, compareLists(from.Files, to.Files, func(f File) Difference { return Difference{Host: f.Host, Path: f.Path} }, fileFields)...)
	return append(list, compareLists(from.Secrets, to.Secrets, func(s Secret) Difference { return Difference{Host: s.Host, Path: s.Path} }, secretFields)...)
}

// A field is something that a manifest says, in words.
type field struct{ what, value string }

func (m *Manifest) whole() []field {
	list := []field{
		{"format", fmt.Sprint(m.Format)},
		{"plonec", m.Plonec},
		{"stack", strings.Join(m.Inputs.Stack, ", ")},
		{"arguments", arguments(m.Inputs)},
	}
	for _, in := range m.Inputs.Files {
		list = append(list, field{"sum of " + in.Path, in.Sum})
	}
	return list
}

func arguments(in Inputs) string {
	var list []string
	for name, value := range in.ExtStr {
		list = append(list, "--ext-str "+name+"="+value)
	}
	for name, value := range in.TLAStr {
		list = append(list, "--tla-str "+name+"="+value)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func hostFields(h Host) []field {
	port := ""
	if h.SSH.Port != 0 {
		port = fmt.Sprint(h.SSH.Port)
	}
	list := []field{
		{"address", h.Address}, {"ssh address", h.SSHAddress}, {"ssh user", h.SSH.User}, {"ssh port", port},
		{"known_hosts", h.SSH.KnownHosts}, {"layers", strings.Join(h.Layers, ", ")}, {"status", h.Status},
		{"rank", fmt.Sprint(h.Rank)}, {"helpers", strings.Join(h.Helpers, " ")}, {"packages", strings.Join(h.Packages, " ")}, {"sum of the setup", h.Setup},
	}
	for _, s := range h.Services {
		list = append(list, field{"service " + s.Unit, strings.TrimSpace(fmt.Sprintf("%s of rank %d %s %s", s.Kind, s.Rank, s.App, s.Server))})
	}
	for _, a := range h.Apps {
		text, _ := json.Marshal(a) // it has nothing that JSON cannot write
		list = append(list, field{"app " + a.Name, string(text)})
	}
	return list
}

func fileFields(f File) []field {
	return []field{{"content", f.Sum}, {"owner", f.Owner}, {"mode", f.Mode}, {"effect", strings.Join(f.Effect, ", ")}}
}

func secretFields(s Secret) []field {
	list := []field{{"owner", s.Owner}, {"mode", s.Mode}, {"effect", strings.Join(s.Effect, ", ")}, {"format", s.Format}}
	for _, e := range s.Entries {
		list = append(list, field{strings.TrimSpace("source of " + e.Key), e.From()})
	}
	return list
}

// From says where the value comes from.
func (e SecretEntry) From() string {
	from := e.Source
	if at, ok := strings.CutPrefix(from, "stack:"); ok {
		from = "the stack itself, " + at
	}
	if e.Dir != "" && !strings.HasPrefix(from, "env:") {
		from += ", seen from " + e.Dir
	}
	return from
}

// compareLists compares entries that are told apart by what name says of them.
func compareLists[T any](from, to []T, name func(T) Difference, fields func(T) []field) []Difference {
	before := map[Difference]T{}
	for _, entry := range from {
		before[name(entry)] = entry
	}
	seen := map[Difference]bool{}
	var list []Difference
	for _, entry := range to {
		d := name(entry)
		earlier, there := before[d]
		seen[d] = true
		if !there {
			d.To = "there"
			list = append(list, d)
			continue
		}
		for _, c := range compareKeyed(d.Host, fields(earlier), fields(entry)) {
			c.Path = d.Path
			list = append(list, c)
		}
	}
	for _, entry := range from {
		if d := name(entry); !seen[d] {
			d.From = "there"
			list = append(list, d)
		}
	}
	return list
}

func compareKeyed(host string, from, to []field) []Difference {
	before := map[string]string{}
	for _, f := range from {
		before[f.what] = f.value
	}
	var list []Difference
	for _, f := range to {
		if was := before[f.what]; was != f.value {
			list = append(list, Difference{Host: host, What: f.what, From: was, To: f.value})
		}
		delete(before, f.what)
	}
	for _, f := range from {
		if was, left := before[f.what]; left && was != "" {
			list = append(list, Difference{Host: host, What: f.what, From: was})
		}
	}
	return list
}

// Refusal says in words what is wrong with to where from is right.
func (d Difference) Refusal() string {
	switch {
	case d.What == "" && d.From == "":
		return d.Where() + ": no build makes it"
	case d.What == "":
		return d.Where() + ": it is missing"
	case d.What == "content":
		return d.Where() + ": its content differs"
	}
	where := d.Where()
	if where == "" {
		where = ManifestName
	}
	return fmt.Sprintf("%s: %s is %s, not %s", where, d.What, cmp.Or(d.To, "not set"), cmp.Or(d.From, "not set"))
}
