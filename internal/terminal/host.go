package terminal

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/hosts"
)

// A hostProgress is what is known of a host. Its texts but the name are fit
// for a terminal.
type hostProgress struct {
	name   string
	open   []*openStep // outermost first
	last   string      // how the last step ended
	output string      // the last line that a program of the step printed
	lines  []string    // the last of them, at most lastLines
	failed bool
	result string   // not empty: the host is through
	did    []string // to daemons and units, since the last result
}

// An openStep has begun and not ended.
type openStep struct {
	name        string
	began       time.Time
	reminders   int // how often it was said that it is at work
	done, total int
	text        string // what is being worked on
}

// A hostState is what a host is counted as.
type hostState int

const (
	hostWaiting hostState = iota
	hostWorking
	hostDone
	hostFailed
)

func (h *hostProgress) state() hostState {
	switch {
	case len(h.open) > 0:
		return hostWorking // also while a failure is being taken back
	case h.failed:
		return hostFailed
	case h.result != "":
		return hostDone
	}
	return hostWaiting // also between two steps, until its turn comes
}

// step returns the innermost open step, nil where there is none.
func (h *hostProgress) step() *openStep {
	if len(h.open) == 0 {
		return nil
	}
	return h.open[len(h.open)-1]
}

func (h *hostProgress) busy() bool { return len(h.open) > 0 }

// at returns the step of an event, which may be one whose start nobody told.
func (h *hostProgress) at(e hosts.Event) *openStep {
	if s := h.step(); s != nil && e.Step == "" {
		return s
	}
	if i := h.find(e.Step); i >= 0 {
		return h.open[i]
	}
	s := &openStep{name: e.Step, began: e.Time}
	h.open = append(h.open, s)
	return s
}

// complete fills in the step that an event ends and how long that took, where
// the event does not say.
func (h *hostProgress) complete(e *hosts.Event) {
	if e.Kind != hosts.Finished && e.Kind != hosts.Failed {
		return
	}
	if e.Step == "" && h.step() != nil {
		e.Step = h.step().name
	}
	if i := h.find(e.Step); i >= 0 && e.Seconds == 0 {
		e.Seconds = e.Time.Sub(h.open[i].began).Round(time.Millisecond).Seconds()
	}
}

// find returns the place of the open step of that name, or -1.
func (h *hostProgress) find(name string) int {
	return slices.IndexFunc(h.open, func(s *openStep) bool { return s.name == name })
}

// record brings the state of the host up to an event.
func (h *hostProgress) record(e hosts.Event) {
	switch e.Kind {
	case hosts.Started:
		if e.Step == activateStep {
			h.did = nil
		}
		h.open = append(h.open, &openStep{name: e.Step, began: e.Time})
		h.output, h.lines = "", nil
	case hosts.Output:
		h.at(e)
		h.output = outputLine(e.Text)
		if e.Step == activateStep {
			h.act(h.output)
		}
		h.lines = append(h.lines[max(0, len(h.lines)+1-lastLines):], h.output)
	case hosts.Progress:
		s := h.at(e)
		s.done, s.total, s.text = e.Done, e.Total, Printable(e.Text)
	case hosts.Finished:
		h.end(e.Step)
		h.last = strings.TrimSpace(Printable(e.Step) + " " + firstLine(ended("done in", e)))
	case hosts.Failed:
		h.end(e.Step)
		h.failed = true
		h.last = strings.TrimSpace(Printable(e.Step) + " " + firstLine(ended("failed after", e)))
	case hosts.Result:
		h.open = nil
		h.result = cmp.Or(firstLine(PrintableLines(e.Text)), "done")
	}
}

// activateStep is the step in which a host brings files in.
const activateStep = "activate"

// act notes what a host says that it did to a daemon or a unit.
func (h *hostProgress) act(line string) {
	for _, of := range acts {
		if m := of.says.FindStringSubmatch(line); m != nil {
			h.did = append(h.did, of.says.ReplaceAllString(line, of.did))
			return
		}
	}
}

// acts are lines of templates/host: daemons.sh and generation.sh.
var acts = []struct {
	says *regexp.Regexp
	did  string
}{
	{regexp.MustCompile(`^plonec: (\S+) runs its new configuration$`), "$1 runs its new configuration"},
	{regexp.MustCompile(`^plonec: (\S+) runs again$`), "$1 runs again"},
	{regexp.MustCompile(`^plonec: (\S+) is (disabled|masked[^ ,]*), and stays stopped$`), "$1 is $2 and stays stopped"},
	{regexp.MustCompile(`^plonec: done: (reload|restart|start):(\S+?)(?:\.service)?$`), "${1}ed $2"},
	{regexp.MustCompile(`^plonec: done: stop:(\S+?)(?:\.service)?$`), "stopped $1"},
	{regexp.MustCompile(`^plonec: stopping (\S+?)(?:\.service)?, which is no longer wanted$`), "stopped $1"},
}

// end ends the named step and those inside it.
func (h *hostProgress) end(name string) {
	if i := h.find(name); i >= 0 {
		h.open = h.open[:i]
	}
	h.output = ""
}

// count is how far the step is, such as 3/4 plone-site-client3.
func (s *openStep) count() string {
	if s.total == 0 {
		return s.text
	}
	return strings.TrimSpace(fmt.Sprintf("%d/%d %s", s.done, s.total, s.text))
}

func firstLine(text string) string {
	first, _, _ := strings.Cut(text, "\n")
	return first
}
