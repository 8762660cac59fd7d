package plan

import (
	"encoding/base64"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/tree"
)

// An Observation is what a host says of itself; see templates/host/observe.
type Observation struct {
	Boot        string   // its boot_id
	OS          string   // ID and VERSION_ID of os-release
	Missing     string   // programs that plonec needs and that are not there
	NoIPv6      bool     // its kernel does not have it
	FreeKiB     int64    // on the file system of /var/lib/plonec
	Lock        string   // who else is at work
	Generation  string   // the confirmed one; empty: nothing was ever applied
	Tree        string   // the sum of the tree's manifest that it came from
	Commit      string   // the git commit of that tree; empty: none
	Applied     string   // when
	Setup       string   // what the last setup was made from, as tree.Host.Setup
	Packages    []string // that it made sure of
	Unconfirmed string   // a generation that waits to be confirmed

	Files map[string]FileState // by path
	Live  map[string]LiveState // what plonec put there, as it put it
	Waits map[string]WaitState // what waits for a deploy or a restart, by path
	Odd   map[string]bool      // paths that are no plain files
	Units map[string]UnitState // of those that were asked for
	Texts map[string][]byte    // of those that were asked for, as plonec put them, up to 1 MiB; of lists of users the salts
	// Sources stand for where the values of secret files came from when they were
	// applied, by path; see sourcesSum.
	Sources map[string]string
	Differs map[string]int    // lines, in those that were changed by hand and whose text was asked for
	DSNs    map[string]string // hidden sums of what environment files have as DSN
	// Services are what runs there for good as plonec applied it, by unit.
	Services map[string]ServiceState
	// Originals are paths where something stood before plonec, which is kept.
	Originals map[string]bool
}

// A FileState is a file as it is.
type FileState struct{ Sum, Mode, Owner string }

// A LiveState is a file as plonec put it.
type LiveState struct {
	Sum     string
	Effects []string
}

// A ServiceState is a service as plonec applied it. App is empty for the host's own.
type ServiceState struct {
	Kind, App string
	order     int // in which they start
}

// A WaitState is a file that waits for an app.
type WaitState struct{ App, Sum string } // Sum is empty for one that is to go

func NewObservation() *Observation {
	return &Observation{
		Files: map[string]FileState{}, Live: map[string]LiveState{}, Waits: map[string]WaitState{},
		Odd: map[string]bool{}, Texts: map[string][]byte{}, Originals: map[string]bool{},
		Sources: map[string]string{}, Differs: map[string]int{}, DSNs: map[string]string{},
		Units: map[string]UnitState{}, Services: map[string]ServiceState{},
	}
}

// Read takes one line; true is the last one.
func (o *Observation) Read(f []string) bool {
	for len(f) < 6 {
		f = append(f, "")
	}
	single := map[string]*string{
		"boot": &o.Boot, "os": &o.OS, "missing": &o.Missing, "lock": &o.Lock, "generation": &o.Generation,
		"tree": &o.Tree, "commit": &o.Commit, "time": &o.Applied, "setup": &o.Setup, "unconfirmed": &o.Unconfirmed,
	}
	switch key := f[0]; key {
	case "ipv6":
		o.NoIPv6 = f[1] == "no"
	case "free":
		o.FreeKiB, _ = strconv.ParseInt(f[1], 10, 64)
	case "file":
		o.Files[f[4]] = FileState{f[1], f[2], f[3]}
	case "live":
		o.Live[f[3]] = LiveState{f[1], effects(f[2])}
	case "waits":
		app, path, _ := strings.Cut(strings.TrimPrefix(f[1], "/"), "/")
		o.Waits["/"+path] = WaitState{app, f[2]}
	case "original":
		o.Originals[f[1]] = true
	case "unit":
		o.Units[f[1]] = UnitState{f[2], f[3], f[4], f[5]}
	case "odd":
		o.Odd[f[1]] = true
	case "text":
		o.Texts[f[1]], _ = base64.StdEncoding.DecodeString(f[2])
	case "service":
		o.Services[f[1]] = ServiceState{f[2], strings.TrimPrefix(f[3], "-"), len(o.Services)}
	case "packages":
		o.Packages = strings.Fields(f[1])
	case "source":
		o.Sources[f[2]] = f[1]
	case "differs":
		o.Differs[f[2]], _ = strconv.Atoi(f[1])
	case "dsn":
		o.DSNs[f[2]] = f[1]
	case "end":
		return true
	default:
		if s := single[key]; s != nil {
			*s = f[1]
		}
	}
	return false
}

// effects reads a list as it stands in the host's records.
func effects(s string) []string {
	if s == "" || s == "-" {
		return nil
	}
	return strings.Split(s, ",")
}

// recorded is the sum of a file as plonec put it, or left it to wait; empty
// where it never did.
func (o *Observation) recorded(path string) string {
	if w := o.Waits[path]; w.Sum != "" {
		return w.Sum
	}
	return o.Live[path].Sum
}

// Digest stands for all of what a plan depends on: it is the same as long as
// the host is. No sum of a secret is in it: of these it has what they are to each
// other, which is the same in every run. Daemons come and go, and are no part of
// it: to start one that should run surprises nobody.
func (o *Observation) Digest() string {
	secret := func(sum256, otherwise string) string {
		if strings.HasPrefix(sum256, hiddenMark) {
			return otherwise
		}
		return sum256
	}
	var lines []string
	for p, f := range o.Files {
		is := "other"
		switch f.Sum {
		case o.Live[p].Sum:
			is = "as put"
		case o.Waits[p].Sum:
			is = "as it waits"
		}
		lines = append(lines, fmt.Sprintf("file %s %s %s %s", p, secret(f.Sum, is), f.Mode, f.Owner))
	}
	for p, l := range o.Live {
		lines = append(lines, fmt.Sprintf("live %s %s", p, secret(l.Sum, "secret")))
	}
	for p, w := range o.Waits {
		lines = append(lines, fmt.Sprintf("waits %s %s %s", p, w.App, secret(w.Sum, "secret")))
	}
	sort.Strings(lines)
	return tree.Sum([]byte(strings.Join(append(lines, o.Generation, o.Tree), "\n")))
}
