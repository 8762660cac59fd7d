package report

import (
	pathpkg "path"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/words"
)

// A change is a change of one or more files, the same on some hosts.
type change struct {
	sign  string // +, - or ~
	hosts []string
	paths []string // of one folder
	note  string   // what else is to be known of it
	diff  string
	waits bool

	common string // diff, less what differs from one to the next
}

// text shows it as a line, and the differences below. all is how many hosts
// there are.
func (c *change) text(all int) string {
	line := c.sign + " " + hostList(c.hosts, all) + " " + words.Braces(c.paths)
	if c.note != "" {
		line += "  (" + c.note + ")"
	}
	if c.diff == "" {
		return line + "\n"
	}
	return line + "\n" + terminal.PrintableLines(c.diff) + "\n"
}

// changes lists what changes, what apply does first, and what is one line
// before what has differences. The same change on several hosts is one, also
// where only the host's own name or address differs, and so is that of several
// units which differ in their names.
func (r *Plan) changes() []change {
	var list []change
	// fold adds a change to one that is the same, or else to the list.
	fold := func(c change, same func(change) bool) *change {
		i := slices.IndexFunc(list, func(o change) bool {
			return o.sign == c.sign && o.note == c.note && o.waits == c.waits && same(o)
		})
		if i < 0 {
			list = append(list, c)
			return nil
		}
		return &list[i]
	}
	for _, h := range r.Hosts {
		for _, f := range h.Files {
			c := change{sign: sign(f.Kind), hosts: []string{h.Host}, paths: []string{f.Path}, note: note(f), waits: f.Waits != ""}
			c.diff = f.Diff
			c.common = generic(generic(f.Diff, h.Address, "{address}"), h.Host, "{host}")
			if o := fold(c, func(o change) bool { return o.paths[0] == f.Path && o.common == c.common }); o != nil {
				o.hosts = append(o.hosts, h.Host)
				if o.diff != c.diff {
					o.diff = o.common
				}
			}
		}
	}
	all := list
	list = nil
	for _, c := range all {
		name := pathpkg.Base(c.paths[0])
		c.common = generic(generic(c.diff, name, "{unit}.service"), strings.TrimSuffix(name, ".service"), "{unit}")
		o := fold(c, func(o change) bool {
			return slices.Equal(o.hosts, c.hosts) && pathpkg.Dir(o.paths[0]) == pathpkg.Dir(c.paths[0]) && o.common == c.common
		})
		if o != nil {
			o.paths = append(o.paths, c.paths...)
			if o.diff != c.diff {
				o.diff = o.common
			}
		}
	}
	// What goes live comes first, and what is one line.
	slices.SortStableFunc(list, func(a, b change) int {
		order := func(c change) int {
			n := 0
			if c.waits {
				n = 2
			}
			if c.diff != "" {
				n++
			}
			return n
		}
		return order(a) - order(b)
	})
	for i := range list {
		var own []string
		for _, word := range []string{"{host}", "{address}", "{unit}"} {
			if strings.Contains(list[i].diff, word) {
				own = append(own, word)
			}
		}
		if len(own) > 0 {
			list[i].note = strings.TrimPrefix(list[i].note+", same but for "+strings.Join(own, " and "), ", ")
		}
	}
	return list
}

func sign(kind plan.ChangeKind) string {
	switch kind {
	case plan.Added:
		return "+"
	case plan.Removed:
		return "-"
	}
	return "~"
}

// note says what else is to be known of a change.
func note(c plan.FileChange) string {
	var parts []string
	add := func(when bool, text string) {
		if when {
			parts = append(parts, text)
		}
	}
	add(c.Mode != "", terminal.Printable(c.Mode))
	add(c.Drift && c.Kind == plan.Added, "removed by hand")
	add(c.Drift && c.Kind != plan.Added && c.Differs == 0, "changed by hand")
	add(c.Differs > 0, "changed by hand: "+words.Count(c.Differs, "line"))
	add(c.Secret, "secret")
	add(c.Foreign && c.Kind != plan.Removed, "the existing file is not plonec's and is kept aside")
	add(c.Foreign && c.Kind == plan.Removed, "the file from before plonec comes back")
	add(c.Unshown == "large" || c.Unshown == "binary", c.Unshown+", not shown")
	switch c.Waits {
	case "":
	case plan.Front:
		parts = append(parts, "waits for the clients")
	default:
		parts = append(parts, "waits for "+c.Waits)
	}
	return strings.Join(parts, ", ")
}

// generic puts a placeholder in the place of a word that is a host's own.
func generic(text, word, placeholder string) string {
	if word == "" {
		return text
	}
	inside := func(s string) bool {
		return strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_") == "" && s != ""
	}
	var b strings.Builder
	for {
		i := strings.Index(text, word)
		if i < 0 {
			return b.String() + text
		}
		end := i + len(word)
		if inside(text[max(i-1, 0):i]) || inside(text[end:min(end+1, len(text))]) {
			b.WriteString(text[:end])
		} else {
			b.WriteString(text[:i] + placeholder)
		}
		text = text[end:]
	}
}
