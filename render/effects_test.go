package render

import (
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/topology"
)

// A row of the artifacts with an effect that nobody knows fails the build.
func TestUnknownEffect(t *testing.T) {
	for effect, good := range map[string]bool{
		"reload:nginx.service": true, "restart:x.service": true, "start:x.service": true, "stop:x.service": true, "deploy:site": true,
		"": false, "reload": false, "reload:": false, "explode:nginx.service": false, ":x": false,
	} {
		if IsEffect(effect) != good {
			t.Errorf("%q", effect)
		}
	}
	defer func(old []Artifact) { artifacts = old }(artifacts)
	artifacts = []Artifact{{Template: "nginx.logrotate.tmpl", Each: func(*topology.Host) []Instance {
		return []Instance{{Path: "/etc/x", Effects: []string{"explode:nginx.service"}}}
	}}}
	if _, err := Host(frontHost()); err == nil || !strings.Contains(err.Error(), `/etc/x on web1: nobody knows the effect "explode:nginx.service"`) {
		t.Error(err)
	}
}

// nginx.conf is not written for a host whose nginx nothing is known of.
func TestUnknownSystem(t *testing.T) {
	_, err := Host(frontHost(func(h *topology.Host) { h.System = topology.System{}; withTLS(h) }))
	if err == nil || !strings.Contains(err.Error(), "nothing says which nginx web1 has") {
		t.Error(err)
	}
}

// TestTimeoutsRestartNothing: a new timeout is in files that are reloaded; a daemon that
// restarts for it loses requests.
func TestTimeoutsRestartNothing(t *testing.T) {
	before := rendered(t, frontHost())
	after := rendered(t, frontHost(func(h *topology.Host) {
		c := h.Stack.Haproxy
		c.QueueTimeout, c.ServerTimeout, c.ConnectTimeout, c.ClientTimeout = 51_000, 1_800_000, 7_000, 61_000
	}))
	changed := 0
	for path, text := range after {
		if text == before[path] {
			continue
		}
		changed++
		if strings.HasPrefix(path, "/etc/systemd/") {
			t.Errorf("%s is another, so that its unit restarts", path)
		}
	}
	if changed == 0 {
		t.Error("no file has the timeouts")
	}
}
