package terminal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/plonec/plonec/internal/hosts"
)

// A stage is a progress with a clock and a terminal of the test's own, whose
// flush the test calls.
type stage struct {
	*Progress
	clock    time.Time
	terminal *terminal
	out, err bytes.Buffer // where there is no terminal
}

func newStage(t *testing.T, width, height int, names ...string) *stage {
	s := &stage{clock: time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)}
	s.Progress = &Progress{
		out: &s.out, err: &s.err, Title: "plonec deploy site", now: func() time.Time { return s.clock },
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	s.slow = s.Progress.out
	close(s.stopped) // no loop
	if width > 0 {
		s.terminal = &terminal{t: t, width: width, height: height, wrap: true, rows: [][]rune{nil}}
		s.live, s.Progress.out, s.Progress.err = true, s.terminal, s.terminal
		s.size = func() (int, int) { return s.terminal.width, s.terminal.height }
	}
	s.expect(names)
	return s
}

// after lets time pass and then events happen; one is "HOST KIND STEP TEXT",
// with - for what is empty.
func (s *stage) after(d time.Duration, events ...string) {
	s.clock = s.clock.Add(d)
	for _, text := range events {
		f := append(strings.SplitN(text, " ", 4), "", "", "", "")
		for i := range f {
			f[i] = strings.TrimPrefix(f[i], "-")
		}
		e := hosts.Event{Host: f[0], Kind: hosts.Kind(f[1]), Step: f[2], Text: f[3]}
		if before, after, ok := strings.Cut(e.Text, " => "); ok {
			e.Text, e.Hint = before, after
		}
		if e.Kind == hosts.Progress {
			if _, err := fmt.Sscanf(e.Text, "%d/%d %s", &e.Done, &e.Total, &e.Text); err != nil {
				panic(err)
			}
		}
		s.Event(e)
	}
	s.flush(false)
}

// A terminal is as much of one as the live lines need. Rows above the last
// height ones have scrolled out and cannot be reached.
type terminal struct {
	t             *testing.T
	width, height int
	rows          [][]rune
	row, col      int
	wrap          bool
	styled        int // how many times a style was set
}

var sequence = regexp.MustCompile(`^\x1b\[([?0-9;]*)([A-Za-z])`)

func (m *terminal) Write(b []byte) (int, error) {
	for s := string(b); s != ""; {
		if f := sequence.FindStringSubmatch(s); f != nil {
			m.control(f[1], f[2])
			s = s[len(f[0]):]
			continue
		}
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		switch {
		case r == '\r':
			m.col = 0
		case r == '\n':
			m.row, m.col = m.row+1, 0
		case !unicode.IsPrint(r):
			m.t.Errorf("%q reached the terminal", r)
		default:
			m.put(r)
		}
		for len(m.rows) <= m.row {
			m.rows = append(m.rows, nil)
		}
	}
	return len(b), nil
}

func (m *terminal) put(r rune) {
	if m.col == m.width {
		if m.wrap {
			m.row, m.col = m.row+1, 0
		} else {
			m.col--
		}
	}
	for len(m.rows) <= m.row {
		m.rows = append(m.rows, nil)
	}
	for len(m.rows[m.row]) <= m.col {
		m.rows[m.row] = append(m.rows[m.row], ' ')
	}
	m.rows[m.row][m.col] = r
	m.col++
}

func (m *terminal) control(arguments, final string) {
	switch arguments + final {
	case "K", "J":
		m.rows[m.row] = m.rows[m.row][:min(m.col, len(m.rows[m.row]))]
		if final == "J" {
			m.rows = m.rows[:m.row+1]
		}
		return
	case "?7l", "?7h":
		m.wrap = final == "h"
		return
	}
	switch final {
	case "A":
		var n int
		if _, err := fmt.Sscan(arguments, &n); err != nil {
			m.t.Errorf("cursor up by %q", arguments)
		}
		m.row = max(m.row-n, len(m.rows)-m.height, 0)
	case "m":
		m.styled++
	default:
		m.t.Errorf("escape sequence %q%s", arguments, final)
	}
}

// resize makes the terminal narrower or wider, as those do that fold lines anew.
func (m *terminal) resize(width, height int) {
	var rows [][]rune
	for i, row := range m.rows {
		if i == m.row {
			m.row = len(rows)
		}
		for len(row) > width {
			rows, row = append(rows, row[:width:width]), row[width:]
		}
		rows = append(rows, row)
	}
	m.rows, m.width, m.height = rows, width, height
}

// all returns what was ever on the terminal, screen what is.
func (m *terminal) all() string {
	var lines []string
	for _, row := range m.rows {
		lines = append(lines, strings.TrimRight(string(row), " "))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

func (m *terminal) screen() string {
	lines := strings.SplitAfter(m.all(), "\n")
	lines = lines[:len(lines)-1]
	return strings.Join(lines[max(0, len(m.rows)-m.height):], "")
}

func (m *terminal) atRest() {
	m.t.Helper()
	if m.col != 0 || m.row != len(m.rows)-1 || len(m.rows[m.row]) > 0 || !m.wrap {
		m.t.Errorf("the cursor is at row %d of %d, column %d, wrapping is %v", m.row, len(m.rows), m.col, m.wrap)
	}
}

func same(t *testing.T, what, got, want string) {
	t.Helper()
	if want = strings.TrimPrefix(want, "\n"); got != want {
		t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

func TestProgressOnATerminal(t *testing.T) {
	s := newStage(t, 80, 24, "db1", "app1", "app2", "lb1")
	s.after(0, "- started lock")
	same(t, "at first", s.terminal.screen(), `
plonec deploy site  0:00  0 of 4 hosts done  lock 0:00
· db1   waiting
· app1  waiting
· app2  waiting
· lb1   waiting
`)
	s.after(time.Second, "- finished lock", "db1 started connect", "db1 finished connect", "db1 result - unchanged",
		"app1 started stage", "app1 progress stage 12/143 etc/plonec", "app2 started connect")
	s.after(1500*time.Millisecond, "app2 finished connect", "app1 finished stage", "app1 started build",
		"app1 output build Getting distribution for 'Products.CMFPlone==6.2.2' from an index far away.")
	s.terminal.atRest()
	s.after(61*time.Second, "- warning check the tree is older than the stack")
	same(t, "at work", s.terminal.screen(), `
plonec  check     warning: the tree is older than the stack
plonec deploy site  1:03  1 of 4 hosts done
✓ db1   unchanged
▸ app1  build     1:01  Getting distribution for 'Products.CMFPlone==6.2.2' fr…
· app2  waiting   connect done in 1.5 s
· lb1   waiting
`)
	s.after(0, "app1 finished build", "app1 started restart", "app1 progress restart 2/4 plone-site-client2",
		"app1 output restart 3 requests left")
	same(t, "counting", strings.Split(s.terminal.screen(), "\n")[3], "▸ app1  restart   0:00  2/4 plone-site-client2  3 requests left")
	s.after(time.Second, "app1 failed restart client2 does not answer\nit was given 60 s => look at its journal\nthen try again")
	s.after(0, "app1 started revert")
	same(t, "while it is taken back", strings.Split(s.terminal.screen(), "\n")[8], "✗ app1  revert    0:00")
	s.after(0, "app1 result - taken back")
	s.Close()
	same(t, "in the end", s.terminal.all(), `
plonec  check     warning: the tree is older than the stack
app1    restart   failed after 1.0 s: client2 does not answer
      it was given 60 s
      | 3 requests left
      look at its journal
      then try again
plonec deploy site  1:04  1 of 4 hosts done, 1 failed
✓ db1   unchanged
✗ app1  taken back
· app2  no result  connect done in 1.5 s
· lb1   no result
`)
	s.terminal.atRest()
	before := s.terminal.all()
	s.Close()
	s.Event(hosts.Event{Host: "app2", Kind: hosts.Failed, Text: "late"})
	same(t, "after Close", s.terminal.all(), before)
	if n := len(s.Failures()); n != 1 {
		t.Errorf("%d failures after Close", n)
	}
	if s.terminal.styled != 0 {
		t.Errorf("%d styles were set without colour", s.terminal.styled)
	}
}

// A frame that shows nothing new is not written.
func TestProgressWritesOnlyChanges(t *testing.T) {
	s := newStage(t, 80, 24, "app1")
	var written bytes.Buffer
	s.Progress.out = io.MultiWriter(s.terminal, &written)
	s.after(0, "app1 started build")
	written.Reset()
	s.after(100*time.Millisecond, "app1 started build")
	if written.Len() > 0 {
		t.Errorf("written: %q", written.String())
	}
	s.after(time.Second)
	if written.Len() == 0 {
		t.Error("the time stands still")
	}
}

func TestProgressFoldsHosts(t *testing.T) {
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprintf("app%02d", i))
	}
	s := newStage(t, 60, 8, names...)
	for _, name := range names[:9] {
		s.after(0, name+" result - unchanged")
	}
	s.after(0, "app09 failed check no space left", "app10 started build", "app11 started build", "app12 started check")
	same(t, "the screen", s.terminal.screen(), `
app09   check     failed: no space left
plonec deploy site  0:00  9 of 20 hosts done, 1 failed
✗ app09  check failed: no space left
▸ app10  build     0:00
▸ app11  build     0:00
▸ app12  check     0:00
… 9 done, 7 waiting
`)
	for _, name := range names[13:] {
		s.after(0, name+" started build")
	}
	same(t, "more at work than rows", s.terminal.screen(), `
plonec deploy site  0:00  9 of 20 hosts done, 1 failed
▸ app10  build     0:00
▸ app11  build     0:00
▸ app12  check     0:00
▸ app13  build     0:00
▸ app14  build     0:00
… 9 done, 1 failed, 5 at work
`)
	for _, height := range []int{3, 2, 1} {
		s.terminal.height = height
		s.after(time.Second)
		if n := strings.Count(s.terminal.screen(), "\n"); n > max(1, height-1) {
			t.Errorf("%d lines in %d rows", n, height)
		}
	}
	s.Close()
	lines := strings.Split(strings.TrimSpace(s.terminal.all()), "\n")
	for i, line := range lines[len(lines)-len(names):] {
		if !strings.Contains(line, names[i]) {
			t.Errorf("%s is not shown in the end: %s", names[i], line)
		}
	}
}

func TestProgressFollowsTheSize(t *testing.T) {
	s := newStage(t, 80, 24, "app1", "app2")
	s.after(0, "app1 started build", "app1 output build "+strings.Repeat("0123456789", 8), "- note - a line that stays")
	s.terminal.resize(30, 10)
	s.after(time.Second)
	same(t, "narrow", s.terminal.all(), `
plonec  a line that stays
plonec deploy site  0:01  0 …
▸ app1  build     0:01  0123…
· app2  waiting
`)
	s.terminal.resize(100, 10)
	s.after(time.Second)
	same(t, "wide", s.terminal.all(), `
plonec  a line that stays
plonec deploy site  0:02  0 of 2 hosts done
▸ app1  build     0:02  01234567890123456789012345678901234567890123456789012345678901234567890123…
· app2  waiting
`)
	s.terminal.resize(1, 10)
	s.after(time.Second)
	s.terminal.atRest()
}

// What a shell wrote meanwhile is not drawn over.
func TestProgressAfterAStop(t *testing.T) {
	s := newStage(t, 80, 24, "app1")
	s.resumed = make(chan os.Signal, 1)
	s.after(0)
	_, _ = io.WriteString(s.terminal, "[1]+  Stopped\n$ fg\n")
	s.resumed <- nil
	s.after(0)
	same(t, "the screen", s.terminal.screen(), `
plonec deploy site  0:00  0 of 1 host done
· app1  waiting
[1]+  Stopped
$ fg
plonec deploy site  0:00  0 of 1 host done
· app1  waiting
`)
}

func TestProgressWithoutATerminal(t *testing.T) {
	s := newStage(t, 0, 0, "app1", "frontend1")
	s.after(0, "- started lock", "- finished lock", "app1 started activate", "frontend1 started build")
	s.after(1200*time.Millisecond, "app1 finished activate", "app1 note - nothing was changed by hand")
	s.after(900*time.Millisecond, "frontend1 output build Getting Zope")
	s.after(20*time.Second, "frontend1 progress build 3/4 varnish")
	s.after(8*time.Second, "app1 result - release 7 runs")
	s.after(time.Second)
	s.after(time.Second)
	s.after(75 * time.Second)
	s.after(9 * time.Second)
	for i := range 30 {
		s.after(0, fmt.Sprintf("frontend1 output build line %d", i))
	}
	s.after(0, "frontend1 failed build it does not build => look at /var/log/plonec", "frontend1 failed deploy the build failed",
		"frontend1 result - as before", "- warning - hosts differ => run plonec plan")
	s.Close()
	same(t, "standard output", s.out.String(), `
plonec     lock      done
app1       activate  done in 1.2 s
app1       nothing was changed by hand
frontend1  build     started
app1       done      release 7 runs
frontend1  build     at work for 30 s, 3/4 varnish
frontend1  build     at work for 1 min 47 s, 3/4 varnish
frontend1  failed    as before
`)
	tail := ""
	for i := 10; i < 30; i++ {
		tail += fmt.Sprintf("      | line %d\n", i)
	}
	same(t, "standard error", s.err.String(), `
frontend1  build     failed after 1 min 56 s: it does not build
`+tail+`      look at /var/log/plonec
frontend1  deploy    failed: the build failed
plonec     warning: hosts differ
      run plonec plan
`)
	f := s.Failures()
	if len(f) != 2 || f[0].host != "frontend1" || f[0].step != "build" || f[0].text != "it does not build" ||
		f[0].hint != "look at /var/log/plonec" || len(f[0].lines) != lastLines || f[0].lines[19] != "line 29" || len(f[1].lines) != 0 {
		t.Errorf("failures: %+v", f)
	}
}

func TestProgressVerbose(t *testing.T) {
	s := newStage(t, 0, 0, "app1")
	s.Verbose = true
	s.after(0, "app1 started build", "app1 output build one", "app1 output build 10 %\r\x1b[32m100 %\x1b[0m")
	same(t, "standard output", s.out.String(), `
app1    build     | one
app1    build     | 100 %
`)
}

// A step's output does not stand for a later step that fails without a word.
func TestProgressTailIsOfTheStep(t *testing.T) {
	s := newStage(t, 0, 0, "app1")
	s.after(0, "app1 started deploy", "app1 started build", "app1 output build built", "app1 finished build",
		"app1 started switch", "app1 failed switch", "app1 failed deploy", "app1 started check", "app1 output check no", "app1 finished check", "app1 failed - all of it")
	var got []string
	for _, f := range s.Failures() {
		got = append(got, f.step+":"+strings.Join(f.lines, ","))
	}
	if want := []string{"switch:", "deploy:", ":no"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Where there is no terminal a line comes at least every 30 seconds, between two steps too;
// of what the run as a whole waits for as well as of a host.
func TestProgressIsNeverSilentForLong(t *testing.T) {
	s := newStage(t, 0, 0, "app1", "app2", "app3")
	s.after(0, "app3 result - nothing to do")
	for range 65 {
		s.after(time.Second)
	}
	s.after(0, "app1 started connect", "app1 finished connect")
	for range 29 {
		s.after(time.Second)
	}
	s.after(0, "- started secrets")
	for range 31 {
		s.after(time.Second)
	}
	same(t, "standard output", s.out.String(), `
app3    done      nothing to do
plonec  still at work after 30 s: no result yet of app1, app2
plonec  still at work after 1 min 0 s: no result yet of app1, app2
app1    connect   done
plonec  secrets   started
plonec  secrets   at work for 30 s
`)
	same(t, "standard error", s.err.String(), "")
}

// Beside a report only what takes long is told, and what goes wrong.
func TestProgressBesideAReport(t *testing.T) {
	var out, err bytes.Buffer
	now := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	p := NewProgress(&out, &err, "report", []string{"app1"}, "plonec status")
	p.Close() // its own loop and clock
	p = &Progress{out: p.out, err: p.err, slow: p.slow, now: func() time.Time { return now }, stop: make(chan struct{}), stopped: p.stopped}
	p.expect([]string{"app1"})
	p.Event(hosts.Event{Host: "app1", Kind: hosts.Started, Step: "connect"})
	for range 61 {
		p.flush(false)
		now = now.Add(time.Second)
	}
	p.Event(hosts.Event{Host: "app1", Kind: hosts.Finished, Step: "connect"})
	p.Event(hosts.Event{Host: "app1", Kind: hosts.Warning, Text: "its clock is ahead"})
	p.flush(false)
	same(t, "standard output", out.String(), "")
	same(t, "standard error", err.String(), `
app1    connect   at work for 30 s
app1    connect   at work for 1 min 0 s
app1    warning: its clock is ahead
`)
}

// Steps inside a step that ends are over, and the outer one is shown again.
func TestProgressNestedSteps(t *testing.T) {
	s := newStage(t, 80, 24, "app1")
	line := func() string { return strings.Split(s.terminal.screen(), "\n")[1] }
	s.after(0, "app1 started deploy")
	s.after(5*time.Second, "app1 started build")
	s.after(2 * time.Second)
	same(t, "inner", line(), "▸ app1  build     0:02")
	s.after(0, "app1 finished build")
	same(t, "outer", line(), "▸ app1  deploy    0:07")
	s.after(0, "app1 started switch", "app1 started restart", "app1 finished deploy")
	same(t, "none", line(), "· app1  waiting   deploy done in 7.0 s")
	s.after(0, "app1 output - text without a step", "app9 progress check 1/2 one")
	same(t, "what nobody announced", s.terminal.screen(), `
plonec deploy site  0:07  0 of 2 hosts done
▸ app1            0:00  text without a step
▸ app9  check     0:00  1/2 one
`)
}

func TestProgressJSON(t *testing.T) {
	var out, err bytes.Buffer
	p := NewProgress(&out, &err, "json", []string{"app1"}, "plonec deploy site")
	began := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	text := "<a & b>\x1b[31m\x00\u202e\u2028\U000e0001\nü\xff"
	events := []hosts.Event{
		{Time: began, Host: "app1", Kind: hosts.Started, Step: "build"},
		{Time: began, Host: "app1", Kind: hosts.Output, Step: "build", Text: text},
		{Time: began, Host: "app1", Kind: hosts.Progress, Step: "build", Done: 1, Total: 4},
		{Time: began, Kind: hosts.Warning, Text: "w", Hint: "h"},
		{Time: began.Add(1500 * time.Millisecond), Host: "app1", Kind: hosts.Failed, Text: "f"},
		{Time: began, Host: "app1", Kind: hosts.Result, Text: "r"},
	}
	for _, e := range events {
		p.Event(e)
	}
	p.Close()
	same(t, "standard error", err.String(), "")
	same(t, "standard output", out.String(), `
{"time":"2026-11-25T10:00:00Z","host":"app1","event":"started","step":"build"}
{"time":"2026-11-25T10:00:00Z","host":"app1","event":"output","step":"build","text":"<a & b>\u001b[31m\u0000\u202e\u2028\udb40\udc01\nü\ufffd"}
{"time":"2026-11-25T10:00:00Z","host":"app1","event":"progress","step":"build","done":1,"total":4}
{"time":"2026-11-25T10:00:00Z","event":"warning","text":"w","hint":"h"}
{"time":"2026-11-25T10:00:01.5Z","host":"app1","event":"failed","step":"build","text":"f","seconds":1.5}
{"time":"2026-11-25T10:00:00Z","host":"app1","event":"result","text":"r"}
`)
	var back hosts.Event
	if e := json.Unmarshal(bytes.Split(out.Bytes(), []byte("\n"))[1], &back); e != nil || back.Text != strings.ToValidUTF8(text, "\ufffd") {
		t.Errorf("read back: %q, %v", back.Text, e)
	}
	if f := p.Failures(); len(f) != 1 || f[0].step != "build" || len(f[0].lines) != 1 {
		t.Errorf("failures: %+v", f)
	}
}

// A program that reads the events sees each when it happens.
func TestProgressJSONIsFlushed(t *testing.T) {
	r, w := io.Pipe()
	p := NewProgress(w, io.Discard, "json", nil, "")
	p.Event(hosts.Event{Host: "app1", Kind: hosts.Started, Step: "connect"})
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil || !strings.Contains(line, `"connect"`) {
		t.Errorf("%q, %v", line, err)
	}
	p.Close()
}

// A reader that takes nothing, such as a stopped terminal, stops no host.
func TestProgressNeverWaits(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		r, w := io.Pipe()
		p := NewProgress(w, io.Discard, format, []string{"app1"}, "")
		done := make(chan bool)
		go func() {
			for range 10_000 {
				p.Event(hosts.Event{Host: "app1", Kind: hosts.Note, Step: "build", Text: "text"})
			}
			close(done)
		}()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatal("Event waits for the reader")
		}
		lines := make(chan int)
		go func() {
			text, _ := io.ReadAll(r)
			lines <- bytes.Count(text, []byte("\n"))
		}()
		p.Close()
		_ = w.Close()
		if n := <-lines; n != 10_000 {
			t.Errorf("%s: %d lines arrived", format, n)
		}
	}
}

func TestProgressOfManyHostsAtOnce(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		var out, err bytes.Buffer
		p := NewProgress(&out, &err, format, nil, "plonec deploy site")
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				host := fmt.Sprintf("app%d", i)
				for _, k := range []hosts.Kind{hosts.Started, hosts.Output, hosts.Progress, hosts.Warning, hosts.Note, hosts.Finished, hosts.Failed, hosts.Result} {
					p.Event(hosts.Event{Host: host, Kind: k, Step: "build", Text: "text"})
					p.Failures()
				}
			})
		}
		all.Wait()
		p.Close()
		want := 20 * 8 // json: all; text: warning, note, finished, failed with one line of output, result
		if format == "text" {
			want = 20 * 6
		}
		if n := bytes.Count(append(out.Bytes(), err.Bytes()...), []byte("\n")); n != want {
			t.Errorf("%s: %d lines, want %d", format, n, want)
		}
		if n := len(p.Failures()); n != 20 {
			t.Errorf("%s: %d failures", format, n)
		}
	}
}

// hostileTexts try to write over lines, to set a title, to hide what follows.
var hostileTexts = []string{
	"\x1b[2J\x1b[Hall is well", "\x1b[31mred", "\x1b]0;title\x07x", "\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "\x1b]0;never ends",
	"\x1b\x1b[31m[2J", "\x1b[", "\x1b", "\x9b2J", "\u009b2J", "\x1bPq\x1b\\", "\x1b(0", "a\rb", "a\bb", "\x7f\x00\x07", "\u202egnp", "\u2066x",
	"\xff\xfe", "a\nb\r\nc", strings.Repeat("x", 5000), strings.Repeat("日本", 100), "\U000e0041", "\t|",
}

func TestProgressHostileTexts(t *testing.T) {
	for _, width := range []int{80, 0} {
		for _, text := range hostileTexts {
			s := newStage(t, width, 24, "app1")
			s.Verbose = true
			s.Title = "title" + text
			for _, k := range []hosts.Kind{hosts.Started, hosts.Output, hosts.Progress, hosts.Warning, hosts.Note, hosts.Failed, hosts.Result} {
				s.Event(hosts.Event{Host: "app1", Kind: k, Step: "s" + text, Text: text, Hint: text})
				s.flush(false)
				s.Event(hosts.Event{Host: "h" + text, Kind: k, Step: "s", Text: text, Hint: text, Total: 2})
				s.flush(false)
			}
			s.clock = s.clock.Add(time.Minute)
			s.flush(false)
			s.Close()
			if width > 0 { // which itself takes only what it knows
				s.terminal.atRest()
			}
			for _, r := range s.out.String() + s.err.String() {
				if r != '\n' && !unicode.IsPrint(r) || r == utf8.RuneError {
					t.Errorf("%q: %q got through", text, r)
				}
			}
		}
	}
}

func TestPrintable(t *testing.T) {
	for _, c := range [][2]string{
		{"plain ü 日本", "plain ü 日本"},
		{"\x1b[1;31mred\x1b[0m", "red"},
		{"\x1b]8;;http://example.com\x1b\\link\x1b]8;;\x07", "link"},
		{"\x1b\x1b[31m[2J", `\x1b[2J`},
		{"a\tb\x07", `a  b\x07`},
		{"a\rb\n", `a\rb\n`}, // as in diagnostics
		{"\u202eabc\xff\U000e0041", `\u202eabc\xff\U000e0041`},
		{strings.Repeat("ü", maxText+1), strings.Repeat("ü", maxText) + "…"},
		{strings.Repeat("ü", maxText), strings.Repeat("ü", maxText)},
	} {
		if got := Printable(c[0]); got != c[1] {
			t.Errorf("%q: %q, want %q", c[0], got, c[1])
		}
	}
}

func TestProgressColors(t *testing.T) {
	s := newStage(t, 40, 24, "app1", "app2")
	s.outColor, s.errColor = true, true
	var written bytes.Buffer
	s.Progress.out = io.MultiWriter(s.terminal, &written)
	s.Progress.err = s.Progress.out
	s.after(0, "app1 started build", "app1 output build a line of output that is cropped", "app2 failed check no")
	for _, want := range []string{"\x1b[1mplonec deploy site\x1b[0m", "\x1b[36m▸\x1b[0m app1", "\x1b[2m  a line of outp\x1b[0m…", "\x1b[1;31m✗\x1b[0m app2", "\x1b[1;31mfailed\x1b[0m: no"} {
		if !strings.Contains(written.String(), want) {
			t.Errorf("%q is not in %q", want, written.String())
		}
	}
	t.Setenv("NO_COLOR", "1")
	t.Setenv("FORCE_COLOR", "1")
	if p := NewProgress(io.Discard, io.Discard, "text", nil, ""); p.outColor || p.errColor {
		t.Error("NO_COLOR is ignored")
	} else {
		p.Close()
	}
}

func TestDurations(t *testing.T) {
	for _, c := range []struct {
		d               time.Duration
		spoken, counted string
	}{
		{0, "0.0 s", "0:00"}, {-time.Second, "-1.0 s", "0:00"}, {1234 * time.Millisecond, "1.2 s", "0:01"}, {59600 * time.Millisecond, "1 min 0 s", "0:59"},
		{75 * time.Second, "1 min 15 s", "1:15"}, {2 * time.Hour, "120 min 0 s", "120:00"},
	} {
		if got := duration(c.d); got != c.spoken {
			t.Errorf("%v is said as %q", c.d, got)
		}
		if got := clock(c.d); got != c.counted {
			t.Errorf("%v is counted as %q", c.d, got)
		}
	}
}

// Before a question the hosts were only looked at: no line of theirs stays.
func TestProgressBeforeAQuestion(t *testing.T) {
	s := newStage(t, 80, 24, "app1", "app2")
	s.after(0, "app1 started connect", "app2 started connect")
	s.after(600*time.Millisecond, "app1 finished connect", "app2 warning - left out")
	s.Clear()
	same(t, "what stays", s.terminal.all(), `
app2    warning: left out
`)
	s.terminal.atRest()
}

// A host's result says what it did to daemons and units, as text and as JSON.
func TestResultSaysWhatWasDone(t *testing.T) {
	events := []string{
		"lb1 started activate", "lb1 output activate plonec: nginx runs its new configuration", "lb1 output activate plonec: done: restart:backup.timer",
		"lb1 output activate plonec: done: reload:x.service", "lb1 output activate plonec: done: stop:y.service",
		"lb1 output activate plonec: stopping plone-old.service, which is no longer wanted", "lb1 output activate plonec: configured",
		"lb1 finished activate", "lb1 output check plonec: done: restart:no.service", "lb1 result - generation 7",
		"lb1 result - site runs",
	}
	const want = "generation 7; nginx runs its new configuration, restarted backup.timer, reloaded x, stopped y, stopped plone-old"
	s := newStage(t, 0, 0, "lb1")
	s.after(0, events...)
	if got := s.out.String(); !strings.Contains(got, want+"\n") || !strings.Contains(got, "site runs\n") {
		t.Errorf("got\n%s", got)
	}
	s = newStage(t, 0, 0, "lb1")
	s.json = true
	s.after(0, events...)
	if got := s.out.String(); !strings.Contains(got, want+"\"}\n") {
		t.Errorf("got\n%s", got)
	}
}
