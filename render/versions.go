package render

// A version is a release of a daemon, as far as its syntax depends on it.
type version struct{ major, minor int }

func (v version) before(major, minor int) bool {
	return v.major < major || v.major == major && v.minor < minor
}

// versions are the daemons of an operating system.
type versions struct{ nginx, haproxy, varnish, systemd version }

// versionsOf gives what each system's own packages are: those that make
// test-systems runs.
func versionsOf(os string) versions {
	switch os {
	case "debian13":
		return versions{nginx: version{1, 26}, haproxy: version{3, 0}, varnish: version{7, 7}, systemd: version{257, 0}}
	case "ubuntu22.04":
		return versions{nginx: version{1, 18}, haproxy: version{2, 4}, varnish: version{6, 6}, systemd: version{249, 0}}
	case "ubuntu24.04":
		return versions{nginx: version{1, 24}, haproxy: version{2, 8}, varnish: version{7, 1}, systemd: version{255, 0}}
	default:
		return versions{nginx: version{1, 22}, haproxy: version{2, 6}, varnish: version{7, 1}, systemd: version{252, 0}}
	}
}
