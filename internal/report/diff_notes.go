package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/words"
	"github.com/plonec/plonec/schema"
)

// ChangesOfTopology lists what to think about where hosts get more or less to do: clients,
// threads, connections.
func ChangesOfTopology(before, after *topology.Topology) []string {
	names := renamed(before, after)
	var list []string
	for _, old := range slices.Sorted(maps.Keys(names)) {
		list = append(list, fmt.Sprintf("%s has the address of %s: if it is the same machine under another name, it goes on as it is; what is said of setting up the one and retiring the other is for two machines", names[old], old))
	}
	list = append(list, visitors(before, after)...)
	type size struct{ clients, threads int }
	sizes := func(t *topology.Topology) map[string]size {
		all := map[string]size{}
		for _, h := range t.Hosts {
			for _, a := range h.Apps {
				s := all[a.Name]
				for _, c := range a.Clients {
					if h.Online {
						s.clients, s.threads = s.clients+1, s.threads+c.Threads
					}
				}
				all[a.Name] = s
			}
		}
		return all
	}
	was, is := sizes(before), sizes(after)
	apps := maps.Clone(was)
	maps.Copy(apps, is)
	for _, app := range slices.Sorted(maps.Keys(apps)) {
		var parts []string
		if a, b := was[app], is[app]; a != b {
			if a.clients != b.clients {
				parts = append(parts, fmt.Sprintf("clients %d → %d", a.clients, b.clients))
			}
			if a.threads != b.threads {
				parts = append(parts, fmt.Sprintf("threads, and connections to the database, %d → %d", a.threads, b.threads))
			}
			list = append(list, app+": "+strings.Join(parts, ", "))
		}
	}
	earlier := before.Flows()
	for i, f := range earlier {
		earlier[i].From, earlier[i].To = cmp.Or(names[f.From], f.From), cmp.Or(names[f.To], f.To)
	}
	list = append(list, flows("new connections: ", earlier, after.Flows())...)
	return append(list, flows("no longer needed: ", after.Flows(), earlier)...)
}

// flows names the connections of after that before has not: lb1 → app1 app2 tcp
// 8085-8086.
func flows(title string, before, after []topology.Flow) []string {
	type pair struct{ from, to string }
	ports := map[pair][]int{}
	var pairs []pair
	for _, f := range after {
		if slices.Contains(before, f) {
			continue
		}
		p := pair{f.From, f.To}
		if ports[p] == nil {
			pairs = append(pairs, p)
		}
		ports[p] = append(ports[p], f.Port)
	}
	// Hosts that are reached at the same ports are one entry, and so are those
	// that reach them.
	type entry struct {
		from, to []string
		ports    string
	}
	var list []entry
	for _, p := range pairs {
		text := ranges(ports[p])
		i := slices.IndexFunc(list, func(e entry) bool { return e.from[0] == p.from && e.ports == text })
		if i < 0 {
			list = append(list, entry{[]string{p.from}, []string{p.to}, text})
			continue
		}
		list[i].to = append(list[i].to, p.to)
	}
	var folded []entry
	for _, e := range list {
		i := slices.IndexFunc(folded, func(o entry) bool { return o.ports == e.ports && slices.Equal(o.to, e.to) })
		if i < 0 {
			folded = append(folded, e)
			continue
		}
		folded[i].from = append(folded[i].from, e.from...)
	}
	var texts []string
	for _, e := range folded {
		texts = append(texts, fmt.Sprintf("%s%s → %s tcp %s", title, strings.Join(words.Runs(e.from), " "), strings.Join(words.Runs(e.to), " "), e.ports))
	}
	return texts
}

// ranges writes numbers shortly: 8085-8086, 9085.
func ranges(numbers []int) string {
	slices.Sort(numbers)
	var parts []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] <= numbers[j]+1 {
			j++
		}
		if numbers[i] == numbers[j] {
			parts = append(parts, fmt.Sprint(numbers[i]))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", numbers[i], numbers[j]))
		}
		i = j + 1
	}
	return strings.Join(parts, ", ")
}

// renamed are hosts of before that are gone, with those of after that are new and
// have the same address.
func renamed(before, after *topology.Topology) map[string]string {
	was, is := addresses(before), addresses(after)
	names := map[string]string{}
	for name, address := range was {
		for other, a := range is {
			if a == address && is[name] == "" && was[other] == "" {
				names[name] = other
			}
		}
	}
	return names
}

func addresses(t *topology.Topology) map[string]string {
	list := map[string]string{}
	for _, h := range t.Hosts {
		list[h.Name] = h.Address
	}
	return list
}

// fronts are the addresses at which visitors are received.
func fronts(t *topology.Topology) []string {
	var list []string
	for _, h := range t.Hosts {
		if h.Online && h.Front != nil {
			list = append(list, h.Address)
		}
	}
	return list
}

// visitors lists what changes for those who come from outside: where a site is,
// and which names it has.
func visitors(before, after *topology.Topology) []string {
	var list []string
	was, is := fronts(before), fronts(after)
	gone, more := words.Without(was, is), words.Without(is, was)
	switch {
	case len(gone) > 0 && len(is) > 0:
		list = append(list, fmt.Sprintf("visitors come to %s, no longer to %s: DNS, or what stands before", strings.Join(is, ", "), strings.Join(gone, ", ")))
	case len(more) > 0 && len(was) > 0:
		list = append(list, fmt.Sprintf("visitors may come to %s too: DNS, or what stands before", strings.Join(more, ", ")))
	}
	earlier, later := domains(before), domains(after)
	for _, app := range slices.Sorted(maps.Keys(earlier)) {
		names, there := later[app]
		lost := words.Without(earlier[app], names)
		switch {
		case len(lost) == 0:
		case there && len(names) == 0:
			list = append(list, app+" answers to every name, no longer to "+strings.Join(lost, " ")+" alone")
		default:
			list = append(list, app+" no longer answers to "+strings.Join(lost, " "))
		}
	}
	return list
}

// domains are the names of the apps that front ends serve.
func domains(t *topology.Topology) map[string][]string {
	list := map[string][]string{}
	for _, h := range t.Hosts {
		for _, a := range h.Apps {
			if h.Online && len(a.Clients) > 0 {
				list[a.Name] = a.Config.Domains
			}
		}
	}
	return list
}

// Outages adds what only both stacks tell: that nobody is left to receive
// visitors, or that a database is elsewhere.
func Outages(known []string, before, after *topology.Topology) []string {
	if len(fronts(before)) > 0 && len(fronts(after)) == 0 {
		known = append(known, "no front end is left: no visitor reaches anything")
	}
	was, is := serving(before), serving(after)
	names := renamed(before, after)
	for _, app := range slices.Sorted(maps.Keys(was)) {
		from := cmp.Or(names[was[app]], was[app])
		said := slices.ContainsFunc(known, func(text string) bool { return strings.HasPrefix(text, "the database of "+app+" moves") })
		if to := is[app]; to != "" && to != from && !said {
			known = append(known, fmt.Sprintf("the %s of %s moves from %s to %s: in a quiet hour stop the app, bring the data to its new place, then deploy", service.Store().Title, app, from, to))
		}
	}
	return known
}

// serving are the hosts of the databases, by app.
func serving(t *topology.Topology) map[string]string {
	list := map[string]string{}
	for _, h := range t.Hosts {
		for _, a := range h.Apps {
			if h.Online && a.Serves() {
				list[a.Name] = h.Name
			}
		}
	}
	return list
}

// PlainSecrets says where values go that stand in the stack itself: no file of
// the tree shows that they are others.
func PlainSecrets(causes []Cause, m *tree.Manifest) []string {
	var list []string
	for _, c := range causes {
		source := "stack:" + schema.Pointer(c.Keys)
		var files []string
		for _, s := range m.Secrets {
			for _, e := range s.Entries {
				if e.Source == source {
					files = append(files, s.Host+":"+s.Path)
				}
			}
		}
		if len(files) > 0 {
			list = append(list, "the value of "+c.Path+" goes to "+strings.Join(files, ", ")+": plonec plan shows what that does")
		}
	}
	return list
}

// judgedBy names the known_hosts by which ssh knows a host.
func judgedBy(h tree.Host) string {
	return cmp.Or(h.SSH.KnownHosts, "your own known_hosts")
}

// ChangesOfAddresses says which hosts ssh will look for in another way.
func ChangesOfAddresses(before, after []tree.Host) []string {
	var list []string
	for _, h := range after {
		at := slices.IndexFunc(before, func(b tree.Host) bool { return b.Name == h.Name })
		if at < 0 {
			continue
		}
		how := func(h tree.Host) string {
			text := h.SSHAddress
			if h.SSH.User != "" {
				text = h.SSH.User + "@" + text
			}
			if h.SSH.Port != 0 {
				text += fmt.Sprintf(" port %d", h.SSH.Port)
			}
			return text
		}
		switch was, is := how(before[at]), how(h); {
		case was != is:
			list = append(list, fmt.Sprintf("%s is reached by ssh as %s, no longer %s", h.Name, is, was))
		case before[at].SSH != h.SSH:
			list = append(list, fmt.Sprintf("%s: ssh judges its key by %s, no longer by %s", h.Name, judgedBy(h), judgedBy(before[at])))
		}
	}
	return list
}
