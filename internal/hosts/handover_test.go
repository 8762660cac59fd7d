package hosts

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/remote/remotetest"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/tree"
)

// Before a scheduler starts on a host it is stopped on the others; where one of them
// cannot be asked nothing starts, unless that is allowed.
func TestHandOver(t *testing.T) {
	const unit = "plone-site-celerybeat.service"
	for _, test := range []struct {
		name      string
		lost      bool
		allow     bool
		live      bool // it runs on the new host already
		want      string
		said, not string
	}{
		{name: "it moves", said: "app1 note : " + unit + " is stopped here"},
		{name: "the other host is away", lost: true, want: "give --allow-two"},
		{name: "the other host is away, as allowed", lost: true, allow: true, said: "app3 warning : this host does not say whether"},
		{name: "it runs there already", lost: true, live: true, not: "stop_unit"},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := map[string]string{}
			for _, h := range []string{"app1", "app2", "app3"} {
				files[h+":/etc/plonec/host.env"] = "HOST='" + h + "'\n"
			}
			f := newFakeHosts(t, files, func(h *tree.Host) {
				h.Apps = []tree.App{{Name: "site"}}
				switch h.Name {
				case "app2":
					h.Apps[0].Duties = []topology.Role{topology.Celerybeat, topology.Pack}
				case "app3":
					h.Status = "connection_lost"
				}
			})
			f.fleet.options.AllowTwo = test.allow
			hand := func() error { return f.fleet.Deploy(context.Background(), nil, DeployOptions{}) }
			if test.live {
				hand = func() error { return f.fleet.handOver(context.Background(), "site") }
				f.fleet.members[1].Seen.Live["/etc/systemd/system/"+unit] = f.fleet.members[1].Seen.Live[""]
			}
			f.other = func(host string, words []string) remotetest.Reply {
				switch {
				case host == "app3" && test.lost:
					return remotetest.Reply{Err: "Connection timed out", Status: remotetest.Lost}
				case host == "app1" && words[0] == "stop_unit":
					return remotetest.Reply{Out: "stopped\n"}
				}
				return remotetest.Reply{}
			}
			err := hand()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !errors.Is(err, ErrNotDeployed)) {
				t.Fatal(err)
			}
			told := strings.Join(f.told(Note, Warning, Failed), "\n")
			if test.want != "" && (!strings.Contains(told+hints(f), test.want) || f.switched()) {
				t.Errorf("switched %v, told:\n%s\n%s", f.switched(), told, hints(f))
			}
			if !strings.Contains(told, test.said) {
				t.Errorf("told:\n%s", told)
			}
			if test.not != "" && slices.ContainsFunc(f.asked, func(a string) bool { return strings.Contains(a, test.not) }) {
				t.Errorf("asked: %q", f.asked)
			}
			stop := slices.IndexFunc(f.asked, func(a string) bool { return a == "app1 stop_unit "+unit })
			if stops := test.not == "" && test.want == ""; stops != (stop >= 0) {
				t.Errorf("asked: %q", f.asked)
			}
		})
	}
}

func hints(f *fakeHosts) string {
	var all []string
	for _, e := range f.events {
		all = append(all, e.Hint)
	}
	return strings.Join(all, "\n")
}

// switched tells whether a host was switched to a release.
func (f *fakeHosts) switched() bool {
	for _, argv := range f.jobs {
		if slices.Contains(argv, "deploy") && !slices.Contains(argv, "--no-restart") {
			return true
		}
	}
	return false
}
