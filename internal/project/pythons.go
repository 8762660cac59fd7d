package project

import (
	_ "embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/words"
)

// A python is that of releases. Its patch is 0 where hosts alone know it.
type python struct {
	topology.Version
	patch int
}

func (p python) String() string {
	if p.patch == 0 {
		return p.Version.String()
	}
	return fmt.Sprintf("%s.%d", p.Version, p.patch)
}

// pythonOf is the Python of an app's releases.
func pythonOf(a *topology.App) (p python) {
	major, minor, _ := strings.Cut(a.Python(), ".")
	p.Major, _ = strconv.Atoi(major) // the schema takes digits alone
	p.Minor, _ = strconv.Atoi(minor)
	if s := a.Host.System; s.Python == p.Version {
		p.patch = s.Patch
	}
	return p
}

var specifier = regexp.MustCompile(`^\s*(~=|===?|!=|<=|>=|<|>)\s*([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(\.\*)?\s*$`)

// mayBe tells whether a Python may be one that all specifiers of a list hold for. One of
// another form is for who installs to judge.
func mayBe(specifiers string, p python) bool {
	for s := range strings.SplitSeq(specifiers, ",") {
		m := specifier.FindStringSubmatch(s)
		if m == nil {
			continue
		}
		var theirs topology.Version
		theirs.Major, _ = strconv.Atoi(m[2])
		theirs.Minor, _ = strconv.Atoi(m[3])
		patch, _ := strconv.Atoi(m[4])
		before, after := p.Before(theirs.Major, theirs.Minor), theirs.Before(p.Major, p.Minor)
		same := !before && !after
		// Of one release of Python the patch tells, as far as it is known.
		older, newer, equal := same && patch > 0, same, same
		if p.patch > 0 {
			older, newer, equal = same && p.patch < patch, same && p.patch > patch, same && p.patch == patch
		}
		prefix := same && (m[4] == "" || equal)
		if m[3] == "" { // 3.*
			prefix = p.Major == theirs.Major
		}
		holds := true
		switch m[1] {
		case "==", "===":
			holds = equal
			if m[5] != "" {
				holds = prefix
			}
		case "!=":
			holds = !(equal && p.patch > 0)
			if m[5] != "" {
				holds = !prefix || m[4] != "" && p.patch == 0
			}
		case "~=":
			holds = (after || newer || equal) && p.Major == theirs.Major && (m[4] == "" || same)
		case ">=":
			holds = after || newer || equal
		case ">":
			holds = after || newer
		case "<=":
			holds = before || older || equal
		case "<":
			holds = before || older
		}
		if !holds {
			return false
		}
	}
	return true
}

//go:embed requires-python.txt
var requiresPythonTable string

// wants are specifiers that hold for a package from a release of its on.
type wants struct{ from, pythons string }

// wanting are the packages that testdata/requires-python has looked up, by canonical name.
var wanting = sync.OnceValue(func() map[string][]wants {
	all := map[string][]wants{}
	for line := range strings.Lines(requiresPythonTable) {
		name, steps, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "#" {
			continue
		}
		for _, step := range strings.Fields(steps) {
			from, pythons, _ := strings.Cut(step, ":")
			all[name] = append(all[name], wants{from, pythons})
		}
	}
	return all
})

// zeros end a version that is the same without them.
var zeros = regexp.MustCompile(`(?:\.0+)+$`)

func compareReleases(a, b string) int {
	return words.Compare(zeros.ReplaceAllString(a, ""), zeros.ReplaceAllString(b, ""))
}

// refuses tells whether a release of a package is not for a Python: which ones it wants, and
// which of its releases is for this one. Of a package that nobody has looked up nothing is
// known.
func refuses(name, version string, p python) (pythons, other string) {
	steps := wanting()[name]
	at := -1
	for i, s := range steps {
		if compareReleases(version, s.from) >= 0 {
			at = i
		}
	}
	if at < 0 || mayBe(steps[at].pythons, p) {
		return "", ""
	}
	for _, s := range steps[at+1:] {
		if mayBe(s.pythons, p) {
			return steps[at].pythons, "to " + s.from + " or later"
		}
	}
	first := at // of those that refuse it: before the first step nothing is wanted
	for first > 0 && !mayBe(steps[first-1].pythons, p) {
		first--
	}
	return steps[at].pythons, "below " + steps[first].from
}
