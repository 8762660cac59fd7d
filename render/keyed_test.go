package render

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A keyedHost is a directory with the files of an app, in which the scripts'
// functions run.
type keyedHost struct {
	t             *testing.T
	root, scripts string
}

func newKeyedHost(t *testing.T) *keyedHost {
	h := &keyedHost{t, t.TempDir(), hostScripts(t)}
	h.put("etc/plonec/site/app.env", "A=1\n")
	h.put("etc/plonec/site/build.conf", "x\n")
	return h
}

func (h *keyedHost) put(path, text string) {
	h.t.Helper()
	path = filepath.Join(h.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// bash runs what a verb would, with an app's data loaded.
func (h *keyedHost) bash(script string) string {
	h.t.Helper()
	cmd := exec.Command("/bin/bash", "-c", `. "$LIB/lib.sh"; . "$LIB/release.sh"; . "$LIB/processes.sh"; . "$LIB/switch.sh"
		APP=site APP_STATE=$STATE/site STORAGE='RelStorage by its DSN' DEPLOY_TO=$ROOT/site
		`+script)
	cmd.Env = append(os.Environ(), "PLONEC_ROOT="+h.root, "LIB="+h.scripts)
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

const keyedDSN = `PLONEC_DSN="dbname=plone password=hunter22"` + "\n"

// No sum that is shown can be had from the secret alone, and it is another one on
// every host.
func TestSumsOverSecretsAreKeyed(t *testing.T) {
	t.Parallel()
	const ask = `storage; echo; dsn_sum; env_sum site; record_get 20260101000000 storage`
	seen := map[string]bool{}
	for range 2 {
		h := newKeyedHost(t)
		h.put("etc/plonec/site/secrets.env", keyedDSN)
		plain := fmt.Sprintf("%x", sha256.Sum256([]byte(keyedDSN)))
		environment := fmt.Sprintf("%x", sha256.Sum256([]byte("A=1\n"+keyedDSN)))
		h.put("var/lib/plonec/site/releases/20260101000000", "storage=RelStorage by its DSN ("+plain[:12]+")\n")
		said := h.bash(ask)
		if strings.Contains(said, plain[:8]) || strings.Contains(said, environment[:8]) || strings.Count(said, "RelStorage by its DSN (") != 2 {
			t.Errorf("it says\n%s", said)
		}
		if again := h.bash(ask); again != said || seen[said] {
			t.Errorf("then it says\n%s\nfirst it said\n%s", again, said)
		}
		seen[said] = true
		info, err := os.Stat(h.root + "/var/lib/plonec/key")
		if err != nil || info.Size() != 32 || info.Mode() != 0o600 {
			t.Errorf("the key: %v, %v", info, err)
		}
	}
}

// Verbs and units may make the key at the same time: it is one.
func TestOneKey(t *testing.T) {
	t.Parallel()
	h := newKeyedHost(t)
	said := h.bash(`for i in 1 2 3 4 5 6 7 8; do echo x | keyed & done; wait`)
	lines := strings.Fields(said)
	for _, line := range lines {
		if line != lines[0] {
			t.Errorf("keys differ:\n%s", said)
			break
		}
	}
	left, err := filepath.Glob(h.root + "/var/lib/plonec/*")
	if err != nil || len(left) != 1 || len(lines) != 8 {
		t.Errorf("%d lines; left are %v, %v", len(lines), left, err)
	}
}

// What an earlier plonec recorded with plain sums counts on: no database moves and
// no client restarts since the form has changed, and both are seen where the
// secret has.
func TestPlainSumsOfBefore(t *testing.T) {
	t.Parallel()
	h := newKeyedHost(t)
	h.put("etc/plonec/site/secrets.env", keyedDSN)
	plain := fmt.Sprintf("%x", sha256.Sum256([]byte(keyedDSN)))
	environment := fmt.Sprintf("%x", sha256.Sum256([]byte("A=1\n"+keyedDSN)))
	h.put("var/lib/plonec/site/releases/20260101000000", "state=good\nstorage=RelStorage by its DSN ("+plain[:12]+")\n")
	h.put("run/plonec/started/plone-site-client1.service", "environment="+environment+"\n")
	const ask = `
		if storage_moves 20260101000000; then echo moves; fi
		if [[ $(started_with plone-site-client1.service) != "$(env_sum site)" ]]; then echo restarts; fi`
	if said := h.bash(ask); said != "" {
		t.Errorf("nothing has changed, and it says\n%s", said)
	}
	// A record that is written now says the same.
	h.bash(`record_set 20260101000000 "storage=$(storage)"; echo "environment=$(env_sum site)" >"$RUN/started/plone-site-client1.service"`)
	if said := h.bash(ask); said != "" {
		t.Errorf("with its own form it says\n%s", said)
	}
	h.put("etc/plonec/site/secrets.env", strings.Replace(keyedDSN, "hunter22", "hunter23", 1))
	if said := h.bash(ask); said != "moves\nrestarts\n" {
		t.Errorf("the password has changed, and it says\n%s", said)
	}
}

// Nobody but root reads what processes were started with, also where an earlier
// plonec noted it.
func TestNotesAreRoots(t *testing.T) {
	t.Parallel()
	h := newKeyedHost(t)
	h.put("run/plonec/started/plone-site-client1.service", "environment=x\n")
	h.bash(`lock test`)
	if info, err := os.Stat(h.root + "/run/plonec/started"); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
