package hosts

import (
	"bufio"
	"context"
	"slices"
	"strconv"
	"testing"
)

// However the connection breaks, each line of a job comes once and whole, with
// whatever line ends its program writes.
func TestJobOverBrokenConnections(t *testing.T) {
	const out = "one\r\ntwo\r\n\r\nthree\n\nbar\rbar two\r\nwithout an end"
	want := []string{"one", "two", "", "three", "", "bar\rbar two", "without an end"}
	for cut := range len(out) + 1 {
		if cut%5 != 0 && cut != 8 && cut != 9 { // within CR LF, too
			continue
		}
		f := newFakeHosts(t, map[string]string{"app1:/etc/plonec/host.env": "HOST='app1'\n"})
		f.job = func(string, []string) (string, int) { return out, 3 }
		asked := 0
		f.follow = func(id, out string, at, status int) reply {
			if asked++; asked == 1 {
				return reply{Out: out[min(at, cut):cut], Status: lost}
			}
			if asked == 2 { // in the last line, which says how it ended
				return reply{Out: out[min(at, len(out)):] + id + " ended with ", Status: lost}
			}
			return reply{Out: out[min(at, len(out)):] + id + " ended with " + strconv.Itoa(status) + "\n"}
		}
		var got []string
		status, err := f.fleet.members[0].job(context.Background(), setupTime, []string{"true"}, false, nil, func(line string) { got = append(got, line) })
		if err != nil || status != 3 || asked != 3 {
			t.Errorf("cut at %d: %d, %v, asked %d times", cut, status, err, asked)
		}
		if !slices.Equal(got, want) {
			t.Errorf("cut at %d: got %q, want %q", cut, got, want)
		}
	}
}

// A job that the host refuses to begin is an error at once: there is nothing to
// follow.
func TestJobThatNeverBegins(t *testing.T) {
	f := newFakeHosts(t, map[string]string{"app1:/etc/plonec/host.env": "HOST='app1'\n"})
	for status, said := range map[int]string{1: "no space left", 127: "sudo: a password is required"} {
		f.begin = &reply{Status: status, Err: said}
		asked := f.count("app1 job")
		if _, err := f.fleet.members[0].job(context.Background(), setupTime, []string{"true"}, false, nil, func(string) {}); err == nil {
			t.Errorf("%q: no error", said)
		}
		if n := f.count("app1 job") - asked; n != 1 {
			t.Errorf("%q: asked %d times", said, n)
		}
	}
}

// Over a new connection a job gets all answers again, and nobody waits for the
// old one.
func TestAnswers(t *testing.T) {
	a := &answers{}
	a.give("before.one go")
	in, end := a.follow()
	lines := bufio.NewScanner(in)
	next := func() string {
		lines.Scan()
		return lines.Text()
	}
	if got := next(); got != "before.one go" {
		t.Errorf("got %q", got)
	}
	go a.give("after.one go")
	if got := next(); got != "after.one go" {
		t.Errorf("got %q", got)
	}
	given := make(chan bool)
	go func() {
		a.give("before.two HAProxy sees nobody") // which nobody reads
		close(given)
	}()
	end()
	<-given
	in, end = a.follow()
	defer end()
	lines = bufio.NewScanner(in)
	for _, want := range []string{"before.one go", "after.one go", "before.two HAProxy sees nobody"} {
		if got := next(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
