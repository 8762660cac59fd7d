package plan

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/tree"
)

// A rule that stands here and in the scripts of the hosts is fed the same states in
// both. (Rules about units are held to what systemd did: see foretold in package e2e.)

// inScripts runs functions of templates/host, and gives what they print.
func inScripts(t *testing.T, script string) string {
	t.Helper()
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = "../../templates/host"
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestWhatChangesByBoth: what is written, removed or left to wait, and what somebody
// changed by hand, for each state that one file can be in.
func TestWhatChangesByBoth(t *testing.T) {
	const path = "/etc/x"
	states := 0
	var script strings.Builder
	script.WriteString(`fail() { exit 1; }; force='' held=''; . ./generation.sh
declare -A SUM MODE OWNER EFFECTS WAITS GONE NOW MODES LIVE LIVE_EFFECTS
`)
	var expected []string
	for _, now := range []string{"", "old", "new", "hand"} {
		for _, live := range []string{"", "old", "new"} {
			for _, wanted := range []string{"", "old", "new"} {
				for _, app := range []string{"", "site"} {
					states++
					effect := ""
					if app != "" {
						effect = "deploy:" + app
					}
					m := &Host{Host: tree.Host{Apps: []tree.App{{Name: "site"}}}, Seen: seen(nil, nil)}
					fmt.Fprintf(&script, "SUM=() MODE=() OWNER=() WAITS=() GONE=() NOW=() MODES=() LIVE=() PATHS=()\n")
					if now != "" {
						m.Seen.Files[path] = FileState{now, "0644", "root:root"}
						fmt.Fprintf(&script, "NOW[%s]=%s MODES[%s]='0644 root:root'\n", path, now, path)
					}
					if live != "" {
						m.Seen.Live[path] = LiveState{live, effects(effect)}
						fmt.Fprintf(&script, "LIVE[%s]=%s\n", path, live)
					}
					if wanted != "" {
						m.Want = []Wanted{want(path, wanted, effects(effect)...)}
						fmt.Fprintf(&script, "PATHS=(%s) SUM[%s]=%s MODE[%s]=0644 OWNER[%s]=root:root\n", path, path, wanted, path, path)
					}
					waits := "-"
					does := "nothing"
					for _, c := range m.compare(nil) {
						switch {
						case c.Waits != "":
							waits, does = c.Waits, "wait"
						case c.Kind == Removed:
							does = "remove"
						default:
							does = "write"
						}
						if c.Drift {
							does += " by hand"
						}
					}
					fmt.Fprintf(&script, "WAITS[%s]=%s GONE[%s]=%s\n", path, waits, path, waits)
					script.WriteString(`sort_out
does=nothing
[[ -z ${WRITE[*]} ]] || does=write
[[ -z ${REMOVE[*]} ]] || does=remove
[[ -z ${WAIT[*]}${LEAVE[*]} ]] || does=wait
(refuse_drift) || does+=' by hand'
printf '%s\n' "$does"
`)
					expected = append(expected, does)
				}
			}
		}
	}
	got := strings.Split(inScripts(t, script.String()), "\n")
	if len(got) != states {
		t.Fatalf("%d answers for %d states", len(got), states)
	}
	for i := range expected {
		if got[i] != expected[i] {
			t.Errorf("state %d of now, live, wanted, app: %q here, %q in the scripts", i, expected[i], got[i])
		}
	}
}
