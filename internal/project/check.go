// Package project reads the buildout of a stack's apps with buildout's own reader, lays
// the deploy.cfg of each host over it, and says what will not go together there. What a
// project brings is a stranger's: nothing of it is executed.
package project

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/words"
)

// DeployCfg is the file of a host's that lies over a project.
const DeployCfg = "deploy.cfg"

// A group is an app on hosts whose deploy.cfg differ in their addresses alone: what is
// said of one holds for all.
type group struct {
	app     *topology.App // of the first host
	hosts   []string
	text    string // deploy.cfg of the first host
	closure *closure
	main    *source // deploy.cfg
	partial bool    // some of it could not be read: what is missed may stand there
}

// Check reads the projects in folders, by app, over which the deploy.cfg of each host
// lies. deployCfg gives its text, empty where an app has none on a host. The error is
// why they could not be read at all. here has buildout's reader see this machine as whoever
// asks does.
func Check(t *topology.Topology, folders map[string]string, deployCfg func(host, app string) string, here bool) (diag.List, error) {
	list, err := check(t, folders, deployCfg, isPrivate, here)
	if err != nil {
		return nil, err
	}
	more, err := checkUv(t, folders)
	return append(list, more...), err
}

func check(t *topology.Topology, folders map[string]string, deployCfg func(host, app string) string, refused func(netip.Addr) bool, here bool) (diag.List, error) {
	ctx, cancel := context.WithTimeout(context.Background(), maxTime)
	defer cancel()
	groups := grouped(t, folders, deployCfg)
	fetch, all := newFetcher(ctx, refused), map[string]*texts{}
	closures := map[string]*closure{}
	byVersion := map[string][]*group{} // of buildout
	found := &findings{hosts: map[diag.Diagnostic][]string{}}
	for i, g := range groups {
		dir, python := folders[g.app.Name], pythonOf(g.app)
		if all[dir] == nil {
			all[dir] = &texts{fetch: fetch, files: map[string]*diag.File{}}
		}
		key := fmt.Sprint(g.app.Name, python)
		c := closures[key]
		if c == nil {
			c = &closure{dir: dir, app: g.app, python: python, texts: all[dir], byPlace: map[string]*source{}, number: len(closures)}
			closures[key] = c
		}
		g.closure = c
		g.read(i)
		wrong := g.main.wrong()
		for _, d := range wrong {
			found.add(g, d)
		}
		g.partial = wrong.Errors() > 0
		version := c.buildoutVersion()
		byVersion[version] = append(byVersion[version], g)
	}
	for _, version := range slices.Sorted(maps.Keys(byVersion)) {
		groups, files, mains := byVersion[version], map[string]string{}, []string(nil)
		for _, g := range groups {
			for _, s := range append(slices.Clone(g.closure.sources), g.main) {
				files[s.flat] = s.text
			}
			mains = append(mains, g.main.flat)
		}
		reads, err := readAll(version, files, mains, here)
		if err != nil {
			return nil, err
		}
		for i, g := range groups {
			v := newView(g, &reads[i], version)
			for _, d := range v.judge() {
				found.add(g, d)
			}
		}
	}
	return found.list(), nil
}

// grouped gives the apps of hosts in groups.
func grouped(t *topology.Topology, folders map[string]string, deployCfg func(host, app string) string) []*group {
	var groups []*group
	known := map[string]*group{}
	for _, h := range t.Hosts {
		for _, a := range h.Apps {
			text := deployCfg(h.Name, a.Name)
			if folders[a.Name] == "" || text == "" {
				continue
			}
			key := text
			for _, c := range a.Clients {
				key = strings.ReplaceAll(key, " "+c.Address+":", " \x00:")
			}
			key = fmt.Sprint(a.Name, pythonOf(a), a.Config.Files, a.Config.SymlinkBeforeMigrate, a.Config.SCM.SSHKey.IsSet(), a.Config.BuildoutVersion, key)
			if known[key] == nil {
				known[key] = &group{app: a, text: text}
				groups = append(groups, known[key])
			}
			known[key].hosts = append(known[key].hosts, h.Name)
		}
	}
	return groups
}

// read reads deploy.cfg, and what of the project it extends.
func (g *group) read(number int) {
	c := g.closure
	cfg, bad := builder.ReadCfg(g.text, func(expression string) (bool, error) { return holds(expression, c.python.Version) })
	g.main = &source{place: DeployCfg, flat: fmt.Sprintf("deploy-%d.cfg", number), file: &diag.File{Content: []byte(g.text)}, cfg: cfg}
	for _, b := range bad { // in the stack's own text
		g.main.list.Add(diag.Diagnostic{Code: "project-expression", Path: "deploy." + c.app.Name + ".buildout_additional_config", Message: b.What,
			Remedy: "write the section's name alone"})
	}
	c.follow(g.main, []*source{g.main}, g.attribute)
}

// attribute is that of the stack which has deploy.cfg extend a file.
func (g *group) attribute(name string) string {
	plone := g.app.Host.Stack.PloneInstances
	switch {
	case slices.Contains(g.app.Config.BuildoutExtends, name):
		return "deploy." + g.app.Name + ".buildout_extends"
	case g.app.Storage.RelStorage != nil && name == plone.Relstorage.Config:
		return "plone_instances.relstorage.config"
	case len(g.app.Clients) == 0:
		return "plone_zeoserver.base_config"
	}
	return "plone_instances.base_config"
}

// findings collects what was found, with the hosts that it holds for.
type findings struct {
	order []diag.Diagnostic
	hosts map[diag.Diagnostic][]string
}

func (f *findings) add(g *group, d diag.Diagnostic) {
	if f.hosts[d] == nil {
		f.order = append(f.order, d)
	}
	for _, name := range g.hosts {
		if !slices.Contains(f.hosts[d], name) {
			f.hosts[d] = append(f.hosts[d], name)
		}
	}
}

// list is all of it; each message begins with its hosts.
func (f *findings) list() diag.List {
	var list diag.List
	for _, d := range f.order {
		names := words.Runs(f.hosts[d])
		if len(names) > 5 {
			names = append(names[:4], fmt.Sprintf("and %d more", len(names)-4))
		}
		d.Message = strings.Join(names, ", ") + ": " + d.Message
		list.Add(d)
	}
	return list
}
