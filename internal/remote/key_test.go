package remote

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/diag"
)

// What is said of a key that ssh does not take mends it, with a port and a file of the
// stack's own, of which the name has a blank: the commands are run as they are written.
func TestKeyRemedy(t *testing.T) {
	s := newSSHD(t, "", "/bin/sh", "")
	dir := t.TempDir()
	t.Chdir(dir)
	s.host.SSH.KnownHosts = filepath.Join(dir, "our hosts")
	run := func(remedy, after, before string) {
		t.Helper()
		_, command, found := strings.Cut(remedy, after)
		command, _, ended := strings.Cut(command+"\n", before)
		if !found || !ended {
			t.Fatalf("no command in %q", remedy)
		}
		if out, err := exec.Command("sh", "-ec", command).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s", command, err, out)
		}
	}
	text, do := diag.Remedy(s.ask())
	if !strings.Contains(text, "host key is known") || !strings.HasSuffix(do, "does not exist yet") {
		t.Errorf("%q, %q", text, do)
	}
	run(do, "host key unknown: ", ", once")
	if err := s.ask(); err != nil && strings.Contains(err.Error(), "Host key") {
		t.Error(err)
	}

	// Another key than the known one: the new one alone is trusted then.
	key := filepath.Join(dir, "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	known, err := os.ReadFile(s.host.SSH.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := strings.Cut(string(known), " ")
	old := strings.Fields(string(public))[1]
	if err := os.WriteFile(s.host.SSH.KnownHosts, []byte(name+" ssh-ed25519 "+old+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text, do = diag.Remedy(s.ask())
	if !strings.Contains(text, "IDENTIFICATION HAS CHANGED") || strings.Contains(text, "@@@@") || strings.Contains(do, "accept-new") {
		t.Errorf("%q, %q", text, do)
	}
	run(do, "set up anew: ", "\n")
	if err := s.ask(); err != nil && strings.Contains(err.Error(), "Host key") {
		t.Error(err)
	}
	if now, err := os.ReadFile(s.host.SSH.KnownHosts); err != nil || strings.Contains(string(now), old) {
		t.Errorf("%v: %s", err, now)
	}
}
