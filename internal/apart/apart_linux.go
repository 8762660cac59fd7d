package apart

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// nobody is the user and the group that programs run as.
const nobody = 65534

// attributes start a process in namespaces of its own. Root needs none for
// users; anybody else has one in which he is called nobody, and may do in it,
// until the next program is started, what the making of it needs.
func attributes(r *Room) (*syscall.SysProcAttr, error) {
	a := &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
	}
	if !r.Network {
		a.Cloneflags |= unix.CLONE_NEWNET
	}
	if os.Geteuid() != 0 {
		a.Cloneflags |= unix.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Geteuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getegid(), Size: 1}}
		a.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SYS_CHROOT}
	}
	return a, nil
}

// apartRoot is where the root is made that a program sees. Whatever is there
// is only hidden, and from this process alone.
const apartRoot = "/tmp"

// enter makes that root, goes there for good as nobody, and starts the program. The
// error says which step of it is not allowed.
func enter(r *Room, self string) error {
	runtime.LockOSThread() // what a process may do is a matter of its threads
	program, err := os.Open(self)
	if err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	syscall.Umask(0o022)
	if err := r.make(apartRoot); err != nil {
		return err
	}
	if r.Program[0] == Self {
		if err := copyFrom(program, apartRoot+Self); err != nil {
			return err
		}
	}
	if err := unix.Chroot(apartRoot); err != nil {
		return fmt.Errorf("chroot: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	if os.Getuid() == 0 {
		if err := syscall.Setgroups([]int{}); err != nil {
			return fmt.Errorf("setgroups: %w", err)
		}
		if err := syscall.Setresgid(nobody, nobody, nobody); err != nil {
			return fmt.Errorf("setgid: %w", err)
		}
		if err := syscall.Setresuid(nobody, nobody, nobody); err != nil {
			return fmt.Errorf("setuid: %w", err)
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl: %w", err)
	}
	for _, limit := range []struct {
		resource int
		most     uint64
	}{{unix.RLIMIT_AS, r.Memory}, {unix.RLIMIT_CPU, r.CPU}} {
		if limit.most == 0 {
			continue
		}
		if err := unix.Setrlimit(limit.resource, &unix.Rlimit{Cur: limit.most, Max: limit.most}); err != nil {
			return fmt.Errorf("setrlimit: %w", err)
		}
	}
	err = syscall.Exec(r.Program[0], r.Program, append([]string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR=/tmp",
	}, r.Env...))
	return fmt.Errorf("exec: %w", err)
}

// make makes what the program sees: /usr and the libraries, which nobody can
// change, what it asks of /etc, devices without a memory, and empty folders of
// its own.
func (r *Room) make(root string) error {
	shown := map[string]int{} // taken before the room hides what lies in its place
	folders := maps.Clone(r.Shown)
	if folders == nil {
		folders = map[string]string{}
	}
	maps.Copy(folders, r.Given)
	for _, place := range slices.Sorted(maps.Keys(folders)) {
		dir := folders[place]
		tree, err := unix.OpenTree(unix.AT_FDCWD, dir, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
		if err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		shown[place] = tree
	}
	if err := unix.Mount("tmpfs", root, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755,size=512m"); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	for _, dir := range []string{"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"} {
		if err := showFolder("/"+dir, root+"/"+dir); err != nil {
			return err
		}
	}
	for _, place := range slices.Sorted(maps.Keys(folders)) {
		if err := os.Mkdir(root+place, 0o755); err != nil {
			return err
		}
		if err := unix.MoveMount(shown[place], "", unix.AT_FDCWD, root+place, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
			return fmt.Errorf("mount: %s: %w", folders[place], err)
		}
		restricted := uint64(unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV)
		if _, given := r.Given[place]; !given {
			restricted |= unix.MOUNT_ATTR_RDONLY
		} else if err := giveAway(root + place); err != nil {
			return err
		}
		if err := restrict(root+place, restricted); err != nil {
			return err
		}
	}
	if r.Proc {
		if err := showProc(root); err != nil {
			return err
		}
	}
	for _, place := range slices.Sorted(maps.Keys(r.Texts)) {
		if err := writeNew(root+place, []byte(r.Texts[place])); err != nil {
			return err
		}
	}
	files, links := append([]string{"ld.so.cache"}, r.Files...), append([]string{"alternatives"}, r.Links...)
	own := append([]string{"tmp", "run", "var", "var/log", "var/lib", "var/tmp"}, r.Own...)
	etc := r.etcFiles()
	if r.Network {
		etc["nsswitch.conf"] = "passwd: files\ngroup: files\nhosts: files dns\n"
		files = append(files, "hosts", "resolv.conf", "ssl/certs/ca-certificates.crt")
	}
	for _, name := range slices.Sorted(maps.Keys(etc)) {
		if err := writeNew(root+"/etc/"+name, []byte(etc[name])); err != nil {
			return err
		}
	}
	// Taken from this machine, where they are: packages brought them, and they say
	// nothing about it.
	for _, name := range files {
		text, err := os.ReadFile("/etc/" + name)
		if err != nil {
			continue // not of this system, or not installed
		}
		if err := writeNew(root+"/etc/"+name, text); err != nil {
			return err
		}
	}
	// Links to what packages brought, and which of several compilers is meant.
	for _, dir := range links {
		if err := copyLinks(root, "/etc/"+dir); err != nil {
			return err
		}
	}
	for _, name := range []string{"null", "zero", "full", "random", "urandom"} {
		place := root + "/dev/" + name
		if err := writeNew(place, nil); err != nil {
			return err
		}
		if err := unix.Mount("/dev/"+name, place, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount: /dev/%s: %w", name, err)
		}
	}
	for _, dir := range own {
		place := root + "/" + dir
		if err := os.MkdirAll(place, 0o755); err != nil {
			return err
		}
		if os.Getuid() == 0 {
			if err := os.Chown(place, nobody, nobody); err != nil {
				return err
			}
		}
	}
	return nil
}

// etcFiles are those of /etc that name no one but the daemons' users.
func (r *Room) etcFiles() map[string]string {
	passwd := "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\nwww-data:x:33:33::/:/bin/sh\n"
	groups := "root:x:0:\nnogroup:x:65534:\nwww-data:x:33:\nadm:x:4:\n"
	id, gids := 990, map[string]int{}
	for _, u := range r.Users {
		if gids[u.Group] == 0 {
			gids[u.Group] = id
			groups += fmt.Sprintf("%s:x:%d:\n", u.Group, id)
		}
		passwd += fmt.Sprintf("%s:x:%d:%d::/:/bin/sh\n", u.Name, id, gids[u.Group])
		id++
	}
	return map[string]string{
		"passwd":        passwd,
		"group":         groups,
		"nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
		"hosts":         "127.0.0.1 localhost\n::1 localhost\n",
	}
}

// showFolder lets a folder of this machine, or a link in its place, be seen at a place
// and not be changed.
func showFolder(dir, place string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return nil // not of this system
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(dir)
		if err != nil {
			return err
		}
		return os.Symlink(target, place)
	}
	if err := os.Mkdir(place, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(dir, place, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mount: %s: %w", dir, err)
	}
	return keep(place)
}

// keep lets nobody change what is mounted at a place.
func keep(place string) error {
	return restrict(place, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
}

func restrict(place string, to uint64) error {
	if err := unix.MountSetattr(-1, place, unix.AT_RECURSIVE, &unix.MountAttr{Attr_set: to}); err != nil {
		return fmt.Errorf("mount: %s, restricted: %w", place, err)
	}
	return nil
}

// giveAway makes all in a folder nobody's. Who is not root is nobody in the room already.
func giveAway(dir string) error {
	if os.Getuid() != 0 {
		return nil
	}
	return filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(name, nobody, nobody)
	})
}

// showProc mounts /proc, and makes the names by which shells find their own files.
func showProc(root string) error {
	for _, dir := range []string{"/proc", "/dev"} {
		if err := os.Mkdir(root+dir, 0o755); err != nil {
			return err
		}
	}
	if err := unix.Mount("proc", root+"/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount: /proc: %w", err)
	}
	for _, link := range [][2]string{{"fd", ""}, {"stdin", "/0"}, {"stdout", "/1"}, {"stderr", "/2"}} {
		if err := os.Symlink("/proc/self/fd"+link[1], root+"/dev/"+link[0]); err != nil {
			return err
		}
	}
	return nil
}

// copyLinks makes the same links, of those that lead below /usr.
func copyLinks(root, dir string) error {
	entries, _ := os.ReadDir(dir) // none where it is not there
	for _, e := range entries {
		target, err := os.Readlink(filepath.Join(dir, e.Name()))
		if err != nil || !strings.HasPrefix(filepath.Clean(target), "/usr/") {
			continue
		}
		if err := os.MkdirAll(root+dir, 0o755); err != nil {
			return err
		}
		if err := os.Symlink(target, filepath.Join(root, dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func writeNew(place string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		return err
	}
	return os.WriteFile(place, text, 0o644)
}

// copyFrom makes an executable file that everybody may read.
func copyFrom(program io.Reader, place string) error {
	f, err := os.OpenFile(place, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, program); err != nil {
		return err
	}
	return f.Close()
}
