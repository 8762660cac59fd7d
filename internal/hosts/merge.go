package hosts

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// logLine reads a line of "host logs --porcelain".
func logLine(host, line string) (LogLine, bool) {
	f := strings.SplitN(line, "\t", 3)
	at, err := strconv.ParseInt(f[0], 10, 64)
	if err != nil || len(f) < 3 {
		return LogLine{}, false
	}
	return LogLine{Time: at, Host: host, Unit: f[1], Text: f[2]}, true
}

// untilDone is an input that has nothing in it, and ends when ctx does.
func untilDone(ctx context.Context) io.Reader {
	r, w := io.Pipe()
	context.AfterFunc(ctx, func() { w.Close() })
	return r
}

// mergeTime is how long a line waits for an earlier one of another host, while they
// are followed.
const mergeTime = time.Second

// A merge puts the lines of several hosts into the order of time, those of one time
// into that of the hosts' names. Of one host they stay as they came.
type merge struct {
	show    func(LogLine)
	stopped chan struct{} // the clock, which shows what waited long enough; nil: there is none
	stop    chan struct{}

	mu    sync.Mutex
	lines []waiting
}

type waiting struct {
	LogLine
	came time.Time
}

func newMerge(show func(LogLine), follow bool) *merge {
	m := &merge{show: show}
	if !follow {
		return m
	}
	m.stop, m.stopped = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(m.stopped)
		for tick := time.NewTicker(mergeTime / 5); ; {
			select {
			case now := <-tick.C:
				m.ripe(now)
			case <-m.stop:
				tick.Stop()
				return
			}
		}
	}()
	return m
}

func (m *merge) add(l LogLine) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lines = append(m.lines, waiting{l, time.Now()})
}

// ripe shows the lines that came long enough ago, and those of an earlier time.
func (m *merge) ripe(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sort()
	n := 0
	for i, l := range m.lines {
		if now.Sub(l.came) >= mergeTime {
			n = i + 1
		}
	}
	for _, l := range m.lines[:n] {
		m.show(l.LogLine)
	}
	m.lines = slices.Delete(m.lines, 0, n)
}

func (m *merge) sort() {
	slices.SortStableFunc(m.lines, func(a, b waiting) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), strings.Compare(a.Host, b.Host))
	})
}

// end shows what is left: where nobody followed, the last of these lines; 0: all.
func (m *merge) end(last int) {
	if m.stop != nil {
		close(m.stop)
		<-m.stopped
		last = 0
	}
	m.sort()
	if last > 0 {
		m.lines = m.lines[max(0, len(m.lines)-last):]
	}
	for _, l := range m.lines {
		m.show(l.LogLine)
	}
}
