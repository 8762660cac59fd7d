package tree

import (
	"reflect"
	"testing"
)

// TestFormat1 reads a manifest as plonec 0.1 wrote it: its services and apps are
// those that its files were for.
func TestFormat1(t *testing.T) {
	m, err := Parse([]byte(`{"format": 1, "plonec": "0.1.0", "hosts": [{"name": "h1", "status": "online"}], "files": [
{"host": "h1", "path": "/etc/nginx/nginx.conf", "effect": ["reload:nginx.service"]},
{"host": "h1", "path": "/etc/plonec/site/app.conf", "effect": []},
{"host": "h1", "path": "/etc/plonec/site/deploy.cfg", "effect": ["deploy:site"]},
{"host": "h1", "path": "/etc/plonec/site-x/app.conf", "effect": []},
{"host": "h1", "path": "/etc/systemd/system/plone-site-client1.service", "effect": ["restart:plone-site-client1.service"]},
{"host": "h1", "path": "/etc/systemd/system/plone-site-x-client2.service", "effect": ["restart:plone-site-x-client2.service"]},
{"host": "h1", "path": "/etc/systemd/system/plone-site-clients.service", "effect": ["restart:plone-site-clients.service"]},
{"host": "h1", "path": "/etc/systemd/system/plone-site-zeo.service", "effect": ["restart:plone-site-zeo.service"]},
{"host": "h1", "path": "/etc/systemd/system/plonec-agent.service", "effect": ["restart:plonec-agent.service"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := []App{{Name: "site"}, {Name: "site-x"}}; !reflect.DeepEqual(m.Hosts[0].Apps, want) {
		t.Errorf("apps: %+v", m.Hosts[0].Apps)
	}
	want := []Service{
		{Unit: "nginx.service", Kind: "nginx"},
		{Unit: "plone-site-client1.service", Kind: "client", App: "site"},
		{Unit: "plone-site-clients.service", Kind: "command", App: "site"},
		{Unit: "plone-site-x-client2.service", Kind: "client", App: "site-x"},
		{Unit: "plone-site-zeo.service", Kind: "zeo", App: "site"},
		{Unit: "plonec-agent.service", Kind: "agent"},
	}
	if !reflect.DeepEqual(m.Hosts[0].Services, want) {
		t.Errorf("services: %+v", m.Hosts[0].Services)
	}
}
