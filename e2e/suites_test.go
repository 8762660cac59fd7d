// Package e2e tests plonec on real hosts under load; testdata/e2e runs it. Without
// hosts, as in "go test ./...", it tests only what is written down: the groups of
// the scenarios, and the minutes that they took, in docs/evidence.md.
package e2e

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// A group is what "make e2e GROUP=faults" runs, a section of docs/evidence.md and a
// line of testdata/budget.
type group string

const (
	deploys  group = "deploys"  // releases: built, switched to, rolled back
	faults   group = "faults"   // what breaks, and who attacks
	dayTwo   group = "day-two"  // what an operator does on a day without faults
	projects group = "projects" // other kinds of Plone, and of storages
	services group = "services" // what runs beside Plone
	capacity group = "capacity" // hosts that come and go with the load: nothing yet
)

var groups = []group{deploys, faults, dayTwo, projects, services, capacity}

// An extent says who runs a scenario.
type extent string

const (
	core extent = "core" // CI too
	long extent = "long" // a whole run alone
)

// A scenario is one thing that may happen to a cluster.
//
// CI has not the time for all of them, so a group's cores are those that hold the
// rules whose breach costs most, and of two that hold one rule the shorter: a
// database that is not made or rolled by accident, a host that takes back what locks
// people out, root who follows no link, a broken release that leaves the one before,
// no request lost in a roll. At least one control is among them, since a load that
// sees no loss proves nothing. How long each took is in docs/evidence.md, and
// TestBudget adds it up; so a new scenario is long until a whole run has measured it.
type scenario struct {
	name   string
	group  group
	extent extent
	run    func(*trial)
}

// A suite is a cluster, and what happens to it, one after the other. It boots once,
// whichever groups' scenarios are played on it; so what is a property of hosts is
// switched on in one suite, in the group that is about it, and costs no second one.
type suite struct {
	test      string // the function that plays it
	group     group  // in which the time counts that it takes to boot
	up        func(*testing.T) *cluster
	scenarios []scenario // under load
	unloaded  []scenario // after these, on a cluster that nobody loads
}

// suites is all of them.
var suites []suite

func init() {
	suites = []suite{
		{"TestPlone", deploys, plone, releases, speed},
		{"TestZope", faults, zope, slices.Concat(applies, upgrades, operations, breakages, ofServices["TestZope"], controls), nil},
		{"TestPlone61", projects, plone61, everyday(projects, long), nil},
		{"TestPlone60", projects, plone60, everyday(projects, long), nil},
		{"TestDebian13", projects, debian13, onDebian13, nil},
		{"TestRelStorage", projects, relstorage, slices.Concat(everyday(projects, core), ofServices["TestRelStorage"]), nil},
		{"TestTutorial", projects, tutorialHosts, nil, []scenario{{"word for word", projects, long, tutorial}}},
	}
}

// ofServices are the scenarios of services, by the test on whose cluster they are
// played: NAME_test.go adds that of the service NAME.
var ofServices = map[string][]scenario{}

// onCluster adds a service's scenario.
func onCluster(test string, sc scenario) scenario {
	ofServices[test] = append(ofServices[test], sc)
	return sc
}

func (su suite) all() []scenario { return slices.Concat(su.scenarios, su.unloaded) }

// A selection is what a run plays: all, or the scenarios of a group, or the cores of
// either.
type selection struct {
	group group // none: of each
	core  bool
}

var selected = selection{group(os.Getenv("E2E_GROUP")), os.Getenv("E2E_CORE") != ""}

// of gives what is selected of a list.
func (s selection) of(list []scenario) []scenario {
	var chosen []scenario
	for _, sc := range list {
		if (s.group == "" || sc.group == s.group) && (!s.core || sc.extent == core) {
			chosen = append(chosen, sc)
		}
	}
	return chosen
}

// groups lists the groups of which it plays something.
func (s selection) groups() []group {
	return slices.DeleteFunc(slices.Clone(groups), func(g group) bool {
		return !slices.ContainsFunc(suites, func(su suite) bool {
			return slices.ContainsFunc(s.of(su.all()), func(sc scenario) bool { return sc.group == g })
		})
	})
}

// check refuses a selection of which there is nothing to play.
func (s selection) check() error {
	if s.group != "" && !slices.Contains(groups, s.group) {
		var names []string
		for _, g := range groups {
			names = append(names, string(g))
		}
		return fmt.Errorf("there is no group %s; the groups are %s", s.group, strings.Join(names, ", "))
	}
	if len(s.groups()) == 0 {
		return fmt.Errorf("the group %s has no scenarios yet", s.group)
	}
	return nil
}

// functions matches the names of the tests that need hosts.
func functions() string {
	var names []string
	for _, su := range suites {
		names = append(names, su.test)
	}
	return "^(" + strings.Join(names, "|") + ")$"
}

// booting names the time before a cluster's first scenario in the evidence.
const booting = "(from bare hosts to what the scenarios begin with)"

// play runs what is selected of the suite of a test.
func play(t *testing.T) {
	su := suites[slices.IndexFunc(suites, func(su suite) bool { return su.test == t.Name() })]
	loaded, unloaded := selected.of(su.scenarios), selected.of(su.unloaded)
	if len(loaded)+len(unloaded) == 0 {
		t.Skip("nothing that is selected happens to this cluster")
	}
	began := time.Now()
	c := su.up(t)
	evidence = append(evidence, row{group: su.group, cluster: c.name, name: booting, seconds: seconds(began)})
	for i, sc := range loaded {
		if !c.play(t, sc, (*trial).loaded) && i+1 < len(loaded)+len(unloaded) {
			c.fresh()
		}
	}
	for _, sc := range unloaded {
		c.play(t, sc, (*trial).unloaded)
	}
}

// failed are the groups of which something failed in this run.
var failed = map[group]bool{}

// play runs a scenario, and tells whether it passed.
func (c *cluster) play(t *testing.T, sc scenario, how func(*trial)) bool {
	ok := t.Run(sc.name, func(t *testing.T) {
		c.t = t
		c.mu.Lock()
		c.log.Reset()
		c.mu.Unlock()
		how(&trial{cluster: c, scenario: sc, began: time.Now()})
	})
	c.t = t
	failed[sc.group] = failed[sc.group] || !ok
	return ok
}

// whole tells whether rows have all that a group has: what was not played in this
// run has no place in its section of the evidence.
func (e rows) whole(g group) error {
	var missing []error
	for _, su := range suites {
		for _, sc := range su.all() {
			if sc.group == g && !slices.ContainsFunc(e, func(r row) bool { return r.name == sc.name && r.cluster == clusterOf(su.test) }) {
				missing = append(missing, fmt.Errorf("no row of %s/%s", su.test, sc.name))
			}
		}
	}
	return errors.Join(missing...)
}

// clusterOf names the cluster of a test: relstorage is TestRelStorage's.
func clusterOf(test string) string { return strings.ToLower(strings.TrimPrefix(test, "Test")) }

func seconds(since time.Time) int { return int(time.Since(since).Seconds()) }
