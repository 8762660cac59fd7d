package hosts

import (
	"reflect"
	"testing"
)

// What should run and does not is started by apply, which has something to do
// then, unless somebody disabled or masked it. To have stopped it is not enough.
func TestDaemonsThatDoNotRun(t *testing.T) {
	const nginx, conf = "nginx.service", "/etc/nginx/nginx.conf"
	files := Change{Path: conf, Kind: Changed, Effects: []string{"reload:" + nginx}}
	for _, test := range []struct {
		name    string
		unit    unitState
		changes []Change
		down    string // as a state; empty: it is not
		stopped string
		effects []string
	}{
		{"it runs", unitState{"loaded", "active", "running", "enabled"}, nil, "", "", []string{}},
		{"it reloads", unitState{"loaded", "reloading", "reload", "enabled"}, nil, "", "", []string{}},
		{"it starts", unitState{"loaded", "activating", "start", "enabled"}, nil, "", "", []string{}},
		{"it died and is not started again", unitState{"loaded", "failed", "failed", "enabled"}, nil, "failed", "", []string{"start:" + nginx}},
		{"it died and will be started", unitState{"loaded", "activating", "auto-restart", "enabled"}, nil, "failing", "", []string{"start:" + nginx}},
		{"it was stopped", unitState{"loaded", "inactive", "dead", "enabled"}, nil, "inactive", "", []string{"start:" + nginx}},
		{"it is dead, and its files change", unitState{"loaded", "failed", "failed", "enabled"}, []Change{files}, "failed", "", []string{"start:" + nginx}},
		{"it was disabled and stopped", unitState{"loaded", "inactive", "dead", "disabled"}, nil, "", "disabled", []string{}},
		{"the same, and its files change", unitState{"loaded", "inactive", "dead", "disabled"}, []Change{files}, "", "disabled", []string{}},
		{"it is disabled and runs", unitState{"loaded", "active", "running", "disabled"}, []Change{files}, "", "", []string{"reload:" + nginx}},
		{"it was masked", unitState{"masked", "inactive", "dead", "masked"}, nil, "", "masked", []string{}},
		{"its package was removed", unitState{"not-found", "inactive", "dead", ""}, nil, "not installed", "", []string{"start:" + nginx}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := host(test.changes...)
			m.seen = seen(nil, map[string]string{conf: "1 reload:" + nginx})
			m.seen.Generation, m.seen.Units = "1", map[string]unitState{nginx: test.unit}
			m.want = []wanted{{Path: conf, Effects: []string{"reload:" + nginx}}}
			named := func(list []Daemon) string {
				if len(list) == 0 {
					return ""
				}
				return list[0].State
			}
			down, stopped := m.dead()
			if named(down) != test.down || named(stopped) != test.stopped {
				t.Errorf("down are %v, stopped %v", down, stopped)
			}
			if got := m.effects(); !reflect.DeepEqual(got, test.effects) {
				t.Errorf("got %q, want %q", got, test.effects)
			}
			if due := test.down != "" || test.changes != nil; m.due() != due {
				t.Errorf("due is %v", m.due())
			}
			if m.filesDue() != (test.changes != nil) {
				t.Errorf("for its files it is %v", m.filesDue())
			}
		})
	}
}

// Where nothing was applied all of them are to come.
func TestDaemonsOfAHostThatIsNew(t *testing.T) {
	m := host()
	m.seen = seen(nil, nil)
	m.seen.Generation, m.seen.Units = "", map[string]unitState{"nginx.service": {"loaded", "failed", "failed", "enabled"}}
	if down, stopped := m.dead(); down != nil || stopped != nil {
		t.Errorf("down are %v, stopped %v", down, stopped)
	}
}

func TestUnitsThatAreAskedFor(t *testing.T) {
	m := &member{}
	got := m.unitsOf([]wanted{{Path: "/etc/plonec/host.env", content: []byte("HOST=lb1\nSERVICES='varnish haproxy nginx'\n")}, {Path: agentUnit}, {Path: "/etc/x"}})
	if want := []string{"varnish.service", "haproxy.service", "nginx.service", "plonec-agent.service"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	o := &observation{Units: map[string]unitState{}}
	o.read([]string{"unit", "nginx.service", "loaded", "activating", "auto-restart", "enabled"})
	if want := (unitState{"loaded", "activating", "auto-restart", "enabled"}); o.Units["nginx.service"] != want {
		t.Errorf("got %+v", o.Units)
	}
}
