// Package sshdtest runs sshd for tests, on the loopback.
package sshdtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// sshd is where testdata/tools installs it.
const sshd = "/usr/sbin/sshd"

// A Server is an sshd that a key opens.
type Server struct {
	Key   string // the file of the private key
	Known string // the server's own, as known_hosts has it
	Port  int
	PID   int // of the process, in whatever it was started
}

// Start runs sshd with more lines of configuration until the test ends, by the command
// around it where there is one, such as unshare with its arguments. What sshd said is
// in the log of a test that fails.
func Start(t *testing.T, config string, around ...string) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "sshd-") // every user gets to it
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
	host, err := os.ReadFile(dir + "/host.pub")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	config = fmt.Sprintf("ListenAddress 127.0.0.1:%d\nHostKey %[2]s/host\nAuthorizedKeysFile %[2]s/user.pub\nPidFile none\nStrictModes no\n%s\n", port, dir, config)
	if err := os.WriteFile(dir+"/conf", []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(dir + "/log")
	if err != nil {
		t.Fatal(err)
	}
	said := func() string { text, _ := os.ReadFile(dir + "/log"); return string(text) }
	argv := append(slices.Clone(around), sshd, "-D", "-e", "-f", dir+"/conf")
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: apt-get install openssh-server", err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		log.Close()
		if t.Failed() {
			t.Logf("sshd said\n%s", said())
		}
	})
	for began := time.Now(); !strings.Contains(said(), "listening on"); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatal("sshd does not listen")
		}
	}
	return &Server{dir + "/user", fmt.Sprintf("[127.0.0.1]:%d %s", port, host), port, cmd.Process.Pid}
}
