package hosts

import (
	"context"
	"strings"
	"testing"
)

// A remedy for hosts is no remedy for what a program on a host says.
func TestHints(t *testing.T) {
	const git = "fatal: unable to access 'https://git.example.com/': Connection timed out"
	for _, test := range []struct {
		reply
		want string
	}{
		{reply{Err: git, Status: 1}, ""},
		{reply{Err: "git@git.example.com: Permission denied (publickey).\r\n" + git + "\r\n", Status: 128}, ""},
		{reply{Err: "ssh: connect to host git.example.com port 22: Connection refused\nHost key verification failed\nfatal: no", Status: lost}, ""},
		{reply{Err: "sudo: a password is required\n", Status: 1}, "sudo asks for a password"},
		{reply{Err: git + "\nclient_loop: Connection to app1 timed out\n", Status: lost}, "it is down or not reachable"},
	} {
		f := two(t)
		f.resolve = &test.reply
		err := f.fleet.Deploy(context.Background(), []string{"site"}, DeployOptions{})
		if got := f.fleet.Hint(err); err == nil || !strings.HasPrefix(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%q: %v; the hint is %q", test.Err, err, got)
		}
	}
}

// One name is one file.
func TestKnownHostsOption(t *testing.T) {
	for file, want := range map[string]string{
		"/srv/known_hosts":         `UserKnownHostsFile="/srv/known_hosts"`,
		"/srv/our hosts/100%h $ x": `UserKnownHostsFile="/srv/our hosts/100%%h $ x"`,
		`/srv/a" "/tmp/b`:          "",
		"/srv/${HOME}":             "",
		`/srv/a\b`:                 "",
		"/srv/a\nb":                "",
	} {
		if got, err := knownHosts(file); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %s, %v", file, got, err)
		}
	}
}
