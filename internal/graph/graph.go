// Package graph draws a topology: the way of a request from its visitors over
// the front ends and the clients to the storage, as Mermaid, DOT or SVG. It is
// pure: the same topology gives the same bytes. It shows names, addresses,
// ports and folders; never a secret, nor where one comes from.
package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/words"
)

// A Format is a language that a graph is written in.
type Format struct {
	Name    string   // as --format has it
	Endings []string // of files that hold it, with their dot
	Write   func(*Graph) []byte
}

// Formats are all languages.
var Formats = []Format{
	{"mermaid", []string{".mmd", ".mermaid"}, (*Graph).Mermaid},
	{"dot", []string{".dot", ".gv"}, (*Graph).DOT},
	{"svg", []string{".svg"}, (*Graph).SVG},
}

// A Graph is what a picture shows. Its texts are not escaped yet.
type Graph struct {
	Title   string
	Summary string   // how many hosts and clients there are
	Columns []Column // left to right, none of them empty
	Links   []Link   // sorted
}

// A Column is a stage that a request passes.
type Column struct {
	Stage  topology.Stage
	Groups []*Group
}

// A Group is a layer's hosts, or something that is no host of the stack.
type Group struct {
	ID    string // g1, in reading order
	Title string // the layer's name
	Hosts []Host // in the order of their names, numbers by value
	// Outside: no host of the stack, such as a database that others run.
	Outside bool

	stage topology.Stage
	order int // among the groups of its column
}

// A Host is one machine.
type Host struct {
	Name    string
	Address string // empty: not known
	Status  string // empty: online
	Also    []string
	Runs    []Process
}

// A Process is what a host runs, or what it keeps.
type Process = service.Process

// A Link is a connection between hosts of two groups, or within one.
type Link struct {
	From, To *Group
	Kind     Kind
	Label    string // protocol and ports
}

// A Kind is what a connection is for.
type Kind int

// The kinds of connections.
const (
	Web Kind = iota
	Database
	Cache
	Search
	Jobs
	Files
)

// New gives the graph of a topology.
func New(t *topology.Topology) *Graph {
	b := &builder{t: t, of: map[*topology.Host]*Group{}, outside: map[string]*Group{}, spans: map[Link]span{}}
	b.hosts()
	b.links()
	return b.graph()
}

type builder struct {
	t       *topology.Topology
	groups  []*Group
	of      map[*topology.Host]*Group
	outside map[string]*Group
	spans   map[Link]span // the ports of links whose labels are the protocol alone
}

// A span is a range of ports; the zero span is none.
type span struct{ first, last int }

func (s span) String() string {
	switch {
	case s.first == 0:
		return ""
	case s.first == s.last:
		return fmt.Sprint(s.first)
	}
	return fmt.Sprintf("%d–%d", s.first, s.last)
}

func (s span) with(o span) span {
	switch {
	case s.first == 0:
		return o
	case o.first == 0:
		return s
	}
	return span{min(s.first, o.first), max(s.last, o.last)}
}

// hosts makes the groups. A layer that only adds to others, such as one for
// packing, makes none of its own: its hosts name it.
func (b *builder) hosts() {
	alone := map[string]bool{}
	for _, h := range b.t.Hosts {
		if len(h.Layers) == 1 {
			alone[h.Layers[0]] = true
		}
	}
	byLayers := map[string]*Group{}
	for _, h := range b.t.Hosts {
		var main, also []string
		for _, l := range h.Layers {
			if alone[l] {
				main = append(main, l)
			} else {
				also = append(also, l)
			}
		}
		if main == nil {
			main, also = also, nil
		}
		stage, order := stageOf(h)
		title := cmp.Or(strings.Join(main, ", "), "no layer")
		key := fmt.Sprint(stage, title)
		g := byLayers[key]
		if g == nil {
			g = &Group{Title: title, stage: stage, order: order}
			byLayers[key] = g
			b.groups = append(b.groups, g)
		}
		g.order = min(g.order, order)
		b.of[h] = g
		host := Host{Name: h.Name, Address: h.Address, Also: also, Runs: processes(h)}
		if !h.Online {
			host.Status = h.Status
		}
		g.Hosts = append(g.Hosts, host)
	}
	for _, g := range b.groups {
		slices.SortStableFunc(g.Hosts, func(a, b Host) int { return words.Compare(a.Name, b.Name) })
	}
}

// stageOf is the column of a host and its order there: what it does first on a
// request's way counts.
func stageOf(h *topology.Host) (topology.Stage, int) {
	for i, d := range topology.Roles() {
		if h.Has(d.Role) {
			return d.Stage, i
		}
	}
	return topology.AtStorage, len(topology.Roles())
}

// processes is what a host runs, in the order in which a request meets it.
func processes(h *topology.Host) []Process {
	var list []Process
	before, after := h.Shown()
	for _, s := range before {
		list = append(list, s.Processes...)
	}
	for _, a := range h.Apps {
		list = append(list, a.Shown()...)
	}
	for _, s := range after {
		list = append(list, s.Processes...)
	}
	return list
}

func tls(f *topology.Front) bool {
	return slices.ContainsFunc(f.Sites, func(s *topology.Site) bool { return s.TLS })
}

func sharing(gluster bool) string {
	if gluster {
		return "GlusterFS"
	}
	return "NFS"
}

// graph puts groups and links in order.
func (b *builder) graph() *Graph {
	slices.SortStableFunc(b.groups, func(x, y *Group) int {
		return cmp.Or(cmp.Compare(x.stage, y.stage), cmp.Compare(x.order, y.order), words.Compare(x.Title, y.Title))
	})
	g := &Graph{Title: b.t.Name, Summary: b.summary()}
	at := map[*Group]int{}
	for i, group := range b.groups {
		group.ID = fmt.Sprintf("g%d", i+1)
		at[group] = i
		if n := len(g.Columns); n == 0 || g.Columns[n-1].Stage != group.stage {
			g.Columns = append(g.Columns, Column{Stage: group.stage})
		}
		c := &g.Columns[len(g.Columns)-1]
		c.Groups = append(c.Groups, group)
	}
	for l, ports := range b.spans {
		l.Label = strings.TrimSpace(l.Label + " " + ports.String())
		g.Links = append(g.Links, l)
	}
	slices.SortFunc(g.Links, func(x, y Link) int {
		return cmp.Or(cmp.Compare(at[x.From], at[y.From]), cmp.Compare(at[x.To], at[y.To]), cmp.Compare(x.Kind, y.Kind), strings.Compare(x.Label, y.Label))
	})
	return g
}

// summary counts hosts and clients.
func (b *builder) summary() string {
	off, clients := 0, 0
	for _, h := range b.t.Hosts {
		if !h.Online {
			off++
			continue
		}
		for _, a := range h.Apps {
			clients += len(a.Clients)
		}
	}
	text := words.Count(len(b.t.Hosts), "host")
	if off > 0 {
		text += fmt.Sprintf(" (%d not online)", off)
	}
	return text + ", " + words.Count(clients, "client")
}

// Texts are all texts of the stack that a picture shows, as the stack has them.
func (g *Graph) Texts() []string {
	list := []string{g.Title}
	for _, c := range g.Columns {
		for _, group := range c.Groups {
			list = append(list, group.Title)
			for _, h := range group.Hosts {
				list = append(append(list, h.Name, h.Address, h.Status), h.Also...)
				for _, p := range h.Runs {
					list = append(list, p.What, p.At)
				}
			}
		}
	}
	return list
}
