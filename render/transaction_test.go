package render

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSetupOfATransaction: setup is asked for by itself, is done once, and is
// not left out where a check comes without it.
func TestSetupOfATransaction(t *testing.T) {
	t.Parallel()
	root, scripts := t.TempDir(), hostScripts(t)
	put := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put(scripts+"/verbs/setup", "echo the setup of $PLONEC_ETC\nexit ${SETUP_FAILS-0}\n")
	stage := root + "/var/lib/plonec/stage/s"
	put(stage+"/manifest", "")
	put(stage+"/root/etc/plonec/host.env", "HOST='app1'\n")
	transaction := func(env string, args ...string) (string, bool) {
		t.Helper()
		cmd := exec.Command("/bin/bash", append([]string{scripts + "/transaction"}, args...)...)
		cmd.Env = append(os.Environ(), "PLONEC_ROOT="+root, env)
		out, err := cmd.CombinedOutput()
		return string(out), err == nil
	}
	for i, test := range []struct {
		env, verb, host string
		ok, ran         bool
	}{
		{"SETUP_FAILS=1", "setup", "1", false, true},
		{"", "setup", "1", true, true},
		{"", "setup", "1", true, false},
		{"", "check", "1", true, false},
		{"", "check", "2", true, true},
		{"SETUP_FAILS=1", "check", "3", false, true},
	} {
		put(stage+"/root/etc/plonec/host.env", "HOST='app"+test.host+"'\n")
		out, ok := transaction(test.env, test.verb, "s")
		if ran := strings.Contains(out, "the setup of "+stage+"/root/etc/plonec"); ok != test.ok || ran != test.ran {
			t.Errorf("%d %s: ok %v, setup ran %v\n%s", i, test.verb, ok, ran, out)
		}
	}
}
