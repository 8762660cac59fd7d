package render

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plonec/plonec/schema"
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
	put(scripts+"/verbs/setup", "echo the setup of $2\nexit ${SETUP_FAILS-0}\n")
	stage := root + "/var/lib/plonec/stage/s"
	for _, list := range []string{"manifest", "gone", "services", "leaves"} {
		put(stage+"/"+list, "")
	}
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
		put(stage+"/facts", "setup=sum"+test.host+"\n")
		out, ok := transaction(test.env, test.verb, "s")
		if ran := strings.Contains(out, "the setup of "+stage+"/root/etc/plonec"); ok != test.ok || ran != test.ran {
			t.Errorf("%d %s: ok %v, setup ran %v\n%s", i, test.verb, ok, ran, out)
		}
	}
}

// TestDeployRefusesDrift: a file that waits for a deploy is not brought in over
// one that somebody changed by hand meanwhile.
func TestDeployRefusesDrift(t *testing.T) {
	t.Parallel()
	scripts := hostScripts(t)
	const unit, gone = "/etc/systemd/system/plone-site-client1.service", "/etc/systemd/system/plone-site-client2.service"
	for _, test := range []struct {
		name                   string
		now, waits, live, goes string // what the unit, and the one that goes, are; empty: not there
		args                   []string
		refused                string
	}{
		{"nothing waits", "by hand", "", "old", "", nil, ""},
		{"as plonec put it", "old", "new", "old", "", nil, ""},
		{"changed", "by hand", "new", "old", "", nil, unit},
		{"removed", "", "new", "old", "", nil, unit},
		{"changed to what waits", "new", "new", "old", "", nil, ""},
		{"not plonec's so far", "by hand", "new", "", "", nil, ""},
		{"changed, asked to go on", "by hand", "new", "old", "", []string{"--overwrite"}, ""},
		{"always builds", "by hand", "new", "old", "", []string{"--force"}, unit},
		{"one that goes", "old", "new", "old", "old", nil, ""},
		{"one that goes, changed", "old", "new", "old", "by hand", nil, gone},
	} {
		root := t.TempDir()
		put := func(path, text string) {
			t.Helper()
			if text == "" {
				return
			}
			if err := os.MkdirAll(filepath.Dir(root+path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(root+path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		h := processHost()
		a := h.Apps[0]
		a.Config.DeployTo = root + "/srv/www/site"
		a.Config.SCM = schema.SCM{Type: "svn", Repository: "r"} // as far as the test goes
		for _, name := range []string{"host.env", "site/app.conf", "site/build.conf", "site/app.env"} {
			put("/etc/plonec/"+name, content(t, h, "/etc/plonec/"+name))
		}
		put(unit, test.now)
		put("/var/lib/plonec/pending/site"+unit, test.waits)
		live := ""
		if test.live != "" {
			live += fmt.Sprintf("%x\trestart:x\t%s\n", sha256.Sum256([]byte(test.live)), unit)
		}
		if test.goes != "" {
			put(gone, test.goes)
			put("/var/lib/plonec/removals/site", gone+"\n")
			live += fmt.Sprintf("%x\trestart:x\t%s\n", sha256.Sum256([]byte("old")), gone)
		}
		put("/var/lib/plonec/live", live)
		for _, verb := range []string{"deploy", "restart"} {
			if verb == "restart" && len(test.args) > 0 && test.args[0] == "--force" {
				continue // means nothing there
			}
			cmd := exec.Command(scripts+"/host", append(append([]string{verb}, test.args...), "site")...)
			cmd.Env = append(os.Environ(), "PLONEC_ROOT="+root)
			out, _ := cmd.CombinedOutput()
			want := "changed by hand on this host: " + test.refused + "\n"
			if test.refused == "" {
				want = map[string]string{"deploy": "deploying from svn is not possible", "restart": "site has no release yet"}[verb]
			}
			if !strings.Contains(string(out), want) {
				t.Errorf("%s: %s: no %q in\n%s", test.name, verb, want, out)
			}
		}
	}
}
