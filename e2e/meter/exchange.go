package meter

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"
)

// A client sends requests over connections of its own. It is no http.Transport,
// which sends a GET, and a POST of which nothing seems to be written, a second
// time by itself when a kept connection dies under it. Here each request is
// written by one call, to one connection, and there is no code that does so
// again.
//
// That a server closes a kept connection while it is idle is HTTP's own race. A
// kept connection is used again within maxIdle alone, far below any server's
// limit, and not when the server's end is seen to be closed, as every browser
// does; that is counted in idleClosed and is no failure, since nothing was sent.
// What is sent and not answered is a failure, on a kept connection too, and
// Failure.Kept tells.
type client struct {
	addr string

	mu         sync.Mutex
	idle       []*conn // the one used last is last
	idleClosed int
}

type conn struct {
	net.Conn
	r     *bufio.Reader
	since time.Time // idle
}

const (
	maxIdle = time.Second
	maxBody = 64 << 10 // of what is looked at; all is read
)

// An answer is what became of one request: "200", another status, or why there
// was none.
type answer struct {
	outcome string
	line    string            // the beginning of the body, or the error
	page    map[string]string // what a view of plonec_testsite says
	kept    bool              // the connection had carried another request before
}

func newClient(base *url.URL) *client {
	port := base.Port()
	if port == "" {
		port = "80"
	}
	return &client{addr: net.JoinHostPort(base.Hostname(), port)}
}

// do sends a request once and reads the whole answer.
func (c *client) do(ctx context.Context, req *http.Request, keep bool, deadline time.Time) answer {
	var k *conn
	if keep {
		k = c.take()
	}
	kept := k != nil
	fail := func(err error) answer {
		if ctx.Err() != nil {
			return answer{outcome: "cancelled", line: oneLine(context.Cause(ctx).Error()), kept: kept}
		}
		return answer{outcome: class(err), line: oneLine(err.Error()), kept: kept}
	}
	if k == nil {
		d := net.Dialer{Deadline: deadline}
		nc, err := d.DialContext(ctx, "tcp", c.addr)
		if err != nil {
			return fail(err)
		}
		k = &conn{Conn: nc, r: bufio.NewReader(nc)}
	}
	pooled := false
	defer func() {
		if !pooled {
			k.Close()
		}
	}()
	k.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { k.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	var b bytes.Buffer
	if err := req.Write(&b); err != nil {
		return fail(err)
	}
	if _, err := k.Write(b.Bytes()); err != nil {
		return fail(err)
	}
	if _, err := k.r.Peek(1); err != nil {
		return fail(err) // io.EOF: closed without an answer
	}
	resp, err := http.ReadResponse(k.r, req)
	if err != nil {
		return fail(cut{err})
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
	}
	if err != nil {
		return fail(cut{err})
	}
	if keep && !resp.Close && stop() {
		pooled = true
		c.put(k)
	}
	a := answer{outcome: strconv.Itoa(resp.StatusCode), line: oneLine(string(body)), kept: kept}
	if resp.StatusCode == http.StatusOK {
		a.page = fields(body)
	}
	return a
}

// take returns a kept connection that can be used, or nil.
func (c *client) take() *conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.idle) > 0 {
		k := c.idle[len(c.idle)-1]
		c.idle = c.idle[:len(c.idle)-1]
		if time.Since(k.since) >= maxIdle {
			k.Close()
			continue
		}
		if k.quiet() {
			return k
		}
		c.idleClosed++
		k.Close()
	}
	return nil
}

func (c *client) put(k *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k.since = time.Now()
	for len(c.idle) > 0 && time.Since(c.idle[0].since) >= maxIdle {
		c.idle[0].Close()
		c.idle = c.idle[1:]
	}
	c.idle = append(c.idle, k)
}

func (c *client) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.idle {
		k.Close()
	}
	c.idle = nil
}

// quiet tells whether the other end is open and has sent nothing unasked.
func (k *conn) quiet() bool {
	if k.r.Buffered() > 0 {
		return false
	}
	raw, err := k.Conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return false
	}
	k.SetDeadline(time.Time{})
	var peek error
	err = raw.Read(func(fd uintptr) bool {
		_, _, peek = syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return true
	})
	return err == nil && peek == syscall.EAGAIN
}

// cut is an error in the midst of an answer.
type cut struct{ error }

func (c cut) Unwrap() error { return c.error }

// class names the sort of a failure.
func class(err error) string {
	var timeout net.Error
	var inside cut
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "unreachable"
	case errors.As(err, &inside) && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return "truncated"
	case errors.As(err, &inside):
		return "malformed"
	case errors.Is(err, io.EOF):
		return "closed"
	default:
		return "error"
	}
}

// fields reads the "NAME VALUE" lines of a view.
func fields(body []byte) map[string]string {
	page := map[string]string{}
	for line := range strings.Lines(string(body)) {
		if name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " "); ok {
			page[name] = value
		}
	}
	return page
}

// oneLine is the beginning of a text, on one line.
func oneLine(text string) string {
	if len(text) > 1000 {
		text = text[:1000]
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if cut := []rune(text); len(cut) > 160 {
		text = string(cut[:160]) + "…"
	}
	return text
}
