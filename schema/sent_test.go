package schema

import (
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// TestSentDefaults holds the values that OpsWorks set by itself against the schema.
func TestSentDefaults(t *testing.T) {
	for _, d := range sentDefaults {
		if a := Lookup(d.path); a == nil || a.Path != d.path {
			t.Errorf("there is no attribute %s", d.path)
		}
		n, err := parseJSON(d.value)
		if err != nil {
			t.Fatalf("%s: %s: %v", d.path, d.value, err)
		}
		if SentDefault(d.path, n) != d.why {
			t.Errorf("%s: %s is not found", d.path, d.value)
		}
	}
}

// TestAsSent: what the service set by itself is left out of its own JSON, and of no
// other file, and said once.
func TestAsSent(t *testing.T) {
	read := func(text string) *input.Node {
		n, list := input.ReadJSON(&diag.File{Name: "host.json", Content: []byte(text)})
		if list.Errors() > 0 {
			t.Fatal(list)
		}
		return n
	}
	const haproxy = `"haproxy": {"stats_url": "/haproxy?stats", "health_check_url": "/", "health_check_method": "OPTIONS", "default_max_connections": "40000", "stats_user": "me"},
	  "deploy": {"site": {"purge_before_symlink": ["log", "tmp/pids", "public/system"]}}`
	sent := read(`{"opsworks": {"instance": {"hostname": "a", "private_ip": "10.0.0.1", "layers": ["lb"]}}, ` + haproxy + `}`)
	d, list := Load(sent)
	if list.Errors() > 0 {
		t.Errorf("%v", list)
	}
	h := d.Base.Haproxy
	if h.StatsURL != "/balancer/stats" || h.HealthCheckURL != "/ok" || h.HealthCheckMethod != "GET" || h.DefaultMaxConnections != nil || h.StatsUser != "me" {
		t.Errorf("%+v", h)
	}
	if got := d.Base.Deploy["site"].PurgeBeforeSymlink; slices.Contains(got, "public/system") {
		t.Errorf("purge_before_symlink: %v", got)
	}
	said := 0
	for _, f := range list {
		if f.Code == "opsworks-default" {
			said++
			if !strings.Contains(f.Message, "4 other values") || f.Span.Line() == 0 || !strings.Contains(f.Remedy, "init --from-opsworks") {
				t.Errorf("%+v", f)
			}
		}
	}
	if said != 1 {
		t.Errorf("it is said %d times", said)
	}

	// The operator's own file over it, and a stack that OpsWorks did not send, mean what they say.
	d, _ = Load(input.Merge(sent, read(`{"haproxy": {"health_check_url": "/", "health_check_method": "HEAD"}}`)))
	if h := d.Base.Haproxy; h.HealthCheckURL != "/" || h.HealthCheckMethod != "HEAD" || h.StatsURL != "/balancer/stats" {
		t.Errorf("over it: %+v", h)
	}
	d, _ = Load(read(`{"opsworks": {"stack": {"name": "x"}}, "haproxy": {"health_check_url": "/", "default_max_connections": 40000}}`))
	if h := d.Base.Haproxy; h.HealthCheckURL != "/" || h.DefaultMaxConnections == nil || *h.DefaultMaxConnections != 40000 {
		t.Errorf("of one's own: %+v", h)
	}
}
