package hosts

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/plonec/plonec/internal/child"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/regular"
	"github.com/plonec/plonec/internal/tree"
)

// hostName is what may stand where ssh takes an address: never an option.
var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$`)

// Deadlines of what is done over ssh.
const (
	connectTimeout = 10 * time.Second // until the connection is there
	loginTimeout   = 30 * time.Second // and the login is done
	quickTimeout   = time.Minute      // for what only looks or switches
	stageTimeout   = 5 * time.Minute  // for a host's files over a slow line
)

// A conn is one master connection to a host, over which every command runs.
// OpenSSH does the work: the user's own configuration, keys and agent count.
type conn struct {
	host    tree.Host
	env     []string // of ssh and rsync
	options []string // of ssh, less those of the master connection
	socket  string
	master  *exec.Cmd
	stdin   io.Closer // the master lives as long as this is open
	dead    chan struct{}
	said    *tail
}

// A dialer makes connections. Its folder holds their sockets.
type dialer struct {
	dir       string
	tree      string   // known_hosts is relative to it
	acceptNew bool     // a host that is not known yet is trusted
	config    string   // in place of the user's own configuration; empty: that
	env       []string // of ssh and rsync
	made      atomic.Int32
}

// knownHosts is the option that makes ssh read one file, whatever its name: ssh takes a
// space for the end of a name, and % and ${ for something to put in.
func knownHosts(file string) (string, error) {
	if strings.Contains(file, "${") || strings.ContainsAny(file, "\"\\\n\r\x00") {
		return "", &hinted{fmt.Sprintf("ssh takes %q for another name than that of known_hosts", file), "give that file, and its folders, names without quotes, \\ and ${"}
	}
	return `UserKnownHostsFile="` + strings.ReplaceAll(file, "%", "%%") + `"`, nil
}

func newDialer(disk *tree.Disk, o Options) (*dialer, error) {
	// A socket's path is short: os.TempDir may be a long one on macOS.
	dir, err := os.MkdirTemp("", "plonec-")
	if err == nil && len(dir) > 60 {
		os.Remove(dir)
		dir, err = os.MkdirTemp("/tmp", "plonec-")
	}
	return &dialer{dir: dir, tree: disk.Dir, acceptNew: o.AcceptNew, config: o.SSHConfig, env: child.Environ(variables(disk.Manifest))}, err
}

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

func (d *dialer) close() { os.RemoveAll(d.dir) }

// dial logs in, and has the login itself run a first command, which spares another
// one's time; nil: none. The command's input ends with a line of its own: that of
// the login stays open. The error says what to do.
func (d *dialer) dial(ctx context.Context, h tree.Host, first *command) (*conn, error) {
	if !hostName.MatchString(h.SSHAddress) {
		return nil, fmt.Errorf("%q is no address to connect to", h.SSHAddress)
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
		option, err := knownHosts(file)
		if err != nil {
			return nil, err
		}
		c.options = append(c.options, "-o", option)
	}
	// The master ends when its own session does, and that when this process is
	// gone, however it went.
	args := append([]string{"-o", "ControlMaster=yes", "-o", "ControlPath=" + c.socket, "-o", "ControlPersist=no"}, c.options...)
	stays, end := "exec cat >/dev/null", firstEnd+newID()+" "
	if first != nil {
		stays = "(" + c.asRoot(*first) + "); echo \"" + end + "$?\"; " + stays
	}
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
		readLines(stdout, command{line: func(line string) {
			if status, ok := strings.CutPrefix(line, end); ok {
				n, _ := strconv.Atoi(status)
				ended <- n
			} else if first != nil {
				first.line(line)
			}
		}})
		c.master.Wait()
		close(c.dead)
	}()
	login, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
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
		case <-time.After(5 * time.Millisecond):
		}
	}
	if first == nil {
		return c, nil
	}
	go io.Copy(stdin, first.stdin)
	select {
	case status := <-ended:
		if status != 0 {
			c.close() // and all is there that it said
			return nil, failed(status, c.said.String())
		}
		return c, nil
	case <-c.dead:
		return nil, c.refused()
	case <-ctx.Done():
		c.close()
		return nil, fmt.Errorf("%s: %w", h.Name, context.Cause(ctx))
	case <-time.After(quickTimeout):
		c.close()
		return nil, fmt.Errorf("%s did not say within %s how it is", h.Name, quickTimeout)
	}
}

// firstEnd begins the line that ends what the first command prints, before a word
// that nobody on the host knows beforehand, and its status.
const firstEnd = "plonec: the first command ended: "

// close ends the connection and all that runs over it.
func (c *conn) close() {
	c.stdin.Close()
	select {
	case <-c.dead:
	case <-time.After(2 * time.Second):
		c.master.Process.Kill()
		<-c.dead
	}
}

func (c *conn) refused() error {
	said := c.said.String()
	text := visible(said)
	if text == "" {
		text = "ssh ended without a word"
	}
	return &hinted{fmt.Sprintf("ssh %s: %s", c.host.SSHAddress, text), hint(said)}
}

// visible is what ssh said where a login failed, from the banner to the error,
// in at most ten lines that show what does not print: some of it is the other
// side's, whoever that is. A line has at most 95 characters, so that all of them
// have room in one line of a report.
func visible(said string) string {
	lines := slices.DeleteFunc(strings.Split(said, "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
	if n := len(lines); n > 10 {
		lines = slices.Concat(lines[:3], []string{fmt.Sprintf("(%d more lines)", n-9)}, lines[n-6:])
	}
	for i, line := range lines {
		lines[i] = diag.Visible(strings.TrimSpace(line), 95)
	}
	return strings.Join(lines, "\n")
}

// A command is a program for the host's root: a script of the tree that is sent
// along, or one that lies on the host.
type command struct {
	script string // its text; empty: argv[0] is on the host
	argv   []string
	stdin  io.Reader
	line   func(string) // gets each line of its output, less the line break
	whole  func(string) // the same with the line break, if there is one: every byte
}

// An exitError is a command that ended with another status than 0.
type exitError struct {
	status int
	said   string // the end of what it wrote to standard error
}

func (e *exitError) Error() string {
	if e.said != "" {
		return e.said
	}
	return fmt.Sprintf("it ended with status %d", e.status)
}

// lost is the status of ssh itself when its connection fails.
const lost = 255

// errLost says that the connection broke: what became of the command is not
// known.
var errLost = errors.New("the connection was lost")

// isLost tells whether an error says so.
func isLost(err error) bool { return strings.HasPrefix(err.Error(), errLost.Error()) }

// run runs a command over the master connection.
func (c *conn) run(ctx context.Context, what command) error {
	args := append([]string{"-o", "ControlMaster=no", "-o", "ControlPath=" + c.socket}, c.options...)
	return c.ssh(ctx, args, what)
}

// runFresh runs a command over a login of its own: the master would go on
// working where nobody can log in any more.
func (c *conn) runFresh(ctx context.Context, what command) error {
	args := append([]string{"-o", "ControlMaster=no", "-o", "ControlPath=none"}, c.options...)
	return c.ssh(ctx, args, what)
}

func (c *conn) ssh(ctx context.Context, args []string, what command) error {
	cmd := exec.CommandContext(ctx, "ssh", append(args, "--", c.host.SSHAddress, c.asRoot(what))...)
	said := &tail{}
	cmd.Stderr, cmd.Env = said, c.env
	apart(cmd)
	cmd.WaitDelay = 2 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	// Given as cmd.Stdin, an input that has not ended would outlast a command
	// that has.
	var in io.WriteCloser
	if what.stdin != nil {
		if in, err = cmd.StdinPipe(); err != nil {
			return err
		}
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if in != nil {
		go func() {
			io.Copy(in, what.stdin)
			in.Close()
		}()
	}
	readLines(out, what)
	err = cmd.Wait()
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", c.host.Name, context.Cause(ctx))
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if exit.ExitCode() == lost || exit.ExitCode() < 0 {
			text := said.String()
			last := text[strings.LastIndexByte(text, '\n')+1:] // what comes before may be the program's
			return &hinted{strings.TrimSpace(errLost.Error() + ": " + text), hint(last)}
		}
		return failed(exit.ExitCode(), said.String())
	}
	return err
}

// failed is the error of a command that ended with a status; said is the end of
// what it wrote to standard error.
func failed(status int, said string) error {
	if h := remoteHint(said); h != "" {
		return &hinted{said, h}
	}
	return &exitError{status, said}
}

// readLines passes on what a command prints.
func readLines(out io.Reader, what command) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	lines.Split(wholeLines)
	for lines.Scan() {
		if what.whole != nil {
			what.whole(lines.Text())
		}
		if what.line != nil {
			what.line(lineEndLess(lines.Text()))
		}
	}
	io.Copy(io.Discard, out)
}

// wholeLines is bufio.ScanLines, but that it keeps the line breaks.
func wholeLines(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

func lineEndLess(line string) string { return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r") }

// sudo is what a word of the remote shell becomes: nothing for who is root.
const sudo = "$(test \"$(id -u)\" = 0 || echo sudo -n)"

// asRoot is the command line for the remote shell.
func (c *conn) asRoot(what command) string {
	words := what.argv
	if what.script != "" {
		words = append([]string{"/bin/bash", "-c", what.script, "plonec"}, what.argv...)
	}
	var b strings.Builder
	b.WriteString("exec " + sudo)
	for _, w := range words {
		b.WriteString(" '" + strings.ReplaceAll(w, "'", `'\''`) + "'")
	}
	return b.String()
}

// rsync brings the content of local folders into one on the host. linkDest is
// a folder there with files that need not be sent again; empty: none.
func (c *conn) rsync(ctx context.Context, from []string, to, linkDest string) error {
	// By content: two files of one size and time may differ. The modes are the
	// manifest's, which activate sets.
	args := []string{"-rc", "--chmod=D755,F644"}
	if linkDest != "" {
		args = append(args, "--link-dest="+linkDest)
	}
	remote := append([]string{"ssh", "-o", "ControlMaster=no", "-o", "ControlPath=" + c.socket}, c.options...)
	for i, w := range remote {
		if strings.ContainsAny(w, " '\"") {
			remote[i] = "'" + strings.ReplaceAll(w, "'", "''") + "'"
		}
	}
	args = append(args, "-e", strings.Join(remote, " "))
	args = append(args, "--rsync-path="+sudo+" rsync", "--")
	for _, dir := range from {
		args = append(args, dir+"/")
	}
	address := c.host.SSHAddress
	if ip := net.ParseIP(address); ip != nil && ip.To4() == nil {
		address = "[" + address + "]"
	}
	cmd := exec.CommandContext(ctx, "rsync", append(args, address+":"+to+"/")...)
	said := &tail{}
	cmd.Stderr, cmd.Env = said, c.env
	apart(cmd)
	cmd.WaitDelay = 2 * time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		text := said.String()
		if text == "" {
			text = err.Error()
		}
		return &hinted{"rsync: " + text, hint(text)}
	}
	return nil
}

// apart keeps a program out of the terminal's process group, so that Ctrl-C
// reaches plonec alone, which then ends things in order.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// A tail keeps the last lines of what a program says, up to 4 KiB.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if n := len(t.text) - 4096; n > 0 {
		t.text = t.text[n:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.text))
}
