package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/sshdtest"
	"github.com/plonec/plonec/internal/tree"
)

// A realSSHD is sshd on the loopback, with a user who may log in by a key.
type realSSHD struct {
	pid    int
	host   tree.Host
	dialer *Dialer
	mu     sync.Mutex
	told   []string
}

// newSSHD starts one with more lines of configuration, as root in mounts of its own,
// where a user "tester" has that shell; nologin is what /run/nologin says there, of
// which PAM tells; empty: it is not there.
func newSSHD(t *testing.T, config, shell, nologin string) *realSSHD {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("sshd lets other users in for root alone")
	}
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("passwd", "root:x:0:0::/root:/bin/sh\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin\ntester:x:12345:12345::/:"+shell+"\n")
	write("shadow", "root:*:20000::::::\nsshd:*:20000::::::\ntester:*:20000::::::\n")
	write("pam", "auth required pam_permit.so\naccount required pam_nologin.so\naccount required pam_permit.so\nsession required pam_permit.so\n")
	write("nologin", nologin)
	if nologin != "" {
		config += "\nUsePAM yes"
	}
	server := sshdtest.Start(t, config, "unshare", "--mount", "/bin/sh", "-ec", `
		dir=$1
		shift
		for file in passwd shadow; do mount --bind "$dir/$file" /etc/$file; done
		mount -t tmpfs tmpfs /run
		mount -t tmpfs tmpfs /etc/pam.d
		mkdir /run/sshd
		cp "$dir/pam" /etc/pam.d/sshd
		[ ! -s "$dir/nologin" ] || cp "$dir/nologin" /run/nologin
		exec "$@"`, "sh", dir)
	write("known", server.Known)
	write("ssh_config", "IdentityFile "+server.Key+"\nIdentitiesOnly yes\n")
	s := &realSSHD{pid: server.PID, host: tree.Host{Name: "app1", SSHAddress: "127.0.0.1", SSH: tree.SSH{User: "tester", Port: server.Port, KnownHosts: dir + "/known"}}}
	var err error
	s.dialer, err = NewDialer(&tree.Disk{Dir: dir, Manifest: &tree.Manifest{}}, Options{SSHConfig: dir + "/ssh_config", Tell: func(host, text string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.told = append(s.told, host+": "+text)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.dialer.Close)
	return s
}

func (s *realSSHD) ask() error {
	h := s.dialer.Host(s.host)
	defer h.Close()
	return h.Ask(context.Background(), Command{Argv: []string{"/bin/true"}, Stdin: strings.NewReader(""), Line: func(string) {}})
}

// An sshd that drops connections before a login is waited for, and it is said; nothing
// fails for it.
func TestSSHDThatDropsConnections(t *testing.T) {
	s := newSSHD(t, "MaxStartups 1:100:1", "/bin/sh", "")
	busy, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.host.SSH.Port))
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(2*time.Second, func() { busy.Close() })
	began := time.Now()
	// It gets to a login; tester may not use sudo, if there is one.
	if err := s.ask(); err == nil || !strings.Contains(err.Error(), "sudo") {
		t.Errorf("it did not get to a login: %v", err)
	}
	if took := time.Since(began); took < 2*time.Second || took > 25*time.Second {
		t.Errorf("it took %s", took)
	}
	if want := "app1: sshd takes no login from here for a while, after others that failed or came at once: trying again for 30s"; !slices.Contains(s.told, want) {
		t.Errorf("told %q, want %q", s.told, want)
	}
}

// A host that boots lets users in when it has.
func TestSSHDOfAHostThatBoots(t *testing.T) {
	s := newSSHD(t, "", "/bin/sh", "System is booting up. Unprivileged users are not permitted to log in yet.\n")
	time.AfterFunc(4*time.Second, func() {
		if err := os.Remove(fmt.Sprintf("/proc/%d/root/run/nologin", s.pid)); err != nil {
			t.Error(err)
		}
	})
	began := time.Now()
	if err := s.ask(); err == nil || !strings.Contains(err.Error(), "sudo") || strings.Contains(err.Error(), "booting") {
		t.Errorf("it did not get to a login: %v", err)
	}
	if took := time.Since(began); took < 4*time.Second || took > 40*time.Second {
		t.Errorf("it took %s", took)
	}
	if want := "app1: the host is booting: trying again for 2m0s"; !slices.Contains(s.told, want) {
		t.Errorf("told %q, want %q", s.told, want)
	}
	// One that does not is given up, with what PAM says.
	r := &refusal{}
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/root/run/nologin", s.pid), []byte("System is booting up.\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := s.dialer.login(context.Background(), s.host, nil)
	if !errors.As(err, &r) || r.wait != bootTime || !strings.Contains(err.Error(), "System is booting up.") {
		t.Errorf("got %v", err)
	}
}

// What sshd's banner, and the shell of an account that may not be used, have to say is
// shown where no login comes about.
func TestWordsOfSSHDAndTheShell(t *testing.T) {
	banner := filepath.Join(t.TempDir(), "banner")
	if err := os.WriteFile(banner, []byte("No maintenance today.\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := newSSHD(t, "Banner "+banner, "/usr/sbin/nologin", "")
	err := s.ask()
	if err == nil || !strings.Contains(err.Error(), "No maintenance today.") || !strings.Contains(err.Error(), "This account is currently not available.") {
		t.Errorf("got %v", err)
	} else if _, do := diag.Remedy(err); !strings.Contains(do, "plonec.ssh.user") {
		t.Errorf("the remedy is %q", do)
	}
	s = newSSHD(t, "DenyUsers *", "/bin/sh", "")
	if err := s.ask(); err == nil || !strings.Contains(err.Error(), "Permission denied (publickey") {
		t.Errorf("got %v", err)
	}
	if slices.ContainsFunc(s.told, func(text string) bool { return strings.Contains(text, "trying again") }) {
		t.Errorf("told %q", s.told)
	}
}
