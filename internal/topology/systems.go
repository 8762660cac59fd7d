package topology

import (
	"fmt"
	"slices"
)

// A System is an operating system of hosts, by the packages of its own. The
// tests run with these (make test-systems), and docs/versions.md has them.
type System struct {
	ID    string // as plonec.os has it
	Suite string // what its distribution calls the release
	// As far as what is written depends on them.
	Nginx, Haproxy, Varnish, Systemd, Python Version
	// Patch is the third number of Python; 0 where the system's updates raise it.
	Patch int
}

// A Version is a release of a daemon, as far as its syntax depends on it.
type Version struct{ Major, Minor int }

// String is the version as people write it.
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// Before tells whether a version is older than another one.
func (v Version) Before(major, minor int) bool {
	return v.Major < major || v.Major == major && v.Minor < minor
}

var systems = []System{
	{"debian12", "bookworm", Version{1, 22}, Version{2, 6}, Version{7, 1}, Version{252, 0}, Version{3, 11}, 2},
	{"debian13", "trixie", Version{1, 26}, Version{3, 0}, Version{7, 7}, Version{257, 0}, Version{3, 13}, 5},
	{"ubuntu22.04", "jammy", Version{1, 18}, Version{2, 4}, Version{6, 6}, Version{249, 0}, Version{3, 10}, 0},
	{"ubuntu24.04", "noble", Version{1, 24}, Version{2, 8}, Version{7, 1}, Version{255, 0}, Version{3, 12}, 0},
	{"ubuntu26.04", "resolute", Version{1, 28}, Version{3, 2}, Version{7, 7}, Version{259, 0}, Version{3, 14}, 0},
}

// Systems are all operating systems that files are written for.
func Systems() []System { return systems }

// SystemOf finds a system by its id. ok is false for one that is not known.
func SystemOf(id string) (s System, ok bool) {
	i := slices.IndexFunc(systems, func(s System) bool { return s.ID == id })
	if i < 0 {
		return System{}, false
	}
	return systems[i], true
}
