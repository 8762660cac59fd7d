package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/tree"
)

// aDaemon finds sshd, which testdata/tools installs.
func aDaemon(t *testing.T) string {
	t.Helper()
	const path = "/usr/sbin/sshd"
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: apt-get install openssh-server", err)
	}
	return path
}

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
	path := aDaemon(t)
	if os.Getuid() != 0 {
		t.Skip("sshd lets other users in for root alone")
	}
	dir, err := os.MkdirTemp("/tmp", "sshd-") // where nobody else's folder is in the way
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, key := range []string{"host", "user"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", dir+"/"+key).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	key, err := os.ReadFile(dir + "/host.pub")
	if err != nil {
		t.Fatal(err)
	}
	pam := "no"
	if nologin != "" {
		pam = "yes"
	}
	for name, text := range map[string]string{
		"conf":       fmt.Sprintf("ListenAddress 127.0.0.1\nPort %d\nHostKey %[2]s/host\nAuthorizedKeysFile %[2]s/user.pub\nPidFile none\nUsePAM %s\nStrictModes no\n%s\n", port, dir, pam, config),
		"known":      fmt.Sprintf("[127.0.0.1]:%d %s", port, key),
		"ssh_config": "IdentityFile " + dir + "/user\nIdentitiesOnly yes\n",
		"passwd":     "root:x:0:0::/root:/bin/sh\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin\ntester:x:12345:12345::/:" + shell + "\n",
		"shadow":     "root:*:20000::::::\nsshd:*:20000::::::\ntester:*:20000::::::\n",
		"pam":        "auth required pam_permit.so\naccount required pam_nologin.so\naccount required pam_permit.so\nsession required pam_permit.so\n",
		"nologin":    nologin,
	} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("unshare", "--mount", "/bin/sh", "-ec", `
		for file in passwd shadow; do mount --bind "$1/$file" /etc/$file; done
		mount -t tmpfs tmpfs /run
		mount -t tmpfs tmpfs /etc/pam.d
		mkdir /run/sshd
		cp "$1/pam" /etc/pam.d/sshd
		[ ! -s "$1/nologin" ] || cp "$1/nologin" /run/nologin
		exec "$2" -D -e -f "$1/conf"`, "sh", dir, path)
	log, err := os.Create(dir + "/log")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			text, _ := os.ReadFile(dir + "/log")
			t.Logf("sshd said\n%s", text)
		}
	})
	for range 200 {
		if text, _ := os.ReadFile(dir + "/log"); strings.Contains(string(text), "listening on") {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	s := &realSSHD{pid: cmd.Process.Pid, host: tree.Host{Name: "app1", SSHAddress: "127.0.0.1", SSH: tree.SSH{User: "tester", Port: port, KnownHosts: dir + "/known"}}}
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
