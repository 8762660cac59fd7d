package hosts

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/tree"
)

// choose picks the hosts.
func (f *Fleet) choose() error {
	o := f.options
	var names, layers []string
	isChosen := func(h tree.Host) bool {
		return len(o.Hosts)+len(o.Layers) == 0 || slices.Contains(o.Hosts, h.Name) ||
			slices.ContainsFunc(h.Layers, func(l string) bool { return slices.Contains(o.Layers, l) })
	}
	serving := map[string]bool{}
	for _, h := range f.tree.Disk.Manifest.Hosts {
		serving[h.Name] = o.Served && isChosen(h)
	}
	for _, h := range f.tree.Disk.Manifest.Hosts {
		names, layers = append(names, h.Name), append(layers, h.Layers...)
		chosen := isChosen(h)
		served := slices.ContainsFunc(h.Apps, func(a tree.App) bool { return serving[a.ServedBy.Host] })
		switch {
		case h.Status == "online" && (chosen || served || o.Others || o.Fronts && h.Runs(service.Balancer().Name)):
			host, err := plan.NewHost(f.tree, h)
			if err != nil {
				return err
			}
			f.members = append(f.members, &member{Host: host, fleet: f, conn: f.dialer.Host(h), asked: chosen})
		case chosen:
			f.Skipped = append(f.Skipped, h)
		}
	}
	slices.Sort(layers)
	layers = slices.Compact(layers)
	for _, option := range []struct {
		words, known []string
		noun         string
		others       []string
		other        string
	}{{o.Hosts, names, "host", layers, "layer"}, {o.Layers, layers, "layer", names, "host"}} {
		for _, word := range option.words {
			if slices.Contains(option.known, word) {
				continue
			}
			text := fmt.Sprintf("the tree has no %s %s; its %ss are %s", option.noun, word, option.noun, strings.Join(option.known, ", "))
			if slices.Contains(option.others, word) {
				text += fmt.Sprintf("; the %s of that name is --%s %s", option.other, option.other, word)
			}
			return errors.New(text)
		}
	}
	if len(f.chosen()) == 0 {
		return errors.New("none of the chosen hosts is online")
	}
	sort.Slice(f.members, func(i, j int) bool { return f.members[i].Name < f.members[j].Name })
	return nil
}

// Have makes sure that every app is one of the chosen hosts', by the tree: no
// host needs to have been asked.
func (f *Fleet) Have(apps []string) error {
	var all []string
	for _, m := range f.chosen() {
		all = append(all, m.Apps()...)
	}
	slices.Sort(all)
	return among(slices.Compact(all), apps)
}

// among makes sure that apps are of those that the chosen hosts have.
func among(all, apps []string) error {
	if len(all) == 0 {
		return errors.New("no app runs on the chosen hosts")
	}
	for _, app := range apps {
		if !slices.Contains(all, app) {
			return fmt.Errorf("the chosen hosts do not run the app %s: they run %s", app, strings.Join(all, ", "))
		}
	}
	return nil
}

// chosen are the hosts that were asked for.
func (f *Fleet) chosen() []*member {
	return slices.DeleteFunc(slices.Clone(f.members), func(m *member) bool { return !m.asked })
}

// Names lists the hosts of the run, sorted: the chosen ones that are online, and
// those beside them.
func (f *Fleet) Names() []string {
	var names []string
	for _, m := range f.members {
		names = append(names, m.Name)
	}
	return names
}

// Hosts are those of the run, the ones that it connects to, and those that it may have to
// ask whether they run what one host alone does for an app.
func (f *Fleet) Hosts() []tree.Host {
	var list []tree.Host
	for _, m := range f.members {
		list = append(list, m.Host.Host)
	}
	for _, m := range f.chosen() {
		for _, a := range m.Host.Host.Apps {
			for _, h := range plan.Rivals(f.tree.Disk, m.Name, a.Name) {
				if !slices.ContainsFunc(list, func(known tree.Host) bool { return known.Name == h.Name }) {
					list = append(list, h)
				}
			}
		}
	}
	return list
}

// Settled are the hosts that have what was asked for.
func (f *Fleet) Settled() []tree.Host {
	var list []tree.Host
	for _, m := range f.members {
		if m.outcome == Done {
			list = append(list, m.Host.Host)
		}
	}
	return list
}
