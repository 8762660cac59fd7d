package topology

import (
	"fmt"
	"slices"
	"strings"
)

// systemDirs are directories of the system itself; what an app has lies below
// others, or in a directory of its own below these.
var systemDirs = []string{
	"/", "/home", "/media", "/mnt", "/opt", "/srv", "/usr/local", "/var", "/var/backups", "/var/cache", "/var/lib", "/var/local",
	"/var/log", "/var/mail", "/var/opt", "/var/spool", "/var/www",
}

// systemTrees are the system's with all that lies below them; some of them units'
// processes do not see, or a boot empties.
var systemTrees = []string{
	"/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/lost+found", "/proc", "/root", "/run", "/sbin", "/sys", "/tmp",
	"/usr/bin", "/usr/games", "/usr/include", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/libx32", "/usr/sbin", "/usr/share", "/usr/src",
	"/usr/local/bin", "/usr/local/etc", "/usr/local/games", "/usr/local/include", "/usr/local/lib", "/usr/local/libexec", "/usr/local/man",
	"/usr/local/sbin", "/usr/local/share", "/usr/local/src",
	"/var/lib/apt", "/var/lib/dpkg", "/var/lib/systemd", "/var/lock", "/var/run", "/var/tmp",
}

// plonecTrees are plonec's own on every host.
var plonecTrees = []string{"/etc/plonec", "/opt/plonec", "/run/plonec", "/usr/local/lib/plonec", "/var/cache/plonec", "/var/lib/plonec", "/var/log/plonec"}

// within tells whether a directory is another one or lies in it. Both are as the
// schema lets them be: absolute, without . and .. and slashes at the end.
func within(dir, top string) bool {
	return dir == top || top == "/" || strings.HasPrefix(dir, top+"/")
}

// unfit says why an app cannot use a directory, or nothing.
func unfit(dir string) string {
	for _, d := range plonecTrees {
		if within(dir, d) {
			return d + " belongs to plonec"
		}
	}
	if slices.Contains(systemDirs, dir) || dir == "/usr" {
		return "it belongs to the system"
	}
	for _, d := range systemTrees {
		if within(dir, d) {
			return d + " belongs to the system, or is gone after a reboot"
		}
	}
	return ""
}

// A directory is one that the stack gives to apps.
type directory struct {
	dir  string
	path []string // the attribute
	what string   // that it cannot hold where it is unfit
	apps []*App   // whose it is
}

// directories lists what the stack gives to the apps of a host: deploy_to of each,
// and file storages and blobs.
func directories(h *Host) []directory {
	var list []directory
	add := func(d directory) {
		for i := range list {
			if list[i].dir == d.dir && slices.Equal(list[i].path, d.path) {
				list[i].apps = append(list[i].apps, d.apps...)
				return
			}
		}
		if d.dir != "" {
			list = append(list, d)
		}
	}
	for _, a := range h.Apps {
		own := []*App{a}
		add(directory{a.Config.DeployTo, []string{"deploy", a.Name, "deploy_to"}, "an app", own})
		if z := a.Zeo; z != nil {
			add(directory{z.FilestorageDir, []string{"plone_zeoserver", "filestorage_dir"}, "a database", own})
		}
		if a.Zeo != nil || len(a.Clients) > 0 && h.Stack.PloneInstances.SharedBlobs {
			add(directory{h.Stack.PloneBlobs.BlobDir, []string{"plone_blobs", "blob_dir"}, "a database", own})
		}
	}
	return list
}

// directoryFaults: what would be emptied with something else, or empty it.
func (r *resolver) directoryFaults(h *Host) {
	list := directories(h)
	for i, d := range list {
		if why := unfit(d.dir); why != "" {
			r.once("bad-directory", d.path, fmt.Sprintf("%s cannot hold %s: %s", d.dir, d.what, why), "take a directory of its own, such as /srv/www/"+d.apps[0].Name)
			continue
		}
		for _, other := range list[:i] {
			if other.dir == d.dir {
				r.once("same-directory", d.path, fmt.Sprintf("%s is %s too", d.dir, strings.Join(other.path, ".")), "give each a directory of its own")
			}
		}
		for _, a := range h.Apps {
			top := a.Config.DeployTo
			for _, e := range []struct{ dir, does string }{
				{top + "/releases", "old releases are removed from there"}, {top + "/current", "each deploy puts another release there"},
				{top + "/shared/cached-copy", "it is the copy of the repository"}, {top + "/shared/tmp", "builds move there what they no longer need"},
			} {
				if within(d.dir, e.dir) {
					r.once("emptied-directory", d.path, fmt.Sprintf("%s lies in %s: %s", d.dir, e.dir, e.does), "take a directory outside of "+top+", such as /srv/data/"+a.Name)
				}
			}
			for _, c := range a.Config.BuildoutCacheArchives {
				if dir := top + "/" + c.Path; c.Purge && within(d.dir, dir) {
					r.once("emptied-directory", d.path, fmt.Sprintf("%s lies in %s, which a cache archive empties", d.dir, dir), "take another directory, or set purge of that archive to false")
				}
			}
		}
		for _, other := range list {
			if d.dir != other.dir && within(d.dir, other.dir) && unfit(other.dir) == "" && !slices.ContainsFunc(d.apps, func(a *App) bool { return slices.Contains(other.apps, a) }) {
				r.once("others-directory", d.path, fmt.Sprintf("%s lies in %s, which is %s of another app", d.dir, other.dir, strings.Join(other.path, ".")), "take a directory of its own")
			}
		}
	}
	for _, a := range h.Apps {
		for _, c := range a.Config.BuildoutCacheArchives {
			if c.Purge && within("shared/var", c.Path) {
				r.once("emptied-directory", []string{"deploy", a.Name, "buildout_cache_archives"},
					fmt.Sprintf("each build would empty %s/%s, which holds the site's data", a.Config.DeployTo, c.Path), "leave out purge, or unpack the archive elsewhere below shared")
			}
		}
	}
}
