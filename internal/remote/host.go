// Package remote is one host as it is reached: over OpenSSH, whose configuration,
// keys and agent are the user's own, and rsync. It runs commands there as root,
// holds the host's lock, and follows jobs over connections that break. How long one waits
// for a lock that another holds is said in templates/host/lock.sh, which takes it. Which
// host is asked what, and when, is in package hosts.
package remote

import (
	"context"
	"sync"

	"github.com/plonec/plonec/internal/tree"
)

// A Host is a host and the connection to it, if there is one.
type Host struct {
	tree.Host
	dialer *Dialer
	mu     sync.Mutex
	conn   *conn // nil: nobody has logged in; a job that lost it puts another one there
}

// Host is a host of the tree that the dialer was made for. Nobody logs in yet.
func (d *Dialer) Host(h tree.Host) *Host { return &Host{Host: h, dialer: d} }

func (h *Host) current() *conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.conn
}

func (h *Host) replace(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conn = c
}

// Connected tells whether somebody has logged in. The connection may be broken.
func (h *Host) Connected() bool { return h.current() != nil }

// Ask runs a command that only looks: over the login itself where there is none yet,
// which spares another one's time. Its input then ends with a line of its own.
func (h *Host) Ask(ctx context.Context, what Command) error {
	if !h.Connected() {
		return h.AskAnew(ctx, what)
	}
	ctx, cancel := context.WithTimeout(ctx, QuickTimeout)
	defer cancel()
	return h.Run(ctx, what)
}

// AskAnew is Ask over a new login, which takes the place of the old one if it comes
// about.
func (h *Host) AskAnew(ctx context.Context, what Command) error {
	old := h.current()
	fresh, err := h.dialer.dial(ctx, h.Host, &what)
	if fresh == nil {
		return err
	}
	h.replace(fresh)
	if old != nil {
		old.close()
	}
	return err
}

// Run runs a command over the connection.
func (h *Host) Run(ctx context.Context, what Command) error { return h.current().run(ctx, what) }

// RunFresh runs a command over a login of its own: the connection would go on
// working where nobody can log in any more.
func (h *Host) RunFresh(ctx context.Context, what Command) error {
	return h.current().runFresh(ctx, what)
}

// Rsync brings the content of local folders into one on the host. linkDest is a
// folder there with files that need not be sent again; empty: none.
func (h *Host) Rsync(ctx context.Context, from []string, to, linkDest string) error {
	return h.current().rsync(ctx, from, to, linkDest)
}

// Close ends the connection, if there is one, and all that runs over it.
func (h *Host) Close() {
	if c := h.current(); c != nil {
		c.close()
		h.replace(nil)
	}
}
