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

// A Dialer makes connections. Its folder holds their sockets.
type Dialer struct {
	dir       string
	tree      string   // known_hosts is relative to it
	acceptNew bool     // a host that is not known yet is trusted
	config    string   // in place of the user's own configuration; empty: that
	env       []string // of ssh and rsync
	made      atomic.Int32
}

// Options of a Dialer.
type Options struct {
	AcceptNew bool   // trust the key of a host that is not known yet
	SSHConfig string // a file in place of the user's ~/.ssh/config; empty: that
}

// NewDialer makes one for the hosts of a tree. Close takes its folder away.
func NewDialer(disk *tree.Disk, o Options) (*Dialer, error) {
	// A socket's path is short: os.TempDir may be a long one on macOS.
	dir, err := os.MkdirTemp("", "plonec-")
	if err == nil && len(dir) > 60 {
		os.Remove(dir)
		dir, err = os.MkdirTemp("/tmp", "plonec-")
	}
	return &Dialer{dir: dir, tree: disk.Dir, acceptNew: o.AcceptNew, config: o.SSHConfig, env: child.Environ(variables(disk.Manifest))}, err
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

// Close takes the sockets away. The connections were closed before.
func (d *Dialer) Close() { os.RemoveAll(d.dir) }

// dial logs in, and has the login itself run a first command, which spares another
// one's time; nil: none. The command's input ends with a line of its own: that of
// the login stays open. The error says what to do.
func (d *Dialer) dial(ctx context.Context, h tree.Host, first *Command) (*conn, error) {
	if !isAddress(h.SSHAddress) {
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
	stays, end := "exec cat >/dev/null", firstEnd+NewID()+" "
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
		readLines(stdout, Command{Line: func(line string) {
			if status, ok := strings.CutPrefix(line, end); ok {
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
	go io.Copy(stdin, first.Stdin)
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
	case <-time.After(QuickTimeout):
		c.close()
		return nil, fmt.Errorf("%s did not say within %s how it is", h.Name, QuickTimeout)
	}
}

// firstEnd begins the line that ends what the first command prints, before a word
// that nobody on the host knows beforehand, and its status.
const firstEnd = "plonec: the first command ended: "

func (c *conn) refused() error {
	said := c.said.String()
	text := visible(said)
	if text == "" {
		text = "ssh ended without a word"
	}
	return diag.WithRemedy(fmt.Sprintf("ssh %s: %s", c.host.SSHAddress, text), remedy(said))
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
