// Package terminal is where a command meets a person: what happens on the hosts, as
// live lines or one below the other, questions, colours, and texts that a terminal
// can be given, whoever wrote them.
package terminal

import (
	"io"
	"math"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/plonec/plonec/internal/hosts"
	"github.com/plonec/plonec/internal/words"
)

// A Progress shows what happens on the hosts: on a terminal one line a host,
// redrawn in place; elsewhere a line for what began, ended or went wrong; or
// every event as a JSON object of its own. Errors and warnings go to err, all
// else to out.
//
// Event never waits for the terminal: one goroutine of its own writes, so that
// a stopped terminal or a full pipe does not hold up the hosts.
type Progress struct {
	Verbose bool // shows what the hosts print, too; set before the first event

	out, err, slow     io.Writer // slow: where it is told what takes long
	json               bool
	live               bool // out is a terminal that can be drawn on
	outColor, errColor bool
	Title              string
	now                func() time.Time
	size               func() (width, height int) // of the terminal

	mu       sync.Mutex // guards what follows up to closed
	began    time.Time
	said     time.Time     // when the last line was queued
	run      *hostProgress // the run as a whole
	hosts    []*hostProgress
	queue    []pending
	failures []Failure
	closed   bool
	cleared  bool // its live lines are to go

	screen  screen // belongs to whoever calls flush
	wake    chan struct{}
	resumed chan os.Signal // SIGCONT
	stop    chan struct{}
	stopped chan struct{}
}

// A pending text waits to be written.
type pending struct {
	to   io.Writer
	text string
}

// A Failure is a step that failed on a host, with what is needed to look into
// it. The texts are fit for a terminal.
type Failure struct {
	host  string // empty: the run as a whole
	step  string
	text  string   // may have several lines, as hint
	lines []string // the last that the step's programs printed, at most lastLines
	hint  string
}

const (
	lastLines = 20                     // of the output of a host, kept for when it fails
	frameTime = 100 * time.Millisecond // between two frames on a terminal
	quietTime = 2 * time.Second        // after which a step without a terminal is announced
)

// Again is after which time without a terminal it is told that a step, or a run, is still at
// work: the longest time without a line. Tests shorten it.
var Again = 30 * time.Second

// NewProgress starts to show what happens on the named hosts, in their order.
// Format is "text", "json" or, where a report has out to itself, "report": then only what
// takes long is told beside what goes wrong, on err. title stands above the live lines. Whoever calls
// it calls Close in the end.
func NewProgress(out, err io.Writer, format string, names []string, title string) *Progress {
	slow := out
	if format == "report" {
		out, slow = io.Discard, err
	}
	p := &Progress{
		out: out, err: err, slow: slow, json: format == "json", Title: title, now: time.Now,
		resumed: make(chan os.Signal, 1), stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	if dumb := os.Getenv("TERM") == "dumb"; !p.json && !dumb {
		p.outColor, p.errColor = UseColor(out), UseColor(err)
		p.live = IsTerminal(out)
	}
	if p.live {
		fd := int(File(out).Fd())
		p.size = func() (int, int) {
			if width, height, err := term.GetSize(fd); err == nil && width > 0 && height > 0 {
				return width, height
			}
			return 80, 24
		}
		if IsTerminal(err) {
			p.err = out // the same screen: above the live lines
		}
		signal.Notify(p.resumed, syscall.SIGCONT)
	} else {
		p.wake = make(chan struct{}, 1)
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // else the end of a reader of ours would end the deploy
	p.expect(names)
	go p.loop()
	return p
}

func (p *Progress) expect(names []string) {
	p.began = p.now()
	p.said = p.began
	p.run = &hostProgress{name: "plonec"}
	for _, name := range names {
		p.hosts = append(p.hosts, &hostProgress{name: name})
	}
}

func (p *Progress) loop() {
	defer close(p.stopped)
	tick := time.NewTicker(frameTime)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-p.wake:
		case <-tick.C:
		}
		p.flush(false)
	}
}

// Event shows one event. It may be called from several goroutines; after Close
// it does nothing.
func (p *Progress) Event(e hosts.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	if e.Time.IsZero() {
		e.Time = p.now()
	}
	h := p.host(e.Host)
	h.complete(&e)
	if e.Kind == hosts.Result && len(h.did) > 0 {
		e.Text += "; " + strings.Join(h.did, ", ")
		h.did = nil
	}
	if p.json {
		p.queue = append(p.queue, pending{p.out, words.JSONLine(e)})
	}
	h.record(e)
	if !p.json {
		p.print(h, e)
	}
	if e.Kind == hosts.Failed {
		p.failures = append(p.failures, Failure{
			host: Printable(e.Host), step: Printable(e.Step), text: PrintableLines(e.Text),
			lines: h.lines, hint: PrintableLines(e.Hint),
		})
		h.lines = nil // said once: an outer step may fail of the same cause
	}
	select {
	case p.wake <- struct{}{}:
	default: // it will wake anyway
	}
}

// host returns the state of a host, also of one that nobody announced.
func (p *Progress) host(name string) *hostProgress {
	if name == "" {
		return p.run
	}
	i := slices.IndexFunc(p.hosts, func(h *hostProgress) bool { return h.name == name })
	if i < 0 {
		i = len(p.hosts)
		p.hosts = append(p.hosts, &hostProgress{name: name})
	}
	return p.hosts[i]
}

// Clear is Close, but that no live lines stay: nothing was asked for yet that a
// host could have a result of.
func (p *Progress) Clear() {
	p.mu.Lock()
	p.cleared = true
	p.mu.Unlock()
	p.Close()
}

// Close writes what is left; on a terminal the last line of every host stays.
// It may be called again.
func (p *Progress) Close() {
	p.mu.Lock()
	was := p.closed
	p.closed = true
	p.mu.Unlock()
	if was {
		return
	}
	close(p.stop)
	<-p.stopped
	p.flush(true)
	signal.Stop(p.resumed)
}

// Failures returns every failure so far, in the order in which they happened.
func (p *Progress) Failures() []Failure {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.failures)
}

// flush writes what is pending and, on a terminal, the live lines; at the end
// those of all hosts, however many there are.
func (p *Progress) flush(end bool) {
	width, height := 0, 0
	if p.live {
		width, height = p.size()
	}
	p.mu.Lock()
	now := p.now()
	var frame []screenLine
	switch {
	case p.cleared:
	case p.live && end:
		frame = p.frame(now, math.MaxInt, true)
	case p.live:
		frame = p.frame(now, height, false)
	case !p.json && !end:
		p.remind(now)
	}
	queue := p.queue
	p.queue = nil
	p.mu.Unlock()

	var above strings.Builder
	for _, t := range queue {
		if p.live && t.to == p.out {
			above.WriteString(t.text)
		} else {
			_, _ = io.WriteString(t.to, t.text) // no reader: the hosts come first
		}
	}
	if !p.live {
		return
	}
	select {
	case <-p.resumed: // a shell has written below the live lines meanwhile
		p.screen = screen{}
	default:
	}
	_, _ = io.WriteString(p.out, p.screen.draw(above.String(), frame, width, p.outColor))
}
