package hosts

import (
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/tree"
)

// What waits for what is decided once: the host is told, with what runs there for
// good and no longer, and with the sums that it compares.
func TestListForTheHost(t *testing.T) {
	f := newFakeHosts(t, map[string]string{"app1:/etc/x": "x", "app1:/etc/plonec/site/deploy.cfg": "parts\n", "app1:" + plan.Balancing: "server\n"}, func(h *tree.Host) {
		h.Setup, h.Packages = "sum", []string{"git", "nginx"}
		h.Apps = []tree.App{{Name: "site", Config: "config"}}
		h.Services = []tree.Service{{Unit: "haproxy.service", Kind: "haproxy"}, {Unit: "plone-site-client1.service", Kind: "client", App: "site", Server: "app1-client1"}}
	})
	m := f.fleet.members[0]
	m.Seen.Services["varnish.service"] = plan.ServiceState{Kind: "varnish"}
	m.Seen.Services["plone-site-client2.service"] = plan.ServiceState{Kind: "client", App: "site"}
	m.Changes = []plan.Change{
		{Path: "/etc/plonec/site/deploy.cfg", Kind: plan.Changed, Waits: "site"},
		{Path: plan.Balancing, Kind: plan.Changed, Waits: plan.Front},
		{Path: "/etc/varnish/default.vcl", Kind: plan.Removed},
		{Path: "/etc/systemd/system/plone-site-client2.service", Kind: plan.Removed, Waits: "site"},
	}
	var got []string
	list, err := m.list()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		switch {
		case strings.HasPrefix(fields[len(fields)-1], plan.ScriptDir):
			continue
		case fields[0] == "file":
			fields[1] = "SUM"
		}
		got = append(got, strings.Join(fields, " "))
	}
	slices.Sort(got)
	want := []string{
		"fact config:site config", "fact packages git nginx", "fact setup sum",
		"file SUM 0644 root:root - *clients /etc/haproxy/haproxy.cfg",
		"file SUM 0644 root:root - - /etc/x",
		"file SUM 0644 root:root - site /etc/plonec/site/deploy.cfg",
		"gone - /etc/varnish/default.vcl", "gone site /etc/systemd/system/plone-site-client2.service",
		"leaves varnish.service", "service haproxy.service haproxy -", "service plone-site-client1.service client site",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	m.Setup = "x\nleaves\tssh.service"
	if _, err := m.list(); err == nil {
		t.Error("a line was forged")
	}
	m.Setup = "sum"
	m.Seen.Services, m.Services = map[string]plan.ServiceState{}, nil
	for _, line := range []string{"service\tvarnish.service\tvarnish\t-", "service\tnginx.service\tnginx\t-"} {
		m.Seen.Read(strings.Split(line, "\t"))
	}
	if got := m.Leaving(); !slices.Equal(got, []string{"nginx.service", "varnish.service"}) {
		t.Errorf("what asks others goes before them: %v", got)
	}
}
