// Package frontend builds the frontend of an app where plonec runs, by the scripts that
// build it on hosts, and keeps what was built in the user's cache folder.
package frontend

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/plonec/plonec/internal/apart"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/words"
)

// Limits of a build, and how many of all apps are kept.
const (
	limit  = 90 * time.Minute
	keeps  = 3
	script = "builders/frontend-here"
	packed = "frontend.tar.gz" // that the script makes
)

// An Order is what one frontend is made from.
type Order struct {
	App     string
	Scripts string            // the folder of the hosts' scripts
	Files   map[string][]byte // of the app in /etc/plonec on its hosts: app.conf, build.conf, app.env
	Env     []string          // of git and pip, NAME=VALUE; the build itself gets none of it
	Afresh  bool              // what was built before is not taken again
	Cache   string            // the folder for all that is kept; empty: the user's
	Tell    func(line string) // gets what the programs print
	Warn    func(text string) // gets what to know of how it is built
}

// A Built is a frontend that can be brought to hosts.
type Built struct {
	Commit  string
	Sum     string   // SHA-256 of the archive
	Folder  string   // in which there is the archive, SUM.tar.gz, and nothing else
	Sources []string // NAME=COMMIT of what mrs.developer.json names
	Kept    bool     // it was built before
}

// inputs are the lines of build.conf that say what a frontend is made from.
var inputs = []string{"SCM_REPOSITORY=", "SCM_SUBMODULES=", "BUILD_FRONTEND=", "BUILD_NODE=", "BUILD_NODE_HOME=", "BUILD_INDEX="}

// Inputs stands for what the order is made from, but for the commit and the scripts: where
// two hosts have the same, they get the same frontend.
func (o *Order) Inputs() string {
	h := sha256.New()
	h.Write(words.Beginning(o.Files["build.conf"], inputs...))
	h.Write(o.Files["app.env"])
	return hex.EncodeToString(h.Sum(nil))
}

// key is the name by which what was built is kept.
func (o *Order) key(commit string, here Machine) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, o.App, commit, o.Inputs(), here)
	names, err := filepath.Glob(filepath.Join(o.Scripts, "builders", "frontend*"))
	if err != nil {
		return "", err
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		h.Write(text)
	}
	return hex.EncodeToString(h.Sum(nil))[:32], nil
}

// A place is where frontends are built: own is what plonec fetched, which a build sees and
// does not change; room what a build works in; built what was packed.
type place struct {
	own, room, built string
	lock             *os.File
}

// open makes the place, and waits until no other plonec works there.
func open(ctx context.Context, cache string) (*place, error) {
	var err error
	if cache == "" {
		if cache, err = os.UserCacheDir(); err != nil {
			return nil, err
		}
	}
	base := filepath.Join(cache, "plonec", "frontend")
	p := &place{own: filepath.Join(base, "own"), room: filepath.Join(base, "room"), built: filepath.Join(base, "built")}
	for _, dir := range []string{p.own, p.room, p.built} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	if p.lock, err = os.OpenFile(filepath.Join(base, "lock"), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, err
	}
	for syscall.Flock(int(p.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		select {
		case <-ctx.Done():
			p.close()
			return nil, context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
	}
	return p, nil
}

func (p *place) close() { p.lock.Close() }

// Make gives the frontend of a commit; of the one that the app's revision leads to where
// commit is empty. due is asked, with the commit, whether there has to be one: where it
// says no, only the commit is given. Git works as whoever runs plonec.
func (o *Order) Make(ctx context.Context, here Machine, commit string, due func(commit string) bool) (*Built, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the frontend of %s was not built within %v", o.App, limit))
	defer cancel()
	p, err := open(ctx, o.Cache)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if err := p.layOut(o); err != nil {
		return nil, err
	}
	if commit == "" {
		var said bytes.Buffer
		if err := o.run(ctx, o.outside(ctx, p, "resolve"), &said); err != nil {
			return nil, err
		}
		commit = strings.TrimSpace(said.String())
	}
	if !due(commit) {
		return &Built{Commit: commit}, nil
	}
	key, err := o.key(commit, here)
	if err != nil {
		return nil, err
	}
	if b := p.kept(key, commit); b != nil && !o.Afresh {
		return b, nil
	}
	if err := o.run(ctx, o.outside(ctx, p, "fetch", commit), nil); err != nil {
		return nil, err
	}
	// What a build has seen no git of this user's works in any more.
	work := filepath.Join(p.room, "work")
	if err := errors.Join(os.RemoveAll(work), os.RemoveAll(filepath.Join(p.room, packed))); err != nil {
		return nil, err
	}
	if err := os.Rename(filepath.Join(p.own, "work"), work); err != nil {
		return nil, err
	}
	if err := o.inRoom(ctx, p); err != nil {
		return nil, err
	}
	return p.keep(key, commit)
}

// layOut writes the scripts and what they read of the app.
func (p *place) layOut(o *Order) error {
	lib, etc := filepath.Join(p.own, "lib"), filepath.Join(p.own, "etc", "plonec", o.App)
	err := errors.Join(os.RemoveAll(lib), os.RemoveAll(filepath.Dir(etc)))
	if err == nil {
		err = os.CopyFS(lib, os.DirFS(o.Scripts))
	}
	if err == nil {
		err = errors.Join(os.MkdirAll(filepath.Join(lib, ".test"), 0o755), os.MkdirAll(etc, 0o755))
	}
	for name, text := range o.Files {
		if err == nil {
			err = os.WriteFile(filepath.Join(etc, name), text, 0o644)
		}
	}
	return err
}

// outside is the script as this user would run git and pip.
func (o *Order) outside(ctx context.Context, p *place, verb string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, "/bin/bash", append([]string{filepath.Join(p.own, "lib", script), verb, o.App}, args...)...)
	c.Env = append(slices.Clone(o.Env), "PLONEC_ROOT="+p.own)
	return c
}

// inRoom builds apart from this machine where that can be; else in sight of it, without a
// variable of this user's.
func (o *Order) inRoom(ctx context.Context, p *place) error {
	room := &apart.Room{
		Program: []string{"/bin/bash", "/own/lib/" + script, "make", o.App, "/room"},
		Env:     []string{"PLONEC_ROOT=/own", "HOME=/room"},
		Shown:   map[string]string{"/own": p.own}, Given: map[string]string{"/room": p.room},
		Network: true, Proc: true, Files: []string{"environment"},
	}
	probe := *room
	probe.Program, probe.Given = []string{"/bin/true"}, nil
	if _, err := apart.Run(ctx, &probe, nil, 1); err != nil {
		o.Warn(fmt.Sprintf("the frontend of %s is not built apart from this machine: scripts of its packages can read what its user can read (%v)", o.App, err))
		c := exec.CommandContext(ctx, "/bin/bash", filepath.Join(p.own, "lib", script), "make", o.App, p.room)
		c.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "PLONEC_ROOT=" + p.own, "HOME=" + p.room}
		return o.run(ctx, c, nil)
	}
	said := &teller{tell: o.Tell}
	return o.judge(ctx, apart.Follow(ctx, room, said), said)
}

// run runs a program to its end. Its output is told, or goes to out.
func (o *Order) run(ctx context.Context, c *exec.Cmd, out io.Writer) error {
	said := &teller{tell: o.Tell}
	c.Stdout, c.Stderr = out, said
	if out == nil {
		c.Stdout = said
	}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGTERM) }
	c.WaitDelay = 10 * time.Second
	return o.judge(ctx, c.Run(), said)
}

// judge gives the script's own words where it failed.
func (o *Order) judge(ctx context.Context, err error, said *teller) error {
	said.end()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case said.why != "":
		return diag.WithRemedy(said.why, said.remedy)
	}
	return fmt.Errorf("the frontend of %s could not be built here: %w", o.App, err)
}

// A teller passes on lines, and remembers what the script said last of what went wrong.
type teller struct {
	tell        func(string)
	rest        []byte
	why, remedy string
}

func (t *teller) Write(text []byte) (int, error) {
	t.rest = append(t.rest, text...)
	for {
		line, rest, whole := bytes.Cut(t.rest, []byte("\n"))
		if !whole {
			return len(text), nil
		}
		t.rest = rest
		t.line(string(line))
	}
}

func (t *teller) end() {
	if len(t.rest) > 0 {
		t.line(string(t.rest))
	}
}

func (t *teller) line(line string) {
	t.tell(line)
	if text, ours := strings.CutPrefix(line, "plonec: "); ours {
		t.why, t.remedy = text, ""
	} else if text, more := strings.CutPrefix(line, "        "); more && t.why != "" && t.remedy == "" {
		t.remedy = text
	}
}

// kept is what was built under that name, as it was; nil: nothing, or it is damaged.
func (p *place) kept(key, commit string) *Built {
	dir := filepath.Join(p.built, key)
	b := &Built{Commit: commit, Folder: filepath.Join(dir, "archive"), Kept: true}
	found, _ := filepath.Glob(filepath.Join(b.Folder, "*.tar.gz"))
	sources, err := os.ReadFile(filepath.Join(dir, "sources"))
	if err != nil || len(found) != 1 {
		return nil
	}
	b.Sum, b.Sources = strings.TrimSuffix(filepath.Base(found[0]), ".tar.gz"), strings.Fields(string(sources))
	if sum, err := sumOf(found[0]); err != nil || sum != b.Sum {
		os.RemoveAll(dir)
		return nil
	}
	now := time.Now()
	os.Chtimes(dir, now, now) // the last ones that were used stay
	return b
}

// keep takes what the build packed.
func (p *place) keep(key, commit string) (*Built, error) {
	made, err := os.MkdirTemp(p.built, "new-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(made)
	// A copy: what is not this user's, or is a link, does not come with it.
	folder := filepath.Join(made, "archive")
	if err := os.Mkdir(folder, 0o755); err != nil {
		return nil, err
	}
	in, err := os.OpenFile(filepath.Join(p.room, packed), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	out, err := os.OpenFile(filepath.Join(folder, "new"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, h), in)
	if err = errors.Join(err, out.Close()); err != nil {
		return nil, err
	}
	sum := hex.EncodeToString(h.Sum(nil))
	sources, err := os.ReadFile(filepath.Join(p.own, "sources"))
	if err == nil {
		err = os.WriteFile(filepath.Join(made, "sources"), sources, 0o644)
	}
	if err == nil {
		err = os.Rename(filepath.Join(folder, "new"), filepath.Join(folder, sum+".tar.gz"))
	}
	dir := filepath.Join(p.built, key)
	if err == nil {
		err = errors.Join(os.RemoveAll(dir), os.Rename(made, dir), os.RemoveAll(filepath.Join(p.room, packed)))
	}
	if err != nil {
		return nil, err
	}
	p.prune()
	return &Built{Commit: commit, Sum: sum, Folder: filepath.Join(dir, "archive"), Sources: strings.Fields(string(sources))}, nil
}

// prune keeps those that were used last.
func (p *place) prune() {
	entries, _ := os.ReadDir(p.built)
	used := func(e os.DirEntry) time.Time {
		info, err := e.Info()
		if err != nil {
			return time.Time{}
		}
		return info.ModTime()
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return used(b).Compare(used(a)) })
	for _, e := range entries[min(keeps, len(entries)):] {
		os.RemoveAll(filepath.Join(p.built, e.Name()))
	}
}

func sumOf(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), err
}
