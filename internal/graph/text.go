package graph

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shown is a text as a reader may see it: what is no character, and what
// would turn the direction of its neighbours or has no sign of its own, is
// replaced.
func shown(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, r == 0xFFFE, r == 0xFFFF, unicode.Is(unicode.C, r):
			return utf8.RuneError
		case unicode.Is(unicode.Z, r):
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

// foldFrom is how many hosts have to run the same to be drawn as a list of
// names under what each of them runs.
const foldFrom = 4

// A section is hosts of a group that run the same.
type section struct {
	hosts []Host
	runs  []Process
}

func (s section) folded() bool { return len(s.hosts) >= foldFrom }

// sections divides a group's hosts by what they run; what is folded comes last.
func (g *Group) sections() []section {
	var all, single, folded []section
	at := map[string]int{}
	for _, h := range g.Hosts {
		key := fmt.Sprintf("%q %q", h.Runs, h.Also)
		i, ok := at[key]
		if !ok {
			i = len(all)
			at[key] = i
			all = append(all, section{runs: h.Runs})
		}
		all[i].hosts = append(all[i].hosts, h)
	}
	for _, s := range all {
		if s.folded() {
			folded = append(folded, s)
		} else {
			single = append(single, s)
		}
	}
	return append(single, folded...)
}

// lines are what a host runs, a line each.
func lines(runs []Process) []string {
	var list []string
	for _, p := range runs {
		list = append(list, strings.TrimSpace(p.What+" "+p.At))
	}
	return list
}

// head is what a host is called, with its address.
func (h Host) head() []string {
	var list []string
	for _, s := range []string{h.Name, h.Address} {
		if s != "" {
			list = append(list, s)
		}
	}
	if h.Status != "" {
		list = append(list, "("+h.status()+")")
	}
	return list
}

// status is OpsWorks' word for a host that is not online, for people.
func (h Host) status() string { return strings.ReplaceAll(h.Status, "_", " ") }
