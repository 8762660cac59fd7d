package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// firstRelease is the commit that plonec 0.1.0 was: its scripts wrote down on a host
// what runs there in other files than these do.
const firstRelease = "56ecbea"

// plonec01 compiles plonec 0.1.0 from the history of this repository.
var plonec01 = sync.OnceValues(func() (string, error) {
	program := work + "/plonec-0.1"
	script := `set -euo pipefail; mkdir -p "$2.src"; git archive "$1" | tar -x -C "$2.src"; cd "$2.src" && go build -o "$2" ./cmd/plonec`
	cmd := exec.Command("bash", "-c", script, "bash", firstRelease, program)
	cmd.Dir = top
	cmd.Stderr = os.Stderr
	return program, cmd.Run()
})

// upgrades are what happens to hosts when their stack goes over to this plonec.
var upgrades = []scenario{
	{"over from plonec 0.1, and back to it", dayTwo, long, func(s *trial) {
		old, err := plonec01()
		if err != nil {
			s.t.Fatalf("plonec 0.1 (commit %s): %v; is the whole history here? git fetch --unshallow", firstRelease, err)
		}
		// Its state on the hosts, by its own tree.
		s.program = old
		s.sh(s.dir, "rm", "-r", "build") // which it cannot read
		s.must(0, "build", "stack.json")
		first := s.commit(s.dir, "plonec 0.1")
		from := time.Now()
		s.must(0, "deploy", "--yes")
		s.must(0, "plan", "--exit-code")

		// The review of the change says what plonec brings, not that all apps start anew.
		s.change(nil)
		var diff struct {
			Effects struct{ Hosts []forecast }
		}
		if err := json.Unmarshal([]byte(s.must(0, "diff", "--against", "HEAD~1", "--format", "json")), &diff); err != nil {
			s.t.Fatal(err)
		}
		for _, h := range diff.Effects.Hosts {
			for _, a := range h.Deploy {
				if len(a.Start) > 0 {
					s.t.Errorf("%s: diff foretells that %s starts %v, which runs", h.Host, a.App, a.Start)
				}
			}
		}
		began := time.Now()
		s.must(0, "deploy")
		s.must(0, "plan", "--exit-code")
		for _, host := range []string{"app1", "app2", "db1", "lb1"} {
			for _, unit := range s.did(host, began) {
				if strings.HasPrefix(unit, "stop:") {
					s.t.Errorf("%s: going over to it did %s", host, unit)
				}
			}
		}

		// And back, with the old program and the old tree.
		s.sh(s.dir, "git", "checkout", "-q", first)
		s.program = old
		if out := s.must(1, "deploy"); !strings.Contains(out, "--allow-rewind") {
			s.t.Errorf("it went back without being told to:\n%s", out)
		}
		s.must(0, "deploy", "--allow-rewind")
		s.must(0, "plan", "--exit-code")

		s.sh(s.dir, "git", "checkout", "-q", "main")
		s.program = ""
		s.must(0, "deploy")
		s.must(0, "plan", "--exit-code")

		// The two have other drop-ins for Varnish, and another unit for the ZEO server:
		// plan and diff foretell both restarts.
		for _, j := range s.jobs("lb1", from) {
			if j.unit == "varnish.service" && j.verb == "restart" {
				s.excuses = append(s.excuses, excuse{j.at.Add(-2 * time.Second), j.at.Add(2 * time.Second), "Varnish restarted, as was foretold", every})
			}
		}
		s.freshIDs(from)
	}},
}
