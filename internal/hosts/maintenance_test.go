package hosts

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/tree"
)

// Maintenance is a state of all front ends or of none: where one fails, those that were
// otherwise are set back, and no other.
func TestMaintenanceIsOfAllOrNone(t *testing.T) {
	const since = "host.maintenance=2026-11-30T10:00:00Z\n"
	for _, test := range []struct {
		name   string
		on     bool
		status map[string]string // what the hosts say before
		fails  string            // HOST STATE
		did    string            // sorted
		said   string            // what the error begins with; empty: none
	}{
		{"all", true, nil, "", "lb1 on; lb2 on; lb3 on", ""},
		{"one fails", true, nil, "lb2 on", "lb1 off; lb1 on; lb2 off; lb2 on; lb3 off; lb3 on", "maintenance stays off: lb2 failed; set back: lb1, lb3: "},
		{"one was on", true, map[string]string{"lb1": since}, "lb2 on", "lb1 on; lb2 off; lb2 on; lb3 off; lb3 on", "maintenance stays off: lb2 failed; set back: lb3: "},
		{"off", false, map[string]string{"lb1": since, "lb2": since, "lb3": since}, "lb3 off", "lb1 off; lb1 on; lb2 off; lb2 on; lb3 off; lb3 on", "maintenance stays on: lb3 failed; set back: lb1, lb2: "},
		{"not set back", true, nil, "lb2", "lb1 off; lb1 on; lb2 off; lb2 on; lb3 off; lb3 on", "maintenance could not be turned on on lb2, nor set back everywhere; plonec status shows where it is on: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFakeHosts(t, map[string]string{"lb1:/x": "", "lb2:/x": "", "lb3:/x": ""}, func(h *tree.Host) {
				h.Services = []tree.Service{{Unit: "haproxy.service", Kind: "haproxy"}}
			})
			f.status = test.status
			for _, m := range f.fleet.members {
				m.Seen.Generation = "1"
			}
			var did []string
			f.job = func(host string, argv []string) (string, int) {
				words := host + " " + argv[len(argv)-1]
				did = append(did, words)
				if test.fails != "" && strings.HasPrefix(words, test.fails) {
					return "", 1
				}
				return "", 0
			}
			err := f.fleet.Maintenance(context.Background(), test.on)
			slices.Sort(did)
			if got := strings.Join(did, "; "); got != test.did {
				t.Errorf("%s, want %s", got, test.did)
			}
			switch {
			case test.said == "" && err != nil:
				t.Error(err)
			case test.said != "" && (err == nil || !strings.HasPrefix(err.Error(), test.said)):
				t.Errorf("%v, want %s", err, test.said)
			}
		})
	}

	three := newFakeHosts(t, map[string]string{"lb1:/x": "", "lb2:/x": "", "lb3:/x": ""}, func(h *tree.Host) {
		h.Services = []tree.Service{{Unit: "haproxy.service", Kind: "haproxy"}}
	}).fleet
	if text := three.Unasked("on"); text != "" {
		t.Error("where all were looked at:", text)
	}
	three.members[1].failed = errors.New("away")
	const want = "nothing was switched. If no visitors reach lb2: plonec maintenance off --host lb1,lb3; after it is back: plonec maintenance off"
	if text := three.Unasked("off"); text != want {
		t.Error(text)
	}

	f := two(t)
	if err := f.fleet.Maintenance(context.Background(), true); err == nil || err.Error() != "no visitors come to app1" || len(f.jobs) > 0 {
		t.Error(err)
	}
}
