package render

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sourced runs a script that has the host's own for its library, as they lie on
// a host.
func sourced(t *testing.T, onHost bool, script string, env ...string) string {
	t.Helper()
	lib := hostScripts(t)
	if onHost {
		if err := os.Remove(lib + "/.test"); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("/bin/bash", "-c", `LIB=`+lib+`; . "$LIB/lib.sh"; . "$LIB/processes.sh"; `+script)
	cmd.Env = append([]string{"PATH=/usr/bin:/bin"}, env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestScriptsAndTheEnvironment: no variable says where root's scripts work, what
// they hold, or what a function of theirs does.
func TestScriptsAndTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	env := []string{"PLONEC_ROOT=" + dir, "PLONEC_ETC=" + dir, "PLONEC_LOCKED=1", "PLONEC_ATTENDED=1", "PLONEC_JOB=1", "JOB=1", "ATTENDED=1", "ROOT=" + dir, "ETC=" + dir,
		"HOME=" + dir, "NEXT=1", "LOG=" + dir + "/log", "WORK_DIR=" + dir, "ENV_FILES=" + dir, "SET=A=b", "CHILD=1", "ROLL_UNITS=x", "ROLL_ALL=1", "FORCE_RELOAD=nginx"}
	const script = `echo "$ROOT|$ETC|$STATE|$RUN|$HOME|$JOB|$ATTENDED|${NEXT-}${LOG-}${WORK_DIR-}${ENV_FILES-}${SET-}${CHILD-}${ROLL_UNITS-}${ROLL_ALL-}${FORCE_RELOAD-}"`
	if got, want := sourced(t, true, script, env...), "|/etc/plonec|/var/lib/plonec|/run/plonec|/root|||"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// The other tests are elsewhere.
	if got, want := sourced(t, false, `echo "$ROOT $ETC"`, env...), dir+" "+dir+"/etc/plonec"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestLockIsInherited: who holds the lock, and what it calls, goes on; a variable
// is no lock.
func TestLockIsInherited(t *testing.T) {
	root := t.TempDir()
	const script = `lock one; export LIB; bash -c '. "$LIB/lib.sh"; lock two && cat "$LOCKS/work"'
		bash -c 'exec 9>&-; . "$LIB/lib.sh"; lock three' || echo refused`
	got := sourced(t, false, script, "PLONEC_ROOT="+root, "PLONEC_LOCKED=1")
	if !strings.HasPrefix(got, "one, pid ") || !strings.Contains(got, "another verb is at work") || !strings.HasSuffix(got, "refused") {
		t.Errorf("got %s", got)
	}
}

// TestPageAsksTheClient: neither the file that curl looks for in a home, which in
// a unit is the app's user's, nor a proxy has a say.
func TestPageAsksTheClient(t *testing.T) {
	home := t.TempDir()
	marker := filepath.Join(home, "marker")
	curlrc := "output = \"" + marker + "\"\nproxy = \"http://127.0.0.1:9\"\n"
	if err := os.WriteFile(filepath.Join(home, ".curlrc"), []byte(curlrc), 0o644); err != nil {
		t.Fatal(err)
	}
	client := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	defer client.Close()
	got := sourced(t, true, `HOME=`+home+` page 5 `+client.URL+` -w '%{http_code}'`, "CURL_HOME="+home, "http_proxy=http://127.0.0.1:9", "all_proxy=http://127.0.0.1:9")
	if got != "418" {
		t.Errorf("got %s", got)
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("a file of the app's user said where to write")
	}
}

// TestStatusLines: a value, which may be the name of a folder that a process runs
// in, is one line.
func TestStatusLines(t *testing.T) {
	const script = `. <(sed -n '/^line() {/,/^}/p' "$LIB/verbs/status"); porcelain=1 line site.unit.x.release $'1\nsite.state=good\e[2J'; porcelain='' line a.b $'c\nd'`
	got := strings.Split(sourced(t, true, script), "\n")
	if len(got) != 2 || got[0] != "site.unit.x.release=1?site.state=good?[2J" || !strings.HasSuffix(got[1], " c?d") {
		t.Errorf("got %q", got)
	}
}

// TestOneWayToAskAClient: what root asks over HTTP goes by page.
func TestOneWayToAskAClient(t *testing.T) {
	files, err := Common()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		for _, line := range strings.Split(string(f.Content), "\n") {
			line, _, _ = strings.Cut(line, " #")
			if strings.HasPrefix(strings.TrimSpace(line), "#") || !strings.Contains(line, "curl ") && !strings.Contains(line, "wget ") {
				continue
			}
			if !strings.Contains(line, "curl -q -s --noproxy '*' ") && !strings.Contains(line, "as_app curl ") {
				t.Errorf("%s: %s", f.Path, line)
			}
		}
	}
}
