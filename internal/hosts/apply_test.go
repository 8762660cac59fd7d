package hosts

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/remote"
	"github.com/plonec/plonec/internal/tree"
)

// Setup, which takes minutes on a bare host, is a step that people see, and
// costs nothing where it is not due. The other steps come in any case.
func TestSetupIsAStep(t *testing.T) {
	files := func() map[string]string {
		return map[string]string{"app1:/etc/plonec/host.env": "HOST='app1'\n", "app1:/etc/x": "x"}
	}
	for _, due := range []bool{true, false} {
		f := newFakeHosts(t, files(), func(h *tree.Host) { h.Setup = "sum" })
		if !due {
			f.setup = f.fleet.members[0].Setup
			if err := f.fleet.again(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		f.job = func(_ string, argv []string) (string, int) {
			if slices.Contains(argv, "activate") {
				return ":generation 2\n", 0
			}
			return "", 0
		}
		if err := f.fleet.Apply(context.Background()); err != nil {
			t.Fatal(err, f.told(Failed))
		}
		var want []string
		for _, step := range []string{"connect", "lock", "stage", "setup", "check", "activate", "confirm"} {
			if step != "setup" || due {
				want = append(want, "app1 started "+step, "app1 finished "+step)
			}
		}
		if got := f.told(Started, Finished); !slices.Equal(got, want) {
			t.Errorf("due: %v: got\n%s\nwant\n%s", due, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if n, most := f.count("app1 job start"), map[bool]int{true: 3, false: 2}[due]; n != most {
			t.Errorf("due: %v: %d jobs, want %d", due, n, most)
		}
	}

	// Where it fails no checker is asked, and nothing is said of them.
	f := newFakeHosts(t, files(), func(h *tree.Host) { h.Setup = "sum" })
	f.job = func(_ string, argv []string) (string, int) {
		if slices.Contains(argv, "setup") {
			return ":did apt-get could not install nginx\n", 1
		}
		return "", 0
	}
	if err := f.fleet.Apply(context.Background()); err == nil {
		t.Error("it went on")
	}
	if got := f.told(Failed); len(got) != 1 || got[0] != "app1 failed setup: setup failed there" {
		t.Error(got)
	}
}

// A host that cannot give its lock, on a full disk for instance, says so at
// once, though it was to hear more of plonec.
func TestNoLock(t *testing.T) {
	f := newFakeHosts(t, map[string]string{"app1:/etc/x": "x"}, nil)
	f.held = ""
	ended := make(chan error, 1)
	go func() { ended <- f.fleet.Apply(context.Background()) }()
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(err.Error(), "it ended with status 1") {
			t.Errorf("%v", err)
		}
	case <-time.After(remote.QuickTimeout / 2):
		t.Error("it waits for a lock that nobody will give")
	}
}
