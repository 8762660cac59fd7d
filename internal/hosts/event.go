package hosts

import "time"

// An Event is one thing that happened on a host, or to the run as a whole.
// Its texts may hold whatever a program on the host printed, except secrets,
// which are masked before: what shows them has to mind control characters.
type Event struct {
	Time    time.Time `json:"time"`
	Host    string    `json:"host,omitempty"` // empty: the run as a whole
	Kind    Kind      `json:"event"`
	Step    string    `json:"step,omitempty"` // secrets, connect, observe, lock, setup, stage, check, activate, confirm, build, switch, restart
	Text    string    `json:"text,omitempty"`
	Hint    string    `json:"hint,omitempty"`    // Failed: what to do
	Seconds float64   `json:"seconds,omitempty"` // Finished, Failed: since the step began
	Done    int       `json:"done,omitempty"`    // Progress: how many of Total, 0 to Total
	Total   int       `json:"total,omitempty"`   // Progress: of the clients, files or whatever the step counts
}

// A Kind says what an Event means.
type Kind string

// The kinds of events. Steps of one host may be nested; the end of an outer
// one ends those inside.
const (
	Started  Kind = "started"  // a step begins
	Output   Kind = "output"   // Text is one line of a program on the host
	Progress Kind = "progress" // Done of Total; Text says which one is being worked on
	Finished Kind = "finished" // a step went well
	Failed   Kind = "failed"   // a step did not, and what was asked for will not be reached on this host
	Note     Kind = "note"     // worth a line of its own
	Warning  Kind = "warning"  // something to look at that stops nothing
	Result   Kind = "result"   // a host's final state: Text says it
)

// A Sink takes events as they happen. It is called from many goroutines at
// once and must not keep them waiting.
type Sink func(Event)
