package remote

import (
	"context"
	"os/exec"
	"strings"
	"sync"
)

// jumpLogins is how many logins may be under way at once through one jump host: sshd
// drops some of the connections on which nobody has logged in from the eleventh on
// (MaxStartups 10:30:100, its default).
const jumpLogins = 10

// jumps are the ways to hosts that lead through others.
type jumps struct {
	many bool // there are more hosts than may log in at once
	mu   sync.Mutex
	ways map[string]jump
}

// A jump has a place for each login that is under way; nil: it leads through no other
// host, or there are too few hosts to mind.
type jump chan struct{}

// login takes a place, and gives it back when the login is done.
func (j jump) login() (done func()) {
	if j == nil {
		return func() {}
	}
	j <- struct{}{}
	return func() { <-j }
}

// of is the way of a connection, as ssh understands the user's configuration.
func (j *jumps) of(ctx context.Context, c *conn) jump {
	if !j.many {
		return nil
	}
	cmd := exec.CommandContext(ctx, "ssh", append([]string{"-G"}, append(c.options, "--", c.host.SSHAddress)...)...)
	cmd.Env = c.env
	apart(cmd)
	out, err := cmd.Output()
	if err != nil {
		return nil // the login says what is wrong
	}
	way := through(string(out))
	if way == "" {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ways == nil {
		j.ways = map[string]jump{}
	}
	if j.ways[way] == nil {
		j.ways[way] = make(jump, jumpLogins)
	}
	return j.ways[way]
}

// through is the first jump host, or the program that makes connections, in what
// "ssh -G" prints; empty: neither.
func through(settings string) string {
	for line := range strings.Lines(settings) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case value == "none":
		case name == "proxyjump":
			first, _, _ := strings.Cut(value, ",")
			return first
		case name == "proxycommand":
			return value
		}
	}
	return ""
}
