package tree

import (
	"strings"
	"testing"
)

// A manifest is a branch's. What it lists twice, or under a name that no stack may
// give a host, would be judged as one thing and done as another.
func TestParseRefusesWhatNoBuildWrites(t *testing.T) {
	file := func(host, path string) File { return File{Host: host, Path: path} }
	good := func() *Manifest {
		return &Manifest{
			Format: Format, Hosts: []Host{{Name: "app1"}, {Name: "db-1.example"}},
			Files:   []File{file("*", "/etc/x"), file("app1", "/etc/x"), file("app1", "/etc/y")},
			Secrets: []Secret{{Host: "app1", Path: "/etc/z"}},
		}
	}
	for _, c := range []struct {
		want   string
		change func(*Manifest)
	}{
		{"", func(*Manifest) {}},
		{"it lists the host app1 twice", func(m *Manifest) { m.Hosts = append(m.Hosts, Host{Name: "app1", SSHAddress: "10.0.0.66"}) }},
		{`it lists "/etc/y" on "app1" twice`, func(m *Manifest) { m.Files = append(m.Files, file("app1", "/etc/y")) }},
		{`it lists "/etc/z" on "app1" twice`, func(m *Manifest) { m.Secrets = append(m.Secrets, m.Secrets[0]) }},
		{`it lists "/etc/y" on "app1" twice`, func(m *Manifest) { m.Secrets[0].Path = "/etc/y" }},
		{`it lists a host with an invalid name: ""`, func(m *Manifest) { m.Hosts[0].Name = "" }},
		{`it lists a host with an invalid name: "*"`, func(m *Manifest) { m.Hosts[0].Name = "*" }},
		{`it lists a host with an invalid name: "app1\nlb1"`, func(m *Manifest) { m.Hosts[0].Name = "app1\nlb1" }},
		{`it lists a host with an invalid name: "-oProxyCommand"`, func(m *Manifest) { m.Hosts[0].Name = "-oProxyCommand" }},
		{`it lists an unknown effect: "explode:nginx.service"`, func(m *Manifest) { m.Files[1].Effect = []string{"reload:nginx.service", "explode:nginx.service"} }},
		{`it lists an unknown effect: "restart:"`, func(m *Manifest) { m.Secrets[0].Effect = []string{"restart:"} }},
		{"it lists app1 with an invalid rank: 3", func(m *Manifest) { m.Hosts[0].Rank = 3 }},
		{`it lists the service x.service on app1 with an unknown kind: "sundial"`, func(m *Manifest) { m.Hosts[0].Services = []Service{{Unit: "x.service", Kind: "sundial"}} }},
		{"it lists the service x.service on app1 with an invalid rank: -1", func(m *Manifest) { m.Hosts[0].Services = []Service{{Unit: "x.service", Kind: "zeo", Rank: -1}} }},
		{`it lists an app with an invalid name: "../x" on app1`, func(m *Manifest) { m.Hosts[0].Certificates = []Certificate{{App: "../x", Path: "/a", Key: "/b"}} }},
		{`it lists a path that leaves the tree: "/a", "/etc/../../b" on "app1"`, func(m *Manifest) {
			m.Hosts[0].Certificates = []Certificate{{App: "x", Path: "/a", Key: "/etc/../../b"}}
		}},
		{`it lists a path that leaves the tree: "key" on "app1"`, func(m *Manifest) { m.Hosts[0].Apps = []App{{Name: "x", Key: "key"}} }},
		{"it lists a host with an invalid name: ", func(m *Manifest) { m.Hosts[0].Name = strings.Repeat("a", 65) }},
	} {
		m := good()
		c.change(m)
		data, err := m.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		switch _, err := Parse(data); {
		case c.want == "" && err != nil:
			t.Errorf("a good one: %v", err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}
