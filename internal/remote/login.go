package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plonec/plonec/internal/child"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/regular"
	"github.com/plonec/plonec/internal/tree"
)

// hostName is the name of a host in the DNS, as far as ssh is concerned.
var hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)

// isAddress tells whether ssh may be given it as an address: those of stacks, IPv6 in
// all its forms, and never an option.
func isAddress(s string) bool {
	ip, err := netip.ParseAddr(s)
	return err == nil && ip.Zone() == "" || hostName.MatchString(s)
}

// knownHosts is the option that makes ssh read one file, whatever its name: ssh takes a
// space for the end of a name, and % and ${ for something to put in.
func knownHosts(file string) (string, error) {
	if strings.Contains(file, "${") || strings.ContainsAny(file, "\"\\\n\r\x00") {
		return "", diag.WithRemedy(fmt.Sprintf("ssh takes %q for another name than that of known_hosts", file), "give that file, and its folders, names without quotes, \\ and ${")
	}
	return `UserKnownHostsFile="` + strings.ReplaceAll(file, "%", "%%") + `"`, nil
}

// plainPath is a path that ssh takes as it is, in an option and in a command line.
var plainPath = regexp.MustCompile(`^[A-Za-z0-9_./+:,@-]+$`)

// A Dialer makes connections. Its folder holds their sockets.
type Dialer struct {
	dir       string
	tree      string   // known_hosts is relative to it
	acceptNew bool     // a host that is not known yet is trusted
	config    string   // in place of the user's own configuration; empty: that
	env       []string // of ssh and rsync
	tell      func(host, text string)
	made      atomic.Int32
	jumps     jumps
}

// Options of a Dialer.
type Options struct {
	AcceptNew bool   // trust the key of a host that is not known yet
	SSHConfig string // a file in place of the user's ~/.ssh/config; empty: that
	// Tell is told why a login takes long, as it does; nil: nobody is. It may be called
	// from many goroutines at once.
	Tell func(host, text string)
}

// NewDialer makes one for the hosts of a tree. Close takes its folder away.
func NewDialer(disk *tree.Disk, o Options) (*Dialer, error) {
	// A socket's path is short, and ssh takes a blank for its end and % for something to
	// put in: os.TempDir may be a long one on macOS, and is whatever TMPDIR says.
	dir, err := os.MkdirTemp("", "plonec-")
	if err == nil && (len(dir) > 60 || !plainPath.MatchString(dir)) {
		os.Remove(dir)
		dir, err = os.MkdirTemp("/tmp", "plonec-")
	}
	if o.Tell == nil {
		o.Tell = func(string, string) {}
	}
	return &Dialer{
		dir: dir, tree: disk.Dir, acceptNew: o.AcceptNew, config: o.SSHConfig, env: Environ(disk.Manifest), tell: o.Tell,
		jumps: jumps{many: len(disk.Manifest.Hosts) > jumpLogins},
	}, err
}

// Environ is the environment of programs that work with the tree's hosts and repositories;
// see child.Environ.
func Environ(m *tree.Manifest) []string { return child.Environ(variables(m)) }

// variables are the names of the variables that references to secrets name, for
// whichever host.
func variables(m *tree.Manifest) []string {
	var names []string
	for _, s := range m.Secrets {
		for _, e := range s.Entries {
			if name, ok := strings.CutPrefix(e.Source, "env:"); ok {
				names = append(names, name)
			}
		}
	}
	return names
}

// Close takes the sockets away. The connections were closed before.
func (d *Dialer) Close() { os.RemoveAll(d.dir) }

// A refusal is a login that did not come about, for now.
type refusal struct {
	error
	saying
}

func (r *refusal) Unwrap() error { return r.error }

// dial is login, and again for a while where sshd refuses it for now: nobody has been
// let in, and first has not begun.
func (d *Dialer) dial(ctx context.Context, h tree.Host, first *Command) (*conn, error) {
	began, pause := time.Now(), firstPause
	for {
		c, err := d.login(ctx, h, first)
		var r *refusal
		if !errors.As(err, &r) || time.Since(began) >= r.wait {
			return c, err
		}
		if pause == firstPause {
			d.tell(h.Name, fmt.Sprintf("%s: trying again for %s", r.why, r.wait))
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: %w", h.Name, context.Cause(ctx))
		case <-time.After(pause):
		}
		pause = min(2*pause, 8*firstPause)
	}
}

const (
	firstPause = time.Second     // until a login that was refused is tried again; then longer
	quietTime  = 3 * time.Second // after which a login is said to take long
)

// login logs in, and has the login itself run a first command, which spares another
// one's time; nil: none. The command's input ends with a line of its own: that of
// the login stays open. The error says what to do.
func (d *Dialer) login(ctx context.Context, h tree.Host, first *Command) (*conn, error) {
	if !isAddress(h.SSHAddress) {
		return nil, fmt.Errorf("%q is not an address to connect to", h.SSHAddress)
	}
	strict := "yes"
	if d.acceptNew {
		strict = "accept-new"
	}
	// A new connection may come before the old one to the same host goes.
	socket := filepath.Join(d.dir, strconv.Itoa(int(d.made.Add(1))))
	c := &conn{host: h, env: d.env, socket: socket, dead: make(chan struct{}), said: &tail{}}
	c.options = []string{
		"-o", "BatchMode=yes", "-o", "ConnectTimeout=" + strconv.Itoa(int(connectTimeout.Seconds())),
		"-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=4",
		"-o", "StrictHostKeyChecking=" + strict, "-o", "LogLevel=ERROR",
		"-o", "ForwardAgent=no", "-o", "ForwardX11=no", "-o", "ClearAllForwardings=yes", "-T",
	}
	if d.config != "" {
		c.options = append(c.options, "-F", d.config)
	}
	if h.SSH.User != "" {
		c.options = append(c.options, "-l", h.SSH.User)
	}
	if h.SSH.Port != 0 {
		c.options = append(c.options, "-p", strconv.Itoa(h.SSH.Port))
	}
	if file := h.SSH.KnownHosts; file != "" {
		if !filepath.IsAbs(file) {
			file = filepath.Join(d.tree, filepath.FromSlash(file))
		}
		file, err := filepath.Abs(file)
		if err != nil {
			return nil, err
		}
		// ssh would wait for whoever writes into a FIFO. One that is not there is
		// ssh's to tell of.
		if _, err := regular.Read(file, tree.MaxFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("known_hosts: %w", err)
		}
		c.knownHosts = file
		option, err := knownHosts(file)
		if err != nil {
			return nil, err
		}
		c.options = append(c.options, "-o", option)
	}
	// The master ends when its own session does, and that when this process is
	// gone, however it went.
	// What sshd and PAM have to say is shown from LogLevel INFO on alone; of two -o the
	// first counts.
	args := append([]string{"-o", "LogLevel=INFO", "-o", "ControlMaster=yes", "-o", "ControlPath=" + c.socket, "-o", "ControlPersist=no"}, c.options...)
	c.begin = firstBegin + NewID()
	stays, end := "exec cat >/dev/null", firstEnd+NewID()+" "
	if first != nil {
		stays = "(" + c.asRoot(*first) + "); echo \"" + end + "$?\"; " + stays
	}
	stays = "echo \"" + c.begin + "\"; echo \"" + c.begin + "\" >&2; " + stays
	c.jump = d.jumps.of(ctx, c)
	loggedIn := sync.OnceFunc(c.jump.login())
	defer loggedIn()
	c.master = exec.Command("ssh", append(args, "--", h.SSHAddress, stays)...)
	c.master.Stderr, c.master.Env = c.said, c.env
	stdin, err := c.master.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := c.master.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.stdin = stdin
	apart(c.master)
	if err := c.master.Start(); err != nil {
		return nil, err
	}
	ended := make(chan int, 1) // the first command, with a status
	go func() {
		begun := false
		readLines(stdout, Command{Line: func(line string) {
			if !begun { // it is the account's shell that says it, or a file of that
				if begun = line == c.begin; !begun {
					fmt.Fprintln(c.said, line)
				}
			} else if status, ok := strings.CutPrefix(line, end); ok {
				n, _ := strconv.Atoi(status)
				ended <- n
			} else if first != nil {
				first.Line(line)
			}
		}})
		c.master.Wait()
		close(c.dead)
	}()
	login, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	quiet := time.NewTimer(quietTime)
	defer quiet.Stop()
	for {
		if info, err := os.Stat(c.socket); err == nil && info.Mode()&os.ModeSocket != 0 {
			break
		}
		select {
		case <-c.dead:
			return nil, c.refused()
		case <-login.Done():
			c.close()
			return nil, fmt.Errorf("no login to %s within %s", h.SSHAddress, loginTimeout)
		case <-quiet.C:
			d.tell(h.Name, fmt.Sprintf("no login to %s within %s: ssh keeps trying", h.SSHAddress, quietTime))
		case <-time.After(5 * time.Millisecond):
		}
	}
	loggedIn()
	if first == nil {
		return c, nil
	}
	go io.Copy(stdin, first.Stdin)
	select {
	case status := <-ended:
		if status != 0 {
			c.close() // and all is there that it said
			_, text := c.words()
			return nil, failed(status, text)
		}
		return c, nil
	case <-c.dead:
		return nil, c.refused()
	case <-ctx.Done():
		c.close()
		return nil, fmt.Errorf("%s: %w", h.Name, context.Cause(ctx))
	case <-time.After(QuickTimeout):
		c.close()
		return nil, fmt.Errorf("%s did not report its state within %s", h.Name, QuickTimeout)
	}
}

// firstBegin begins the line that comes before what the first command prints, in its
// output and in what it writes to standard error: what comes before is the login's.
const firstBegin = "plonec: logged in: "

// words are what was said of the login, and by the first command after it.
func (c *conn) words() (login, command string) {
	login, command, _ = strings.Cut(c.said.String(), c.begin)
	return login, strings.TrimSpace(command)
}

// firstEnd begins the line that ends what the first command prints, before a word
// that nobody on the host knows beforehand, and its status.
const firstEnd = "plonec: the first command ended: "

func (c *conn) refused() error {
	login, command := c.words()
	text := visible(login + "\n" + command)
	if text == "" {
		text = "ssh ended without an error message"
	}
	s, do := said(login), remedy(login+"\n"+command)
	if s.says == untrusted && command == "" {
		do = c.keyRemedy(login)
	}
	err := diag.WithRemedy(fmt.Sprintf("ssh %s: %s", c.host.SSHAddress, text), do)
	if s.wait > 0 && command == "" {
		return &refusal{err, s}
	}
	return err
}

// visible is what ssh said where a login failed, from the banner to the error,
// in at most ten lines that show what does not print: some of it is the other
// side's, whoever that is. A line has at most 95 characters, so that all of them
// have room in one line of a report.
func visible(said string) string {
	lines := slices.DeleteFunc(strings.Split(said, "\n"), func(l string) bool { return strings.Trim(l, " \t\r@") == "" })
	if n := len(lines); n > 10 {
		lines = slices.Concat(lines[:3], []string{fmt.Sprintf("(%d more lines)", n-9)}, lines[n-6:])
	}
	for i, line := range lines {
		lines[i] = diag.Visible(strings.TrimSpace(line), 95)
	}
	return strings.Join(lines, "\n")
}
