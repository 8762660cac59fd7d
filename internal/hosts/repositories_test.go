package hosts

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/remote/remotetest"
)

// The repository of an app is asked once, by a host of it that answers and has something
// applied; what is wrong there is part of the answer.
func TestRepositories(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	for name, c := range map[string]struct {
		reply  remotetest.Reply
		change func(*member)
		want   string
	}{
		"answers":       {reply: remotetest.Reply{Out: "revision main\ncommit " + commit + "\n"}, want: "site by app1: main " + commit + " <nil>"},
		"no branch":     {reply: remotetest.Reply{Out: "revision main\n", Err: "plonec: R has no branch or tag main\n        set it\n", Status: 1}, want: "site by app1: main  &{plonec: R has no branch or tag main; set it }"},
		"older scripts": {reply: remotetest.Reply{Err: "plonec: usage\n", Status: 2}, want: "site by app1:   &{the host has scripts of an earlier plonec run plonec apply}"},
		"first is down": {reply: remotetest.Reply{Out: "revision \ncommit " + commit + "\n"}, change: func(m *member) {
			if m.Name == "app1" {
				m.failed = fmt.Errorf("down")
			}
		}, want: "site by app2:  " + commit + " <nil>"},
		"none applied": {change: func(m *member) { m.Seen.Generation = "" }, want: "site by :   &{none of its hosts answered with something applied }"},
	} {
		t.Run(name, func(t *testing.T) {
			f := two(t)
			f.resolve = func(_ string, argv []string) remotetest.Reply {
				if got := strings.Join(argv, " "); got != "--source site" {
					t.Errorf("asked %s", got)
				}
				return c.reply
			}
			for _, m := range f.fleet.members {
				m.Seen.Generation = "1"
				if c.change != nil {
					c.change(m)
				}
			}
			list := f.fleet.Repositories(context.Background())
			if len(list) != 1 || f.count("app") < 2 {
				t.Fatalf("%+v", list)
			}
			r := list[0]
			if got := fmt.Sprintf("%s by %s: %s %s %v", r.App, r.Host, r.Revision, r.Commit, r.Error); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			asked := 0
			for _, host := range []string{"app1", "app2"} {
				asked += f.count(host + " " + plan.ScriptDir + "/host resolve")
			}
			if want := map[bool]int{true: 1}[r.Host != ""]; asked != want {
				t.Errorf("%d were asked", asked)
			}
		})
	}
}
