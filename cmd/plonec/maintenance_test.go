package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/sshdtest"
)

// TestMaintenanceOfSome: where one front end cannot be reached none is switched, and it is said
// how the others are.
func TestMaintenanceOfSome(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the hosts are this machine, as root")
	}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // sshd wants it, though it is Debian's
		t.Fatal(err)
	}
	sshd := sshdtest.Start(t, "AuthenticationMethods publickey\nPermitRootLogin prohibit-password")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"stack.json": fmt.Sprintf(`{
  "instances": {
    "lb1": {"layers": ["lb"], "address": "10.0.0.11", "ssh_address": "127.0.0.1"},
    "lb2": {"layers": ["lb"], "address": "10.0.0.12", "ssh_address": "127.0.0.2"},
    "app1": {"layers": ["plone_instances"], "address": "10.0.1.11", "cpus": 1}
  },
  "plonec": {"ssh": {"user": "root", "port": %d, "known_hosts": "known"}},
  "nginx_plone": {"zmi": []}, "haproxy": {"enable_stats": false},
  "plone_instances": {"zeo": {"address": "10.0.0.9:8001"}, "per_cpu": 1},
  "deploy": {"plone_instances": {"domains": ["www.example.com"], "scm": {"repository": "https://example.org/buildout.git"}}}
}`, sshd.Port),
		"known":  sshd.Known,
		"config": "Host *\n  IdentityFile " + sshd.Key + "\n  IdentitiesOnly yes\n",
	} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	var out, said strings.Builder
	if status := run([]string{"build", "stack.json"}, &out, &said); status != 0 {
		t.Fatal(status, out.String(), said.String())
	}
	const want = "nothing was switched. If no visitors reach lb2: plonec maintenance on --host lb1; after it is back: plonec maintenance on"
	for _, test := range []struct {
		hosts []string
		tells bool
	}{{nil, true}, {[]string{"--host", "lb2"}, false}} {
		out.Reset()
		said.Reset()
		status := run(append([]string{"maintenance", "on", "--allow-new-hosts", "--ssh-config", "config"}, test.hosts...), &out, &said)
		if text := out.String() + said.String(); status != 1 || strings.Contains(text, want) != test.tells || !strings.Contains(text, "lb2: connect: ") {
			t.Errorf("%s: %d\n%s", test.hosts, status, text)
		}
	}
}
