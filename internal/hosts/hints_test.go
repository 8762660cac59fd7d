package hosts

import (
	"context"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/remote/remotetest"
)

// A remedy for hosts is no remedy for what a program on a host says.
func TestHints(t *testing.T) {
	const git = "fatal: unable to access 'https://git.example.com/': Connection timed out"
	for _, test := range []struct {
		remotetest.Reply
		want string
	}{
		{remotetest.Reply{Err: git, Status: 1}, ""},
		{remotetest.Reply{Err: "git@git.example.com: Permission denied (publickey).\r\n" + git + "\r\n", Status: 128}, ""},
		{remotetest.Reply{Err: "ssh: connect to host git.example.com port 22: Connection refused\nHost key verification failed\nfatal: no", Status: remotetest.Lost}, ""},
		{remotetest.Reply{Err: "sudo: a password is required\n", Status: 1}, "sudo asks for a password"},
		{remotetest.Reply{Err: git + "\nclient_loop: Connection to app1 timed out\n", Status: remotetest.Lost}, "it is not reachable from here"},
	} {
		f := two(t)
		f.resolve = func(string, []string) remotetest.Reply { return test.Reply }
		err := f.fleet.Deploy(context.Background(), []string{"site"}, DeployOptions{})
		if got := f.fleet.Hint(err); err == nil || !strings.HasPrefix(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%q: %v; the hint is %q", test.Err, err, got)
		}
	}
}
