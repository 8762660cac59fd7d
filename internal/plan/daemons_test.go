package plan

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
		unit    UnitState
		changes []Change
		down    string // as a state; empty: it is not
		stopped string
		effects []string
	}{
		{"it runs", UnitState{"loaded", "active", "running", "enabled"}, nil, "", "", []string{}},
		{"it reloads", UnitState{"loaded", "reloading", "reload", "enabled"}, nil, "", "", []string{}},
		{"it starts", UnitState{"loaded", "activating", "start", "enabled"}, nil, "", "", []string{}},
		{"it died and is not started again", UnitState{"loaded", "failed", "failed", "enabled"}, nil, "failed", "", []string{"start:" + nginx}},
		{"it died and will be started", UnitState{"loaded", "activating", "auto-restart", "enabled"}, nil, "failing", "", []string{"start:" + nginx}},
		{"it was stopped", UnitState{"loaded", "inactive", "dead", "enabled"}, nil, "inactive", "", []string{"start:" + nginx}},
		{"it is dead, and its files change", UnitState{"loaded", "failed", "failed", "enabled"}, []Change{files}, "failed", "", []string{"start:" + nginx}},
		{"it was disabled and stopped", UnitState{"loaded", "inactive", "dead", "disabled"}, nil, "", "disabled", []string{}},
		{"the same, and its files change", UnitState{"loaded", "inactive", "dead", "disabled"}, []Change{files}, "", "disabled", []string{}},
		{"it is disabled and runs", UnitState{"loaded", "active", "running", "disabled"}, []Change{files}, "", "", []string{"reload:" + nginx}},
		{"it was masked", UnitState{"masked", "inactive", "dead", "masked"}, nil, "", "masked", []string{}},
		{"its package was removed", UnitState{"not-found", "inactive", "dead", ""}, nil, "not installed", "", []string{"start:" + nginx}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := host(test.changes...)
			m.own(nginx)
			m.Seen = seen(nil, map[string]string{conf: "1 reload:" + nginx})
			m.Seen.Generation, m.Seen.Units = "1", map[string]UnitState{nginx: test.unit}
			m.Want = []Wanted{{Path: conf, Effects: []string{"reload:" + nginx}}}
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
			if due := test.down != "" || test.changes != nil; m.Due() != due {
				t.Errorf("due is %v", m.Due())
			}
			if m.FilesDue() != (test.changes != nil) {
				t.Errorf("for its files it is %v", m.FilesDue())
			}
		})
	}
}

// Where nothing was applied all of them are to come.
func TestDaemonsOfAHostThatIsNew(t *testing.T) {
	m := host()
	m.Seen = seen(nil, nil)
	m.Seen.Generation, m.Seen.Units = "", map[string]UnitState{"nginx.service": {"loaded", "failed", "failed", "enabled"}}
	if down, stopped := m.dead(); down != nil || stopped != nil {
		t.Errorf("down are %v, stopped %v", down, stopped)
	}
}

func TestUnitsThatAreAskedFor(t *testing.T) {
	m := host()
	m.own("plonec-agent.service")
	m.own("nginx.service")
	got := m.Questions().units
	if want := []string{"plonec-agent.service", "nginx.service"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	o := &Observation{Units: map[string]UnitState{}}
	o.Read([]string{"unit", "nginx.service", "loaded", "activating", "auto-restart", "enabled"})
	if want := (UnitState{"loaded", "activating", "auto-restart", "enabled"}); o.Units["nginx.service"] != want {
		t.Errorf("got %+v", o.Units)
	}
}
