// Package git asks the git repository of whoever runs plonec. It is the one
// place that runs git: what is in the work tree may be a stranger's branch, and
// looking at it must start nothing that the branch brought.
//
// So git is never let to look for a repository in a folder of the branch. The
// repository is found first, by its .git, which git itself refuses to check
// out; git then gets that directory and that work tree, none of the caller's
// variables, and no leave to run a monitor, a hook, a pager or a transport.
// Nothing here applies the filters that attributes name (git status would):
// files are compared with what is committed by their bytes.
package git

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// A Repository is a git work tree and what belongs to it.
type Repository struct {
	Top string // the work tree's folder, absolute, without symbolic links

	dir func() (string, error)
}

// Around finds the repository whose work tree holds a folder, which need not be
// there yet: the one around the working directory where the folder lies in that,
// else the one around the folder. Nil means that there is none. It is an error
// where a folder on the way from its top looks like a repository of its own, or
// is a symbolic link that leads out of it. Git itself is not run.
func Around(dir string) (*Repository, error) {
	here, err := os.Getwd()
	if err == nil {
		here, err = filepath.EvalSymlinks(here)
	}
	if err != nil {
		return nil, err
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(here, dir)
	}
	real, err := Real(dir)
	if err != nil {
		return nil, err
	}
	top, found := upwards(here)
	switch {
	case found && within(top, real):
	case found && within(top, dir):
		return nil, fmt.Errorf("%s leads out of the repository %s by a symbolic link: put the folder itself there", dir, top)
	default:
		if top, found = upwards(real); !found {
			return nil, nil
		}
	}
	for at := real; at != top; at = filepath.Dir(at) {
		if what := ownRepository(at); what != "" {
			return nil, fmt.Errorf("%s is a git repository of its own (%s) inside %s: remove it, or run plonec in it if it is yours", at, what, top)
		}
	}
	return &Repository{Top: top, dir: sync.OnceValues(func() (string, error) { return gitDir(top) })}, nil
}

// upwards is the first folder from dir upwards that has a .git.
func upwards(dir string) (string, bool) {
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir, true
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", false
		}
		dir = up
	}
}

// ownRepository says what makes a folder a repository in git's eyes; empty where
// nothing does.
func ownRepository(dir string) string {
	has := func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir, name))
		return err == nil
	}
	info, err := os.Stat(filepath.Join(dir, ".git"))
	switch {
	case err == nil && (!info.IsDir() || has(".git/HEAD")): // an empty one is none to git
		return "it has a .git"
	case has("HEAD") && has("commondir"):
		return "it has HEAD and commondir"
	case has("HEAD") && has("objects") && has("refs"):
		return "it has HEAD, objects and refs"
	}
	return ""
}

// Real is a path without symbolic links; what is not there yet of it stays as it is.
func Real(dir string) (string, error) {
	real, err := filepath.EvalSymlinks(dir)
	if up := filepath.Dir(dir); up != dir && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)) {
		real, err = Real(up)
		real = filepath.Join(real, filepath.Base(dir))
	}
	return real, err
}

// WritesThrough is an error where a file that is to be written lies behind a
// symbolic link in a git work tree, or is one: a branch brings links, and what is
// written through one lands where it says. Links that lie in no work tree, and a
// .git, which git checks out from no branch, are the user's own.
func WritesThrough(name string) error {
	abs, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	for at := abs; at != filepath.Dir(at); at = filepath.Dir(at) {
		info, err := os.Lstat(at)
		if err != nil || info.Mode()&fs.ModeSymlink == 0 || filepath.Base(at) == ".git" {
			continue // what is not there is no link
		}
		in, err := Real(filepath.Dir(at))
		if err != nil {
			return err
		}
		if top, found := upwards(in); found {
			shown, _ := filepath.Rel(top, filepath.Join(in, filepath.Base(at)))
			return fmt.Errorf("%s is a symbolic link in the repository %s, and plonec writes nothing through it: remove it, or put the file or folder itself there", shown, top)
		}
	}
	return nil
}

func within(top, name string) bool {
	rel, err := filepath.Rel(top, name)
	return err == nil && filepath.IsLocal(rel)
}

// gitDir is the git directory of a work tree, of which git says itself whether
// this user may trust it. A .git may be a file that names another place, as in
// a worktree or a submodule.
func gitDir(top string) (string, error) {
	c := command(top, "-c", "safe.bareRepository=explicit", "rev-parse", "--absolute-git-dir")
	c.Env = append(c.Env, "GIT_CEILING_DIRECTORIES="+filepath.Dir(top))
	out, err := run(c, "rev-parse")
	if err != nil && strings.Contains(err.Error(), "dubious ownership") {
		err = fmt.Errorf("%s belongs to another user, so git refuses to read it: git config --global --add safe.directory %s", top, top)
	}
	return strings.TrimSuffix(string(out), "\n"), err
}

// Dir is the repository's git directory, absolute.
func (r *Repository) Dir() (string, error) { return r.dir() }

// Run gives what a command of git prints. Paths in args are relative to the top
// and mean themselves, whatever characters they hold.
func (r *Repository) Run(stdin io.Reader, args ...string) ([]byte, error) {
	return r.run(stdin, args[0], append([]string{"--literal-pathspecs"}, args...)...)
}

func (r *Repository) run(stdin io.Reader, name string, args ...string) ([]byte, error) {
	dir, err := r.dir()
	if err != nil {
		return nil, err
	}
	c := command(r.Top, append([]string{"--git-dir=" + dir, "--work-tree=" + r.Top}, args...)...)
	c.Stdin = stdin
	return run(c, name)
}

// Ask is the same, less the white space around it; empty where it fails.
func (r *Repository) Ask(args ...string) string {
	out, err := r.Run(nil, args...)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// Rel is a path from the top, with slashes; false for one outside.
func (r *Repository) Rel(name string) (string, bool) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", false
	}
	real, err := Real(filepath.Dir(abs))
	if err != nil {
		return "", false
	}
	rel, err := filepath.Rel(r.Top, filepath.Join(real, filepath.Base(abs)))
	return filepath.ToSlash(rel), err == nil && filepath.IsLocal(rel)
}

// handed is what git gets of the environment: none of the GIT_ variables, which
// name other repositories, configuration and programs, and no secrets.
var handed = []string{"PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "SUDO_UID"}

func command(dir string, args ...string) *exec.Cmd {
	c := exec.Command("git", append([]string{
		"--no-pager",
		// Programs that configuration could name. The user's own configuration may
		// include a file of the work tree.
		"-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
	}, args...)...)
	c.Dir = dir
	c.Env = []string{
		"LC_ALL=C",
		"GIT_OPTIONAL_LOCKS=0",     // nothing is written, the index neither
		"GIT_NO_LAZY_FETCH=1",      // what a partial clone lacks is not fetched,
		"GIT_ALLOW_PROTOCOL=",      // nor by a git that does not know that yet
		"GIT_NO_REPLACE_OBJECTS=1", // a commit is what its name says
		"GIT_TERMINAL_PROMPT=0",
	}
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); slices.Contains(handed, name) {
			c.Env = append(c.Env, entry)
		}
	}
	return c
}

// An Error is of a command of git that ended with another status than 0.
type Error struct {
	Command string
	Said    string // its first line
	Status  int
}

func (e *Error) Error() string {
	return fmt.Sprintf("git %s: %s", e.Command, cmp.Or(e.Said, fmt.Sprintf("exit status %d", e.Status)))
}

func run(c *exec.Cmd, name string) ([]byte, error) {
	out, err := c.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		said, _, _ := strings.Cut(string(exit.Stderr), "\n")
		return out, &Error{name, strings.TrimPrefix(said, "fatal: "), exit.ExitCode()}
	}
	if errors.Is(err, exec.ErrNotFound) {
		err = errors.New("git is not on PATH: install it, or add its folder to PATH")
	}
	return out, err
}
