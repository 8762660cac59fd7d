package render

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
)

// manyHosts is how many hosts the picture shows one by one; above it, hosts
// that do the same become one node.
const manyHosts = 40

type readme struct {
	Name     string
	Clients  int
	Hosts    []readmeHost
	Nodes    []node
	Edges    []edge
	Sites    []*topology.Site
	Secrets  []readmeSecret
	Warnings []diag.Diagnostic
}

type readmeHost struct {
	*topology.Host
	Runs, Ports string
}

type readmeSecret struct{ Host, Path, From string }

type node struct{ ID, Label string }

type edge struct{ From, To, Label string }

// Readme renders the tree's README.md: the stack at a glance. warnings are
// shown without their places, which move with every line of the stack.
func Readme(t *topology.Topology, warnings diag.List) ([]byte, error) {
	r := readme{Name: t.Name}
	for _, h := range t.Hosts {
		runs, ports := runs(h)
		r.Hosts = append(r.Hosts, readmeHost{h, strings.Join(runs, ", "), strings.Join(ports, ", ")})
		for _, a := range h.Apps {
			r.Clients += len(a.Clients)
		}
		for _, s := range Secrets(h) {
			var from []string
			for _, e := range s.Entries {
				from = append(from, e.Source)
			}
			if len(from) > 0 {
				r.Secrets = append(r.Secrets, readmeSecret{h.Name, s.Path, strings.Join(from, ", ")})
			}
		}
		if h.Front != nil && r.Sites == nil {
			r.Sites = h.Front.Sites
		}
	}
	r.Nodes, r.Edges = picture(t)
	for _, w := range warnings {
		w.Message = strings.Join(strings.Fields(w.Message), " ")
		r.Warnings = append(r.Warnings, w)
	}
	slices.SortFunc(r.Warnings, func(a, b diag.Diagnostic) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Code, b.Code), strings.Compare(a.Message, b.Message))
	})
	r.Warnings = slices.CompactFunc(r.Warnings, func(a, b diag.Diagnostic) bool {
		return a.Code == b.Code && a.Path == b.Path && a.Message == b.Message
	})
	var b bytes.Buffer
	err := programs.Execute(&b, "README.md.tmpl", r)
	return b.Bytes(), err
}

// runs says what a host runs and on which ports, for people.
func runs(h *topology.Host) (what, ports []string) {
	add := func(list []topology.Shown) {
		for _, s := range list {
			if s.ByHand != "" {
				continue
			}
			what = append(what, s.Title)
			for _, p := range s.Ports {
				ports = append(ports, strconv.Itoa(p.Number))
			}
		}
	}
	before, after := h.Shown()
	add(before)
	for _, a := range h.Apps {
		if n := len(a.Clients); n > 0 {
			noun := "clients"
			if n == 1 {
				noun = "client"
			}
			what = append(what, fmt.Sprintf("%d %s of %s", n, noun, a.Name))
			ports = append(ports, span(a.Clients[0].Port, a.Clients[n-1].Port), strconv.Itoa(service.AgentPort), span(a.Clients[0].AgentPort, a.Clients[n-1].AgentPort))
		}
		if n := len(a.Voltos); n > 0 {
			noun := "processes"
			if n == 1 {
				noun = "process"
			}
			what = append(what, fmt.Sprintf("%d %s of Volto for %s", n, noun, a.Name))
			ports = append(ports, span(a.Voltos[0].Port, a.Voltos[n-1].Port), span(a.Voltos[0].AgentPort, a.Voltos[n-1].AgentPort))
			if len(a.Clients) == 0 {
				ports = append(ports, strconv.Itoa(service.AgentPort))
			}
		}
		if a.Zeo != nil {
			what = append(what, "ZEO of "+a.Name)
			if a.Zeo.Port != 0 {
				ports = append(ports, fmt.Sprint(a.Zeo.Port))
			}
		}
		for _, c := range a.Commands {
			what = append(what, c.Name)
		}
	}
	add(after)
	return what, ports
}

func span(first, last int) string {
	if first == last {
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d-%d", first, last)
}

// picture draws who talks to whom among the online hosts.
func picture(t *topology.Topology) ([]node, []edge) {
	var online []*topology.Host
	for _, h := range t.Hosts {
		if h.Online {
			online = append(online, h)
		}
	}
	group := func(h *topology.Host) string { return h.Name }
	if len(online) > manyHosts {
		group = func(h *topology.Host) string { return fmt.Sprint(h.Roles) }
	}
	ids, members := map[string]string{}, map[string][]*topology.Host{}
	var order []string
	for _, h := range online {
		g := group(h)
		if ids[g] == "" {
			ids[g] = fmt.Sprintf("h%d", len(ids)+1)
			order = append(order, g)
		}
		members[g] = append(members[g], h)
	}
	nodes := []node{}
	for _, g := range order {
		nodes = append(nodes, node{ids[g], nodeLabel(members[g])})
	}
	var edges []edge
	add := func(e edge) {
		if !slices.Contains(edges, e) {
			edges = append(edges, e)
		}
	}
	for _, g := range order {
		for _, to := range order {
			from, h := members[g][0], members[to][0]
			if from.Front != nil {
				for _, a := range h.Apps {
					for _, s := range a.Balanced() {
						add(edge{ids[g], ids[to], span(s.First, s.Last)})
					}
				}
			}
			for _, a := range from.Apps {
				if len(a.Voltos) > 0 && h.Front != nil && h.Front.APIBind != "" && topology.HostPort(h.Front.APIBind, service.HaproxyPort) == a.Voltos[0].Balancer {
					add(edge{ids[g], ids[to], fmt.Sprint(service.HaproxyPort)})
				}
				for _, b := range h.Apps {
					if len(a.Clients) > 0 && b.Zeo != nil && strings.HasSuffix(a.Storage.ZeoAddress, fmt.Sprintf("%s:%d", b.Zeo.Address, b.Zeo.Port)) {
						add(edge{ids[g], ids[to], fmt.Sprint(b.Zeo.Port)})
					}
				}
			}
		}
		for _, a := range members[g][0].Apps {
			if len(a.Clients) > 0 && a.Storage.RelStorage != nil {
				if !slices.ContainsFunc(nodes, func(n node) bool { return n.ID == "db" }) {
					nodes = append(nodes, node{"db", a.Storage.RelStorage.Type})
				}
				add(edge{ids[g], "db", ""})
			}
		}
	}
	return nodes, edges
}

func nodeLabel(hosts []*topology.Host) string {
	what, _ := runs(hosts[0])
	label := hosts[0].Name
	if len(hosts) > 1 {
		label = fmt.Sprintf("%d hosts: %s … %s", len(hosts), hosts[0].Name, hosts[len(hosts)-1].Name)
	}
	if len(what) > 0 {
		label += "<br/>" + strings.Join(what, ", ")
	}
	return label
}

// markdown keeps a text from being read as Markdown or HTML in a table cell.
func markdown(s string) string {
	return markdownEscapes.Replace(s)
}

var markdownEscapes = strings.NewReplacer(
	"\\", "\\\\", "|", "\\|", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "<", "&lt;", ">", "&gt;", "&", "&amp;", "#", "\\#", "\n", " ", "\r", " ",
)
