package e2e

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// unmeasured is what booting a cluster counts, in seconds, until a run has written
// down how long it takes: more than any took.
const unmeasured = 240

// budget reads testdata/budget: the minutes of a step of .ci/run, or of a group.
func budget(t *testing.T) map[string]int {
	t.Helper()
	minutes := map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z0-9]+) +(\d+)(?: ([a-z-]+))?$`).FindAllStringSubmatch(file(t, "../testdata/budget"), -1) {
		minutes[cmp.Or(m[3], m[1])], _ = strconv.Atoi(m[2])
	}
	return minutes
}

func file(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// coreSeconds is how long the cores of a group take, by the seconds of its section, and
// what boots for them in its time.
func coreSeconds(g group, section string) (int, error) {
	list := measuredIn(section)
	sum, err := 0, error(nil)
	for _, su := range suites {
		cores := selection{core: true}.of(su.all())
		if su.group == g && len(cores) > 0 {
			seconds, ok := took(list, clusterOf(su.test), booting)
			if !ok {
				seconds = unmeasured
			}
			sum += seconds
		}
		for _, sc := range cores {
			if sc.group != g {
				continue
			}
			seconds, ok := took(list, clusterOf(su.test), sc.name)
			if !ok {
				err = errors.Join(err, fmt.Errorf("%s/%s is a core that nobody has measured: make it long until make e2e GROUP=%s has", su.test, sc.name, g))
			}
			sum += seconds
		}
	}
	return sum, err
}

// What CI runs of a group takes no longer than its budget, by the last run of the
// whole group.
func TestBudget(t *testing.T) {
	sections, minutes := sectionsOf(file(t, "../docs/evidence.md")), budget(t)
	for _, g := range groups {
		seconds, err := coreSeconds(g, sections[g])
		if err != nil {
			t.Error(err)
		}
		t.Logf("%s: %d of %d seconds", g, seconds, 60*minutes[string(g)])
		if seconds > 60*minutes[string(g)] {
			t.Errorf("the cores of %s take %d seconds, and have %d minutes: make some of them long", g, seconds, minutes[string(g)])
		}
	}
}

// The budget has a line for each step of .ci/run and each group, and is 62 minutes at most.
func TestBudgetIsWhole(t *testing.T) {
	minutes := budget(t)
	var want []string
	for _, m := range regexp.MustCompile(`(?m)^step ([a-z0-9]+) `).FindAllStringSubmatch(file(t, "../.ci/run"), -1) {
		if m[1] != "e2e" {
			want = append(want, m[1])
		}
	}
	for _, g := range groups {
		want = append(want, string(g))
	}
	sum := 0
	for name, n := range minutes {
		sum += n
		if !slices.Contains(want, name) {
			t.Errorf("%s is no step and no group", name)
		}
	}
	for _, name := range want {
		if minutes[name] == 0 {
			t.Errorf("%s has no minutes", name)
		}
	}
	if sum > 62 {
		t.Errorf("CI may take %d minutes", sum)
	}
}

// Every suite is played, and boots what no other one does; every scenario has a group
// and an extent.
func TestScenarios(t *testing.T) {
	source := file(t, "main_test.go")
	boots := map[uintptr]string{}
	for _, su := range suites {
		up := reflect.ValueOf(su.up).Pointer()
		if boots[up] != "" {
			t.Errorf("%s boots what %s does: one of them has to play both's scenarios", su.test, boots[up])
		}
		boots[up] = su.test
		if !strings.Contains(source, "func "+su.test+"(") {
			t.Errorf("nothing plays %s", su.test)
		}
		if !slices.Contains(groups, su.group) {
			t.Errorf("%s: there is no group %q", su.test, su.group)
		}
		names := map[string]bool{}
		for _, sc := range su.all() {
			if !slices.Contains(groups, sc.group) || sc.extent != core && sc.extent != long {
				t.Errorf("%s/%s is of the group %q and %q", su.test, sc.name, sc.group, sc.extent)
			}
			if names[sc.name] {
				t.Errorf("%s has two scenarios that are called %s", su.test, sc.name)
			}
			names[sc.name] = true
		}
	}
}

func TestSelection(t *testing.T) {
	list := []scenario{{"a", faults, core, nil}, {"b", faults, long, nil}, {"c", deploys, core, nil}, {"d", deploys, long, nil}}
	for s, want := range map[selection]string{{}: "abcd", {group: faults}: "ab", {core: true}: "ac", {faults, true}: "a"} {
		got := ""
		for _, sc := range s.of(list) {
			got += sc.name
		}
		if got != want {
			t.Errorf("%+v plays %s, want %s", s, got, want)
		}
	}
	for s, want := range map[selection]string{
		{}:                   "",
		{group: dayTwo}:      "",
		{group: "day-three"}: "there is no group day-three; the groups are deploys, faults, day-two, projects, services, capacity",
		{group: capacity}:    "the group capacity has no scenarios yet",
	} {
		got := ""
		if err := s.check(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%+v: %q, want %q", s, got, want)
		}
	}
	if got := (selection{}).groups(); !slices.Equal(got, []group{deploys, faults, dayTwo, projects, services}) {
		t.Errorf("all are %v", got)
	}
}

// docs/evidence.md has a section for each group that has scenarios, and says of which
// run it is.
func TestEvidence(t *testing.T) {
	document := file(t, "../docs/evidence.md")
	if !strings.HasPrefix(document, introduction+"\n## ") {
		t.Error("it begins with something else than a run writes")
	}
	sections := sectionsOf(document)
	for _, g := range (selection{}).groups() {
		if !originLine.MatchString(sections[g]) {
			t.Errorf("%s: no commit, day and machine", g)
		}
		if len(measuredIn(sections[g])) == 0 {
			t.Errorf("%s: nothing is measured", g)
		}
		delete(sections, g)
	}
	for g := range sections {
		t.Errorf("%s has a section and no scenarios", g)
	}
}

// A whole run of a group rewrites its section, and leaves the others byte for byte.
func TestEvidenceOfAGroup(t *testing.T) {
	name := t.TempDir() + "/evidence.md"
	before := file(t, "../docs/evidence.md")
	if err := os.WriteFile(name, []byte(before), 0o644); err != nil {
		t.Fatal(err)
	}
	of := origin{"0123abc", "2027-01-31", "2 CPUs, 8 GiB of memory, Linux 6.1"}
	played := rows{{group: projects, cluster: "relstorage", name: booting, seconds: 200}}
	for _, su := range suites {
		for _, sc := range su.all() {
			if sc.group == projects {
				played = append(played, row{group: projects, cluster: clusterOf(su.test), name: sc.name, seconds: 7, load: &load{total: 600, writes: 60}})
			}
		}
	}
	if err := played[:len(played)-1].write(name, []group{projects}, of); err == nil || !strings.Contains(err.Error(), "no row of TestTutorial/word for word") || file(t, name) != before {
		t.Errorf("a run of a part of the group: %v, or the file was written", err)
	}
	if err := played.write(name, []group{projects}, of); err != nil {
		t.Fatal(err)
	}
	was, now := sectionsOf(before), sectionsOf(file(t, name))
	for g, text := range was {
		if g != projects && now[g] != text {
			t.Errorf("the section of %s is another one", g)
		}
	}
	if m := originLine.FindStringSubmatch(now[projects]); m == nil || !slices.Equal(m[1:], []string{of.commit, of.date, of.machine}) {
		t.Errorf("it is of %q", m)
	}
	if seconds, err := coreSeconds(projects, now[projects]); seconds != 214 || err != nil {
		t.Errorf("booting and two cores take %d seconds, want 214: %v", seconds, err)
	}
	if !strings.Contains(now[projects], "| relstorage | "+booting+" | 200 | | | | | | | |\n| zope | a project with names of its own | 7 | 600 | 0 | 0 | 60 | 0 | 0.0 s |  |\n| zope | a site with Volto | 7 | 600 | 0 | 0 | 60 | 0 | 0.0 s |  |\n| plone61 | good deploy of a new commit | 7 | 600 | 0 | 0 | 60 | 0 | 0.0 s |  |\n") {
		t.Errorf("its rows:\n%s", now[projects])
	}
	if _, err := coreSeconds(projects, ""); err == nil {
		t.Error("a core that was never measured passes")
	}
}

// The machine is told without its name.
func TestThisRun(t *testing.T) {
	t.Setenv("E2E_COMMIT", "0123abc and changes that are not committed")
	if text := thisRun().text(); !originLine.MatchString(text) || !regexp.MustCompile(`, \d+ CPUs, [1-9]\d* GiB of memory, Linux [0-9.]+\d\.\n$`).MatchString(text) {
		t.Errorf("%q", text)
	}
}
