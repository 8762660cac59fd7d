package remote

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/tree"
)

// What a login ends with, in the words of sshd, PAM, sudo and ssh as they were seen,
// is what the remedy is for; what passes by itself is waited for.
func TestSayings(t *testing.T) {
	for _, test := range []struct {
		text, do string
		wait     time.Duration
	}{
		// pam_nologin of Debian 12, and what ssh says after it.
		{"\"System is booting up. Unprivileged users are not permitted to log in yet. Please come back later. For technical details, see pam_nologin(8).\"\n\nConnection closed by 10.0.0.1 port 22", "wait until it has booted", bootTime},
		{"System is going down. Unprivileged users are not permitted to log in anymore.", `"status": "stopped"`, 0},
		{"kex_exchange_identification: Connection closed by remote host\nConnection closed by 10.0.0.1 port 22", "journalctl -u ssh", refusalTime},
		{"kex_exchange_identification: read: Connection reset by peer\nConnection reset by 10.0.0.1 port 22", "journalctl -u ssh", refusalTime},
		{"ssh_exchange_identification: read: Connection reset by peer", "journalctl -u ssh", refusalTime},
		// Behind a jump host, one that is not there: nothing passes by itself.
		{"channel 0: open failed: connect failed: No route to host\nstdio forwarding failed\nkex_exchange_identification: Connection closed by remote host", `"status": "stopped"`, 0},
		{"channel 0: open failed: administratively prohibited: open failed\nstdio forwarding failed\nkex_exchange_identification: Connection closed by remote host", "AllowTcpForwarding", 0},
		{"ssh: connect to host 10.0.0.1 port 22: Connection timed out", `write "status": "stopped" for it`, 0},
		{"Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures", "IdentitiesOnly", 0},
		{"Your account has expired; please contact your system administrator.\n\nConnection closed by 10.0.0.1 port 22", "", 0},
		{"This account is currently not available.", "plonec.ssh.user", 0},
		{"sudo: sorry, you must have a tty to run sudo", "!requiretty", 0},
		{"admin is not in the sudoers file.", "NOPASSWD", 0},
		{"Host key verification failed.", "ssh-keyscan -t ed25519 10.0.0.1 >>~/.ssh/known_hosts", 0},
		{"No ED25519 host key is known for bastion.example.com and you have requested strict checking.\nHost key verification failed.\nkex_exchange_identification: Connection closed by remote host", "ssh-keyscan -t ed25519 bastion.example.com >>~/.ssh/known_hosts", 0},
	} {
		c := &conn{host: tree.Host{SSHAddress: "10.0.0.1"}, said: &tail{}, begin: "begin"}
		fmt.Fprint(c.said, test.text)
		err := c.refused()
		var r *refusal
		if errors.As(err, &r) != (test.wait > 0) || r != nil && r.wait != test.wait {
			t.Errorf("%q: it is waited for is %v, want %s", test.text, r, test.wait)
		}
		first, _, _ := strings.Cut(test.text[:min(len(test.text), 60)], "\n")
		if text, do := diag.Remedy(err); !strings.Contains(do, test.do) || (do == "") != (test.do == "") || !strings.Contains(text, first) {
			t.Errorf("%q: %q, %q", test.text, text, do)
		}
	}
	// What a program says that ran there is its own.
	c := &conn{said: &tail{}, begin: "begin"}
	fmt.Fprint(c.said, "welcome\nbegin\nkex_exchange_identification: Connection closed by remote host\n")
	var r *refusal
	if err := c.refused(); errors.As(err, &r) {
		t.Errorf("a program's words are waited for: %v", err)
	}
	if login, command := c.words(); login != "welcome\n" || command != "kex_exchange_identification: Connection closed by remote host" {
		t.Errorf("%q, %q", login, command)
	}
}

// The jump host is what ssh makes of the user's configuration.
func TestThrough(t *testing.T) {
	for settings, want := range map[string]string{
		"user me\nproxyjump admin@bastion:2222,10.0.0.1\n": "admin@bastion:2222", "proxycommand ssh -W %h:%p bastion\n": "ssh -W %h:%p bastion",
		"proxyjump none\nproxycommand none\n": "", "user me\nproxyusefdpass no\n": "",
	} {
		if got := through(settings); got != want {
			t.Errorf("%q: %q, want %q", settings, got, want)
		}
	}
	j := make(jump, 1)
	done := j.login()
	select {
	case j <- struct{}{}:
		t.Error("there was room for another one")
	default:
	}
	done()
	j.login()()
	(jump)(nil).login()()
}

// The same of the real ssh: many hosts behind one jump host share its places, others
// have none.
func TestJumpsOfSSH(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(config, []byte("Host app*\n  ProxyJump bastion\nHost db*\n  ProxyCommand ssh -W %h:%p other\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	way := func(j *jumps, host string) jump {
		return j.of(context.Background(), &conn{host: tree.Host{SSHAddress: host}, options: []string{"-F", config}})
	}
	j := &jumps{many: true}
	if a, b, c := way(j, "app1"), way(j, "app2"), way(j, "db1"); a == nil || a != b || c == nil || a == c || cap(a) != 10 {
		t.Errorf("app1 %v, app2 %v, db1 %v", a, b, c)
	}
	if way(j, "lb1") != nil || way(&jumps{}, "app1") != nil {
		t.Error("a place is waited for without need")
	}
}

// Nobody who follows what plonec says has his address shut out: one ssh-keyscan with a
// single type of key is one connection, without it five.
func TestKeyScans(t *testing.T) {
	n := 0
	check := func(name, text string) {
		for line := range strings.Lines(text) {
			for rest := line; ; {
				_, after, ok := strings.Cut(rest, "ssh-keyscan")
				if rest = after; !ok {
					break
				}
				if n++; !strings.HasPrefix(after, " -t ed25519 ") && !strings.HasPrefix(after, "`") {
					t.Errorf("%s: %s", name, strings.TrimSpace(line))
				}
			}
			if strings.Contains(line, "ssh-keyscan") && (strings.Contains(line, "for ") && strings.Contains(line, "do") || strings.Contains(line, "while")) {
				t.Errorf("%s: in a loop: %s", name, strings.TrimSpace(line))
			}
		}
	}
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(files, "../../README.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		check(name, string(text))
	}
	for _, s := range sayings {
		check("remedy", s.do)
	}
	c := &conn{host: tree.Host{SSHAddress: "10.0.0.1", SSH: tree.SSH{Port: 2222}}}
	check("remedy", c.keyRemedy(""))
	check("remedy", c.keyRemedy("has changed"))
	if n < 4 {
		t.Errorf("only %d are named", n)
	}
}
